"""The ledger: what was scanned, announced, changed and deleted, and why; one DynamoDB table.

Two kinds of items. An entry is one line of an image's or repository's history; its key holds the event that it came
from, so a repeated event writes the same line again. A claim says that a deed is being done, or is done: taken by one
conditional write, so of two copies of an event only one does the work, and it lapses by itself if its holder dies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.names import Digest, ImageId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=400)
"""How long history is kept: a year and a month, so that a yearly review finds it."""


class Standing(StrEnum):
    """What somebody who asks for a claim is told."""

    TAKEN = "taken"
    BUSY = "busy"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of history: what happened to `subject` (an image or a repository), in words, with its particulars."""

    subject: str
    at: datetime
    kind: str
    text: str
    details: Mapping[str, str] = field(default_factory=dict)


class Ledger:
    """The table. Times come in as arguments; DynamoDB's own expiry may be days late, so claims compare them."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`client` is a DynamoDB client, `table` the table's name."""
        self._client = client
        self._table = table
        # Read here once: two threads that ask botocore for them first, each at once, get two different classes.
        self._exceptions = client.exceptions

    def claim(self, deed: str, *, owner: str, now: datetime, busy_for: timedelta) -> Standing:
        """Ask to do a deed; TAKEN means that nobody else does it until `now` + `busy_for`.

        `owner` is the SQS message that asks: a message that comes again after its sandbox was killed, or a write whose
        answer was lost and which the SDK sent twice, finds its own claim and goes on.
        """
        until = now + busy_for
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"claim#{deed}"},
                    "sk": {"S": "claim"},
                    "state": {"S": "working"},
                    "holder": {"S": owner},
                    "until": {"N": _epoch(until)},
                    "expires_at": {"N": _epoch(until + timedelta(days=1))},
                },
                ConditionExpression=(
                    "attribute_not_exists(pk) OR #until <= :now OR (holder = :me AND #state = :working)"
                ),
                ExpressionAttributeNames={"#until": "until", "#state": "state"},
                ExpressionAttributeValues={
                    ":now": {"N": _epoch(now)},
                    ":me": {"S": owner},
                    ":working": {"S": "working"},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._exceptions.ConditionalCheckFailedException as refusal:
            held: Mapping[str, Any] = refusal.response["Item"]  # type: ignore[typeddict-item]
            return Standing.DONE if held["state"]["S"] == "done" else Standing.BUSY
        return Standing.TAKEN

    def finish(self, deed: str, *, owner: str, now: datetime, lasts: timedelta) -> None:
        """Say that the deed is done, and need not be done again until `now` + `lasts`."""
        until = now + lasts
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"claim#{deed}"},
                "sk": {"S": "claim"},
                "state": {"S": "done"},
                "holder": {"S": owner},
                "until": {"N": _epoch(until)},
                "expires_at": {"N": _epoch(until)},
            },
        )

    def give_back(self, deed: str, *, owner: str, now: datetime) -> None:
        """Give up a claim, so that the next try need not wait until it lapses."""
        self.finish(deed, owner=owner, now=now, lasts=timedelta(0))

    def is_done(self, deed: str, *, now: datetime) -> bool:
        """Whether the deed was done, and still counts."""
        answer = self._client.get_item(
            TableName=self._table, Key={"pk": {"S": f"claim#{deed}"}, "sk": {"S": "claim"}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return item is not None and item["state"]["S"] == "done" and int(item["until"]["N"]) > now.timestamp()

    def record(self, entry: Entry, *, event: str) -> None:
        """Write a line of history; the same line of the same event is written once, however often it comes."""
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"history#{entry.subject}"},
                "sk": {"S": f"{entry.at.astimezone(UTC).isoformat(timespec='milliseconds')}#{entry.kind}#{event}"},
                "kind": {"S": entry.kind},
                "text": {"S": entry.text},
                "details": {"M": {name: {"S": value} for name, value in entry.details.items()}},
                "expires_at": {"N": _epoch(entry.at + KEPT)},
            },
        )

    def history(self, subject: str) -> tuple[Entry, ...]:
        """Everything known of an image or a repository, oldest first."""
        items = self._query(f"history#{subject}")
        return tuple(
            Entry(
                subject,
                datetime.fromisoformat(item["sk"]["S"].partition("#")[0]),
                item["kind"]["S"],
                item["text"]["S"],
                {name: value["S"] for name, value in item["details"]["M"].items()},
            )
            for item in items
        )

    def adopt(self, index: ImageId, children: Iterable[Digest], *, now: datetime) -> None:
        """Remember which manifests an index lists: ECR can't be asked for the indexes that list a manifest."""
        for child in children:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"listed#{index.repository}@{child}"},
                    "sk": {"S": index.digest},
                    "expires_at": {"N": _epoch(now + KEPT)},
                },
            )

    def indexes_of(self, image: ImageId) -> tuple[ImageId, ...]:
        """The indexes that are known to list the image."""
        items = self._query(f"listed#{image}")
        return tuple(ImageId(image.repository, Digest(item["sk"]["S"])) for item in items)

    def give_up_scanning(self, image: ImageId, *, why: str, now: datetime) -> None:
        """Remember that ECR refused to scan an image, for a reason that stays: no result will ever come."""
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"unscannable#{image}"},
                "sk": {"S": "reason"},
                "text": {"S": why},
                "expires_at": {"N": _epoch(now + KEPT)},
            },
        )

    def why_unscanned(self, image: ImageId) -> str | None:
        """Why ECR refused to scan the image, or None where it did not."""
        key = {"pk": {"S": f"unscannable#{image}"}, "sk": {"S": "reason"}}
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return item["text"]["S"] if item else None

    def begin_sweep(self, sweep: str, *, repositories: int, now: datetime) -> None:
        """Remember how many repositories a sweep has to look at."""
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"sweep#{sweep}"}, "sk": {"S": "tally"}},
            UpdateExpression="SET expected = :expected, expires_at = :expires",
            ExpressionAttributeValues={
                ":expected": {"N": str(repositories)},
                ":expires": {"N": _epoch(now + KEPT)},
            },
        )

    def count_in_sweep(
        self, sweep: str, repository: str, counts: Mapping[str, int], *, lines: Iterable[str], now: datetime
    ) -> None:
        """Add one repository's counts to its sweep's tally; a repeated message adds nothing.

        `lines` say what there is to tell of the repository.
        """
        names = {f"#{index}": name for index, name in enumerate(counts)}
        values = {f":{index}": {"N": str(count)} for index, count in enumerate(counts.values())}
        additions = ", ".join(f"#{index} :{index}" for index in range(len(counts)))
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": {
                                "pk": {"S": f"sweep#{sweep}"},
                                "sk": {"S": f"repository#{repository}"},
                                "lines": {"L": [{"S": line} for line in lines]},
                                "expires_at": {"N": _epoch(now + timedelta(days=7))},
                            },
                            "ConditionExpression": "attribute_not_exists(pk)",
                        }
                    },
                    {
                        "Update": {
                            "TableName": self._table,
                            "Key": {"pk": {"S": f"sweep#{sweep}"}, "sk": {"S": "tally"}},
                            "UpdateExpression": f"ADD {additions}",
                            "ExpressionAttributeNames": names,
                            "ExpressionAttributeValues": values,
                        }
                    },
                ]
            )
        except self._exceptions.TransactionCanceledException as refusal:
            if refusal.response["CancellationReasons"][0]["Code"] != "ConditionalCheckFailed":
                raise

    def tally(self, sweep: str) -> dict[str, int]:
        """The counts of a sweep so far, with the number of repositories `expected`."""
        answer = self._client.get_item(
            TableName=self._table, Key={"pk": {"S": f"sweep#{sweep}"}, "sk": {"S": "tally"}}, ConsistentRead=True
        )
        item = answer.get("Item", {})
        return {name: int(value["N"]) for name, value in item.items() if "N" in value and name != "expires_at"}

    def lines_of_sweep(self, sweep: str) -> dict[str, tuple[str, ...]]:
        """What there is to tell of each repository of a sweep; those with nothing to tell are left out."""
        items = (item for item in self._query(f"sweep#{sweep}") if item["sk"]["S"].startswith("repository#"))
        lines = {item["sk"]["S"].partition("#")[2]: item["lines"]["L"] for item in items}
        return {repository: tuple(line["S"] for line in told) for repository, told in lines.items() if told}

    def _query(self, key: str) -> list[Mapping[str, Any]]:
        items: list[Mapping[str, Any]] = []
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :key",
            ExpressionAttributeValues={":key": {"S": key}},
            ConsistentRead=True,
        )
        for page in pages:
            items.extend(page["Items"])
        return items


def _epoch(at: datetime) -> str:
    return str(int(at.timestamp()))
