"""A notice as a Google Chat message: what a reader gets, and what is left out where there is too much."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.corpus.google_chat_rules import assert_holds, paragraphs, shown
from tests.corpus.notices import KINDS, NEW_CRITICALS
from warden.channels.google_chat import BUDGET, HOSTS, TITLE_LIMIT, render
from warden.notices import Fact, Level, Line, Notice, Section, Table, bold, code, plain

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "corpus" / "google_chat"
SCHEMA = ROOT / "schema" / "google_chat" / "message.schema.json"
BARE = Notice("id-1", "findings", Level.HIGH, "1 high finding in team/app:v1", "team/app:v1", (plain("See below."),))


def drawn(notice: Notice) -> list[str]:
    """The HTML of each paragraph, of a message that holds."""
    payload = render(notice)
    assert_holds(payload)
    return list(paragraphs(payload))


def read(notice: Notice) -> str:
    """All that a reader sees, of a message that holds."""
    payload = render(notice)
    assert_holds(payload)
    return shown(payload)


def title_of(notice: Notice) -> str:
    return read(notice).splitlines()[0]


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_of_notice_is_drawn_as_it_was_agreed(kind: str) -> None:
    """After a change that is meant: `python -m tests.corpus.redraw`, and look at what git says."""
    payload = render(KINDS[kind])

    assert payload == json.loads((GOLDEN / f"{kind}.json").read_text(encoding="utf-8"))
    assert_holds(payload)


def test_a_message_says_everything_that_the_notice_says() -> None:
    assert read(NEW_CRITICALS).splitlines() == [
        "🔴 2 new critical findings in payments/api:1.42.0",
        "2 critical, 1 high and 4 medium findings on linux/amd64 and linux/arm64. New since 1.41.3: 2 critical.",
        "Fix first",
        "• CVE-2014-0160 critical 9.8 · openssl 1.0.1e → 1.0.1g",
        "• CVE-2021-44228 critical 10.0 · log4j-core 2.14.1 → 2.17.1",
        "• CVE-2024-3094 high 8.1 · xz-utils 5.6.0, no fix yet",
        "…and 4 more",
        "Digest: sha256:41d9be20c0ff",
        "Pushed: 23 Nov 14:02 UTC",
        "Verdict: block from CRITICAL (defaults)",
        "Next step: rebuild on a base image with openssl 1.0.1g or later. Not affected? "
        "Exempt the CVE in warden.yaml, with an end date.",
        "Open in ECR · All findings",
        "account 123456789012 · eu-west-1 · warden why payments/api@sha256:41d9be20c0ff · id f-41d9be20c0ff",
    ]


def test_a_phone_shows_the_title_and_nothing_stands_where_chat_reads_mentions() -> None:
    payload = render(BARE)

    assert payload["fallbackText"] == "🟠 1 high finding in team/app:v1"
    assert "text" not in payload


@pytest.mark.parametrize("level", Level)
def test_every_level_is_a_sign_and_words(level: Level) -> None:
    sign, words = title_of(replace(BARE, level=level, title="team/app:v1")).split(" ", 1)

    assert not sign.isascii()
    assert words[: -len(": team/app:v1")].isascii()
    assert words.endswith(": team/app:v1")


def test_the_levels_have_different_signs() -> None:
    assert len({title_of(replace(BARE, level=level)).split(" ")[0] for level in Level}) == len(Level)


def test_a_notice_with_nothing_but_a_title_is_a_message() -> None:
    payload = render(Notice("", "hello", Level.HELLO, "hello", "", ()))

    assert payload == {
        "fallbackText": "👋 hello",
        "cardsV2": [{"cardId": "notice", "card": {"header": {"title": "👋 hello"}}}],
    }
    assert_holds(payload)


def test_a_title_of_the_greatest_length_is_whole_and_a_longer_one_keeps_its_tag() -> None:
    room = TITLE_LIMIT - len("🟠 high ")
    for length, whole in ((room, True), (room + 1, False), (room * 100, False)):
        name = "x" * (length - len(":v1.2.3")) + ":v1.2.3"
        title = title_of(replace(BARE, title=f"high {name}"))
        assert len(title) == TITLE_LIMIT
        assert (name in title) is whole
        assert title.endswith(":v1.2.3")


def test_notices_of_one_thread_have_one_key_and_those_of_none_have_none() -> None:
    keys = [render(replace(BARE, thread=thread)).get("thread") for thread in ("a", "a", "b", "a" * 100_000, "\ud800")]

    assert keys[0] == keys[1]
    assert len({key["threadKey"] for key in keys if key}) == 4
    assert all(key and len(key["threadKey"]) == 32 for key in keys)
    assert "thread" not in render(BARE)


@pytest.mark.parametrize(("count", "more"), [(15, 0), (16, 1), (1_500, 1_485)])
def test_a_list_shows_fifteen_items_and_counts_the_rest(count: int, more: int) -> None:
    items = tuple((plain(f"item {number}"),) for number in range(count))

    seen = read(replace(BARE, sections=(Section("Items", items),)))

    assert seen.count("• item ") == 15
    assert "item 14\n" in seen
    assert (f"…and {more:,} more" in seen) is (more > 0)


def test_what_the_notice_left_out_and_what_the_message_leaves_out_are_one_count() -> None:
    items = tuple((plain(f"item {number}"),) for number in range(20))

    assert "…and 1,005 more" in read(replace(BARE, sections=(Section("Items", items, more=1_000),)))


def test_five_full_lists_share_the_room_and_all_of_them_show_something() -> None:
    full = tuple((code(f"package-{number}"), plain(" " + "é" * 90), bold("1.2.3")) for number in range(15))

    payload = render(replace(NEW_CRITICALS, sections=tuple(Section(f"List {n}", full) for n in range(5))))

    assert_holds(payload)
    lists = list(paragraphs(payload))[1:6]
    for text in lists:
        assert "package-0" in text
        kept = text.count("1.2.3")
        assert 1 < kept < 15
        assert kept == text.count("•")
        assert f"…and {15 - kept} more" in text
    assert BUDGET - 4_000 < len(json.dumps(payload)) <= BUDGET


def test_a_list_that_needs_little_leaves_its_share_to_the_next() -> None:
    long = tuple((plain("é" * 180), code("x" * 60)) for _ in range(15))
    alone = read(replace(BARE, sections=(Section("Long", long),)))
    after = read(replace(BARE, sections=(Section("Short", ((plain("one"),),)), Section("Long", long))))

    assert 5 < alone.count("x" * 60) < 16
    assert alone.count("x" * 60) - after.count("x" * 60) <= 1


def test_lists_beyond_the_fifth_are_counted_with_their_items() -> None:
    sections = tuple(Section(f"List {n}", ((plain("an item"),),) * 3, more=2) for n in range(500))

    seen = read(replace(BARE, sections=sections))

    assert "List 3\n" in seen
    assert "List 4" not in seen
    assert "496 more lists\n…and 2,480 more" in seen


def test_an_item_or_a_title_that_says_nothing_is_still_there() -> None:
    seen = drawn(replace(BARE, sections=(Section("", ((), (plain(""),), (plain(" "),), (plain("x"),))),)))

    assert seen[1] == "…<br>• …<br>• …<br>• …<br>• x"


def test_a_table_is_a_line_for_each_row_with_its_headings() -> None:
    table = Table("Images", ("image", "severity", "fix"), (("team/app:v1", "high", "yes"), ("b<2", "low", "")), more=3)

    assert drawn(replace(BARE, summary=(), tables=(table,)))[0] == (
        "<b>Images</b><br>• <b>team/app:v1</b> · severity high · fix yes<br>• <b>b&lt;2</b> · severity low · fix -"
        "<br><i>…and 3 more</i>"
    )


@pytest.mark.parametrize("rows", [(), ((),), (("a",),)])
def test_a_table_without_columns_or_cells_counts_its_rows(rows: tuple[tuple[str, ...], ...]) -> None:
    text = drawn(replace(BARE, summary=(), tables=(Table("x", (), rows, more=1),)))[0]

    assert text == "<b>x</b>" + "<br>• …" * len(rows) + "<br><i>…and 1 more</i>"


@pytest.mark.parametrize(("rows", "shown_rows"), [(15, 15), (16, 15), (1_500, 15)])
def test_a_table_that_is_too_long_counts_its_rest(rows: int, shown_rows: int) -> None:
    table = Table("x", ("a", "b"), tuple((f"row {n}", "z") for n in range(rows)))

    seen = read(replace(BARE, tables=(table,)))

    assert seen.count("row ") == shown_rows
    assert (f"…and {rows - shown_rows:,} more" in seen) is (rows > shown_rows)


@pytest.mark.parametrize(("count", "seen"), [(10, 10), (11, 10), (1_000, 10)])
def test_ten_facts_are_shown_and_the_rest_counted(count: int, seen: int) -> None:
    text = read(replace(BARE, facts=tuple(Fact(f"Fact {n}", "v") for n in range(count))))

    assert text.count("Fact ") == seen
    assert (f"…and {count - 10:,} more" in text) is (count > 10)


def test_a_fact_is_left_out_whole_where_there_is_no_room_for_it() -> None:
    text = read(replace(BARE, facts=tuple(Fact(f"Fact {n}", "é" * 90 + ".") for n in range(10))))

    kept = text.count("é" * 90 + ".")
    assert 2 < kept < 10
    assert text.count("Fact ") == kept
    assert f"…and {10 - kept} more" in text


def test_a_fact_that_says_nothing_is_still_there() -> None:
    assert "\n…: …\n" in read(replace(BARE, facts=(Fact("", " "),)))


def test_a_long_name_in_a_list_keeps_its_end() -> None:
    line: Line = (code("very/long/" * 100 + "app:v1.2.3"), plain(" 2 critical"))

    assert "/app:v1.2.3 2 critical" in read(replace(BARE, sections=(Section("Images", (line,)),)))


def test_a_line_that_is_cut_says_so() -> None:
    assert drawn(replace(BARE, summary=tuple(plain(f"{n} and ") for n in range(1_000))))[0].endswith("…")
    assert drawn(replace(BARE, summary=(plain("a" * 10_000), bold("b"))))[0] == "a" * 598 + "…"


def test_googles_host_is_the_one_of_its_api() -> None:
    assert {"chat.googleapis.com"} == HOSTS


def test_the_limits_that_stand_in_words_are_in_the_schema() -> None:
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]

    assert definitions["Thread"]["properties"]["threadKey"]["maxLength"] == 4_000
    assert definitions["GoogleAppsCardV1Section"]["properties"]["widgets"]["maxItems"] == 100
    assert definitions["GoogleAppsCardV1Columns"]["properties"]["columnItems"]["maxItems"] == 2
    assert definitions["GoogleAppsCardV1CardHeader"]["required"] == ["title"]
    assert all(definition["additionalProperties"] is False for definition in definitions.values())
