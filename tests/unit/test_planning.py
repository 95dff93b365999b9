"""The plan brings a repository to its standard, and never further."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.builders import a_policy, image_id, observation
from warden.actions import Action, ActionKind
from warden.lifecycle.rendering import render
from warden.names import RepositoryName
from warden.observations import RegistryScanning, RepositoryObservation, ScanningRule
from warden.planning import plan, plan_lifecycle
from warden.policy import Policy
from warden.scan_planning import plan_scans
from warden.standards import standard_of

APP = RepositoryName("team/app")
BASIC = RegistryScanning(enhanced=False)
ENHANCED = RegistryScanning(enhanced=True)
REORDERED = """{"rules": [{"action": {"targetStorageClass": "archive", "type": "transition"}, "rulePriority": 7,
  "selection": {"countNumber": 7, "countUnit": "days", "countType": "sinceImagePushed", "tagStatus": "untagged"}}]}"""
"""What the builders' policy asks for, as another tool would write it."""


def planned(seen: RepositoryObservation, policy: Policy, scanning: RegistryScanning = BASIC) -> dict[str, Action]:
    """All that is off the standard, how old images leave included."""
    seen, standard = replace(seen, scanning=scanning), standard_of(policy, seen.name, seen.tags)
    lifecycle_policy = plan_lifecycle(seen, standard)
    actions = (*plan(seen, standard), *([lifecycle_policy] if lifecycle_policy else []))
    return {action.kind: action for action in actions}


def test_a_careless_repository_gets_all_three() -> None:
    actions = planned(observation(), a_policy())
    assert list(actions) == [
        ActionKind.SET_TAG_IMMUTABILITY,
        ActionKind.SET_SCAN_ON_PUSH,
        ActionKind.PUT_LIFECYCLE_POLICY,
    ]
    tags = actions[ActionKind.SET_TAG_IMMUTABILITY]
    assert (tags.immutability, tags.exclusions) == ("IMMUTABLE_WITH_EXCLUSION", ("latest", "sha256-*"))
    assert (tags.before, tags.after) == ("MUTABLE", "IMMUTABLE except latest, sha256-*")
    text = actions[ActionKind.PUT_LIFECYCLE_POLICY].lifecycle_policy
    assert json.loads(text)["rules"][0]["action"] == {"type": "transition", "targetStorageClass": "archive"}


def test_a_compliant_repository_gets_nothing() -> None:
    seen = observation(
        immutability="IMMUTABLE_WITH_EXCLUSION",
        exclusions=("sha256-*", "latest"),
        scan_on_push=True,
        lifecycle_policy=REORDERED,
    )
    assert planned(seen, a_policy()) == {}


def test_filters_that_named_the_immutable_tags_are_not_taken_for_their_opposite() -> None:
    seen = observation(immutability="MUTABLE_WITH_EXCLUSION", exclusions=("v*",))
    tags = planned(seen, a_policy())[ActionKind.SET_TAG_IMMUTABILITY]
    assert tags.exclusions == ("latest", "sha256-*")
    assert tags.before == "MUTABLE except v*"


def test_a_repository_that_is_stricter_than_a_mutable_standard_stays_so() -> None:
    seen = observation(immutability="IMMUTABLE")
    assert ActionKind.SET_TAG_IMMUTABILITY not in planned(seen, a_policy(tags__immutability="MUTABLE"))


@pytest.mark.parametrize(
    "scanning",
    [
        ENHANCED,
        RegistryScanning(False, (ScanningRule("SCAN_ON_PUSH", ("*",)),)),
        RegistryScanning(False, (ScanningRule("SCAN_ON_PUSH", ("team/*",)),)),
        RegistryScanning(False, (ScanningRule("CONTINUOUS_SCAN", ("app",)),)),  # no star: contains
    ],
)
def test_a_setting_that_the_registry_overrides_is_not_touched(scanning: RegistryScanning) -> None:
    assert ActionKind.SET_SCAN_ON_PUSH not in planned(observation(), a_policy(), scanning)


@pytest.mark.parametrize(
    "scanning",
    [
        BASIC,
        RegistryScanning(False, (ScanningRule("MANUAL", ("*",)),)),
        RegistryScanning(False, (ScanningRule("SCAN_ON_PUSH", ("app/*", "team")),)),
    ],
)
def test_a_registry_rule_for_others_does_not_count(scanning: RegistryScanning) -> None:
    covered = any("team" in rule.filters for rule in scanning.rules)
    assert (ActionKind.SET_SCAN_ON_PUSH in planned(observation(), a_policy(), scanning)) is not covered


def test_only_a_lifecycle_policy_that_deletes_destroys() -> None:
    for action, destroys in (("archive", False), ("delete", True)):
        actions = planned(observation(), a_policy(lifecycle__action=action))
        assert [planned_action.destroys for planned_action in actions.values()] == [False, False, destroys]


