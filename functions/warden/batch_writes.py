"""Many items into the ledger's table, or out of it: in as few calls as DynamoDB allows, and read to the last one.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from warden import answers
from warden.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ITEMS_A_CALL = 25
TRIES = 8
"""How often DynamoDB is asked to take what it left; the queue waits longer than we would."""


def put_all(client: "DynamoDBClient", table: str, items: Iterable[Mapping[str, Any]]) -> None:
    """Put the items, no two of them under one key. Raises Unavailable where DynamoDB does not take them all."""
    _send(client, table, ({"PutRequest": {"Item": item}} for item in items))


def delete_all(client: "DynamoDBClient", table: str, keys: Iterable[Mapping[str, Any]]) -> None:
    """Delete the items of these keys, those that are there. Raises as `put_all` does."""
    _send(client, table, ({"DeleteRequest": {"Key": key}} for key in keys))


def _send(client: "DynamoDBClient", table: str, requests: Iterable[Mapping[str, Any]]) -> None:
    """DynamoDB answers 200 and says what it did not take."""
    rest = iter(requests)
    while batch := list(islice(rest, ITEMS_A_CALL)):
        waiting: Any = {table: batch}
        for _ in range(TRIES):
            answer = client.batch_write_item(RequestItems=waiting)
            with answers.whole("BatchWriteItem"):
                waiting = answer["UnprocessedItems"]
            if not waiting:
                break
        else:
            raise Unavailable(f"DynamoDB left {len(waiting[table])} of {len(batch)} items after {TRIES} tries")
