"""A notice as the body of a Google Chat incoming webhook: one card, and `fallbackText` for a phone's notification.

There is no `text`: Chat reads mentions, markup and links in it. A card's paragraphs say that they are HTML, and what
comes from outside is escaped. Whether Chat makes a link of a URL that stands in a card as text is written nowhere, so
the colon of such a URL is put in brackets, as is the custom where it must not lead anywhere: `https[:]//`. What does
not fit is left out whole, and counted.

A reply goes to its thread only where the URL says `messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD`.

https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages,
https://developers.google.com/workspace/chat/format-messages#card-formatting
"""

import hashlib
import re
from collections.abc import Callable

from warden.channels.headings import heading
from warden.channels.links import is_ours
from warden.channels.room import HEAVIEST, Json, weight
from warden.notices import Fact, Line, Notice, Section, Span, Style, Table
from warden.text import ELLIPSIS, clean, clip_middle

HOSTS = frozenset({"chat.googleapis.com"})
"""Where incoming webhooks live."""

BUDGET = 24_000
"""Characters of the whole message as JSON, escapes counted. A message may have 32,000 bytes, its cards included:
https://developers.google.com/workspace/chat/create-messages. There may be 100 widgets; we make ten at most."""
TITLE_LIMIT = 150

# For each part: how much text at most, and how much room as JSON. All parts but the lists fill less than 14,000 of the
# budget, so that each of five lists has at least 2,000.
_TITLE_ROOM = 900
_SUMMARY, _SUMMARY_ROOM = 600, 2_000
_FACTS, _FACTS_ROOM = 10, 3_000
_LABEL, _LABEL_ROOM, _VALUE, _VALUE_ROOM = 40, 200, 250, 600
_NEXT_STEP, _NEXT_STEP_ROOM = 400, 1_500
_LINKS, _LINK, _LINK_ROOM, _LINKS_ROOM = 6, 60, 1_200, 2_500
_FOOTER, _FOOTER_ROOM = 300, 900
_LISTS, _LIST_TITLE, _LIST_TITLE_ROOM = 5, 100, 400
_ITEMS, _ITEM, _ITEM_ROOM = 15, 300, 1_200
_CELLS, _CELL, _CELL_ROOM = 6, 60, 250
_NAME = 200

_TAGS = {Style.BOLD: "b", Style.ITALIC: "i"}
_WORDS = str.maketrans({"<": "‹", ">": "›", "&": "＆"})
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_LINKLIKE = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)


def render(notice: Notice) -> Json:
    """The payload. Notices of one thread carry the same key, which says nothing of what the thread is about."""
    title = _title(notice)
    above = _section(_line(notice.summary, _SUMMARY, _SUMMARY_ROOM))
    below = [
        *_section(_facts(notice.facts), _next_step(notice.next_step), _links(notice.links)),
        *_section(_footer(notice)),
    ]
    card: Json = {"header": {"title": title}, "sections": [*above, *below]}
    message: Json = {"fallbackText": title, "cardsV2": [{"cardId": "notice", "card": card}]}
    if notice.thread:
        message["thread"] = {"threadKey": _key(notice.thread)}
    lists = _lists((*notice.sections, *notice.tables), BUDGET - weight(message))
    card["sections"][len(above) : len(above)] = lists
    if not card["sections"]:
        del card["sections"]
    return message


def _title(notice: Notice) -> str:
    """The heading, where nothing says whether Chat reads markup: what could be any is shown as what it looks like."""
    return _defanged(heading(notice, TITLE_LIMIT, _TITLE_ROOM)).translate(_WORDS)


