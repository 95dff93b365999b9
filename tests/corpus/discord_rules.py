"""What must hold of every Discord message that we make, whatever the notice says; and what Discord reads in it.

`read` follows the rules of the open parsers of Discord's Markdown, which are built on the library that Discord itself
uses (https://github.com/ItzDerock/discord-markdown-parser, https://github.com/Khan/perseus, simple-markdown), and is
stricter: it knows every form of https://docs.discord.com/developers/reference#message-formatting.
"""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from tests.corpus.message_rules import assert_ours, assert_visible

SCHEMA = Path(__file__).parents[2] / "schema" / "discord" / "message.schema.json"


@dataclass(frozen=True, slots=True)
class Seen:
    """A run of text as a reader gets it: its kind, what is shown, and where it leads."""

    kind: str
    text: str
    url: str = ""


_LINK = (
    r"\[((?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))*)\]\(\s*<?((?:\([^)]*\)|[^\s\\]|\\.)*?)>?(?:\s+['\"][\s\S]*?['\"])?\s*\)"
)
RULES = {
    "block": r"```(?:[a-z0-9_+\-.#]+?\n+)?\n*([\s\S]+?)\n*```",
    "escape": r"\\([^0-9A-Za-z\s])",
    "autolink": r"<([^: >]+:/[^ >]+|[^\s<>]+@[^\s<>]+|\+?[\d-]+)>",
    "mention": r"(<(?:@!?|@&|#)\d*>|@everyone|@here)",
    "command": r"(</[^>]*>)",
    "time": r"(<t:[^>]*>)",
    "navigation": r"(<id:[^>]*>)",
    "emoji": r"(<a?:\w*:\d*>|:[^\s:]+:)",
    "url": r"((?:https?|steam|discord)://[^\s<]+[^<.,:;\"')\]\s])",
    "link": _LINK,
    "strong": r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)",
    "underline": r"__((?:\\[\s\S]|[^\\])+?)__(?!_)",
    "italic": r"\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)",
    "italic too": r"_((?:__|\\[\s\S]|[^\\_])+?)_",
    "struck": r"~~([\s\S]+?)~~",
    "spoiler": r"\|\|([\s\S]+?)\|\|",
    "code": r"(`+)([\s\S]*?[^`])\1(?!`)",
}
AT_A_LINES_START = {
    "heading": r" *#{1,3} ?(?=\S)",
    "subtext": r" *-# ?(?=\S)",
    "quote": r" *>{1,3} ?",
    "item": r" *(?:[*+-]|\d+\.) +(?=\S)",
}
_RULES = {kind: re.compile(rule, re.IGNORECASE) for kind, rule in RULES.items()}
_STARTS = {kind: re.compile(rule) for kind, rule in AT_A_LINES_START.items()}
_PLAIN = re.compile(r"[^\\`<@:\[*_~|\nhsd]+", re.IGNORECASE)
"""What no rule begins with."""
_NESTED = {"strong", "underline", "italic", "italic too", "struck", "spoiler"}


def read(text: str, *, starts: bool = True) -> Iterator[Seen]:
    """The text as Discord shows it: runs of plain text, and everything that markup makes."""
    for kind, run in groupby(_parts(text, starts=starts), key=lambda seen: seen.kind):
        seen = list(run)
        yield from [Seen("text", "".join(each.text for each in seen))] if kind == "text" else seen


def _parts(text: str, *, starts: bool) -> Iterator[Seen]:
    at, fresh = 0, starts
    while at < len(text):
        start = next(((kind, match) for kind, rule in _STARTS.items() if (match := rule.match(text, at))), None)
        if fresh and start and start[1][0]:
            yield Seen(start[0], start[1][0])
            at = start[1].end()
            continue  # what follows a bullet is a line's start, too
        fresh = False
        if plain := _PLAIN.match(text, at):
            yield Seen("text", plain[0])
            at = plain.end()
            continue
        kind, match = next(
            ((kind, match) for kind, rule in _RULES.items() if (match := rule.match(text, at))), ("text", None)
        )
        if match is None:
            yield Seen("text", text[at])
            fresh = text[at] == "\n"
            at += 1
            continue
        yield from _seen(kind, match)
        at, fresh = match.end(), kind == "block"


