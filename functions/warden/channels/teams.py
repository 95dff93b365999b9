"""A notice as the body of a webhook of Microsoft Teams: an Adaptive Card, posted by a flow of the Workflows app.

Text from outside stands only where Teams reads no Markdown: in the TextRuns of RichTextBlocks, and as a button's title.
TextBlocks and FactSets read Markdown, and are not used. Tables are ColumnSets, a row each: the Table element stays
blank, or breaks, on phones (https://github.com/microsoft/AdaptiveCards/issues/8853). No mention is ever made, since a
mention needs an entry in `msteams.entities`. What does not fit is left out whole, and counted.

https://learn.microsoft.com/adaptive-cards/schema-explorer/text-run,
https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format
"""

import re
from typing import Any

from warden.channels.headings import heading
from warden.channels.links import is_ours
from warden.channels.room import HEAVIEST, Json, fit, weight
from warden.notices import Fact, Level, Line, Notice, Section, Span, Style, Table
from warden.text import ELLIPSIS, clean, clip_middle

HOSTS = frozenset(
    {
        "*.environment.api.powerplatform.com",
        "*.environment.api.gov.powerplatform.microsoft.us",
        "*.environment.api.high.powerplatform.microsoft.us",
        "*.environment.api.appsplatform.us",
        "*.environment.api.powerplatform.partner.microsoftonline.cn",
        "*.logic.azure.com",
    }
)
"""Where flows are triggered; `*.` stands for one label or more, since each environment has a host of its own. First the
commercial cloud, then the American government's (GCC, GCC High, DoD) and China's; `logic.azure.com` is of URLs from
before November 2025, and of Logic Apps:
https://learn.microsoft.com/troubleshoot/power-platform/power-automate/flow-run-issues/triggers-troubleshoot"""

BUDGET = 20_000
"""Characters of the whole message as JSON, escapes counted. Teams refuses 28 KB, counted after the flow has written the
card anew, which made 28,897 of 24,453: https://github.com/MicrosoftDocs/msteams-docs/issues/11274."""

# For each part: how much text at most, and how much room as JSON. All parts but the lists fill less than 14,000 of the
# budget, so that each of five lists has at least 1,200: enough for its title and the count of what it left out.
_HEADING, _HEADING_ROOM = 150, 900
_PREVIEW, _PREVIEW_ROOM = 300, 900
_SUMMARY, _SUMMARY_ROOM = 600, 2_000
_FACTS, _FACTS_ROOM = 10, 4_400
_LABEL, _LABEL_ROOM, _LABEL_WIDTH, _VALUE, _VALUE_ROOM = 40, 250, "110px", 250, 600
_NEXT_STEP, _NEXT_STEP_ROOM = 400, 1_200
_LINKS, _LINK, _LINK_ROOM, _LINKS_ROOM = 6, 60, 240, 2_400
_FOOTER, _FOOTER_ROOM = 300, 700
_LISTS, _TITLE, _TITLE_ROOM = 5, 100, 250
_ITEMS, _ITEM, _ITEM_ROOM = 15, 300, 1_200
_COLUMNS, _CELL, _CELL_ROOM = 6, 80, 300
_NARROWEST, _WIDEST = 6, 30
_BLANK = "\u00a0"
_NAME = 200

_BANDS = {
    Level.CRITICAL: "attention",
    Level.HIGH: "warning",
    Level.ATTENTION: "warning",
    Level.CHANGE: "accent",
    Level.HELLO: "accent",
    Level.GOOD: "good",
    Level.DIGEST: "emphasis",
}
_STYLES: dict[Style, Json] = {
    Style.BOLD: {"weight": "Bolder"},
    Style.CODE: {"fontType": "Monospace"},
    Style.ITALIC: {"italic": True},
}
_SMALL: Json = {"size": "Small", "isSubtle": True}

_DATE = re.compile(r"\{\{(?=(?:DATE|TIME)\()")
"""The one thing that a TextRun reads: https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features."""
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def render(notice: Notice) -> Json:
    """The payload: a message with one card, and `summary`, for a flow that shows it in the notification."""
    title = _still(heading(notice, _HEADING, _HEADING_ROOM))
    above = [_band(title, notice.level), *_rich_text(_spans(notice.summary, _SUMMARY, _SUMMARY_ROOM))]
    below = [
        *_facts(notice.facts),
        *_rich_text(_next_step(notice.next_step)),
        *_links(notice.links),
        *_footer(notice),
    ]
    card: Json = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "fallbackText": _escape(title),
        "msteams": {"width": "Full"},
        "body": [*above, *below],
    }
    message: Json = {
        "type": "message",
        "summary": _preview(title, notice.summary),
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        ],
    }
    lists: tuple[Section | Table, ...] = (*notice.sections, *notice.tables)
    card["body"][len(above) : len(above)] = _lists(lists, BUDGET - weight(message))
    return message


