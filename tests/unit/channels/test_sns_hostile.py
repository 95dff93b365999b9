"""What outsiders put into names and descriptions is markup neither in Slack nor in Teams; and the message is valid."""

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.corpus.hostile_notices import FIELDS, NOTICES, STRINGS, Put, everywhere
from tests.corpus.notices import NEW_CRITICALS
from tests.corpus.sns_rules import assert_holds
from warden.channels.sns import BUDGET, render
from warden.notices import Notice, Span, Style, from_json, plain, to_json

LIVE = [
    "*bold* text",
    "_italic_",
    "~struck~",
    "~~struck~~",
    "**bold**",
    "a` *b`",
    "x`y`",
    "`a``b`",
    "<!channel>",
    "&lt;",
    "[x](https://evil.example)",
    "https://evil.example",
    "www.evil.example",
    "evil.example",
    "a@evil.example",
    "`@here`",
    "@here",
    "`app@here`",
    "#general",
    ":tada:",
    "# heading",
    "heading\n===",
    "heading\n---",
    "> quote",
    "1. one",
    "a | b\n--|--\nc | d",
    "    indented",
    "***",
    "```\nfence",
    "```js\nfence\n```",
    "\\*",
    "a\u202eb",
    "*Title* more",
    "",
]
"""Markup and other harm, each of which the rules must see by themselves."""


def with_description(text: str) -> dict[str, Any]:
    payload = render(NEW_CRITICALS)
    payload["content"]["description"] = text
    return payload


@pytest.mark.parametrize("text", LIVE)
def test_the_rules_see_what_is_alive(text: str) -> None:
    assert_holds(with_description("nothing but words, and `*code*`."))

    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        assert_holds(with_description(text))


@pytest.mark.parametrize(
    "step",
    [
        "Open: https://evil.example/",
        "Open: https://nvd.nist.gov/_a_",
        "https://nvd.nist.gov/ https://evil.example",
        "*Go*",
    ],
)
def test_the_rules_see_a_step_that_is_alive(step: str) -> None:
    payload = render(NEW_CRITICALS)
    payload["content"]["nextSteps"] = [step]

    with pytest.raises(AssertionError):
        assert_holds(payload)


@pytest.mark.parametrize("put", FIELDS.values(), ids=list(FIELDS))
def test_no_hostile_string_comes_alive_in_any_field(put: Put) -> None:
    for text in STRINGS:
        assert_holds(render(put(text)))


@pytest.mark.parametrize("text", STRINGS, ids=[str(n) for n in range(len(STRINGS))])
def test_a_message_that_is_hostile_in_all_of_its_fields_is_valid_and_inert(text: str) -> None:
    assert_holds(render(everywhere(text)))


@pytest.mark.parametrize(
    "text",
    ["x", "\U0001f600" * 50, "é" * 5_000, '"\\' * 5_000, "&<>" * 5_000, "a b " * 5_000, "a | " * 5_000, "| " * 99],
)
@pytest.mark.parametrize("times", [1, 5, 100])
def test_however_much_there_is_to_say_the_message_stays_within_its_budget(text: str, times: int) -> None:
    assert_holds(render(everywhere(text, times=times)))


@pytest.mark.parametrize("text", ["x" * 60, "\U0001f600" * 400, "é" * 400, "|\U0001f600 a " * 90, "&" * 400], ids=ascii)
@pytest.mark.parametrize("url", [10, 300, 780])
def test_the_parts_around_the_lists_leave_room_for_five_of_them(text: str, url: int) -> None:
    line = (Span(text, Style.CODE, "https://nvd.nist.gov/" + "x" * url), plain(" ")) * 5
    notice = replace(everywhere(text), sections=(), tables=(), summary=line, next_step=line, links=line)

    payload = render(notice)

    assert len(json.dumps(payload["content"]["description"])) <= 3_000 - 5 * 300
    assert len(json.dumps(payload)) - len(json.dumps(payload["content"]["description"])) <= BUDGET - 3_000


def test_a_notice_that_went_through_a_queue_is_drawn_inert() -> None:
    for text in STRINGS:
        _, received = from_json(to_json(everywhere(text, times=1), channel="platform"))
        assert_holds(render(received))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.builds(Span, st.text("aZ1 *_~`<>&[]()\\|#@:.!-+=/\n\"'w", max_size=12), st.sampled_from(Style)), max_size=6
    )
)
def test_no_joining_of_spans_makes_markup_of_their_ends(line: list[Span]) -> None:
    assert_holds(render(replace(NEW_CRITICALS, summary=tuple(line), next_step=tuple(line))))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(NOTICES)
def test_any_notice_makes_a_message_that_is_valid_and_inert(notice: Notice) -> None:
    assert_holds(render(notice))
