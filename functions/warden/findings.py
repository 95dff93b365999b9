"""Findings in one shape, and the verdict over them."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from warden.exemptions import covers, last_day
from warden.names import Severity
from warden.policy import Exemption, FindingsStandard


@dataclass(frozen=True, slots=True)
class Finding:
    """One vulnerability in one package.

    `fixed_in` is None where the scanner names no version, and `unfixable` says that there is none: basic scanning does
    not know. `kind` is the package manager where it is not the operating system's, and `exploit` says that an exploit
    is known; only enhanced scanning tells of these.
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
    Inspector looked, and `platform` is empty for an image that no index lists.
    """

    state: ScanState
    explanation: str
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Finding, ...] = ()
    in_use: int = 0
    platform: str = ""


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


class Exempted(NamedTuple):
    """A finding that somebody accepted, or had accepted."""

    finding: Finding
    exemption: Exemption


class Verdict(StrEnum):
    """What is to be done about an image."""

    PASS = "pass"  # noqa: S105 - the word for it, not a password
    NOTIFY = "notify"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one image, with what decided it.

    `told` are the findings that reach the notify or the block threshold, worst first; `counts` count every finding
    once, however many platforms have it; `unscanned` explains each platform that nothing is known of. `suppressed`
    counts what a rule of Amazon Inspector hides, `in_use` how many tasks and pods run the image. `exempted` do not
    count for now, `lapsed` are those told ones whose exemption is over, and `unfixable` counts those that the standard
    leaves aside because there is no fix.
    """

    verdict: Verdict
    told: tuple[Finding, ...]
    counts: Mapping[Severity, int]
    unscanned: tuple[Scan, ...]
    suppressed: int = 0
    in_use: int = 0
    exempted: tuple[Exempted, ...] = ()
    lapsed: tuple[Exempted, ...] = ()
    unfixable: int = 0

    @property
    def fingerprint(self) -> str:
        """The same for the same news: a repeated scan with nothing new has the fingerprint of the one before."""
        news = [f"{finding.name} {finding.package} {finding.version} {finding.severity}" for finding in self.told]
        news += [f"{scan.platform} {scan.explanation}" for scan in self.unscanned]
        # What was told before it was accepted is news once more when that is over.
        news += [f"{one.finding.name} {one.finding.package} {one.exemption.until}" for one in self.lapsed]
        return hashlib.sha256("\n".join([self.verdict, *sorted(news)]).encode()).hexdigest()[:16]


def judge(
    scans: Iterable[Scan], standard: FindingsStandard, exemptions: Sequence[Exemption] = (), *, today: date = date.min
) -> Judgement:
    """The verdict over an image's scans, one for each of its platforms; `exemptions` are the repository's.

    A platform that was not scanned makes at least `notify`: unknown is never clean. Where only fixable findings count,
    one whose fix is unknown counts, too. Scans that still wait must not get here.
    """
    scans = tuple(scans)
    everything = {finding for scan in scans for finding in scan.findings}
    accepted = {finding: exemption for finding in everything if (exemption := _exemption(finding, exemptions))}
    exempted = {finding: one for finding, one in accepted.items() if last_day(one) >= today}
    unfixable = {finding for finding in everything - set(exempted) if finding.unfixable and standard.fixable_only}
    found = everything - set(exempted) - unfixable
    threshold = max(standard.notify_from, standard.block_from, key=lambda severity: severity.rank)
    told = tuple(sorted((finding for finding in found if finding.severity.reaches(threshold)), key=_worst_first))
    unscanned = tuple(scan for scan in scans if scan.state is not ScanState.SCANNED)
    if any(finding.severity.reaches(standard.block_from) for finding in found):
        verdict = Verdict.BLOCK
    else:
        verdict = Verdict.NOTIFY if told or unscanned else Verdict.PASS
    tally = Counter(finding.severity for finding in everything)
    counts = {severity: tally[severity] for severity in Severity if tally[severity]}
    return Judgement(
        verdict,
        told,
        counts,
        unscanned,
        suppressed=len({finding for scan in scans for finding in scan.suppressed} - everything),
        in_use=sum(scan.in_use for scan in scans),
        exempted=tuple(Exempted(finding, exempted[finding]) for finding in sorted(exempted, key=_worst_first)),
        lapsed=tuple(Exempted(finding, accepted[finding]) for finding in told if finding in accepted),
        unfixable=len(unfixable),
    )


def _exemption(finding: Finding, exemptions: Iterable[Exemption]) -> Exemption | None:
    """The exemption that lasts longest, which comes first."""
    return next((one for one in exemptions if covers(one, finding.name, finding.package)), None)


def _worst_first(finding: Finding) -> tuple[int, bool, float, str, str]:
    return finding.severity.rank, not finding.exploit, -(finding.score or 0.0), finding.name, finding.package
