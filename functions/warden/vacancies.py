"""Empty repositories, at ECR and in the ledger's table: whether there is an image, when one was there, and the end.

Only the sweep deletes a repository, and never by force: where an image is in it, ECR refuses.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from warden import answers
from warden.actions import Action
from warden.errors import Refused
from warden.ledger import KEPT, epoch
from warden.names import RepositoryName
from warden.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient

_MADE_WITH = (
    "repositoryName",
    "encryptionConfiguration",
    "imageScanningConfiguration",
    "imageTagMutability",
    "imageTagMutabilityExclusionFilters",
)
"""Of what DescribeRepositories says: what CreateRepository takes."""
_OF_AWS = "aws:"
"""How the keys of tags begin that only AWS gives."""
_REFUSED = frozenset(
    {"RepositoryNotEmptyException", "KmsException", "InvalidParameterException", "ValidationException"}
)


class Vacancies:
    """The repositories without images."""

    def __init__(self, client: "ECRClient", registry: Registry, dynamodb: "DynamoDBClient", table: str) -> None:
        """`table` is the ledger's, where it is remembered when a repository had images."""
        self._client = client
        self._registry = registry
        self._dynamodb = dynamodb
        self._table = table

    def has_images(self, repository: RepositoryName) -> bool | None:
        """Whether there is any image, archived ones included; None where the repository is gone."""
        try:
            answer = self._client.list_images(
                repositoryName=repository, maxResults=1, filter={"tagStatus": "ANY", "imageStatus": "ANY"}
            )
        except self._client.exceptions.RepositoryNotFoundException:
            return None
        with answers.whole("ListImages"):
            return bool(answer["imageIds"]) or "nextToken" in answer

    def note_images(self, repository: RepositoryName, *, now: datetime, after: timedelta) -> None:
        """Remember that there are images now, for as long as that may still count for the repository."""
        item: dict[str, Any] = {
            "pk": {"S": f"occupied#{repository}"},
            "sk": {"S": "last"},
            "at": {"N": epoch(now)},
            "expires_at": {"N": epoch(now + max(KEPT, after * 2))},
        }
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def had_images(self, repository: RepositoryName) -> datetime | None:
        """When there were images last, as far as is known."""
        key: dict[str, Any] = {"pk": {"S": f"occupied#{repository}"}, "sk": {"S": "last"}}
        item: Mapping[str, Any] | None = self._dynamodb.get_item(
            TableName=self._table, Key=key, ConsistentRead=True
        ).get("Item")
        return datetime.fromtimestamp(int(item["at"]["N"]), UTC) if item else None

    def as_made(self, repository: RepositoryName, tags: Mapping[str, str]) -> str | None:
        """All that it takes to make the repository again, as JSON; None where it is gone.

        `create` is what `aws ecr create-repository --cli-input-json` takes; the two policies are texts. `tags` are
        those of the repository.
        """
        try:
            answer = self._client.describe_repositories(repositoryNames=[repository])
        except self._client.exceptions.RepositoryNotFoundException:
            return None
        with answers.whole("DescribeRepositories"):
            described: Mapping[str, Any] = answer["repositories"][0]
        own = [{"Key": key, "Value": value} for key, value in sorted(tags.items()) if not key.startswith(_OF_AWS)]
        made = {
            "create": {**{name: described[name] for name in _MADE_WITH if name in described}, "tags": own},
            "lifecyclePolicyText": self._registry.lifecycle_policy(repository),
            "policyText": self._registry.access_policy(repository),
        }
        return json.dumps({name: value for name, value in made.items() if value is not None})

    def delete(self, action: Action) -> None:
        """Delete the repository that the action is about. Raises Refused where ECR won't have it."""
        try:
            self._client.delete_repository(repositoryName=action.repository)
        except self._client.exceptions.RepositoryNotFoundException:
            return  # a repeated message, or a person was faster
        except ClientError as error:
            if answers.code(error) in _REFUSED:
                raise Refused(f"ECR keeps {action.repository}: {answers.message(error)}") from None
            raise


def tags_of(made: str) -> dict[str, str]:
    """The repository's own tags, out of what `as_made` gave; none where it gave nothing."""
    return {tag["Key"]: tag["Value"] for tag in json.loads(made)["create"]["tags"]} if made else {}
