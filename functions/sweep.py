"""The daily sweep: look at every repository, whatever events said or missed, and say once what there was to say."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from warden import events, exemptions, fights, inventory_events, listings, messages, sweep_notice
from warden.actions import Deed, Result
from warden.enforcement import carried_out, carry_out
from warden.events import Home, NotForUs, RepositoryDue, SummaryDue, SweepDue
from warden.images import Image
from warden.ledger import KEPT, Ledger
from warden.names import RepositoryName
from warden.notices import Notice, to_json
from warden.observing import observe
from warden.once import once
from warden.planning import plan
from warden.policy import Exemption, Policy
from warden.queues import LONGEST_DELAY, Message, Queue
from warden.registry import Registry
from warden.runtime import Deployment, Function, Handle, Outcome
from warden.tallies import Tallies

LOOKED_BACK = timedelta(hours=48)
"""How far back an image without a verdict is looked for: two sweeps, so that one lost event costs a day at most."""
LAPSES_LOOKED_BACK = 7
"""Days: sweeps may have failed meanwhile."""
UNUSED_FOR = timedelta(days=14)
"""How long an exemption may count for nothing before that is said."""
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
    tallies: Tallies
    own: Queue
    notices: Queue
    pushes: Queue
    judgements: Queue
    inventories: Queue

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
            lambda: self._fan_out(sweep, event.at, message),
            owner=message.id,
            now=message.now,
        )
        return Outcome("SweepBegun" if begun else "SweepBegunBefore", sweep, f"{begun or 0} messages")

    def _fan_out(self, sweep: str, at: datetime, message: Message) -> int:
        listed = tuple(self.registry.listing())
        scanning = self.registry.scanning()
        self.tallies.begin(sweep, repositories=len(listed), now=message.now)
        self.own.send_all(
            messages.repository_due(sweep, settings.name, listings.written(settings, scanning), at=at, home=self.home)
            for settings in listed
        )
        self._ask_for_lapsed(message)
        self.inventories.send(inventory_events.inventory_due(sweep, at=at, home=self.home))
        delay = LONGEST_DELAY if listed else 0
        self.own.send(messages.summary_due(sweep, at=at, home=self.home), delay=delay)
        return len(listed) + 1

    def _ask_for_lapsed(self, message: Message) -> None:
        """Ask for a new verdict on the images of exemptions that are over, once for each last day."""
        for days in range(1, LAPSES_LOOKED_BACK + 1):
            day = (message.now - timedelta(days=days)).date().isoformat()
            once(
                self.ledger,
                f"lapsed#{day}",
                partial(self._judge_anew, day, message.now),
                owner=message.id,
                now=message.now,
            )

    def _judge_anew(self, day: str, now: datetime) -> None:
        images = self.ledger.lapsed(day)
        self.judgements.send_all(
            messages.judgement_request(image, id=f"lapse {day} {image}", at=now, home=self.home) for image in images
        )

    def _look_at(self, event: RepositoryDue, message: Message) -> Outcome:
        """Observe, plan, apply, record."""
        deeds = self._bring_to_standard(event, message)
        reminded = 0 if deeds is None else self._remind_of_pushes(event.repository, message.now)
        deeds = deeds or ()
        counts = {name: sum(deed.result is result for deed in deeds) for name, result in _COUNTED}
        counts |= {"reminded": reminded, "compliant": int(not deeds)}
        if self.tallies.count(event.sweep, event.repository, counts, lines=map(str, deeds), now=message.now):
            self.own.send(messages.summary_due(event.sweep, at=event.at, home=self.home))
        return Outcome("LookedAt", event.repository, "; ".join(map(str, deeds)))

    def _bring_to_standard(self, event: RepositoryDue, message: Message) -> tuple[Deed, ...] | None:
        """What was done, earlier tries of the same message included; None where the repository is gone.

        The listing is enough to see that nothing differs; before anything is changed, ECR is asked again.
        """
        listed = listings.read(event.repository, event.listed)
        look = partial(observe, self.registry, self.policy, event.repository, lifecycle=False)
        observed = look(settings=listed[0], scanning=listed[1])
        if observed and plan(observed.observation, observed.standard):
            observed = look()
        if observed is None:
            return None
        actions = plan(observed.observation, observed.standard)
        if actions:
            actions = fights.stand_back(actions, self.ledger.held_back(event.repository, now=message.now))
        deeds = carry_out(actions, self.registry.apply, self.ledger, event=event.sweep, at=event.at)
        if message.receives > 1:
            return carried_out(event.repository, self.ledger, event=event.sweep, at=event.at)
        return deeds

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
        return messages.push_reminder(image.id, id=f"reminder {image.id}", at=now, home=self.home)

    def _unused_exemptions(self, now: datetime) -> tuple[Exemption, ...]:
        """Those in force that have counted for nothing since they were first seen, a while ago."""
        in_force = (one for one in self.policy.exemptions if exemptions.last_day(one) >= now.date())
        return tuple(
            one for one in in_force if self.ledger.is_unused(exemptions.key(one), now=now, since=now - UNUSED_FOR)
        )

    def _sum_up(self, event: SummaryDue, message: Message) -> Outcome:
        counts, lines = self.tallies.read(event.sweep)
        if counts["looked_at"] < counts["expected"] and message.now - event.at < GIVEN_UP:
            self.own.send(messages.summary_due(event.sweep, at=event.at, home=self.home), delay=LONGEST_DELAY)
            return Outcome("SummaryPostponed", event.sweep)
        first = not self.ledger.is_done(HELLO, now=message.now)
        lapsing = exemptions.lapsing(self.policy.exemptions, message.now.date())
        unused = self._unused_exemptions(message.now)
        notice = sweep_notice.swept(
            event.sweep, counts, lines, self.policy, self.home, first=first, lapsing=lapsing, unused=unused
        )
        if not (first or lines or lapsing or unused):
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
        tallies=deployment.tallies,
        own=deployment.queue("WARDEN_QUEUE"),
        notices=deployment.queue("WARDEN_NOTICES"),
        pushes=deployment.queue("WARDEN_PUSHES"),
        judgements=deployment.queue("WARDEN_JUDGEMENTS"),
        inventories=deployment.queue("WARDEN_INVENTORIES"),
    ).handle


handler = Function(connect)