def _seen(kind: str, match: re.Match[str]) -> Iterator[Seen]:
    if kind in _NESTED:
        yield from (Seen(kind, inner.text) if inner.kind == "text" else inner for inner in read(match[1], starts=False))
    elif kind == "escape":
        yield Seen("text", match[1])
    elif kind == "code":
        yield Seen(kind, match[2])
    elif kind == "link":
        yield Seen(kind, match[1], match[2])
    else:
        yield Seen(kind, match[1])


def assert_holds(payload: dict[str, Any]) -> None:
    """All of the rules, and the schema made of the types that Discord's own documentation is kept with."""
    assert_inert(payload)
    assert not list(_validator().iter_errors(payload))
    (embed,) = payload["embeds"]
    said = [*texts(payload), *([embed["footer"]["text"]] if "footer" in embed else [])]
    assert all(text.strip() for text in said)
    assert sum(map(utf16, said)) <= 6_000
    assert utf16(embed["title"]) <= 256
    assert utf16(embed.get("description", "")) <= 4_096
    assert utf16(embed.get("footer", {}).get("text", "")) <= 2_048
    for field in embed.get("fields", []):
        assert utf16(field["name"]) <= 256
        assert utf16(field["value"]) <= 1_024
    assert payload["username"] == "ECR Warden"


def assert_inert(payload: dict[str, Any]) -> None:
    """No mention, no markup but ours, no foreign link, nothing that can't be seen."""
    json.dumps(payload, ensure_ascii=False).encode("utf-8")
    assert payload["allowed_mentions"] == {"parse": []}
    assert payload.keys() == {"username", "embeds", "allowed_mentions"}
    (embed,) = payload["embeds"]
    assert embed.keys() <= {"title", "color", "description", "fields", "footer"}
    assert_only(embed["title"], set())
    assert_only(embed.get("description", ""), {"strong", "italic", "code", "link", "item", "block"})
    assert not re.search(r"^ *- (?:[-*+>#]|\d+\.) ", embed.get("description", ""), re.MULTILINE)
    for field in embed.get("fields", []):
        assert_only(field["name"], set())
        assert_only(field["value"], {"strong", "italic", "code", "link"})
    if "footer" in embed:
        assert_visible(embed["footer"]["text"])


def assert_only(text: str, kinds: set[str]) -> None:
    """Plain text, and markup of these kinds; of a link also that it is ours and shows no escape."""
    for seen in read(text):
        assert seen.kind == "text" or seen.kind in kinds, seen
        for line in seen.text.split("\n"):
            assert_visible(line)
        if seen.kind == "link":
            assert_ours(seen.url)
            assert not set(seen.text) & set("\\`*_~|<>[]()#@:"), seen
            assert seen.text.strip()


def texts(payload: dict[str, Any]) -> list[str]:
    """Every text of the embed that is read as Markdown."""
    (embed,) = payload["embeds"]
    fields = [text for field in embed.get("fields", []) for text in (field["name"], field["value"])]
    return [embed["title"], *([embed["description"]] if "description" in embed else []), *fields]


def shown(payload: dict[str, Any]) -> str:
    """All that a reader sees, without markup, a line for each line; a field is its name and its value."""
    (embed,) = payload["embeds"]
    fields = [f"{plainly(field['name'])}  {plainly(field['value'])}" for field in embed.get("fields", [])]
    footer = [embed["footer"]["text"]] if "footer" in embed else []
    lines = [plainly(embed["title"]), plainly(embed.get("description", "")), *fields, *footer]
    return "\n".join(line for line in "\n".join(lines).split("\n") if line)


def plainly(text: str) -> str:
    """The text as it is shown, without markup."""
    return "".join("• " if seen.kind == "item" else seen.text for seen in read(text))


def links(payload: dict[str, Any]) -> list[str]:
    """Where the message's links lead, in their order."""
    return [seen.url for text in texts(payload) for seen in read(text) if seen.kind == "link"]


def utf16(text: str) -> int:
    """Characters as JavaScript counts them."""
    return len(text.encode("utf-16-le")) // 2


@functools.cache
def _validator() -> Draft7Validator:
    return Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
