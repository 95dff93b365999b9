"""The documents say what the language is: every field is explained, and every example is a policy."""

import re
from pathlib import Path

import pytest

import policy
from policy.layers import BASELINE
from policy.lifecycle import Caps, Expire, Idle, Keep, Lifecycle, Protect
from policy.model import Inventory

PROJECT = Path(__file__).parents[3]
REFERENCE = (PROJECT / "docs" / "policy.md").read_text("utf-8")
BESIDE = (
    *("channels", "overrides.channels", "exemptions", "creation_templates"),
    *(f"inventory.{key}" for key in Inventory.model_fields),
)
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


def test_the_example_of_how_images_leave_is_a_policy_and_leaves_no_key_out(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(defaults:.*?)```", REFERENCE, re.DOTALL)
    path = tmp_path / "warden.yaml"
    path.write_text(f"version: 1\n{example}channels: {{platform: {{type: slack, secret: warden/a}}}}\n")

    assert policy.load(path).notes == ()
    for part in (Lifecycle, Protect, Expire, Idle, Keep, Inventory):
        assert [key for key in part.model_fields if not re.search(rf"\b{key}:", example)] in ([], ["wait"])
    assert all(f"lifecycle.caps.{key}" in REFERENCE for key in Caps.model_fields)
