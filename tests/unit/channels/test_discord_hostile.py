"""What outsiders put into names and descriptions never becomes markup, a mention or a link; and Discord takes it."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.corpus.discord_rules import assert_holds, assert_inert, plainly, read, shown, texts, utf16
from tests.corpus.hostile_notices import FIELDS, NOTICES, STRINGS, Put, everywhere
from tests.corpus.notices import NEW_CRITICALS
from warden.channels.discord import BUDGET, render
from warden.notices import Notice, Section, Span, Style, plain
from warden.text import clean


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<@123>", "mention"),
        ("<@!123>", "mention"),
        ("<@&123456789012345678>", "mention"),
        ("<#123>", "mention"),
        ("@everyone", "mention"),
        ("x @here", "mention"),
        ("</deploy:123456789>", "command"),
        ("<t:0:R>", "time"),
        ("<id:customize>", "navigation"),
        ("<:x:1>", "emoji"),
        (":tada:", "emoji"),
        ("||spoiler||", "spoiler"),
        ("[click](https://evil.example)", "link"),
        ("![x](https://evil.example/pixel.png)", "link"),
        ("https://evil.example", "url"),
        ("see http://evil.example/x?y=z#w.", "url"),
        ("<https://evil.example>", "autolink"),
        ("<mailto:a@b.example>", "autolink"),
        ("<a@b.example>", "autolink"),
        ("<+15551234>", "autolink"),
        ("**b**", "strong"),
        ("*i*", "italic"),
        ("_i_", "italic too"),
        ("__u__", "underline"),
        ("~~s~~", "struck"),
        ("`c`", "code"),
        ("```\nc\n```", "block"),
        ("# h", "heading"),
        ("-# s", "subtext"),
        ("> q", "quote"),
        (">>> q", "quote"),
        ("- i", "item"),
        ("1. i", "item"),
    ],
)
def test_the_reader_of_the_tests_sees_markup_that_is_not_escaped_and_none_that_is(text: str, kind: str) -> None:
    assert kind in {seen.kind for seen in read(text)}
    summary = render(replace(NEW_CRITICALS, summary=(plain(text),), sections=()))["embeds"][0]["description"]
    assert {seen.kind for seen in read(summary)} == {"text"}
    assert plainly(summary) == clean(text, 100)


@pytest.mark.parametrize("put", FIELDS.values(), ids=list(FIELDS))
def test_no_hostile_string_comes_alive_in_any_field(put: Put) -> None:
    for text in STRINGS:
        assert_inert(render(put(text)))


@pytest.mark.parametrize("text", STRINGS, ids=[str(n) for n in range(len(STRINGS))])
def test_discord_takes_a_message_that_is_hostile_in_all_of_its_fields(text: str) -> None:
    assert_holds(render(everywhere(text)))


@pytest.mark.parametrize("text", ["x", "\U0001f600" * 50, "é" * 5_000, '"\\' * 5_000, "*_`" * 5_000, "a b " * 5_000])
@pytest.mark.parametrize("times", [1, 5, 100])
def test_however_much_there_is_to_say_the_message_stays_within_its_budget(text: str, times: int) -> None:
    assert_holds(render(everywhere(text, times=times)))


@pytest.mark.parametrize("url", [10, 300, 780])
@pytest.mark.parametrize("text", ["x" * 60, "\U0001f600" * 60, "_" * 400, "é" * 40], ids=ascii)
@pytest.mark.parametrize("spans", [1, 3, 10])
def test_the_parts_around_the_lists_leave_room_for_five_of_them(text: str, url: int, spans: int) -> None:
    line = (Span(text, Style.ITALIC, "https://nvd.nist.gov/" + "x" * url),) * spans
    notice = replace(everywhere(text, times=10), sections=(), tables=(), summary=line, next_step=line, links=line)

    payload = render(notice)

    footer = payload["embeds"][0]["footer"]["text"]
    assert sum(map(utf16, [*texts(payload), footer])) <= BUDGET - 5 * 470


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(STRINGS), st.text(st.characters(), max_size=40)), min_size=1, max_size=5))
def test_plain_text_is_shown_as_it_is_however_it_is_cut_into_spans(parts: list[str]) -> None:
    parts = [clean(part, 60) for part in parts]
    expected = "".join(parts).strip()

    payload = render(replace(NEW_CRITICALS, sections=(Section("x", (tuple(map(plain, parts)),)),)))

    item = payload["embeds"][0]["description"].split("\n\n")[1].splitlines()[1]
    assert plainly(item) == f"• {expected or '…'}"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(NOTICES)
def test_any_notice_makes_a_message_that_discord_takes(notice: Notice) -> None:
    payload = render(notice)

    assert_holds(payload)
    assert shown(payload)
