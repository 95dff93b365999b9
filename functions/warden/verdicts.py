"""The verdict on an image: what its scans found, held against the standard, and what of that is news."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from warden.exemptions import covers, last_day
from warden.findings import Finding, Scan, ScanState
from warden.known import Before, Comparison, Known, Verdict, compare, known
from warden.names import Severity
from warden.policy import Exemption, FindingsStandard


class Exempted(NamedTuple):
    """A finding that somebody accepted, or had accepted."""

    finding: Finding
    exemption: Exemption


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one image, with what decided it.

    `told` are the findings that reach the notify or the block threshold, worst first, and `news` those of them that are
    told now; `counts` count every finding once, however many platforms have it, and `found` are the keys of them all,
    suppressed ones included; `unscanned` explains each platform that nothing is known of. `suppressed` counts what a
    rule of Amazon Inspector hides, `in_use` how many tasks and pods run the image. `exempted` do not count for now,
    `lapsed` are those told ones whose exemption is over; `unfixable`, `unexploited` and `improbable` count those that
    the standard leaves aside. `due` says by when a told finding is to be fixed, and `comparison` what differs from
    before, where there is a before.
    """

    verdict: Verdict
    told: tuple[Finding, ...]
    counts: Mapping[Severity, int]
    unscanned: tuple[Scan, ...]
    news: tuple[Finding, ...] = ()
    counting: tuple[Finding, ...] = ()
    found: frozenset[bytes] = frozenset()
    suppressed: int = 0
    in_use: int = 0
    exempted: tuple[Exempted, ...] = ()
    lapsed: tuple[Exempted, ...] = ()
    unfixable: int = 0
    unexploited: int = 0
    improbable: int = 0
    due: Mapping[Finding, date] = field(default_factory=dict)
    comparison: Comparison | None = None
    new_only: bool = False

    @property
    def gaps(self) -> tuple[Scan, ...]:
        """The platforms that nothing is known of, where that is to be told: of an image once, of the next one again."""
        before = self.comparison.before if self.comparison else None
        if before is None or not (before.itself or self.new_only):
            return self.unscanned
        return tuple(scan for scan in self.unscanned if scan.key not in before.known.gaps)

    @property
    def revision(self) -> int:
        """How often what is known of this very image has changed before: each change is told of once."""
        before = self.comparison.before if self.comparison else None
        return before.known.revision if before and before.itself else 0

    @property
    def is_repetition(self) -> bool:
        """Whether all of it was known of this very image."""
        before = self.comparison.before if self.comparison else None
        if before is None or not before.itself:
            return False
        return not self.is_news and self.known(before.known.name, date.min).is_like(before.known)

    @property
    def is_news(self) -> bool:
        """Whether there is something to tell at all."""
        return bool(self.news or self.gaps or self.closes)

    @property
    def closes(self) -> bool:
        """Whether all is well, and was not before."""
        return self.verdict is Verdict.PASS and self.was not in {None, Verdict.PASS}

    @property
    def was(self) -> Verdict | None:
        """The verdict before, on this image or on the one before it."""
        return self.comparison.before.known.verdict if self.comparison else None

    @property
    def fingerprint(self) -> str:
        """The same for the same news: a repeated scan with nothing new has the fingerprint of the one before."""
        news = [f"{finding.name} {finding.package} {finding.version} {finding.severity}" for finding in self.news]
        news += [f"{scan.platform} {scan.explanation}" for scan in self.gaps]
        # What was told before it was accepted is news once more when that is over.
        news += [f"{one.finding.name} {one.finding.package} {one.exemption.until}" for one in self.lapsed]
        news += [f"closes {self.was}"] if self.closes else []
        said = [self.verdict, str(self.revision), *sorted(news)]
        return hashlib.sha256("\n".join(said).encode(errors="replace")).hexdigest()[:16]

    def known(self, name: str, today: date) -> Known:
        """What is known of the image from now on; `name` is what people call it."""
        before = self.comparison.before if self.comparison else None
        unsure = self.unscanned and before and (before.itself or self.new_only)
        found = self.found if unsure else None
        return known(name, self.verdict, self.counting, self.unscanned, before=before, today=today, found=found)


