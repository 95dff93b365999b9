"""A function that would deploy and not work, or may do more than it does, can't be written down."""

import dataclasses
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

import inventory
import promote
import prune
import quarantine
from infra.event_function import EventFunction
from infra.functions import FUNCTIONS
from infra.ledger import Ledger
from infra.specs import Events, FunctionSpec, Permission
from infra.stage import Stage, StageError
from warden.once import BUSY_FOR
from warden.runtime import MARGIN

from . import code_calls
from .code_calls import actions_in, ledger_actions, registry_actions, uses

NOTIFY = next(spec for spec in FUNCTIONS if spec.name == "notify")
EACH = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)


@EACH
def test_a_function_may_do_with_ecr_what_its_code_calls_and_nothing_else(spec: FunctionSpec) -> None:
    allowed = {action for permission in spec.ecr for action in permission.actions}
    assert allowed == registry_actions(spec.name)


WHO_USES = {
    "ecs": ("ecs.py",),
    "lambda": ("lambda_functions.py", "own_functions.py"),
    "eks": ("eks.py",),
    "inspector2": ("eks.py",),
    "batch": ("batch.py",),
    "apprunner": ("app_runner.py",),
    "sts": ("accounts.py",),
}
"""The modules that ask each service what is in use; that of EKS asks two, and ECR besides."""


def test_who_uses_images_is_asked_of_each_service_with_its_own_permissions() -> None:
    (spec,) = (spec for spec in FUNCTIONS if spec.name == "inventory")
    allowed: dict[str, set[str]] = {}
    for permission in spec.ecr:
        allowed.setdefault(permission.service, set()).update(permission.actions)
    assert allowed.keys() == {*WHO_USES, "ecr"}
    for service, modules in WHO_USES.items():
        called = set().union(*(actions_in(code_calls.WHO_USES / module) for module in modules))
        assert allowed[service] == called - EKS_BESIDES.get(service, set())


EKS_BESIDES = {
    "eks": {"ListCoverage", "DescribeRepositories", "GetRegistryScanningConfiguration"},
    "inspector2": {"ListClusters", "DescribeRepositories", "GetRegistryScanningConfiguration"},
}


@EACH
def test_a_function_may_do_with_the_ledger_what_its_code_calls_and_nothing_else(spec: FunctionSpec) -> None:
    assert set(spec.ledger) == ledger_actions(spec.name)


@EACH
def test_a_function_is_told_of_the_queues_that_its_code_asks_for_and_no_others(spec: FunctionSpec) -> None:
    assert set(spec.sends_to) == uses(spec.name).queues


@EACH
def test_a_function_may_read_secrets_where_its_code_does(spec: FunctionSpec) -> None:
    assert spec.reads_secrets == uses(spec.name).secrets


CLAIMS = {
    "prune": prune.BUSY_FOR,
    "inventory": inventory.BUSY_FOR,
    "promote": promote.BUSY_FOR,
    "quarantine": quarantine.BUSY_FOR,
}
"""Those that hold theirs longer than others."""


@EACH
def test_each_try_has_time_for_a_message_and_none_runs_beyond_its_claim(spec: FunctionSpec) -> None:
    assert MARGIN / 1000 < spec.timeout <= CLAIMS.get(spec.name, BUSY_FOR).total_seconds()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch_size": 0}, "batch of 1 to 10"),
        ({"batch_size": 11}, "batch of 1 to 10"),
        ({"max_receives": 4}, "at least 5 tries"),
        ({"max_concurrency": 1}, "2 at least"),
        ({"long_chains": True}, "sends to itself"),
    ],
)
def test_a_spec_that_would_not_work_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(NOTIFY, **change)


def test_events_are_known_by_their_kind() -> None:
    with pytest.raises(ValueError, match="detail-type"):
        Events((), detail={"result": ["SUCCESS"]})


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ((), "exact actions"),
        (("Describe*",), "exact actions"),
        (("DescribeImages", "GetRegistryScanningConfiguration"), "same resource"),
    ],
)
def test_a_permission_names_exact_actions_on_one_kind_of_resource(actions: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Permission("Some", actions, "for a test")


@pytest.mark.parametrize(
    ("change", "secrets", "said"),
    [
        ({"name": "no_such_module"}, (), "no_such_module.py"),
        ({"sends_to": {"WARDEN_PUSHES": "image_pushed"}}, (), "image_pushed, which must be made before"),
        ({"reads_secrets": False}, ("warden/slack",), "reads no secrets"),
    ],
)
def test_a_function_without_handler_receiver_or_right_is_not_built(
    change: dict[str, Any], secrets: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    stack = cdk.Stack(cdk.App(outdir=str(tmp_path)), "Stack")
    stage = Stage("dev")
    with pytest.raises(ValueError, match=said):
        EventFunction(
            stack,
            dataclasses.replace(NOTIFY, **change),
            stage=stage,
            code=lambda_.Code.from_inline("never deployed"),
            ledger=Ledger(stack, "Ledger", stage=stage),
            receivers={},
            secrets=secrets,
        )


@pytest.mark.parametrize("name", ["", "1st", "Dev", "dev_1", "dev-", "a" * 21, "dev\n"])
def test_a_stage_that_no_name_can_carry_is_refused(name: str) -> None:
    with pytest.raises(StageError, match="expected"):
        Stage(name)


def test_the_longest_stage_leaves_every_queue_a_name() -> None:
    longest = max(len(spec.name) for spec in FUNCTIONS)
    assert len(f"ecr-warden-{Stage('a' * 20).name}-{'x' * longest}-dead-letters") <= 80
