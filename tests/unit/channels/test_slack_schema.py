"""The schema that messages are held against is Slack's own, as its types stand in package-lock.json."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NODE = ROOT / ".venv" / "bin" / "node"
SCHEMA = ROOT / "schema" / "slack" / "message.schema.json"


@pytest.mark.skipif(not NODE.exists(), reason="no Node: `make setup` brings it")
def test_the_schema_is_what_slacks_types_make() -> None:
    made = subprocess.run(  # noqa: S603 - our own words
        [NODE, ROOT / "schema" / "slack" / "generate.mjs", "--print"], check=True, capture_output=True, text=True
    )

    assert made.stdout == SCHEMA.read_text(encoding="utf-8")


def test_the_limits_that_stand_in_comments_are_in_the_schema() -> None:
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]

    assert definitions["Message"]["properties"]["blocks"]["maxItems"] == 50
    assert definitions["HeaderBlock"]["properties"]["text"]["allOf"][1]["properties"]["text"]["maxLength"] == 150
    assert definitions["SectionBlock"]["properties"]["text"]["allOf"][1]["properties"]["text"]["maxLength"] == 3000
    assert definitions["SectionBlock"]["properties"]["fields"]["maxItems"] == 10
    assert definitions["ContextBlock"]["properties"]["elements"]["maxItems"] == 10
    assert definitions["Button"]["properties"]["url"]["maxLength"] == 3000
