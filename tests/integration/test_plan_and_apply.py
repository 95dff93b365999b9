"""`warden plan` shows what `warden apply` then does, action by action, and the ledger has it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cli import plans
from cli.apply import carry_out_all
from cli.plans import Plans, gather
from tests.account import Account, Stack
from tests.builders import NOW, a_policy
from tests.wire import error
from warden.actions import Action, ActionKind, Deed, Result
from warden.names import RepositoryName
from warden.policy import Policy

PUBLIC = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]})
POLICY = a_policy(access__forbid_public=True, encryption__type="KMS")


def drifted(account: Account, count: int = 4) -> None:
    for number in range(count):
        account.create(f"team/app-{number}")
    account.access_policies["team/app-1"] = PUBLIC
    account.repositories[f"team/app-{count - 1}"]["imageScanningConfiguration"] = {"scanOnPush": count > 2}


def apply(account: Account, stack: Stack, found: Plans, policy: Policy = POLICY) -> dict[str, Any]:
    """What was done; prune is asked by way of its queue."""

    def prune(repository: RepositoryName) -> None:
        stack.queue("prunes").send(repository)

    done = carry_out_all(found, account.registry, stack.ledger, policy, prune, event="apply 1", at=NOW, by="arn:alice")
    return dict(done)


def by_prune(action: Action) -> bool:
    return action.kind is ActionKind.PUT_LIFECYCLE_POLICY


def test_what_was_planned_is_what_is_done_and_what_the_ledger_says(account: Account, stack: Stack) -> None:
    drifted(account)
    found = gather(account.registry, POLICY, ())
    assert account.writes() == []
    done = apply(account, stack, found)
    handed = [deed for deeds in done.values() for deed in deeds if deed.result is Result.HANDED_OVER]
    assert [deed.action for deed in handed] == [action for action in found.actions if by_prune(action)]
    assert sorted(stack.bodies("prunes")) == sorted(deed.action.repository for deed in handed)
    ledger = [
        entry.details
        for repository in found.repositories
        for entry in sorted(stack.ledger.history(repository), key=lambda entry: entry.details["kind"])
    ]
    others = (action for action in found.actions if not by_prune(action))
    planned = sorted(others, key=lambda action: (action.repository, action.kind))
    assert [(one["kind"], one["field"], one["before"], one["after"], one["rule"]) for one in ledger] == [
        (action.kind, action.field, action.before, action.after, action.origin) for action in planned
    ]
    assert [one["result"] for one in ledger] == ["needs a person" if one.blocked else "done" for one in planned]
    assert {one["by"] for one in ledger} == {"arn:alice"}
    again = gather(account.registry, POLICY, ())
    assert {action.field for action in again.actions} == {"encryption", "lifecycle policy"}


def test_a_repository_that_changed_meanwhile_is_left_alone(account: Account, stack: Stack) -> None:
    drifted(account)
    found = gather(account.registry, POLICY, ())
    account.repositories["team/app-0"]["imageTagMutability"] = "IMMUTABLE"
    del account.repositories["team/app-3"]
    done = apply(account, stack, found)
    assert done["team/app-0"] == done["team/app-3"] == "is no longer as it was planned for: plan again"
    assert stack.ledger.history("team/app-0") == ()
    assert all(isinstance(done[name], list) for name in ("team/app-1", "team/app-2"))


def test_one_that_fails_does_not_stop_the_next(account: Account, stack: Stack) -> None:
    drifted(account, 2)
    found = gather(account.registry, POLICY, ())
    account.refusals["SetRepositoryPolicy"] = account.refusals["DeleteRepositoryPolicy"] = error(
        "AccessDeniedException"
    )
    account.refusals["PutImageScanningConfiguration"] = error("InvalidParameterException", "odd")
    done = apply(account, stack, found)
    results = [deed.result for deed in done["team/app-0"] if isinstance(deed, Deed)]
    assert results == [Result.DONE, Result.REFUSED, Result.BLOCKED, Result.HANDED_OVER]
    assert "these credentials have no right to" in done["team/app-1"]


def test_in_report_mode_apply_changes_nothing(account: Account, stack: Stack) -> None:
    drifted(account)
    modes = {f"{section}__mode": "report" for section in ("tags", "scanning", "lifecycle", "access", "encryption")}
    policy = a_policy(mode="report", access__forbid_public=True, **modes)
    found = gather(account.registry, policy, ())
    assert found.actions
    assert found.enforceable == ()
    apply(account, stack, found, policy)
    assert account.writes() == []


@pytest.mark.parametrize(
    ("patterns", "names", "listings"),
    [
        ((), ["a/x", "a/y", "b/x"], 1),
        (("a/*",), ["a/x", "a/y"], 1),
        (("*/x", "a/*"), ["a/x", "a/y", "b/x"], 1),
        (("b/x",), ["b/x"], 1),
        (("b/x", "no/such"), ["b/x"], 2),
        (("no*",), [], 1),
    ],
)
def test_globs_choose_repositories(
    account: Account, patterns: tuple[str, ...], names: list[str], listings: int
) -> None:
    for name in ("b/x", "a/y", "a/x"):
        account.create(name)
    found = gather(account.registry, a_policy(), patterns)
    assert list(found.repositories) == names
    assert account.calls()["DescribeRepositories"] == listings
    assert found.unmatched == tuple(one for one in patterns if one.startswith("no"))


def test_the_plan_is_shown_with_signs_rules_and_what_needs_a_person(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    drifted(account, 2)
    plans.show(
        gather(
            account.registry,
            a_policy(
                access__forbid_public=True, encryption__type="KMS", scanning__mode="report", lifecycle__action="delete"
            ),
            (),
        )
    )
    shown = capsys.readouterr().out
    assert "team/app-1\n  - access: allows everybody → no repository policy   warden.yaml:1\n" in shown
    assert "  ~ tag immutability: MUTABLE → IMMUTABLE except latest, sha256-*   warden.yaml:1\n" in shown
    assert (
        "  + scan on push: off → on   warden.yaml:1\n      only reported: the policy is in report mode here\n" in shown
    )
    assert "needs a person: ECR fixes it when a repository is made" in shown
    assert "! deletes images" in shown
    assert shown.endswith(
        "Plan: 5 to change, of which 2 may delete images; 2 only reported; 2 for a person. "
        "0 of 2 repositories meet the standard.\n"
    )
    assert "\x1b" not in shown


def test_hostile_text_is_shown_harmlessly(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.create()
    hostile = {"Effect": "Allow", "Principal": {"AWS": "x\x1b[31m\u202e" * 40}, "Action": "*"}
    account.access_policies["team/app"] = json.dumps({"Statement": [hostile]})
    plans.show(gather(account.registry, a_policy(access__accounts=[]), ()))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_truce_of_the_functions_does_not_bind_a_person(account: Account, stack: Stack) -> None:
    account.create()
    name = RepositoryName("team/app")
    stack.ledger.stand_back(name, "scan on push", why="a fight", now=NOW, until=NOW + timedelta(hours=24))
    apply(account, stack, gather(account.registry, a_policy(), ()), a_policy())
    assert account.repositories[name]["imageScanningConfiguration"] == {"scanOnPush": True}
