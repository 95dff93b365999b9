"""What must hold of every Slack message that we make, whatever the notice says."""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import slackblocks
from slackblocks.rich_text import elements as rich

from local.chat.incoming import TAKEN, answer

OUR_HOSTS = ("nvd.nist.gov", "github.com", "docs.aws.amazon.com")
CONSOLES = ("console.aws.amazon.com", "console.amazonaws.cn", "console.amazonaws-us-gov.com")
OUR_NEWLINE = "\n"


def assert_holds(payload: dict[str, Any]) -> None:
    """All of the rules, Slack's own schema and slackblocks' second opinion among them."""
    assert_inert(payload)
    body = json.dumps(payload)
    assert len(body) <= 12_000
    given, _ = answer(body.encode())
    assert given == TAKEN, given.remark
    blocks = [second_opinion(block) for block in payload["blocks"]]
    assert [without_ids(block) for block in blocks] == payload["blocks"]


def assert_inert(payload: dict[str, Any]) -> None:
    """No markup, mention or foreign link; nothing that can't be seen; every length within Slack's limits."""
    json.dumps(payload, ensure_ascii=False).encode("utf-8")
    assert payload["unfurl_links"] is False
    assert payload["unfurl_media"] is False
    assert payload["mrkdwn"] is False
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", payload["text"])
    assert 0 < len(payload["text"]) <= 300 * len("&amp;")
    assert_visible(payload["text"])
    header, *middle = payload["blocks"]
    assert header["type"] == "header"
    assert len(payload["blocks"]) <= 50
    for block in payload["blocks"]:
        assert block["type"] in {"header", "rich_text", "context"}
        assert 0 < sum(len(leaf["text"]) for leaf in leaves(block)) <= 3_000
    assert len(header["text"]["text"]) <= 150
    for block in middle:
        if block["type"] == "context":
            assert [element["type"] for element in block["elements"]] == ["plain_text"]
    for leaf in leaves(payload["blocks"]):
        assert_leaf(leaf)


def assert_leaf(leaf: dict[str, Any]) -> None:
    """A text, a plain text or a link of ours."""
    assert leaf["text"]
    for line in leaf["text"].split(OUR_NEWLINE):
        assert_visible(line)
    match leaf["type"]:
        case "plain_text":
            assert leaf["emoji"] is False
            assert leaf.keys() == {"type", "text", "emoji"}
        case "text":
            assert leaf.keys() <= {"type", "text", "style"}
        case "link":
            assert leaf.keys() <= {"type", "text", "style", "url"}
            assert_ours(leaf["url"])
        case kind:
            raise AssertionError(f"an element of type {kind}")


def assert_ours(url: str) -> None:
    """A link to one of the few places that we link to."""
    parts = urlsplit(url)
    assert parts.scheme == "https"
    assert parts.username is None
    assert parts.port is None
    host = parts.hostname or ""
    assert host in OUR_HOSTS or host in CONSOLES or host.endswith(tuple(f".{console}" for console in CONSOLES)), url
    assert host != "github.com" or parts.path.startswith("/advisories/")
    assert url.isascii()
    assert url.isprintable()
    assert not set(url) & set(' <>"|\\^`{}')


def assert_visible(text: str) -> None:
    """No control, format, surrogate, private or unassigned character."""
    hidden = [character for character in text if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}]
    # The signs that we put first carry the selector that makes them colourful.
    assert not hidden, hidden
    assert "\ufe0f" not in text.replace("⚠️", "")


def leaves(node: Any) -> Iterator[dict[str, Any]]:
    """Every object that carries text for a reader."""
    if isinstance(node, list):
        for child in node:
            yield from leaves(child)
    elif isinstance(node, dict):
        if isinstance(node.get("text"), str):
            yield node
        for child in node.values():
            yield from leaves(child)


def shown(payload: dict[str, Any]) -> str:
    """All that a reader sees, a line for each line."""
    lines = []
    for block in payload["blocks"]:
        parts = block["elements"] if block["type"] == "rich_text" else [block]
        for part in parts:
            items = part["elements"] if part["type"] == "rich_text_list" else [part]
            lines += ["".join(leaf["text"] for leaf in leaves(item)) for item in items]
    return "\n".join(lines)


def second_opinion(block: dict[str, Any]) -> slackblocks.Block:
    """The block as slackblocks' own classes, which check it on the way; they can't read rich text by themselves."""
    if block["type"] == "rich_text":
        return slackblocks.RichTextBlock(elements=[rich_object(part) for part in block["elements"]])
    return slackblocks.Block.from_dict(block)


def rich_object(part: dict[str, Any]) -> slackblocks.RichTextObject:
    """A section, a list or a quotation."""
    match part["type"]:
        case "rich_text_section":
            return rich_section(part)
        case "rich_text_preformatted":
            return slackblocks.RichTextCodeBlock([rich_element(element) for element in part["elements"]], border=None)
        case "rich_text_quote":
            return slackblocks.RichTextQuote([rich_element(element) for element in part["elements"]])
    items = [rich_section(item) for item in part["elements"]]
    return slackblocks.RichTextList("bullet", items, offset=None, border=None)


def rich_section(part: dict[str, Any]) -> slackblocks.RichTextSection:
    """A line of texts and links."""
    return slackblocks.RichTextSection([rich_element(element) for element in part["elements"]])


def rich_element(element: dict[str, Any]) -> rich.RichTextElement:
    """A text or a link."""
    style = element.get("style", {})
    if element["type"] == "link":
        return slackblocks.RichTextLink(url=element["url"], text=element["text"], **style)
    return slackblocks.RichText(element["text"], **style)


def without_ids(block: slackblocks.Block) -> dict[str, Any]:
    """As JSON, but for what slackblocks adds by itself and leaves out by itself."""
    found: dict[str, Any] = json.loads(json.dumps(block._resolve()))
    found.pop("block_id")
    for leaf in leaves(found):
        if leaf["type"] == "plain_text":
            leaf["emoji"] = False
    return found
