"""A repository is pruned: what is old leaves by its standard, and never what must live; ECR's preview is asked first.

The sweep's inventory says what is in use. What ECR deletes or archives is written down with the rule that took it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from warden import prune_events, prune_notice, prune_reports
from warden.departures import Departures
from warden.downloads import download
from warden.errors import Invalid, Refused, Unavailable
from warden.events import Home, NotForUs
from warden.image_labels import ImageLabels
from warden.inventories import Inventories
from warden.ledger import Ledger
from warden.lifecycle import remarks
from warden.lifecycle.linting import lint_text
from warden.lifecycle_previews import LifecyclePreviews
from warden.names import Digest, ImageId
from warden.notices import Level, Notice, to_json
from warden.once import once, one_at_a_time
from warden.policy import Mode, Policy, Standard
from warden.prune_enforcement import PruneEnforcement, Turn
from warden.prune_events import ImagesGone, PruneDue, PruneSummaryDue
from warden.prune_planning import Known, Labels, nothing_planned, plan_pruning, wanted_labels
from warden.pruning import PruneReport, PruneResult, Refusal
from warden.prunings import Prunings
from warden.queues import LONGEST_DELAY, Message, Queue
from warden.registry import Registry
from warden.removals import Removals
from warden.repository_images import Described, RepositoryImages
from warden.runtime import Deployment, Function, Handle, Outcome
from warden.standards import QUARANTINED, standard_of
from warden.tallies import Tallies
from warden.usage import Inventory, users
from warden.wildcard import matches

BUSY_FOR = timedelta(minutes=11)
"""Longer than the function may run."""
GIVEN_UP = timedelta(hours=6)
"""When the summary is posted even though not every repository was looked at."""
SAME_NEWS = timedelta(days=30)
"""How long the same news is not repeated."""
SAME_TROUBLE = timedelta(days=7)
"""How long it is not repeated that a person is needed."""
MOST_LABELS = 500
"""Images whose labels are read at a time: each takes three calls, and the rest is read another day."""
UNATTENDED = (
    "the policy that the warden put when the mode was enforce still acts, and now no image gets a lease: enforce "
    "again, or take it away by aws ecr delete-lifecycle-policy"
)


@dataclass(frozen=True, slots=True)
class Pruning:
    """What the function works with."""

    home: Home
    policy: Policy
    registry: Registry
    images: RepositoryImages
    labels: ImageLabels
    enforcement: PruneEnforcement
    departures: Departures
    inventories: Inventories
    prunings: Prunings
    ledger: Ledger
    tallies: Tallies
    own: Queue
    notices: Queue
    most_labels: int = MOST_LABELS

    def handle(self, message: Message) -> Outcome:
        """One message for each repository, one to sum up a sweep, and those in which ECR tells of images gone."""
        match prune_events.prune(message.body, self.home):
            case PruneDue() as event:
                return self._take_turn(event, message)
            case PruneSummaryDue() as event:
                return self._sum_up(event, message)
            case ImagesGone() as event:
                return self._write_down(event)
            case NotForUs(reason):
                return Outcome("NotForUs", reason=reason)

    def _take_turn(self, event: PruneDue, message: Message) -> Outcome:
        """Observe, plan, apply, record: nobody else prunes the repository at the same time."""
        report = one_at_a_time(
            self.ledger,
            f"prune#{event.repository}",
            lambda: self._prune(event, message.now),
            owner=message.id,
            now=message.now,
            busy_for=BUSY_FOR,
        )
        if event.sweep:
            self._count(event, report, message.now)
        if report is None:
            return Outcome("NothingAsked", event.repository)
        return Outcome(report.result.name.capitalize(), event.repository, "; ".join(one.why for one in report.refusals))

    def _count(self, event: PruneDue, report: PruneReport | None, now: datetime) -> None:
        if report is not None:
            self.prunings.save_report(event.sweep, event.repository, prune_reports.written(report), now=now)
        if self.tallies.count(f"prune#{event.sweep}", event.repository, {}, lines=(), now=now):
            self.own.send(prune_events.summary_due(event.sweep, at=event.at, home=self.home))
        if report is not None:  # last of all: a message that comes again must find what to tell
            self.prunings.forget(event.repository, (one.image.digest for one in report.left))

    def _prune(self, event: PruneDue, now: datetime) -> PruneReport | None:
        """What came of it; None where the repository is gone, or its standard asks for nothing."""
        settings = self.registry.settings(event.repository)
        tags = self.registry.repository_tags(event.repository, self.home.account)
        if settings is None or tags is None:
            return None
        standard = standard_of(self.policy, event.repository, tags)
        ours, off = self.prunings.our_policies(event.repository), standard.lifecycle.mode is Mode.OFF
        if off and not ours:
            return None
        policy = self.registry.lifecycle_policy(event.repository)
        asks = not off and bool(standard.lifecycle.rules or standard.lifecycle.delete_archived_days)
        if not asks and policy is None:
            return None
        described = self.images.describe(event.repository, now=now)
        if described is None:
            return None
        known = self._know(event, standard, described, policy, ours, now)
        if off or not (asks or ours):
            report = PruneReport(event.repository, standard.lifecycle.mode, PruneResult.NOTHING, len(known.images))
        else:
            report = self._act(event, standard, known, now)
        return replace(
            report,
            channels=standard.channels,
            remarks=_remarks(known, standard, now),
            protections=() if off else standard.lifecycle.protection.tags,
            idle_protections=() if off else _idle(known, standard),
        )

    def _act(self, event: PruneDue, standard: Standard, known: Known, now: datetime) -> PruneReport:
        try:
            plan = plan_pruning(known, standard, labels=self._read_labels(known, standard, now), now=now)
        except Refused as refusal:  # a policy of ours that stands is suspended all the same
            plan = nothing_planned(known, Refusal(str(refusal)))
        turn = Turn(standard, known, plan, event=f"prune {event.sweep or event.at.isoformat()}", at=event.at, now=now)
        going = frozenset(one.image.digest for one in plan.leaving)
        left = self.departures.since_last_look(event.repository, known.images, going, event=turn.event, at=event.at)
        return replace(self.enforcement.carry_out(turn), left=left)

    def _know(
        self,
        event: PruneDue,
        standard: Standard,
        described: Described,
        policy: str | None,
        ours: tuple[str, ...],
        now: datetime,
    ) -> Known:
        name = event.repository
        return Known(
            images=described.images,
            inventory=self._inventory(event, standard, now),
            policy=policy,
            ours=ours,
            unread=described.unread,
            last_used=self.prunings.last_used(name),
            marks=self.prunings.marks(name),
            put_back=self.prunings.kept_back(name, now=now),
        )

    def _inventory(self, event: PruneDue, standard: Standard, now: datetime) -> Inventory:
        """The sweep's inventory, or the last one that was taken; what was never taken is not known."""
        if not standard.lifecycle.protection.in_use:
            return Inventory(now)  # nobody asked, so that nothing is missing
        return self.inventories.fresh(event.repository, sweep=event.sweep, now=now)

    def _read_labels(self, known: Known, standard: Standard, now: datetime) -> Labels:
        """A digest is for ever the same image: its labels are read once, so that every image has its turn."""
        wanted, name = wanted_labels(known, standard, now), standard.repository
        found: dict[Digest, Mapping[str, str] | None] = {}
        if wanted:
            found.update(self.prunings.labels(name, now=now))
        for image in [image for image in wanted if image.digest not in found][: self.most_labels]:
            found[image.digest] = self._labels_of(ImageId(name, image.digest))
            self.prunings.remember_labels(name, image.digest, found[image.digest], now=now)
        return found

    def _labels_of(self, image: ImageId) -> Mapping[str, str] | None:
        """One image that can't be read, whatever it is, keeps no other from being pruned."""
        try:
            return self.labels.of(image)
        except (Invalid, Unavailable):
            return None

    def _write_down(self, event: ImagesGone) -> Outcome:
        count = self.departures.told(event)
        return Outcome("WrittenDown" if count else "StillThere", event.repository, f"{count} images have left")

    def _sum_up(self, event: PruneSummaryDue, message: Message) -> Outcome:
        """Each channel is told of its repositories, and of the same news once."""
        counts, _ = self.tallies.read(f"prune#{event.sweep}")
        if counts["looked_at"] < counts["expected"] and message.now - event.at < GIVEN_UP:
            again = prune_events.summary_due(event.sweep, at=event.at, home=self.home)
            self.own.send(again, delay=LONGEST_DELAY)
            return Outcome("SummaryPostponed", event.sweep)
        reports = tuple(map(prune_reports.read, self.prunings.reports(event.sweep)))
        channels = sorted({channel for report in reports for channel in report.channels})
        told = sum(self._tell(channel, reports, event, message) for channel in channels)
        return Outcome("SummedUp" if told else "NothingNew", event.sweep, f"{told} messages")

    def _tell(self, channel: str, reports: Sequence[PruneReport], event: PruneSummaryDue, message: Message) -> int:
        notices = prune_notice.told(reports, home=self.home, sweep=event.sweep, at=event.at, channel=channel)
        return sum(self._say(notice, channel, message) for notice in notices)

    def _say(self, notice: Notice, channel: str, message: Message) -> bool:
        def send() -> bool:
            self.notices.send(to_json(notice, channel=channel))
            return True

        deed = f"prune-news#{channel}#{notice.id}"
        lasts = SAME_TROUBLE if notice.level is Level.ATTENTION else SAME_NEWS
        return bool(once(self.ledger, deed, send, owner=message.id, now=message.now, lasts=lasts))


