"""Scanning an image from here: every platform of it is asked to be scanned, and its result is waited for.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-basic.html
"""

import time
from dataclasses import dataclass, replace
from typing import Any

from cli.aws import asking
from cli.patience import Patience
from cli.stack import Connect
from warden.errors import Refused, Unavailable
from warden.findings import Finding, Scan, ScanState
from warden.images import Image
from warden.inspector import Inspector
from warden.manifests import Kind, Platform
from warden.names import ImageId
from warden.pacing import Pace
from warden.registry import Registry, ScanStart

DELAY = 2.0
"""Seconds between two looks at a scan: most basic scans take a few, less than the five that botocore's waiter has."""
_LOOKS = 6
"""How often the waiter looks before its answer is read whole: it knows two ends of a scan, COMPLETE and FAILED, and
would look in vain at an image whose scan has come to any other."""
_OVER = frozenset({ScanState.SCANNED, ScanState.UNSCANNED})
_NOTHING = frozenset({ScanState.UNSCANNED, ScanState.UNKNOWN})
_SCANNED_SOON = frozenset({ScanStart.STARTED, ScanStart.KNOWN})


@dataclass(frozen=True, slots=True)
class PlatformScan:
    """One image that ECR scans by itself: an index has several of them.

    `start` is what came of asking for a scan, None where Amazon Inspector scans by itself; `scan` is the result, None
    where nobody waited for it.
    """

    image: ImageId
    platform: str
    start: ScanStart | None
    scan: Scan | None = None

    @property
    def problem(self) -> str:
        """Why nothing is known of it, and nothing comes by itself; empty where all is well."""
        if self.start is not None and self.start not in _SCANNED_SOON:
            return str(self.start)
        return self.scan.why if self.scan is not None and self.scan.state in _NOTHING else ""

    @property
    def is_open(self) -> bool:
        """Whether its result is still to come."""
        return not self.problem and (self.scan is None or self.scan.state is not ScanState.SCANNED)


@dataclass(frozen=True, slots=True)
class Scanner:
    """The registry's scanner; `enhanced` says that it is Amazon Inspector, which can't be asked for a scan."""

    registry: Registry
    ecr: Any
    enhanced: bool
    delay: float = DELAY

    def start(self, image: Image) -> tuple[PlatformScan, ...]:
        """Ask for a scan of every platform. Raises Refused where there is nothing to scan."""
        with asking(f"scan {image.id}"):
            return tuple(self._start(image.id, platform) for platform in self._platforms(image))

    def wait(self, started: PlatformScan, patience: Patience) -> PlatformScan:
        """The same with its result. Raises Unavailable where there is none in time, Refused where the image is gone."""
        if started.problem:
            return started
        said = ""
        with asking(f"read the scan of {started.image}"):
            for _ in patience.looks(self.delay):
                self._wait_a_while(started.image)
                scan = self.registry.scan(started.image)
                if scan is None:
                    raise Refused(f"{started.image} is gone: it was deleted while its scan was waited for")
                if scan.state in _OVER:
                    return replace(started, scan=replace(scan, platform=started.platform))
                said = scan.explanation
        raise Unavailable(f"{started.image}: {said}: nothing came in time; ask again later, or give a longer --timeout")

    def look(self, started: PlatformScan) -> PlatformScan:
        """The same with what is known now, whatever that is. Raises Refused where the image is gone."""
        with asking(f"read the scan of {started.image}"):
            scan = self.registry.scan(started.image)
        if scan is None:
            raise Refused(f"{started.image} is gone")
        return replace(started, scan=replace(scan, platform=started.platform))

    def _platforms(self, image: Image) -> tuple[Platform, ...]:
        manifest = self.registry.manifest(image.id)
        if manifest is None:
            raise Refused(f"{image.id} is gone")
        if manifest.kind in {Kind.ATTESTATION, Kind.ARTIFACT}:
            raise Refused(f"{image.id} is an {manifest.kind}: there is nothing in it that ECR scans")
        if manifest.kind is Kind.IMAGE:
            return (Platform(image.id.digest, ""),)
        platforms = self.registry.platforms(image.id, manifest)
        if not platforms:
            raise Refused(f"{image.id} is an index that lists no image which ECR could scan")
        return platforms

    def _start(self, of: ImageId, platform: Platform) -> PlatformScan:
        image = ImageId(of.repository, platform.digest)
        return PlatformScan(image, platform.name, None if self.enhanced else self.registry.start_scan(image))

    def _wait_a_while(self, image: ImageId) -> None:
        """However the waiter ends, what counts is read after it. Inspector's scans end in a way that it can't see."""
        from botocore.exceptions import WaiterError  # noqa: PLC0415

        if self.enhanced:
            return
        try:
            self.ecr.get_waiter("image_scan_complete").wait(
                repositoryName=image.repository,
                imageId={"imageDigest": image.digest},
                maxResults=1,
                WaiterConfig={"Delay": self.delay, "MaxAttempts": _LOOKS},
            )
        except WaiterError:
            return


def scanner_of(connect: Connect, connect_once: Connect, delay: float = DELAY) -> Scanner:
    """The scanner of the account's registry; `connect_once` makes a client that does not retry (see Registry).

    Since that one does not retry, it is called no faster than the functions call theirs.
    """
    ecr = connect("ecr")
    registry = Registry(ecr, Pace(time.monotonic, time.sleep).hold(connect_once("ecr")))
    with asking("read the registry's scanning configuration"):
        return Scanner(registry, ecr, registry.scanning().enhanced, delay)


def with_epss(image: ImageId, scan: Scan, inspector: Inspector) -> Scan:
    """The scan with the EPSS of what was found: only Inspector knows it, as the deployed functions ask it."""
    with asking(f"read the EPSS of the findings in {image}"):
        scores = inspector.epss(image)

    def scored(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(replace(finding, epss=scores.get(finding.name)) for finding in findings)

    return replace(scan, findings=scored(scan.findings), suppressed=scored(scan.suppressed))
