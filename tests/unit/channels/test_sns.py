"""A notice as a custom notification of Amazon Q: what a reader gets, and what is left out where there is too much."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.corpus.notices import KINDS, NEW_CRITICALS
from tests.corpus.sns_rules import SCHEMA, assert_holds, shown
from warden.channels.sns import BUDGET, DESCRIPTION_LIMIT, HOSTS, render
from warden.notices import Fact, Level, Line, Notice, Section, Table, bold, code, link, plain

GOLDEN = Path(__file__).parents[2] / "corpus" / "sns"
BARE = Notice("id-1", "findings", Level.HIGH, "1 high finding in team/app:v1", "team/app:v1", (plain("See below."),))
CVE = "https://nvd.nist.gov/vuln/detail/CVE-2014-0160"


def described(notice: Notice) -> str:
    """Its description, which holds."""
    payload = render(notice)
    assert_holds(payload)
    return str(payload["content"]["description"])


def summarised(*line: Any) -> str:
    return described(replace(BARE, id="", summary=line))


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_of_notice_is_drawn_as_it_was_agreed(kind: str) -> None:
    payload = render(KINDS[kind])

    assert payload == json.loads((GOLDEN / f"{kind}.json").read_text(encoding="utf-8"))
    assert_holds(payload)


def test_a_message_says_everything_that_the_notice_says() -> None:
    console = (
        "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/123456789012/payments/api/_/image/sha256"
    )
    assert shown(render(NEW_CRITICALS)).splitlines() == [
        "🔴 2 new critical findings in payments/api:1.42.0",
        "2 critical, 1 high and 4 medium findings on `linux/amd64` and `linux/arm64`. New since 1.41.3: 2 critical.",
        "",
        "*Fix first*",
        "- CVE-2014-0160 critical 9.8 · `openssl` 1.0.1e → 1.0.1g",
        "- CVE-2021-44228 critical 10.0 · `log4j-core` 2.14.1 → 2.17.1",
        "- CVE-2024-3094 high 8.1 · `xz-utils` 5.6.0, no fix yet",
        "- …and 4 more",
        "",
        "*Details*",
        "- Digest: sha256:41d9be20c0ff",
        "- Pushed: 23 Nov 14:02 UTC",
        "- Verdict: block from CRITICAL (defaults)",
        "",
        "account 123456789012 · eu-west-1 · warden why `payments/api@sha256:41d9be20c0ff` · id f-41d9be20c0ff",
        "rebuild on a base image with openssl 1.0.1g or later. Not affected? "
        "Exempt the CVE in `warden.yaml`, with an end date.",
        f"Open in ECR: {console}:41d9be20c0ff{'0' * 52}/details",
        f"All findings: {console}:41d9be20c0ff{'0' * 52}/scan-results",
    ]


def test_a_bare_notice_has_the_keys_that_amazon_q_asks_for() -> None:
    assert render(Notice("", "hello", Level.HELLO, "hello", "", ())) == {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": "👋 hello",
            "description": "👋 hello",
            "keywords": ["hello", "hello"],
        },
        "metadata": {"summary": "👋 hello", "eventType": "ecr-warden.hello"},
    }


def test_the_schema_describes_every_field_and_refuses_what_amazon_q_would_drop() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = render(NEW_CRITICALS)

    assert validator.is_valid(good)
    for wrong in (
        good | {"version": "2.0"},
        good | {"source": "aws.ecr"},
        good | {"text": "x"},
        {key: value for key, value in good.items() if key != "content"},
        good | {"content": {"title": "x"}},
        good | {"content": {"description": ""}},
        good | {"content": {"description": "x", "textType": "markdown"}},
        good | {"content": {"description": "x", "nextSteps": "one"}},
        good | {"metadata": {"threadId": 1}},
    ):
        assert not validator.is_valid(wrong)


@pytest.mark.parametrize("level", Level)
def test_every_level_is_a_sign_words_and_a_keyword(level: Level) -> None:
    payload = render(replace(BARE, level=level, title="app one"))

    sign, words = payload["content"]["title"].split(" ", 1)
    assert not sign.isascii()
    assert words.endswith(": app one")
    assert payload["content"]["keywords"] == ["findings", level.value]
    assert payload["metadata"]["summary"] == payload["content"]["title"]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a plain sentence, 1.0.1e (done).", "a plain sentence, 1.0.1e (done)."),
        ("my_app", "`my_app`"),
        ("*bold*", "`*bold*`"),
        ("*bold text* and more", "`*bold text*` and more"),
        ("v* and dev-*, kept", "`v*` and `dev-*`, kept"),
        ("one `code` two", "one ˋcodeˋ two"),
        ("<!channel>", "‹!channel›"),
        ("<@U024BE7LH>", "`‹@ U024BE7LH›`"),
        ("<https://evil.example|click>", "`‹https://evil.example|click›`"),
        ("[click](https://evil.example)", "`[click](https://evil.example)`"),
        ("see www.evil.example now", "see `www.evil.example` now"),
        ("see evil.example.", "see `evil.example`."),
        ("https://evil.example/", "`https://evil.example/`"),
        ("cc @alice, @here", "cc `@ alice, @ here`"),
        ("alice@evil.example", "`alice@ evil.example`"),
        ("team/app@sha256:41d9", "`team/app@sha256:41d9`"),
        ("@sha256:41d9", "`@ sha256:41d9`"),
        ("#general", "`#general`"),
        (":tada: done", "`:tada:` done"),
        ("a:b", "a:b"),
        ("# heading", "`#` heading"),
        ("- item", "`-` item"),
        ("1. item", "`1`. item"),
        ("2) item", "`2)` item"),
        ("=== ===", "`===` ==="),
        ("one - two 1. three", "one - two 1. three"),
        ("R&D &lt;b&gt;", "R&amp;D &amp;lt;b&amp;gt;"),
        ("a|b", "`a|b`"),
        ("C:\\x", "`C:\\x`"),
        ("1.0~rc1", "`1.0~rc1`"),
        ("…", "…"),
    ],
)
def test_what_a_product_could_read_as_markup_stands_in_code(text: str, seen: str) -> None:
    assert summarised(plain(text)) == seen


def test_names_are_code_and_what_is_around_them_is_not() -> None:
    line = (plain("read ("), code("warden plan"), plain("), then set "), code("mode: enforce"), plain("."))

    assert summarised(*line) == "read `(warden plan)`, then set `mode: enforce`."


def test_code_that_touches_a_word_takes_it_in_since_slack_wants_a_gap_before_code() -> None:
    assert summarised(plain("a"), code("b"), plain("c d")) == "`abc` d"


def test_code_that_is_nothing_but_punctuation_is_code() -> None:
    assert summarised(code("..."), plain(" x")) == "`...` x"


def test_the_links_in_lines_are_their_texts_and_the_links_of_the_notice_are_steps() -> None:
    notice = replace(BARE, id="", summary=(link("CVE-2014-0160", CVE),), links=(link("The CVE", CVE),))

    assert described(notice) == "CVE-2014-0160"
    assert render(notice)["content"]["nextSteps"] == [f"The CVE: {CVE}"]


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        (CVE, CVE),
        ("https://docs.aws.amazon.com/a_b_c", "https://docs.aws.amazon.com/a_b%5Fc"),
        ("https://docs.aws.amazon.com/:x:", "https://docs.aws.amazon.com/:x%3A"),
        ("https://docs.aws.amazon.com/?a=1&b=2#c", "https://docs.aws.amazon.com/?a=1&amp;b=2#c"),
        ("https://docs.aws.amazon.com/*~(')@x", "https://docs.aws.amazon.com/%2A%7E%28%27%29%40x"),
        ("https://console.aws.amazon.com/a%2Fb", "https://console.aws.amazon.com/a%2Fb"),
    ],
)
def test_a_url_of_ours_is_spelled_so_that_it_stays_one(url: str, seen: str) -> None:
    payload = render(replace(BARE, links=(link("Open", url),)))

    assert payload["content"]["nextSteps"] == [f"Open: {seen}"]
    assert_holds(payload)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://nvd.nist.gov/vuln/detail/CVE-2014-0160",
        "https://nvd.nist.gov@evil.example/",
        "https://github.com/evil/repository",
        "https://nvd.nist.gov/|click>",
        "javascript:alert(1)//https://nvd.nist.gov/",
        "https://nvd.nist.gov/" + "x" * 10_000,
        "",
    ],
)
def test_any_other_link_is_shown_as_its_text_alone(url: str) -> None:
    payload = render(replace(BARE, links=(link("Open", url),), next_step=(link("Go", url),)))

    assert payload["content"]["nextSteps"] == ["Go", "Open"]
    assert_holds(payload)


@pytest.mark.parametrize(("length", "seen"), [(10, 6), (700, 2)])
def test_links_are_left_out_whole_and_counted(length: int, seen: int) -> None:
    lines = tuple(link(f"Link {n}", "https://docs.aws.amazon.com/" + "x" * length) for n in range(9))

    payload = render(replace(BARE, links=lines))

    steps = payload["content"]["nextSteps"]
    assert [step.split(":")[0] for step in steps] == [*(f"Link {n}" for n in range(seen)), f"…and {9 - seen} more"]
    assert_holds(payload)


@pytest.mark.parametrize(("count", "more"), [(15, 0), (16, 1), (1_500, 1_485)])
def test_a_list_shows_fifteen_items_and_counts_the_rest(count: int, more: int) -> None:
    text = described(replace(BARE, sections=(Section("Items", tuple((plain(f"item {n}"),) for n in range(count))),)))

    assert text.count("- item ") == 15
    assert (f"- …and {more:,} more" in text) is (more > 0)


def test_what_the_notice_left_out_and_what_the_message_leaves_out_are_one_count() -> None:
    items = tuple((plain(f"item {number}"),) for number in range(20))

    assert "- …and 1,005 more" in described(replace(BARE, sections=(Section("Items", items, more=1_000),)))


def test_five_full_lists_share_the_room_and_all_of_them_show_something() -> None:
    full = tuple((plain(f"item {n} " + "w" * 60),) for n in range(15))

    text = described(replace(NEW_CRITICALS, sections=tuple(Section(f"List {n}", full) for n in range(5))))

    for part in text.split("\n\n")[1:6]:
        title, *items, more = part.split("\n")
        assert title.startswith("*List ")
        assert items
        assert all(item.endswith("w" * 60) for item in items)
        assert more == f"- …and {15 - len(items)} more"
    assert DESCRIPTION_LIMIT - 500 < len(json.dumps(text)) - 2 <= DESCRIPTION_LIMIT


def test_a_list_that_needs_little_leaves_its_share_to_the_next() -> None:
    full = tuple((plain("w" * 200),) for _ in range(15))
    alone = described(replace(BARE, sections=(Section("Long", full),)))
    after = described(replace(BARE, sections=(Section("Short", ((plain("one"),),)), Section("Long", full))))

    assert 0 <= alone.count("w" * 200) - after.count("w" * 200) <= 1


def test_lists_beyond_the_fifth_are_counted_with_their_items() -> None:
    sections = tuple(Section(f"List {n}", ((plain("an item"),),) * 3, more=2) for n in range(499))
    table = Table("Rows", ("a",), (("x",),) * 3, more=2)

    text = described(replace(BARE, sections=sections, tables=(table,)))

    assert "*List 3*" in text
    assert "List 4" not in text
    assert "*496 more lists*\n- …and 2,480 more" in text


def test_a_table_is_aligned_between_fences() -> None:
    table = Table("Images", ("image", "severity"), (("team/app:v1", "high"), ("b`2", "<low>")), more=3)

    assert "*Images*\n```\nimage        severity\nteam/app:v1  high\nbˋ2          ‹low›\n```\n…and 3 more" in described(
        replace(BARE, tables=(table,))
    )


@pytest.mark.parametrize(("count", "more"), [(15, 0), (16, 1), (1_500, 1_485)])
def test_a_table_that_is_too_long_counts_its_rest(count: int, more: int) -> None:
    text = described(replace(BARE, tables=(Table("T", ("a",), tuple((f"row {n}",) for n in range(count))),)))

    assert text.count("row ") == 15
    assert (f"…and {more:,} more" in text) is (more > 0)


def test_a_table_shows_fewer_rows_where_there_is_less_room() -> None:
    rows = tuple((f"row {n}", "w" * 50) for n in range(15))

    text = described(replace(BARE, tables=(Table("T", ("a", "b"), rows),) * 5))

    assert text.count("*T*") == 5
    assert 5 < text.count("row ") < 75
    assert text.count(" more") == 5


def test_a_table_of_no_rows_is_its_title() -> None:
    assert described(replace(BARE, id="", summary=(), tables=(Table("T", ("a",), ()),))) == "*T*"


def test_a_title_that_needs_code_is_not_bold() -> None:
    text = described(replace(BARE, sections=(Section("in my_app", ()), Section("*x*", ()), Section("", ()))))

    assert "\n\nin `my_app`\n\n`*x*`\n\n*…*\n\n" in text


@pytest.mark.parametrize(("count", "seen"), [(10, 10), (11, 10), (1_000, 10)])
def test_ten_facts_are_shown_and_the_rest_counted(count: int, seen: int) -> None:
    text = described(replace(BARE, facts=tuple(Fact(f"Fact {n}", "v") for n in range(count))))

    assert text.count("- Fact ") == seen
    assert (f"- …and {count - 10:,} more" in text) is (count > 10)


def test_a_fact_is_left_out_whole_where_there_is_no_room_for_it() -> None:
    text = described(replace(BARE, facts=tuple(Fact(f"Fact {n}", "v" * 150 + ".") for n in range(10))))

    kept = text.count("v" * 150 + ".")
    assert 2 <= kept < 10
    assert f"- …and {10 - kept} more" in text


@pytest.mark.parametrize("length", [80, 101, 10_000])
def test_a_title_that_is_too_long_keeps_its_tag(length: int) -> None:
    name = "x" * (length - len(":v1.2.3")) + ":v1.2.3"

    payload = render(replace(BARE, title=f"high {name}"))

    title = payload["content"]["title"]
    assert title.endswith(":v1.2.3")
    assert (name in title) is (length == 80)
    assert_holds(payload)


def test_a_long_name_in_a_list_keeps_its_end() -> None:
    line: Line = (code("very/long/" * 100 + "app:v1.2.3"), plain(" 2 critical"))

    assert "/app:v1.2.3` 2 critical" in described(replace(BARE, sections=(Section("Images", (line,)),)))


def test_a_line_that_is_cut_says_so() -> None:
    assert summarised(*(plain(f"{n} and ") for n in range(1_000))).endswith("…")


def test_bold_is_left_to_the_titles() -> None:
    assert summarised(bold("2 critical"), plain(", 1 high")) == "2 critical, 1 high"


def test_notices_of_one_thread_have_one_thread_id_and_others_another() -> None:
    threads = ["payments/api:1.42.0", "payments/api:1.42.0", "payments/api:1.42.1", "f-1", "a\ud800b"]

    ids = [render(replace(BARE, thread=thread))["metadata"]["threadId"] for thread in threads]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 4
    assert ids[3] == "f-1"
    assert "threadId" not in render(BARE)["metadata"]


def test_the_subject_is_a_related_resource() -> None:
    assert render(BARE)["metadata"]["relatedResources"] == ["`team/app:v1`"]
    assert "relatedResources" not in render(replace(BARE, subject=" "))["metadata"]


def test_there_is_no_host_and_the_budget_is_far_below_what_a_topic_takes() -> None:
    assert frozenset() == HOSTS
    assert BUDGET < 262_144
