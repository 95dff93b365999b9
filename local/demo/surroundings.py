"""What the demo runs in: the local cloud, a process of its own, and the stack, deployed by the real cdk command."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.request import urlopen

import boto3

from local.chat import Chat
from local.demo.images import Client

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_sqs import SQSClient

PROJECT = Path(__file__).parents[2]
BUILD = PROJECT / "build" / "demo"
ACCOUNT, REGION, STAGE = "111122223333", "eu-central-1", "demo"
PATIENCE = 60.0
"""Seconds that anything may take; what takes longer did not happen."""

Found = TypeVar("Found")


class Failed(Exception):
    """A command of the demo failed; the text is what it printed."""


@dataclass(frozen=True)
class Account:
    """The local cloud, seen as an account."""

    endpoint: str
    chat: Chat

    @property
    def host(self) -> str:
        """Where the Docker registry answers, as `docker push` wants it."""
        return self.endpoint.removeprefix("http://")

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to work in this account and in no other."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DEFAULT_ACCOUNT": ACCOUNT,
            "CDK_DEFAULT_REGION": REGION,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
        }

    @property
    def _session(self) -> boto3.session.Session:
        return boto3.session.Session("test", "test", region_name=REGION)

    @property
    def ecr(self) -> "ECRClient":
        """The registry, by the API of ECR."""
        return self._session.client("ecr", endpoint_url=self.endpoint)

    @property
    def sqs(self) -> "SQSClient":
        """The queues."""
        return self._session.client("sqs", endpoint_url=self.endpoint)

    @property
    def ecs(self) -> "ECSClient":
        """The container service."""
        return self._session.client("ecs", endpoint_url=self.endpoint)

    def put_secret(self, name: str, text: str) -> None:
        """A secret, as its owner makes it by hand."""
        client = self._session.client("secretsmanager", endpoint_url=self.endpoint)
        client.create_secret(Name=name, SecretString=text)

    def client(self) -> Client:
        """A registry client that is logged in, as `aws ecr get-login-password | docker login` does it."""
        token = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        return Client.logged_in(self.host, token)

    def calls(self, operation: str) -> list[dict[str, str]]:
        """Every call of that operation that the registry has answered."""
        return [call for call in self.all_calls() if call["operation"] == operation]

    def warden(self, *arguments: str) -> tuple[int, str]:
        """The command as a person runs it: its exit code, and what it prints on stdout."""
        command = [str(PROJECT / ".venv" / "bin" / "warden"), *arguments]
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=PROJECT, env=self.environment, stdout=subprocess.PIPE, text=True, check=False
        )
        return done.returncode, done.stdout

    def all_calls(self, since: int = 0) -> list[dict[str, str]]:
        """Every call that the registry has answered, from the `since`th on."""
        with urlopen(f"{self.endpoint}/_warden/calls?since={since}") as answer:  # noqa: S310 - our own server
            calls: list[dict[str, str]] = json.load(answer)
            return calls

    def control(self, what: str, order: Any) -> Any:
        """Ask the local cloud itself, see `local/emulator/controls.py`."""
        with urlopen(f"{self.endpoint}/_warden/{what}", json.dumps(order).encode()) as answer:  # noqa: S310
            return json.load(answer)

    def drop_events(self, detail_type: str, count: int) -> None:
        """Lose the next events of that kind, as EventBridge's best effort may."""
        self.control("events/drop", {"detail-type": detail_type, "count": count})


@contextmanager
def an_account(port: int, chat: Chat) -> Iterator[Account]:
    """The local cloud from its first line to its last; it is stopped by its own process id."""
    BUILD.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "local.cloud", "--port", str(port), "--account", ACCOUNT, "--region", REGION]
    command += ["--quiet", "--ca-bundle", str(chat.ca_bundle)]
    with (BUILD / "cloud.log").open("w") as log:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603
        try:
            if not process.stdout or not process.stdout.readline():
                raise Failed(f"the local cloud did not start: see {BUILD / 'cloud.log'}")
            yield Account(f"http://127.0.0.1:{port}", chat)
        finally:
            process.terminate()
            process.wait(timeout=120)  # it removes what its functions unpacked


def cdk(account: Account, *arguments: str) -> None:
    """Run the pinned cdk command in the account. Raises Failed with what it said."""
    command = [str(PROJECT / "node_modules" / ".bin" / "cdk"), *arguments, "--ci", "--no-notices"]
    done = subprocess.run(  # noqa: S603 - the pinned command
        command, cwd=PROJECT, env=account.environment, capture_output=True, text=True, check=False
    )
    (BUILD / f"cdk-{arguments[0]}.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise Failed(f"cdk {arguments[0]} failed:\n{(done.stdout + done.stderr)[-4000:]}")


def eventually(look: Callable[[], Found | None], patience: float = PATIENCE) -> Found | None:
    """What `look` finds as soon as it finds something; None where it found nothing in time."""
    ends = time.monotonic() + patience
    while True:
        found = look()
        if found or time.monotonic() > ends:
            return found
        time.sleep(0.05)
