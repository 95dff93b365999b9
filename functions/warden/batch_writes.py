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


def write_all(client: "DynamoDBClient", table: str, requests: Iterable[Mapping[str, Any]]) -> None:
    """Send the requests, each a PutRequest or a DeleteRequest, no two of them about one key.

    Raises Unavailable where DynamoDB does not take them all: it answers 200 and says what it did not take.
    """
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
