"""A notice: a message independent of any chat product.

Its texts may come from outside (tags, package names, repository names): they are data, shown as text. Whoever renders
a notice escapes and cuts; whoever makes one never puts markup in. Links are only the ones that we build.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from warden.errors import Invalid


class Level(StrEnum):
    """How loud a notice is. Every channel shows it as a sign and in words, never by colour alone."""

    CRITICAL = "critical"
    HIGH = "high"
    ATTENTION = "attention"
    CHANGE = "change"
    HELLO = "hello"
    GOOD = "good"
    DIGEST = "digest"


class Style(StrEnum):
    """How a span of text looks."""

    PLAIN = "plain"
    BOLD = "bold"
    CODE = "code"
    ITALIC = "italic"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style; with a URL of ours it is a link."""

    text: str
    style: Style = Style.PLAIN
    url: str | None = None


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value, shown beside others."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Section:
    """A titled list; `more` counts the items that were left out."""

    title: str
    items: tuple[Line, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under headings, the one that says most first; `more` counts the rows that were left out."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """One message.

    `id` is made from what the notice says, so the same news has the same id however often it is delivered.
    `subject` is the repository or image that it is about; `footer` says where to look it up; `at` is when that happened
    which it tells, in ISO 8601, or empty. Notices of one `thread` go on about the same thing, and a channel that can
    keeps them together; an empty one is of no thread.
    """

    id: str
    kind: str
    level: Level
    title: str
    subject: str
    summary: Line
    sections: tuple[Section, ...] = ()
    facts: tuple[Fact, ...] = ()
    next_step: Line = ()
    links: Line = ()
    footer: str = ""
    tables: tuple[Table, ...] = ()
    thread: str = ""
    at: str = ""


def plain(text: str) -> Span:
    """Text as it is."""
    return Span(text)


def bold(text: str) -> Span:
    """Text that matters."""
    return Span(text, Style.BOLD)


def code(text: str) -> Span:
    """A name or a command."""
    return Span(text, Style.CODE)


def link(text: str, url: str) -> Span:
    """A link that we built; never one that came with an event."""
    return Span(text, url=url)


MOST_NAMED = 3


ABOUT_FINDINGS = frozenset({"findings", "unscanned", "clean"})
"""The kinds of notices of which the next one says again what the last one said, and more."""


def follow_up(notice: Notice) -> Notice:
    """The notice in a line or two, for a channel that was told the rest before and knows no threads.

    What was done because of findings is another story, and is told in full.
    """
    if notice.kind not in ABOUT_FINDINGS or not (notice.sections or notice.tables):
        return notice
    items = [item for section in notice.sections for item in section.items]
    named: list[Span] = []
    for item in items[:MOST_NAMED]:
        named += [plain(", " if named else " "), item[0]]
    rest = len(items) - len(items[:MOST_NAMED]) + sum(section.more for section in notice.sections)
    more = (plain(f" and {rest:,} more"),) if rest > 0 else ()
    return replace(
        notice,
        title=f"Again: {notice.title}",
        summary=(*notice.summary, *named, *more),
        sections=(),
        tables=(),
        facts=(),
        next_step=(),
    )


def to_json(notice: Notice, *, channel: str) -> str:
    """The notice as the body of a queue message to one channel."""
    return json.dumps({"channel": channel, "notice": asdict(notice)}, ensure_ascii=True, separators=(",", ":"))


def from_json(body: str) -> tuple[str, Notice]:
    """The channel's name and the notice out of a queue message.

    Raises Invalid where the body is not what `to_json` writes.
    """
    try:
        envelope = json.loads(body)
        return str(envelope["channel"]), _notice(envelope["notice"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid(f"not a notice of ours: {type(error).__name__}: {error}") from None


def _notice(data: Mapping[str, Any]) -> Notice:
    return Notice(
        id=data["id"],
        kind=data["kind"],
        level=Level(data["level"]),
        title=data["title"],
        subject=data["subject"],
        summary=_line(data["summary"]),
        sections=tuple(
            Section(section["title"], tuple(_line(item) for item in section["items"]), section["more"])
            for section in data["sections"]
        ),
        facts=tuple(Fact(fact["label"], fact["value"]) for fact in data["facts"]),
        next_step=_line(data["next_step"]),
        links=_line(data["links"]),
        footer=data["footer"],
        tables=tuple(
            Table(table["title"], tuple(table["columns"]), tuple(map(tuple, table["rows"])), table["more"])
            for table in data["tables"]
        ),
        thread=data["thread"],
        at=data["at"],
    )


def _line(spans: list[Mapping[str, Any]]) -> Line:
    return tuple(Span(span["text"], Style(span["style"]), span["url"]) for span in spans)


def notice_id(*parts: str) -> str:
    """The id of a notice: the same parts are the same news, which is posted once."""
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:20]
