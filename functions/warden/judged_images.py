"""The images that were judged: what was known of each, and where it stands in its line; in the ledger's table.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from warden.known import Known, unpacked
from warden.ledger import KEPT, epoch
from warden.names import Digest, ImageId, RepositoryName
from warden.tag_lines import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LOOKED_BACK = 5
"""How many images of a line are asked for one that was judged: those before it may be gone from the ledger."""


class JudgedImages:
    """The judged images."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`client` is a DynamoDB client, `table` the ledger's table."""
        self._client = client
        self._table = table

    def known(self, image: ImageId) -> Known | None:
        """What was known of the image when it was last judged; None where it never was."""
        key = {"pk": {"S": f"known#{image}"}, "sk": {"S": "verdict"}}
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if item is None:
            return None
        return unpacked(
            item["name"]["S"],
            item["verdict"]["S"],
            item["findings"]["B"],
            item["gaps"]["B"],
            int(item["revision"]["N"]),
            item["thread"]["S"],
        )

    def remember(self, image: ImageId, known: Known, places: Iterable[Place], *, now: datetime) -> None:
        """Remember what is known of the image, then where it stands: who finds the place finds what is known."""
        findings, gaps = known.packed()
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"known#{image}"},
                "sk": {"S": "verdict"},
                "name": {"S": known.name},
                "verdict": {"S": known.verdict},
                "findings": {"B": findings},
                "gaps": {"B": gaps},
                "revision": {"N": str(known.revision)},
                "thread": {"S": known.thread},
                "expires_at": {"N": epoch(now + KEPT)},
            },
        )
        self.place(image, places, now=now)

    def place(self, image: ImageId, places: Iterable[Place], *, now: datetime) -> None:
        """Remember where the image stands by the tags that it has now."""
        for place in places:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": _line(image.repository, place)},
                    "sk": {"S": place.order},
                    "digest": {"S": image.digest},
                    "expires_at": {"N": epoch(now + KEPT)},
                },
            )

    def before(self, image: ImageId, place: Place) -> Iterator[tuple[ImageId, Known]]:
        """The judged images before that place in its line, and what was known of them, the nearest first."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :line AND sk < :order",
            ExpressionAttributeValues={
                ":line": {"S": _line(image.repository, place)},
                ":order": {"S": place.order},
            },
            ScanIndexForward=False,
            Limit=LOOKED_BACK,
            ConsistentRead=True,
        )
        for item in answer["Items"]:
            other = ImageId(image.repository, Digest(item["digest"]["S"]))
            if other != image and (known := self.known(other)):
                yield other, known


def _line(repository: RepositoryName, place: Place) -> str:
    return f"line#{repository}:{place.line}"
