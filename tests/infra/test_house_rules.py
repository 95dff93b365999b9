"""Each of our rules finds what it is for: the real template is right, and one thing is spoilt."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from infra import house_rules
from infra.house_rules import RULES

from .conftest import Synthesised

Spoil = Callable[[Synthesised], object]


def properties(path: str, **changes: Any) -> Spoil:
    """Set properties of the resource at that path; None takes one away."""

    def spoil(stack: Synthesised) -> None:
        found = stack.properties(path)
        for name, value in changes.items():
            found.pop(name) if value is None else found.update({name: value})

    return spoil


def statement(path: str, **changes: Any) -> Spoil:
    """Change the last statement of the policy at that path."""
    return lambda stack: stack.properties(path)["PolicyDocument"]["Statement"][-1].update(changes)


def resource(path: str, kind: str, **attributes: Any) -> Spoil:
    """Change attributes of a resource, or add it."""
    added = {"Type": kind, "Properties": {}, "Metadata": {"aws:cdk:path": f"Stack/{path}"}}
    return lambda stack: stack.template["Resources"].setdefault(path, added).update(attributes)


def nothing_denied(stack: Synthesised) -> None:
    document = stack.properties("Notify/Queue/Policy")["PolicyDocument"]
    document["Statement"] = [s for s in document["Statement"] if s["Effect"] != "Deny"]


def logs_that_stay(stack: Synthesised) -> None:
    stack.of("AWS::Logs::LogGroup")["Notify/Logs"]["DeletionPolicy"] = "Retain"


def shared_logs(stack: Synthesised) -> None:
    logging = stack.properties("Notify/Function")["LoggingConfig"]
    stack.properties("Sweep/Function")["LoggingConfig"] = logging


def a_mapping(**changes: Any) -> Spoil:
    return lambda stack: next(iter(stack.of("AWS::Lambda::EventSourceMapping").values()))["Properties"].update(changes)


def a_pattern_without(field: str) -> Spoil:
    return lambda stack: stack.properties("ImagePushed/Rule")["EventPattern"].pop(field)


def a_target_without(field: str) -> Spoil:
    return lambda stack: stack.properties("ImagePushed/Rule")["Targets"][0].pop(field)


def anybody_sends(stack: Synthesised) -> None:
    del stack.properties("ImagePushed/Queue/Policy")["PolicyDocument"]["Statement"][-1]["Condition"]


def an_address(stack: Synthesised) -> None:
    variables = stack.properties("Notify/Function")["Environment"]["Variables"]
    variables["WARDEN_CHAT"] = "https://hooks.slack.com/services/T0/B0/x"


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [
        ("queues_are_encrypted_and_tls_only", properties("Notify/Queue", SqsManagedSseEnabled=False)),
        ("queues_are_encrypted_and_tls_only", nothing_denied),
        ("queues_lose_nothing", properties("Notify/Queue", RedrivePolicy=None)),
        ("queues_lose_nothing", properties("Notify/DeadLetters", RedriveAllowPolicy=None)),
        ("queues_lose_nothing", properties("Notify/DeadLetters", MessageRetentionPeriod=7 * 86_400)),
        ("functions_are_fed_with_care", properties("Notify/Queue", VisibilityTimeout=359)),
        ("functions_are_fed_with_care", properties("Sweep/Function", Timeout=121)),
        ("functions_are_fed_with_care", a_mapping(FunctionResponseTypes=[])),
        ("functions_are_fed_with_care", a_mapping(ScalingConfig={})),
        ("functions_can_be_watched", properties("Notify/Function", TracingConfig={"Mode": "PassThrough"})),
        ("functions_can_be_watched", properties("Notify/Function", LoggingConfig=None)),
        ("functions_can_be_watched", properties("Notify/Logs", RetentionInDays=None)),
        ("functions_can_be_watched", logs_that_stay),
        ("functions_can_be_watched", shared_logs),
        ("rules_are_pinned", a_pattern_without("account")),
        ("rules_are_pinned", a_pattern_without("detail-type")),
        ("rules_are_pinned", a_target_without("DeadLetterConfig")),
        ("rules_are_pinned", a_target_without("RetryPolicy")),
        ("permissions_are_exact", statement("Sweep/Permissions", Action=["ecr:*"])),
        ("permissions_are_exact", statement("Sweep/Permissions", Action="ecr:BatchDeleteImage")),
        ("permissions_are_exact", statement("ScanFinished/Permissions", Action="ecr:SetRepositoryPolicy")),
        ("permissions_are_exact", statement("ImagePushed/Permissions", Action="ecr:DeleteRepository")),
        ("permissions_are_exact", statement("Sweep/Permissions", Action=["iam:PassRole"])),
        ("permissions_are_exact", statement("Sweep/Permissions", Resource="*")),
        (
            "permissions_are_exact",
            properties("Sweep/Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        ),
        ("permissions_are_exact", properties("Sweep/Role", Path="/")),
        ("nothing_is_public", anybody_sends),
        ("nothing_is_public", resource("Address", "AWS::Lambda::Url")),
        ("nothing_is_public", resource("Invoke", "AWS::Lambda::Permission")),
        ("environments_hold_no_secrets", an_address),
    ],
)
def test_what_is_spoilt_is_found_by_its_rule_alone(dev: Synthesised, rule: str, spoil: Spoil) -> None:
    spoilt = copy.deepcopy(dev)
    spoil(spoilt)
    assert {name for name, _, _ in house_rules.check(spoilt.template)} == {rule}


def test_each_rule_says_what_it_asks() -> None:
    assert all(rule.__doc__ for rule in RULES)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_template_is_right(stage: str, request: pytest.FixtureRequest) -> None:
    stack: Synthesised = request.getfixturevalue(stage)
    assert list(house_rules.check(stack.template)) == []
