"""What must hold of every body of a webhook that we make, whatever the notice says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

from tests.corpus.message_rules import assert_ours, assert_visible

SCHEMA = Path(__file__).parents[2] / "schema" / "webhook" / "notice.schema.json"


def closed(schema: Any) -> Any:
    """The schema for what we send: a receiver must bear new keys, but we add none that isn't described."""
    if isinstance(schema, dict):
        shut = {"additionalProperties": False} if "properties" in schema and "type" in schema else {}
        return {key: closed(part) for key, part in schema.items()} | shut
    return [closed(part) for part in schema] if isinstance(schema, list) else schema


_VALID = jsonschema.Draft202012Validator(
    closed(json.loads(SCHEMA.read_text(encoding="utf-8"))),
    format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
)


def assert_holds(payload: dict[str, Any]) -> None:
    """It is what our contract says, small enough in every way to write it, and every text can be seen and sent."""
    _VALID.validate(payload)
    for body in (json.dumps(payload), json.dumps(payload, ensure_ascii=False), json.dumps(payload, indent=0)):
        assert len(body.encode("utf-8")) <= 20_000 + body.count("\n")
    for text in texts(payload):
        assert_visible(text)
    for link in payload["data"]["links"]:
        if "url" in link:
            assert_ours(link["url"])
    for table in payload["data"]["tables"]:
        assert all(len(row) == len(table["columns"]) for row in table["rows"])


def texts(node: Any) -> Iterator[str]:
    """Every string in it."""
    match node:
        case str():
            yield node
        case list():
            for child in node:
                yield from texts(child)
        case dict():
            for child in node.values():
                yield from texts(child)
