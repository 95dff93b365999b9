"""What came of looking at an image for quarantine: written in its history, and told in its repository's channels."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from warden.events import Home
from warden.held_images import Held
from warden.ledger import KEPT, Entry, Ledger
from warden.notices import Notice, to_json
from warden.once import once
from warden.quarantine_events import Order, QuarantineDue
from warden.quarantine_notice import News
from warden.quarantine_planning import Case, movable
from warden.queues import Message, Queue

KIND = "quarantine"
"""What the ledger calls these entries."""
SAME_TROUBLE = timedelta(days=30)
"""How long it is not repeated why an image is not in quarantine, or stays there."""
MOST_TAGS = 50
"""Of an image's in a line of its history: ECR allows a thousand."""
_ALIKE = ("it is not known whether it is in use", "it is in use", "it has a lease")
"""How reasons begin whose particulars change from day to day: they are the same news."""


class Result(StrEnum):
    """What came of it; one that is begun is over with the same line."""

    BEGUN = "begun"
    DONE = "done"
    WOULD = "would be done"
    REFUSED = "refused"
    NOTHING = "nothing to do"


class What(StrEnum):
    """What it is about."""

    QUARANTINE = "quarantine"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class QuarantineRecords:
    """Where it is written and told."""

    home: Home
    ledger: Ledger
    notices: Queue

    def result(self, due: QuarantineDue) -> str:
        """The result that the history has of this very message; empty where it has none."""
        history = self.ledger.history(str(due.image), since=due.at)
        return next((one.details["result"] for one in history if _is_of(one, due)), "")

    def write(self, case: Case, what: What, result: Result, text: str, held: Held | None = None) -> None:
        """The line of a message is one: what is begun becomes what came of it."""
        due = case.due
        moved = held.moved[:MOST_TAGS] if held else ()
        details = {
            "event": due.id,
            "result": str(result),
            "what": str(what),
            "rule": case.standard.origins["quarantine.by"],
            "by": due.by or (held.by if held else ""),
            "reason": due.reason or (held.reason if held else ""),
            "tags": ", ".join(f"{one.tag} ({one.aside})" for one in moved),
        }
        entry = Entry(str(due.image), due.at, KIND, text, {name: one for name, one in details.items() if one})
        self.ledger.record(entry, event=due.id)

    def tell(self, case: Case, notice: Notice) -> None:
        """Tell it in the repository's channels."""
        self.notices.send_all(to_json(notice, channel=channel) for channel in case.standard.channels)

    def say(
        self, case: Case, message: Message, what: str, why: str, tell: Callable[[], None], *, for_good: bool = False
    ) -> None:
        """Tell it, unless that was done lately; what a person asked for is always told."""
        if case.due.order is not Order.SETTLE:
            tell()
            return
        kind = next((one for one in _ALIKE if why.startswith(one)), why)
        once(
            self.ledger,
            f"quarantine-said#{case.due.image}#{what}#{kind}",
            tell,
            owner=message.id,
            now=message.now,
            lasts=KEPT if for_good else SAME_TROUBLE,
        )


def news_of(case: Case, why: str, held: Held | None, remark: str = "") -> News:
    """What there is to tell of the image; its tags are those that it has when it is in no quarantine."""
    moved = held.moved if held else ()
    tags = movable(case.image.tags) if case.image else ()
    news = News(
        case.due.image,
        f"{case.due.id} {case.due.at.isoformat()}",
        case.due.at,
        held.how if held else case.how,
        tuple(sorted({*tags, *(one.tag for one in moved)})),
        why,
        case.standard.origins["quarantine.by"],
        f"{held.by}: {held.reason}" if held and held.by else "",
        moved,
        remark=remark,
    )
    return replace(news, by=f"{case.due.by}: {case.due.reason}") if case.due.by else news


def _is_of(entry: Entry, due: QuarantineDue) -> bool:
    return entry.kind == KIND and entry.details["event"] == due.id
