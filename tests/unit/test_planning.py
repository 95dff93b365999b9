"""The plan brings a repository to its standard, and never further."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_policy, image_id, observation
from warden import lifecycle
from warden.names import RepositoryName
from warden.planning import (
    MAX_EXCLUSIONS,
    Action,
    ActionKind,
    RegistryScanning,
    RepositoryObservation,
    ScanningRule,
    plan,
    plan_scans,
)
from warden.policy import Mode, Policy, standard_of

APP = RepositoryName("team/app")
BASIC = RegistryScanning(enhanced=False)
ENHANCED = RegistryScanning(enhanced=True)


def planned(seen: RepositoryObservation, policy: Policy, scanning: RegistryScanning = BASIC) -> dict[str, Action]:
    return {action.kind: action for action in plan(seen, scanning, standard_of(policy, seen.name))}


def applied(seen: RepositoryObservation, action: Action) -> RepositoryObservation:
    """What ECR would say after the action; the settings it replaces are replaced whole, as ECR does."""
    match action.kind:
        case ActionKind.SET_TAG_IMMUTABILITY:
            return replace(seen, immutability=action.immutability, exclusions=action.exclusions)
        case ActionKind.SET_SCAN_ON_PUSH:
            return replace(seen, scan_on_push=action.scan_on_push)
        case ActionKind.PUT_LIFECYCLE_POLICY:
            return replace(seen, lifecycle_policy=action.lifecycle_policy)


patterns = st.sampled_from(["latest", "dev-*", "sha256-*", "v*", "main"])
modes = st.sampled_from(Mode)
observations = st.builds(
    RepositoryObservation,
    name=st.just(APP),
    immutability=st.sampled_from(["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"]),
    exclusions=st.lists(patterns, unique=True, max_size=3).map(tuple),
    scan_on_push=st.booleans(),
    lifecycle_policy=st.none() | st.just('{"rules":[]}'),
)
policies = st.builds(
    lambda mode, immutability, exclude, rules: a_policy(
        tags__mode=mode,
        tags__immutability=immutability,
        tags__exclude=sorted({*exclude, "sha256-*"}),
        scanning__mode=mode,
        lifecycle__mode=mode,
        lifecycle__rules=rules,
    ),
    modes,
    st.sampled_from(["IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE"]),
    st.lists(patterns, unique=True, max_size=3),
    st.sampled_from([[], [{"of": "untagged", "after_days": 7}], [{"of": "v*", "keep": 30}]]),
)
scannings = st.sampled_from([BASIC, ENHANCED, RegistryScanning(False, (ScanningRule("SCAN_ON_PUSH", ("*",)),))])


@given(observations, policies, scannings)
def test_applying_a_plan_leaves_nothing_to_plan(
    seen: RepositoryObservation, policy: Policy, scanning: RegistryScanning
) -> None:
    actions = plan(seen, scanning, standard_of(policy, APP))
    for action in actions:
        if not action.blocked:
            seen = applied(seen, action)
    left = plan(seen, scanning, standard_of(policy, APP))
    assert [action.kind for action in left] == [action.kind for action in actions if action.blocked]


@given(observations, policies, scannings)
def test_a_section_that_is_off_plans_nothing_and_report_stays_report(
    seen: RepositoryObservation, policy: Policy, scanning: RegistryScanning
) -> None:
    standard = standard_of(policy, APP)
    for action in plan(seen, scanning, standard):
        assert action.mode is standard.tags.mode
        assert action.mode is not Mode.OFF
        assert action.origin


@given(observations, policies)
def test_an_exclusion_of_an_immutable_repository_is_never_lost(seen: RepositoryObservation, policy: Policy) -> None:
    action = planned(seen, policy).get(ActionKind.SET_TAG_IMMUTABILITY)
    if action and seen.immutability == "IMMUTABLE_WITH_EXCLUSION":
        assert set(seen.exclusions) <= set(action.exclusions)


@given(observations, policies)
def test_more_exclusions_than_ecr_allows_need_a_person(seen: RepositoryObservation, policy: Policy) -> None:
    for action in planned(seen, policy).values():
        assert bool(action.blocked) == (len(action.exclusions) > MAX_EXCLUSIONS)


@given(observations, policies)
def test_a_lifecycle_policy_that_is_there_is_left_alone(seen: RepositoryObservation, policy: Policy) -> None:
    if seen.lifecycle_policy is not None:
        assert ActionKind.PUT_LIFECYCLE_POLICY not in planned(seen, policy)


def test_a_careless_repository_gets_all_three() -> None:
    actions = planned(observation(), a_policy())
    assert list(actions) == list(ActionKind)
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
        lifecycle_policy='{"rules": "whatever somebody wrote"}',
    )
    assert planned(seen, a_policy()) == {}


def test_filters_that_named_the_immutable_tags_are_not_taken_for_their_opposite() -> None:
    seen = observation(immutability="MUTABLE_WITH_EXCLUSION", exclusions=("v*",))
    tags = planned(seen, a_policy())[ActionKind.SET_TAG_IMMUTABILITY]
    assert tags.exclusions == ("latest", "sha256-*")
    assert tags.before == "IMMUTABLE only v*"


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
        (ENHANCED, False, {}, False, False),
        (ENHANCED, True, {}, False, False),
    ],
)
def test_a_scan_is_started_only_where_ecr_does_not_scan_by_itself(
    scanning: RegistryScanning, repository_scans: bool, fields: dict[str, Any], started: bool, results_come: bool
) -> None:
    scans = plan_scans(
        (image_id(),),
        repository_scans=repository_scans,
        scanning=scanning,
        standard=standard_of(a_policy(**fields), APP),
    )
    assert (bool(scans.images), scans.results_come) == (started, results_come)
    assert bool(scans.reason) is not started


def test_a_later_rule_wins_field_by_field() -> None:
    policy = a_policy(
        ("team/*", {"findings.notify_from": "LOW", "channels": ["team"]}),
        ("*/app", {"findings.notify_from": "CRITICAL"}),
        ("other/*", {"findings.notify_from": "MEDIUM"}),
    )
    standard = standard_of(policy, APP)
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
    text = lifecycle.render(standard_of(a_policy(lifecycle__rules=[rule]), APP).lifecycle)
    assert text
    assert json.loads(text)["rules"][0]["selection"] == selection
