"""What reaches the quarantine function: it is asked to look at an image after a verdict, or ordered by a person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from warden import messages
from warden.errors import Invalid
from warden.event_fields import read_event, read_image, read_mapping, read_text, read_time
from warden.events import OURS, Home, NotForUs, elsewhere
from warden.names import ImageId

KIND = "Quarantine"


class Order(StrEnum):
    """What is to be done: what the image's last verdict and its standard say, or what a person says."""

    SETTLE = "settle"
    QUARANTINE = "quarantine"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class QuarantineDue:
    """An image is to be looked at. `by` is the person who gives an order, and `reason` what they say."""

    id: str
    at: datetime
    image: ImageId
    order: Order = Order.SETTLE
    by: str = ""
    reason: str = ""


def quarantine_due(due: QuarantineDue, home: Home) -> str:
    """Ask quarantine to look at an image."""
    detail: dict[str, Any] = {
        "repository-name": due.image.repository,
        "image-digest": due.image.digest,
        "order": str(due.order),
        "by": due.by,
        "reason": due.reason,
    }
    return messages.request(
        KIND, {name: value for name, value in detail.items() if value}, id=due.id, at=due.at, home=home
    )


def quarantine(body: str, home: Home) -> QuarantineDue | NotForUs:
    """Parse what reaches the queue. Raises Invalid."""
    event = read_event(body)
    if event.get("source") != OURS or event.get("detail-type") != KIND:
        return NotForUs(f"{event.get('source')} {event.get('detail-type')}")
    if stranger := elsewhere(event, home):
        return stranger
    detail = read_mapping(event, "detail")
    word = read_text(detail, "order")
    if word not in set(Order):
        raise Invalid(f"detail.order: expected one of {', '.join(Order)}, got {word[:40]!r}")
    order = Order(word)
    if order is Order.SETTLE:
        return QuarantineDue(read_text(event, "id"), read_time(event), read_image(detail))
    by, reason = read_text(detail, "by"), read_text(detail, "reason")
    return QuarantineDue(read_text(event, "id"), read_time(event), read_image(detail), order, by, reason)
