"""Looking at an image: its scans, what was known before, and the verdict that comes of both."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from warden import exemptions
from warden.events import Home
from warden.findings import Finding, Scan, ScanState
from warden.images import Image
from warden.inspector import Inspector
from warden.judged_images import JudgedImages
from warden.known import Before
from warden.ledger import Ledger
from warden.manifests import Platform
from warden.names import ImageId
from warden.policy import Exemption, Policy, Standard
from warden.registry import Registry
from warden.standards import standard_of
from warden.tag_lines import Place, places
from warden.verdicts import Judgement, judge

MOST_IMAGES = 5_000
"""How many images of a repository are looked through for the one before, where the ledger knows none: five calls."""
_UNFINISHED = frozenset({ScanState.WAITING, ScanState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Look:
    """An image that was looked at: the names of its platforms, its standard, and the verdict."""

    image: Image
    platforms: tuple[str, ...]
    standard: Standard
    judgement: Judgement
    exemptions: tuple[Exemption, ...]


@dataclass(frozen=True, slots=True)
class Looking:
    """What is needed to look; `inspector` is there only where the policy asks for what only it knows."""

    home: Home
    policy: Policy
    registry: Registry
    ledger: Ledger
    judged: JudgedImages
    inspector: Inspector | None = None

    def at(self, image: Image, *, now: datetime) -> Look | str:
        """The look, or why there is none: `Gone`, or `Waiting` for the scans of all platforms to be over.

        What is known is read first: if somebody else judges the image meanwhile by newer scans, its revision tells.
        """
        known = self.judged.known(image.id)
        scans = self._scans_of(image)
        if scans is None:
            return "Gone"
        if any(scan.state in _UNFINISHED for scan in scans):
            return "Waiting"
        tags = self.registry.repository_tags(image.id.repository, self.home.account)
        if tags is None:
            return "Gone"
        standard = standard_of(self.policy, image.id.repository, tags)
        accepted = exemptions.of_repository(self.policy.exemptions, image.id.repository)
        today = now.astimezone(UTC).date()
        before = Before(known, itself=True, thread=known.thread or str(image.id)) if known else None
        before = before or self._before(image, standard, accepted, now)
        judgement = judge(
            self._with_epss(image, scans, standard), standard.findings, accepted, today=today, before=before
        )
        return Look(image, tuple(scan.platform for scan in scans if scan.platform), standard, judgement, accepted)

    def _scans_of(self, image: Image) -> tuple[Scan, ...] | None:
        """The scans of all platforms of an image; None where the image is gone."""
        platforms: tuple[Platform, ...] = (Platform(image.id.digest, ""),)
        if image.is_index:
            manifest = self.registry.manifest(image.id)
            if manifest is None:
                return None
            platforms = self.registry.platforms(image.id, manifest)
            if not platforms:
                return (Scan(ScanState.UNSCANNED, "the index lists no image that could be scanned"),)
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

    def _with_epss(self, image: Image, scans: tuple[Scan, ...], standard: Standard) -> tuple[Scan, ...]:
        """The scans with the EPSS of what they found, where the standard asks for it and Inspector scans."""
        if self.inspector is None or standard.findings.epss_from is None or not any(scan.enhanced for scan in scans):
            return scans
        digests = (
            (image.id.digest,)
            if not image.is_index
            else tuple(platform.digest for platform in self._platforms(image.id))
        )
        scores: dict[str, float] = {}
        for digest in digests:
            scores |= self.inspector.epss(ImageId(image.id.repository, digest))
        return tuple(
            replace(
                scan,
                findings=tuple(_scored(scan.findings, scores)),
                suppressed=tuple(_scored(scan.suppressed, scores)),
            )
            for scan in scans
        )

    def _platforms(self, index: ImageId) -> tuple[Platform, ...]:
        manifest = self.registry.manifest(index)
        return self.registry.platforms(index, manifest) if manifest else ()

    def _before(
        self, image: Image, standard: Standard, accepted: tuple[Exemption, ...], now: datetime
    ) -> Before | None:
        """What was known of the one before it in its line."""
        line = places(image)
        for place in line:
            for other, known in self.judged.before(image.id, place):
                return Before(known, itself=False, thread=known.thread or str(other))
        return self._unjudged_before(image, line, standard, accepted, now) if standard.findings.new_only else None

    def _unjudged_before(
        self,
        image: Image,
        line: tuple[Place, ...],
        standard: Standard,
        accepted: tuple[Exemption, ...],
        now: datetime,
    ) -> Before | None:
        """The one before that was pushed before the warden came: what its scan found counts as known."""
        other = _nearest(image, line, self.registry.images(image.id.repository, most=MOST_IMAGES)) if line else None
        scans = self._scans_of(other) if other else None
        if other is None or not scans or any(scan.state is not ScanState.SCANNED for scan in scans):
            return None
        today = now.astimezone(UTC).date()
        judgement = judge(scans, standard.findings, accepted, today=today)
        return Before(judgement.known(other.name, today), itself=False, thread=str(other.id))


def _nearest(image: Image, line: Iterable[Place], images: Iterable[Image]) -> Image | None:
    """The image before this one in the first of its lines that has one."""
    nearest: dict[str, tuple[str, Image]] = {}
    mine = {place.line: place.order for place in line}
    for other in images:
        for place in places(other) if other.id != image.id else ():
            if place.line in mine and place.order < mine[place.line]:
                nearest[place.line] = max(
                    nearest.get(place.line, ("", other)), (place.order, other), key=lambda found: found[0]
                )
    return next((nearest[name][1] for name in mine if name in nearest), None)


def _scored(findings: Iterable[Finding], scores: Mapping[str, float]) -> Iterable[Finding]:
    return (replace(finding, epss=scores.get(finding.name)) for finding in findings)
