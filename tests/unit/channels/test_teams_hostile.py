"""What outsiders put into names and descriptions never becomes markup, a mention or a link in Teams."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.corpus.hostile_notices import FIELDS, NOTICES, STRINGS, Put, everywhere
from tests.corpus.message_rules import assert_ours
from tests.corpus.teams_rules import assert_holds, assert_inert, card, links, texts
from warden.channels.teams import BUDGET, render
from warden.notices import Notice, Section, Span, Style, from_json, to_json

ROOT = Path(__file__).parents[3]
NODE = ROOT / ".venv" / "bin" / "node"


def once(text: str) -> Notice:
    """A notice that says it in every place, but in few words: the page is drawn without a browser, which is slow."""
    line = (Span(text), Span(text, Style.CODE), Span(text, Style.BOLD, f"https://nvd.nist.gov/{text}"))
    links = (Span(text, url=text), Span(text, url="https://nvd.nist.gov/"))
    return replace(
        everywhere(text, times=1), summary=line, sections=(Section(text, (line,)),), next_step=line, links=links
    )


@pytest.mark.parametrize("put", FIELDS.values(), ids=list(FIELDS))
def test_no_hostile_string_comes_alive_in_any_field(put: Put) -> None:
    for text in STRINGS:
        assert_inert(render(put(text)))


@pytest.mark.parametrize("text", STRINGS, ids=[str(n) for n in range(len(STRINGS))])
def test_a_message_that_is_hostile_in_all_of_its_fields_is_a_card_by_microsofts_schema(text: str) -> None:
    assert_holds(render(everywhere(text)))


@pytest.mark.skipif(not NODE.exists(), reason="no Node: `make setup` brings it")
def test_microsofts_renderer_draws_hostile_text_as_text() -> None:
    payloads = [render(once(text)) for text in STRINGS]
    made = subprocess.run(  # noqa: S603 - our own words
        [NODE, ROOT / "schema" / "teams" / "parse.mjs", "-"],
        check=True,
        capture_output=True,
        text=True,
        input=json.dumps(payloads),
    )

    for payload, drawn in zip(payloads, json.loads(made.stdout), strict=True):
        assert drawn["events"] == []
        assert set(drawn["tags"]) <= {"a", "button", "div", "span"}
        assert drawn["text"] == "".join(texts(card(payload)["body"]))
        assert set(drawn["links"]) <= set(links(payload))
        for url in drawn["links"]:
            assert_ours(url)
        fallback = drawn["fallback"]
        assert fallback["events"] == fallback["links"] == []
        assert fallback["tags"] == ["div", "p"]
        assert " ".join(fallback["text"].split()) == " ".join(texts(card(payload)["body"][0])[0].split())


@pytest.mark.skipif(not NODE.exists(), reason="no Node: `make setup` brings it")
def test_the_renderer_would_show_what_is_alive() -> None:
    body = [{"type": "TextBlock", "text": "[x](https://evil.example) **b** <img src=https://evil.example/p.png>"}]
    alive = {"type": "AdaptiveCard", "version": "1.5", "fallbackText": "https://evil.example", "body": body}
    made = subprocess.run(  # noqa: S603 - our own words
        [NODE, ROOT / "schema" / "teams" / "parse.mjs", "-"],
        check=True,
        capture_output=True,
        text=True,
        input=json.dumps([{"attachments": [{"content": alive}]}]),
    )

    (drawn,) = json.loads(made.stdout)
    assert drawn["links"] == ["https://evil.example", "https://evil.example/p.png"]
    assert {"a", "img", "strong"} <= set(drawn["tags"])
    assert drawn["fallback"]["links"] == ["https://evil.example"]


@pytest.mark.parametrize("text", ["x", "\U0001f600" * 50, "é" * 5_000, '"\\' * 5_000, "&<>" * 5_000, "a b " * 5_000])
@pytest.mark.parametrize("times", [1, 5, 100])
def test_however_much_there_is_to_say_the_message_stays_within_its_budget(text: str, times: int) -> None:
    assert_inert(render(everywhere(text, times=times)))


@pytest.mark.parametrize("url", [10, 300, 780])
@pytest.mark.parametrize(
    "text", ["x" * 60, "\U0001f600" * 60, "\U0001f600" * 400, "é" * 40, "\\" * 300, "{{DATE(" * 90], ids=ascii
)
@pytest.mark.parametrize("spans", [1, 3, 10])
def test_the_parts_around_the_lists_leave_room_for_five_of_them(text: str, url: int, spans: int) -> None:
    line = (Span(text, Style.ITALIC, "https://nvd.nist.gov/" + "x" * url),) * spans
    facts = everywhere(text, times=spans).facts
    notice = replace(everywhere(text), sections=(), tables=(), summary=line, next_step=line, links=line, facts=facts)

    assert len(json.dumps(render(notice))) <= BUDGET - 5 * 1_200


def test_a_notice_that_went_through_a_queue_is_drawn_the_same() -> None:
    for text in STRINGS:
        _, received = from_json(to_json(everywhere(text, times=1), channel="platform"))
        # Two lone surrogates become the character that they mean on the way: what is drawn is inert all the same.
        assert_inert(render(received))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(NOTICES)
def test_any_notice_makes_a_message_that_teams_takes(notice: Notice) -> None:
    assert_holds(render(notice))
