"""The first message of each thread in each channel, so that later ones go on from it; in the ledger's table."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from warden.ledger import epoch

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

KEPT = timedelta(days=90)
"""After so long nobody finds the first message any more: the next one is a first one again."""


@dataclass(frozen=True, slots=True)
class Root:
    """The first message of a thread: what the product calls it, where it says, and the notice's title."""

    reference: str
    title: str


class Threads:
    """The threads of the channels."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`client` is a DynamoDB client, `table` the ledger's table."""
        self._client = client
        self._table = table

    def root(self, channel: str, thread: str, *, now: datetime) -> Root | None:
        """The first message of the thread in the channel; None where there was none, or it is too long ago."""
        answer = self._client.get_item(TableName=self._table, Key=_key(channel, thread), ConsistentRead=True)
        item = answer.get("Item")
        if item is None or int(item["expires_at"]["N"]) <= now.timestamp():
            return None
        return Root(item["reference"]["S"], item["title"]["S"])

    def begin(self, channel: str, thread: str, root: Root, *, now: datetime) -> None:
        """Remember the first message of a thread."""
        self._client.put_item(
            TableName=self._table,
            Item={
                **_key(channel, thread),
                "reference": {"S": root.reference},
                "title": {"S": root.title},
                "expires_at": {"N": epoch(now + KEPT)},
            },
        )


def _key(channel: str, thread: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": f"thread#{channel}#{thread}"}, "sk": {"S": "root"}}
