"""A notice as a custom notification, which Amazon Q Developer in chat applications takes from an SNS topic to chat.

What isn't in its format is dropped, and nobody is told: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html.

Its texts are "client-markdown": the markup of whatever product they end up in, Slack or Teams, and we don't know in
which. So all that we write means the same in both, and what comes from outside means nothing in either: a word that one
of them could read as more than a word stands in a code span, where both show it as it is, and neither makes links,
mentions or emoji. Escapes wouldn't do: Slack has none for its asterisks, and shows a backslash. Even in code, Slack
resolves what stands in angle brackets and Amazon Q a name after @ (its guide says "cc: @SRE-Team"), so those two are
changed; an ampersand is escaped as Slack wants it, which Teams undoes as well, but not in code. Links are bare URLs,
which both products make clickable, while their ways to name a link have nothing in common.
"""

import re
from collections.abc import Iterable
from itertools import groupby

from warden.channels.columns import aligned
from warden.channels.headings import heading
from warden.channels.links import is_ours
from warden.channels.room import HEAVIEST, Json, weight
from warden.channels.standard_webhook import event_type
from warden.notices import Fact, Line, Notice, Section, Span, Style, Table, bold, notice_id
from warden.text import ELLIPSIS, clean, clip_middle

HOSTS: frozenset[str] = frozenset()
"""There is no webhook: it is published to a topic."""

BUDGET = 8_000
"""Characters of the whole message as JSON, escapes counted; SNS takes 262,144 bytes, and a chat far less."""
DESCRIPTION_LIMIT = 3_000
"""As many as Slack takes in one text: Amazon's guide doesn't say what becomes of a longer one."""

# For each part: how much room as JSON. All of the description but its lists fills less than 1,400, so that each of five
# lists has at least 300: enough for its title and the count of what it left out.
_TITLES = (100, 50, 28)
"""Characters of the title; a shorter one where it doesn't fit its room, as escapes of the shortest always do."""
_TITLE_ROOM = 400
_SUMMARY_ROOM, _FOOTER_ROOM = 400, 300
_FACTS, _FACT_ROOM, _FACTS_ROOM = 10, 250, 600
_LISTS, _LIST_TITLE_ROOM, _ITEMS, _ITEM_ROOM, _TABLE_WIDTH = 5, 120, 15, 300, 60
_NEXT_STEP_ROOM = 800
_LINKS, _LINK_ROOM, _LINKS_ROOM = 6, 200, 2_000
_SUBJECT_ROOM, _SPAN, _NAME = 300, 1_000, 120

_HEAVIEST = HEAVIEST + len("``")
"""What one character can weigh in the end: as a character, and in a code span of its own."""
_MARKUP = re.compile(
    r"[*_~|#@\\\[\]]"
    r"|:[^\s:]+:"  # an emoji's name
    r"|://|\bwww\.|\bmailto:|[^\W_]\.[^\W\d_]{2,}"  # what is made a link, with a scheme or without
)
_BULLET = re.compile(r"[-+=]+|\d+[.)]")
"""What makes a list or a heading of Markdown where it stands first in a line."""
_MENTION = re.compile(r"(?<![A-Za-z0-9])@|@(?!sha256:)")
"""An @ that isn't one of name@digest."""
_LIVE_IN_CODE = str.maketrans({"`": "ˋ", "<": "‹", ">": "›", "&": "&amp;"})
_AMBIGUOUS = re.compile(r"[*_~()'@:]")
"""What is allowed in a URL, and could end it or be read as markup within."""

_Marks = list[tuple[str, bool]]
"""Characters, or words, and whether each is code."""


def render(notice: Notice) -> Json:
    """The message to publish: the title, the description, and what to do next with our links."""
    title = _title(notice)
    event = event_type(notice)
    subject = _words((Span(notice.subject, Style.CODE),), _SUBJECT_ROOM) if notice.subject.strip() else ""
    steps = _steps(notice)
    return {
        "version": "1.0",
        "source": "custom",
        **({"id": _token(notice.id)} if notice.id else {}),
        "content": {
            "textType": "client-markdown",
            "title": title,
            "description": _description(notice) or title,
            **({"nextSteps": steps} if steps else {}),
            "keywords": [event.rpartition(".")[2], notice.level.value],
        },
        "metadata": {
            **({"threadId": _token(notice.thread)} if notice.thread else {}),
            "summary": title,
            "eventType": event,
            **({"relatedResources": [subject]} if subject else {}),
        },
    }


def _title(notice: Notice) -> str:
    for limit in _TITLES:
        text = _inert([(character, False) for character in heading(notice, limit, limit * HEAVIEST)])
        if _size(text) <= _TITLE_ROOM:
            break
    return text


def _token(text: str) -> str:
    """Something of ours to know it by, whatever it is made of."""
    return text if re.fullmatch(r"[A-Za-z0-9-]{1,40}", text) else notice_id(clean(text, len(text)))


def _description(notice: Notice) -> str:
    """Paragraphs: what happened, the lists, the facts, and where to look it up."""
    facts = _facts(notice.facts)
    footer = " · ".join(part for part in (notice.footer, notice.id and f"id {notice.id}") if part)
    above, below = _words(notice.summary, _SUMMARY_ROOM), (facts, _words((Span(footer),), _FOOTER_ROOM))
    room = DESCRIPTION_LIMIT - _size("\n\n".join((above, *below, "")))
    lists = _lists((*notice.sections, *notice.tables), room)
    return "\n\n".join(paragraph for paragraph in (above, *lists, *below) if paragraph)


