"""What becomes of text, styles and links in a Discord message: what is markup there is only ours."""

from dataclasses import replace
from typing import Any

import pytest

from tests.corpus.discord_rules import assert_holds, links, read, shown
from warden.channels.discord import render
from warden.notices import Fact, Level, Notice, Section, Span, Style, bold, code, link, plain

BARE = Notice("id-1", "findings", Level.HIGH, "1 high finding in team/app:v1", "team/app:v1", (plain("See below."),))
CVE = "https://nvd.nist.gov/vuln/detail/CVE-2014-0160"


def embed(notice: Notice) -> dict[str, Any]:
    payload = render(notice)
    assert_holds(payload)
    found: dict[str, Any] = payload["embeds"][0]
    return found


def summarised(*spans: Span) -> str:
    return str(embed(replace(BARE, summary=spans))["description"])


def test_a_message_mentions_nobody_and_says_nothing_where_links_are_unfolded() -> None:
    payload = render(BARE)

    assert payload["allowed_mentions"] == {"parse": []}
    assert "content" not in payload


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("high team/app:v1", "🟠 high team/app:v1"),
        ("high a_b*c", "🟠 high a\\_b\\*c"),
        ("high :fire: @everyone @alice", "🟠 high \\:fire: \\@everyone @alice"),
        ("high https://evil.example <@1>", "🟠 high https\\://evil.example \\<@1\\>"),
        ("high [x](y) `z`", "🟠 high \\[x\\](y) \\`z\\`"),
    ],
)
def test_a_title_escapes_no_more_than_it_must(title: str, expected: str) -> None:
    assert embed(replace(BARE, title=title))["title"] == expected


@pytest.mark.parametrize(
    "url",
    [
        CVE,
        "https://github.com/advisories/GHSA-jfh8-c2jp-5v3q",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html#x",
        "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/1/a%2Fb/_/image/sha256:0/details?region=x",
        "https://cn-north-1.console.amazonaws.cn/ecr/a_b/*c*/~d~",
        "https://us-gov-west-1.console.amazonaws-us-gov.com/ecr/",
    ],
)
def test_our_links_are_links(url: str) -> None:
    payload = render(replace(BARE, summary=(link("Open", url),), links=(link("Open in ECR", url),)))

    assert links(payload) == [url, url]
    assert_holds(payload)


@pytest.mark.parametrize("bracket", ["(", ")", "()", ")(", "(()"])
def test_a_parenthesis_does_not_end_a_link(bracket: str) -> None:
    payload = render(replace(BARE, links=(link("Open", f"https://nvd.nist.gov/{bracket}x"),)))

    assert links(payload) == [f"https://nvd.nist.gov/{bracket}x".replace("(", "%28").replace(")", "%29")]
    assert_holds(payload)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://nvd.nist.gov/vuln/detail/CVE-2014-0160",
        "https://nvd.nist.gov@evil.example/",
        "https://nvd.nist.gov.evil.example/",
        "https://github.com/evil/repository",
        "https://nvd.nist.gov/a b",
        "https://nvd.nist.gov/ü",
        "javascript:alert(1)//https://nvd.nist.gov/",
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


@pytest.mark.parametrize("text", ["a_b", "[x](https://evil.example)", "https://evil.example", "1:2", "`x`", "日本"])
def test_a_text_that_a_link_would_not_show_stands_before_it(text: str) -> None:
    payload = render(replace(BARE, links=(link(text, CVE),)))

    assert links(payload) == [CVE]
    assert f"Links  {text} (open)" in shown(payload)
    assert_holds(payload)


def test_a_link_without_the_room_for_it_is_its_text() -> None:
    url = "https://nvd.nist.gov/" + "x" * 500

    payload = render(replace(BARE, summary=(link("Open", url),), sections=(Section("x", ((link("that", url),),)),)))

    assert links(payload) == [url]
    assert "that" in shown(payload)
    assert_holds(payload)


def test_a_link_that_says_nothing_is_none() -> None:
    payload = render(replace(BARE, links=(link("", CVE), link(" ", CVE))))

    assert "fields" not in payload["embeds"][0]
    assert_holds(payload)


def test_six_links_are_shown_and_the_rest_counted() -> None:
    many = tuple(link(f"Link {n}", f"https://docs.aws.amazon.com/{n}") for n in range(9))

    payload = render(replace(BARE, links=many))

    assert len(links(payload)) == 6
    assert "Link 5 · …and 3 more" in shown(payload)
    assert_holds(payload)


def test_long_links_are_left_out_whole_and_counted() -> None:
    many = tuple(link(f"Link {n}", f"https://docs.aws.amazon.com/{'x' * 300}{n}") for n in range(6))

    payload = render(replace(BARE, links=many))

    assert len(links(payload)) == 2
    assert "Link 1 · …and 4 more" in shown(payload)
    assert_holds(payload)


def test_styles_are_kept() -> None:
    line = (plain("a "), bold("b"), plain(" "), code("c"), plain(" "), Span("d ", Style.ITALIC), plain("e"))

    assert summarised(*line) == "a **b** `c` *d* e"


def test_styles_that_touch_do_not_run_into_one_another() -> None:
    spans = (bold("a"), bold("b"), Span("c", Style.ITALIC), code("d"), code("e"))

    text = summarised(*spans)

    assert text == "**a**b*c*d`e`"
    assert [(seen.kind, seen.text) for seen in read(text)] == [
        ("strong", "a"),
        ("text", "b"),
        ("italic", "c"),
        ("text", "d"),
        ("code", "e"),
    ]


@pytest.mark.parametrize("text", ["`", "a`b", "``x``", "x`"])
def test_a_name_with_a_backtick_is_shown_plain(text: str) -> None:
    assert [(seen.kind, seen.text) for seen in read(summarised(code(text)))] == [("text", text)]


@pytest.mark.parametrize(
    "text", ["- a", "+ a", "1. a", "12. a", "-", "# a", "-# a", "> a", ">>> a", "* a", "---", "1."]
)
@pytest.mark.parametrize("spans", [1, 2, 3])
def test_what_makes_a_list_or_a_heading_at_the_start_of_a_line_is_text(text: str, spans: int) -> None:
    line = tuple(plain(part) for part in (text[:1], text[1:2], text[2:])[:spans])
    line = (*line[:-1], plain(text[spans - 1 :]))

    made = embed(replace(BARE, summary=line, sections=(Section("x", (line,)),), facts=(Fact(text, text),)))

    summary, items = made["description"].split("\n\n")
    for place in (summary, items.splitlines()[1].removeprefix("- "), *made["fields"][0].values()):
        if isinstance(place, str):
            assert [(seen.kind, seen.text) for seen in read(place)] == [("text", text)]


@pytest.mark.parametrize(
    "parts", [("https:", "//evil.example"), ("http", "s://evil.example"), (":ta", "da:"), ("<", "@1>")]
)
def test_spans_that_are_markup_only_together_are_text(parts: tuple[str, str]) -> None:
    assert [(seen.kind, seen.text) for seen in read(summarised(*map(plain, parts)))] == [("text", "".join(parts))]


def test_a_footer_is_not_escaped_since_no_markdown_is_read_there() -> None:
    made = embed(replace(BARE, footer="a_b *c*", id="x_1"))

    assert made["footer"] == {"text": "a_b *c* · id x_1"}
