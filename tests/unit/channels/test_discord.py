"""A notice as a Discord message: what a reader gets, and what is left out where there is too much."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.discord_rules import assert_holds, read, shown, texts, utf16
from tests.corpus.notices import KINDS, NEW_CRITICALS
from warden.channels.discord import BUDGET, DESCRIPTION_LIMIT, HOSTS, TITLE_LIMIT, render
from warden.notices import Fact, Level, Line, Notice, Section, Span, Table, bold, code, plain

GOLDEN = Path(__file__).parents[2] / "corpus" / "discord"
BARE = Notice("id-1", "findings", Level.HIGH, "1 high finding in team/app:v1", "team/app:v1", (plain("See below."),))


def embed(notice: Notice) -> dict[str, Any]:
    payload = render(notice)
    assert_holds(payload)
    found: dict[str, Any] = payload["embeds"][0]
    return found


def described(notice: Notice) -> str:
    return str(embed(notice)["description"])


def summarised(*spans: Span) -> str:
    return described(replace(BARE, summary=spans))


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_of_notice_is_drawn_as_it_was_agreed(kind: str) -> None:
    """After a change that is meant: `python -m tests.corpus.redraw`, and look at what git says."""
    payload = render(KINDS[kind])

    assert payload == json.loads((GOLDEN / f"{kind}.json").read_text(encoding="utf-8"))
    assert_holds(payload)


def test_a_message_says_everything_that_the_notice_says() -> None:
    assert shown(render(NEW_CRITICALS)).splitlines() == [
        "🔴 2 new critical findings in payments/api:1.42.0",
        "2 critical, 1 high and 4 medium findings on linux/amd64 and linux/arm64. New since 1.41.3: 2 critical.",
        "Fix first",
        "• CVE-2014-0160 critical 9.8 · openssl 1.0.1e → 1.0.1g",
        "• CVE-2021-44228 critical 10.0 · log4j-core 2.14.1 → 2.17.1",
        "• CVE-2024-3094 high 8.1 · xz-utils 5.6.0, no fix yet",
        "…and 4 more",
        "Digest  sha256:41d9be20c0ff",
        "Pushed  23 Nov 14:02 UTC",
        "Verdict  block from CRITICAL (defaults)",
        "Next step  rebuild on a base image with openssl 1.0.1g or later. Not affected? "
        "Exempt the CVE in warden.yaml, with an end date.",
        "Links  Open in ECR · All findings",
        "account 123456789012 · eu-west-1 · warden why payments/api@sha256:41d9be20c0ff · id f-41d9be20c0ff",
    ]


@pytest.mark.parametrize("level", Level)
def test_every_level_is_a_sign_and_words_and_a_colour_besides(level: Level) -> None:
    made = embed(replace(BARE, level=level, title="team/app:v1"))

    sign, words = made["title"].split(" ", 1)
    assert not sign.isascii()
    assert words.endswith(": team/app:v1")
    assert 0 <= made["color"] <= 0xFFFFFF


def test_the_levels_have_different_signs_and_colours() -> None:
    made = [embed(replace(BARE, level=level)) for level in Level]

    assert len({each["title"].split(" ")[0] for each in made}) == len(Level)
    assert len({each["color"] for each in made}) == len(Level)


def test_a_notice_with_nothing_but_a_title_is_a_message() -> None:
    made = embed(Notice("", "hello", Level.HELLO, "hello", "", ()))

    assert made.keys() == {"title", "color"}
    assert made["title"] == "👋 hello"


@pytest.mark.parametrize(("letter", "most"), [("x", 200), (":", 135), ("\U0001f600", 134)])
def test_a_title_of_the_greatest_length_is_whole_and_a_longer_one_keeps_its_tag(letter: str, most: int) -> None:
    """Of letters that count for two, as many are shown as Discord's limit holds."""
    room = most - len("🟠 high ") - len(" v1.2.3")
    for length, whole in ((room, True), (room + 1, False), (room * 100, False)):
        name = letter * length + " v1.2.3"
        title = embed(replace(BARE, title=f"high {name}"))["title"]
        assert (name in title.replace("\\", "")) is whole
        assert title.endswith(" v1.2.3")
        assert TITLE_LIMIT // 2 <= utf16(title) <= TITLE_LIMIT


@pytest.mark.parametrize(("count", "more"), [(15, 0), (16, 1), (1_500, 1_485)])
def test_a_list_shows_fifteen_items_and_counts_the_rest(count: int, more: int) -> None:
    items = tuple((plain(f"item {number}"),) for number in range(count))

    seen = shown({"embeds": [embed(replace(BARE, sections=(Section("Items", items),)))]})

    assert seen.count("• item ") == 15
    assert "item 14\n" in seen
    assert (f"…and {more:,} more" in seen) is (more > 0)


def test_what_the_notice_left_out_and_what_the_message_leaves_out_are_one_count() -> None:
    items = tuple((plain(f"item {number}"),) for number in range(20))

    assert "…and 1,005 more" in described(replace(BARE, sections=(Section("Items", items, more=1_000),)))


def test_long_items_are_left_out_whole_and_counted_before_the_description_is_too_long() -> None:
    items = tuple((plain(f"{number:03} {'word ' * 70}end"),) for number in range(15))

    text = described(replace(BARE, sections=(Section("Items", items),)))

    kept = text.count("end")
    assert kept == text.count("word word end")
    assert 5 < kept < 15
    assert f"…and {15 - kept} more" in text
    assert DESCRIPTION_LIMIT - 500 < utf16(text) <= DESCRIPTION_LIMIT


