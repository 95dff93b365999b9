"""A scan finished: read what it found, give the verdict on the image, and tell it where the policy says so."""

from dataclasses import dataclass, replace
from datetime import timedelta

from warden import announcements, events, exemptions, messages
from warden.events import FindingChanged, Home, NotForUs, ScanFinished
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


GATHERED_FOR = timedelta(seconds=30)
"""How long changes of single findings are gathered before their image is looked at."""
MOST_WINDOWS = 10
"""A stream that never ends is looked at all the same, every so many windows."""
A_DAY = timedelta(hours=24)
MOST_EXEMPTED = 20
"""How many exempted findings an entry of the ledger names."""


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
        if isinstance(event, FindingChanged):
            return self._gather(event, message)
        if event.window is not None and self._goes_on(event.image, event.window, message):
            return Outcome("StillGathering", str(event.image))
        image = self.registry.image(event.image)
        if image is None:
            return Outcome("Gone", str(event.image))
        indexes = () if image.is_index else self._indexes_of(image)
        wait = INDEX_FOLLOWS - (message.now - image.pushed_at)
        if not (image.tags or image.is_index or indexes) and wait > timedelta(0):
            request = messages.judgement_request(event.image, id=event.id, at=message.now, home=self.home)
            self.own.send(request, delay=int(wait.total_seconds()) + 1)
            return Outcome("Postponed", str(event.image), "an index that lists it may still be on its way")
        subjects = indexes if indexes and not image.tags else (image, *indexes)
        told = [self._judge(subject, event, message) for subject in subjects]
        return Outcome(told[-1], ", ".join(str(subject.id) for subject in subjects))

    def _gather(self, event: FindingChanged, message: Message) -> Outcome:
        """Findings come by the hundred, an event each: the image is looked at when the window is over, once."""
        window, into = divmod(message.now.timestamp(), GATHERED_FOR.total_seconds())
        request = messages.judgement_request(
            event.image, id=event.id, at=message.now, home=self.home, window=int(window)
        )
        left = int(GATHERED_FOR.total_seconds() - into) + 1
        first = once(
            self.ledger,
            _gathering(event.image, int(window)),
            lambda: self._send(request, left),
            owner=message.id,
            now=message.now,
            lasts=A_DAY,
        )
        return Outcome("GatheringBegun" if first else "Gathered", str(event.image))

    def _send(self, request: str, delay: int) -> bool:
        self.own.send(request, delay=delay)
        return True

    def _goes_on(self, image: ImageId, window: int, message: Message) -> bool:
        """Whether more came in after the window, so that the image is looked at later; not in every tenth window."""
        return bool(window % MOST_WINDOWS) and self.ledger.is_done(_gathering(image, window + 1), now=message.now)

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
        accepted = exemptions.of_repository(self.policy.exemptions, image.id.repository)
        judgement = judge(scans, standard.findings, accepted, today=message.now.date())
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
            {"rule": standard.origins["findings.notify_from"], **counts, **_accepted(judgement)},
        )
        self.ledger.record(entry, event=f"{event.id}#{judgement.fingerprint}")
        for day in {one.exemption.until for one in judgement.exempted}:
            self.ledger.remember_lapse(image.id, day)
        if judgement.verdict is not Verdict.PASS:
            notice = announcements.judged(image, platforms, judgement, standard, self.home)
            self.notices.send_all(to_json(notice, channel=channel) for channel in standard.channels)
        self.ledger.finish(f"judged#{image.id}", owner=message.id, now=message.now, lasts=KEPT)
        return "Passed" if judgement.verdict is Verdict.PASS else "Announced"


def _accepted(judgement: Judgement) -> dict[str, str]:
    """What was found and did not count, and which exemption says so."""
    said = [f"{one.finding.name} in {one.finding.package} by {one.exemption.origin}" for one in judgement.exempted]
    rest = len(said) - MOST_EXEMPTED
    told = "; ".join(said[:MOST_EXEMPTED]) + (f"; and {rest} more" if rest > 0 else "")
    return {"exempted": told} if told else {}


def _gathering(image: ImageId, window: int) -> str:
    return f"gather#{image}#{window}"


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
