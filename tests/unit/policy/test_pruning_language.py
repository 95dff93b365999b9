"""What a policy says about old images, and about who knows what is in use: what is said, and what makes no sense."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policy
from policy import PolicyError
from policy.compiled import compile_text
from policy.layers import layers_of
from policy.lifecycle_limits import MOST_LIFECYCLE_RULES
from policy.model import Document
from policy.source import read
from tests.unit.policy.policies import UNHURRIED, a_file, compiled, loaded, standard
from warden.errors import Refused
from warden.lifecycle.rendering import render
from warden.policy import (
    InventorySources,
    LifecycleAction,
    LifecycleRule,
    LifecycleStandard,
    Mode,
    Per,
    Protection,
    Source,
)
from warden.wildcard import matches

EVERYWHERE = """\
inventory:
  sources: [ecs, batch]
  regions: [eu-west-1, us-gov-west-1]
  roles: ["arn:aws:iam::444455556666:role/ecr-warden-inventory"]
  functions: [nomad-images]
"""


def complaint(text: str) -> str:
    """What is wrong with a policy; empty where nothing is."""
    try:
        compiled(text)
    except PolicyError as error:
        return str(error)
    return ""


def many_rules(count: int) -> str:
    return ", ".join(f"{{expire: t{number}, after: 9d}}" for number in range(count))


def many_patterns(count: int) -> str:
    return ", ".join(f"p{number}" for number in range(count))


def test_rules_say_versions_and_labels_to_the_functions() -> None:
    rules = '[{keep: 3, of: "v*", per: minor}, {expire: "pr-*", after: 3d, label: "org.acme.ephemeral=t*"}]'

    assert standard(a_file(f"  lifecycle: {{rules: {rules}}}\n")).lifecycle.rules == (
        LifecycleRule("v*", keep=3, per=Per.MINOR),
        LifecycleRule("pr-*", after_days=3, label="org.acme.ephemeral=t*"),
    )


def test_protection_waiting_and_the_archives_end_reach_the_functions() -> None:
    text = a_file(
        "  lifecycle:\n    action: delete\n    wait: 7d\n    delete_archived_after: 180d\n"
        "    protect: {in_use: true, tags: [live], grace: 2w, pulled_within: 30d}\n"
    )

    asked = standard(text).lifecycle
    assert asked.protection == Protection(in_use=True, tags=("live",), grace_days=14, pulled_within_days=30)
    assert (asked.wait_days, asked.delete_archived_days) == (7, 180)


def test_without_a_word_ecs_lambda_and_eks_are_asked() -> None:
    assert loaded(a_file()).inventory == InventorySources((Source.ECS, Source.LAMBDA, Source.EKS), (), (), ())


def test_who_is_asked_reaches_the_functions() -> None:
    assert loaded(a_file(top=EVERYWHERE)).inventory == InventorySources(
        sources=(Source.ECS, Source.BATCH),
        regions=("eu-west-1", "us-gov-west-1"),
        roles=("arn:aws:iam::444455556666:role/ecr-warden-inventory",),
        functions=("nomad-images",),
    )


def test_what_an_inventory_leaves_out_is_as_built_in() -> None:
    inventory = loaded(a_file(top="inventory: {regions: [eu-west-1]}\n")).inventory

    assert inventory == InventorySources(regions=("eu-west-1",))


def test_an_empty_inventory_asks_whom_none_asks() -> None:
    assert compiled(a_file(top="inventory: {}\n")) == compiled(a_file(top="# nothing\n"))


@pytest.mark.parametrize("key", ["sources", "regions", "roles", "functions"])
def test_whoever_else_is_asked_changes_the_fingerprint(key: str) -> None:
    lines = [line for line in EVERYWHERE.splitlines(keepends=True) if not line.startswith(f"  {key}:")]
    prints = {
        compile_text(a_file(top=top).encode(), file="f", name="f")["fingerprint"]
        for top in ("", EVERYWHERE, "".join(lines), "\n\n# moved\n" + EVERYWHERE)
    }

    assert len(prints) == 3


@pytest.mark.parametrize(
    ("defaults", "rules"),
    [
        pytest.param(
            '  lifecycle: {rules: [{keep: 3, of: "v*"}]}\n',
            '  - {match: "release/*", lifecycle: {protect: {tags: ["v*"]}}}\n',
            id="a rule spares what the defaults take",
        ),
        pytest.param(
            "  lifecycle: {action: delete, wait: 7d}\n",
            '  - {match: "release/*", lifecycle: {action: archive}}\n',
            id="a rule archives where the defaults wait",
        ),
        pytest.param(
            "  lifecycle: {action: archive}\n",
            '  - {match: "scratch/*", lifecycle: {action: delete, wait: 7d}}\n',
            id="a rule deletes and waits",
        ),
        pytest.param(
            '  lifecycle: {rules: [{expire: any, after: 7d}], protect: {tags: ["*"]}}\n',
            "",
            id="a pattern for all tags spares no untagged image",
        ),
        pytest.param(
            '  lifecycle: {rules: [{expire: "prod*", after: 7d}], protect: {tags: ["prod-*"]}}\n',
            "",
            id="a rule that is wider than the protection",
        ),
        pytest.param(
            '  lifecycle: {protect: {tags: ["v*"]}}\n',
            "  - {match: {tag: {tier: a}}, lifecycle: {rules: [{expire: untagged, after: 7d}]}}\n"
            "  - {match: {tag: {tier: b}}, lifecycle: {action: delete}}\n"
            "  - {match: {tag: {tier: c}}, lifecycle: {action: delete, wait: 7d}}\n",
            id="what tags of repositories decide can't be told",
        ),
    ],
)
def test_what_some_repository_can_mean_is_no_error(defaults: str, rules: str) -> None:
    assert complaint(a_file(defaults, rules)) == ""


@pytest.mark.parametrize(
    ("lifecycle", "fits"),
    [
        (f"rules: [{many_rules(49)}]", True),
        (f"rules: [{many_rules(50)}]", False),
        (f"rules: [{many_rules(49)}], protect: {{in_use: false}}", True),
        (f"rules: [{many_rules(50)}], protect: {{in_use: false}}", False),
        (f"rules: [{many_rules(40)}], protect: {{tags: [{many_patterns(9)}]}}", True),
        (f"rules: [{many_rules(40)}], protect: {{tags: [{many_patterns(10)}]}}", False),
        (f"rules: [{many_rules(40)}], protect: {{tags: [{many_patterns(3)}]}}, delete_archived_after: 90d", True),
        (f"rules: [{many_rules(41)}], protect: {{tags: [{many_patterns(3)}]}}, delete_archived_after: 90d", True),
        (f"rules: [{many_rules(42)}], protect: {{tags: [{many_patterns(3)}]}}, delete_archived_after: 90d", False),
        (f"rules: [{many_rules(50)}], protect: {{tags: [{many_patterns(9)}]}}, action: delete, wait: 7d", True),
        (f"rules: [{{expire: untagged, after: 7d}}], protect: {{tags: [{many_patterns(60)}]}}", True),
        (f"rules: [], protect: {{tags: [{many_patterns(60)}]}}", True),
        (f"rules: [], protect: {{tags: [{many_patterns(60)}]}}, delete_archived_after: 90d", False),
    ],
)
def test_what_ecr_gets_is_counted_with_the_rules_that_spare_images(lifecycle: str, fits: bool) -> None:
    said = complaint(a_file(f"  lifecycle: {{{lifecycle}}}\n"))

    assert (said == "") == fits
    assert fits or "come to more than the 50 rules that ECR takes" in said


def test_a_standard_that_is_too_large_for_ecr_is_found_in_whatever_rules_make_it_up() -> None:
    text = a_file(
        f"  lifecycle: {{rules: [{many_rules(40)}]}}\n",
        f'  - {{match: "*/api", lifecycle: {{protect: {{tags: [{many_patterns(4)}]}}}}}}\n'
        '  - {match: "team-a/*", lifecycle: {delete_archived_after: 90d}}\n'
        '  - {match: "team-b/*", lifecycle: {delete_archived_after: 90d, rules: []}}\n',
    )

    said = complaint(text)

    assert said.startswith("warden.yaml:7:37: rules[1].lifecycle.delete_archived_after: 40 rules and 4 protected")
    assert said.endswith("(a repository: team-a/api)")


def test_whether_a_standard_is_too_large_is_not_guessed_where_tags_of_repositories_decide() -> None:
    text = a_file(
        rules=f"  - {{match: {{tag: {{tier: a}}}}, lifecycle: {{rules: [{many_rules(40)}]}}}}\n"
        f"  - {{match: {{tag: {{tier: b}}}}, lifecycle: {{protect: {{tags: [{many_patterns(20)}]}}}}}}\n"
    )

    assert complaint(text) == ""


@pytest.mark.parametrize(
    ("inventory", "defaults"),
    [
        ("{sources: [], functions: [nomad-images]}", ""),
        ("{sources: []}", "  lifecycle: {protect: {in_use: false}}\n"),
        ("{sources: [ecs], regions: [eu-west-1]}", "  lifecycle: {protect: {in_use: false}}\n"),
    ],
)
def test_an_inventory_that_nobody_needs_and_one_of_functions_alone_are_no_error(inventory: str, defaults: str) -> None:
    assert complaint(a_file(defaults, top=f"inventory: {inventory}\n")) == ""


def test_nobody_to_ask_is_an_error_where_a_single_rule_asks_what_is_in_use() -> None:
    text = a_file(
        "  lifecycle: {protect: {in_use: false}}\n",
        '  - {match: "prod/*", lifecycle: {protect: {in_use: true}}}\n',
        "inventory: {sources: []}\n",
    )

    assert "inventory.sources: expected at least one source" in complaint(text)


def notes(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "warden.yaml"
    path.write_text(text)
    return policy.load(path).notes


def test_a_cap_of_nothing_is_told_and_no_error(tmp_path: Path) -> None:
    text = a_file(
        "  lifecycle: {caps: {images: 0}}\n",
        '  - {match: "team-a/*", lifecycle: {caps: {percent: 0, images: 5}}}\n',
    )

    assert notes(tmp_path, text) == (
        "warden.yaml:4: lifecycle.caps.images: 0 means none, so that nothing ever leaves there",
        'rule "team-a/*", warden.yaml:6: lifecycle.caps.percent: 0 means none, so that nothing ever leaves there',
    )


def test_a_policy_that_is_kept_whole_has_no_notes(tmp_path: Path) -> None:
    text = a_file(
        "  scanning: {rescan_after: 7d}\n"
        '  lifecycle: {rules: [{expire: any, not_pulled_for: 9d}], protect: {tags: ["v*"]}, caps: {bytes: 5 GB}}\n',
        '  - {match: "staging/*", promote: {to: "release/{name}", tags: ["v*"]}}\n',
    )

    assert notes(tmp_path, text) == ()


LARGE_SECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "rules": st.integers(20, 50).map(
            lambda count: [{"expire": f"t{number}", "after": "9d"} for number in range(count)]
        ),
        "protect": st.fixed_dictionaries(
            {},
            optional={
                "in_use": st.booleans(),
                "tags": st.integers(0, 16).map(lambda count: [f"p{number}" for number in range(count)]),
            },
        ).filter(bool),
        "delete_archived_after": st.just("90d"),
    },
)


@settings(UNHURRIED, max_examples=int(os.environ.get("WARDEN_EXAMPLES", "15")))
@given(LARGE_SECTIONS, LARGE_SECTIONS, LARGE_SECTIONS)
def test_what_the_check_lets_through_ecr_is_told_and_what_it_refuses_is_too_much(
    defaults: dict[str, Any], first: dict[str, Any], second: dict[str, Any]
) -> None:
    """A check that is milder than the renderer fails at night; a stricter one fails its author for nothing."""
    sections = [("team-*", first), ("*/api", second)]
    text = a_file(
        f"  lifecycle: {json.dumps(defaults)}\n",
        "".join(
            f"  - {json.dumps({'match': match, 'scanning': {'on_push': True}, 'lifecycle': section})}\n"
            for match, section in sections
        ),
    )

    said = complaint(text)

    if not said:
        for repository in ("app", "x/api", "team-a/web", "team-a/api"):
            assert len(render(standard(text, repository).lifecycle).rules) <= MOST_LIFECYCLE_RULES
    for found in re.finditer(r"\(a repository: (.+)\)", said):
        with pytest.raises(Refused):
            render(asked_for(text, found[1]))


def asked_for(text: str, repository: str) -> LifecycleStandard:
    """What a repository would be asked for if nothing checked the policy."""
    root = read(text.encode())
    document = Document.model_validate(root.plain())
    fields: dict[str, Any] = {}
    for layer in layers_of(document, root, "warden.yaml"):
        if matches(layer.match.name, repository):
            fields |= {name: written.value for name, written in layer.fields.items()}
    return LifecycleStandard(
        Mode.REPORT,
        LifecycleAction(fields["lifecycle.action"]),
        tuple(LifecycleRule(**rule) for rule in fields["lifecycle.rules"]),
        Protection(fields["lifecycle.protect.in_use"], tuple(fields["lifecycle.protect.tags"])),
        delete_archived_days=fields["lifecycle.delete_archived_after"],
    )
