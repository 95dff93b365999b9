"""One message for many images: what is new in them, or over, as tables."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from warden import console, next_steps
from warden.events import Home
from warden.finding_lines import page_of
from warden.names import Severity
from warden.news import NewFinding, News
from warden.notices import Level, Line, Notice, Section, Span, Table, bold, code, link, notice_id, plain

FEWEST = 4
"""As many images make a storm; fewer are told one by one."""
MOST_ROWS = 10
MOST = 0.8
"""The part of the images that must have a finding for the title to name it."""


def storm(news: Sequence[News], home: Home, *, now: datetime) -> Notice:
    """The notice of many images at once, all of whose news are of one kind: findings, unscanned or clean."""
    news = _by_image(news)
    match news[0].kind:
        case "findings":
            return _findings(news, home, now)
        case "clean":
            return _notice(news, home, now, level=Level.GOOD, title="{images} pass again", summary=_clean(news))
    return _notice(
        news,
        home,
        now,
        level=Level.ATTENTION,
        title="{images} could not be scanned",
        summary=(plain("They are "), bold("unscanned, not clean"), plain(".")),
        sections=(_reasons(news),),
        next_step=next_steps.not_scanned(_common_reason(news)),
    )


def _notice(
    news: Sequence[News],
    home: Home,
    now: datetime,
    *,
    level: Level,
    title: str,
    summary: Line,
    sections: tuple[Section, ...] = (),
    tables: tuple[Table, ...] = (),
    next_step: Line = (),
    common: str = "",
) -> Notice:
    kind = "storm" if news[0].kind == "findings" else f"storm-{news[0].kind}"
    return Notice(
        id=notice_id(kind, *sorted(one.id for one in news)),
        kind=kind,
        level=level,
        title=title.format(images=_images(len(news))),
        subject="registry",
        summary=(*summary, plain(" This one message stands for all of them; the ledger has each.")),
        sections=sections,
        tables=(*tables, _where(news)),
        next_step=next_step,
        links=tuple(_links(common, home)),
        footer=console.footer(home, None) + " · warden why REPOSITORY@DIGEST",
        thread=f"storm {common}" if common else "",
        at=now.isoformat(),
    )


def _findings(news: Sequence[News], home: Home, now: datetime) -> Notice:
    images = Counter(finding for one in news for finding in dict.fromkeys(one.findings))
    ranked = sorted(images, key=lambda finding: (_rank(finding), -images[finding], finding.name, finding.package))
    worst = Severity(ranked[0].severity)
    common = _common(news)
    return _notice(
        news,
        home,
        now,
        level=Level.CRITICAL if worst is Severity.CRITICAL else Level.HIGH,
        title=(f"{common} is new in " if common else "new findings in ") + "{images}",
        summary=_summary(news, worst),
        tables=(_what(ranked, images),),
        next_step=_next_step(ranked[0]),
        common=common,
    )


def _common(news: Sequence[News]) -> str:
    """The vulnerability that nearly all of the images have, in whatever package, if there is one."""
    images = Counter(name for one in news for name in {finding.name: None for finding in one.findings})
    name, found = images.most_common(1)[0]
    return name if found >= MOST * len(news) and page_of(name) else ""


def _by_image(news: Sequence[News]) -> list[News]:
    """One piece of news for each image, of all that there was of it meanwhile; the last is the one that counts."""
    images: dict[str, News] = {}
    for one in news:
        if before := images.get(one.name):
            findings = tuple(dict.fromkeys((*before.findings, *one.findings)))
            one = replace(one, findings=findings, why=tuple(dict.fromkeys((*before.why, *one.why))))  # noqa: PLW2901
        images[one.name] = one
    return list(images.values())


def _summary(news: Sequence[News], worst: Severity) -> Line:
    running = sum(one.in_use > 0 for one in news)
    return (
        bold(f"{_images(len(news))} in {_repositories(news)}"),
        plain(" have findings that were not known before, the worst "),
        bold(worst.lower()),
        plain("; "),
        bold(f"{running:,} of the images {'is' if running == 1 else 'are'} running")
        if running
        else plain("none of the images is known to run"),
        plain("."),
    )


def _clean(news: Sequence[News]) -> Line:
    return (bold(f"{_images(len(news))} in {_repositories(news)}"), plain(" have nothing left to tell of."))


def _what(ranked: Sequence[NewFinding], images: Counter[NewFinding]) -> Table:
    rows = tuple(
        (finding.name, finding.severity.lower(), finding.package, finding.fixed_in or "no fix", f"{images[finding]:,}")
        for finding in ranked[:MOST_ROWS]
    )
    columns = ("Finding", "Severity", "Package", "Fixed in", "Images")
    return Table("What is new", columns, rows, more=max(0, len(ranked) - MOST_ROWS))


def _common_reason(news: Sequence[News]) -> str:
    """The reason that most of the images have."""
    reasons = Counter(why for one in news for why in one.why).most_common(1)
    return reasons[0][0] if reasons else ""


def _reasons(news: Sequence[News]) -> Section:
    reasons = Counter(why for one in news for why in dict.fromkeys(one.why)).most_common()
    items = tuple((bold(_images(count)), plain(f"  {why}")) for why, count in reasons[:MOST_ROWS])
    return Section("Why", items, more=max(0, len(reasons) - MOST_ROWS))


def _where(news: Sequence[News]) -> Table:
    """The repositories, those first whose images run."""
    images = Counter(one.repository for one in news)
    running: Counter[str] = Counter(one.repository for one in news if one.in_use)
    example = {one.repository: one.name.removeprefix(one.repository)[1:] for one in news}
    ranked = sorted(images, key=lambda name: (-running[name], -images[name], name))
    rows = tuple((name, f"{images[name]:,}", f"{running[name]:,}", example[name]) for name in ranked[:MOST_ROWS])
    columns = ("Repository", "Images", "Running", "Such as")
    return Table("Where", columns, rows, more=max(0, len(ranked) - MOST_ROWS))


def _next_step(finding: NewFinding) -> Line:
    if not finding.fixed_in:
        return (plain("No fix is stated for "), code(finding.package), plain(" yet: see whether it can be taken out."))
    return (
        plain("Update "),
        code(finding.package),
        plain(" to "),
        bold(finding.fixed_in),
        plain(" in the base images, and rebuild what runs first."),
    )


def _links(common: str, home: Home) -> Iterable[Span]:
    if url := page_of(common):
        yield link(common, url)
    yield link("Open ECR", console.page(home, f"private-registry/repositories?region={home.region}"))


def _rank(finding: NewFinding) -> int:
    return Severity(finding.severity).rank


def _repositories(news: Iterable[News]) -> str:
    count = len({one.repository for one in news})
    return f"{count:,} {'repository' if count == 1 else 'repositories'}"


def _images(count: int) -> str:
    return f"{count:,} {'image' if count == 1 else 'images'}"
