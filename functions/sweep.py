"""The daily sweep: look at every repository, whatever events said or missed, and say once what there was to say."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from warden import announcements, events
from warden.enforcement import carry_out
from warden.events import Home, NotForUs, RepositoryDue, SummaryDue, SweepDue
from warden.images import Image
from warden.ledger import KEPT, Ledger
from warden.names import RepositoryName
from warden.notices import Notice, to_json
from warden.once import once
from warden.planning import Deed, Result, plan
from warden.policy import Policy, standard_of
from warden.queues import LONGEST_DELAY, Message, Queue
from warden.registry import Registry
from warden.runtime import Deployment, Function, Handle, Outcome

LOOKED_BACK = timedelta(hours=48)
"""How far back an image without a verdict is looked for: two sweeps, so that one lost event costs a day at most."""
GIVEN_UP = timedelta(hours=6)
"""When the summary is posted even though not every repository was looked at."""
SAME_NEWS = timedelta(days=30)
"""How long the same summary is not repeated."""
AFTER_INDEXES = 60
"""Seconds by which indexes go first, so that their platform images are known to be theirs."""
HELLO = "hello"
_COUNTED = (
    ("changed", Result.DONE),
    ("would_change", Result.REPORTED),
    ("blocked", Result.BLOCKED),
    ("refused", Result.REFUSED),
)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the function works with."""

    home: Home
    policy: Policy
    registry: Registry
    ledger: Ledger
    own: Queue
    notices: Queue
    pushes: Queue

    def handle(self, message: Message) -> Outcome:
        """One message to begin a sweep, one for each repository, one to sum it up."""
        match events.sweep(message.body):
            case SweepDue() as event:
                return self._begin(event, message)
            case RepositoryDue() as event:
                return self._look_at(event, message)
            case SummaryDue() as event:
                return self._sum_up(event, message)
            case NotForUs(reason):
                return Outcome("NotForUs", reason=reason)

    def _begin(self, event: SweepDue, message: Message) -> Outcome:
        sweep = event.at.isoformat()
        begun = once(
            self.ledger,
            f"sweep#{sweep}",
            lambda: self._fan_out(sweep, event.at, message.now),
            owner=message.id,
            now=message.now,
        )
        return Outcome("SweepBegun" if begun else "SweepBegunBefore", sweep, f"{begun or 0} messages")

    def _fan_out(self, sweep: str, at: datetime, now: datetime) -> int:
        repositories = tuple(self.registry.repositories())
        self.ledger.begin_sweep(sweep, repositories=len(repositories), now=now)
        self.own.send_all(events.repository_due(sweep, name, at=at, home=self.home) for name in repositories)
        delay = LONGEST_DELAY if repositories else 0
        self.own.send(events.summary_due(sweep, at=at, home=self.home), delay=delay)
        return len(repositories) + 1

    def _look_at(self, event: RepositoryDue, message: Message) -> Outcome:
        """Observe, plan, apply, record."""
        observation = self.registry.repository(event.repository)
        deeds: tuple[Deed, ...] = ()
        reminded = 0
        if observation:
            standard = standard_of(self.policy, event.repository)
            actions = plan(observation, self.registry.scanning(), standard)
            deeds = carry_out(actions, self.registry, self.ledger, event=event.sweep, at=event.at)
            reminded = self._remind_of_pushes(event.repository, message.now)
        counts = {name: sum(deed.result is result for deed in deeds) for name, result in _COUNTED}
        counts |= {"looked_at": 1, "reminded": reminded, "compliant": int(not deeds)}
        self.ledger.count_in_sweep(event.sweep, event.repository, counts, lines=map(str, deeds), now=message.now)
        tally = self.ledger.tally(event.sweep)
        if tally.get("looked_at", 0) >= tally["expected"]:
            self.own.send(events.summary_due(event.sweep, at=event.at, home=self.home))
        return Outcome("LookedAt", event.repository, "; ".join(map(str, deeds)))

    def _remind_of_pushes(self, repository: RepositoryName, now: datetime) -> int:
        """Ask image_pushed for the images that have no verdict: the event of a push or of a scan was lost."""
        recent = self.registry.images_pushed_since(repository, now - LOOKED_BACK)
        forgotten = [image for image in recent if self._is_forgotten(image, now)]
        indexes = [self._reminder(image, now) for image in forgotten if image.is_index]
        others = [self._reminder(image, now) for image in forgotten if not image.is_index]
        self.pushes.send_all(indexes)
        self.pushes.send_all(others, delay=AFTER_INDEXES if indexes else 0)
        return len(forgotten)

    def _is_forgotten(self, image: Image, now: datetime) -> bool:
        if self.ledger.is_done(f"judged#{image.id}", now=now):
            return False
        return bool(image.tags) or image.is_index or not self.ledger.indexes_of(image.id)

    def _reminder(self, image: Image, now: datetime) -> str:
        return events.push_reminder(image.id, id=f"reminder {image.id}", at=now, home=self.home)

    def _sum_up(self, event: SummaryDue, message: Message) -> Outcome:
        tally = self.ledger.tally(event.sweep)
        if tally.get("looked_at", 0) < tally["expected"] and message.now - event.at < GIVEN_UP:
            self.own.send(events.summary_due(event.sweep, at=event.at, home=self.home), delay=LONGEST_DELAY)
            return Outcome("SummaryPostponed", event.sweep)
        lines = self.ledger.lines_of_sweep(event.sweep)
        first = not self.ledger.is_done(HELLO, now=message.now)
        notice = announcements.swept(event.sweep, tally, lines, self.policy, self.home, first=first)
        if not (first or lines):
            return Outcome("NothingToSay", event.sweep)
        said = once(
            self.ledger,
            f"sweep-news#{notice.id}",
            lambda: self._say(notice, message),
            owner=message.id,
            now=message.now,
            lasts=SAME_NEWS,
        )
        return Outcome("SummedUp" if said else "SummedUpBefore", event.sweep)

    def _say(self, notice: Notice, message: Message) -> bool:
        self.notices.send_all(to_json(notice, channel=channel) for channel in self.policy.default_channels)
        self.ledger.finish(HELLO, owner=message.id, now=message.now, lasts=KEPT)
        return True


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    return Sweep(
        home=deployment.home,
        policy=deployment.policy,
        registry=deployment.registry,
        ledger=deployment.ledger,
        own=deployment.queue("WARDEN_QUEUE"),
        notices=deployment.queue("WARDEN_NOTICES"),
        pushes=deployment.queue("WARDEN_PUSHES"),
    ).handle


handler = Function(connect)
