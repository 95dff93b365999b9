"""A scan finished: read what it found, give the verdict on the image, and tell it where the policy says so."""

from dataclasses import dataclass, replace
from datetime import timedelta

from warden import announcements, events
from warden.events import Home, NotForUs, ScanFinished
from warden.findings import Judgement, Scan, ScanState, Verdict, judge
from warden.images import Image
from warden.ledger import KEPT, Entry, Ledger
from warden.manifests import Platform
from warden.names import ImageId
from warden.notices import to_json
from warden.once import once
from warden.policy import Policy, Standard
from warden.queues import Message, Queue
from warden.registry import Registry
from warden.runtime import Deployment, Function, Handle, Outcome
from warden.standards import standard_of

INDEX_FOLLOWS = timedelta(seconds=60)
"""How long after an untagged image the index that lists it is waited for: clients push children first."""


@dataclass(frozen=True, slots=True)
class FinishedScans:
    """What the function works with."""

    home: Home
    policy: Policy
    registry: Registry
    ledger: Ledger
    notices: Queue
    own: Queue

    def handle(self, message: Message) -> Outcome:
        """Parse, observe, plan, apply, record."""
        event = events.scan_finished(message.body, self.home)
        if isinstance(event, NotForUs):
            return Outcome("NotForUs", reason=event.reason)
        image = self.registry.image(event.image)
        if image is None:
            return Outcome("Gone", str(event.image))
        indexes = () if image.is_index else self._indexes_of(image)
        wait = INDEX_FOLLOWS - (message.now - image.pushed_at)
        if not (image.tags or image.is_index or indexes) and wait > timedelta(0):
            request = events.judgement_request(event.image, id=event.id, at=message.now, home=self.home)
            self.own.send(request, delay=int(wait.total_seconds()) + 1)
            return Outcome("Postponed", str(event.image), "an index that lists it may still be on its way")
        subjects = indexes if indexes and not image.tags else (image, *indexes)
        told = [self._judge(subject, event, message) for subject in subjects]
        return Outcome(told[-1], ", ".join(str(subject.id) for subject in subjects))

    def _indexes_of(self, image: Image) -> tuple[Image, ...]:
        """The indexes that list the image and are still there."""
        known = (self.registry.image(index) for index in self.ledger.indexes_of(image.id))
        return tuple(index for index in known if index)

    def _judge(self, image: Image, event: ScanFinished, message: Message) -> str:
        """What became of it; an image is judged when the scans of all its platforms are over."""
        scans = self._scans_of(image)
        if scans is None:
            return "Gone"
        if any(scan.state in {ScanState.WAITING, ScanState.UNKNOWN} for scan in scans):
            return "Waiting"
        tags = self.registry.repository_tags(image.id.repository, self.home.account)
        if tags is None:
            return "Gone"
        standard = standard_of(self.policy, image.id.repository, tags)
        judgement = judge(scans, standard.findings)
        platforms = tuple(scan.platform for scan in scans if scan.platform)
        announced = once(
            self.ledger,
            f"judge#{image.id}#{judgement.fingerprint}",
            lambda: self._announce(image, platforms, judgement, standard, event, message),
            owner=message.id,
            now=message.now,
        )
        return announced or "JudgedBefore"

    def _scans_of(self, image: Image) -> tuple[Scan, ...] | None:
        """The scans of all platforms of an image; None where the image is gone."""
        platforms: tuple[Platform, ...] = (Platform(image.id.digest, ""),)
        if image.is_index:
            manifest = self.registry.manifest(image.id)
            if manifest is None:
                return None
            platforms = self.registry.platforms(image.id, manifest)
        scans: list[Scan] = []
        for platform in platforms:
            scan = self._scan_of(ImageId(image.id.repository, platform.digest))
            if scan is None:
                return None
            scans.append(replace(scan, platform=platform.name))
        return tuple(scans)

    def _scan_of(self, image: ImageId) -> Scan | None:
        """A scan that ECR does not know of was refused, or is still to be started."""
        scan = self.registry.scan(image)
        if scan and scan.state is ScanState.UNKNOWN and (why := self.ledger.why_unscanned(image)):
            return Scan(ScanState.UNSCANNED, why)
        return scan

    def _announce(
        self,
        image: Image,
        platforms: tuple[str, ...],
        judgement: Judgement,
        standard: Standard,
        event: ScanFinished,
        message: Message,
    ) -> str:
        counts = {severity.value: str(count) for severity, count in judgement.counts.items()}
        entry = Entry(
            str(image.id),
            event.at,
            "verdict",
            f"verdict {judgement.verdict}: {announcements.counted(judgement)}",
            {"rule": standard.origins["findings.notify_from"], **counts},
        )
        self.ledger.record(entry, event=f"{event.id}#{judgement.fingerprint}")
        if judgement.verdict is not Verdict.PASS:
            notice = announcements.judged(image, platforms, judgement, standard, self.home)
            self.notices.send_all(to_json(notice, channel=channel) for channel in standard.channels)
        self.ledger.finish(f"judged#{image.id}", owner=message.id, now=message.now, lasts=KEPT)
        return "Passed" if judgement.verdict is Verdict.PASS else "Announced"


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    return FinishedScans(
        home=deployment.home,
        policy=deployment.policy,
        registry=deployment.registry,
        ledger=deployment.ledger,
        notices=deployment.queue("WARDEN_NOTICES"),
        own=deployment.queue("WARDEN_QUEUE"),
    ).handle


handler = Function(connect)
