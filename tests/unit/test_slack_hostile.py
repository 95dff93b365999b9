"""What outsiders put into names and descriptions never becomes markup, a mention or a link; and Slack takes it."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.corpus import hostile
from tests.corpus.message_rules import assert_holds, assert_inert
from tests.corpus.notices import NEW_CRITICALS
from warden.notices import Fact, Level, Notice, Section, Span, Style, from_json, to_json
from warden.slack import BUDGET, render

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
    )


def test_the_corpus_is_large_and_without_repetition() -> None:
    assert len(set(STRINGS)) == len(STRINGS) >= 120


@pytest.mark.parametrize("put", FIELDS.values(), ids=list(FIELDS))
def test_no_hostile_string_comes_alive_in_any_field(put: Put) -> None:
    for text in STRINGS:
        payload = render(put(text))
        assert_inert(payload)
        assert len(json.dumps(payload)) <= BUDGET


@pytest.mark.parametrize("text", STRINGS, ids=[str(n) for n in range(len(STRINGS))])
def test_slack_takes_a_message_that_is_hostile_in_all_of_its_fields(text: str) -> None:
    assert_holds(render(everywhere(text)))


@pytest.mark.parametrize("text", ["x", "\U0001f600" * 50, "é" * 5_000, '"\\' * 5_000, "&<>" * 5_000, "a b " * 5_000])
@pytest.mark.parametrize("times", [1, 5, 100])
def test_however_much_there_is_to_say_the_message_stays_within_its_budget(text: str, times: int) -> None:
    assert_holds(render(everywhere(text, times=times)))


@pytest.mark.parametrize("url", [10, 300, 780])
@pytest.mark.parametrize("text", ["x" * 60, "\U0001f600" * 60, "\U0001f600" * 400, "é" * 40])
@pytest.mark.parametrize("spans", [1, 3, 10])
def test_the_parts_around_the_lists_leave_room_for_five_of_them(text: str, url: int, spans: int) -> None:
    line = (Span(text, Style.ITALIC, "https://nvd.nist.gov/" + "x" * url),) * spans
    notice = replace(everywhere(text), sections=(), summary=line, next_step=line, links=line)

    assert len(json.dumps(render(notice))) <= BUDGET - 5 * 600


def test_a_notice_that_went_through_a_queue_is_drawn_the_same() -> None:
    for text in STRINGS:
        notice = everywhere(text, times=1)
        _, received = from_json(to_json(notice, channel="platform"))
        # Two lone surrogates become the character that they mean on the way: what is drawn is inert all the same.
        assert_inert(render(received))


texts = st.one_of(st.sampled_from(STRINGS), st.text(st.characters(), max_size=400))
urls = st.none() | texts | texts.map("https://nvd.nist.gov/{}".format)
lines = st.lists(st.builds(Span, texts, st.sampled_from(Style), urls), max_size=8).map(tuple)
sections = st.builds(Section, texts, st.lists(lines, max_size=20).map(tuple), st.integers(0, 10**9))
notices = st.builds(
    Notice,
    id=texts,
    kind=texts,
    level=st.sampled_from(Level),
    title=texts,
    subject=texts,
    summary=lines,
    sections=st.lists(sections, max_size=8).map(tuple),
    facts=st.lists(st.builds(Fact, texts, texts), max_size=15).map(tuple),
    next_step=lines,
    links=lines,
    footer=texts,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(notices)
def test_any_notice_makes_a_message_that_slack_takes(notice: Notice) -> None:
    assert_holds(render(notice))
