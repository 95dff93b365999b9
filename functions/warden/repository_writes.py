"""What quarantine writes to a repository itself: its own policy, and its state as a tag of the resource.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_TagResource.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from warden import answers
from warden.errors import Refused
from warden.names import RepositoryName
from warden.text import clean

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

LONGEST = 300
_GONE = frozenset({"RepositoryNotFoundException", "RepositoryPolicyNotFoundException"})
_WRONG = frozenset(
    {"InvalidParameterException", "InvalidTagParameterException", "TooManyTagsException", "ValidationException"}
)


class RepositoryWrites:
    """The registry's repositories. Of one that is gone there is nothing to write."""

    def __init__(self, client: "ECRClient", account: str) -> None:
        """`client` is an ECR client, `account` the registry's."""
        self._client = client
        self._account = account

    def set_policy(self, repository: RepositoryName, text: str) -> None:
        """Put the repository's own policy. Raises Refused where ECR won't have it."""
        with _refusing(f"the policy of {repository} was not set"):
            self._client.set_repository_policy(repositoryName=repository, policyText=text)

    def delete_policy(self, repository: RepositoryName) -> None:
        """Delete the repository's own policy; one that is gone already is deleted."""
        with _refusing(f"the policy of {repository} was not deleted"):
            self._client.delete_repository_policy(repositoryName=repository)

    def tag(self, repository: RepositoryName, key: str, value: str) -> None:
        """Give the repository itself a tag. Raises Refused where ECR won't: a resource has fifty tags at most."""
        with _refusing(f"{repository} was not tagged {key}"):
            self._client.tag_resource(resourceArn=self._arn(repository), tags=[{"Key": key, "Value": value}])

    def untag(self, repository: RepositoryName, key: str) -> None:
        """Take a tag of the repository itself."""
        with _refusing(f"the tag {key} of {repository} was not taken"):
            self._client.untag_resource(resourceArn=self._arn(repository), tagKeys=[key])

    def _arn(self, repository: RepositoryName) -> str:
        place = self._client.meta
        return f"arn:{place.partition}:ecr:{place.region_name}:{self._account}:repository/{repository}"


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """What no retry mends is Refused; what is gone is done."""
    try:
        yield
    except ClientError as error:
        if answers.code(error) in _WRONG:
            raise Refused(f"{what}: {clean(answers.message(error), LONGEST)}") from None
        if answers.code(error) not in _GONE:
            raise
