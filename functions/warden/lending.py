"""Credentials that a role of another account lends us, and clients that use them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/tutorial_cross-account-with-roles.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from warden import answers
from warden.errors import Refused

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

SESSION = "ecr-warden"
"""The name of our sessions in other accounts, by which their CloudTrail knows us."""
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "AuthorizationError",
        "InvalidClientTokenId",
        "OptInRequired",
        "SubscriptionRequiredException",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
"""Errors by which AWS says that we may not ask, or that the account has no such region: no retry mends them.

https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
"""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a role of another account lends us for an hour."""

    key: str
    secret: str
    token: str


Connect = Callable[[str, str, Credentials | None], Any]
"""Makes a client of a service in a region, with the credentials of another account or, for None, our own."""


class Denied(Refused):
    """The role does not let us in; the text is what STS says."""


class Lending:
    """Asks roles for their credentials."""

    def __init__(self, client: "STSClient") -> None:
        """`client` is an STS client."""
        self._client = client

    def lend(self, role: str) -> Credentials:
        """The credentials of the role, by its ARN, for an hour. Raises Denied where it does not let us in."""
        try:
            answer = self._client.assume_role(RoleArn=role, RoleSessionName=SESSION)
        except ClientError as error:
            if answers.code(error) not in DENIED:
                raise
            raise Denied(answers.message(error)) from None
        with answers.whole("AssumeRole"):
            lent = answer["Credentials"]
            return Credentials(lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"])


def connect(config: Config, service: str, region: str, lent: Credentials | None) -> Any:
    """A client of a service in a region; with the credentials of another account, where there are any."""
    keys: dict[str, str] = {}
    if lent:
        keys = {
            "aws_access_key_id": lent.key,
            "aws_secret_access_key": lent.secret,
            "aws_session_token": lent.token,
        }
    client: Any = boto3.client
    return client(service, region_name=region, config=config, **keys)
