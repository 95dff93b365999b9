"""Asking AWS from the command: clients with explicit limits, and refusals in words that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from warden.errors import Unavailable

_NO_RIGHT = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"})
_SIGN_IN = "sign in, by `aws sso login` or `aws configure`, and choose the account by AWS_PROFILE"


def client(service: str, *, attempts: int = 5) -> Any:
    """A client of an AWS service, in the account and region that the environment says."""
    import boto3  # noqa: PLC0415 - a third of a second, and most commands don't ask AWS
    from botocore.config import Config  # noqa: PLC0415

    make: Any = boto3.client
    limits: Any = {
        "retries": {"mode": "standard", "total_max_attempts": attempts},
        "connect_timeout": 3,
        "read_timeout": 15,
    }
    with asking(f"connect to {service}"):
        return make(service, config=Config(**limits))


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turns whatever AWS's library raises into Unavailable; `what` says what can't be done then."""
    from botocore.exceptions import (  # noqa: PLC0415
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        NoRegionError,
        TokenRetrievalError,
    )

    try:
        yield
    except (NoCredentialsError, TokenRetrievalError):
        raise Unavailable(f"can't {what}: there are no AWS credentials; {_SIGN_IN}") from None
    except NoRegionError:
        raise Unavailable(
            f"can't {what}: no region is chosen; set AWS_REGION, such as AWS_REGION=eu-central-1"
        ) from None
    except ClientError as error:
        raise Unavailable(f"can't {what}: {_refusal(error.response['Error'])}") from None
    except BotoCoreError as error:
        raise Unavailable(f"can't {what}: {error}") from None


def _refusal(error: Any) -> str:
    code, message = error["Code"], error.get("Message", "")
    if code in _EXPIRED:
        return f"the credentials have expired; {_SIGN_IN}"
    if code in _UNKNOWN:
        return f"AWS does not know these credentials; {_SIGN_IN}"
    if code in _NO_RIGHT:
        return f"these credentials have no right to: {message}"
    return f"{code}: {message}"
