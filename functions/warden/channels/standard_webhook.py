"""A notice as the body of a webhook to a system of one's own: for machines to read, with texts that people can.

The envelope is that of Standard Webhooks, and so is the size, "usually smaller than 20kb":
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload. What is in `data` is
our contract with receivers, `schema/webhook/notice.schema.json`: keys are added to it, and none is renamed or dropped.
Texts are cleaned and cut; they carry no markup, and a receiver that shows them as HTML or Markdown must escape them.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

from warden.channels.links import is_ours
from warden.channels.room import Json, fit, weight
from warden.notices import Fact, Line, Notice, Section, Style, Table
from warden.text import clean, clip_middle

HOSTS: frozenset[str] = frozenset()
"""None that are known beforehand: the policy names the hosts that it may go to."""

BUDGET = 20_000
"""Bytes of the whole body, with every escape and with blanks between: less, however it is serialised."""

# For each part: how many characters at most, and how much room as JSON. All parts but the lists fill less than 15,000
# of the budget, so that each of the lists has at least 600: enough for its title and the count of what it left out.
_ID, _ID_ROOM = 100, 300
_TITLE, _TITLE_ROOM = 300, 1_200
_SUMMARY, _SUMMARY_ROOM = 1_000, 2_000
_NEXT_STEP, _NEXT_STEP_ROOM = 600, 1_200
_FOOTER, _FOOTER_ROOM = 400, 800
_FACTS, _LABEL, _LABEL_ROOM, _VALUE, _VALUE_ROOM, _FACTS_ROOM = 10, 60, 200, 300, 900, 2_400
_LINKS, _LINK, _LINK_ROOM, _LINKS_ROOM = 6, 80, 400, 2_600
_LISTS, _LIST_TITLE, _LIST_TITLE_ROOM = 5, 100, 300
_ITEMS, _ITEM, _ITEM_ROOM = 15, 300, 900
_COLUMNS, _CELL, _CELL_ROOM = 6, 100, 300
_NAME = 200

T = TypeVar("T")


def event_type(notice: Notice) -> str:
    """The type of event that the notice tells: ours, and then the notice's kind.

    >>> from warden.notices import Level
    >>> event_type(Notice("", "scan_failed", Level.ATTENTION, "", "", ()))
    'ecr-warden.scan_failed'
    """
    kind = re.sub(r"[^A-Za-z0-9]+", "_", notice.kind[:_ID]).strip("_")
    return f"ecr-warden.{kind or 'notice'}"


def render(notice: Notice) -> Json:
    """The payload: its type, when that happened which it tells (where it is known), and the notice as data."""
    facts, links = _facts(notice.facts), _links(notice.links)
    data: Json = {
        "id": fit(notice.id, _ID, _ID_ROOM, clean),
        "kind": fit(notice.kind, _ID, _ID_ROOM, clean),
        "level": notice.level.value,
        "title": fit(notice.title, _TITLE, _TITLE_ROOM, clip_middle).strip(),
        "subject": fit(notice.subject, _TITLE, _TITLE_ROOM, clip_middle).strip(),
        "summary": _text(notice.summary, _SUMMARY, _SUMMARY_ROOM),
        "sections": [],
        "tables": [],
        "facts": facts,
        "next_step": _text(notice.next_step, _NEXT_STEP, _NEXT_STEP_ROOM),
        "links": links,
        "footer": fit(notice.footer, _FOOTER, _FOOTER_ROOM, clean).strip(),
        "thread": fit(notice.thread, _ID, _ID_ROOM, clean),
        "left_out": {
            "sections": max(0, len(notice.sections) - _LISTS),
            "tables": max(0, len(notice.tables) - max(0, _LISTS - len(notice.sections))),
            "facts": len(notice.facts) - len(facts),
            "links": len(notice.links) - len(links),
        },
    }
    moment = _moment(notice.at)
    payload: Json = {"type": event_type(notice), **({"timestamp": moment} if moment else {}), "data": data}
    room = BUDGET - weight(payload)
    parts: list[Section | Table] = [*notice.sections, *notice.tables]
    del parts[_LISTS:]
    for left, part in zip(range(len(parts), 0, -1), parts, strict=True):
        share = room // left - len(", ")
        made = _section(part, share) if isinstance(part, Section) else _table(part, share)
        data["sections" if isinstance(part, Section) else "tables"].append(made)
        room -= weight(made) + len(", ")
    return payload


def _moment(at: str) -> str:
    """In UTC, to the second; empty where the notice doesn't say, or not in ISO 8601. A time without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(at)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return zoned.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return ""


def _facts(facts: tuple[Fact, ...]) -> list[Json]:
    """Whole ones, as many as there is room for."""
    made = (
        {
            "label": fit(fact.label, _LABEL, _LABEL_ROOM, clean).strip(),
            "value": fit(fact.value, _VALUE, _VALUE_ROOM, clean).strip(),
        }
        for fact in facts[:_FACTS]
    )
    return _as_many_as_fit(made, _FACTS_ROOM)


def _links(line: Line) -> list[Json]:
    made = (
        {"text": fit(span.text, _LINK, _LINK_ROOM, clean).strip(), **({"url": span.url} if is_ours(span.url) else {})}
        for span in line[:_LINKS]
    )
    return _as_many_as_fit(made, _LINKS_ROOM)


def _section(section: Section, room: int) -> Json:
    made: Json = {"title": _list_title(section.title), "items": [], "more": section.more + len(section.items)}
    items = (_text(line, _ITEM, _ITEM_ROOM) for line in section.items[:_ITEMS])
    made["items"] = _as_many_as_fit(items, room - weight(made))
    made["more"] -= len(made["items"])
    return made


def _table(table: Table, room: int) -> Json:
    """Of at most six columns; each row has as many cells as there are headings."""
    made: Json = {"title": _list_title(table.title), "columns": [], "rows": [], "more": table.more + len(table.rows)}
    columns = [_cell(text) for text in table.columns[:_COLUMNS]]
    blank = ("",) * len(columns)
    rows = ([_cell(text) for text in (*row, *blank)[: len(columns)]] for row in table.rows[:_ITEMS])
    lines = _as_many_as_fit((columns, *rows), room - weight(made)) if columns else []
    made["columns"], made["rows"] = lines[0] if lines else [], lines[1:]
    made["more"] -= len(made["rows"])
    return made


def _cell(text: str) -> str:
    return fit(text, _CELL, _CELL_ROOM, clean).strip()


def _list_title(text: str) -> str:
    return fit(text, _LIST_TITLE, _LIST_TITLE_ROOM, clean).strip()


def _text(line: Line, limit: int, room: int) -> str:
    """The line's words without their looks; long names in it keep their end."""
    words = "".join(clip_middle(span.text, _NAME) if span.style is Style.CODE else span.text for span in line)
    return fit(words, limit, room, clean).strip()


def _as_many_as_fit(parts: Iterable[T], room: int) -> list[T]:
    """The first of them, whole, that weigh no more than `room` in a list."""
    fitting: list[T] = []
    for part in parts:
        room -= len(json.dumps(part)) + len(", ")
        if room < 0:
            break
        fitting.append(part)
    return fitting
