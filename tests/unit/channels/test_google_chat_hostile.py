"""What outsiders put into names and descriptions never becomes markup, a mention or a link; and Chat takes it."""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.corpus.google_chat_rules import Reader, assert_holds, assert_inert, paragraphs
from tests.corpus.hostile_notices import FIELDS, NOTICES, STRINGS, Put, everywhere
from tests.corpus.notices import NEW_CRITICALS
from warden.channels.google_chat import BUDGET, render
from warden.notices import Notice, Span, Style, plain
from warden.text import clean


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='x' onclick='y'>z</a>",
        "<font color='#fff'>x</font>",
        "<b onclick=x>y</b>",
        "<users/all>",
        "<!-- x -->",
        "<!doctype html>",
        "<?x?>",
        "<b>open",
        "<b><b>twice</b></b>",
        "<b><i>crossed</b></i>",
    ],
)
def test_the_reader_of_the_tests_refuses_markup_that_is_not_ours(html: str) -> None:
    with pytest.raises((AssertionError, IndexError)):
        Reader(html)


@pytest.mark.parametrize("put", FIELDS.values(), ids=list(FIELDS))
def test_no_hostile_string_comes_alive_in_any_field(put: Put) -> None:
    for text in STRINGS:
        payload = render(put(text))
        assert_inert(payload)
        assert len(json.dumps(payload)) <= BUDGET


@pytest.mark.parametrize("text", STRINGS, ids=[str(n) for n in range(len(STRINGS))])
def test_google_chat_takes_a_message_that_is_hostile_in_all_of_its_fields(text: str) -> None:
    assert_holds(render(everywhere(text)))


@pytest.mark.parametrize("text", ["x", "\U0001f600" * 50, "é" * 5_000, '"\\' * 5_000, "&<>" * 5_000, "a b " * 5_000])
@pytest.mark.parametrize("times", [1, 5, 100])
def test_however_much_there_is_to_say_the_message_stays_within_its_budget(text: str, times: int) -> None:
    assert_holds(render(everywhere(text, times=times)))


@pytest.mark.parametrize("url", [10, 300, 780])
@pytest.mark.parametrize("text", ["x" * 60, "\U0001f600" * 400, '"&' * 40, "www." * 90, "é" * 40], ids=ascii)
@pytest.mark.parametrize("spans", [1, 3, 10])
def test_the_parts_around_the_lists_leave_room_for_five_of_them(text: str, url: int, spans: int) -> None:
    line = (Span(text, Style.ITALIC, "https://nvd.nist.gov/" + "&" * url),) * spans
    notice = replace(everywhere(text, times=10), sections=(), tables=(), summary=line, next_step=line, links=line)

    assert len(json.dumps(render(notice))) <= BUDGET - 5 * 2_000


@settings(max_examples=30, deadline=None)
@given(st.one_of(st.sampled_from(STRINGS), st.text(st.characters(), max_size=40)))
def test_text_is_shown_as_it_is_but_for_what_looks_like_a_url(text: str) -> None:
    expected = clean(text, 60).strip()

    seen = Reader(next(paragraphs(render(replace(NEW_CRITICALS, summary=(plain(clean(text, 60)),)))))).text

    if expected:
        assert seen.replace("[:]//", "://").replace("[.]", ".") == expected.replace("[:]//", "://").replace("[.]", ".")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(NOTICES)
def test_any_notice_makes_a_message_that_google_chat_takes(notice: Notice) -> None:
    assert_holds(render(notice))
