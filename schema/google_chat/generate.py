"""The JSON Schema of a message, out of the discovery document of Google's Chat API.

    python schema/google_chat/generate.py .../googleapiclient/discovery_cache/documents/chat.v1.json

The document is part of PyPI's google-api-python-client (message.schema.json is of 2.202.0, whose document has the
revision 20261107) and is what https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages is
made of. Taken is the Message with all that it refers to, but for what is deprecated or only in answers; anything that
it doesn't name is wrong. The limits that stand in its prose are added by name.
"""

import json
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]
SCHEMA = Path(__file__).with_name("message.schema.json")
_KEPT = ("type", "enum", "items", "$ref", "additionalProperties")


def message_schema(document: Json) -> Json:
    """The schema of a Message, and of every type that one can hold."""
    known = document["schemas"]
    definitions: Json = {}
    waiting = ["Message"]
    while waiting:
        name = waiting.pop()
        if name not in definitions:
            definitions[name] = _object(known[name])
            waiting += _named(definitions[name])
    _limit(definitions)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": f"chat v1, revision {document['revision']}; made by generate.py",
        "$ref": "#/definitions/Message",
        "definitions": dict(sorted(definitions.items())),
    }


def _object(schema: Json) -> Json:
    properties = {
        name: _property(value)
        for name, value in schema.get("properties", {}).items()
        if not value.get("readOnly") and not value.get("deprecated")
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _property(value: Json) -> Json:
    kept = {key: value[key] for key in _KEPT if key in value}
    if "$ref" in kept:
        return {"$ref": f"#/definitions/{kept['$ref']}"}
    for inner in ("items", "additionalProperties"):
        if inner in kept:
            kept[inner] = _property(kept[inner])
    if kept.get("type") == "any":
        del kept["type"]
    return kept


def _named(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for child in schema for name in _named(child)]
    if not isinstance(schema, dict):
        return []
    reference = schema.get("$ref")
    return [
        *([reference.rpartition("/")[2]] if isinstance(reference, str) else []),
        *(name for child in schema.values() for name in _named(child)),
    ]


def _limit(definitions: Json) -> None:
    """What the document says in words alone."""
    # Thread.threadKey: "Supports up to 4000 characters."
    definitions["Thread"]["properties"]["threadKey"]["maxLength"] = 4_000
    # GoogleAppsCardV1Card: "You can add up to 100 widgets per card", of which a section has one at least.
    definitions["GoogleAppsCardV1Card"]["properties"]["sections"]["maxItems"] = 100
    definitions["GoogleAppsCardV1Section"]["properties"]["widgets"] |= {"minItems": 1, "maxItems": 100}
    # GoogleAppsCardV1Columns.columnItems: "You can include up to 2 columns in a card or dialog."
    definitions["GoogleAppsCardV1Columns"]["properties"]["columnItems"]["maxItems"] = 2
    # GoogleAppsCardV1CardHeader.title: "Required."
    definitions["GoogleAppsCardV1CardHeader"]["required"] = ["title"]
    definitions["GoogleAppsCardV1CardHeader"]["properties"]["title"]["minLength"] = 1
    # GoogleAppsCardV1DecoratedText.text: "Required." An empty paragraph says nothing, either.
    definitions["GoogleAppsCardV1TextParagraph"]["required"] = ["text"]
    definitions["GoogleAppsCardV1TextParagraph"]["properties"]["text"]["minLength"] = 1


if __name__ == "__main__":
    made = message_schema(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    SCHEMA.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
