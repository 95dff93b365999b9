"""The JSON Schema that editors use says what the compiler accepts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from policy import schema

PROJECT = Path(__file__).parents[3]
VALIDATOR = jsonschema.Draft202012Validator(schema.json_schema())
WRONG_LIFECYCLES: list[Any] = [
    {"rules": [{"keep": 3, "of": "v*", "per": "patch"}]},
    {"rules": [{"keep": 3, "of": "v*", "label": "a=b"}]},
    {"rules": [{"expire": "v*", "after": "3d", "label": "ephemeral"}]},
    {"wait": "7h"},
    {"protect": {"grace": 7}},
    {"protect": {"pulled": "7d"}},
]
WRONG_INVENTORIES: list[Any] = [
    {"sources": ["fargate"]},
    {"regions": ["Ireland"]},
    {"roles": ["ecr-warden-inventory"]},
    {"functions": ["arn:aws:lambda:eu-west-1:111122223333:function:nomad"]},
    {"clusters": []},
    ["ecs"],
]


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "object" and "properties" in node:
            yield node
        for child in node.values():
            yield from _objects(child)


def test_the_committed_schema_is_current() -> None:
    assert (PROJECT / "schema" / "warden.schema.json").read_text("utf-8") == schema.as_text()


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.json_schema())


def test_the_default_policy_validates_and_names_the_schema_for_editors() -> None:
    text = (PROJECT / "warden.yaml").read_text("utf-8")

    VALIDATOR.validate(yaml.safe_load(text))
    assert text.startswith("# yaml-language-server: $schema=schema/warden.schema.json\n")


def test_every_key_is_explained_and_no_other_is_taken() -> None:
    objects = list(_objects(schema.json_schema()))

    assert len(objects) >= 9
    for found in objects:
        assert found["additionalProperties"] is False
        assert all(key.get("description") for key in found["properties"].values())


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"mode": "enforced"},
        {"mode": None},
        {"modes": "report"},
        {"defaults": {}},
        {"defaults": {"channels": ["platform"], "tags": {"exclude": ["a b"]}}},
        {"defaults": {"channels": ["platform"], "scanning": {"on_push": "yes"}}},
        {"defaults": {"channels": ["platform"], "lifecycle": {"rules": [{"keep": 0, "of": "v*"}]}}},
        {"defaults": {"channels": ["platform"], "lifecycle": {"rules": [{"expire": "any", "after": "7h"}]}}},
        {"defaults": {"channels": ["platform"], "lifecycle": {"rules": [{"expire": "any", "keep": 3}]}}},
        *({"defaults": {"channels": ["platform"], "lifecycle": lifecycle}} for lifecycle in WRONG_LIFECYCLES),
        *({"inventory": inventory} for inventory in WRONG_INVENTORIES),
        {"channels": {"platform": {"type": "team", "secret": "warden/t"}}},
        {"channels": {"platform": {"type": "slack", "secret": "https://hooks.slack.com/services/x"}}},
        {"channels": {"platform": {"type": "sns", "secret": "warden/t"}}},
        {"channels": {"platform": {"type": "teams"}}},
        {"channels": {"Platform": {"type": "slack", "secret": "warden/t"}}},
    ],
    ids=str,
)
def test_an_editor_marks_what_the_compiler_refuses(change: dict[str, Any]) -> None:
    policy = yaml.safe_load((PROJECT / "warden.yaml").read_text("utf-8"))

    assert not VALIDATOR.is_valid({**policy, **change})
