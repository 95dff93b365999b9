"""What becomes of text, styles and links in a Google Chat message: what is markup there is only ours."""

from dataclasses import replace
from typing import Any

import pytest

from tests.corpus.google_chat_rules import assert_holds, links, paragraphs, shown
from warden.channels.google_chat import render
from warden.notices import Level, Notice, Section, Span, Style, bold, code, link, plain

BARE = Notice("id-1", "findings", Level.HIGH, "1 high finding in team/app:v1", "team/app:v1", (plain("See below."),))
CVE = "https://nvd.nist.gov/vuln/detail/CVE-2014-0160"


def drawn(notice: Notice) -> list[str]:
    """The HTML of each paragraph, of a message that holds."""
    payload = render(notice)
    assert_holds(payload)
    return list(paragraphs(payload))


def title_of(notice: Notice) -> str:
    return str(render(notice)["fallbackText"])


def test_what_may_be_markup_in_a_title_is_shown_as_what_it_looks_like() -> None:
    title = title_of(replace(BARE, title="high <users/all> & https://evil.example|WWW.evil.example"))

    assert title == "🟠 high ‹users/all› ＆ https[:]//evil.example|WWW[.]evil.example"


@pytest.mark.parametrize(
    "url",
    [
        CVE,
        "https://github.com/advisories/GHSA-jfh8-c2jp-5v3q",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html#x",
        "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/1/a%2Fb/_/image/sha256:0/details?r=x&lt;=y",
        "https://nvd.nist.gov/it's(so)*&amp;",
        "https://us-gov-west-1.console.amazonaws-us-gov.com/ecr/",
    ],
)
def test_our_links_are_links_and_lead_where_they_say(url: str) -> None:
    payload = render(replace(BARE, links=(link("Open", url),)))

    assert links(payload) == [url]
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
        'https://nvd.nist.gov/"onclick="x',
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


def test_a_link_without_the_room_for_it_is_its_text() -> None:
    url = "https://nvd.nist.gov/" + "&" * 300

    payload = render(replace(BARE, summary=(link("whole", url),), links=(link("short", url),)))

    assert links(payload) == [url]
    assert "short" in shown(payload)
    assert_holds(payload)


def test_a_link_that_says_nothing_is_none() -> None:
    assert drawn(replace(BARE, links=(link("", CVE), link(" ", CVE)), summary=(link("", CVE),))) == ["<i>id id-1</i>"]


def test_six_links_are_shown_and_the_rest_counted() -> None:
    many = tuple(link(f"Link {n}", f"https://docs.aws.amazon.com/{n}") for n in range(9))

    payload = render(replace(BARE, links=many))

    assert len(links(payload)) == 6
    assert "Link 5 · …and 3 more" in shown(payload)
    assert_holds(payload)


def test_long_links_are_left_out_whole_and_counted() -> None:
    many = tuple(link(f"Link {n}", f"https://docs.aws.amazon.com/{'x' * 700}{n}") for n in range(6))

    payload = render(replace(BARE, links=many))

    assert len(links(payload)) == 3
    assert "Link 2 · …and 3 more" in shown(payload)
    assert_holds(payload)


def test_styles_are_kept_but_for_code_which_a_card_has_not() -> None:
    line = (plain("a "), bold("b"), code("c"), Span("d", Style.ITALIC), Span("e", Style.BOLD, CVE), bold(" "))

    assert drawn(replace(BARE, summary=line))[0] == f'a <b>b</b>c<i>d</i><b><a href="{CVE}">e</a></b>'


def test_the_five_characters_of_html_are_escaped() -> None:
    assert drawn(replace(BARE, summary=(plain("""<b> & "x" 'y' &lt;"""),)))[0] == (
        "&lt;b&gt; &amp; &quot;x&quot; &#39;y&#39; &amp;lt;"
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("https://evil.example",), "https[:]//evil.example"),
        (("see www.evil.example",), "see www[.]evil.example"),
        (("https:", "//evil.example"), "https: //evil.example"),
        (("https:/", "/evil.example"), "https:/ /evil.example"),
        (("https", "://evil.example"), "https[:]//evil.example"),
        (("www", ".evil.example"), "www .evil.example"),
        (("ww", "w.evil.example"), "ww w.evil.example"),
        (("team/app:v1 and sha256:0 at 14:02",), "team/app:v1 and sha256:0 at 14:02"),
    ],
)
def test_what_looks_like_a_url_is_broken_where_it_can_be_seen(parts: tuple[str, ...], expected: str) -> None:
    assert drawn(replace(BARE, summary=tuple(map(plain, parts))))[0] == expected
