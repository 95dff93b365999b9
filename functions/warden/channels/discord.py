r"""A notice as the body of a Discord webhook: one embed, and no `content`.

`content` is where Discord looks for mentions, invites and links to unfold, so nothing is said there; a phone shows the
embed's title. An embed's texts are Markdown: what comes from outside is escaped, and a scheme's colon as well, since
`https\://` is no link. Its footer is read as it is. What does not fit is left out whole, and counted.

https://docs.discord.com/developers/resources/webhook#execute-webhook,
https://docs.discord.com/developers/resources/message#embed-object-embed-limits
"""

import re
from collections.abc import Callable

from warden.channels.columns import aligned
from warden.channels.headings import heading
from warden.channels.links import is_ours
from warden.channels.room import HEAVIEST, Json
from warden.notices import Fact, Level, Line, Notice, Section, Span, Style, Table
from warden.text import ELLIPSIS, clean, clip_middle

HOSTS = frozenset({"discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"})
"""Where webhooks live: under the name of today, the one of before, and those of the two test clients."""

BUDGET = 6_000
"""Characters of title, description, names and values of fields, and footer together."""
TITLE_LIMIT = 256
DESCRIPTION_LIMIT = 4_096

# For each part: how much at most, in characters as Discord gets them, escapes and URLs counted. All parts but the lists
# fill less than 3,600 of the budget, so that each of five lists has at least 470.
_TITLE = 200
_SUMMARY = 600
_FACTS, _FACTS_ROOM, _LABEL, _VALUE = 10, 1_000, 60, 300
_NEXT_STEP = 400
_LINKS, _LINK, _LINKS_ROOM = 6, 60, 900
_FOOTER = 300
_LISTS, _LIST_TITLE = 5, 120
_ITEMS, _ITEM = 15, 400
_NAME = 200
_TABLE_WIDTH = 56
"""Characters of a line in a table: as many as an embed shows."""

_COLOURS = {
    Level.CRITICAL: 0xD92D20,
    Level.HIGH: 0xF79009,
    Level.ATTENTION: 0xFAC515,
    Level.CHANGE: 0x667085,
    Level.HELLO: 0x2E90FA,
    Level.GOOD: 0x12B76A,
    Level.DIGEST: 0x6172F3,
}
_MARKS = {Style.BOLD: "**", Style.ITALIC: "*"}
_MARKUP = re.compile(r"[\\`*_~|<>\[\]()#@:]")
_BULLET = re.compile(r"(?:[-+]|\d+\.)(?=\s|$)")
_TITLE_MARKUP = re.compile(r"[\\`*_~|<>\[\]]|:(?=//|\S*:)|@(?=everyone|here)")
_LINKABLE = re.compile(r"[A-Za-z0-9 ,.…=/&%'+-]+")


def render(notice: Notice) -> Json:
    """The payload. It can mention nobody, whatever it says."""
    embed: Json = {"title": _title(notice), "color": _COLOURS[notice.level]}
    fields = [*_facts(notice.facts), *_next_step(notice.next_step), *_links(notice.links)]
    footer = _footer(notice)
    said = (embed["title"], footer, *(text for field in fields for text in (field["name"], field["value"])))
    description = _description(notice, min(DESCRIPTION_LIMIT, BUDGET - sum(map(size, said))))
    embed |= {"description": description} if description else {}
    embed |= {"fields": fields} if fields else {}
    embed |= {"footer": {"text": footer}} if footer else {}
    return {"username": "ECR Warden", "embeds": [embed], "allowed_mentions": {"parse": []}}


def size(text: str) -> int:
    """The text's length in UTF-16, the longest way to count characters that a client uses.

    >>> size("é"), size("😀")
    (1, 2)
    """
    return len(text) + sum(character > "\uffff" for character in text)


