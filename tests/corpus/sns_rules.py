"""What must hold of every custom notification that we make, whatever the notice says.

Two readers try to find markup in it: markdown-it, which reads CommonMark with tables, strikethrough and bare links as
Teams does, and a few lines that read Slack's own markup.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
from linkify_it import LinkifyIt  # type: ignore[import-untyped]
from linkify_it.tlds import TLDS  # type: ignore[import-untyped]
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.corpus.message_rules import assert_ours, assert_visible

SCHEMA = Path(__file__).parents[2] / "schema" / "sns" / "custom-notification.schema.json"
_VALID = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
_MARKDOWN = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])
_LINKS = LinkifyIt(options={"fuzzy_link": True, "fuzzy_email": True, "fuzzy_ip": False}).tlds([*TLDS, "example"])
"""Finds what a client makes links of by itself: every top-level domain, and the one of our hostile texts."""

_STRUCTURE = {"paragraph", "bullet_list", "list_item", "em"}
"""What the description may be made of, besides text and code."""
_CODE = re.compile(r"(?s)```\n(?P<block>[^`]*)\n```(?=\n|$)|(?:(?<=[\s(])|^)`(?P<span>[^`\n]+)`(?=[\s.,;:!?]|$)", re.M)
_OUR_TITLE = re.compile(r"(?m)^\*([^*`\n]+)\*$")
_OUR_LINK = re.compile(r"^(?P<text>.*): (?P<url>https://[^ ]+)$")


def assert_holds(payload: dict[str, Any]) -> None:
    """All of the rules: it is valid, small enough, and inert."""
    _VALID.validate(payload)
    assert len(json.dumps(payload)) <= 8_000
    assert len(payload["content"]["description"]) <= 3_000
    assert_inert(payload)


def assert_inert(payload: dict[str, Any]) -> None:
    """No markup of Slack's or of Markdown, no mention, no foreign link, nothing that can't be seen."""
    json.dumps(payload, ensure_ascii=False).encode("utf-8")
    content, metadata = payload["content"], payload["metadata"]
    assert_text(content["description"])
    for text in (content["title"], metadata["summary"], *metadata.get("relatedResources", ())):
        assert_line(text)
    for step in content.get("nextSteps", ()):
        assert_step(step)
    for word in (*content["keywords"], metadata["eventType"]):
        assert re.fullmatch(r"[A-Za-z0-9]+(?:[_.-][A-Za-z0-9]+)*", word)
    for token in (payload.get("id", "x"), metadata.get("threadId", "x")):
        assert re.fullmatch(r"[A-Za-z0-9-]{1,40}", token)


def assert_step(step: str) -> None:
    """A line; one that ends with a URL ends with one of ours."""
    match = _OUR_LINK.match(step)
    if match and not in_code(step, match.start("url")):
        assert_ours(match["url"].replace("&amp;", "&"))
        assert not re.search(r"[*~()'@]|_.*_|&(?!amp;)|:[^:/]*:", match["url"].removeprefix("https:")), match["url"]
        step = match["text"]
    assert_line(step)


def assert_line(text: str) -> None:
    """One line with nothing in it but words and code."""
    assert "\n" not in text
    assert not _OUR_TITLE.search(text)
    assert_text(text)


def assert_text(text: str) -> None:
    """Paragraphs, lists and our titles, to both readers."""
    assert text.strip()
    for line in text.split("\n"):
        assert_visible(line)
    assert not re.search(r"[<>]|&(?!amp;)", text), text
    # Amazon Q makes mentions of names after an @, and we can't be sure that it spares code.
    assert not re.search(r"(?<![A-Za-z0-9])@\w|@(?!sha256:)\w", text), text
    as_slack(text)
    as_markdown(text)


def as_slack(text: str) -> None:
    """Outside of code there is nothing to format or link: https://docs.slack.dev/messaging/formatting-message-text."""
    rest = _OUR_TITLE.sub(r"\1", _CODE.sub("", text))
    assert not re.search(r"[*_~`@#|\\\[\]]", rest), rest
    assert not re.search(r":[^\s:]+:", rest), rest
    assert_no_link(rest)


def as_markdown(text: str) -> None:
    """https://spec.commonmark.org/: what it is made of is ours, and the words have no link in them."""
    for token in tokens(_MARKDOWN.parse(text)):
        kind = token.type.removesuffix("_open").removesuffix("_close")
        match kind:
            case "text":
                assert_no_link(token.content)
            case "code_inline" | "softbreak" | "inline":
                pass
            case "fence":
                assert not token.info
            case _:
                assert kind in _STRUCTURE, (kind, text)
        assert token.level <= 4


def assert_no_link(text: str) -> None:
    """Nothing that a client makes a link of by itself."""
    assert not re.search(r"://|\bwww\.|\bmailto:", text), text
    assert not _LINKS.match(text), text


def tokens(given: list[Token]) -> Iterator[Token]:
    """All of them, also those within."""
    for token in given:
        yield token
        yield from tokens(token.children or [])


def in_code(text: str, place: int) -> bool:
    """Whether it is inside of a code span."""
    return any(found.start() <= place < found.end() for found in _CODE.finditer(text))


def shown(payload: dict[str, Any]) -> str:
    """All that a reader sees, a line for each line, as it is written."""
    content = payload["content"]
    return "\n".join((content["title"], content["description"], *content.get("nextSteps", ())))
