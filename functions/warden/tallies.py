"""The tally of a sweep: which repositories it has looked at, and what came of that; kept in the ledger's table."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from warden.ledger import KEPT, epoch, items_under

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LINES_KEPT = timedelta(days=7)
_TALLY = {"S": "tally"}
_REPOSITORY = "repository#"


class Tally(NamedTuple):
    """How far a sweep has come: `counts` with how many repositories were `expected` and `looked_at`, among others.

    `lines` are what there is to tell, by repository; those with nothing to tell are left out.
    """

    counts: Mapping[str, int]
    lines: Mapping[str, tuple[str, ...]]


class Tallies:
    """The sweeps' tallies.

    Each repository has an item of its own, written once, and the numbers are summed from those. Many repositories are
    looked at at once: counting them in a transaction with one counter would make them refuse each other.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`client` is a DynamoDB client, `table` the ledger's table."""
        self._client = client
        self._table = table
        self._exceptions = client.exceptions

    def begin(self, sweep: str, *, repositories: int, now: datetime) -> None:
        """Remember how many repositories a sweep has to look at."""
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"sweep#{sweep}"}, "sk": _TALLY},
            UpdateExpression="SET expected = :expected, expires_at = :expires",
            ExpressionAttributeValues={
                ":expected": {"N": str(repositories)},
                ":expires": {"N": epoch(now + KEPT)},
            },
        )

    def count(
        self, sweep: str, repository: str, counts: Mapping[str, int], *, lines: Iterable[str], now: datetime
    ) -> bool:
        """Note what came of one repository; a repeated message notes nothing. True where it was the sweep's last.

        That is a hint, lost if the function dies at the wrong moment: whoever waits must look at the tally, too.
        """
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"sweep#{sweep}"},
                    "sk": {"S": _REPOSITORY + repository},
                    "counts": {"M": {name: {"N": str(count)} for name, count in counts.items()}},
                    "lines": {"L": [{"S": line} for line in lines]},
                    "expires_at": {"N": epoch(now + LINES_KEPT)},
                },
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self._exceptions.ConditionalCheckFailedException:
            return False
        answer = self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"sweep#{sweep}"}, "sk": _TALLY},
            UpdateExpression="ADD noted :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="ALL_NEW",
        )
        noted, expected = answer["Attributes"]["noted"], answer["Attributes"].get("expected")
        return expected is not None and int(noted["N"]) >= int(expected["N"])

    def take_place(self, sweep: str, repository: str, *, most: int) -> bool:
        """Whether the repository is one of the first `most` that ask in a sweep; who has a place keeps it."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": f"sweep#{sweep}"}, "sk": _TALLY},
                UpdateExpression="ADD places :us",
                ConditionExpression="attribute_not_exists(places) OR contains(places, :me) OR size(places) < :most",
                ExpressionAttributeValues={
                    ":us": {"SS": [repository]},
                    ":me": {"S": repository},
                    ":most": {"N": str(most)},
                },
            )
        except self._exceptions.ConditionalCheckFailedException:
            return False
        return True

    def read(self, sweep: str) -> Tally:
        """The tally as it is now."""
        counts = Counter(expected=0, looked_at=0)
        lines: dict[str, tuple[str, ...]] = {}
        for item in items_under(self._client, self._table, f"sweep#{sweep}"):
            if item["sk"] == _TALLY:
                counts["expected"] = int(item["expected"]["N"])
                continue
            counts.update(looked_at=1, **{name: int(value["N"]) for name, value in item["counts"]["M"].items()})
            if item["lines"]["L"]:
                lines[item["sk"]["S"].removeprefix(_REPOSITORY)] = tuple(line["S"] for line in item["lines"]["L"])
        return Tally(counts, lines)
