"""What the ledger knows of pruning: what is about to leave and by which rule, marks, leases' last use, what was said.

All in the ledger's table, under keys of their own; times come in, and what has outlived its use expires by itself.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.batch_writes import write_all
from warden.ledger import KEPT, epoch, items_under
from warden.lifecycle.rules import RuleAction
from warden.names import Digest, RepositoryName, Tag
from warden.prune_reports import packed, unpacked
from warden.pruning import Leaving

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MANIFESTS_KEPT = timedelta(days=90)
"""How long the manifest of a deleted image is kept: as long as its layers may still be there by way of others."""
LARGEST_MANIFEST = 300_000
"""Bytes, compressed: DynamoDB takes items of 400 KB."""
REPORTS_KEPT = timedelta(days=7)
UNKNOWN_LABELS_KEPT = timedelta(days=7)
"""How long it is not asked again for labels that could not be read."""
LONGEST_KEY = 256
"""Characters of a label's name: no policy asks for a longer one, and an item holds 400 KB."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An image that was seen to be about to leave: what it was, and by which rule of the standard."""

    digest: Digest
    action: RuleAction
    rule: str
    origin: str
    by_ecr: bool
    tags: tuple[Tag, ...]
    size: int
    recorded: bool = False
    """Whether its history says already that it has left."""


