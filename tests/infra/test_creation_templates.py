"""New repositories are born to the defaults, where a template can say them and the policy enforces them."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.creation_templates import CreationTemplates
from tests.unit.policy.policies import a_file, compiled

ENFORCED = """\
  tags: {exclude: [latest]}
  lifecycle: {mode: enforce, rules: [{expire: untagged, after: 7d}]}
"""


def templates(defaults: str = ENFORCED, top: str = "mode: enforce\n", prefixes: str = "[ROOT, team-a/]") -> list[Any]:
    stack = cdk.Stack()
    text = a_file(defaults, top=f"{top}creation_templates: {prefixes}\n")
    CreationTemplates(stack, "CreationTemplates", compiled=compiled(text))
    found = Template.from_stack(stack).find_resources("AWS::ECR::RepositoryCreationTemplate")
    return sorted((one["Properties"] for one in found.values()), key=lambda one: str(one["Prefix"]))


def test_each_prefix_has_a_template_with_what_the_defaults_enforce() -> None:
    root, team = templates()
    assert (root["Prefix"], team["Prefix"]) == ("ROOT", "team-a/")
    assert root["AppliedFor"] == ["CREATE_ON_PUSH", "PULL_THROUGH_CACHE", "REPLICATION"]
    assert root["ImageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert [one["ImageTagMutabilityExclusionFilterValue"] for one in root["ImageTagMutabilityExclusionFilters"]] == [
        "latest",
        "sha256-*",
    ]
    assert "LifecyclePolicy" not in root, "the prune function alone puts those"
    assert {key for key in root if key not in {"Prefix"}} == {key for key in team if key not in {"Prefix"}}


@pytest.mark.parametrize(
    ("defaults", "top", "prefixes"),
    [
        (ENFORCED, "mode: enforce\n", "[]"),
        ("  tags: {exclude: [latest]}\n", "mode: report\n", "[ROOT]"),
        ("  tags: {immutability: MUTABLE}\n", "mode: enforce\n", "[ROOT]"),
        ("  tags: {mode: off}\n", "mode: enforce\n", "[ROOT]"),
        ("  lifecycle: {mode: enforce, rules: [{expire: untagged, after: 7d}]}\n", "mode: report\n", "[ROOT]"),
    ],
)
def test_there_is_none_where_nothing_is_enforced(defaults: str, top: str, prefixes: str) -> None:
    assert templates(defaults, top, prefixes) == []