def judge(
    scans: Iterable[Scan],
    standard: FindingsStandard,
    exemptions: Sequence[Exemption] = (),
    *,
    today: date = date.min,
    before: Before | None = None,
) -> Judgement:
    """The verdict over an image's scans, one for each of its platforms; `exemptions` are the repository's.

    A platform that was not scanned makes at least `notify`: unknown is never clean. What the standard leaves aside is
    what surely may be: a finding whose fix, exploit or probability is unknown counts. Scans that still wait must not
    get here. `before` is what was known of the image, or else of the one before it.
    """
    scans = tuple(scans)
    everything = {finding for scan in scans for finding in scan.findings}
    accepted = {finding: exemption for finding in everything if (exemption := _exemption(finding, exemptions))}
    exempted = {finding: one for finding, one in accepted.items() if last_day(one) >= today}
    aside = _aside(everything - set(exempted), standard)
    counting = tuple(sorted(everything - set(exempted) - set(aside), key=_worst_first))
    threshold = max(standard.notify_from, standard.block_from, key=lambda severity: severity.rank)
    told = tuple(finding for finding in counting if finding.severity.reaches(threshold))
    unscanned = tuple(scan for scan in scans if scan.state is not ScanState.SCANNED)
    suppressed = {finding for scan in scans for finding in scan.suppressed}
    found = frozenset(finding.key for finding in everything | suppressed)
    tally = Counter(finding.severity for finding in everything)
    reasons = Counter(aside.values())
    return Judgement(
        _verdict(counting, told, unscanned, standard),
        told,
        {severity: tally[severity] for severity in Severity if tally[severity]},
        unscanned,
        news=_news(told, standard, before),
        counting=counting,
        found=found,
        suppressed=len(suppressed - everything),
        in_use=sum(scan.in_use for scan in scans),
        exempted=tuple(Exempted(finding, exempted[finding]) for finding in sorted(exempted, key=_worst_first)),
        lapsed=tuple(Exempted(finding, accepted[finding]) for finding in told if finding in accepted),
        unfixable=reasons["unfixable"],
        unexploited=reasons["unexploited"],
        improbable=reasons["improbable"],
        due=_due(told, standard, before, today),
        comparison=compare(counting, before, whole=not unscanned, found=found) if before else None,
        new_only=standard.new_only,
    )


def _verdict(
    found: Sequence[Finding], told: Sequence[Finding], unscanned: Sequence[Scan], standard: FindingsStandard
) -> Verdict:
    """Of everything that counts, new or not: an image is no better for having been bad before."""
    if any(finding.severity.reaches(standard.block_from) for finding in found):
        return Verdict.BLOCK
    return Verdict.NOTIFY if told or unscanned else Verdict.PASS


def _news(told: tuple[Finding, ...], standard: FindingsStandard, before: Before | None) -> tuple[Finding, ...]:
    """All that is told of an image at its first look, unless only what is new is; later only where something is new."""
    new = tuple(finding for finding in told if before is None or not before.known.tells(finding))
    if before is None or standard.new_only:
        return new
    return told if new or not before.itself else ()


def _aside(findings: Iterable[Finding], standard: FindingsStandard) -> dict[Finding, str]:
    """The findings that surely may be left aside, each with the first reason."""
    return {finding: reason for finding in findings if (reason := _reason(finding, standard))}


def _reason(finding: Finding, standard: FindingsStandard) -> str:
    if standard.fixable_only and finding.unfixable:
        return "unfixable"
    if standard.exploited_only and finding.unexploited:
        return "unexploited"
    known_to_be_rare = standard.epss_from is not None and finding.epss is not None and finding.epss < standard.epss_from
    return "improbable" if known_to_be_rare and not finding.exploit else ""


def _due(
    told: Iterable[Finding], standard: FindingsStandard, before: Before | None, today: date
) -> dict[Finding, date]:
    """By when each is to be fixed, counted from the day on which it was first known."""
    within = standard.fix_within
    return {
        finding: (before.known.since(finding, today) if before else today) + timedelta(days=within[finding.severity])
        for finding in told
        if finding.severity in within
    }


def _exemption(finding: Finding, exemptions: Iterable[Exemption]) -> Exemption | None:
    """The exemption that lasts longest, which comes first."""
    return next((one for one in exemptions if covers(one, finding.name, finding.package)), None)


def _worst_first(finding: Finding) -> tuple[int, bool, float, float, str, str, str]:
    return (
        finding.severity.rank,
        not finding.exploit,
        -(finding.epss or 0.0),
        -(finding.score or 0.0),
        finding.name,
        finding.package,
        finding.version,
    )