def _preview(title: str, summary: Line) -> str:
    limit = _PREVIEW - len(title) - len(" — ")
    said = fit("".join(span.text for span in summary), limit, _PREVIEW_ROOM, clean).strip()
    return f"{title} — {said}" if said else title


def _band(title: str, level: Level) -> Json:
    heading_ = _text(title, size="Large", weight="Bolder")
    return {"type": "Container", "style": _BANDS[level], "bleed": True, "items": _rich_text([heading_])}


def _facts(facts: tuple[Fact, ...]) -> list[Json]:
    """A row for each, as a FactSet would show it."""
    rows: list[Json] = []
    for fact in facts[:_FACTS]:
        label = fit(fact.label, _LABEL, _LABEL_ROOM, _clean).strip() or ELLIPSIS
        value = fit(fact.value, _VALUE, _VALUE_ROOM, _clean).strip() or ELLIPSIS
        row = _row([(_text(label, **_SMALL), _LABEL_WIDTH), (_text(value, size="Small"), "stretch")])
        if weight([*rows, row]) > _FACTS_ROOM:
            break
        rows.append(row)
    rows += _rich_text(_and_more(len(facts) - len(rows)), spacing="Small")
    return [_container(rows)] if rows else []


def _next_step(line: Line) -> list[Json]:
    spans = _spans(line, _NEXT_STEP, _NEXT_STEP_ROOM)
    return [_text("Next step", weight="Bolder"), _text("  "), *spans] if spans else []


def _links(line: Line) -> list[Json]:
    """A button for each; what is no link of ours is named below them, and so is how many were left out."""
    buttons: list[Json] = []
    named: list[Json] = []
    for span in line[:_LINKS]:
        text = fit(span.text, _LINK, _LINK_ROOM, _clean).strip() or ELLIPSIS
        button = is_ours(span.url)
        made = {**_open(span.url), "title": text} if button else _text(f"{text}   ")
        if weight([*buttons, *named, made]) > _LINKS_ROOM:
            break
        (buttons if button else named).append(made)
    named += _and_more(len(line) - len(buttons) - len(named))
    return [*([{"type": "ActionSet", "actions": buttons}] if buttons else []), *_rich_text(named)]


def _lists(sections: tuple[Section | Table, ...], room: int) -> list[Json]:
    """The lists and tables, in the room that is left: each has an equal share, and passes on what it doesn't need."""
    if len(sections) > _LISTS:
        others = sections[_LISTS - 1 :]
        count = sum(_length(section) + section.more for section in others)
        sections = (*sections[: _LISTS - 1], Section(f"{len(others)} more lists", (), count))
    blocks: list[Json] = []
    for left, section in zip(range(len(sections), 0, -1), sections, strict=True):
        share = room // left - len(", ")
        block = _table(section, share) if isinstance(section, Table) else _list(section, share)
        room -= weight(block) + len(", ")
        blocks.append(block)
    return blocks


def _length(section: Section | Table) -> int:
    return len(section.rows if isinstance(section, Table) else section.items)


def _list(section: Section, room: int) -> Json:
    bullets = (
        _block([_text("•  "), *(_spans(line, _ITEM, _ITEM_ROOM) or [_text(ELLIPSIS)])], spacing="Small")
        for line in section.items[:_ITEMS]
    )
    return _titled(section, [], list(bullets), room)


def _table(table: Table, room: int) -> Json:
    """Each column is as wide, beside the others, as its longest word, or half of its longest text."""
    shown = (table.columns, *table.rows[:_ITEMS])
    count = min(_COLUMNS, max(len(row) for row in shown))
    cells = [[fit(cell, _CELL, _CELL_ROOM, _clip_middle).strip() or "-" for cell in row[:count]] for row in shown]
    cells = [row + ["-"] * (count - len(row)) for row in cells]
    widths = [min(max(_NARROWEST, *(_needs(row[column]) for row in cells)), _WIDEST) for column in range(count)]
    cells[0] = [cell if cell != "-" else _BLANK for cell in cells[0]]
    head, *rows = (
        _row([(_text(cell, size="Small", **looks), width) for cell, width in zip(row, widths, strict=True)])
        for row, looks in zip(cells, ({"weight": "Bolder"}, *[{}] * _ITEMS), strict=False)
    )
    return _titled(table, [head], rows if count else [], room)


