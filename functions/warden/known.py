"""What was known of an image when it was judged, and what a later look, or the next image of its line, adds to that."""

import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from warden.findings import Finding, Scan
from warden.names import Severity

_FINDING = struct.Struct(">8sHB")
"""A finding's key, the day on which it was first known, and the rank of its severity: 11 bytes."""
_GAP = struct.Struct(">8s")
_FIRST_DAY = date(1970, 1, 1)
MOST_KNOWN = 30_000
"""Findings that are remembered of an image: DynamoDB takes 400 KB. Those beyond are told again."""


class Verdict(StrEnum):
    """What is to be done about an image."""

    PASS = "pass"  # noqa: S105 - the word for it, not a password
    NOTIFY = "notify"
    BLOCK = "block"


class Seen(NamedTuple):
    """The day on which a finding was first known, and the rank of its severity then (`Severity.rank`)."""

    day: date
    rank: int


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of an image: `name` is what people call it, `findings` are those that counted, by their keys.

    `gaps` are the keys of platforms that were not scanned; `revision` counts how often what is known has changed, and
    `thread` is that of the notices about it: of an earlier image's, where there was nothing new to tell of this one.
    """

    name: str
    verdict: Verdict
    findings: Mapping[bytes, Seen]
    gaps: frozenset[bytes] = frozenset()
    revision: int = 0
    thread: str = ""

    def is_like(self, other: "Known") -> bool:
        """Whether nothing differs that anybody would want to hear of."""
        return (
            self.verdict is other.verdict
            and self.gaps == other.gaps
            and self.findings.keys() == other.findings.keys()
            and all(seen.rank == other.findings[key].rank for key, seen in self.findings.items())
        )

    def tells(self, finding: Finding) -> bool:
        """Whether the finding is in it, and was no milder then."""
        seen = self.findings.get(finding.key)
        return seen is not None and seen.rank <= finding.severity.rank

    def since(self, finding: Finding, today: date) -> date:
        """The day on which the finding was first known."""
        seen = self.findings.get(finding.key)
        return seen.day if seen else today

    def packed(self) -> tuple[bytes, bytes]:
        """The findings and the gaps, as `unpacked` reads them."""
        worst = sorted(self.findings.items(), key=lambda item: (item[1].rank, item[0]))
        findings = worst[:MOST_KNOWN]
        return (
            b"".join(_FINDING.pack(key, max(0, (seen.day - _FIRST_DAY).days), seen.rank) for key, seen in findings),
            b"".join(sorted(self.gaps)),
        )


def unpacked(name: str, verdict: str, findings: bytes, gaps: bytes, revision: int, thread: str) -> Known:
    """What `packed` wrote."""
    return Known(
        name,
        Verdict(verdict),
        {key: Seen(_FIRST_DAY + timedelta(days=day), rank) for key, day, rank in _FINDING.iter_unpack(findings)},
        frozenset(key for (key,) in _GAP.iter_unpack(gaps)),
        revision,
        thread,
    )


def known(
    name: str,
    verdict: Verdict,
    findings: Iterable[Finding],
    gaps: Iterable[Scan],
    *,
    before: "Before | None",
    today: date,
    found: Collection[bytes] | None = None,
) -> Known:
    """What is known of an image now; a finding that was known keeps its first day.

    `found` are the keys of all that was found, where what was known and is not among them may still be there: of a
    platform that was not scanned this time. So a scan that fails for a day makes nobody forget.
    """
    maybe = before.known.findings.items() if before and found is not None else ()
    unsure = {key: was for key, was in maybe if found is not None and key not in found}
    seen = {
        finding.key: Seen(before.known.since(finding, today) if before else today, finding.severity.rank)
        for finding in sorted(findings, key=lambda finding: -finding.severity.rank)
    }
    revision = before.known.revision + 1 if before and before.itself else 1
    return Known(name, verdict, {**unsure, **seen}, frozenset(scan.key for scan in gaps), revision)


@dataclass(frozen=True, slots=True)
class Before:
    """What was known before: of the very image (`itself`), or of the one before it in its tag line.

    `thread` is that of the notices about that image.
    """

    known: Known
    itself: bool
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the findings that count differ from those before; `fixed` is None where part of the image was not scanned."""

    before: Before
    introduced: tuple[Finding, ...]
    fixed: int | None
    stayed: int

    @property
    def severities(self) -> Mapping[Severity, int]:
        """How many of each severity were introduced, the worst first."""
        counts = dict.fromkeys(Severity, 0)
        for finding in self.introduced:
            counts[finding.severity] += 1
        return {severity: count for severity, count in counts.items() if count}


def compare(
    findings: Iterable[Finding], before: Before, *, whole: bool, found: Collection[bytes] = frozenset()
) -> Comparison:
    """Compare the findings that count with those before; `whole` says that every platform was scanned.

    `found` are the keys of all that was found: what is there and does not count any more is not fixed.
    """
    now = tuple(findings)
    introduced = tuple(finding for finding in now if not before.known.tells(finding))
    keys = {finding.key for finding in now}
    return Comparison(
        before,
        introduced,
        sum(key not in keys and key not in found for key in before.known.findings) if whole else None,
        len(keys) - len({finding.key for finding in introduced}),
    )
