"""What the warden says of one image's findings."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from warden import console, next_steps
from warden.events import Home
from warden.exemptions import last_day
from warden.finding_lines import finding_line
from warden.findings import Scan
from warden.images import Image
from warden.known import Comparison, Verdict
from warden.names import Severity, short
from warden.notices import Fact, Level, Line, Notice, Section, bold, code, link, notice_id, plain
from warden.policy import Standard
from warden.verdicts import Exempted, Judgement

MOST_FINDINGS = 10
MOST_TAGS = 5
MOST_PLATFORMS = 12
MOST_EXEMPTED = 3


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
    comparison = judgement.comparison
    sections = (
        Section(
            "Fix first",
            tuple(
                finding_line(finding.shown, judgement.due.get(finding), today)
                for finding in judgement.news[:MOST_FINDINGS]
            ),
            more=max(0, len(judgement.news) - MOST_FINDINGS),
        ),
        Section(
            "Not scanned, so not known to be clean",
            tuple(map(_unscanned_line, judgement.gaps[:MOST_FINDINGS])),
            more=max(0, len(judgement.gaps) - MOST_FINDINGS),
        ),
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
        title=_title(image, platforms, judgement),
        subject=str(image.id),
        summary=_summary(platforms, judgement, standard),
        sections=tuple(section for section in sections if section.items),
        facts=tuple(fact for fact in facts if fact.value),
        next_step=next_steps.next_step(judgement),
        links=(link("Open in ECR", console.image_page(home, image.id)),),
        footer=console.footer(home, image.name if image.tags else str(image.id)),
        thread=comparison.before.thread if comparison and comparison.before.itself else str(image.id),
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
    passes = "passes" if judgement.counts or judgement.suppressed else "is clean"
    summary = (
        bold(counted(judgement)),
        plain(". "),
        *_gone(comparison),
        plain("; verdict "),
        bold(judgement.verdict),
        plain("."),
    )
    facts = (*_image_facts(image, ()), *_inspector_facts(judgement), *_aside(judgement))
    return Notice(
        id=notice_id(str(image.id), judgement.fingerprint),
        kind="clean",
        level=Level.GOOD,
        title=f"{image.name} {passes} {'now' if before.known.gaps else 'again'}"
        if before.itself
        else f"{image.name} {passes}, after {_tag(before.known.name)}",
        subject=str(image.id),
        summary=summary,
        facts=tuple(fact for fact in facts if fact.value),
        links=(link("Open in ECR", console.image_page(home, image.id)),),
        footer=console.footer(home, image.name if image.tags else str(image.id)),
        thread=before.thread,
        at=now.isoformat(),
    )


def _gone(comparison: Comparison) -> Line:
    """What became of what was: the same image can't be mended, only its findings be withdrawn."""
    before = comparison.before
    if comparison.fixed and before.itself:
        return (plain(f"{_number(comparison.fixed, 'finding is', 'findings are')} gone since the last look"),)
    if comparison.fixed:
        return (plain(f"Fixes {_findings(comparison.fixed)} of "), code(before.known.name))
    if before.known.gaps:
        return (plain("It") if before.itself else code(before.known.name), plain(" was not scanned before"))
    image = plain("it") if before.itself else code(before.known.name)
    return (plain("What was told of "), image, plain(" no longer counts"))


def _tag(name: str) -> str:
    """What tells an image from others of its repository, out of its name.

    >>> _tag("team/app:v1"), _tag("team/app@sha256:41d9be20c0ff")
    ('v1', 'sha256:41d9be20c0ff')
    """
    return name.partition("@")[2] or name.rpartition(":")[2]


def _level(judgement: Judgement) -> Level:
    if not judgement.news:
        return Level.ATTENTION
    loud = {Severity.CRITICAL: Level.CRITICAL, Severity.HIGH: Level.HIGH}
    return loud.get(judgement.news[0].severity, Level.ATTENTION)


def _title(image: Image, platforms: tuple[str, ...], judgement: Judgement) -> str:
    if not judgement.news:
        return f"{'part of ' if _is_partial(platforms, judgement) else ''}{image.name} could not be scanned"
    comparison = judgement.comparison
    new = "new " if judgement.new_only and comparison and not comparison.before.known.gaps else ""
    news = Counter(finding.severity for finding in judgement.news)
    worst = ", ".join(f"{news[severity]} {new}{severity.lower()}" for severity in Severity if news[severity])
    return f"{worst} in {image.name}"


def _is_partial(platforms: tuple[str, ...], judgement: Judgement) -> bool:
    return len(judgement.unscanned) < len(platforms)


def _summary(platforms: tuple[str, ...], judgement: Judgement, standard: Standard) -> Line:
    if not judgement.news:
        part = _is_partial(platforms, judgement)
        known = f" What was scanned has {counted(judgement)}." if part else ""
        return (plain("That part is " if part else "It is "), bold("unscanned, not clean"), plain(f".{known}"))
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
    before = comparison.before
    since = "the last look" if before.itself else _tag(before.known.name)
    fixed = "" if comparison.fixed is None else f", fixed {comparison.fixed}"
    return (
        plain(" Since "),
        plain(since) if before.itself else code(since),
        plain(", which was not wholly scanned: introduced " if before.known.gaps else ": introduced "),
        bold(str(len(comparison.introduced))),
        plain(f"{fixed}, {comparison.stayed} known."),
    )


def _unscanned_line(scan: Scan) -> Line:
    return (bold(scan.platform), plain(f"  {scan.why}")) if scan.platform else (plain(scan.why),)


def _image_facts(image: Image, platforms: tuple[str, ...]) -> tuple[Fact, ...]:
    return (
        Fact("Repository", image.id.repository),
        Fact("Tags", _some(image.tags, MOST_TAGS) or "none"),
        Fact("Digest", short(image.id.digest)),
        Fact("Platforms", _some(platforms, MOST_PLATFORMS)),
        Fact("Pushed", image.pushed_at.astimezone(UTC).strftime("%d %b %Y %H:%M UTC")),
    )


def _fix_by(judgement: Judgement, today: date) -> str:
    """The next day by which something is to be fixed, and how much is late; of everything told, new or not."""
    late = [due for due in judgement.due.values() if due < today]
    ahead = [due for due in judgement.due.values() if due >= today]
    said = f"{min(ahead):%d %b %Y}" if ahead else ""
    overdue = (
        f"{_number(len(late), 'finding is', 'findings are')} overdue, the first was due {min(late):%d %b %Y}"
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
        Fact("Accepted", _dated(judgement.exempted, "until", timedelta())),
        Fact("No longer accepted", _dated(judgement.lapsed, "since", timedelta(days=1))),
        Fact("Without a fix, left aside", _findings(judgement.unfixable)),
        Fact("Without a known exploit, left aside", _findings(judgement.unexploited)),
        Fact("Unlikely to be exploited, left aside", _findings(judgement.improbable)),
    )


def _findings(count: int) -> str:
    return _number(count, "finding", "findings") if count else ""


def _dated(exempted: Iterable[Exempted], word: str, after: timedelta) -> str:
    """Each with a day, so long after the last one on which it is accepted."""
    named = [f"{one.finding.shown.name} {word} {last_day(one.exemption) + after:%d %b %Y}" for one in exempted]
    return _some(named, MOST_EXEMPTED)


def _some(names: Sequence[str], most: int) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