def test_five_full_lists_share_the_room_and_all_of_them_show_something() -> None:
    full = tuple((code(f"package-{number}"), plain(" " + "w" * 90), bold("1.2.3")) for number in range(15))

    payload = render(replace(NEW_CRITICALS, sections=tuple(Section(f"List {n}", full) for n in range(5))))

    assert_holds(payload)
    lists = payload["embeds"][0]["description"].split("\n\n")[1:]
    assert len(lists) == 5
    for text in lists:
        assert "package-0" in text
        assert "more" in text
    assert BUDGET // 2 < sum(map(utf16, texts(payload))) <= BUDGET


def test_a_list_that_needs_little_leaves_its_share_to_the_next() -> None:
    long = tuple((plain("w" * 180), code("x" * 60)) for _ in range(12))
    alone = described(replace(BARE, sections=(Section("Long", long),)))
    after = described(replace(BARE, sections=(Section("Short", ((plain("one"),),)), Section("Long", long))))

    assert alone.count("w" * 180) - after.count("w" * 180) <= 1


def test_lists_beyond_the_fifth_are_counted_with_their_items() -> None:
    sections = tuple(Section(f"List {n}", ((plain("an item"),),) * 3, more=2) for n in range(500))

    text = described(replace(BARE, sections=sections))

    assert "**List 3**\n" in text
    assert "List 4" not in text
    assert "**496 more lists**\n*…and 2,480 more*" in text


def test_an_item_or_a_title_that_says_nothing_is_still_there() -> None:
    text = described(replace(BARE, sections=(Section("", ((), (plain(""),), (plain(" "),), (plain("x"),))),)))

    assert text.split("\n\n")[1].splitlines() == ["…", "- …", "- …", "- …", "- x"]


def test_a_table_is_aligned_in_a_block_of_code() -> None:
    table = Table("Images", ("image", "severity"), (("team/app:v1", "high"), ("b:2", "low")), more=3)

    assert described(replace(BARE, summary=(), tables=(table,))) == (
        "**Images**\n```\nimage        severity\nteam/app:v1  high\nb:2          low\n```\n*…and 3 more*"
    )


def test_a_backtick_in_a_table_does_not_end_it() -> None:
    table = Table("x", ("image",), (("```",), ("a`b",)))

    block = next(seen for seen in read(described(replace(BARE, tables=(table,)))) if seen.kind == "block")

    assert block.text == "image\nˋˋˋ\naˋb"


@pytest.mark.parametrize(("rows", "shown_rows"), [(15, 15), (16, 15), (1_500, 15)])
def test_a_table_that_is_too_long_counts_its_rest(rows: int, shown_rows: int) -> None:
    table = Table("x", ("a", "b"), tuple((f"row {n}", "z") for n in range(rows)))

    text = described(replace(BARE, tables=(table,)))

    assert text.count("row ") == shown_rows
    assert (f"…and {rows - shown_rows:,} more" in text) is (rows > shown_rows)


def test_tables_without_the_room_for_all_of_their_rows_show_the_first_and_count_the_others() -> None:
    table = Table("x", ("a", "b"), tuple((f"row {n}", "z" * 50) for n in range(15)))

    tables = described(replace(NEW_CRITICALS, sections=(), tables=(table,) * 5)).split("\n\n")[1:]

    assert len(tables) == 5
    for text in tables:
        assert 0 < text.count("row ") < 15
        assert f"…and {15 - text.count('row ')} more" in text


def test_a_table_with_no_rows_is_its_title_and_the_count() -> None:
    assert (
        described(replace(BARE, summary=(), tables=(Table("Rest", ("a",), (), more=7),))) == "**Rest**\n*…and 7 more*"
    )


@pytest.mark.parametrize(("count", "seen"), [(10, 10), (11, 10), (1_000, 10)])
def test_ten_facts_are_shown_and_the_rest_counted(count: int, seen: int) -> None:
    fields = embed(replace(BARE, facts=tuple(Fact(f"Fact {n}", "v") for n in range(count))))["fields"]

    assert sum(field["name"].startswith("Fact ") for field in fields) == seen
    assert (fields[-1]["value"] == f"*…and {count - 10:,} more*") is (count > 10)


def test_a_fact_is_left_out_whole_where_there_is_no_room_for_it() -> None:
    fields = embed(replace(BARE, facts=tuple(Fact(f"Fact {n}", "v" * 240 + ".") for n in range(10))))["fields"]

    kept = sum(field["value"] == "v" * 240 + "." for field in fields)
    assert 2 < kept < 10
    assert fields[-1] == {"name": "…", "value": f"*…and {10 - kept} more*", "inline": True}


def test_a_fact_that_says_nothing_is_not_refused() -> None:
    assert embed(replace(BARE, facts=(Fact("", " "),)))["fields"] == [{"name": "…", "value": "…", "inline": True}]


def test_a_long_name_in_a_list_keeps_its_end() -> None:
    line: Line = (code("very/long/" * 100 + "app:v1.2.3"), plain(" 2 critical"))

    assert "/app:v1.2.3` 2 critical" in described(replace(BARE, sections=(Section("Images", (line,)),)))


def test_a_line_that_is_cut_says_so() -> None:
    assert summarised(*(plain(f"{n} and ") for n in range(1_000))).endswith("…")


def test_discords_hosts_are_its_names_and_those_of_its_test_clients() -> None:
    assert {"discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"} == HOSTS
