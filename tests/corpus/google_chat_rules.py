"""What must hold of every Google Chat message that we make, whatever the notice says."""

import functools
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from tests.corpus.message_rules import assert_ours, assert_visible

SCHEMA = Path(__file__).parents[2] / "schema" / "google_chat" / "message.schema.json"
TAGS = {"b", "i", "a", "br"}
URL_LIKE = re.compile(r"\w+://|www\.|<[^>]*[|/]", re.IGNORECASE)
"""What may become a link or a mention wherever text is not read as HTML."""


class Reader(HTMLParser):
    """A paragraph as a reader gets it: its texts, and where its links lead. Anything but our few tags is an error."""

    def __init__(self, html: str) -> None:
        """Reads all of it, entities included; what is left open at the end is an error, too."""
        super().__init__(convert_charrefs=True)
        self.text, self.urls, self.open = "", list[str](), list[str]()
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag of ours, with the attribute that it may have."""
        assert tag in TAGS, tag
        assert [name for name, _ in attrs] == (["href"] if tag == "a" else [])
        assert tag not in self.open
        self.urls += [str(value) for _, value in attrs]
        self.text += "\n" if tag == "br" else ""
        self.open += [] if tag == "br" else [tag]

    def handle_endtag(self, tag: str) -> None:
        """The end of what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text that is shown."""
        self.text += data

    def handle_comment(self, data: str) -> None:
        """Never."""
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        """Never."""
        raise AssertionError(decl)

    handle_pi = unknown_decl = handle_comment


def assert_holds(payload: dict[str, Any]) -> None:
    """All of the rules, and the schema made of Google's own description of its API."""
    assert_inert(payload)
    assert not list(_validator().iter_errors(payload))
    assert len(json.dumps(payload)) <= 24_000
    assert len(payload["fallbackText"]) <= 200
    assert sum(1 for _ in paragraphs(payload)) <= 100
    for text in paragraphs(payload):
        assert Reader(text).text.strip()


def assert_inert(payload: dict[str, Any]) -> None:
    """No mention, no markup but ours, no foreign link, nothing that can't be seen."""
    json.dumps(payload, ensure_ascii=False).encode("utf-8")
    assert payload.keys() <= {"fallbackText", "cardsV2", "thread"}
    (card,) = payload["cardsV2"]
    assert card.keys() == {"cardId", "card"}
    assert card["cardId"] == "notice"
    assert card["card"].keys() <= {"header", "sections"}
    assert card["card"]["header"] == {"title": payload["fallbackText"]}
    assert_visible(payload["fallbackText"])
    assert not set("<>&") & set(payload["fallbackText"])
    assert not URL_LIKE.search(payload["fallbackText"])
    if "thread" in payload:
        assert payload["thread"].keys() == {"threadKey"}
        assert re.fullmatch("[0-9a-f]{32}", payload["thread"]["threadKey"])
    for html in paragraphs(payload):
        reader = Reader(html)
        assert not re.search("&(?!(?:amp|lt|gt|quot|#39);)", html)
        for line in reader.text.split("\n"):
            assert_visible(line)
        assert not re.search(r"\w+://|www\.", reader.text, re.IGNORECASE)
        for url in reader.urls:
            assert_ours(url)


def paragraphs(payload: dict[str, Any]) -> Iterator[str]:
    """The HTML of every paragraph, which says that it is HTML; there is no other widget."""
    for section in payload["cardsV2"][0]["card"].get("sections", []):
        assert section.keys() == {"widgets"}
        for widget in section["widgets"]:
            assert widget.keys() == {"textParagraph"}
            assert widget["textParagraph"].keys() == {"text", "textSyntax"}
            assert widget["textParagraph"]["textSyntax"] == "HTML"
            yield widget["textParagraph"]["text"]


def shown(payload: dict[str, Any]) -> str:
    """All that a reader sees, a line for each line."""
    title = payload["cardsV2"][0]["card"]["header"]["title"]
    return "\n".join([title, *(Reader(html).text for html in paragraphs(payload))])


def links(payload: dict[str, Any]) -> list[str]:
    """Where the message's links lead, in their order."""
    return [url for html in paragraphs(payload) for url in Reader(html).urls]


@functools.cache
def _validator() -> Draft7Validator:
    return Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
