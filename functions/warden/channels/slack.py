"""A notice as the body of a Slack incoming webhook.

Plain dicts, by hand: the libraries cost 5 to 18 ms at every cold start, and none of them knows the limit that bites,
the one of the whole message. Text from outside stands only where Slack reads no markup: in `rich_text` elements and in
`plain_text` objects. What does not fit is left out whole, and counted; no list ends in the middle.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, https://docs.slack.dev/reference/block-kit/blocks
"""

from warden.channels.columns import aligned
from warden.channels.headings import heading
from warden.channels.links import is_ours
from warden.channels.room import HEAVIEST, Json, fit, weight
from warden.notices import Fact, Line, Notice, Section, Span, Style, Table
from warden.text import ELLIPSIS, clean, clip_middle

HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
"""Where incoming webhooks live."""

NOT_TAKEN = frozenset({"invalid_blocks", "invalid_blocks_format", "invalid_payload", "msg_blocks_too_long"})
"""Slack's words for a message whose blocks it does not take: the plain one may be."""

BUDGET = 12_000
"""Characters of the whole message as JSON, escapes counted. Slack refuses about 13,200 as `msg_blocks_too_long`, which
its reference doesn't say: https://github.com/slackapi/bolt-js/issues/2509."""
HEADER_LIMIT = 150
SECTION_LIMIT = 3_000

# For each part: how much text at most, and how much room as JSON. All parts but the lists fill less than 9,000 of the
# budget, so that each of five lists has at least 600: enough for its title and the count of what it left out.
_FALLBACK, _FALLBACK_ROOM = 300, 900
_HEADER_ROOM = 900
_SUMMARY, _SUMMARY_ROOM = 600, 1_600
_FACTS, _FACTS_ROOM = 10, 1_600
_LABEL, _LABEL_ROOM, _VALUE, _VALUE_ROOM = 40, 200, 250, 500
_NEXT_STEP, _NEXT_STEP_ROOM = 400, 1_000
_LINKS, _LINK, _LINK_ROOM, _LINKS_ROOM = 6, 60, 1_000, 1_500
_FOOTER, _FOOTER_ROOM = 300, 700
_LISTS, _TITLE, _TITLE_ROOM = 5, 100, 250
_TABLE_WIDTH = 70
"""Characters of a line in a table: as many as a narrow window shows."""
_ITEMS, _ITEM, _ITEM_ROOM = 15, 300, 900
_NAME = 200

_STYLES = {Style.BOLD: "bold", Style.CODE: "code", Style.ITALIC: "italic"}


def render(notice: Notice) -> Json:
    """The payload: its blocks, and `text` for what shows no blocks (a phone's lock screen, a screen reader)."""
    title = heading(notice, HEADER_LIMIT, _HEADER_ROOM)
    above = [_header(title), *_rich_text(_spans(notice.summary, _SUMMARY, _SUMMARY_ROOM))]
    below = [
        *_facts(notice.facts),
        *_rich_text(_next_step(notice.next_step)),
        *_rich_text(_links(notice.links)),
        *_footer(notice),
    ]
    message: Json = {
        "text": _fallback(title, notice.summary),
        "mrkdwn": False,
        "blocks": [*above, *below],
        "unfurl_links": False,
        "unfurl_media": False,
    }
    lists: tuple[Section | Table, ...] = (*notice.sections, *notice.tables)
    message["blocks"][len(above) : len(above)] = _lists(lists, BUDGET - weight(message))
    return message


def render_plainly(notice: Notice) -> Json:
    """The same news without blocks, for whatever does not take them: text alone, in which nothing is markup."""
    lines = [
        heading(notice, HEADER_LIMIT, _HEADER_ROOM),
        *(
            "".join(span.text for span in line)
            for line in (notice.summary, *(item for section in notice.sections for item in section.items))
        ),
        *(" · ".join(row) for table in notice.tables for row in (table.columns, *table.rows)),
    ]
    shown = [fit(line, _ITEM, _ITEM_ROOM, clean) for line in lines[: _ITEMS + 2]]
    more = _and_more(len(lines) - len(shown))
    shown += [more[0]["text"]] if more else []
    text = "\n".join(_escape(line) for line in shown if line.strip())
    return {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}


def _fallback(title: str, summary: Line) -> str:
    text = f"{title} — {''.join(span.text for span in summary)}" if summary else title
    escaped = _escape(clean(text, _FALLBACK))
    return escaped if weight(escaped) <= _FALLBACK_ROOM else _escape(clean(text, _FALLBACK_ROOM // HEAVIEST))


def _facts(facts: tuple[Fact, ...]) -> list[Json]:
    """A line for each, set off from the rest by a quotation's bar."""
    spans: list[Json] = []
    shown = 0
    for fact in facts[:_FACTS]:
        label = _spans((Span(fact.label, Style.BOLD),), _LABEL, _LABEL_ROOM)
        value = _spans((Span(fact.value),), _VALUE, _VALUE_ROOM)
        line = [*([_text("\n")] if spans else []), *label, _text("  "), *value]
        if weight([*spans, *line]) > _FACTS_ROOM:
            break
        spans += line
        shown += 1
    spans += [_text("\n"), *more] if (more := _and_more(len(facts) - shown)) else []
    return [{"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": spans}]}] if spans else []