@pytest.mark.parametrize(
    ("scanning", "repository_scans", "fields", "started", "results_come"),
    [
        (BASIC, False, {}, True, True),
        (BASIC, False, {"scanning__mode": "report"}, True, True),
        (BASIC, False, {"scanning__mode": "off"}, False, False),
        (BASIC, False, {"scanning__on_push": False}, False, False),
        (BASIC, True, {}, False, True),
        (BASIC, True, {"scanning__mode": "off"}, False, True),
        (RegistryScanning(False, (ScanningRule("SCAN_ON_PUSH", ("*",)),)), False, {}, False, True),
        (ENHANCED, False, {}, False, True),
        (ENHANCED, True, {}, False, True),
    ],
)
def test_a_scan_is_started_only_where_ecr_does_not_scan_by_itself(
    scanning: RegistryScanning, repository_scans: bool, fields: dict[str, Any], started: bool, results_come: bool
) -> None:
    scans = plan_scans(
        (image_id(),),
        repository_scans=repository_scans,
        scanning=scanning,
        standard=standard_of(a_policy(**fields), APP, {}),
    )
    assert (bool(scans.images), scans.results_come) == (started, results_come)
    assert bool(scans.reason) is not started


def test_a_later_rule_wins_field_by_field() -> None:
    policy = a_policy(
        ("team/*", {"findings.notify_from": "LOW", "channels": ["team"]}),
        ("*/app", {"findings.notify_from": "CRITICAL"}),
        ("other/*", {"findings.notify_from": "MEDIUM"}),
    )
    standard = standard_of(policy, APP, {})
    assert (standard.findings.notify_from, standard.channels) == ("CRITICAL", ("team",))
    assert standard.origins["findings.notify_from"] == 'rule "*/app"'
    assert standard.origins["channels"] == 'rule "team/*"'
    assert standard.origins["findings.block_from"] == "warden.yaml:1"


