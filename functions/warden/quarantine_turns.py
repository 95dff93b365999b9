"""One image's turn: what was decided is said, or done: written down before and after, so that it may be broken off.

A release forgets the image last of all. Until then the ledger knows by which message it is ending, so that the same
message ends it, and no older one ends a quarantine that was begun meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from warden import quarantine_notice
from warden.errors import Refused
from warden.held_images import Held, Moved
from warden.inventories import Inventories
from warden.known import Verdict
from warden.ledger import Ledger
from warden.lifecycle.shields import LEASED, is_lease, lease_of
from warden.names import Tag
from warden.policy import Mode, QuarantineBy
from warden.promotion_events import PromotionDue, promotion_due
from warden.quarantine_enforcement import Putting, QuarantineEnforcement, held_by
from warden.quarantine_events import Order, QuarantineDue
from warden.quarantine_planning import Case, Decision, Step, why_in_use
from warden.quarantine_records import QuarantineRecords, Result, What, news_of
from warden.quarantines import Quarantines
from warden.queues import Message, Queue
from warden.repository_images import RepositoryImages
from warden.stored_images import StoredImage

A_MINUTE = 60
"""Seconds: by then the release is over."""


class Turned(NamedTuple):
    """What came of it, by a name to count it by, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class QuarantineTurns:
    """What it takes."""

    images: RepositoryImages
    inventories: Inventories
    quarantines: Quarantines
    enforcement: QuarantineEnforcement
    records: QuarantineRecords
    ledger: Ledger
    promoting: Queue

    def take(self, case: Case, decision: Decision, message: Message, *, state: str | None) -> Turned:
        """Do what was decided, or say it; `state` is what the repository's own tag says of it."""
        turn = _Turn(self, case, decision, message, state)
        try:
            return turn.take()
        except Refused as refusal:
            return turn.refuse(str(refusal))

    def finish(self, due: QuarantineDue) -> None:
        """An earlier try of this message has released the image, told it, and died before it could forget it."""
        held = self.quarantines.of(due.image)
        if held is not None and held.ending == due.id:
            self.quarantines.release(due.image)


