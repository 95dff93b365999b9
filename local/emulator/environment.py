"""What ministack is told before it is imported: it reads its settings from the environment, once."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
_NOT_FOR_LAMBDA = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "PYTHONHOME",
    "PYTHONPATH",
    "SSL_CERT_FILE",
    "VIRTUAL_ENV",
)
"""Functions inherit this process's environment; a function sees its own asset and account, and nothing of ours."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a local cloud is started with."""

    port: int
    account: str
    region: str
    quiet: bool
    ca_bundle: Path | None
    """Certificate authorities, PEM, that functions trust; those of the machine where there is none."""
    advisories: Path

    @property
    def url(self) -> str:
        """Where it answers; by address rather than by name, so that S3 clients put the bucket in the path."""
        return f"http://{HOST}:{self.port}"


def prepare(settings: Settings) -> None:
    """Set the environment of this process, which is that of the functions too."""
    for name in _NOT_FOR_LAMBDA:
        os.environ.pop(name, None)
    os.environ |= {
        "AUTH": "true",  # every function with its own role, and nothing that the role doesn't allow
        "AWS_ACCESS_KEY_ID": "test",  # the account's root, as whom one deploys and looks around
        "AWS_SECRET_ACCESS_KEY": "test",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(settings.port),
        "IOT_MTLS_ENABLED": "0",  # it would open a port of its own, and so would the next
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "ERROR" if settings.quiet else "WARNING",
        "MINISTACK_ACCOUNT_ID": settings.account,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": settings.region,
        "PYTHONNOUSERSITE": "1",
    }
    if settings.ca_bundle:
        os.environ["SSL_CERT_FILE"] = str(settings.ca_bundle.resolve(strict=True))


def interpreter() -> str:
    """The Python that runs us, without the virtual environment: a function has what its asset carries and no more."""
    return str(getattr(sys, "_base_executable", sys.executable))