def _needs(text: str) -> int:
    return max(len(text) // 2, *map(len, text.split()))


def _titled(section: Section | Table, head: list[Json], rows: list[Json], room: int) -> Json:
    """The title, what stands above the rows, as many of them as there is room for, and how many there are more."""
    title = _rich_text(_spans((Span(section.title, Style.BOLD),), _TITLE, _TITLE_ROOM) or [_text(ELLIPSIS)])
    room -= weight(_container([*title, *head, *_rich_text(_and_more(10**12), spacing="Small")]))
    kept: list[Json] = []
    for row in rows:
        room -= weight(row) + len(", ")
        if room < 0:
            break
        kept.append(row)
    more = section.more + _length(section) - len(kept)
    ending = _rich_text(_and_more(more), spacing="Small")
    return _container([*title, *(head if kept else []), *kept, *ending])


def _and_more(count: int) -> list[Json]:
    return [_text(f"…and {count:,} more", italic=True)] if count > 0 else []


def _footer(notice: Notice) -> list[Json]:
    """One small line that says where to look the notice up."""
    words = " · ".join(part for part in (notice.footer, notice.id and f"id {notice.id}") if part)
    text = fit(words, _FOOTER, _FOOTER_ROOM, _clean).strip()
    return _rich_text([_text(text, **_SMALL)] if text else [])


def _container(items: list[Json]) -> Json:
    return {"type": "Container", "spacing": "Medium", "items": items}


def _row(cells: list[tuple[Json, str | int]]) -> Json:
    columns = [{"type": "Column", "width": width, "items": [_block([run])]} for run, width in cells]
    return {"type": "ColumnSet", "spacing": "Small", "columns": columns}


def _rich_text(spans: list[Json], **looks: str) -> list[Json]:
    return [_block(spans, **looks)] if spans else []


def _block(spans: list[Json], **looks: str) -> Json:
    return {"type": "RichTextBlock", **looks, "inlines": spans}


def _spans(line: Line, limit: int, room: int) -> list[Json]:
    """The line's spans, as many as `limit` characters of text and `room` of JSON hold; then an ellipsis."""
    shown: list[Json] = []
    limit -= len(ELLIPSIS)
    room -= weight(_text(ELLIPSIS))
    for span in line:
        run = _run(span, limit, room)
        if run is None:
            return shown if shown and shown[-1]["text"].endswith(ELLIPSIS) else [*shown, _text(ELLIPSIS)]
        if run["text"]:
            shown.append(run)
            limit -= len(run["text"])
            room -= weight(run) + len(", ")
    return shown if any(run["text"].strip() for run in shown) else []


def _run(span: Span, limit: int, room: int) -> Json | None:
    """The span as text, or as a link where its URL is one of ours; None where there is no room for any of it."""
    frame = _text("", **_STYLES.get(span.style, {}))
    if is_ours(span.url):
        frame |= {"selectAction": _open(span.url)}
    room -= weight(frame)
    clip, limit = (_clip_middle, min(limit, _NAME)) if span.style is Style.CODE else (_clean, limit)
    if min(limit, room // HEAVIEST) < 1:
        return None
    return frame | {"text": fit(span.text, limit, room, clip)}


def _open(url: str | None) -> Json:
    return {"type": "Action.OpenUrl", "url": url}


def _text(text: str, **looks: Any) -> Json:
    return {"type": "TextRun", "text": text, **looks}


def _clean(text: str, limit: int) -> str:
    shown = _still(clean(text, limit))
    return shown if len(shown) <= limit else clean(shown, limit)


def _clip_middle(text: str, limit: int) -> str:
    shown = _still(clip_middle(text, limit))
    return shown if len(shown) <= limit else clip_middle(shown, limit)


def _still(text: str) -> str:
    """The text with no date in it that Teams would put into the reader's words."""
    return _DATE.sub("{ {", text)


def _escape(text: str) -> str:
    """As Markdown, which a card's fallback is: https://spec.commonmark.org/0.31.2/#backslash-escapes."""
    return _PUNCTUATION.sub(r"\\\g<0>", text)
