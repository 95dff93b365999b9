"""What reaches the inventory function: a sweep's wish, and the parts that it asks of itself."""

from dataclasses import dataclass
from datetime import datetime

from warden import messages
from warden.event_fields import read_event, read_mapping, read_text, read_time
from warden.events import OURS, Home, NotForUs, elsewhere
from warden.inventory.places import Part, read_part


@dataclass(frozen=True, slots=True)
class InventoryDue:
    """A sweep wants to know what is in use; `at` is when it began."""

    sweep: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PartDue:
    """One part of a sweep's inventory is to be read."""

    sweep: str
    at: datetime
    part: Part


def inventory_due(sweep: str, *, at: datetime, home: Home) -> str:
    """Ask inventory to find what is in use, and then prune to look at every repository."""
    return messages.request("Inventory Due", {"sweep": sweep}, id=f"inventory {sweep}", at=at, home=home)


def part_due(sweep: str, part: Part, *, at: datetime, home: Home) -> str:
    """Ask inventory to read one part."""
    detail = {"sweep": sweep, "part": part.key}
    return messages.request("Inventory Part", detail, id=f"inventory {sweep} {part.key}", at=at, home=home)


def inventory(body: str, home: Home) -> InventoryDue | PartDue | NotForUs:
    """Parse what reaches the queue; no rule writes to it. Raises Invalid."""
    event = read_event(body)
    if event.get("source") != OURS:
        return NotForUs(f"source {event.get('source')!r}")
    if stranger := elsewhere(event, home):
        return stranger
    match event.get("detail-type"):
        case "Inventory Due":
            return InventoryDue(read_text(read_mapping(event, "detail"), "sweep"), read_time(event))
        case "Inventory Part":
            detail = read_mapping(event, "detail")
            return PartDue(read_text(detail, "sweep"), read_time(event), read_part(read_text(detail, "part")))
    return NotForUs(f"detail-type {event.get('detail-type')!r}")
