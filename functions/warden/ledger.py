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

from warden.names import Digest, ImageId, RepositoryName, Tag

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=400)
"""How long history is kept: a year and a month, so that a yearly review finds it."""


NEVER = datetime.fromtimestamp(0, UTC)
LAPSES_KEPT = timedelta(days=30)
"""How long after an exemption is over its images are remembered: sweeps may have failed meanwhile."""


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
                    "until": {"N": epoch(until)},
                    "expires_at": {"N": epoch(until + timedelta(days=1))},
                },
                ConditionExpression=(
                    "attribute_not_exists(pk) OR #until <= :now OR (holder = :me AND #state = :working)"
                ),
                ExpressionAttributeNames={"#until": "until", "#state": "state"},
                ExpressionAttributeValues={
                    ":now": {"N": epoch(now)},
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
        self._close(deed, owner, until=now + lasts, expires=now + lasts)

    def give_back(self, deed: str, *, owner: str, now: datetime) -> None:
        """Give up a claim, so that the next try need not wait until it lapses, whatever its clock says."""
        self._close(deed, owner, until=NEVER, expires=now)

    def _close(self, deed: str, owner: str, *, until: datetime, expires: datetime) -> None:
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"claim#{deed}"},
                "sk": {"S": "claim"},
                "state": {"S": "done"},
                "holder": {"S": owner},
                "until": {"N": epoch(until)},
                "expires_at": {"N": epoch(expires)},
            },
        )

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
                "sk": {"S": f"{_when(entry.at)}#{entry.kind}#{event}"},
                "kind": {"S": entry.kind},
                "text": {"S": entry.text},
                "details": {"M": {name: {"S": value} for name, value in entry.details.items()}},
                "expires_at": {"N": epoch(entry.at + KEPT)},
            },
        )

    def history(self, subject: str, *, since: datetime | None = None) -> tuple[Entry, ...]:
        """Everything known of an image or a repository, or what happened since then, oldest first."""
        items = items_under(self._client, self._table, f"history#{subject}", _when(since) if since else "")
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

    def stand_back(self, repository: RepositoryName, field: str, *, why: str, now: datetime, until: datetime) -> bool:
        """Stop enforcing one field of a repository for a while; False where that was so already."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"held#{repository}"},
                    "sk": {"S": field},
                    "text": {"S": why},
                    "until": {"N": epoch(until)},
                    "expires_at": {"N": epoch(until)},
                },
                ConditionExpression="attribute_not_exists(pk) OR #until <= :now",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":now": {"N": epoch(now)}},
            )
        except self._exceptions.ConditionalCheckFailedException:
            return False
        return True

    def held_back(self, repository: RepositoryName, *, now: datetime) -> dict[str, str]:
        """The fields of a repository that are not enforced for now, and why."""
        items = items_under(self._client, self._table, f"held#{repository}")
        return {item["sk"]["S"]: item["text"]["S"] for item in items if int(item["until"]["N"]) > now.timestamp()}

    def place_of_tag(self, repository: RepositoryName, tag: Tag) -> Digest | None:
        """The digest that the tag is known to have had; None where it was never seen."""
        key = {"pk": {"S": f"tag#{repository}:{tag}"}, "sk": {"S": "digest"}}
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return Digest(item["digest"]["S"]) if item else None

    def remember_tag(self, image: ImageId, tag: Tag) -> None:
        """Remember which digest the tag has. It does not expire: a tag may be moved after years."""
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"tag#{image.repository}:{tag}"},
                "sk": {"S": "digest"},
                "digest": {"S": image.digest},
            },
        )

    def forget_tag(self, image: ImageId, tag: Tag) -> None:
        """Forget that the image had the tag, if it did: whoever gets the tag next has not moved it."""
        if self.place_of_tag(image.repository, tag) == image.digest:
            key: dict[str, Any] = {"pk": {"S": f"tag#{image.repository}:{tag}"}, "sk": {"S": "digest"}}
            self._client.delete_item(TableName=self._table, Key=key)

    def adopt(self, index: ImageId, children: Iterable[Digest], *, now: datetime) -> None:
        """Remember which manifests an index lists: ECR can't be asked for the indexes that list a manifest."""
        for child in children:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"listed#{index.repository}@{child}"},
                    "sk": {"S": index.digest},
                    "expires_at": {"N": epoch(now + KEPT)},
                },
            )

    def indexes_of(self, image: ImageId) -> tuple[ImageId, ...]:
        """The indexes that are known to list the image."""
        items = items_under(self._client, self._table, f"listed#{image}")
        return tuple(ImageId(image.repository, Digest(item["sk"]["S"])) for item in items)

    def remember_lapse(self, image: ImageId, day: str) -> None:
        """Remember that an exemption counted for the image, whose last day (ISO 8601) this is."""
        last = datetime.fromisoformat(day).replace(tzinfo=UTC)
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"lapse#{day}"},
                "sk": {"S": str(image)},
                "expires_at": {"N": epoch(last + LAPSES_KEPT)},
            },
        )

    def remember_use(self, exemption: str, *, now: datetime) -> None:
        """Remember that an exemption, by its key, counted for something."""
        self._note(exemption, "used", now)

    def is_unused(self, exemption: str, *, now: datetime, since: datetime) -> bool:
        """Whether the exemption has been known since then, and never counted; asking makes it known."""
        items = {item["sk"]["S"]: item for item in items_under(self._client, self._table, f"exemption#{exemption}")}
        if "known" not in items:
            self._note(exemption, "known", now)
            return False
        return "used" not in items and int(items["known"]["at"]["N"]) <= since.timestamp()

    def _note(self, exemption: str, what: str, now: datetime) -> None:
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"exemption#{exemption}"},
                "sk": {"S": what},
                "at": {"N": epoch(now)},
                "expires_at": {"N": epoch(now + KEPT)},
            },
        )

    def lapsed(self, day: str) -> tuple[ImageId, ...]:
        """The images for which an exemption counted whose last day this was."""
        names = (item["sk"]["S"].rpartition("@") for item in items_under(self._client, self._table, f"lapse#{day}"))
        return tuple(ImageId(RepositoryName(repository), Digest(digest)) for repository, _, digest in names)

    def give_up_scanning(self, image: ImageId, *, why: str, now: datetime) -> None:
        """Remember that ECR refused to scan an image, for a reason that stays: no result will ever come."""
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": f"unscannable#{image}"},
                "sk": {"S": "reason"},
                "text": {"S": why},
                "expires_at": {"N": epoch(now + KEPT)},
            },
        )

    def why_unscanned(self, image: ImageId) -> str | None:
        """Why ECR refused to scan the image, or None where it did not."""
        key = {"pk": {"S": f"unscannable#{image}"}, "sk": {"S": "reason"}}
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return item["text"]["S"] if item else None


def items_under(client: "DynamoDBClient", table: str, key: str, start: str = "") -> list[Mapping[str, Any]]:
    """All items of a table under one key, read to the last page; those that sort before `start` are left out."""
    items: list[Mapping[str, Any]] = []
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :key AND sk >= :start" if start else "pk = :key",
        ExpressionAttributeValues={":key": {"S": key}, **({":start": {"S": start}} if start else {})},
        ConsistentRead=True,
    )
    for page in pages:
        items.extend(page["Items"])
    return items


def epoch(at: datetime) -> str:
    """A time as DynamoDB's expiry takes it: seconds since 1970."""
    return str(int(at.timestamp()))


def _when(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
