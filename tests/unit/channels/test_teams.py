"""A notice as a Teams message: what a reader gets, and what is left out where there is too much."""

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.notices import KINDS, NEW_CRITICALS
from tests.corpus.teams_rules import BUDGET as ALLOWED
from tests.corpus.teams_rules import (
    SCHEMA,
    assert_holds,
    card,
    errors,
    links,
    objects,
    shape,
    shown,
    texts,
    without_teams,
)
from warden.channels.teams import BUDGET, HOSTS, render
from warden.notices import Fact, Level, Line, Notice, Section, Span, Style, Table, bold, code, link, plain

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "corpus" / "teams"
NODE = ROOT / ".venv" / "bin" / "node"
BARE = Notice("id-1", "findings", Level.HIGH, "1 high finding in team/app:v1", "team/app:v1", (plain("See below."),))


def lists(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers below the heading's band."""
    return [element for element in card(payload)["body"][1:] if element["type"] == "Container"]


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_of_notice_is_drawn_as_it_was_agreed(kind: str) -> None:
    """After a change that is meant: `python -m tests.corpus.redraw teams`, and look at what git says."""
    payload = render(KINDS[kind])

    assert payload == json.loads((GOLDEN / f"{kind}.json").read_text(encoding="utf-8"))
    assert_holds(payload)


def test_there_is_no_agreed_message_of_a_kind_that_is_not_sent() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(KINDS)


@pytest.mark.skipif(not NODE.exists(), reason="no Node: `make setup` brings it")
def test_microsofts_own_parser_finds_nothing_wrong_and_its_renderer_shows_all_of_it() -> None:
    files = sorted(GOLDEN.glob("*.json"))
    made = subprocess.run(  # noqa: S603 - our own words
        [NODE, ROOT / "schema" / "teams" / "parse.mjs", *files], check=True, capture_output=True, text=True
    )

    payloads = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    for payload, drawn in zip(payloads, json.loads(made.stdout), strict=True):
        assert drawn["events"] == drawn["fallback"]["events"] == []
        assert drawn["text"] == "".join(texts(card(payload)["body"]))
        assert payload["summary"].startswith(drawn["fallback"]["text"].strip())


def test_the_schema_says_what_is_wrong() -> None:
    content = without_teams(card(render(BARE)))

    assert errors(json.dumps(content)) == errors(json.dumps(shape(content))) == ()
    for wrong in ({**content, "msteams": {}}, {**content, "body": [{"type": "RichTextBlock", "inlines": [{}]}]}):
        assert errors(json.dumps(shape(wrong)))


def test_the_schema_is_the_one_that_its_readme_names() -> None:
    named = (SCHEMA.parent / "README.md").read_text(encoding="utf-8")

    assert hashlib.sha256(SCHEMA.read_bytes()).hexdigest() in named


def test_a_message_says_everything_that_the_notice_says() -> None:
    table = Table("Where it runs", ("Cluster", "Tasks"), (("prod/payments", "3"), ("stage", "1")), more=2)

    assert shown(render(replace(NEW_CRITICALS, tables=(table,), facts=(Fact("Pushed", "23 Nov"),)))).splitlines() == [
        "🔴 2 new critical findings in payments/api:1.42.0",
        *["".join(span.text for span in NEW_CRITICALS.summary)],
        *[NEW_CRITICALS.sections[0].title],
        *["•  " + "".join(span.text for span in item).replace("  ", " ") for item in NEW_CRITICALS.sections[0].items],
        f"…and {NEW_CRITICALS.sections[0].more} more",
        "Where it runs",
        "Cluster | Tasks",
        "prod/payments | 3",
        "stage | 1",
        "…and 2 more",
        "Pushed | 23 Nov",
        "Next step  " + "".join(span.text for span in NEW_CRITICALS.next_step),
        " | ".join(span.text for span in NEW_CRITICALS.links),
        f"{NEW_CRITICALS.footer} · id {NEW_CRITICALS.id}",
    ]


def test_a_notification_can_show_the_title_and_the_summary() -> None:
    assert render(BARE)["summary"] == "🟠 1 high finding in team/app:v1 — See below."


def test_a_client_that_is_too_old_shows_the_title_with_its_markdown_escaped() -> None:
    assert card(render(BARE))["fallbackText"] == r"🟠 1 high finding in team\/app\:v1"


@pytest.mark.parametrize("level", Level)
def test_every_level_is_a_sign_and_words_and_a_band(level: Level) -> None:
    band = card(render(replace(BARE, level=level, title="team/app:v1")))["body"][0]

    sign, words = texts(band)[0].split(" ", 1)
    assert not sign.isascii()
    assert words[: -len(": team/app:v1")].isascii()
    assert words.endswith(": team/app:v1")
    assert band["style"] in {"attention", "warning", "accent", "good", "emphasis"}


def test_a_critical_is_red_and_good_news_is_green() -> None:
    bands = {level: card(render(replace(BARE, level=level)))["body"][0]["style"] for level in Level}

    assert (bands[Level.CRITICAL], bands[Level.HIGH], bands[Level.GOOD]) == ("attention", "warning", "good")


def test_a_notice_with_nothing_but_a_title_is_a_message() -> None:
    payload = render(Notice("", "hello", Level.HELLO, "hello", "", ()))

    assert shown(payload) == payload["summary"] == "👋 hello"
    assert_holds(payload)


def test_a_heading_of_the_greatest_length_is_whole_and_a_longer_one_keeps_its_tag() -> None:
    room = 150 - len("🟠 high ")
    for length, whole in ((room, True), (room + 1, False), (room * 100, False)):
        name = "x" * (length - len(":v1.2.3")) + ":v1.2.3"
        payload = render(replace(BARE, title=f"high {name}", subject=name))
        heading = texts(card(payload)["body"][0])[0]
        assert len(heading) == 150
        assert (name in heading) is whole
        assert heading.endswith(":v1.2.3")
        assert_holds(payload)


@pytest.mark.parametrize(("count", "more"), [(15, 0), (16, 1), (1_500, 1_485)])
def test_a_list_shows_fifteen_items_and_counts_the_rest(count: int, more: int) -> None:
    items = tuple((plain(f"item {number}"),) for number in range(count))

    payload = render(replace(BARE, sections=(Section("Items", items),)))

    seen = shown(payload)
    assert seen.count("item ") == 15
    assert "item 14\n" in seen
    assert (f"…and {more:,} more" in seen) is (more > 0)
    assert_holds(payload)


def test_what_the_notice_left_out_and_what_the_message_leaves_out_are_one_count() -> None:
    items = tuple((plain(f"item {number}"),) for number in range(20))

    assert "…and 1,005 more" in shown(render(replace(BARE, sections=(Section("Items", items, more=1_000),))))


def test_five_full_lists_share_the_room_and_what_has_none_is_left_out_whole_and_counted() -> None:
    full = tuple((code(f"package-{number}"), plain(" " + "w" * 200), bold("1.2.3")) for number in range(15))

    payload = render(replace(NEW_CRITICALS, sections=tuple(Section(f"List {n}", full) for n in range(5)), facts=()))

    assert len(lists(payload)) == 5
    for block in lists(payload):
        seen = "".join(texts(block))
        assert seen.count("package-") == seen.count("1.2.3") == seen.count("w" * 200) > 0
        assert f"…and {15 - seen.count('package-')} more" in seen
    assert BUDGET - 2_000 < len(json.dumps(payload)) <= BUDGET
    assert_holds(payload)


def test_a_list_that_needs_little_leaves_its_share_to_the_next() -> None:
    long = tuple((plain("w" * 280), code("x" * 100)) for _ in range(15))
    alone = shown(render(replace(BARE, sections=(Section("Long", long),)))).count("w" * 280)
    after = shown(render(replace(BARE, sections=(Section("Short", ((plain("one"),),)), Section("Long", long)))))

    assert alone > 10
    assert alone - after.count("w" * 280) <= 1


def test_lists_and_tables_beyond_the_fifth_are_counted_with_their_items() -> None:
    sections = tuple(Section(f"List {n}", ((plain("an item"),),) * 3, more=2) for n in range(499))
    table = Table("Table", ("a",), (("b",),) * 4, more=1)

    seen = shown(render(replace(BARE, sections=sections, tables=(table,))))

    assert "List 3\n" in seen
    assert "List 4" not in seen
    assert "496 more lists\n…and 2,480 more" in seen


def test_an_item_that_says_nothing_is_still_an_item() -> None:
    payload = render(replace(BARE, sections=(Section("", ((), (plain(""),), (plain("\u200b"),), (plain("x"),))),)))

    assert "\n".join(shown(payload).splitlines()[2:-1]) == "…\n•  …\n•  …\n•  \ufffd\n•  x"
    assert_holds(payload)


@pytest.mark.parametrize(("count", "more"), [(15, 0), (16, 1), (1_500, 1_485)])
def test_a_table_shows_fifteen_rows_and_counts_the_rest(count: int, more: int) -> None:
    rows = tuple((f"image {number}", "high") for number in range(count))

    payload = render(replace(BARE, tables=(Table("Images", ("Image", "Severity"), rows),)))

    seen = shown(payload)
    assert "Images\nImage | Severity\nimage 0 | high\n" in seen
    assert seen.count("image ") == 15
    assert "image 14 | high\n" in seen
    assert (f"…and {more:,} more" in seen) is (more > 0)
    assert_holds(payload)


def test_a_table_that_is_too_long_leaves_rows_out_whole_and_counts_them() -> None:
    rows = tuple((f"{number:02}" + "n" * 70, *["é" * 40] * 5) for number in range(15))

    payload = render(replace(BARE, tables=(Table("Wide", ("a", "b", "c", "d", "e", "f"), rows),)))

    kept = shown(payload).count("n" * 70)
    assert 2 < kept < 15
    assert f"…and {15 - kept} more" in shown(payload)
    assert shown(payload).count("é" * 20) >= 5 * kept
    assert_holds(payload)


def test_the_columns_of_a_table_are_as_wide_as_their_longest_words_or_half_of_a_text_within_reason() -> None:
    rows = (("n" * 500, "1", "x" * 20, "in two or three words"), ("m", "2", "y", "late"))

    (block,) = lists(render(replace(BARE, tables=(Table("T", ("Name", "N", "", "Due"), rows),))))

    for row in block["items"][1:]:
        assert [column["width"] for column in row["columns"]] == [30, 6, 20, 10]


def test_a_row_that_lacks_cells_is_filled_and_a_blank_heading_stays_blank() -> None:
    payload = render(replace(BARE, tables=(Table("T", ("", "B"), (("x",), (), ("y", "z"))),)))

    assert "T\n\u00a0 | B\nx | -\n- | -\ny | z\n" in shown(payload)
    assert_holds(payload)


def test_six_columns_are_shown() -> None:
    payload = render(replace(BARE, tables=(Table("T", tuple("ABCDEFGH"), (tuple("abcdefgh"),)),)))

    assert "A | B | C | D | E | F\na | b | c | d | e | f\n" in shown(payload)
    assert_holds(payload)


@pytest.mark.parametrize("table", [Table("T", (), ()), Table("T", ("a", "b"), ()), Table("T", (), ((), ()), more=1)])
def test_a_table_without_a_row_or_a_column_is_its_title_and_a_count(table: Table) -> None:
    payload = render(replace(BARE, tables=(table,)))

    count = table.more + len(table.rows)
    assert ["".join(texts(block)) for block in lists(payload)] == ["T" + (f"…and {count} more" if count else "")]
    assert_holds(payload)


@pytest.mark.parametrize(("count", "seen"), [(10, 10), (11, 10), (1_000, 10)])
def test_ten_facts_are_shown_and_the_rest_counted(count: int, seen: int) -> None:
    payload = render(replace(BARE, facts=tuple(Fact(f"Fact {n}", "v") for n in range(count))))

    assert shown(payload).count("Fact ") == seen
    assert (f"…and {count - 10:,} more" in shown(payload)) is (count > 10)
    assert_holds(payload)


def test_a_fact_is_left_out_whole_where_there_is_no_room_for_it() -> None:
    payload = render(replace(BARE, facts=tuple(Fact(f"Fact {n}", "v" * 240 + ".") for n in range(10))))

    kept = shown(payload).count("v" * 240 + ".")
    assert 2 < kept < 10
    assert f"…and {10 - kept} more" in shown(payload)


@pytest.mark.parametrize(
    "url",
    [
        "https://nvd.nist.gov/vuln/detail/CVE-2014-0160",
        "https://github.com/advisories/GHSA-jfh8-c2jp-5v3q",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html#x",
        "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/1/a%2Fb/_/image/sha256:0/details?region=x",
    ],
)
def test_our_links_are_links(url: str) -> None:
    payload = render(replace(BARE, links=(link("Open", url),), summary=(link("CVE", url),)))

    assert links(payload) == [url, url]
    assert_holds(payload)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://nvd.nist.gov@evil.example/",
        "https://nvd.nist.gov/a b",
        "javascript:alert(1)//https://nvd.nist.gov/",
        "msteams:/l/chat/0/0",
        "https://teams.microsoft.com/l/chat/0/0",
        "https://nvd.nist.gov/" + "x" * 10_000,
        "",
    ],
)
def test_any_other_link_is_shown_as_its_text_alone(url: str) -> None:
    places: list[dict[str, Any]] = [
        {"links": (link("Open", url),)},
        {"summary": (link("Open", url),)},
        {"next_step": (link("Open", url),)},
        {"sections": (Section("List", ((link("Open", url),),)),)},
    ]
    for place in places:
        payload = render(replace(BARE, **place))
        assert links(payload) == []
        assert "Open" in shown(payload)
        assert_holds(payload)


