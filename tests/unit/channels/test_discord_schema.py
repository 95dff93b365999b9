"""The schema that messages are held against is made of the types that follow Discord's reference."""

import json
import subprocess
from pathlib import Path

import pytest

from warden.channels.discord import DESCRIPTION_LIMIT, TITLE_LIMIT

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "schema" / "discord" / "message.schema.json"
NODE = ROOT / ".venv" / "bin" / "node"
TYPES = ROOT / "node_modules" / "discord-api-types"


def test_the_limits_that_stand_in_comments_are_in_the_schema() -> None:
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]

    parts = definitions["APIEmbed"]["properties"]
    assert definitions["Message"]["properties"]["content"]["maxLength"] == 2_000
    assert definitions["Message"]["properties"]["embeds"]["maxItems"] == 10
    assert parts["title"]["maxLength"] == TITLE_LIMIT
    assert parts["description"]["maxLength"] == DESCRIPTION_LIMIT
    assert parts["fields"]["maxItems"] == 25
    assert definitions["APIEmbedField"]["properties"]["name"]["maxLength"] == 256
    assert definitions["APIEmbedField"]["properties"]["value"]["maxLength"] == 1_024
    assert definitions["APIEmbedFooter"]["properties"]["text"]["maxLength"] == 2_048


@pytest.mark.skipif(not (NODE.exists() and TYPES.exists()), reason="no Node or no types: `make setup` brings them")
def test_the_schema_is_what_the_types_make() -> None:
    made = subprocess.run(  # noqa: S603 - our own words
        [NODE, ROOT / "schema" / "discord" / "generate.mjs", "--print"], check=True, capture_output=True, text=True
    )

    assert made.stdout == SCHEMA.read_text(encoding="utf-8")
