"""The images in quarantine, in the ledger's table: what was done to each, so that it can be undone to the byte."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from warden.held_images import Denial, Held, Moved, Released
from warden.known import Known, Verdict, unpacked
from warden.ledger import KEPT, epoch, items_under
from warden.names import Digest, ImageId, RepositoryName, Tag
from warden.policy import QuarantineBy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["Denial", "Held", "Moved", "Quarantines", "Released"]

GAP = 8
"""Bytes of the key of a platform that was not scanned (`Known.gaps`)."""


class Quarantines:
    """The images in quarantine. They do not expire: an image is held until it is released, or gone."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`client` is a DynamoDB client, `table` the ledger's table."""
        self._client = client
        self._table = table

    def holds(self, image: ImageId) -> bool:
        """Whether the image is in quarantine, or is to be put there."""
        return self.of(image) is not None

    def of(self, image: ImageId) -> Held | None:
        """What is known of the image's quarantine; None where it is in none."""
        item = self._get(f"quarantine#{image.repository}", image.digest)
        return _held(image.repository, item) if item else None

    def all_of(self, repository: RepositoryName) -> tuple[Held, ...]:
        """The images of a repository that are in quarantine, or are to be put there."""
        return tuple(
            _held(repository, item) for item in items_under(self._client, self._table, f"quarantine#{repository}")
        )

    def hold(self, held: Held) -> None:
        """Write down that the image is put in quarantine, before anything is done to it."""
        item: dict[str, Any] = {
            "pk": {"S": f"quarantine#{held.image.repository}"},
            "sk": {"S": held.image.digest},
            "how": {"S": held.how},
            "since": {"S": held.since.isoformat()},
            "by": {"S": held.by},
            "reason": {"S": held.reason},
            "moved": {"L": [{"L": [{"S": one.tag}, {"S": one.aside}]} for one in held.moved]},
            "waiting": {"BOOL": held.waiting},
            "gaps": {"B": b"".join(sorted(held.gaps))},
            "ending": {"S": held.ending},
        }
        self._client.put_item(TableName=self._table, Item=item)

    def release(self, image: ImageId) -> None:
        """Forget the image's quarantine, after everything was undone."""
        self._delete(f"quarantine#{image.repository}", image.digest)

    def denial(self, repository: RepositoryName) -> Denial | None:
        """What the warden did to the repository's policy; None where it did nothing, or has undone it."""
        item = self._get(f"denial#{repository}", "policy")
        if item is None:
            return None
        original = item["original"]["S"] if "original" in item else None
        return Denial(original, tuple(one["S"] for one in item["statements"]["L"]))

    def remember_denial(self, repository: RepositoryName, denial: Denial) -> None:
        """Write down what the policy was, and what is put into it, before that is done."""
        item: dict[str, Any] = {
            "pk": {"S": f"denial#{repository}"},
            "sk": {"S": "policy"},
            "statements": {"L": [{"S": one} for one in denial.statements]},
        }
        if denial.original is not None:
            item["original"] = {"S": denial.original}
        self._client.put_item(TableName=self._table, Item=item)

    def forget_denial(self, repository: RepositoryName) -> None:
        """Forget it, after the statement was taken out."""
        self._delete(f"denial#{repository}", "policy")

    def remember_release(self, image: ImageId, *, by: str, reason: str, known: Known | None, now: datetime) -> None:
        """Remember that a person has released the image, and what was known of it; as long as history is kept."""
        findings = known.packed()[0] if known else b""
        item: dict[str, Any] = {
            "pk": {"S": f"released#{image.repository}"},
            "sk": {"S": image.digest},
            "by": {"S": by},
            "reason": {"S": reason},
            "findings": {"B": findings},
            "expires_at": {"N": epoch(now + KEPT)},
        }
        self._client.put_item(TableName=self._table, Item=item)

    def released(self, image: ImageId) -> Released | None:
        """The person's release of the image that still counts, if there is one."""
        item = self._get(f"released#{image.repository}", image.digest)
        if item is None:
            return None
        known = unpacked("", Verdict.BLOCK, item["findings"]["B"], b"", 0, "")
        return Released(item["by"]["S"], item["reason"]["S"], known.findings)

    def forget_release(self, image: ImageId) -> None:
        """Forget that a person has released the image: another wants it in quarantine."""
        self._delete(f"released#{image.repository}", image.digest)

    def _get(self, pk: str, sk: str) -> Mapping[str, Any] | None:
        key: dict[str, Any] = {"pk": {"S": pk}, "sk": {"S": sk}}
        item: Mapping[str, Any] | None = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get(
            "Item"
        )
        return item

    def _delete(self, pk: str, sk: str) -> None:
        self._client.delete_item(TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": sk}})


def _held(repository: RepositoryName, item: Mapping[str, Any]) -> Held:
    moved = (tuple(Tag(one["S"]) for one in pair["L"]) for pair in item["moved"]["L"])
    return Held(
        ImageId(repository, Digest(item["sk"]["S"])),
        QuarantineBy(item["how"]["S"]),
        datetime.fromisoformat(item["since"]["S"]),
        item["by"]["S"],
        item["reason"]["S"],
        tuple(Moved(*pair) for pair in moved),
        item["waiting"]["BOOL"],
        frozenset(_parts(item["gaps"]["B"])),
        item["ending"]["S"],
    )


def _parts(gaps: bytes) -> Iterable[bytes]:
    return (gaps[start : start + GAP] for start in range(0, len(gaps), GAP))