@pytest.mark.parametrize(("count", "more"), [(6, 0), (7, 1), (600, 594)])
def test_six_links_are_shown_and_the_rest_counted(count: int, more: int) -> None:
    many = tuple(link(f"Link {n}", f"https://docs.aws.amazon.com/{n}") for n in range(count))

    payload = render(replace(BARE, links=many))

    assert len(links(payload)) == 6
    assert "Link 4 | Link 5\n" in shown(payload)
    assert (f"\n…and {more} more\n" in shown(payload)) is (more > 0)
    assert_holds(payload)


def test_links_that_have_no_room_are_counted() -> None:
    many = tuple(link(f"Link {n}", "https://docs.aws.amazon.com/" + "x" * 760) for n in range(6))

    payload = render(replace(BARE, links=many))

    assert len(links(payload)) == 2
    assert "\n…and 4 more\n" in shown(payload)


def test_a_link_without_a_text_is_still_a_button() -> None:
    payload = render(replace(BARE, links=(link(" ", "https://docs.aws.amazon.com/"),)))

    assert "\n…\n" in shown(payload)
    assert_holds(payload)


def test_styles_are_kept() -> None:
    payload = render(replace(BARE, summary=(plain("a"), bold("b"), code("c"), Span("d", Style.ITALIC))))

    runs = [{key: run[key] for key in run if key != "type"} for run in card(payload)["body"][1]["inlines"]]
    assert runs == [
        {"text": "a"},
        {"text": "b", "weight": "Bolder"},
        {"text": "c", "fontType": "Monospace"},
        {"text": "d", "italic": True},
    ]


