"""What the warden says, as notices: on one image's findings, on one repository's drift."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC

from warden import console
from warden.actions import ActionKind, Deed, Result
from warden.events import Home, RepositoryChanged
from warden.exemptions import last_day
from warden.findings import Exempted, Finding, Judgement, Scan, Verdict
from warden.images import Image
from warden.names import Severity, short
from warden.notices import Fact, Level, Line, Notice, Section, Span, bold, code, link, notice_id, plain
from warden.policy import Standard

MOST_FINDINGS = 10
MOST_TAGS = 5
MOST_PACKAGES = 3
MOST_EXEMPTED = 3

_CVE = re.compile(r"CVE-\d{4}-\d{4,19}")
_ADVISORY = re.compile(r"GHSA(-[23456789cfghjmpqrvwx]{4}){3}")
_SETTINGS_PAGE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html"


def counted(judgement: Judgement) -> str:
    """The counts by severity, in words.

    `2 critical · 1 high`, or `no findings`.
    """
    words = (f"{count} {severity.lower()}" for severity, count in judgement.counts.items())
    return " · ".join(words) or "no findings"


def judged(image: Image, platforms: tuple[str, ...], judgement: Judgement, standard: Standard, home: Home) -> Notice:
    """The notice of an image whose verdict is not `pass`; `platforms` are those of an index."""
    sections = (
        Section(
            "Fix first",
            tuple(map(_finding_line, judgement.told[:MOST_FINDINGS])),
            more=max(0, len(judgement.told) - MOST_FINDINGS),
        ),
        Section("Not scanned, so not known to be clean", tuple(map(_unscanned_line, judgement.unscanned))),
    )
    facts = (*_image_facts(image, platforms), *_inspector_facts(judgement), *_aside(judgement))
    return Notice(
        id=notice_id(str(image.id), judgement.fingerprint),
        kind="findings" if judgement.told else "unscanned",
        level=_level(judgement),
        title=_title(image, judgement),
        subject=str(image.id),
        summary=_summary(judgement, standard),
        sections=tuple(section for section in sections if section.items),
        facts=tuple(fact for fact in facts if fact.value),
        next_step=_next_step(judgement),
        links=(link("Open in ECR", console.image_page(home, image.id)),),
        footer=console.footer(home, str(image.id)),
    )


def drift(event: RepositoryChanged, deeds: tuple[Deed, ...], home: Home) -> Notice | None:
    """The notice of one repository that had left its standard; None where nothing is news.

    News is what was done, and what this change made differ: a difference that stood before is the sweep's to tell. A
    repository that was only just made and took its standard is none: nobody changed anything.
    """
    if event.call == "CreateRepository" and all(deed.result in {Result.DONE, Result.REPORTED} for deed in deeds):
        return None
    deeds = tuple(deed for deed in deeds if deed.result in _DEEDS or deed.action.kind in _touched(event.call))
    if not deeds:
        return None
    results = {deed.result for deed in deeds}
    if results & {Result.BLOCKED, Result.REFUSED}:
        level, title = Level.ATTENTION, f"settings of {event.repository} need a person"
        next_step = "See the reason above: the warden can't bring this repository to its standard by itself."
    elif Result.DONE in results:
        level, title = Level.CHANGE, f"settings of {event.repository} were set back"
        next_step = "Changed on purpose? Write it in the policy for this repository, or it is set back each time."
    else:
        level, title = Level.CHANGE, f"{event.repository} leaves its standard"
        next_step = "Nothing was changed: the policy is in report mode here. Enforce it to have this set back."
    # What only a person can mend is told once, whatever else is changed meanwhile.
    news = "" if results == {Result.BLOCKED} else event.id
    return Notice(
        id=notice_id(news, event.repository, *map(str, deeds)),
        kind="drift",
        level=level,
        title=title,
        subject=event.repository,
        summary=(bold(event.call), plain(" by "), code(event.actor)),
        sections=(Section("Settings", tuple(map(_deed_line, deeds))),),
        facts=(
            Fact("Repository", event.repository),
            Fact("Rule", ", ".join(sorted({deed.action.origin for deed in deeds}))),
        ),
        next_step=(plain(next_step),),
        links=(link("Open in ECR", console.repository_page(home, event.repository)),),
        footer=console.footer(home, event.repository),
    )


def _touched(call: str) -> Collection[ActionKind]:
    """What a call can make differ: any part of the standard where it makes the repository, or tags it."""
    return _TOUCHED.get(call, tuple(ActionKind))


_DEEDS = frozenset({Result.DONE, Result.REFUSED})
_ACCESS = (ActionKind.SET_ACCESS_POLICY, ActionKind.DELETE_ACCESS_POLICY, ActionKind.REVIEW_ACCESS_POLICY)
_TOUCHED: Mapping[str, Collection[ActionKind]] = {
    "PutImageTagMutability": (ActionKind.SET_TAG_IMMUTABILITY,),
    "PutImageScanningConfiguration": (ActionKind.SET_SCAN_ON_PUSH,),
    "PutLifecyclePolicy": (ActionKind.PUT_LIFECYCLE_POLICY,),
    "DeleteLifecyclePolicy": (ActionKind.PUT_LIFECYCLE_POLICY,),
    "SetRepositoryPolicy": _ACCESS,
    "DeleteRepositoryPolicy": _ACCESS,
}


def _level(judgement: Judgement) -> Level:
    if not judgement.told:
        return Level.ATTENTION
    return Level.CRITICAL if judgement.told[0].severity is Severity.CRITICAL else Level.HIGH


def _title(image: Image, judgement: Judgement) -> str:
    if not judgement.told:
        return f"{image.name} could not be scanned"
    told = Counter(finding.severity for finding in judgement.told)
    worst = ", ".join(f"{told[severity]} {severity.lower()}" for severity in Severity if told[severity])
    return f"{worst} in {image.name}"


def _summary(judgement: Judgement, standard: Standard) -> Line:
    if not judgement.told:
        known = f" What was scanned has {counted(judgement)}." if judgement.counts else ""
        return (plain("It is "), bold("unscanned, not clean"), plain(f".{known}"))
    threshold = "block" if judgement.verdict is Verdict.BLOCK else "notify"
    severity = standard.findings.block_from if judgement.verdict is Verdict.BLOCK else standard.findings.notify_from
    origin = standard.origins[f"findings.{threshold}_from"]
    return (
        bold(counted(judgement)),
        plain(". Verdict "),
        bold(judgement.verdict),
        plain(f", from {severity.lower()} on, by {origin}."),
    )


def _finding_line(finding: Finding) -> Line:
    score = f" · CVSS {finding.score:.1f}" if finding.score is not None else ""
    fixed = (plain(" → "), bold(finding.fixed_in)) if finding.fixed_in else (plain(" · no fix stated"),)
    exploit = (plain(" · "), bold("exploit known")) if finding.exploit else ()
    kind = f" ({finding.kind})" if finding.kind else ""
    return (
        _name(finding),
        plain(f"  {finding.severity.lower()}{score} · "),
        code(finding.package),
        plain(f" {finding.version}{kind}"),
        *fixed,
        *exploit,
    )


def _name(finding: Finding) -> Span:
    """The name, as a link where it has the form of an identifier whose page we know."""
    if _CVE.fullmatch(finding.name):
        return link(finding.name, f"https://nvd.nist.gov/vuln/detail/{finding.name}")
    if _ADVISORY.fullmatch(finding.name):
        return link(finding.name, f"https://github.com/advisories/{finding.name}")
    return code(finding.name)


def _unscanned_line(scan: Scan) -> Line:
    return (bold(scan.platform), plain(f"  {scan.explanation}")) if scan.platform else (plain(scan.explanation),)


def _deed_line(deed: Deed) -> Line:
    note = f" · {deed.remark}" if deed.remark else ""
    return (
        plain(f"{deed.action.field}  "),
        code(deed.action.before),
        plain(" → "),
        code(deed.action.after),
        plain(note),
    )


def _image_facts(image: Image, platforms: tuple[str, ...]) -> tuple[Fact, ...]:
    rest = len(image.tags) - MOST_TAGS
    tags = ", ".join(image.tags[:MOST_TAGS]) + (f" and {rest} more" if rest > 0 else "")
    return (
        Fact("Repository", image.id.repository),
        Fact("Tags", tags or "none"),
        Fact("Digest", short(image.id.digest)),
        Fact("Platforms", ", ".join(platforms)),
        Fact("Pushed", image.pushed_at.astimezone(UTC).strftime("%d %b %Y %H:%M UTC")),
    )


def _inspector_facts(judgement: Judgement) -> tuple[Fact, ...]:
    """What only enhanced scanning knows."""
    running = _number(judgement.in_use, "task or pod", "tasks and pods") if judgement.in_use else ""
    suppressed = _number(judgement.suppressed, "finding", "findings") if judgement.suppressed else ""
    return (Fact("Running in", running), Fact("Suppressed in Inspector", suppressed))


def _aside(judgement: Judgement) -> tuple[Fact, ...]:
    """What was found and does not count, and what counts again."""
    unfixable = _number(judgement.unfixable, "finding", "findings") if judgement.unfixable else ""
    return (
        Fact("Accepted", _until(judgement.exempted, "until")),
        Fact("No longer accepted", _until(judgement.lapsed, "since")),
        Fact("Without a fix, left aside", unfixable),
    )


def _until(exempted: tuple[Exempted, ...], word: str) -> str:
    rest = len(exempted) - MOST_EXEMPTED
    named = (f"{one.finding.name} {word} {last_day(one.exemption):%d %b %Y}" for one in exempted[:MOST_EXEMPTED])
    return ", ".join(named) + (f" and {rest} more" if rest > 0 else "")


def _next_step(judgement: Judgement) -> Line:
    if not judgement.told:
        return (
            plain("Basic scanning reads the package lists of common Linux distributions. For others, turn on "),
            link("enhanced scanning", _SETTINGS_PAGE),
            plain("."),
        )
    fixable = tuple(dict.fromkeys(finding.package for finding in judgement.told if finding.fixed_in))
    if not fixable:
        return (plain("The scanner states no fix: rebuild on a newer base image, or take the packages out."),)
    spans = [plain("Update ")]
    for number, package in enumerate(fixable[:MOST_PACKAGES]):
        spans += [plain(", " if number else ""), code(package)]
    rest = len(fixable) - MOST_PACKAGES
    more = f" and {_number(rest, 'more package', 'more packages')}" if rest > 0 else ""
    return (*spans, plain(f"{more}, rebuild, and push under a new tag."))


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
