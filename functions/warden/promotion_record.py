"""What is written down and told of a promotion, at each of its stages; the same message writes each line once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from warden import promotion_notice
from warden.blobs import Layer
from warden.events import Home
from warden.ledger import KEPT, Entry, Ledger
from warden.notices import Notice, notice_id, to_json
from warden.once import once
from warden.promotion import ARRIVED, KIND, Case, Plan, Result, Stop
from warden.promotion_events import PromotionDue
from warden.promotion_notice import Moved, Told
from warden.queues import Message, Queue
from warden.text import clean

SAME_NEWS = timedelta(days=30)
"""How long the same refusal is not repeated."""
LONGEST = 500


@dataclass(frozen=True, slots=True)
class PromotionRecord:
    """Where it is written down and told."""

    home: Home
    ledger: Ledger
    notices: Queue

    def stopped(self, due: PromotionDue, stop: Stop) -> None:
        """A verdict that comes to nothing is no news; whoever asked waits for an answer."""
        if due.by:
            self._write(due, None, Result.REFUSED, f"not promoted: {stop.why}")

    def nothing_to_do(self, due: PromotionDue, plan: Plan) -> None:
        """All of it was there before."""
        if due.by:
            self._write(due, plan, Result.NOTHING, f"it is in {plan.target.shown(self.home)} already")

    def reported(self, due: PromotionDue, plan: Plan, message: Message) -> bool:
        """What would be done is told once for the image and these tags; whether it is told now."""
        text = f"would be promoted to {plan.target.shown(self.home)}: the policy is in report mode"

        def tell() -> bool:
            self._write(due, plan, Result.REPORTED, text)
            self._send(promotion_notice.would_be(plan, _told(due), self.home), plan.channels)
            return True

        deed = f"promotion-report#{notice_id(str(plan.image), str(plan.target), *map(str, plan.tags))}"
        told = once(self.ledger, deed, tell, owner=message.id, now=message.now, lasts=KEPT)
        if due.by:
            self._write(due, plan, Result.REPORTED, text)
        return bool(told)

    def refused(self, case: Case, plan: Plan | None, why: str, message: Message) -> None:
        """The same reason is told once a month, and written down; also for whoever asked, or if begun."""
        due, channels = case.due, case.standard.channels if case.standard else ()
        text = f"not promoted: {clean(why, LONGEST)}"

        def tell() -> None:
            self._write(due, plan, Result.REFUSED, text)
            self._send(promotion_notice.refused(due.image, plan, why, _told(due), self.home), channels)

        deed = f"promotion-refused#{due.image}#{notice_id(why)}"
        once(self.ledger, deed, tell, owner=message.id, now=message.now, lasts=SAME_NEWS)
        if due.by or self.beginning(due):
            self._write(due, plan, Result.REFUSED, text)

    def beginning(self, due: PromotionDue) -> Entry | None:
        """The line that says that this very message has begun it, in this invocation or in an earlier one."""
        history = self.ledger.history(str(due.image), since=due.at)
        return next((entry for entry in history if _is_beginning(entry, due)), None)

    def begun(self, due: PromotionDue, plan: Plan, layers: tuple[Layer, ...]) -> Entry:
        """Before anything is done."""
        count = f"{len(layers)} layer{'' if len(layers) == 1 else 's'}"
        text = f"promotion to {plan.target.shown(self.home)} begun: {count} to be sent"
        sizes = {"layers": str(len(layers)), "bytes": str(sum(layer.size for layer in layers))}
        return self._write(due, plan, Result.BEGUN, text, sizes)

    def done(self, due: PromotionDue, plan: Plan, moved: Moved, message: Message) -> None:
        """It is done: on both images, where both are of this registry."""
        tags = clean(", ".join(plan.tags_there), LONGEST)
        text = f"promoted to {plan.target.shown(self.home)} as {tags}: {moved}"
        sizes = {"bytes": str(moved.bytes), "layers": str(moved.layers), "mounted": str(moved.mounted)}
        self._write(due, plan, Result.DONE, text, sizes)
        if plan.target.is_at(self.home):
            details = {"event": due.id, "source": str(due.image), "rule": plan.rule, **_asked(due)}
            arrived = f"promoted from {due.image.repository} as {tags}"
            self.ledger.record(Entry(str(plan.at_target), due.at, ARRIVED, arrived, details), event=due.id)
        notice = promotion_notice.promoted(plan, moved, _told(due), self.home)
        once(
            self.ledger,
            f"promoted#{due.image}#{due.id}",
            lambda: self._send(notice, plan.channels),
            owner=message.id,
            now=message.now,
            lasts=SAME_NEWS,
        )

    def _write(
        self, due: PromotionDue, plan: Plan | None, result: Result, text: str, more: Mapping[str, str] | None = None
    ) -> Entry:
        """One line when it is begun, and one when it is over."""
        details = {"event": due.id, "result": str(result), **_asked(due), **(more or {})}
        if plan is not None:
            details |= {"rule": plan.rule, "target": plan.target.shown(self.home), "tags": " ".join(plan.tags_there)}
        entry = Entry(str(due.image), due.at, KIND, text, details)
        stage = "begun" if result is Result.BEGUN else "ended"
        self.ledger.record(entry, event=f"{due.id} {stage}")
        return entry

    def _send(self, notice: Notice, channels: Iterable[str]) -> None:
        self.notices.send_all(to_json(notice, channel=channel) for channel in channels)


def _asked(due: PromotionDue) -> dict[str, str]:
    return {name: value for name, value in (("by", due.by), ("reason", due.reason)) if value}


def _told(due: PromotionDue) -> Told:
    return Told(due.id, due.at, due.by, due.reason)


def _is_beginning(entry: Entry, due: PromotionDue) -> bool:
    return entry.kind == KIND and (entry.details.get("event"), entry.details.get("result")) == (due.id, Result.BEGUN)
