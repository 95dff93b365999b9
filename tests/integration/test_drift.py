"""Repositories are brought back to their standard by the events of their changes."""

import json
from datetime import timedelta
from typing import Any

import pytest

from repository_changed import ChangedRepositories
from tests.account import Account, Stack
from tests.builders import HOME, NOW, a_policy, api_call
from tests.functions import REPORT, ROLE_PATH, changed, text
from tests.wire import error
from warden import prune_events
from warden.ledger import Entry, Ledger
from warden.lifecycle.rendering import render
from warden.names import RepositoryName
from warden.notices import Level
from warden.prune_events import PruneDue
from warden.standards import standard_of

FOREIGN = (
    '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":3},'
    '"action":{"type":"expire"}}]}'
)
OURS = render(standard_of(a_policy(), RepositoryName("team/app"), {}).lifecycle).text or ""


def test_a_new_repository_takes_its_standard_and_nobody_is_disturbed(account: Account, stack: Stack) -> None:
    account.create()
    outcome = changed(account, stack).handle(stack.message(api_call("CreateRepository", "team/app")))
    assert outcome.name == "Corrected"
    settings = account.repositories["team/app"]
    assert settings["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    filters = [filter_["filter"] for filter_ in settings["imageTagMutabilityExclusionFilters"]]
    assert filters == ["latest", "sha256-*"]
    assert settings["imageScanningConfiguration"] == {"scanOnPush": True}
    assert stack.notices() == []
    (asked,) = stack.bodies("prunes")
    assert prune_events.prune(asked, HOME) == PruneDue("", NOW, RepositoryName("team/app"))
    assert "PutLifecyclePolicy" not in account.calls(), "that is for prune to do, by its gate"


def test_a_lifecycle_policy_that_was_changed_is_for_prune_to_set_back(account: Account, stack: Stack) -> None:
    account.create()
    function = changed(account, stack)
    function.handle(stack.message(api_call("CreateRepository", "team/app")))
    account.lifecycle_policies["team/app"] = FOREIGN
    assert function.handle(stack.message(api_call("PutLifecyclePolicy", "team/app"))).name == "LifecycleAsked"
    assert len(stack.bodies("prunes")) == 2
    assert stack.notices() == []


def test_in_report_mode_prune_is_not_asked(account: Account, stack: Stack) -> None:
    account.create()
    changed(account, stack, a_policy(**REPORT)).handle(stack.message(api_call("DeleteLifecyclePolicy", "team/app")))
    assert stack.bodies("prunes") == []


def test_a_lifecycle_policy_that_others_keep_changing_is_left_alone(account: Account, stack: Stack) -> None:
    account.create()
    function = changed(account, stack)
    for flip in range(3):
        details = {"field": "lifecycle policy", "result": "done", "event": f"prune {flip}"}
        stack.ledger.record(Entry("team/app", NOW, "standard", "put", details), event=f"prune {flip}")
    account.lifecycle_policies["team/app"] = FOREIGN
    function.handle(stack.message(api_call("PutLifecyclePolicy", "team/app")))
    assert stack.bodies("prunes") == []
    assert "lifecycle policy" in stack.ledger.held_back(RepositoryName("team/app"), now=NOW)


def test_drift_is_set_back_and_told_with_who_did_it(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    changed(account, stack).handle(stack.message(api_call("PutImageTagMutability", "team/app")))
    (notice,) = stack.notices()
    assert (notice.level, notice.title) == (Level.CHANGE, "settings of team/app were set back")
    assert "PutImageTagMutability by arn:aws:sts::111122223333:assumed-role/Admin/alice" in text(notice)
    assert "tag immutability  MUTABLE → IMMUTABLE except latest, sha256-*" in text(notice)


def test_everything_that_was_done_is_in_the_ledger_with_its_rule(account: Account, stack: Stack) -> None:
    account.create()
    changed(account, stack).handle(stack.message(api_call("CreateRepository", "team/app")))
    first, *deeds = stack.ledger.history("team/app")
    assert first.text == "CreateRepository by arn:aws:sts::111122223333:assumed-role/Admin/alice"
    assert {entry.text.partition(":")[0] for entry in deeds} == {"tag immutability", "scan on push"}
    assert {(entry.details["result"], entry.details["rule"]) for entry in deeds} == {("done", "warden.yaml:1")}
    scan = next(entry for entry in deeds if entry.details["kind"] == "set scan on push")
    assert (scan.details["field"], scan.details["before"], scan.details["after"]) == ("scan on push", "off", "on")


def test_report_mode_tells_and_changes_nothing(account: Account, stack: Stack) -> None:
    account.create()
    policy = a_policy(**REPORT)
    changed(account, stack, policy).handle(stack.message(api_call("PutImageTagMutability", "team/app")))
    assert account.writes() == []
    (notice,) = stack.notices()
    assert "would be done" in text(notice)
    assert "report mode" in text(notice)
    assert {entry.details.get("result") for entry in stack.ledger.history("team/app")} == {None, "would be done"}


def test_a_compliant_repository_costs_four_reads_and_no_write(account: Account, stack: Stack) -> None:
    account.create()
    account.lifecycle_policies["team/app"] = OURS
    function = changed(account, stack)
    for _ in range(2):
        account.wire.requests.clear()
        outcome = function.handle(stack.message(api_call("PutLifecyclePolicy", "team/app")))
    assert outcome.name == "Compliant"
    assert account.calls() == {
        "DescribeRepositories": 1,
        "GetLifecyclePolicy": 1,
        "GetRegistryScanningConfiguration": 1,
        "ListTagsForResource": 1,
    }


def test_our_own_writes_are_known_by_their_role(account: Account, stack: Stack) -> None:
    own = api_call("PutLifecyclePolicy", "team/app", role="arn:aws:iam::111122223333:role/ecr-warden/dev/sweep")
    outcome = changed(account, stack).handle(stack.message(own))
    assert (outcome.name, account.calls()) == ("OwnWrite", {})


@pytest.mark.parametrize(
    "role",
    [
        "arn:aws:iam::111122223333:role/ecr-warden/prod/sweep",
        "arn:aws:iam::999988887777:role/ecr-warden/dev/sweep",
        "arn:aws:iam::111122223333:role/mine/ecr-warden/dev/sweep",
    ],
)
def test_a_role_that_only_looks_like_ours_is_not(account: Account, stack: Stack, role: str) -> None:
    account.create()
    body = api_call("PutImageTagMutability", "team/app", role=role)
    assert changed(account, stack).handle(stack.message(body)).name == "Corrected"


def test_filters_that_are_there_are_merged_and_never_wiped(account: Account, stack: Stack) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "nightly-*"}]
    account.create(imageTagMutability="IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=filters)
    changed(account, stack).handle(stack.message(api_call("PutImageTagMutability", "team/app")))
    kept = account.repositories["team/app"]["imageTagMutabilityExclusionFilters"]
    assert {filter_["filter"] for filter_ in kept} == {"nightly-*", "latest", "sha256-*"}


def test_too_many_filters_need_a_person_and_nothing_is_dropped(account: Account, stack: Stack) -> None:
    filters = [{"filterType": "WILDCARD", "filter": f"branch-{letter}-*"} for letter in "abcd"]
    account.create(imageTagMutability="IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=filters)
    changed(account, stack).handle(stack.message(api_call("PutImageTagMutability", "team/app")))
    assert "PutImageTagMutability" not in account.calls()
    (notice,) = stack.notices()
    assert notice.level is Level.ATTENTION
    assert "6 exclusion filters would be needed and ECR allows 5" in text(notice)


def test_what_ecr_refuses_is_told_and_does_not_stop_the_rest(account: Account, stack: Stack) -> None:
    account.create()
    account.refusals["PutImageTagMutability"] = error("InvalidParameterException", "filter is odd")
    changed(account, stack).handle(stack.message(api_call("CreateRepository", "team/app")))
    assert "PutImageScanningConfiguration" in account.calls()
    (notice,) = stack.notices()
    assert notice.level is Level.ATTENTION
    assert "refused by ECR: ECR refused to set tag immutability of team/app: filter is odd" in text(notice)


def test_a_throttled_write_comes_again(account: Account, stack: Stack) -> None:
    account.create()
    account.refusals["PutImageTagMutability"] = error("ThrottlingException")
    function = changed(account, stack)
    body = api_call("CreateRepository", "team/app")
    with pytest.raises(Exception, match="ThrottlingException"):
        function.handle(stack.message(body, id="a"))
    del account.refusals["PutImageTagMutability"]
    assert function.handle(stack.message(body, id="a", receives=2)).name == "Corrected"


def test_a_fight_ends_with_a_person_who_is_asked_once(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    function = changed(account, stack)
    outcomes = []
    for flip in range(5):
        account.repositories["team/app"]["imageTagMutability"] = "MUTABLE"
        at = NOW + timedelta(minutes=5 * flip)
        body = api_call("PutImageTagMutability", "team/app", id=f"flip-{flip}", time=at.isoformat())
        outcomes.append(function.handle(stack.message(body, now=at)).name)
    assert outcomes == ["Corrected", "Corrected", "Told", "Told", "Told"]
    assert account.repositories["team/app"]["imageTagMutability"] == "MUTABLE"
    notices = stack.notices()
    assert [notice.level for notice in notices] == [Level.CHANGE] * 2 + [Level.ATTENTION] * 3
    assert len({notice.id for notice in notices[2:]}) == 1, "the same news, which is posted once"
    assert "changed 3 times within an hour, the last time by arn:aws:sts" in text(notices[2])


def test_a_fight_over_one_field_leaves_the_others_enforced(account: Account, stack: Stack) -> None:
    account.create()
    function = changed(account, stack)
    for flip in range(4):
        settings = account.repositories["team/app"]
        settings.update(imageTagMutability="MUTABLE", imageScanningConfiguration={"scanOnPush": flip < 3})
        at = NOW + timedelta(minutes=flip)
        body = api_call("PutImageTagMutability", "team/app", id=f"flip-{flip}", time=at.isoformat())
        function.handle(stack.message(body, now=at))
    assert account.repositories["team/app"]["imageScanningConfiguration"] == {"scanOnPush": True}
    assert account.repositories["team/app"]["imageTagMutability"] == "MUTABLE"


def test_changes_that_are_rare_are_set_back_each_time(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    function = changed(account, stack)
    for flip in range(5):
        account.repositories["team/app"]["imageTagMutability"] = "MUTABLE"
        at = NOW + timedelta(minutes=40 * flip)
        body = api_call("PutImageTagMutability", "team/app", id=f"flip-{flip}", time=at.isoformat())
        assert function.handle(stack.message(body, now=at)).name == "Corrected"


@pytest.mark.parametrize("dies_before", ["the record", "the notice"])
def test_what_was_done_is_told_even_if_the_sandbox_died_first(account: Account, stack: Stack, dies_before: str) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    body = api_call("PutImageTagMutability", "team/app")
    notices: Any = _Broken() if dies_before == "the notice" else stack.queue("notices")
    ledger: Any = _Dies(stack.ledger, after=3) if dies_before == "the record" else stack.ledger
    dying = ChangedRepositories(HOME, ROLE_PATH, a_policy(), account.registry, ledger, notices, stack.queue("prunes"))
    with pytest.raises(Killed):
        dying.handle(stack.message(body, id="a"))
    outcome = changed(account, stack).handle(stack.message(body, id="a", receives=2))
    assert outcome.name == "Corrected"
    (notice,) = stack.notices()
    assert "tag immutability  MUTABLE → IMMUTABLE except latest, sha256-*" in text(notice)


class Killed(Exception):
    """The sandbox is gone."""


class _Broken:
    def send_all(self, _: Any) -> None:
        raise Killed


class _Dies:
    """A ledger whose sandbox is killed at its nth record."""

    def __init__(self, ledger: Ledger, *, after: int) -> None:
        self._ledger = ledger
        self._left = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def record(self, *arguments: Any, **named: Any) -> None:
        self._left -= 1
        if not self._left:
            raise Killed
        self._ledger.record(*arguments, **named)


PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage", "Sid": "open"}
OWN = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "ecr:BatchGetImage", "Sid": "own"}


@pytest.mark.parametrize(("statements", "left"), [([PUBLIC], None), ([PUBLIC, OWN], [OWN])])
def test_an_open_repository_is_closed_and_the_old_policy_kept(
    account: Account, stack: Stack, statements: list[Any], left: list[Any] | None
) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    original = json.dumps({"Version": "2012-10-17", "Statement": statements})
    account.access_policies["team/app"] = original
    policy = a_policy(access__forbid_public=True)
    changed(account, stack, policy).handle(stack.message(api_call("SetRepositoryPolicy", "team/app")))
    now = account.access_policies.get("team/app")
    assert (json.loads(now)["Statement"] if now else None) == left
    first = next(entry for entry in stack.ledger.history("team/app") if "repository policy" in str(entry.details))
    assert first.details["original"] == original


def test_a_repository_that_is_gone_or_an_event_for_others_is_left_alone(account: Account, stack: Stack) -> None:
    function = changed(account, stack)
    assert function.handle(stack.message(api_call("CreateRepository", "team/app"))).name == "Gone"
    body = api_call("CreateRepository", "team/app", errorCode="AccessDenied")
    assert function.handle(stack.message(body)).name == "NotForUs"