def _facts(facts: tuple[Fact, ...]) -> str:
    lines = (f"- {_words((Span(f'{fact.label}: {fact.value}'),), _FACT_ROOM)}" for fact in facts[:_FACTS])
    return _list("*Details*", lines, len(facts), _FACTS_ROOM) if facts else ""


def _lists(sections: tuple[Section | Table, ...], room: int) -> list[str]:
    """The lists and tables, in the room that is left: each has an equal share, and passes on what it doesn't need."""
    if len(sections) > _LISTS:
        others = sections[_LISTS - 1 :]
        count = sum(_length(section) + section.more for section in others)
        sections = (*sections[: _LISTS - 1], Section(f"{len(others)} more lists", (), count))
    shown: list[str] = []
    for left, section in zip(range(len(sections), 0, -1), sections, strict=True):
        share = room // left - _size("\n\n")
        shown.append(_table(section, share) if isinstance(section, Table) else _section(section, share))
        room -= _size(shown[-1]) + _size("\n\n")
    return shown


def _length(section: Section | Table) -> int:
    return len(section.rows if isinstance(section, Table) else section.items)


def _section(section: Section, room: int) -> str:
    items = (f"- {_words(line, _ITEM_ROOM) or ELLIPSIS}" for line in section.items[:_ITEMS])
    return _list(_list_title(section.title), items, section.more + len(section.items), room)


def _list(title: str, lines: Iterable[str], count: int, room: int) -> str:
    """The title and as many of the lines as fit; the rest of the count is told in a line of its own."""
    shown = [title]
    room -= _size(f"{title}\n- {_and_more(10**12)}")
    for line in lines:
        room -= _size(f"\n{line}")
        if room < 0:
            break
        shown.append(line)
        count -= 1
    return "\n".join((*shown, f"- {_and_more(count)}") if count > 0 else shown)


def _table(table: Table, room: int) -> str:
    """Aligned between fences, where both products show every letter in one width and read no markup."""
    title, rows = _list_title(table.title), len(table.rows)
    for shown in range(min(rows, _ITEMS), -1, -1):
        grid = _quiet(aligned(table, shown, _TABLE_WIDTH))
        count = table.more + rows - shown
        ending = [_and_more(count)] if count > 0 else []
        text = "\n".join((title, *(["```", grid, "```"] if grid else []), *ending))
        if _size(text) <= room:
            break
    return text


def _list_title(text: str) -> str:
    """In the asterisks that are bold in Slack and italic in Teams, where there is nothing in it but words."""
    shown = _words((bold(text),), _LIST_TITLE_ROOM) or ELLIPSIS
    return shown if "`" in shown else f"*{shown}*"


def _and_more(count: int) -> str:
    return f"…and {count:,} more"


def _steps(notice: Notice) -> list[str]:
    """The next step, and a step for each link."""
    step = _words(notice.next_step, _NEXT_STEP_ROOM)
    steps = [step] if step else []
    room = _LINKS_ROOM
    left = len(notice.links)
    for span in notice.links[:_LINKS]:
        line = _link(span)
        room -= weight(line) + len(", ")
        if room < 0:
            break
        steps.append(line)
        left -= 1
    return [*steps, _and_more(left)] if left else steps


def _link(span: Span) -> str:
    """What it leads to, and the URL where it is one of ours, in the letters that stay a URL in every product."""
    text = _words((Span(span.text),), _LINK_ROOM) or ELLIPSIS
    if span.url is None or not is_ours(span.url):
        return text
    scheme, path = span.url[: len("https://")], span.url[len("https://") :]
    return f"{text}: {scheme}{_AMBIGUOUS.sub(_percent_encoded, path).replace('&', '&amp;')}"


def _percent_encoded(found: re.Match[str]) -> str:
    """Percent-encoded, but for what is markup only in pairs: the console has one _ and one : in its URLs."""
    character = found[0]
    single = character in "_:" and found.string.index(character) == found.start()
    return character if single else f"%{ord(character):02X}"


def _words(line: Line, room: int) -> str:
    """The line as text that is no markup, in the room; then an ellipsis."""
    marks = [
        (character, span.style is Style.CODE)
        for span in line
        for character in (clip_middle(span.text, _NAME) if span.style is Style.CODE else clean(span.text, _SPAN))
    ]
    for limit in (room, room // 2, room // 4, room // _HEAVIEST):
        text = _inert(marks if len(marks) <= limit else [*marks[: limit - 1], (ELLIPSIS, False)])
        if _size(text) <= room:
            break
    return text


def _inert(marks: _Marks) -> str:
    """The words, those that are code or could be read as markup in code spans."""
    words: _Marks = []
    for blank, group in groupby(marks, key=lambda mark: mark[0] == " "):
        if not blank:
            characters, flags = zip(*group, strict=True)
            word = "".join(characters)
            first = not words and _BULLET.fullmatch(word) is not None
            words.append((word, any(flags) or first or _MARKUP.search(word) is not None))
    runs = ((code, " ".join(word for word, _ in run)) for code, run in groupby(words, key=lambda word: word[1]))
    return " ".join(_in_code(text) if code else _quiet(text) for code, text in runs)


def _in_code(text: str) -> str:
    """In a code span, but for the punctuation that ends it."""
    name = text.rstrip(".,;!?") or text
    return f"`{_quiet(name)}`{text[len(name) :]}"


def _quiet(text: str) -> str:
    """The text without what is read as markup even in code."""
    return _MENTION.sub("@ ", text).translate(_LIVE_IN_CODE)


def _size(text: str) -> int:
    return weight(text) - len('""')