def _key(thread: str) -> str:
    return hashlib.sha256(thread.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _facts(facts: tuple[Fact, ...]) -> str:
    """A line for each: Chat's own labels above a text are cut where they are long."""
    lines: list[str] = []
    room = _FACTS_ROOM - weight(_and_more(10**9))
    for fact in facts[:_FACTS]:
        label = _line((Span(fact.label, Style.BOLD),), _LABEL, _LABEL_ROOM)
        value = _line((Span(fact.value),), _VALUE, _VALUE_ROOM)
        line = f"{label or ELLIPSIS}: {value or ELLIPSIS}"
        room -= weight(line) + len("<br>")
        if room < 0:
            break
        lines.append(line)
    more = len(facts) - len(lines)
    return "<br>".join([*lines, _and_more(more)] if more else lines)


def _next_step(line: Line) -> str:
    text = _line(line, _NEXT_STEP, _NEXT_STEP_ROOM)
    return f"<b>Next step</b>: {text}" if text else ""


def _links(line: Line) -> str:
    shown: list[str] = []
    room, count = _LINKS_ROOM - weight(_and_more(10**9)), 0
    for span in line[:_LINKS]:
        link = _line((span,), _LINK, _LINK_ROOM)
        room -= weight(link) + weight(" · ")
        if room < 0:
            break
        shown += [link] if link else []
        count += 1
    shown += [_and_more(len(line) - count)] if len(line) > count else []
    return " · ".join(shown)


def _footer(notice: Notice) -> str:
    words = " · ".join(part for part in (notice.footer, notice.id and f"id {notice.id}") if part)
    text = _escape(_fit(words, _FOOTER, _FOOTER_ROOM, clean).strip())
    return f"<i>{text}</i>" if text else ""


def _lists(sections: tuple[Section | Table, ...], room: int) -> list[Json]:
    """The lists and tables, in the room that is left: each has an equal share, and passes on what it doesn't need."""
    if len(sections) > _LISTS:
        others = sections[_LISTS - 1 :]
        count = sum(_length(section) + section.more for section in others)
        sections = (*sections[: _LISTS - 1], Section(f"{len(others)} more lists", (), count))
    made: list[Json] = []
    frame = weight(_section("x")) + len(", ")
    for left, section in zip(range(len(sections), 0, -1), sections, strict=True):
        items = _rows(section) if isinstance(section, Table) else _items(section)
        block = _section(_list(section, items, room // left - frame))
        room -= weight(block)
        made += block
    return made


def _length(section: Section | Table) -> int:
    return len(section.rows if isinstance(section, Table) else section.items)


def _items(section: Section) -> list[str]:
    return [_line(line, _ITEM, _ITEM_ROOM) or ELLIPSIS for line in section.items[:_ITEMS]]


def _rows(table: Table) -> list[str]:
    """A line for each row: its first cell, then every other after its heading.

    A card has no letters of one width, and its columns are two at most and not aligned with one another.
    """
    return [_row(table.columns, row) for row in table.rows[:_ITEMS]]


def _row(columns: tuple[str, ...], row: tuple[str, ...]) -> str:
    cells = [
        (_cell(column, clean), _cell(cell, clip_middle) or "-") for column, cell in zip(columns, row, strict=False)
    ]
    first = f"<b>{cells[0][1]}</b>" if cells else ELLIPSIS
    return " · ".join([first, *(f"{column} {cell}".strip() for column, cell in cells[1:_CELLS])])


def _cell(text: str, clip: Callable[[str, int], str]) -> str:
    return _escape(_fit(text, _CELL, _CELL_ROOM, clip).strip())


def _list(section: Section | Table, items: list[str], room: int) -> str:
    """Its title and as many of the items as there is room for, then the count of the others."""
    lines = [_line((Span(section.title, Style.BOLD),), _LIST_TITLE, _LIST_TITLE_ROOM) or ELLIPSIS]
    room -= weight(lines[0]) + weight(_and_more(10**12)) + len("<br>")
    for item in items:
        line = f"• {item}"
        room -= weight(line) + len("<br>")
        if room < 0:
            break
        lines.append(line)
    more = section.more + _length(section) - (len(lines) - 1)
    return "<br>".join([*lines, _and_more(more)] if more > 0 else lines)


def _and_more(count: int) -> str:
    return f"<i>…and {count:,} more</i>"


def _section(*texts: str) -> list[Json]:
    """A part of the card with a paragraph for each text that says something; none where none does."""
    widgets = [{"textParagraph": {"text": text, "textSyntax": "HTML"}} for text in texts if text]
    return [{"widgets": widgets}] if widgets else []


def _line(line: Line, limit: int, room: int) -> str:
    """The line's spans as HTML, as many as `limit` characters of text and `room` of JSON hold; then an ellipsis."""
    shown, said = "", ""
    limit -= len(ELLIPSIS)
    room -= weight(ELLIPSIS) + len(" ")
    for span in line:
        before, after = _tags(span, room - weight(shown))
        left = room - weight(shown) - weight(before + after)
        if min(limit - len(said), left // HEAVIEST) < 1:
            shown += "" if said.endswith(ELLIPSIS) else ELLIPSIS
            break
        clip, longest = (clip_middle, _NAME) if span.style is Style.CODE else (clean, limit)
        text = _fit(span.text, min(longest, limit - len(said)), left, clip)
        # Spans that become a URL only together are kept apart.
        gap = " " if _LINKLIKE.search(said[-len("www.") :] + text[: len("www.")]) else ""
        shown += gap + (f"{before}{_escape(text)}{after}" if text.strip() else text)
        said += gap + text
    return shown.strip()


def _tags(span: Span, room: int) -> tuple[str, str]:
    """What stands before and after the span's text: a link where its URL is one of ours and there is room for it.

    A name is as any text: the HTML of a card has no tag for code.
    """
    tag = _TAGS.get(span.style)
    before, after = (f"<{tag}>", f"</{tag}>") if tag else ("", "")
    if is_ours(span.url):
        linked = f'{before}<a href="{_escape(str(span.url))}">', f"</a>{after}"
        if weight("".join(linked)) + HEAVIEST <= room:
            return linked
    return before, after


def _fit(text: str, limit: int, room: int, clip: Callable[[str, int], str]) -> str:
    """The text without anything that looks like a URL: about `limit` characters, which weigh at most `room` as HTML."""
    shown = _defanged(clip(text, limit))
    if weight(_escape(shown)) - len('""') <= room:
        return shown
    return _defanged(clip(text, max(1, min(limit, room // HEAVIEST))))


def _defanged(text: str) -> str:
    """The text, in which nothing looks like a URL.

    >>> _defanged("https://evil.example, www.evil.example, team/app:v1")
    'https[:]//evil.example, www[.]evil.example, team/app:v1'
    """
    return _LINKLIKE.sub(r"[\g<0>]", text)


def _escape(text: str) -> str:
    return text.translate(_ENTITIES)
