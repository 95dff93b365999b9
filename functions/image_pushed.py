"""An image was pushed: start its scan where ECR does not do so by itself, one for every platform under an index."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from warden import events, messages, moves, prune_events
from warden.events import Home, ImagePushed, NotForUs
from warden.image_tags import ImageTags
from warden.ledger import Entry, Ledger
from warden.lifecycle.shields import LEASED, is_lease, lease_of
from warden.manifests import Kind
from warden.names import ImageId, RepositoryName, Tag
from warden.notices import to_json
from warden.once import once
from warden.policy import Policy, Standard
from warden.queues import Message, Queue
from warden.registry import Registry, ScanStart
from warden.runtime import Deployment, Function, Handle, Outcome
from warden.scan_planning import plan_scans
from warden.standards import standard_of
from warden.tag_watch import TagWatch

A_DAY = timedelta(hours=24)
"""ECR scans an image once in 24 hours: https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html."""

A_MINUTE = 60
"""Seconds."""


@dataclass(frozen=True, slots=True)
class PushedImages:
    """What the function works with."""

    home: Home
    policy: Policy
    registry: Registry
    image_tags: ImageTags
    ledger: Ledger
    judgements: Queue
    notices: Queue
    prunes: Queue

    def handle(self, message: Message) -> Outcome:
        """Parse, observe, plan, apply, record."""
        event = events.image_pushed(message.body, self.home)
        if isinstance(event, NotForUs):
            return Outcome("NotForUs", reason=event.reason)
        if event.tag and is_lease(event.tag):
            if self._is_our_lease(event.image, event.tag):
                return Outcome("OwnWrite", str(event.image), event.tag)
            self._have_leases_looked_at(event.image.repository, message)
        settings = self.registry.settings(event.image.repository)
        tags = self.registry.repository_tags(event.image.repository, self.home.account)
        if settings is None or tags is None:
            return Outcome("Gone", str(event.image))
        standard = standard_of(self.policy, event.image.repository, tags)
        self._look_for_a_move(event, standard, message)
        manifest = self.registry.manifest(event.image)
        if manifest is None:
            return Outcome("Gone", str(event.image))
        if manifest.kind in {Kind.ATTESTATION, Kind.ARTIFACT}:
            return Outcome("NotScannable", str(event.image), manifest.kind)
        self._record_push(event, manifest.kind)
        images: tuple[ImageId, ...] = (event.image,)
        if manifest.kind is Kind.INDEX:
            platforms = self.registry.platforms(event.image, manifest)
            images = tuple(ImageId(event.image.repository, platform.digest) for platform in platforms)
            self.ledger.adopt(event.image, (image.digest for image in images), now=message.now)
        plan = plan_scans(
            images,
            repository_scans=settings.scan_on_push,
            scanning=self.registry.scanning(),
            standard=standard,
            anew=event.anew,
        )
        started = [self._start(image, event, message) for image in plan.images]
        # A scan that we started ends in an event of its own; any other result waits until somebody asks for it.
        reminded = event.asked and not (event.anew and plan.images)
        if plan.results_come and (manifest.kind is Kind.INDEX or reminded or not all(started)):
            request = messages.judgement_request(event.image, id=event.id, at=message.now, home=self.home)
            self.judgements.send(request)
        return Outcome("ScansStarted" if any(started) else "NoScanStarted", str(event.image), plan.reason)

    def _is_our_lease(self, image: ImageId, tag: Tag) -> bool:
        """Whoever may push may use the name of a lease: ours is in the ledger before it is put."""
        return tag == lease_of(image.digest) and any(entry.kind == LEASED for entry in self.ledger.history(str(image)))

    def _have_leases_looked_at(self, repository: RepositoryName, message: Message) -> None:
        """A lease may have been pushed away from the image that has it: prune puts it back.

        It is asked for one turn for all pushes of a minute, after that minute.
        """
        minute = message.now.strftime("%Y-%m-%dT%H:%M")
        body = prune_events.repository_due("", repository, at=message.now, home=self.home)
        once(
            self.ledger,
            f"leases#{repository}#{minute}",
            lambda: self.prunes.send(body, delay=A_MINUTE),
            owner=message.id,
            now=message.now,
            lasts=A_DAY,
        )

    def _look_for_a_move(self, event: ImagePushed, standard: Standard, message: Message) -> None:
        """Tell it first: what is settled is not found again."""
        watch = TagWatch(self.registry, self.image_tags, self.ledger)
        found = watch.look(event, standard, now=message.now)
        if found is None:
            return
        move, why_not = found
        notice = moves.announce(move, why_not, standard, self.home, event=event.id)
        self.notices.send_all(to_json(notice, channel=channel) for channel in standard.channels)
        watch.settle(move, why_not, event, standard)

    def _record_push(self, event: ImagePushed, kind: Kind) -> None:
        if event.asked:
            return
        text = f"pushed as {event.tag}" if event.tag else "pushed by its digest"
        self.ledger.record(Entry(str(event.image), event.at, "pushed", text, {"kind": kind}), event=event.id)

    def _start(self, image: ImageId, event: ImagePushed, message: Message) -> bool:
        """Whether a scan was started now, so that its event is still to come."""
        deed = f"scan#{image}"
        answer = once(
            self.ledger,
            deed,
            lambda: self._ask_for_scan(image, event, message.now),
            owner=message.id,
            now=message.now,
            lasts=A_DAY,
        )
        if answer is ScanStart.GONE:  # it may be pushed again today
            self.ledger.give_back(deed, owner=message.id, now=message.now)
        return answer is ScanStart.STARTED

    def _ask_for_scan(self, image: ImageId, event: ImagePushed, now: datetime) -> ScanStart:
        answer = self.registry.start_scan(image)
        if answer in {ScanStart.UNSUPPORTED, ScanStart.ARCHIVED}:
            self.ledger.give_up_scanning(image, why=answer, now=now)
        self.ledger.record(Entry(str(image), event.at, "scan", answer), event=event.id)
        return answer


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    return PushedImages(
        home=deployment.home,
        policy=deployment.policy,
        registry=deployment.registry,
        image_tags=deployment.image_tags,
        ledger=deployment.ledger,
        judgements=deployment.queue("WARDEN_JUDGEMENTS"),
        notices=deployment.queue("WARDEN_NOTICES"),
        prunes=deployment.queue("WARDEN_PRUNES"),
    ).handle


handler = Function(connect)