def _next_step(line: Line) -> list[Json]:
    spans = _spans(line, _NEXT_STEP, _NEXT_STEP_ROOM)
    return [_text("Next step", "bold"), _text("  "), *spans] if spans else []


def _links(line: Line) -> list[Json]:
    gap = _text("   ·   ")
    shown: list[Json] = []
    count = 0
    for span in line[:_LINKS]:
        link = _spans((span,), _LINK, _LINK_ROOM)
        if weight([*shown, gap, *link]) > _LINKS_ROOM:
            break
        shown += [gap, *link] if shown else link
        count += 1
    more = _and_more(len(line) - count)
    return [*shown, gap, *more] if shown and more else shown or more


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


def _table(table: Table, room: int) -> Json:
    """Aligned in a fixed width, where Slack reads no markup. Its own table block is not known to work by webhook."""
    title = _spans((Span(table.title, Style.BOLD),), _TITLE, _TITLE_ROOM) or [_text(ELLIPSIS)]
    rows = len(table.rows)
    for shown in range(min(rows, _ITEMS), -1, -1):
        block = _table_block(title, aligned(table, shown, _TABLE_WIDTH), more=table.more + rows - shown)
        if weight(block) <= room or not shown:
            break
    return block


def _table_block(title: list[Json], text: str, *, more: int) -> Json:
    grid = [{"type": "rich_text_preformatted", "elements": [_text(text)]}] if text else []
    ending = [_section(_and_more(more))] if more else []
    return {"type": "rich_text", "elements": [_section(title), *grid, *ending]}


def _list(section: Section, room: int) -> Json:
    title = _spans((Span(section.title, Style.BOLD),), _TITLE, _TITLE_ROOM) or [_text(ELLIPSIS)]
    length = SECTION_LIMIT - _TITLE - _ITEM
    room -= weight(_list_block(title, [{}], more=10**12))
    items: list[Json] = []
    for line in section.items[:_ITEMS]:
        item = _section(_spans(line, _ITEM, _ITEM_ROOM) or [_text(ELLIPSIS)])
        room -= weight(item) + len(", ")
        length -= sum(len(span["text"]) for span in item["elements"])
        if room < 0 or length < 0:
            break
        items.append(item)
    return _list_block(title, items, more=section.more + len(section.items) - len(items))


def _list_block(title: list[Json], items: list[Json], *, more: int) -> Json:
    bullets = {"type": "rich_text_list", "style": "bullet", "elements": items}
    ending = [_section(_and_more(more))] if more else []
    return {"type": "rich_text", "elements": [_section(title), *([bullets] if items else []), *ending]}


def _and_more(count: int) -> list[Json]:
    return [_text(f"…and {count:,} more", "italic")] if count > 0 else []


def _header(text: str) -> Json:
    return {"type": "header", "text": _plain_text(text)}


def _footer(notice: Notice) -> list[Json]:
    """One small line that says where to look the notice up."""
    words = " · ".join(part for part in (notice.footer, notice.id and f"id {notice.id}") if part)
    text = fit(words, _FOOTER, _FOOTER_ROOM, clean).strip()
    return [{"type": "context", "elements": [_plain_text(text)]}] if text else []


def _rich_text(*lines: list[Json]) -> list[Json]:
    """One block with a section for each line that says something."""
    sections = [_section(line) for line in lines if line]
    return [{"type": "rich_text", "elements": sections}] if sections else []


def _section(spans: list[Json]) -> Json:
    return {"type": "rich_text_section", "elements": spans}


def _spans(line: Line, limit: int, room: int) -> list[Json]:
    """The line's spans, as many as `limit` characters of text and `room` of JSON hold; then an ellipsis."""
    shown: list[Json] = []
    limit -= len(ELLIPSIS)
    room -= weight(_text(ELLIPSIS))
    for span in line:
        element = _element(span, limit, room)
        if element is None:
            return shown if shown and shown[-1]["text"].endswith(ELLIPSIS) else [*shown, _text(ELLIPSIS)]
        if element["text"]:
            shown.append(element)
            limit -= len(element["text"])
            room -= weight(element) + len(", ")
    return shown if any(element["text"].strip() for element in shown) else []


def _element(span: Span, limit: int, room: int) -> Json | None:
    """The span as text, or as a link where its URL is one of ours; None where there is no room for any of it."""
    frame = _text("", _STYLES.get(span.style))
    if is_ours(span.url):
        frame |= {"type": "link", "url": span.url}
    room -= weight(frame)
    clip, limit = (clip_middle, min(limit, _NAME)) if span.style is Style.CODE else (clean, limit)
    if min(limit, room // HEAVIEST) < 1:
        return None
    return frame | {"text": fit(span.text, limit, room, clip)}


def _text(text: str, style: str | None = None) -> Json:
    return {"type": "text", "text": text} | ({"style": {style: True}} if style else {})


def _plain_text(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escape(text: str) -> str:
    """Slack's three characters: https://docs.slack.dev/messaging/formatting-message-text#escaping."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