def test_the_footer_and_the_facts_are_small() -> None:
    payload = render(replace(BARE, facts=(Fact("Digest", "sha256:0"),), footer="account 1"))

    small = [run["text"] for run in objects(card(payload)["body"]) if run.get("size") == "Small"]
    assert small == ["Digest", "sha256:0", "account 1 · id id-1"]


@pytest.mark.parametrize("text", ["{{DATE(2017-02-14T06:00:00Z, SHORT)}}", "{{TIME(2017-02-14T06:00:00Z)}}"])
def test_a_date_that_clients_would_translate_is_shown_as_it_is(text: str) -> None:
    items: tuple[Line, ...] = ((plain(text * 40),), (code(text),), (code(text * 40),), (plain("{\ufe0f" + text[1:]),))

    payload = render(replace(BARE, title=text, sections=(Section(text, items),), facts=(Fact(text, text),)))

    assert text.replace("{{", "{ {") in shown(payload)
    assert_holds(payload)


def test_a_long_name_in_a_list_keeps_its_end() -> None:
    line: Line = (code("very/long/" * 100 + "app:v1.2.3"), plain(" 2 critical"))

    seen = shown(render(replace(BARE, sections=(Section("Images", (line,)),))))

    assert "/app:v1.2.3 2 critical" in seen


def test_a_line_that_is_cut_says_so() -> None:
    payload = render(replace(BARE, summary=tuple(plain(f"{n} and ") for n in range(1_000))))

    assert shown(payload).splitlines()[1].endswith("…")
    assert_holds(payload)


def test_the_budget_is_well_below_what_teams_refuses() -> None:
    grown = 28_897 / 24_453

    assert BUDGET == ALLOWED
    assert BUDGET * grown < 28 * 1_024


def test_the_hosts_are_those_of_flows_and_each_environment_has_one_of_its_own() -> None:
    assert "*.environment.api.powerplatform.com" in HOSTS
    assert "*.logic.azure.com" in HOSTS
    for host in HOSTS:
        assert host.startswith("*.")
        assert host.count("*") == 1
        assert host.count(".") >= 3
