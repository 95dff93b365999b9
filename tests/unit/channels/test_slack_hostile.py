"""What outsiders put into names and descriptions never becomes markup, a mention or a link; and Slack takes it."""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from tests.corpus.hostile_notices import FIELDS, NOTICES, STRINGS, Put, everywhere
from tests.corpus.message_rules import assert_holds, assert_inert
from warden.channels.slack import BUDGET, render
from warden.notices import Notice, Span, Style, from_json, to_json


def test_the_corpus_is_large_and_without_repetition() -> None:
    assert len(set(STRINGS)) == len(STRINGS) >= 200


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
@pytest.mark.parametrize("text", ["x" * 60, "\U0001f600" * 60, "\U0001f600" * 400, "é" * 40], ids=ascii)
@pytest.mark.parametrize("spans", [1, 3, 10])
def test_the_parts_around_the_lists_leave_room_for_five_of_them(text: str, url: int, spans: int) -> None:
    line = (Span(text, Style.ITALIC, "https://nvd.nist.gov/" + "x" * url),) * spans
    notice = replace(everywhere(text), sections=(), tables=(), summary=line, next_step=line, links=line)

    assert len(json.dumps(render(notice))) <= BUDGET - 5 * 600


def test_a_notice_that_went_through_a_queue_is_drawn_the_same() -> None:
    for text in STRINGS:
        notice = everywhere(text, times=1)
        _, received = from_json(to_json(notice, channel="platform"))
        # Two lone surrogates become the character that they mean on the way: what is drawn is inert all the same.
        assert_inert(render(received))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(NOTICES)
def test_any_notice_makes_a_message_that_slack_takes(notice: Notice) -> None:
    assert_holds(render(notice))
