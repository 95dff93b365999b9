"""Notices that are hostile, or too much, in one place or in all of them; what each channel must survive."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st

from tests.corpus import hostile
from tests.corpus.notices import NEW_CRITICALS
from warden.notices import Fact, Level, Notice, Section, Span, Style, Table

STRINGS = hostile.strings()

Put = Callable[[str], Notice]
FIELDS: dict[str, Put] = {
    "id": lambda text: replace(NEW_CRITICALS, id=text),
    "kind": lambda text: replace(NEW_CRITICALS, kind=text),
    "title": lambda text: replace(NEW_CRITICALS, title=text),
    "subject": lambda text: replace(NEW_CRITICALS, subject=text),
    "summary": lambda text: replace(NEW_CRITICALS, summary=(Span("in "), Span(text), Span(text, Style.CODE))),
    "summary's link": lambda text: replace(NEW_CRITICALS, summary=(Span("x", url=text),)),
    "section's title": lambda text: replace(NEW_CRITICALS, sections=(Section(text, ((Span("x"),),), 1),)),
    "item": lambda text: replace(
        NEW_CRITICALS, sections=(Section("x", ((Span(text), Span(text, Style.BOLD), Span(text, Style.CODE)),) * 3),)
    ),
    "item's link": lambda text: replace(NEW_CRITICALS, sections=(Section("x", ((Span("x", url=text),),)),)),
    "fact's label": lambda text: replace(NEW_CRITICALS, facts=(Fact(text, "x"),)),
    "fact's value": lambda text: replace(NEW_CRITICALS, facts=(Fact("x", text),)),
    "next step": lambda text: replace(NEW_CRITICALS, next_step=(Span(text), Span(text, Style.ITALIC))),
    "link's text": lambda text: replace(NEW_CRITICALS, links=(Span(text, url="https://nvd.nist.gov/vuln/x"),)),
    "link": lambda text: replace(
        NEW_CRITICALS, links=(Span("x", url=text), Span("x", url=f"https://nvd.nist.gov/{text}"))
    ),
    "footer": lambda text: replace(NEW_CRITICALS, footer=text),
    "table": lambda text: replace(NEW_CRITICALS, tables=(Table(text, (text, "x"), ((text, text), ("x", text)), 1),)),
    "thread": lambda text: replace(NEW_CRITICALS, thread=text),
    "time": lambda text: replace(NEW_CRITICALS, at=text),
}


def everywhere(text: str, *, times: int = 2, level: Level = Level.CRITICAL) -> Notice:
    """A notice that says it in every place."""
    line = tuple(Span(text, style, url) for style in Style for url in (None, text, f"https://nvd.nist.gov/{text}"))
    return Notice(
        id=text,
        kind=text,
        level=level,
        title=text,
        subject=text,
        summary=line,
        sections=(Section(text, (line,) * times, more=times),) * times,
        facts=(Fact(text, text),) * times,
        next_step=line,
        links=line,
        footer=text,
        tables=(Table(text, (text, text), ((text, text),) * times, more=times),),
        thread=text,
        at=text,
    )


_texts = st.one_of(st.sampled_from(STRINGS), st.text(st.characters(), max_size=400))
_urls = st.none() | _texts | _texts.map("https://nvd.nist.gov/{}".format)
_lines = st.lists(st.builds(Span, _texts, st.sampled_from(Style), _urls), max_size=8).map(tuple)
_sections = st.builds(Section, _texts, st.lists(_lines, max_size=20).map(tuple), st.integers(0, 10**9))
_tables = st.builds(
    Table,
    _texts,
    st.lists(_texts, max_size=4).map(tuple),
    st.lists(st.lists(_texts, max_size=4).map(tuple), max_size=20).map(tuple),
    st.integers(0, 10**9),
)
NOTICES = st.builds(
    Notice,
    id=_texts,
    kind=_texts,
    level=st.sampled_from(Level),
    title=_texts,
    subject=_texts,
    summary=_lines,
    sections=st.lists(_sections, max_size=8).map(tuple),
    facts=st.lists(st.builds(Fact, _texts, _texts), max_size=15).map(tuple),
    next_step=_lines,
    links=_lines,
    footer=_texts,
    tables=st.lists(_tables, max_size=3).map(tuple),
    thread=_texts,
    at=_texts,
)
"""Any notice at all."""
