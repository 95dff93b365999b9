"""The daily sweep: look at every repository, whatever events said or missed, and say once what there was to say."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from warden import (
    deletion_notice,
    events,
    exemptions,
    fights,
    inventory_events,
    listings,
    messages,
    sweep_notice,
    vacancies,
)
from warden.actions import Deed, Result
from warden.clearing import Clearing, is_deletion
from warden.enforcement import carried_out, carry_out
from warden.events import Home, NotForUs, RepositoryDue, SummaryDue, SweepDue
from warden.image_rounds import ImageRounds, Round
from warden.ledger import KEPT, Ledger
from warden.notices import Notice, to_json
from warden.observing import Observed, observe
from warden.once import once
from warden.planning import plan
from warden.policy import Exemption, Policy
from warden.prunings import Prunings
from warden.quarantines import Quarantines
from warden.queues import LONGEST_DELAY, Message, Queue
from warden.registry import Registry
from warden.runtime import Deployment, Function, Handle, Outcome
from warden.standards import standard_of
from warden.tallies import Tallies
from warden.vacancies import Vacancies

LAPSES_LOOKED_BACK = 7
"""Days: sweeps may have failed meanwhile."""
UNUSED_FOR = timedelta(days=14)
"""How long an exemption may count for nothing before that is said."""
GIVEN_UP = timedelta(hours=6)
"""When the summary is posted even though not every repository was looked at."""
SAME_NEWS = timedelta(days=30)
"""How long the same summary is not repeated."""
HELLO = "hello"
_COUNTED = (
    ("changed", Result.DONE),
    ("would_change", Result.REPORTED),
    ("blocked", Result.BLOCKED),
    ("refused", Result.REFUSED),
)
_COUNTED_DELETIONS = (
    ("deleted", Result.DONE),
    ("would_delete", Result.REPORTED),
    ("blocked", Result.BLOCKED),
    ("waiting", Result.WAITING),
)
"""That ECR refuses to delete a repository is mostly that somebody has pushed there: no person is needed."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the function works with."""

    home: Home
    policy: Policy
    registry: Registry
    ledger: Ledger
    tallies: Tallies
    clearing: Clearing
    rounds: ImageRounds
    own: Queue
    notices: Queue
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
        observed = self._observe(event)
        deeds, went = self._keep(observed, event, message) if observed else ((), Round())
        if message.receives > 1:
            deeds = self._of_all_tries(deeds, event, is_gone=observed is None)
        self._tell_owners(deeds, event)
        counts = {**_counts(deeds), "reminded": went.reminded, "rescanned": went.rescanned}
        if self.tallies.count(event.sweep, event.repository, counts, lines=map(str, deeds), now=message.now):
            self.own.send(messages.summary_due(event.sweep, at=event.at, home=self.home))
        return Outcome("LookedAt", event.repository, "; ".join(map(str, deeds)))

    def _observe(self, event: RepositoryDue) -> Observed | None:
        """The repository; None where it is gone.

        The listing is enough to see that nothing differs; before anything is changed, ECR is asked again.
        """
        listed = listings.read(event.repository, event.listed)
        look = partial(observe, self.registry, self.policy, event.repository, lifecycle=False)
        observed = look(settings=listed[0], scanning=listed[1])
        if observed and plan(observed.observation, observed.standard):
            observed = look()
        return observed

    def _keep(self, observed: Observed, event: RepositoryDue, message: Message) -> tuple[tuple[Deed, ...], Round]:
        """Clear the repository away, or else bring it to its standard and go round its images."""
        cleared = self.clearing.look(observed, sweep=event.sweep, at=event.at, now=message.now)
        if cleared and cleared.result is Result.DONE:
            return (cleared,), Round()
        actions = plan(observed.observation, observed.standard)
        if actions:
            actions = fights.stand_back(actions, self.ledger.held_back(event.repository, now=message.now))
        deeds = carry_out(actions, self.registry.apply, self.ledger, event=event.sweep, at=event.at)
        return (*deeds, *filter(None, (cleared,))), self.rounds.go(observed, now=message.now)

    def _of_all_tries(self, deeds: tuple[Deed, ...], event: RepositoryDue, *, is_gone: bool) -> tuple[Deed, ...]:
        """What was done, earlier tries of the same message included.

        A deletion that an earlier try had begun was not done if the repository is there and was not deleted now. What
        waits is in no ledger.
        """
        before = carried_out(event.repository, self.ledger, event=event.sweep, at=event.at)
        deleted = is_gone or any(is_deletion(deed) and deed.result is not Result.WAITING for deed in deeds)
        return (
            *(deed for deed in before if deleted or not is_deletion(deed)),
            *(deed for deed in deeds if deed.result is Result.WAITING),
        )

    def _tell_owners(self, deeds: tuple[Deed, ...], event: RepositoryDue) -> None:
        """Tell of a repository that was deleted where its own notices went, and the summary does not go."""
        for deed in deeds:
            if is_deletion(deed) and deed.result is Result.DONE:
                notice = deletion_notice.deletion(deed, sweep=event.sweep, at=event.at, home=self.home)
                standard = standard_of(self.policy, event.repository, vacancies.tags_of(deed.action.original))
                others = [name for name in standard.channels if name not in self.policy.default_channels]
                self.notices.send_all(to_json(notice, channel=channel) for channel in others)

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


def _counts(deeds: Collection[Deed]) -> dict[str, int]:
    """How many deeds there are of each kind; a repository without any complies."""
    settings = [deed.result for deed in deeds if not is_deletion(deed)]
    deletions = [deed.result for deed in deeds if is_deletion(deed)]
    counts = Counter({name: settings.count(result) for name, result in _COUNTED})
    counts.update({name: deletions.count(result) for name, result in _COUNTED_DELETIONS})
    return {**counts, "compliant": int(not deeds)}


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    table = deployment["WARDEN_LEDGER"]
    quarantines = Quarantines(deployment.dynamodb, table)
    judgements = deployment.queue("WARDEN_JUDGEMENTS")
    return Sweep(
        home=deployment.home,
        policy=deployment.policy,
        registry=deployment.registry,
        ledger=deployment.ledger,
        tallies=deployment.tallies,
        clearing=Clearing(
            policy=deployment.policy,
            registry=deployment.registry,
            vacancies=Vacancies(deployment.ecr, deployment.registry, deployment.dynamodb, table),
            prunings=Prunings(deployment.dynamodb, table),
            quarantines=quarantines,
            ledger=deployment.ledger,
            tallies=deployment.tallies,
        ),
        rounds=ImageRounds(
            home=deployment.home,
            policy=deployment.policy,
            registry=deployment.registry,
            ledger=deployment.ledger,
            quarantines=quarantines,
            pushes=deployment.queue("WARDEN_PUSHES"),
            judgements=judgements,
            quarantining=deployment.queue("WARDEN_QUARANTINES"),
        ),
        own=deployment.queue("WARDEN_QUEUE"),
        notices=deployment.queue("WARDEN_NOTICES"),
        judgements=judgements,
        inventories=deployment.queue("WARDEN_INVENTORIES"),
    ).handle


handler = Function(connect)
