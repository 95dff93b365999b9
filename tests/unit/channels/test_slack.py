"""A notice as a Slack message: what a reader gets, and what is left out where there is too much."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.message_rules import assert_holds, leaves, shown
from tests.corpus.notices import KINDS, NEW_CRITICALS
from warden.channels.slack import BUDGET, HEADER_LIMIT, HOSTS, SECTION_LIMIT, render
from warden.notices import Fact, Level, Line, Notice, Section, Span, bold, code, link, plain

GOLDEN = Path(__file__).parents[2] / "corpus" / "slack"
BARE = Notice("id-1", "findings", Level.HIGH, "1 high finding in team/app:v1", "team/app:v1", (plain("See below."),))


def lists(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks that hold a list or the count of one."""
    return [block for block in payload["blocks"] if block["type"] == "rich_text" and is_list(block)]


def is_list(block: dict[str, Any]) -> bool:
    return any(part["type"] == "rich_text_list" for part in block["elements"]) or "more" in shown({"blocks": [block]})


def links(payload: dict[str, Any]) -> list[str]:
    return [leaf["url"] for leaf in leaves(payload["blocks"]) if leaf["type"] == "link"]


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
        "CVE-2014-0160 critical 9.8 · openssl 1.0.1e → 1.0.1g",
        "CVE-2021-44228 critical 10.0 · log4j-core 2.14.1 → 2.17.1",
        "CVE-2024-3094 high 8.1 · xz-utils 5.6.0, no fix yet",
        "…and 4 more",
        "Digest  sha256:41d9be20c0ff",
        "Pushed  23 Nov 14:02 UTC",
        "Verdict  block from CRITICAL (defaults)",
        "Next step  rebuild on a base image with openssl 1.0.1g or later. Not affected? "
        "Exempt the CVE in warden.yaml, with an end date.",
        "Open in ECR   ·   All findings",
        "account 123456789012 · eu-west-1 · warden why payments/api@sha256:41d9be20c0ff · id f-41d9be20c0ff",
    ]


def test_a_phone_shows_the_title_and_the_summary() -> None:
    assert render(BARE)["text"] == "🟠 1 high finding in team/app:v1 — See below."


@pytest.mark.parametrize("level", Level)
def test_every_level_is_a_sign_and_words(level: Level) -> None:
    heading = render(replace(BARE, level=level, title="team/app:v1"))["blocks"][0]["text"]["text"]

    sign, words = heading.split(" ", 1)
    assert not sign.isascii()
    assert words[: -len(": team/app:v1")].isascii()
    assert words.endswith(": team/app:v1")


def test_the_levels_have_different_signs() -> None:
    assert len({render(replace(BARE, level=level))["text"].split(" ")[0] for level in Level}) == len(Level)


def test_a_title_that_says_its_level_does_not_say_it_twice() -> None:
    assert shown(render(BARE)).startswith("🟠 1 high finding in team/app:v1\n")


def test_a_notice_with_nothing_but_a_title_is_a_message() -> None:
    payload = render(Notice("", "hello", Level.HELLO, "hello", "", ()))

    assert [block["type"] for block in payload["blocks"]] == ["header"]
    assert payload["text"] == "👋 hello"
    assert_holds(payload)


def test_a_header_of_the_greatest_length_is_whole_and_a_longer_one_keeps_its_tag() -> None:
    room = HEADER_LIMIT - len("🟠 high ")
    for length, whole in ((room, True), (room + 1, False), (room * 100, False)):
        name = "x" * (length - len(":v1.2.3")) + ":v1.2.3"
        payload = render(replace(BARE, title=f"high {name}", subject=name))
        heading = payload["blocks"][0]["text"]["text"]
        assert len(heading) == HEADER_LIMIT
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


def test_long_items_are_left_out_whole_and_counted_before_the_section_is_too_long() -> None:
    items = tuple((plain(f"{number:03} {'word ' * 50}end"),) for number in range(15))

    payload = render(replace(BARE, sections=(Section("Items", items),)))

    seen = shown(payload)
    assert seen.count("end") == seen.count("word word end")
    assert 5 < seen.count("end") < 15
    assert f"…and {15 - seen.count('end')} more" in seen
    assert sum(len(leaf["text"]) for leaf in leaves(lists(payload))) <= SECTION_LIMIT
    assert_holds(payload)