class Prunings:
    """Pruning's part of the table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`client` is a DynamoDB client, `table` the ledger's table."""
        self._client = client
        self._table = table

    def expect(self, repository: RepositoryName, leaving: Iterable[Leaving], *, now: datetime) -> None:
        """Remember what is about to leave, before it can."""
        self._write_all(
            {
                "pk": {"S": f"leaving#{repository}"},
                "sk": {"S": one.image.digest},
                "action": {"S": one.action},
                "rule": {"S": one.rule},
                "origin": {"S": one.origin},
                "by_ecr": {"BOOL": one.by_ecr},
                "tags": {"L": [{"S": tag} for tag in one.image.tags[:100]]},
                "size": {"N": str(0 if one.image.is_index else one.image.size)},  # its parts weigh, not the index
                "expires_at": {"N": epoch(now + KEPT)},
            }
            for one in leaving
        )

    def expected(self, repository: RepositoryName) -> dict[Digest, Expected]:
        """What was about to leave, by digest."""
        items = map(_expected, items_under(self._client, self._table, f"leaving#{repository}"))
        return {one.digest: one for one in items}

    def expected_of(self, repository: RepositoryName, digest: Digest) -> Expected | None:
        """Whether this image was about to leave."""
        key: dict[str, Any] = {"pk": {"S": f"leaving#{repository}"}, "sk": {"S": digest}}
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return _expected(item) if item else None

    def note_recorded(self, repository: RepositoryName, digest: Digest) -> None:
        """Remember that the image's history says that it has left."""
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"leaving#{repository}"}, "sk": {"S": digest}},
            UpdateExpression="SET recorded = :yes",
            ExpressionAttributeValues={":yes": {"BOOL": True}},
        )

    def forget(self, repository: RepositoryName, digests: Iterable[Digest]) -> None:
        """Forget what has left, or stays after all."""
        self._delete_all(f"leaving#{repository}", digests)

    def used(self, repository: RepositoryName, digests: Iterable[Digest], *, now: datetime) -> None:
        """Remember that images with a lease are in use now."""
        self._put_dates("used", repository, digests, now, until=now + KEPT)

    def last_used(self, repository: RepositoryName) -> dict[Digest, datetime]:
        """When images with a lease were last seen in use."""
        return self._dates("used", repository)

    def mark(self, repository: RepositoryName, digests: Iterable[Digest], *, now: datetime) -> None:
        """Mark images that are to be deleted after a while."""
        self._put_dates("mark", repository, digests, now, until=now + KEPT)

    def marks(self, repository: RepositoryName) -> dict[Digest, datetime]:
        """Since when images are marked."""
        return self._dates("mark", repository)

    def unmark(self, repository: RepositoryName, digests: Iterable[Digest]) -> None:
        """Take marks back."""
        self._delete_all(f"mark#{repository}", digests)

    def put_back(self, repository: RepositoryName, digest: Digest, *, by: str, until: datetime) -> None:
        """Keep an image that a person has put back, until then."""
        item: dict[str, Any] = {
            "pk": {"S": f"back#{repository}"},
            "sk": {"S": digest},
            "by": {"S": by},
            "until": {"N": epoch(until)},
            "expires_at": {"N": epoch(until)},
        }
        self._client.put_item(TableName=self._table, Item=item)

    def give_up(self, repository: RepositoryName, digest: Digest) -> None:
        """Keep the image no longer: it could not be put back."""
        self._delete_all(f"back#{repository}", [digest])

    def kept_back(self, repository: RepositoryName, *, now: datetime) -> dict[Digest, str]:
        """The images that persons have put back, each with who it was and until when it stays."""
        found: dict[Digest, str] = {}
        for item in items_under(self._client, self._table, f"back#{repository}"):
            until = datetime.fromtimestamp(int(item["until"]["N"]), UTC)
            if until > now:
                found[Digest(item["sk"]["S"])] = f"put back by {item['by']['S']} until {until:%d %b %Y}"
        return found

    def remember_policies(self, repository: RepositoryName, texts: Iterable[str]) -> None:
        """Remember the lifecycle policy that the warden is about to put, and one of its own that stands until then.

        What stands later is ours if it says one of these: the put may fail, or never be done.
        """
        policies = {"L": [{"S": text} for text in texts]}
        item: dict[str, Any] = {"pk": {"S": f"policy#{repository}"}, "sk": {"S": "ours"}, "policies": policies}
        self._client.put_item(TableName=self._table, Item=item)

    def our_policies(self, repository: RepositoryName) -> tuple[str, ...]:
        """The lifecycle policy that the warden put last, and the one before, if that may still stand."""
        key: dict[str, Any] = {"pk": {"S": f"policy#{repository}"}, "sk": {"S": "ours"}}
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return tuple(text["S"] for text in item["policies"]["L"]) if item else ()

    def keep_manifest(
        self, repository: RepositoryName, digest: Digest, text: str, tags: Iterable[str], *, now: datetime
    ) -> None:
        """Keep the manifest of an image that is about to be deleted; one that is too large for an item is not kept."""
        packed = zlib.compress(text.encode())
        if len(packed) > LARGEST_MANIFEST:
            return
        item: dict[str, Any] = {
            "pk": {"S": f"manifest#{repository}@{digest}"},
            "sk": {"S": "manifest"},
            "manifest": {"B": packed},
            "tags": {"L": [{"S": tag} for tag in tags]},
            "expires_at": {"N": epoch(now + MANIFESTS_KEPT)},
        }
        self._client.put_item(TableName=self._table, Item=item)

    def manifest(self, repository: RepositoryName, digest: Digest) -> tuple[str, tuple[str, ...]] | None:
        """The manifest of a deleted image and the tags that it had, as long as they are kept."""
        key: dict[str, Any] = {"pk": {"S": f"manifest#{repository}@{digest}"}, "sk": {"S": "manifest"}}
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if item is None:
            return None
        return zlib.decompress(item["manifest"]["B"]).decode(), tuple(tag["S"] for tag in item["tags"]["L"])

    def remember_labels(
        self, repository: RepositoryName, digest: Digest, labels: Mapping[str, str] | None, *, now: datetime
    ) -> None:
        """Remember the labels of an image, which never change; None where they can't be known, for a while."""
        short = None if labels is None else {key: text for key, text in labels.items() if len(key) <= LONGEST_KEY}
        item: dict[str, Any] = {
            "pk": {"S": f"labels#{repository}"},
            "sk": {"S": digest},
            "labels": {"S": json.dumps(short, separators=(",", ":"))},
            "expires_at": {"N": epoch(now + (UNKNOWN_LABELS_KEPT if labels is None else KEPT))},
        }
        self._client.put_item(TableName=self._table, Item=item)

    def labels(self, repository: RepositoryName, *, now: datetime) -> dict[Digest, dict[str, str] | None]:
        """The labels of the images that were asked for theirs."""
        items = items_under(self._client, self._table, f"labels#{repository}")
        return {
            Digest(item["sk"]["S"]): json.loads(item["labels"]["S"])
            for item in items
            if int(item["expires_at"]["N"]) > int(epoch(now))
        }

    def save_report(self, sweep: str, repository: RepositoryName, report: Mapping[str, Any], *, now: datetime) -> None:
        """Keep what came of one repository for the sweep's summary."""
        item: dict[str, Any] = {
            "pk": {"S": f"pruned#{sweep}"},
            "sk": {"S": repository},
            "report": {"B": packed(report)},
            "expires_at": {"N": epoch(now + REPORTS_KEPT)},
        }
        self._client.put_item(TableName=self._table, Item=item)

    def reports(self, sweep: str) -> list[dict[str, Any]]:
        """What came of the repositories of a sweep, as far as it has come."""
        items = items_under(self._client, self._table, f"pruned#{sweep}")
        return [unpacked(item["report"]["B"]) for item in items]

    def _put_dates(
        self, kind: str, repository: RepositoryName, digests: Iterable[Digest], at: datetime, *, until: datetime
    ) -> None:
        self._write_all(
            {
                "pk": {"S": f"{kind}#{repository}"},
                "sk": {"S": digest},
                "at": {"N": epoch(at)},
                "expires_at": {"N": epoch(until)},
            }
            for digest in digests
        )

    def _dates(self, kind: str, repository: RepositoryName) -> dict[Digest, datetime]:
        items = items_under(self._client, self._table, f"{kind}#{repository}")
        return {Digest(item["sk"]["S"]): datetime.fromtimestamp(int(item["at"]["N"]), UTC) for item in items}

    def _delete_all(self, key: str, digests: Iterable[Digest]) -> None:
        keys = ({"pk": {"S": key}, "sk": {"S": digest}} for digest in digests)
        write_all(self._client, self._table, ({"DeleteRequest": {"Key": key}} for key in keys))

    def _write_all(self, items: Iterable[Mapping[str, Any]]) -> None:
        write_all(self._client, self._table, ({"PutRequest": {"Item": item}} for item in items))


def _expected(item: Mapping[str, Any]) -> Expected:
    return Expected(
        digest=Digest(item["sk"]["S"]),
        action=RuleAction(item["action"]["S"]),
        rule=item["rule"]["S"],
        origin=item["origin"]["S"],
        by_ecr=item["by_ecr"]["BOOL"],
        tags=tuple(Tag(tag["S"]) for tag in item["tags"]["L"]),
        size=int(item["size"]["N"]),
        recorded=item.get("recorded", {}).get("BOOL", False),
    )