@pytest.mark.parametrize(
    ("rule", "selection"),
    [
        (
            {"of": "untagged", "after_days": 7},
            {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7},
        ),
        (
            {"of": "pr-*", "after_days": 14},
            {
                "tagStatus": "tagged",
                "tagPatternList": ["pr-*"],
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
        ),
        ({"of": "any", "keep": 100}, {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 100}),
    ],
)
def test_a_rule_is_rendered_in_ecrs_grammar(rule: dict[str, Any], selection: dict[str, Any]) -> None:
    text = render(standard_of(a_policy(lifecycle__rules=[rule]), APP, {}).lifecycle).text
    assert text
    assert json.loads(text)["rules"][-1]["selection"] == selection


@pytest.mark.parametrize(
    ("asked", "patterns", "seen", "filters", "after"),
    [
        ("MUTABLE", [], "MUTABLE", (), None),
        ("MUTABLE", [], "IMMUTABLE", (), None),
        ("MUTABLE_WITH_EXCLUSION", ["v*"], "MUTABLE", (), "MUTABLE except v*"),
        ("MUTABLE_WITH_EXCLUSION", ["v*"], "MUTABLE_WITH_EXCLUSION", ("v*",), None),
        ("MUTABLE_WITH_EXCLUSION", ["v*"], "MUTABLE_WITH_EXCLUSION", ("r*",), "MUTABLE except r*, v*"),
        ("MUTABLE_WITH_EXCLUSION", ["v*"], "IMMUTABLE", (), None),
        ("MUTABLE_WITH_EXCLUSION", ["v*"], "IMMUTABLE_WITH_EXCLUSION", ("dev-*",), None),
        ("IMMUTABLE", [], "MUTABLE", (), "IMMUTABLE except sha256-*"),
        ("IMMUTABLE", [], "IMMUTABLE", (), "IMMUTABLE except sha256-*"),
        ("IMMUTABLE", [], "IMMUTABLE_WITH_EXCLUSION", ("sha256-*",), None),
        (
            "IMMUTABLE_WITH_EXCLUSION",
            ["latest"],
            "MUTABLE_WITH_EXCLUSION",
            ("v*",),
            "IMMUTABLE except latest, sha256-*",
        ),
        ("IMMUTABLE_WITH_EXCLUSION", ["latest"], "IMMUTABLE_WITH_EXCLUSION", ("sha256-*", "latest"), None),
        (
            "IMMUTABLE_WITH_EXCLUSION",
            ["latest"],
            "IMMUTABLE_WITH_EXCLUSION",
            ("latest",),
            "IMMUTABLE except latest, sha256-*",
        ),
        ("IMMUTABLE_WITH_EXCLUSION", ["a"], "IMMUTABLE_WITH_EXCLUSION", ("sha256-*", "a", "b"), None),
    ],
)
def test_all_four_kinds_of_mutability(
    asked: str, patterns: list[str], seen: str, filters: tuple[str, ...], after: str | None
) -> None:
    policy = a_policy(tags__immutability=asked, tags__exclude=patterns)
    action = planned(observation(immutability=seen, exclusions=filters), policy).get(ActionKind.SET_TAG_IMMUTABILITY)
    assert (action.after if action else None) == after
    assert not (action and action.blocked)


def test_a_stricter_setting_with_a_hole_needs_a_person() -> None:
    policy = a_policy(tags__immutability="MUTABLE_WITH_EXCLUSION", tags__exclude=["v*"])
    seen = observation(immutability="IMMUTABLE_WITH_EXCLUSION", exclusions=("*-rc", "dev-*"))
    action = planned(seen, policy)[ActionKind.SET_TAG_IMMUTABILITY]
    assert "the repository lets *-rc move" in action.blocked


def test_six_filters_do_not_fit() -> None:
    seen = observation(immutability="IMMUTABLE_WITH_EXCLUSION", exclusions=("a", "b", "c", "d"))
    action = planned(seen, a_policy())[ActionKind.SET_TAG_IMMUTABILITY]
    assert action.blocked.startswith("6 exclusion filters would be needed and ECR allows 5")


FOREIGN = (
    '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":5},'
    '"action":{"type":"expire"}}]}'
)


@pytest.mark.parametrize(
    "text", [FOREIGN, "{}", "not JSON", '{"rules": 1}', '{"rules":[{"rulePriority":"x"}]}', "[" * 9000]
)
def test_a_lifecycle_policy_that_means_another_thing_is_replaced_and_kept(text: str) -> None:
    action = planned(observation(lifecycle_policy=text), a_policy())[ActionKind.PUT_LIFECYCLE_POLICY]
    assert (action.original, action.blocked) == (text, "")
    assert action.before in {"delete all images beyond the newest 5", "a policy that can't be read"}


@pytest.mark.parametrize(("storage_class", "compliant"), [("standard", True), ("archive", False)])
def test_what_ecr_takes_where_it_is_not_written_is_no_difference(storage_class: str, compliant: bool) -> None:
    asked = json.loads(render(standard_of(a_policy(), APP, {}).lifecycle).text or "")
    for rule in asked["rules"]:
        rule["selection"]["storageClass"] = storage_class
    actions = planned(observation(lifecycle_policy=json.dumps(asked)), a_policy())
    assert (ActionKind.PUT_LIFECYCLE_POLICY not in actions) is compliant


def test_how_old_images_leave_is_no_part_of_the_plan_that_functions_carry_out() -> None:
    """The prune function alone puts lifecycle policies, by its gate."""
    seen = observation(lifecycle_policy=FOREIGN)
    assert ActionKind.PUT_LIFECYCLE_POLICY in planned(seen, a_policy())
    done = plan(seen, standard_of(a_policy(), seen.name, seen.tags))
    assert ActionKind.PUT_LIFECYCLE_POLICY not in {action.kind for action in done}


def test_a_rule_that_ecr_does_not_have_is_left_out_of_the_text() -> None:
    rules = [{"of": "any", "not_pulled_days": 180}]
    policy = a_policy(lifecycle__rules=rules, lifecycle__action="delete")
    assert ActionKind.PUT_LIFECYCLE_POLICY not in planned(observation(), policy)


def test_missing_tags_and_encryption_are_for_people() -> None:
    policy = a_policy(repository_tags__required=["owner", "cost"], encryption__type="KMS")
    actions = planned(observation(tags={"owner": "a"}), policy)
    assert actions[ActionKind.TAG_REPOSITORY].before == "no cost"
    assert actions[ActionKind.CHANGE_ENCRYPTION].after == "KMS"
    assert all(actions[kind].blocked for kind in (ActionKind.TAG_REPOSITORY, ActionKind.CHANGE_ENCRYPTION))
    better = planned(observation(tags={"owner": "a", "cost": "b"}, encryption="KMS_DSSE"), policy)
    assert not {ActionKind.TAG_REPOSITORY, ActionKind.CHANGE_ENCRYPTION} & set(better)


def test_what_protects_comes_first_and_what_destroys_last() -> None:
    policy = a_policy(
        access__forbid_public=True,
        lifecycle__action="delete",
        repository_tags__required=["owner"],
        encryption__type="KMS",
    )
    open_to_all = '{"Statement":{"Effect":"Allow","Principal":"*","Action":"ecr:*"}}'
    actions = list(planned(observation(access_policy=open_to_all), policy).values())
    assert [action.field for action in actions] == [
        "access",
        "tag immutability",
        "scan on push",
        "repository tags",
        "encryption",
        "lifecycle policy",
    ]
    assert [action.destroys for action in actions] == [False] * 5 + [True]
    assert all(action.reason and action.origin for action in actions)
