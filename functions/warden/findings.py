"""Findings of basic and of enhanced scanning in one shape, and what each status of a scan means."""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

from warden.names import Severity
from warden.text import clean, clip_middle

LONGEST = 100
"""Characters that are shown of a name or a version: a notice of longer ones would be too large for its queue, and
whoever made the image would have silenced the message about it."""
LONGEST_EXPLANATION = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """One vulnerability in one package.

    `fixed_in` is None where the scanner names no version, and `unfixable` says that there is none: basic scanning does
    not know. `kind` is the package manager where it is not the operating system's; `exploit` says that an exploit is
    known, and `unexploited` that none is; `epss` is the probability, from 0 to 1, that it is exploited within 30 days.
    Only enhanced scanning tells of these.
    """

    name: str
    severity: Severity
    package: str
    version: str
    fixed_in: str | None = None
    score: float | None = None
    kind: str = ""
    exploit: bool = False
    unfixable: bool = False
    unexploited: bool = False
    epss: float | None = None

    @property
    def key(self) -> bytes:
        """Eight bytes that are the same for this vulnerability in this package, in whatever version of it."""
        return hashlib.blake2b(f"{self.name}\0{self.package}".encode(errors="replace"), digest_size=8).digest()

    @property
    def shown(self) -> "Finding":
        """The finding as it can be shown, none of its texts longer than a hundred characters."""
        return replace(
            self,
            name=_clipped(self.name),
            package=_clipped(self.package),
            version=_clipped(self.version),
            fixed_in=self.fixed_in and _clipped(self.fixed_in),
        )


def _clipped(text: str) -> str:
    """What is short stays as it is: channels clean it."""
    return text if len(text) <= LONGEST else clip_middle(text, LONGEST)


class ScanState(StrEnum):
    """What a scan status means for the user. UNKNOWN: there was no scan, as far as ECR knows."""

    SCANNED = "scanned"
    WAITING = "waiting"
    UNSCANNED = "unscanned"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Scan:
    """What is known of the scan of one manifest: its findings are complete, and mean something, only where SCANNED.

    `suppressed` are findings that a rule of Amazon Inspector hides, `in_use` how many tasks and pods ran the image when
    Inspector looked; `enhanced` says that Inspector made the scan, and `platform` is empty for an image that no index
    lists.
    """

    state: ScanState
    explanation: str
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Finding, ...] = ()
    in_use: int = 0
    platform: str = ""
    enhanced: bool = False

    @property
    def key(self) -> bytes:
        """Eight bytes that are the same where the same platform is not scanned for the same reason."""
        return hashlib.blake2b(f"{self.platform}\0{self.explanation}".encode(errors="replace"), digest_size=8).digest()

    @property
    def why(self) -> str:
        """The explanation, in as many words as can be shown."""
        return clean(self.explanation, LONGEST_EXPLANATION)


_SCANNED = frozenset({"COMPLETE", "ACTIVE"})
_WAITING = frozenset({"IN_PROGRESS", "PENDING"})
_UNSCANNED = {
    "FAILED": "the scan failed",
    "UNSUPPORTED_IMAGE": "the scanner does not support this image",
    "SCAN_ELIGIBILITY_EXPIRED": "the image is too old to be scanned again: push it again",
    "FINDINGS_UNAVAILABLE": "ECR has no findings for this image",
    "LIMIT_EXCEEDED": "a scanning limit was exceeded",
    "IMAGE_ARCHIVED": "the image is archived, and archived images are not scanned",
    "IMAGE_SIZE_EXCEEDED": "the image is too large for the scanner",
}


def state_of(status: str, description: str = "") -> tuple[ScanState, str]:
    """What a scan status of ECR means; a status that we don't know is unscanned, never clean.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanStatus.html
    """
    if status in _SCANNED:
        return ScanState.SCANNED, "scanned"
    if status in _WAITING:
        return ScanState.WAITING, "the scan is not finished"
    explanation = _UNSCANNED.get(status, f"ECR answered with a scan status that we don't know, {status}")
    return ScanState.UNSCANNED, f"{explanation} ({description})" if description else explanation
