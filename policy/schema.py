"""The policy's JSON Schema, for editors: what completes keys, explains them, and marks a wrong word as it is typed.

It is made from the model, so it can't drift from what `warden validate` accepts; what a schema can't say (a channel
that doesn't exist, settings at odds) only the command says.
"""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from policy.model import Document


class _Schema(GenerateJsonSchema):
    """Without defaults and titles: what is not written is not null, and titles only repeat the key."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """A mapping whose keys have a form takes no other keys."""
        found = super().dict_schema(schema)
        return {**found, "additionalProperties": False} if "patternProperties" in found else found

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


def json_schema() -> dict[str, Any]:
    """The schema, as JSON Schema 2020-12."""
    schema = Document.model_json_schema(schema_generator=_Schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **{key: schema[key] for key in sorted(schema)},
        "title": "ECR Warden policy",
    }


def as_text() -> str:
    """The schema as it stands in `schema/warden.schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
