"""What the warden says of one image's findings."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime

from warden import console
from warden.events import Home
from warden.exemptions import last_day
from warden.findings import Finding, Scan
from warden.images import Image
from warden.known import Comparison, Verdict
from warden.names import Severity, short
from warden.notices import Fact, Level, Line, Notice, Section, Span, bold, code, link, notice_id, plain
from warden.policy import Standard
from warden.verdicts import Exempted, Judgement

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


def judged(
    image: Image,
    platforms: tuple[str, ...],
    judgement: Judgement,
    standard: Standard,
    home: Home,
    *,
    now: datetime,
    owner: tuple[Fact, ...] = (),
) -> Notice:
    """The notice of an image about which there is news; `platforms` are those of an index, `owner` says whose it is."""
    if judgement.closes:
        return _clean(image, judgement, home, now=now)
    today = now.astimezone(UTC).date()
    sections = (
        Section(
            "Fix first",
            tuple(
                _finding_line(finding, judgement.due.get(finding), today) for finding in judgement.news[:MOST_FINDINGS]
            ),
            more=max(0, len(judgement.news) - MOST_FINDINGS),
        ),
        Section("Not scanned, so not known to be clean", tuple(map(_unscanned_line, judgement.gaps))),
    )
    facts = (
        *_image_facts(image, platforms),
        *owner,
        Fact("Fix by", _fix_by(judgement, today)),
        *_inspector_facts(judgement),
        *_aside(judgement),
    )
    return Notice(
        id=notice_id(str(image.id), judgement.fingerprint),
        kind="findings" if judgement.news else "unscanned",
        level=_level(judgement),
        title=_title(image, judgement),
        subject=str(image.id),
        summary=_summary(judgement, standard),
        sections=tuple(section for section in sections if section.items),
        facts=tuple(fact for fact in facts if fact.value),
        next_step=_next_step(judgement),
        links=(link("Open in ECR", console.image_page(home, image.id)),),
        footer=console.footer(home, str(image.id)),
        thread=str(image.id),
        at=now.isoformat(),
    )


def because(judgement: Judgement, standard: Standard) -> str:
    """What decided the verdict, in a line."""
    reasons = [
        f"{_findings(count)} from {threshold.lower()} on ({standard.origins[f'findings.{name}']})"
        for name, threshold in (
            ("block_from", standard.findings.block_from),
            ("notify_from", standard.findings.notify_from),
        )
        if (count := sum(finding.severity.reaches(threshold) for finding in judgement.counting))
    ]
    if judgement.unscanned:
        reasons.append(_number(len(judgement.unscanned), "manifest was not scanned", "manifests were not scanned"))
    return "; ".join(reasons) or f"nothing counts from {standard.findings.notify_from.lower()} on"


def _clean(image: Image, judgement: Judgement, home: Home, *, now: datetime) -> Notice:
    """What was bad is well: said where it was said that it was bad."""
    comparison = judgement.comparison
    if comparison is None:
        raise ValueError("nothing was known before that could be over")
    before = comparison.before
    gone = f"Fixes {comparison.fixed} of " if comparison.fixed else "Nothing is left to tell of "
    summary = (
        bold(counted(judgement)),
        plain(f". {gone}"),
        *((plain("those it had"),) if before.itself else (code(before.known.name),)),
        plain("; verdict "),
        bold(judgement.verdict),
        plain("."),
    )
    facts = (*_image_facts(image, ()), *_aside(judgement))
    return Notice(
        id=notice_id(str(image.id), judgement.fingerprint),
        kind="clean",
        level=Level.GOOD,
        title=f"{image.name} is clean again"
        if before.itself
        else f"{image.name} is clean, after {_tag(before.known.name)}",
        subject=str(image.id),
        summary=summary,
        facts=tuple(fact for fact in facts if fact.value),
        links=(link("Open in ECR", console.image_page(home, image.id)),),
        footer=console.footer(home, str(image.id)),
        thread=before.thread,
        at=now.isoformat(),
    )


def _tag(name: str) -> str:
    """What tells an image from others of its repository, out of its name.

    >>> _tag("team/app:v1"), _tag("team/app@sha256:41d9be20c0ff")
    ('v1', 'sha256:41d9be20c0ff')
    """
    return name.partition("@")[2] or name.rpartition(":")[2]


def _level(judgement: Judgement) -> Level:
    if not judgement.news:
        return Level.ATTENTION
    return Level.CRITICAL if judgement.news[0].severity is Severity.CRITICAL else Level.HIGH


def _title(image: Image, judgement: Judgement) -> str:
    if not judgement.news:
        return f"{image.name} could not be scanned"
    new = "new " if judgement.new_only and judgement.comparison else ""
    news = Counter(finding.severity for finding in judgement.news)
    worst = ", ".join(f"{news[severity]} {new}{severity.lower()}" for severity in Severity if news[severity])
    return f"{worst} in {image.name}"


def _summary(judgement: Judgement, standard: Standard) -> Line:
    if not judgement.news:
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
        *(_compared(judgement.comparison) if judgement.comparison else ()),
    )


def _compared(comparison: Comparison) -> Line:
    """What differs from before, in numbers."""
    since = "the last look" if comparison.before.itself else _tag(comparison.before.known.name)
    fixed = "" if comparison.fixed is None else f", fixed {comparison.fixed}"
    return (
        plain(" Since "),
        plain(since) if comparison.before.itself else code(since),
        plain(": introduced "),
        bold(str(len(comparison.introduced))),
        plain(f"{fixed}, {comparison.stayed} known."),
    )


def _finding_line(finding: Finding, due: date | None, today: date) -> Line:
    score = f" · CVSS {finding.score:.1f}" if finding.score is not None else ""
    epss = f" · EPSS {finding.epss:.0%}" if finding.epss is not None else ""
    fixed = (plain(" → "), bold(finding.fixed_in)) if finding.fixed_in else (plain(" · no fix stated"),)
    exploit = (plain(" · "), bold("exploit known")) if finding.exploit else ()
    kind = f" ({finding.kind})" if finding.kind else ""
    return (
        _name(finding),
        plain(f"  {finding.severity.lower()}{score}{epss} · "),
        code(finding.package),
        plain(f" {finding.version}{kind}"),
        *fixed,
        *exploit,
        *((plain(" · "), bold(f"was due {due:%d %b %Y}")) if due and due < today else ()),
    )


def _name(finding: Finding) -> Span:
    """The name, as a link where it has the form of an identifier whose page we know."""
    url = page_of(finding.name)
    return link(finding.name, url) if url else code(finding.name)


def page_of(vulnerability: str) -> str | None:
    """The page of a vulnerability, by the form of its identifier."""
    if _CVE.fullmatch(vulnerability):
        return f"https://nvd.nist.gov/vuln/detail/{vulnerability}"
    return f"https://github.com/advisories/{vulnerability}" if _ADVISORY.fullmatch(vulnerability) else None


def _unscanned_line(scan: Scan) -> Line:
    return (bold(scan.platform), plain(f"  {scan.explanation}")) if scan.platform else (plain(scan.explanation),)


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


def _fix_by(judgement: Judgement, today: date) -> str:
    """The next day by which something is to be fixed, and how much is late; of everything told, new or not."""
    late = [due for due in judgement.due.values() if due < today]
    ahead = [due for due in judgement.due.values() if due >= today]
    said = f"{min(ahead):%d %b %Y}" if ahead else ""
    overdue = (
        f"{_number(len(late), 'finding is', 'findings are')} overdue, the first since {min(late):%d %b %Y}"
        if late
        else ""
    )
    return "; ".join(part for part in (said, overdue) if part)


def _inspector_facts(judgement: Judgement) -> tuple[Fact, ...]:
    """What only enhanced scanning knows."""
    running = _number(judgement.in_use, "task or pod", "tasks and pods") if judgement.in_use else ""
    suppressed = _number(judgement.suppressed, "finding", "findings") if judgement.suppressed else ""
    return (Fact("Running in", running), Fact("Suppressed in Inspector", suppressed))


def _aside(judgement: Judgement) -> tuple[Fact, ...]:
    """What was found and does not count, and what counts again."""
    return (
        Fact("Accepted", _until(judgement.exempted, "until")),
        Fact("No longer accepted", _until(judgement.lapsed, "since")),
        Fact("Without a fix, left aside", _findings(judgement.unfixable)),
        Fact("Without a known exploit, left aside", _findings(judgement.unexploited)),
        Fact("Unlikely to be exploited, left aside", _findings(judgement.improbable)),
    )


def _findings(count: int) -> str:
    return _number(count, "finding", "findings") if count else ""


def _until(exempted: Iterable[Exempted], word: str) -> str:
    named = [f"{one.finding.name} {word} {last_day(one.exemption):%d %b %Y}" for one in exempted]
    rest = len(named) - MOST_EXEMPTED
    return ", ".join(named[:MOST_EXEMPTED]) + (f" and {rest} more" if rest > 0 else "")


def _next_step(judgement: Judgement) -> Line:
    if not judgement.news:
        return (
            plain("Basic scanning reads the package lists of common Linux distributions. For others, turn on "),
            link("enhanced scanning", _SETTINGS_PAGE),
            plain("."),
        )
    fixable = tuple(dict.fromkeys(finding.package for finding in judgement.news if finding.fixed_in))
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