def _remarks(known: Known, standard: Standard, now: datetime) -> tuple[str, ...]:
    """What is to be said of a lifecycle policy that stands: of ours where nobody looks after it, of any other's."""
    policy = known.policy
    if policy is None:
        return ()
    if known.is_ours:
        return () if standard.lifecycle.mode is Mode.ENFORCE else (UNATTENDED,)
    if standard.lifecycle.mode is Mode.OFF:
        return ()
    in_use = users(known.images, known.inventory.uses) if standard.lifecycle.protection.in_use else {}
    found = lint_text(policy, known.images, users=in_use, now=now)
    return tuple(str(remark) for remark in found if remark.severity is not remarks.Level.NOTE)


def _idle(known: Known, standard: Standard) -> tuple[str, ...]:
    """The protected patterns that no image's tag matches; that of quarantine nobody wrote, and mostly none does."""
    tags = {tag for image in known.images for tag in image.tags}
    patterns = (pattern for pattern in standard.lifecycle.protection.tags if pattern != QUARANTINED)
    return tuple(pattern for pattern in patterns if not any(matches(pattern, tag) for tag in tags))


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    ecr, dynamodb, table = deployment.ecr, deployment.dynamodb, deployment["WARDEN_LEDGER"]
    images, prunings, ledger = RepositoryImages(ecr, dynamodb, table), Prunings(dynamodb, table), deployment.ledger
    return Pruning(
        home=deployment.home,
        policy=deployment.policy,
        registry=deployment.registry,
        images=images,
        labels=deployment.image_labels(download),
        enforcement=PruneEnforcement(
            registry=deployment.registry,
            images=images,
            tags=deployment.image_tags,
            previews=LifecyclePreviews(ecr),
            removals=Removals(ecr),
            prunings=prunings,
            ledger=ledger,
        ),
        departures=Departures(images, prunings, ledger),
        inventories=Inventories(dynamodb, table),
        prunings=prunings,
        ledger=ledger,
        tallies=deployment.tallies,
        own=deployment.queue("WARDEN_QUEUE"),
        notices=deployment.queue("WARDEN_NOTICES"),
    ).handle


handler = Function(connect)
