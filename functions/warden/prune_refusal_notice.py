"""What the warden says where nothing may leave: which images stand against it and why, or that nobody knows what runs.

The same refusal has the same id, whatever its figures are today: it is told once, and again when the reason, the rules
that it is about, or what became of the policy that stood there is another. A further image that is refused for the same
reason is no news, since a refusal loses nothing; who waits for it to be mended finds it in the next message.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from warden import console
from warden.events import Home
from warden.names import short
from warden.notices import Fact, Level, Line, Notice, Section, Span, Table, bold, code, link, notice_id, plain
from warden.policy import Mode
from warden.prune_tables import (
    MOST_ORIGIN,
    MOST_RULE,
    Going,
    by_rule,
    counted,
    images,
    name_of,
    repositories,
    rule_of,
    rules_table,
    together,
    words,
)
from warden.pruning import PruneReport, PruneResult, Refusal, Spared
from warden.text import clean, size

MOST_ALONE = 3
"""Up to so many refused repositories have a message each."""
MOST_LINES = 10
MOST_WHY = 240
MOST_REASONS = 4
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*(?: ?(?:B|kB|MB|GB|TB|PB)\b)?")
"""A number, or a size: it is another one tomorrow, while nothing has changed that a person could mend."""
_PASSING = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|(?<![\w-])\d{1,11}(?![\w-])")
"""The id of a call, or a time of day, in what could not be read. Accounts and regions say who was asked, and stay."""
_CAP = re.compile(r"lifecycle\.caps\.\w+")


def refused(reports: Sequence[PruneReport], home: Home, at: datetime) -> tuple[Notice, ...]:
    """What is refused for what the rules would take: a message a repository, or one for many."""
    found = sorted((one for one in reports if _reasons(one)), key=lambda one: (-len(one.leaving), one.repository))
    if len(found) > MOST_ALONE:
        return (_many(found, home, at),)
    return tuple(_one(report, home, at) for report in found)


def unknown(reports: Sequence[PruneReport], home: Home, at: datetime) -> Notice | None:
    """That the inventory is not complete, once for however many repositories; None where it is."""
    found = [one for one in reports if any(refusal.missing for refusal in one.refusals)]
    if not found:
        return None
    reasons = Counter(reason for one in found for reason in dict.fromkeys(_missing(one)))
    suspended = sum(one.result is PruneResult.SUSPENDED for one in found)
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return Notice(
        id=notice_id("prune-unknown", str(bool(suspended)), *sorted({_PASSING.sub("#", reason) for reason in reasons})),
        kind="prune",
        level=Level.ATTENTION,
        title=f"what runs is not known: nothing leaves {repositories(len(found))}",
        subject="registry",
        summary=(
            plain("An image that nobody was found to use may be in use all the same. So "),
            bold("the warden archives and deletes nothing"),
            plain(" there until everybody answers."),
            *_suspended(suspended),
        ),
        sections=(
            Section(
                "What could not be read",
                tuple(
                    (bold(repositories(count)), plain(f"  {clean(reason, MOST_WHY)}"))
                    for reason, count in ranked[:MOST_LINES]
                ),
                more=max(0, len(ranked) - MOST_LINES),
            ),
        ),
        next_step=(
            plain("Mostly the warden may not read it: allow that. Where nothing runs any more, take it out of "),
            code("inventory"),
            plain(" in the policy, and deploy. The next sweep asks again."),
        ),
        links=(_registry(home),),
        footer=console.footer(home, None),
        at=at.isoformat(),
    )


def lasting(text: str) -> str:
    """The text without its figures and sizes: what stays the same from day to day.

    >>> lasting("412 of 450 images (92 %) would leave, 1.9 TB, and 25 % may")
    '# of # images (# %) would leave, #, and # % may'
    """
    return _FIGURE.sub("#", text)


def _one(report: PruneReport, home: Home, at: datetime) -> Notice:
    return Notice(
        id=_id(report),
        kind="prune",
        level=Level.ATTENTION,
        title=_title(report),
        subject=report.repository,
        summary=_summary(report),
        sections=tuple(_sections(_reasons(report))),
        tables=_tables(report, at),
        facts=(
            Fact("Would stay", images(max(0, report.images - _would_leave(report).count))),
            Fact("Mode", "report: nothing is changed either way" if report.mode is Mode.REPORT else str(report.mode)),
        ),
        next_step=_next_step(report),
        links=(link("Open in ECR", console.repository_page(home, report.repository)),),
        footer=console.footer(home, report.repository),
        at=at.isoformat(),
    )


def _many(reports: Sequence[PruneReport], home: Home, at: datetime) -> Notice:
    rows = tuple(
        (
            report.repository,
            f"{_would_leave(report).count:,}",
            f"{report.images:,}",
            size(_would_leave(report).weight),
        )
        for report in reports[:MOST_LINES]
    )
    suspended = sum(report.result is PruneResult.SUSPENDED for report in reports)
    lines = tuple((code(report.repository), plain(f"  {_why(report)}")) for report in reports[:MOST_LINES])
    more = max(0, len(reports) - MOST_LINES)
    return Notice(
        id=notice_id("prune-refused", *sorted(map(_id, reports))),
        kind="prune",
        level=Level.ATTENTION,
        title=f"pruning of {repositories(len(reports))} is refused",
        subject="registry",
        summary=(
            bold("The warden archives and deletes nothing there."),
            plain(f" The rules would take {images(together(map(_would_leave, reports)).count)}."),
            *_suspended(suspended),
        ),
        sections=(Section("Why", lines, more=more),),
        tables=(Table("What the rules would take", _COLUMNS, rows, more=more),),
        next_step=(
            plain("See each with "),
            code("warden why REPOSITORY"),
            plain(". Mend the rule that takes too much, or, where it is meant so, raise the cap for that repository."),
        ),
        links=(_registry(home),),
        footer=console.footer(home, None),
        at=at.isoformat(),
    )


_COLUMNS = ("Repository", "Would leave", "Of", "Size")


def _id(report: PruneReport) -> str:
    """What a refusal says but for its figures: see the module."""
    reasons = sorted(
        f"{lasting(refusal.why)} {sorted({one.rule for one in refusal.images})}" for refusal in _reasons(report)
    )
    rules = sorted({str(rule_of(one)) for one in report.leaving})
    return notice_id("prune-refused", report.repository, report.mode, report.result, *reasons, *rules)


def _would_leave(report: PruneReport) -> Going:
    return Going(report.leaving, report.more, report.more_bytes)


def _reasons(report: PruneReport) -> tuple[Refusal, ...]:
    """The refusals but for those that the inventory makes, which are told for all repositories at once."""
    return tuple(refusal for refusal in report.refusals if not refusal.missing)


def _missing(report: PruneReport) -> Iterable[str]:
    return (reason for refusal in report.refusals for reason in refusal.missing)


def _title(report: PruneReport) -> str:
    is_to_be = "would be" if report.mode is Mode.REPORT else "is"
    verb = "suspended" if report.result is PruneResult.SUSPENDED else "refused"
    would = f": {_would_leave(report).count:,} of {images(report.images)} would leave" if report.leaving else ""
    return f"pruning of {report.repository} {is_to_be} {verb}{would}"


def _summary(report: PruneReport) -> Line:
    would = (
        plain(" By the rules "),
        bold(counted(_would_leave(report), "would be", "would be")),
        plain(f", at most {size(_would_leave(report).weight)}."),
    )
    suspended = (plain(" Its lifecycle policy is replaced by "), bold("one that takes nothing"), plain("."))
    return (
        bold("The warden archives and deletes nothing here."),
        *(would if report.leaving else ()),
        *(suspended if report.result is PruneResult.SUSPENDED else ()),
    )


def _suspended(count: int) -> Line:
    """What became of the lifecycle policies that the warden itself had put."""
    if not count:
        return ()
    return (
        plain(f" In {repositories(count)} the lifecycle policy is replaced by "),
        bold("one that takes nothing"),
        plain("."),
    )


def _sections(refusals: Sequence[Refusal]) -> Iterable[Section]:
    """The reasons, and for each that is about certain images, which."""
    bare = [refusal for refusal in refusals if not refusal.images]
    if bare:
        whys = tuple((plain(_begun(refusal.why)),) for refusal in bare[:MOST_LINES])
        yield Section("Why", whys, more=max(0, len(bare) - MOST_LINES))
    exact = [refusal for refusal in refusals if refusal.images]
    for refusal in exact[:MOST_REASONS]:
        items = tuple(map(_spared_line, refusal.images[:MOST_LINES]))
        yield Section(_begun(refusal.why), items, more=max(0, len(refusal.images) - MOST_LINES))


def _begun(why: str) -> str:
    """A reason as a line of its own."""
    return clean(why[:1].upper() + why[1:], MOST_WHY)


def _spared_line(spared: Spared) -> Line:
    rule = f" · {clean(spared.rule, MOST_RULE)}" if spared.rule else ""
    name, digest = name_of(spared.image), short(spared.image.digest)
    return (
        code(name),
        plain(f"  {digest}" if name != digest else ""),
        plain(f" · {clean(spared.why, MOST_WHY)}{rule}"),
    )


def _tables(report: PruneReport, at: datetime) -> tuple[Table, ...]:
    if not report.leaving:
        return ()
    return (rules_table("What the rules would take", _would_leave(report), at),)


def _next_step(report: PruneReport) -> Line:
    cap = next((found[0] for refusal in _reasons(report) if (found := _CAP.search(refusal.why))), "")
    rule, origin = next(iter(by_rule(report.leaving)), ("", ""))
    mend: Line = (plain("Mend the rule that takes too much"),)
    if rule:
        mend = (plain("Too much? Mend "), code(words((rule, origin))), plain(f" ({clean(origin, MOST_ORIGIN)})"))
    if cap:
        return (*mend, plain(". Meant so? Raise "), code(cap), plain(" for this repository in the policy, and deploy."))
    return (
        *mend,
        plain(". Otherwise wait: the next sweep looks again. All of it: "),
        code(f"warden why {report.repository}"),
        plain("."),
    )


def _why(report: PruneReport) -> str:
    """The first reason, and how many more there are."""
    first, *others = _reasons(report)
    about = f": {images(len(first.images))}" if first.images else ""
    return clean(first.why, MOST_WHY) + about + (f", and {len(others)} more" if others else "")


def _registry(home: Home) -> Span:
    return link("Open ECR", console.page(home, f"private-registry/repositories?region={home.region}"))
