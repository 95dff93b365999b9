"""What reaches the promote function: it is asked to look at an image, by a verdict or by a person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warden import messages
from warden.event_fields import read_event, read_image, read_mapping, read_text, read_time
from warden.events import OURS, Home, NotForUs, elsewhere
from warden.names import ImageId

KIND = "Promotion"


@dataclass(frozen=True, slots=True)
class PromotionDue:
    """An image may go to its release repository. `by` is the person who asks for it, and `reason` what they say.

    Where nobody asks, the verdict has led to it. `anyway` says that the person wants it though the verdict is not
    `pass`. `idle` counts how many invocations in a row have come to their end without anything having been sent.
    """

    id: str
    at: datetime
    image: ImageId
    by: str = ""
    reason: str = ""
    anyway: bool = False
    idle: int = 0


def promotion_due(due: PromotionDue, home: Home) -> str:
    """Ask promote to look at an image."""
    detail: dict[str, Any] = {
        "repository-name": due.image.repository,
        "image-digest": due.image.digest,
        "by": due.by,
        "reason": due.reason,
        "anyway": due.anyway,
        "idle": due.idle,
    }
    return messages.request(
        KIND, {name: value for name, value in detail.items() if value}, id=due.id, at=due.at, home=home
    )


def promotion(body: str, home: Home) -> PromotionDue | NotForUs:
    """Parse what reaches the queue. Raises Invalid."""
    event = read_event(body)
    if event.get("source") != OURS or event.get("detail-type") != KIND:
        return NotForUs(f"{event.get('source')} {event.get('detail-type')}")
    if stranger := elsewhere(event, home):
        return stranger
    detail = read_mapping(event, "detail")
    by = read_text(detail, "by") if detail.get("by") else ""
    return PromotionDue(
        read_text(event, "id"),
        read_time(event),
        read_image(detail),
        by,
        read_text(detail, "reason") if by else "",
        anyway=bool(by) and detail.get("anyway") is True,
        idle=_count(detail.get("idle")),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
