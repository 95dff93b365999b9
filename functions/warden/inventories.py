"""The inventories of sweeps, in the ledger's table: which parts are expected, which have come, what is in use by them.

A part's uses are written before the part itself, so that who finds the part finds its uses. Whatever is written twice
is written alike.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.batch_writes import write_all
from warden.inventory.asking import Unseen
from warden.ledger import epoch, items_under
from warden.names import RepositoryName
from warden.usage import Inventory, Use

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_FOR = timedelta(days=7)
FRESH = timedelta(hours=26)
"""How old an inventory may be: a day, and what a sweep takes."""
TOLD = 3
"""How many of those who use one image are named."""
_EXPECTED = "expected"
_PART = "part#"
_USE = "use#"
_UNSEEN = "unseen#"
_LATEST: Mapping[str, Any] = {"pk": {"S": "inventory"}, "sk": {"S": "latest"}}


class Inventories:
    """The inventories. A part is known by its key, and by what people call it."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`client` is a DynamoDB client, `table` the ledger's table."""
        self._client = client
        self._table = table
        self._exceptions = client.exceptions

    def expect(self, sweep: str, parts: Mapping[str, str], *, at: datetime, now: datetime) -> None:
        """Remember which parts a sweep's inventory has, by key and name; `at` is when it was begun."""
        item = {
            "at": {"S": at.isoformat()},
            "parts": {"M": {key: {"S": name} for key, name in parts.items()}},
        }
        self._put(sweep, _EXPECTED, item, now)

    def store(self, sweep: str, part: str, found: Iterable[Use | Unseen], *, now: datetime) -> int:
        """Write down what a part has found, then that it was read in full; how many images are in use by it.

        Raises Unavailable where DynamoDB does not take it all.
        """
        users: dict[tuple[RepositoryName, str], dict[str, None]] = {}
        unseen: dict[RepositoryName, str] = {}
        for one in found:
            if isinstance(one, Unseen):
                unseen[one.repository] = one.why
            else:
                users.setdefault((one.repository, one.reference), {})[one.by] = None
        uses = (
            (repository, f"{_USE}{part}#{reference}", {"reference": {"S": reference}, "users": {"S": _said(by)}})
            for (repository, reference), by in users.items()
        )
        gaps = ((repository, f"{_UNSEEN}{part}", {"why": {"S": why}}) for repository, why in unseen.items())
        self._write(sweep, [*uses, *gaps], now)
        self._put(sweep, f"{_PART}{part}", {}, now)
        return len(users)

    def give_up(self, sweep: str, part: str, *, why: str, now: datetime) -> None:
        """Write down that a part can't be read, and why: the inventory is not complete without it."""
        self._put(sweep, f"{_PART}{part}", {"why": {"S": why}}, now)

    def has_come(self, sweep: str, part: str) -> bool:
        """Whether the part was read already, or given up."""
        key = {"pk": {"S": _of(sweep)}, "sk": {"S": f"{_PART}{part}"}}
        return "Item" in self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)

    def is_complete(self, sweep: str) -> bool:
        """Whether all parts have come, those that were given up too; False where nobody knows of such an inventory."""
        items = self._parts(sweep)
        return _EXPECTED in items and not _outstanding(items)

    def conclude(self, sweep: str, *, at: datetime) -> None:
        """Make a sweep's inventory the latest, unless that of a later sweep is there already."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={**_LATEST, "sweep": {"S": sweep}, "at": {"N": epoch(at)}},
                ConditionExpression="attribute_not_exists(pk) OR #at <= :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":at": {"N": epoch(at)}},
            )
        except self._exceptions.ConditionalCheckFailedException:
            return

    def latest(self) -> str | None:
        """The last sweep to whose inventory all parts have come, those that were given up too."""
        item = self._client.get_item(TableName=self._table, Key=_LATEST, ConsistentRead=True).get("Item")
        return item["sweep"]["S"] if item else None

    def of(self, sweep: str, repository: RepositoryName) -> Inventory | None:
        """What a sweep has found in use in one repository; None where there is no such inventory, or no more.

        A part that has not come is missing as one that was given up is.
        """
        items = self._parts(sweep)
        if _EXPECTED not in items:
            return None
        names = items[_EXPECTED]["parts"]["M"]
        missing = [f"{names[key]['S']} has not answered yet" for key in _outstanding(items)]
        missing += [
            f"{name['S']}: {items[_PART + key]['why']['S']}"
            for key, name in names.items()
            if "why" in items.get(_PART + key, {})
        ]
        uses: list[Use] = []
        for item in items_under(self._client, self._table, _of(sweep, repository)):
            if "why" in item:
                missing.append(item["why"]["S"])
            else:
                uses.append(Use(repository, item["reference"]["S"], item["users"]["S"]))
        return Inventory(datetime.fromisoformat(items[_EXPECTED]["at"]["S"]), tuple(uses), tuple(missing))

    def fresh(self, repository: RepositoryName, *, sweep: str = "", now: datetime) -> Inventory:
        """What is in use by that sweep's inventory, or the last one's; what is old or was never taken is not known."""
        sweep = sweep or self.latest() or ""
        found = self.of(sweep, repository) if sweep else None
        if found is None:
            return Inventory(now, missing=("no inventory was taken yet: it is, with the next sweep",))
        if now - found.taken_at > FRESH:
            old = f"the last inventory is of {found.taken_at:%d %b %H:%M} UTC"
            return replace(found, missing=(*found.missing, old))
        return found

    def _parts(self, sweep: str) -> dict[str, Mapping[str, Any]]:
        return {item["sk"]["S"]: item for item in items_under(self._client, self._table, _of(sweep))}

    def _put(self, sweep: str, name: str, item: Mapping[str, Any], now: datetime) -> None:
        key = {"pk": {"S": _of(sweep)}, "sk": {"S": name}}
        expires = {"expires_at": {"N": epoch(now + KEPT_FOR)}}
        self._client.put_item(TableName=self._table, Item={**key, **item, **expires})

    def _write(self, sweep: str, items: Iterable[tuple[RepositoryName, str, Mapping[str, Any]]], now: datetime) -> None:
        expires = {"expires_at": {"N": epoch(now + KEPT_FOR)}}
        rest = (
            {"pk": {"S": _of(sweep, repository)}, "sk": {"S": name}, **item, **expires}
            for repository, name, item in items
        )
        write_all(self._client, self._table, ({"PutRequest": {"Item": item}} for item in rest))


def _outstanding(items: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The expected parts that have not come."""
    return [key for key in items[_EXPECTED]["parts"]["M"] if _PART + key not in items]


def _of(sweep: str, repository: str = "") -> str:
    return f"inventory#{sweep}#{repository}" if repository else f"inventory#{sweep}"


def _said(by: Mapping[str, None]) -> str:
    """Many tasks use one image: the first few are named, the others counted."""
    named = list(by)
    more = f" and {len(named) - TOLD} more" if len(named) > TOLD else ""
    return ", ".join(named[:TOLD]) + more
