"""Scan results and what they lead to: each file of `scans/` is one image, judged as the warden judges it.

`scans/README.md` says what stands in a file. `outcome` goes the way of `warden.looking` with recorded answers in the
place of AWS; `actual` puts all that came of it into the shape of a file's `expected`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml

from policy.compiled import compile_text
from tests.builders import HOME, digest, vector
from warden import verdict_notice
from warden.channels.headings import heading
from warden.channels.room import HEAVIEST
from warden.compiled_policy import from_compiled
from warden.exemptions import of_repository
from warden.findings import Finding, Scan, ScanState
from warden.images import Image
from warden.known import Before, unpacked
from warden.names import ImageId, RepositoryName, Tag
from warden.notices import Line, Notice
from warden.policy import Exemption, Standard
from warden.scan_results import scan_of
from warden.standards import standard_of
from warden.text import clean
from warden.verdicts import Exempted, Judgement, judge

FOLDER = Path(__file__).with_name("scans")
COMPOSED = "composed from the API's shape"
_TITLE = 150
_LINE = 1_000
_NAME = 160
_MOST_NAMED = 12
_CHANNELS = "channels:\n  platform: {type: slack, secret: warden/slack-platform}\n"


@dataclass(frozen=True, slots=True)
class Case:
    """One file: `name` is the file's, `told` what it says."""

    name: str
    told: Mapping[str, Any]

    @property
    def expected(self) -> Mapping[str, Any]:
        """What is to come of it."""
        expected: Mapping[str, Any] = self.told["expected"]
        return expected

    @property
    def today(self) -> date:
        """The day of the look, in UTC."""
        return date.fromisoformat(self.told["today"])

    @property
    def image(self) -> Image:
        """The image; it was pushed at the beginning of its day."""
        return self._image(self.name, self.told["image"]["tags"], self.told["image"]["pushed"])

    @property
    def image_before(self) -> Image:
        """The image that was known before, be it this one."""
        before = self.told["before"]
        if before.get("itself"):
            return self.image
        return self._image(f"{self.name} before", before["tags"], before["day"])

    def _image(self, seed: str, tags: Sequence[str], pushed: str) -> Image:
        repository = RepositoryName(self.told["image"]["repository"])
        several = len(self.told["platforms"]) > 1
        at = datetime.fromisoformat(pushed).replace(tzinfo=UTC)
        return Image(ImageId(repository, digest(seed)), tuple(map(Tag, tags)), at, is_index=several)

    @property
    def pages(self) -> list[list[Any]]:
        """The pages of the answers, a list for each platform."""
        return [pages_of(platform) for platform in self.told["platforms"]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case: no judgement while a scan goes on, and no notice where there is nothing to tell."""

    scans: tuple[Scan, ...]
    standard: Standard
    before: Before | None = None
    judgement: Judgement | None = None
    notice: Notice | None = None


def cases() -> list[Case]:
    """All of them, by name."""
    return [Case(path.stem, yaml.safe_load(path.read_text("utf-8"))) for path in sorted(FOLDER.glob("*.yaml"))]


def pages_of(platform: Mapping[str, Any]) -> list[Any]:
    """The pages of one answer: written out, the name of a recorded one, or so many composed ones."""
    if "composed" in platform:
        return list(_composed(**platform["composed"]))
    return [vector(page) if isinstance(page, str) else page for page in platform["pages"]]


def _composed(pages: int, findings: int, severities: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Pages of basic scanning with so many findings each, whose severities take turns."""
    for page in range(pages):
        numbers = range(page * findings, (page + 1) * findings)
        yield {
            "imageScanStatus": {"status": "COMPLETE"},
            "imageScanFindings": {
                "findings": [
                    {
                        "name": f"CVE-2026-{10_000 + number}",
                        "severity": severities[number % len(severities)],
                        "attributes": [
                            {"key": "package_name", "value": f"package{number % 7}"},
                            {"key": "package_version", "value": f"1.{number}"},
                        ],
                    }
                    for number in numbers
                ]
            },
        }


def outcome(case: Case) -> Outcome:
    """What the warden makes of a case."""
    standard, exemptions = _asked(case)
    scans = _scans(case.told["platforms"], case.told.get("epss"))
    if any(scan.state is ScanState.WAITING for scan in scans):
        return Outcome(scans, standard)
    before = _before(case, standard, exemptions) if "before" in case.told else None
    judgement = judge(scans, standard.findings, exemptions, today=case.today, before=before)
    if not judgement.is_news:
        return Outcome(scans, standard, before, judgement)
    now = datetime(case.today.year, case.today.month, case.today.day, 12, tzinfo=UTC)
    platforms = tuple(scan.platform for scan in scans if scan.platform)
    notice = verdict_notice.judged(case.image, platforms, judgement, standard, HOME, now=now)
    return Outcome(scans, standard, before, judgement, notice)


def policy_text(case: Case) -> str:
    """The policy as its user wrote it."""
    findings = indent(case.told.get("policy", ""), "    ")
    exemptions = indent(case.told.get("exemptions", ""), "  ")
    return (
        "version: 1\ndefaults:\n  channels: [platform]\n"
        + (f"  findings:\n{findings}" if findings else "")
        + (f"exemptions:\n{exemptions}" if exemptions else "")
        + _CHANNELS
    )


@cache
def _compiled(text: str) -> Any:
    return compile_text(text.encode(), file="warden.yaml", name="warden.yaml")


def _asked(case: Case) -> tuple[Standard, tuple[Exemption, ...]]:
    policy = from_compiled(_compiled(policy_text(case)))
    repository = case.image.id.repository
    return standard_of(policy, repository, {}), of_repository(policy.exemptions, repository)


def _scans(platforms: Sequence[Mapping[str, Any]], epss: Mapping[str, float] | None) -> tuple[Scan, ...]:
    scans = tuple(replace(scan_of(pages_of(platform)), platform=platform.get("name", "")) for platform in platforms)
    if epss is None:
        return scans
    return tuple(
        replace(scan, findings=tuple(replace(found, epss=epss.get(found.name)) for found in scan.findings))
        for scan in scans
    )


def _before(case: Case, standard: Standard, exemptions: Sequence[Exemption]) -> Before:
    """What was known, as it is kept."""
    told = case.told["before"]
    day = date.fromisoformat(told["day"])
    accepted = exemptions if told.get("exemptions", True) else ()
    judgement = judge(_scans(told["platforms"], case.told.get("epss")), standard.findings, accepted, today=day)
    known = judgement.known(case.image_before.name, day)
    kept = unpacked(known.name, known.verdict.value, *known.packed(), known.revision, known.thread)
    return Before(kept, itself=bool(told.get("itself")), thread=str(case.image_before.id))


def actual(case: Case) -> dict[str, Any]:
    """What came of a case, as it stands in a file: what is none or nothing is left out."""
    came = outcome(case)
    if came.judgement is None:
        return {"waiting": True}
    said = {**_judged(came.judgement), "message": text(came.notice) if came.notice else []}
    if came.notice:
        said |= {"kind": came.notice.kind, "level": came.notice.level.value, "title": came.notice.title}
    order = [*(key for key in said if key != "message"), "message"]
    return {key: said[key] for key in order if said[key]} | ({} if came.notice else {"silent": True})


def _judged(judgement: Judgement) -> dict[str, Any]:
    comparison = judgement.comparison
    compared = comparison and {
        "introduced": len(comparison.introduced),
        "fixed": "unknown" if comparison.fixed is None else comparison.fixed,
        "known": comparison.stayed,
    }
    return {
        "verdict": judgement.verdict.value,
        "counts": {severity.value: count for severity, count in judgement.counts.items()},
        "told": _names(judgement.told),
        "news": _names(judgement.news),
        "compared": compared,
        "unscanned": [clean(f"{scan.platform} {scan.explanation}".strip(), _NAME) for scan in judgement.unscanned],
        "in_use": judgement.in_use,
        "suppressed": judgement.suppressed,
        "exempted": _exempted(judgement.exempted),
        "lapsed": _exempted(judgement.lapsed),
        "unfixable": judgement.unfixable,
        "unexploited": judgement.unexploited,
        "improbable": judgement.improbable,
        "due": [f"{_name(found)} by {judgement.due[found]}" for found in judgement.told if found in judgement.due],
    }


def _names(findings: Sequence[Finding]) -> list[str]:
    """The findings in their order; of many the first and the number."""
    names = [_name(finding) for finding in findings]
    return names if len(names) <= _MOST_NAMED else [*names[:_MOST_NAMED], f"and {len(names) - _MOST_NAMED} more"]


def _name(finding: Finding) -> str:
    return clean(f"{finding.name} in {finding.package} {finding.version}", _NAME)


def _exempted(exempted: Sequence[Exempted]) -> list[str]:
    return [f"{one.finding.name} in {one.finding.package} by {one.exemption.origin}" for one in exempted]


def text(notice: Notice) -> list[str]:
    """The message as plain text, line by line."""
    lines = [heading(notice, _TITLE, _TITLE * HEAVIEST), _plain(notice.summary)]
    for section in notice.sections:
        lines += [clean(section.title, _LINE), *(f"• {_plain(item)}" for item in section.items)]
        lines += [f"…and {section.more} more"] if section.more else []
    lines += [clean(f"{fact.label}: {fact.value}", _LINE) for fact in notice.facts]
    lines += [f"Next step: {_plain(notice.next_step)}"] if notice.next_step else []
    return [*lines, _plain(notice.links), clean(notice.footer, _LINE)]


def _plain(line: Line) -> str:
    return clean("".join(span.text for span in line), _LINE)
