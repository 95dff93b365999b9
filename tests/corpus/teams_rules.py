"""What must hold of every Teams message that we make, whatever the notice says."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft6Validator

from tests.corpus.message_rules import assert_ours, assert_visible

SCHEMA = Path(__file__).parents[2] / "schema" / "teams" / "schema-1.5.json"
BUDGET = 20_000
ELEMENTS = {
    "Container": {"type", "style", "bleed", "spacing", "items"},
    "ColumnSet": {"type", "spacing", "columns"},
    "Column": {"type", "width", "items"},
    "RichTextBlock": {"type", "spacing", "inlines"},
    "ActionSet": {"type", "actions"},
    "TextRun": {"type", "text", "size", "weight", "fontType", "italic", "isSubtle", "selectAction"},
    "Action.OpenUrl": {"type", "url", "title"},
}
"""All that a card is made of: nothing that reads Markdown, and no picture."""
WORDS = {"text", "title", "url", "fallbackText"}
IN_MARKDOWN = re.compile(r"(?:\\[!-/:-@\[-`{-~]|[^!-/:-@\[-`{-~])*")
"""Text in which every sign that Markdown knows is escaped."""


def card(payload: dict[str, Any]) -> dict[str, Any]:
    """The card of a message."""
    content: dict[str, Any] = payload["attachments"][0]["content"]
    return content


def assert_holds(payload: dict[str, Any]) -> None:
    """All of the rules, Microsoft's schema among them."""
    assert_inert(payload)
    assert not errors(json.dumps(shape(without_teams(card(payload)))))


def assert_inert(payload: dict[str, Any]) -> None:
    """No markup, mention or foreign link; nothing that can't be seen; no more than the budget."""
    assert len(json.dumps(payload)) <= BUDGET
    json.dumps(payload, ensure_ascii=False).encode("utf-8")
    assert payload.keys() == {"type", "summary", "attachments"}
    assert payload["type"] == "message"
    assert 0 < len(payload["summary"]) <= 300
    assert_visible(payload["summary"])
    (attachment,) = payload["attachments"]
    assert attachment.keys() == {"contentType", "contentUrl", "content"}
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["contentUrl"] is None
    content = attachment["content"]
    assert content.keys() == {"$schema", "type", "version", "fallbackText", "msteams", "body"}
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.5")
    assert content["msteams"] == {"width": "Full"}, "an entity would be a mention"
    assert content["fallbackText"]
    assert IN_MARKDOWN.fullmatch(content["fallbackText"])
    assert_visible(content["fallbackText"])
    for element in objects(content["body"]):
        assert_element(element)


def assert_element(element: dict[str, Any]) -> None:
    """One of the few that we use, with no more than what we say in it."""
    assert element.keys() <= ELEMENTS[element["type"]], element
    match element["type"]:
        case "TextRun":
            assert_text(element["text"])
        case "Action.OpenUrl":
            assert_ours(element["url"])
            assert_text(element.get("title", "x"))
        case "ActionSet":
            assert 0 < len(element["actions"]) <= 6
            assert all(action["title"] for action in element["actions"])
        case _:
            assert any(element.get(children) for children in ("items", "columns", "inlines"))


def assert_text(text: str) -> None:
    """What is shown as it is: also the dates that a client would write in its reader's words."""
    assert text
    assert_visible(text)
    assert "{{DATE(" not in text
    assert "{{TIME(" not in text


def without_teams(content: dict[str, Any]) -> dict[str, Any]:
    """The card as other hosts than Teams know it: Microsoft's schema refuses what only Teams reads."""
    return {key: value for key, value in content.items() if key != "msteams"}


def shape(node: Any) -> Any:
    """The card without its words, and without what it says twice: to the schema, one text is as good as another."""
    if isinstance(node, dict):
        return {key: "x" if key in WORDS else shape(value) for key, value in node.items()}
    if isinstance(node, list):
        return [json.loads(child) for child in dict.fromkeys(json.dumps(shape(child)) for child in node)]
    return node


@cache
def errors(content: str) -> tuple[str, ...]:
    """What Microsoft's own schema has against a card; asked once for each shape, since that takes long."""
    return tuple(error.message[:200] for error in schema().iter_errors(json.loads(content)))


@cache
def schema() -> Draft6Validator:
    """Microsoft's own."""
    return Draft6Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a part of a card, from top to bottom."""
    if isinstance(node, list):
        for child in node:
            yield from objects(child)
    elif isinstance(node, dict):
        yield node
        for child in node.values():
            yield from objects(child)


def texts(node: Any) -> list[str]:
    """All that a reader sees in a part of a card."""
    return [element["title"] if "title" in element else element["text"] for element in objects(node) if says(element)]


def says(element: dict[str, Any]) -> bool:
    """Whether it is what a reader reads."""
    return "text" in element or "title" in element


def shown(payload: dict[str, Any]) -> str:
    """All that a reader sees, a line for each line: the cells of a row are parted by a bar, as buttons are."""
    return "\n".join(line for part in card(payload)["body"] for line in lines(part))


def lines(element: dict[str, Any]) -> list[str]:
    """The lines of an element."""
    match element["type"]:
        case "Container":
            return [line for item in element["items"] for line in lines(item)]
        case "ColumnSet":
            return [" | ".join(line for column in element["columns"] for line in texts(column))]
        case "ActionSet":
            return [" | ".join(texts(element))]
    return ["".join(texts(element))]


def links(payload: dict[str, Any]) -> list[str]:
    """Where a reader can go to."""
    return [element["url"] for element in objects(card(payload)["body"]) if element["type"] == "Action.OpenUrl"]