@dataclass(frozen=True, slots=True)
class _Turn:
    given: QuarantineTurns
    case: Case
    decision: Decision
    message: Message
    state: str | None

    def take(self) -> Turned:
        match self.decision.step:
            case Step.NOTHING:
                return self._nothing(self.decision.why)
            case Step.FORGET:
                self.given.quarantines.release(self.case.due.image)
                return self._nothing(self.decision.why)
            case Step.REFUSE:
                return self.refuse(self.decision.why)
            case Step.RELEASE:
                return self._release()
            case Step.QUARANTINE:
                return self._quarantine()

    @property
    def _enforces(self) -> bool:
        return self.case.standard.quarantine.mode is Mode.ENFORCE

    def _nothing(self, why: str) -> Turned:
        """A person is told what came of their order; that a verdict led to nothing is no history."""
        if self.case.due.order is not Order.SETTLE:
            release = self.case.due.order is Order.RELEASE
            if release:
                self._note_release()
            self._write(What.RELEASE if release else What.QUARANTINE, Result.NOTHING, why)
        return Turned("NothingToDo", why)

    def _quarantine(self) -> Turned:
        case, how = self.case, self.case.how
        if how is None:
            return self._nothing("the policy does not say how")
        putting = self.given.enforcement.plan(case, how)
        if not putting.asks and not case.begun and case.is_settled_by(how):
            return self._stays()
        is_over = case.begun and not putting.asks  # by an earlier try of this message
        if not (is_over or case.standard.quarantine.in_use) and (why := self._why_in_use()):
            return self.refuse(why)
        if not self._enforces:
            return self._would(What.QUARANTINE, putting.moves)
        return self._put(putting)

    def _put(self, putting: Putting) -> Turned:
        case, why, given = self.case, self.decision.why, self.given
        held = held_by(case, putting, self._holding(putting.how))
        self._write(What.QUARANTINE, Result.BEGUN, f"being put in quarantine: {why}", held)
        given.quarantines.hold(held)
        if case.due.order is Order.QUARANTINE:
            given.quarantines.forget_release(case.due.image)
        try:
            given.enforcement.put(held, putting)
        except Refused:
            self._back_out(putting.how)
            raise
        remark = " ".join(filter(None, (putting.remark, given.enforcement.mark(case.standard.repository, self.state))))
        again = putting.again or (case.is_held and bool(putting.moves) and not case.begun)
        news = news_of(case, why, held, remark)
        given.records.tell(case, quarantine_notice.quarantined(news, given.enforcement.home, again=again))
        self._write(What.QUARANTINE, Result.DONE, f"put in quarantine: {why}", held)
        return Turned("Quarantined", why)

    def _back_out(self, how: QuarantineBy) -> None:
        """What ECR refused at once is as it was before; a tag that was moved already can be released."""
        if how is not QuarantineBy.PULL:
            return
        if self.case.held is None:
            self.given.quarantines.release(self.case.due.image)
        else:
            self.given.quarantines.hold(self.case.held)

    def _stays(self) -> Turned:
        """Nothing is to be done; the repository's tag may have been taken by somebody."""
        case, decision = self.case, self.decision
        if case.held is None:
            return self._nothing("it has no tag that could be moved aside")
        if self._enforces:
            self.given.enforcement.mark(case.standard.repository, self.state)
        if decision.remark and case.due.order is Order.SETTLE:
            news = news_of(case, decision.why, case.held, decision.remark)
            notice = quarantine_notice.stays(news, self.given.enforcement.home)
            self._say("stays", decision.remark, lambda: self.given.records.tell(case, notice))
        return self._nothing("it is in quarantine already")

    def _holding(self, how: QuarantineBy) -> Held:
        """What the ledger is to hold: a person's order stays one, whatever verdicts say later."""
        held, due = self.case.held, self.case.due
        gaps = self.case.known.gaps if self.case.known else frozenset[bytes]()
        if due.order is Order.QUARANTINE:
            return Held(due.image, how, self.message.now, due.by, due.reason, gaps=gaps)
        if held is not None and not held.waiting:
            return replace(held, gaps=gaps if self.case.blocks else held.gaps, ending="")
        return Held(due.image, how, self.message.now, "", self.decision.why, gaps=gaps)

    def _why_in_use(self) -> str:
        image, repository = self.case.image, self.case.standard.repository
        described = self.given.images.describe(repository, now=self.message.now)
        if image is None or described is None:
            return "the image is gone"
        if described.unread:
            return "it is not known whether it is in use: there are indexes that could not be read"
        whole = next((one for one in described.images if one.digest == image.digest), image)
        inventory = self.given.inventories.fresh(repository, now=self.message.now)
        leased = frozenset(one.digest for one in described.images if self._is_leased(one))
        return why_in_use(whole, described.images, inventory, leased=leased)

    def _is_leased(self, image: StoredImage) -> bool:
        """Whether the warden has given it its lease: anybody who may push may use the name of one."""
        own = lease_of(image.digest)
        if not any(is_lease(tag) and tag == own for tag in image.tags):
            return False
        history = self.given.ledger.history(f"{self.case.standard.repository}@{image.digest}")
        return any(entry.kind == LEASED for entry in history)

    def _would(self, what: What, moved: tuple[Moved, ...]) -> Turned:
        """Nothing is changed, and it is said once."""
        case, why, release = self.case, self.decision.why, what is What.RELEASE
        said = "released from quarantine" if release else "put in quarantine"
        news = replace(news_of(case, why, case.held), moved=moved)

        def tell() -> None:
            self.given.records.tell(
                case, quarantine_notice.would_be(news, self.given.enforcement.home, release=release)
            )
            self._write(what, Result.WOULD, f"would be {said}: {why}")

        self._say("would be", said, tell, for_good=True)
        return Turned("WouldBeDone", f"{said}: {why}")

    def _release(self) -> Turned:
        case, why, given = self.case, self.decision.why, self.given
        if case.held is None:
            return self._nothing(why)
        if not self._enforces:
            return self._would(What.RELEASE, case.held.moved)
        held = replace(case.held, ending=case.due.id)
        self._write(What.RELEASE, Result.BEGUN, f"being released from quarantine: {why}", held)
        given.quarantines.hold(held)
        self._note_release()
        is_there = case.image is not None and not case.image.archived
        kept, still_denied = given.enforcement.undo(held, is_there=is_there)
        given.enforcement.unmark(held, self.state)
        back = tuple(one for one in held.moved if is_there and one not in kept)
        remark = "pulls stay denied: another image of the repository is in quarantine" if still_denied else ""
        news = replace(news_of(case, why, held, remark), moved=back, kept=kept)
        given.records.tell(case, quarantine_notice.released(news, given.enforcement.home))
        self._write(What.RELEASE, Result.DONE, f"released from quarantine: {why}{_but(kept)}", held)
        self._have_promoted()
        given.quarantines.release(case.due.image)
        return Turned("Released", why)

    def _have_promoted(self) -> None:
        """Its verdict came while it was held, and nothing that is held is promoted: promote is to look once more."""
        case, promotion = self.case, self.case.standard.promotion
        passes = case.known is not None and case.known.verdict is Verdict.PASS
        if case.image is not None and passes and promotion is not None and promotion.mode is not Mode.OFF:
            due = PromotionDue(f"promotion {case.due.id}", case.due.at, case.due.image)
            self.given.promoting.send(promotion_due(due, self.given.enforcement.home), delay=A_MINUTE)

    def _note_release(self) -> None:
        """What a person releases is left alone later, as long as nothing blocks that is not known now."""
        due = self.case.due
        if due.order is Order.RELEASE and self._enforces:
            self.given.quarantines.remember_release(
                due.image, by=due.by, reason=due.reason, known=self.case.known, now=self.message.now
            )

    def refuse(self, why: str) -> Turned:
        """It is told, so that a person looks; what a verdict leads to is tried again with each sweep."""
        case = self.case
        release = case.due.order is Order.RELEASE or self.decision.step is Step.RELEASE
        what = What.RELEASE if release else What.QUARANTINE
        notice = quarantine_notice.refused(news_of(case, why, case.held), self.given.enforcement.home, release=release)
        text = f"not {'released from' if release else 'put in'} quarantine: {why}"

        def tell() -> None:
            self.given.records.tell(case, notice)
            self._write(what, Result.REFUSED, text)

        if case.due.order is Order.SETTLE and not release:
            self._wait(why)
        self._say("refused", why, tell)
        if self.given.records.result(case.due) == Result.BEGUN:
            self._write(what, Result.REFUSED, text)
        return Turned("Refused", why)

    def _wait(self, why: str) -> None:
        """Have the sweep ask again: what is in use today may be in use no more tomorrow."""
        image, how = self.case.due.image, self.case.how
        if self.case.is_held or how is None or not self._enforces:
            return
        held = self.given.quarantines.of(image)
        moved = held.moved if held else ()
        self.given.quarantines.hold(Held(image, how, self.message.now, "", why, moved, waiting=True))

    def _write(self, what: What, result: Result, text: str, held: Held | None = None) -> None:
        self.given.records.write(self.case, what, result, text, held)

    def _say(self, what: str, why: str, tell: Callable[[], None], *, for_good: bool = False) -> None:
        self.given.records.say(self.case, self.message, what, why, tell, for_good=for_good)


def _but(kept: tuple[Moved, ...]) -> str:
    tags: tuple[Tag, ...] = tuple(one.tag for one in kept)
    return f"; another image is tagged {', '.join(tags)} by now, and stays so" if tags else ""