def _title(notice: Notice) -> str:
    """In a title Discord reads the styles and no links: https://github.com/discord/discord-api-docs/issues/6088."""
    whole = _escape(heading(notice, _TITLE, _TITLE * HEAVIEST), _TITLE_MARKUP)
    if size(whole) <= TITLE_LIMIT:
        return whole
    return _escape(heading(notice, TITLE_LIMIT // 2, TITLE_LIMIT * HEAVIEST), _TITLE_MARKUP)


def _description(notice: Notice, room: int) -> str:
    """The summary and the lists, an empty line between them."""
    summary = _line(notice.summary, _SUMMARY)
    lists = _lists((*notice.sections, *notice.tables), room - size(summary))
    return "\n\n".join([summary, *lists] if summary else lists)


def _facts(facts: tuple[Fact, ...]) -> list[Json]:
    """A field for each, three in a row where there is the width for it."""
    fields: list[Json] = []
    room = _FACTS_ROOM
    for fact in facts[:_FACTS]:
        name = _line((Span(fact.label),), _LABEL) or ELLIPSIS
        value = _line((Span(fact.value),), _VALUE) or ELLIPSIS
        room -= size(name) + size(value)
        if room < 0:
            break
        fields.append(_field(name, value, inline=True))
    more = len(facts) - len(fields)
    return [*fields, _field(ELLIPSIS, _and_more(more), inline=True)] if more else fields


def _next_step(line: Line) -> list[Json]:
    text = _line(line, _NEXT_STEP)
    return [_field("Next step", text)] if text else []


def _links(line: Line) -> list[Json]:
    shown: list[str] = []
    room, count = _LINKS_ROOM - len(_and_more(10**9)), 0
    for span in line[:_LINKS]:
        link = _line((Span(clean(span.text, _LINK), url=span.url),), _LINKS_ROOM)
        room -= size(link) + len(" · ")
        if room < 0:
            break
        shown += [link] if link else []
        count += 1
    shown += [_and_more(len(line) - count)] if len(line) > count else []
    return [_field("Links", " · ".join(shown))] if shown else []


def _footer(notice: Notice) -> str:
    """Where to look the notice up; no Markdown is read here."""
    words = " · ".join(part for part in (notice.footer, notice.id and f"id {notice.id}") if part)
    return _fit(words, _FOOTER, clean, str).strip()


def _lists(sections: tuple[Section | Table, ...], room: int) -> list[str]:
    """The lists and tables, in the room that is left: each has an equal share, and passes on what it doesn't need."""
    if len(sections) > _LISTS:
        others = sections[_LISTS - 1 :]
        count = sum(_length(section) + section.more for section in others)
        sections = (*sections[: _LISTS - 1], Section(f"{len(others)} more lists", (), count))
    texts: list[str] = []
    for left, section in zip(range(len(sections), 0, -1), sections, strict=True):
        share = room // left - len("\n\n")
        text = _table(section, share) if isinstance(section, Table) else _list(section, share)
        room -= size(text) + len("\n\n")
        texts.append(text)
    return texts


def _length(section: Section | Table) -> int:
    return len(section.rows if isinstance(section, Table) else section.items)


def _table(table: Table, room: int) -> str:
    """As many of the rows as there is room for."""
    made = (_table_text(table, rows) for rows in range(min(len(table.rows), _ITEMS), 0, -1))
    return next((text for text in made if size(text) <= room), _table_text(table, 0))


def _table_text(table: Table, rows: int) -> str:
    """Aligned in a code block, where only its end is markup: a backtick is shown as the accent that it looks like."""
    grid = aligned(table, rows, _TABLE_WIDTH).replace("`", "\u02cb")
    more = table.more + len(table.rows) - rows
    parts = (_list_title(table.title), f"```\n{grid}\n```" if grid else "", _and_more(more) if more > 0 else "")
    return "\n".join(part for part in parts if part)


def _list(section: Section, room: int) -> str:
    lines = [_list_title(section.title)]
    room -= size(lines[0]) + len("\n") + len(_and_more(10**12))
    for line in section.items[:_ITEMS]:
        item = f"- {_line(line, _ITEM) or ELLIPSIS}"
        room -= size(item) + len("\n")
        if room < 0:
            break
        lines.append(item)
    more = section.more + len(section.items) - (len(lines) - 1)
    return "\n".join([*lines, _and_more(more)] if more > 0 else lines)


def _list_title(title: str) -> str:
    return _line((Span(title, Style.BOLD),), _LIST_TITLE) or ELLIPSIS


def _and_more(count: int) -> str:
    return f"*…and {count:,} more*"


def _field(name: str, value: str, *, inline: bool = False) -> Json:
    return {"name": name, "value": value, "inline": inline}


def _line(line: Line, room: int) -> str:
    """The line's spans as Markdown, as many as there is room for; then an ellipsis. Empty where it says nothing."""
    shown = ""
    room -= len(ELLIPSIS) + len("\\")
    for span in line:
        # Two styles that touch would run into one another: the second is shown plain.
        piece = _piece(span, room - size(shown), styled=shown[-1:] not in {"*", "`"})
        if piece is None:
            shown += "" if shown.endswith(ELLIPSIS) else ELLIPSIS
            break
        shown += piece
    shown = shown.strip()
    bullet = _BULLET.match(shown)
    return f"{shown[: bullet.end() - 1]}\\{shown[bullet.end() - 1 :]}" if bullet else shown


def _piece(span: Span, room: int, *, styled: bool) -> str | None:
    """The span in its style, or as a link where its URL is one of ours; None where there is no room for any of it."""
    if room < len("****") + 2:
        return None
    if is_ours(span.url):
        return _link(span, room)
    if span.style is Style.CODE:
        return _code(span.text, room, styled=styled)
    mark = _MARKS.get(span.style, "") if styled else ""
    text = _fit(span.text, room - 2 * len(mark), clean, _escape)
    core = text.strip()
    return text.replace(core, f"{mark}{core}{mark}") if mark and core else text


def _code(text: str, room: int, *, styled: bool) -> str:
    """A name in letters of one width; one with a backtick in it would end them, and is shown plain."""
    shown = _fit(text, min(_NAME, room - len("``")), clip_middle, str)
    if styled and shown.strip() and "`" not in shown:
        return f"`{shown}`"
    return _fit(text, min(_NAME, room), clip_middle, _escape)


def _link(span: Span, room: int) -> str:
    """A masked link. Its text can't be escaped: https://github.com/discord/discord-api-docs/issues/6185.

    So text that would have to be stands before a link that says "open".
    """
    url = str(span.url).replace("(", "%28").replace(")", "%29")
    words = f"[open]({url})"
    text = _fit(span.text, max(1, room - len(words) - len(" ()")), clean, _escape)
    if size(text) + len(words) + len(" ()") > room or not text.strip():
        return _fit(span.text, room, clean, _escape)
    return f"[{text.strip()}]({url})" if _LINKABLE.fullmatch(text) else f"{text} ({words})"


def _fit(text: str, room: int, clip: Callable[[str, int], str], escape: Callable[[str], str]) -> str:
    """The text, escaped, in at most `room` characters; no character becomes more than two of them."""
    shown = escape(clip(text, room))
    return shown if size(shown) <= room else escape(clip(text, max(1, room // 2)))


def _escape(text: str, markup: re.Pattern[str] = _MARKUP) -> str:
    r"""The text as Markdown that shows it: a backslash before all that could begin markup within a line.

    >>> _escape("a_b: <@1> 1.2")
    'a\\_b\\: \\<\\@1\\> 1.2'
    """
    return markup.sub(r"\\\g<0>", text)