def test_five_full_lists_share_the_room_and_all_of_them_show_something() -> None:
    full = tuple((code(f"package-{number}"), plain(" " + "w" * 200), bold("1.2.3")) for number in range(15))

    payload = render(replace(NEW_CRITICALS, sections=tuple(Section(f"List {n}", full) for n in range(5))))

    assert len(lists(payload)) == 5
    for block in lists(payload):
        assert "package-0" in shown({"blocks": [block]})
        assert "more" in shown({"blocks": [block]})
    assert BUDGET - 2_000 < len(json.dumps(payload)) <= BUDGET
    assert_holds(payload)


def test_a_list_that_needs_little_leaves_its_share_to_the_next() -> None:
    long = tuple((plain("w" * 180), code("x" * 60)) for _ in range(12))
    alone = shown(render(replace(BARE, sections=(Section("Long", long),))))
    after = shown(render(replace(BARE, sections=(Section("Short", ((plain("one"),),)), Section("Long", long)))))

    assert alone.count("w" * 180) - after.count("w" * 180) <= 1


def test_lists_beyond_the_fifth_are_counted_with_their_items() -> None:
    sections = tuple(Section(f"List {n}", ((plain("an item"),),) * 3, more=2) for n in range(500))

    seen = shown(render(replace(BARE, sections=sections)))

    assert "List 3\n" in seen
    assert "List 4" not in seen
    assert "496 more lists\n…and 2,480 more" in seen


def test_an_item_that_says_nothing_is_still_an_item() -> None:
    payload = render(replace(BARE, sections=(Section("", ((), (plain(""),), (plain("\u200b"),), (plain("x"),))),)))

    assert len(lists(payload)[0]["elements"][1]["elements"]) == 4
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
        "https://console.aws.amazon.com/ecr/",
        "https://cn-north-1.console.amazonaws.cn/ecr/",
        "https://us-gov-west-1.console.amazonaws-us-gov.com/ecr/",
    ],
)
def test_our_links_are_links(url: str) -> None:
    payload = render(replace(BARE, links=(link("Open", url),)))

    assert links(payload) == [url]
    assert_holds(payload)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://nvd.nist.gov/vuln/detail/CVE-2014-0160",
        "https://nvd.nist.gov@evil.example/",
        "https://nvd.nist.gov:8443/vuln",
        "https://nvd.nist.gov.evil.example/",
        "https://evil.example/nvd.nist.gov/",
        "https://evil.example#https://nvd.nist.gov/",
        "https://evilnvd.nist.gov/",
        "https://github.com/evil/repository",
        "https://github.com/advisories",
        "https://evil-console.aws.amazon.com/",
        "https://console.aws.amazon.com.evil.example/",
        "https://console.aws.amazon.com\\@evil.example/",
        "https://nvd.nist.gov/\n",
        "https://nvd.nist.gov/a b",
        "https://nvd.nist.gov/|click>",
        "https://nvd.nist.gov/ü",
        "HTTPS://NVD.NIST.GOV/x",
        "javascript:alert(1)//https://nvd.nist.gov/",
        "//nvd.nist.gov/x",
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


def test_six_links_are_shown_and_the_rest_counted() -> None:
    many = tuple(link(f"Link {n}", f"https://docs.aws.amazon.com/{n}") for n in range(9))

    payload = render(replace(BARE, links=many))

    assert len(links(payload)) == 6
    assert "Link 5   ·   …and 3 more" in shown(payload)
    assert_holds(payload)


def test_styles_are_kept() -> None:
    payload = render(replace(BARE, summary=(plain("a"), bold("b"), code("c"), Span("d", Span("").style.ITALIC))))

    spans = payload["blocks"][1]["elements"][0]["elements"]
    assert [span.get("style") for span in spans] == [None, {"bold": True}, {"code": True}, {"italic": True}]


def test_the_three_characters_of_slack_are_escaped_where_markup_is_read() -> None:
    text = render(replace(BARE, title="high <!channel> & <@U1>", summary=()))["text"]

    assert text == "🟠 high &lt;!channel&gt; &amp; &lt;@U1&gt;"


def test_a_long_name_in_a_list_keeps_its_end() -> None:
    line: Line = (code("very/long/" * 100 + "app:v1.2.3"), plain(" 2 critical"))

    seen = shown(render(replace(BARE, sections=(Section("Images", (line,)),))))

    assert "/app:v1.2.3 2 critical" in seen


def test_a_line_that_is_cut_says_so() -> None:
    payload = render(replace(BARE, summary=tuple(plain(f"{n} and ") for n in range(1_000))))

    assert shown(payload).splitlines()[1].endswith("…")
    assert_holds(payload)


def test_slacks_hosts_are_the_commercial_and_the_government_one() -> None:
    assert {"hooks.slack.com", "hooks.slack-gov.com"} == HOSTS
