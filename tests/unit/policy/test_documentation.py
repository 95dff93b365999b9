"""The documents say what the language is: every field is explained, and every example is a policy."""

import re
from pathlib import Path

import pytest

import policy
from policy.layers import BASELINE

PROJECT = Path(__file__).parents[3]
REFERENCE = (PROJECT / "docs" / "policy.md").read_text("utf-8")
BESIDE = ("channels", "overrides.channels", "exemptions", "creation_templates")
HEAD = "version: 1\ndefaults: {channels: [team-a]}\nchannels: {team-a: {type: slack, secret: warden/a}}\n"
README = (PROJECT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("field", [*BASELINE, *BESIDE])
def test_every_field_is_explained(field: str) -> None:
    assert f"`{field}`" in REFERENCE


def test_the_example_of_the_readme_is_a_policy(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "warden.yaml"
    path.write_text(example)

    assert policy.load(path).notes == ()


def test_the_examples_of_the_reference_are_rules(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(rules:.*?)```", REFERENCE, re.DOTALL)
    assert examples
    for example in examples:
        path = tmp_path / "warden.yaml"
        path.write_text(
            "version: 1\ndefaults: {channels: [team-a]}\nchannels: {team-a: {type: slack, secret: warden/a}}\n"
            + example
        )
        policy.load(path)
