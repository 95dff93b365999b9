"""Pruning as the function does it, on the local cloud's registry: what must live lives, whatever the rules say."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.account import Stack
from tests.builders import HOME, NOW, a_policy, event
from tests.functions import text
from tests.local_account import LocalAccount, inventory, turn
from tests.wire import error
from warden import prune_events
from warden.errors import Unavailable
from warden.lifecycle.shields import lease_of
from warden.names import Digest, RepositoryName
from warden.policy import Policy
from warden.usage import Use


def asked(*rules: dict[str, Any], **fields: Any) -> Policy:
    """A policy that enforces these rules and deletes, with what is in use protected."""
    base = {"lifecycle__action": "delete", "lifecycle__protect__in_use": True}
    return a_policy(**{**base, "lifecycle__rules": list(rules), **fields})


def used(reference: str, by: str = "ECS service prod/web") -> Use:
    return Use(RepositoryName("team/app"), reference, by)


@pytest.fixture
def local() -> LocalAccount:
    local = LocalAccount()
    local.create()
    return local


OLD = {"of": "any", "after_days": 30}


def run(local: LocalAccount, stack: Stack, policy: Policy) -> str:
    return local.pruning(stack, policy).handle(stack.message(turn(stack))).name


def test_what_is_old_leaves_by_ecrs_own_rule_and_what_runs_is_leased(local: LocalAccount, stack: Stack) -> None:
    old, runs, young = local.push("a", "v1", days=90), local.push("b", "v2", days=80), local.push("c", "v3", days=3)
    inventory(stack, used(runs))
    assert run(local, stack, asked(OLD)) == "Done"
    assert [tag[:12] for tag in local.images()[runs]] == ["v2", "warden.keep-"]
    assert local.images()[young] == ("v3",)
    assert local.run_lifecycle() == {old}
    assert [rule["selection"].get("tagPatternList") for rule in local.policy()] == [["warden.keep-*"], None]


def test_a_second_turn_changes_nothing(local: LocalAccount, stack: Stack) -> None:
    local.push("a", "v1", days=90)
    runs = local.push("b", "v2", days=80)
    inventory(stack, used(runs))
    policy = asked(OLD)
    run(local, stack, policy)
    before = len(local.writes())
    assert run(local, stack, policy) == "Done"
    local.run_lifecycle()
    assert run(local, stack, policy) == "Nothing"
    assert local.writes()[before:] == []


def test_in_report_mode_nothing_is_changed(local: LocalAccount, stack: Stack) -> None:
    local.push("a", "v1", days=90)
    inventory(stack, used(local.push("b", "v2", days=80)))
    before = local.writes()
    assert run(local, stack, asked(OLD, lifecycle__mode="report")) == "Reported"
    assert local.writes() == before
    assert local.policy() == []
    assert "StartLifecyclePolicyPreview" in local.wire.operations()


def test_an_inventory_that_failed_blocks_and_suspends_what_stood(local: LocalAccount, stack: Stack) -> None:
    old = local.push("a", "v1", days=90)
    policy = asked(OLD)
    inventory(stack)
    assert run(local, stack, policy) == "Done"
    inventory(stack, missing="AccessDenied")
    assert run(local, stack, policy) == "Suspended"
    assert local.run_lifecycle() == set()
    inventory(stack)
    assert run(local, stack, policy) == "Done"
    assert local.run_lifecycle() == {old}


def test_an_image_in_use_by_its_tag_lives(local: LocalAccount, stack: Stack) -> None:
    runs = local.push("a", "prod", days=90)
    inventory(stack, used("prod"))
    run(local, stack, asked(OLD))
    assert local.run_lifecycle() == set()
    assert runs in local.images()


def test_index_children_and_signatures_of_what_runs_live(local: LocalAccount, stack: Stack) -> None:
    parts = [local.push(seed, days=90) for seed in ("amd64", "arm64")]
    whole = local.push("index", "v1", days=90, lists=("amd64", "arm64"))
    signature = local.push("signature", f"sha256-{whole.partition(':')[2]}.sig", days=90)
    attached = local.push("sbom", days=90, subject="index")
    gone = local.push("old", "v0", days=90)
    inventory(stack, used(whole))
    run(local, stack, asked(OLD))
    assert local.run_lifecycle() == {gone}
    assert {*parts, whole, signature, attached} <= set(local.images())


def test_a_child_that_runs_outlives_its_index(local: LocalAccount, stack: Stack) -> None:
    child, other = local.push("amd64", days=90), local.push("arm64", days=90)
    whole = local.push("index", "v1", days=90, lists=("amd64", "arm64"))
    inventory(stack, used(child))
    run(local, stack, asked(OLD))
    assert local.run_lifecycle() == {whole, other}
    assert child in local.images()


def test_protected_tags_live_with_all_that_they_consist_of(local: LocalAccount, stack: Stack) -> None:
    child = local.push("amd64", days=90)
    whole = local.push("index", "prod-7", days=90, lists=("amd64",))
    gone = local.push("old", "v0", days=90)
    inventory(stack)
    run(local, stack, asked(OLD, lifecycle__protect__tags=["prod-*"]))
    assert local.run_lifecycle() == {gone}
    assert {child, whole} <= set(local.images())


def test_a_lease_is_lifted_after_the_grace_period(local: LocalAccount, stack: Stack) -> None:
    runs = local.push("b", "v2", days=80)
    policy = asked(OLD)
    inventory(stack, used(runs))
    run(local, stack, policy)
    inventory(stack)
    run(local, stack, policy)
    assert len(local.images()[runs]) == 2, "in grace"
    run(local, stack, asked(OLD, lifecycle__protect__grace=-1))
    assert local.images()[runs] == ("v2",)
    assert local.run_lifecycle() == {runs}


def test_an_image_without_other_tags_is_not_deleted_by_lifting_its_lease_but_by_its_rule(
    local: LocalAccount, stack: Stack
) -> None:
    bare = local.push("b", days=80)
    young = local.push("c", days=1)
    inventory(stack, used(bare), used(young))
    run(local, stack, asked({"of": "untagged", "after_days": 30}))
    assert len(local.images()[bare]) == len(local.images()[young]) == 1
    inventory(stack)
    run(local, stack, asked({"of": "untagged", "after_days": 30}, lifecycle__protect__grace=-1))
    assert bare not in local.images()
    assert young in local.images()


@pytest.mark.parametrize(
    ("caps", "result"),
    [
        ({"lifecycle__caps__percent": 0}, "Refused"),
        ({"lifecycle__caps__percent": 25}, "Refused"),
        ({"lifecycle__caps__percent": 50}, "Done"),
        ({"lifecycle__caps__images": 1}, "Refused"),
        ({"lifecycle__caps__images": 2}, "Done"),
        ({"lifecycle__caps__bytes": 1}, "Refused"),
    ],
)
def test_caps_hold(local: LocalAccount, stack: Stack, caps: dict[str, Any], result: str) -> None:
    for number in range(4):
        local.push(f"image {number}", f"v{number}", days=90 if number < 2 else 1)
    inventory(stack)
    assert run(local, stack, asked(OLD, **caps)) == result
    assert bool(local.policy()) is (result == "Done")


def test_what_ecr_has_no_rule_for_is_deleted_directly_and_its_manifest_is_kept(
    local: LocalAccount, stack: Stack
) -> None:
    idle = local.push("a", "v1", days=90, pulled=80)
    pulled = local.push("b", "v2", days=90, pulled=2)
    runs = local.push("c", "v3", days=90, pulled=80)
    inventory(stack, used(runs))
    function = local.pruning(stack, asked({"of": "any", "not_pulled_days": 30}))
    assert function.handle(stack.message(turn(stack))).name == "Done"
    assert set(local.images()) == {pulled, runs}
    assert function.prunings.manifest(RepositoryName("team/app"), idle) is not None
    history = stack.ledger.history(f"team/app@{idle}")
    assert [entry.kind for entry in history] == ["left"]
    assert "by the warden" in history[0].text


def test_a_marked_image_waits_and_is_taken_back_when_it_is_used_again(local: LocalAccount, stack: Stack) -> None:
    first, second = local.push("a", "v1", days=90), local.push("b", "v2", days=90)
    inventory(stack)
    policy = asked(OLD, lifecycle__wait=0)
    run(local, stack, policy)
    assert set(local.images()) == {first, second}, "marked"
    inventory(stack, used(first))
    run(local, stack, policy)
    assert set(local.images()) == {first}


def test_an_image_that_is_tagged_meanwhile_stays(local: LocalAccount, stack: Stack) -> None:
    idle = local.push("a", "v1", days=90, pulled=80)
    inventory(stack)

    def retag(operation: str) -> None:
        if operation == "DescribeImages" and "imageIds" in dict(local.wire.requests[-1][1]):
            local.before_call = lambda _: None
            local.push("a", "now-needed", days=90)

    local.before_call = retag
    run(local, stack, asked({"of": "any", "not_pulled_days": 30}))
    assert idle in local.images()


def test_a_preview_that_disagrees_with_our_own_evaluation_blocks(local: LocalAccount, stack: Stack) -> None:
    local.push("a", "v1", days=90)
    spared = local.push("b", "v2", days=3)
    inventory(stack)
    answer: Callable[..., Any] = local._answer

    def lie(operation: str, request: Any) -> Any:
        status, body = answer(operation, request)
        if operation == "GetLifecyclePolicyPreview":
            body = body.replace(local.digest("a"), spared)
        return status, body

    local.wire._answers = lie
    assert run(local, stack, asked(OLD)) == "Refused"
    assert local.policy() == []


def test_an_image_that_is_pushed_during_the_preview_is_no_disagreement(local: LocalAccount, stack: Stack) -> None:
    """The third of the two that are kept makes ECR take one more than we saw: all is looked at anew."""
    first, _ = local.push("a", "v1", days=9), local.push("b", "v2", days=8)
    inventory(stack)
    function = local.pruning(stack, asked({"of": "v*", "keep": 2}))

    def push(operation: str) -> None:
        if operation == "StartLifecyclePolicyPreview":
            local.before_call = lambda _: None
            local.push("c", "v3")

    local.before_call = push
    with pytest.raises(Unavailable, match="changed while"):
        function.handle(stack.message(turn(stack)))
    local.small.pass_time(seconds=5)
    assert function.handle(stack.message(turn(stack))).name == "Done"
    assert local.run_lifecycle() == {first}


def test_a_policy_of_ours_that_nobody_looks_after_is_told(local: LocalAccount, stack: Stack) -> None:
    local.push("a", "v1", days=90)
    inventory(stack)
    run(local, stack, asked(OLD))
    stack.bodies("own")
    inventory(stack)
    function = local.pruning(stack, asked(OLD, lifecycle__mode="report"))
    function.handle(stack.message(turn(stack)))
    for body in stack.bodies("own"):
        function.handle(stack.message(body))
    assert any("still acts" in text(notice) for notice in stack.notices())


def test_a_lease_that_somebody_pushed_away_is_given_back(local: LocalAccount, stack: Stack) -> None:
    runs = local.push("a", "v1", days=90)
    inventory(stack, used(runs))
    run(local, stack, asked(OLD))
    thief = local.push("b", lease_of(runs))
    assert local.images()[runs] == ("v1",)
    run(local, stack, asked(OLD))
    assert local.images()[runs] == ("v1", lease_of(runs))
    assert local.images()[thief] == ()


def test_a_policy_of_ours_is_known_though_its_successor_was_never_put(local: LocalAccount, stack: Stack) -> None:
    """The sandbox dies before the put, and when the message comes again it is not known what runs any more."""
    old = local.push("a", "v1", days=90)
    inventory(stack)
    run(local, stack, asked(OLD))
    inventory(stack)
    function = local.pruning(stack, asked({"of": "any", "after_days": 40}))

    def die(operation: str) -> None:
        if operation == "PutLifecyclePolicy":
            raise KeyboardInterrupt

    local.before_call = die
    message = stack.message(turn(stack), id="one")
    with pytest.raises(KeyboardInterrupt):
        function.handle(message)
    local.before_call = lambda _: None
    inventory(stack, missing="AccessDenied")
    assert function.handle(stack.message(turn(stack), id="one", receives=2)).name == "Suspended"
    assert local.run_lifecycle() == set()
    assert old in local.images()


def test_an_image_whose_manifest_can_not_be_read_is_not_deleted(local: LocalAccount, stack: Stack) -> None:
    idle, unreadable = local.push("a", "v1", days=90), local.push("b", "v2", days=90)
    inventory(stack)
    answer: Callable[..., Any] = local._answer

    def hide(operation: str, request: Any) -> Any:
        if operation == "BatchGetImage":
            request = {
                **request,
                "imageIds": [one for one in request["imageIds"] if one != {"imageDigest": unreadable}],
            }
        return answer(operation, request)

    local.wire._answers = hide
    run(local, stack, asked({"of": "any", "not_pulled_days": 30}))
    assert set(local.images()) == {unreadable}
    assert stack.ledger.history(f"team/app@{idle}")


def test_a_policy_of_ours_is_told_where_the_lifecycle_was_turned_off(local: LocalAccount, stack: Stack) -> None:
    local.push("a", "v1", days=90)
    inventory(stack)
    run(local, stack, asked(OLD))
    stack.bodies("own")
    inventory(stack)
    function = local.pruning(stack, asked(OLD, lifecycle__mode="off"))
    before = local.writes()
    assert function.handle(stack.message(turn(stack))).name == "Nothing"
    assert local.writes() == before
    for body in stack.bodies("own"):
        function.handle(stack.message(body))
    assert any("still acts" in text(notice) for notice in stack.notices())


def test_no_inventory_at_all_blocks(local: LocalAccount, stack: Stack) -> None:
    local.push("a", "v1", days=90)
    assert run(local, stack, asked(OLD)) == "Refused"
    assert local.policy() == []


def test_a_repository_is_pruned_by_one_at_a_time(local: LocalAccount, stack: Stack) -> None:
    local.push("a", "v1", days=90)
    inventory(stack)
    function = local.pruning(stack, asked(OLD))

    def another(operation: str) -> None:
        if operation == "StartLifecyclePolicyPreview":
            local.before_call = lambda _: None
            with pytest.raises(Unavailable):
                function.handle(stack.message(turn(stack)))

    local.before_call = another
    assert function.handle(stack.message(turn(stack))).name == "Done"


def test_what_left_is_in_its_history_with_its_rule_and_told_with_the_next_sweep(
    local: LocalAccount, stack: Stack
) -> None:
    old = local.push("a", "v1", days=90)
    function = local.pruning(stack, asked(OLD))
    inventory(stack)
    function.handle(stack.message(turn(stack)))
    assert stack.ledger.history(f"team/app@{old}") == ()
    local.run_lifecycle()
    inventory(stack)
    function.handle(stack.message(turn(stack)))
    (entry,) = stack.ledger.history(f"team/app@{old}")
    assert entry.kind == "left"
    assert "delete all images 30 days after the push" in entry.text
    assert "warden.yaml:1 rules[0]" in entry.text
    outcomes = [function.handle(stack.message(body)).name for body in stack.bodies("own")]
    assert outcomes == ["SummedUp", "SummedUp"]
    leaves, left = stack.notices()
    assert [table.title for table in leaves.tables][:1] == ["What leaves within a day"]
    assert [table.title for table in left.tables][:1] == ["What has left"]


def test_an_event_of_a_deletion_is_written_down_at_once_and_only_once(local: LocalAccount, stack: Stack) -> None:
    old, young = local.push("a", "v1", "v1.0", days=90), local.push("b", "v2")
    function = local.pruning(stack, asked(OLD))
    inventory(stack)
    function.handle(stack.message(turn(stack)))

    def told(digest: Digest) -> str:
        detail = {"action-type": "DELETE", "result": "SUCCESS", "repository-name": "team/app", "image-digest": digest}
        return function.handle(stack.message(event("ECR Image Action", detail))).name

    assert told(old) == "StillThere", "it has lost a tag, perhaps"
    local.run_lifecycle()
    assert told(old) == told(old) == "WrittenDown"
    inventory(stack)
    function.handle(stack.message(turn(stack)))
    assert [entry.kind for entry in stack.ledger.history(f"team/app@{old}")] == ["left"]
    local.small.call("BatchDeleteImage", repositoryName="team/app", imageIds=[{"imageDigest": young}])
    assert told(young) == "WrittenDown"
    (entry,) = stack.ledger.history(f"team/app@{young}")
    assert "by no rule of the policy" in entry.text


def test_a_policy_execution_event_gives_the_rule_of_somebody_elses_policy(local: LocalAccount, stack: Stack) -> None:
    gone = local.push("a", "v1", days=90)
    local.small.call("BatchDeleteImage", repositoryName="team/app", imageIds=[{"imageDigest": gone}])
    done = {
        "repositoryName": "team/app",
        "lifecycleEventImageActions": [{"lifecycleEventImage": {"digest": gone}, "rulePriority": 7}],
    }
    body = event("AWS Service Event via CloudTrail", {"eventName": "PolicyExecutionEvent", "serviceEventDetails": done})
    assert local.pruning(stack, asked(OLD)).handle(stack.message(body)).name == "WrittenDown"
    (entry,) = stack.ledger.history(f"team/app@{gone}")
    assert "rule 7" in entry.text


def test_a_refusal_is_told_once_and_names_the_images(local: LocalAccount, stack: Stack) -> None:
    for number in range(4):
        local.push(f"image {number}", f"v{number}", days=90)
    function = local.pruning(stack, asked(OLD, lifecycle__caps__images=2))
    for _ in range(2):
        inventory(stack)
        function.handle(stack.message(turn(stack)))
        for body in stack.bodies("own"):
            function.handle(stack.message(body))
    (notice,) = stack.notices()
    assert "4 images would leave, and 2 may: lifecycle.caps.images (warden.yaml:1)" in text(notice)
    assert {entry.kind for entry in stack.ledger.history("team/app")} == {"not pruned"}


def test_a_policy_that_ecr_does_not_take_is_a_refusal(local: LocalAccount, stack: Stack) -> None:
    local.push("a", "v1", days=90)
    answer: Callable[..., Any] = local._answer

    def refuse(operation: str, request: Any) -> Any:
        if operation == "StartLifecyclePolicyPreview":
            return error("InvalidParameterException", "no such thing as an archive here")
        return answer(operation, request)

    local.wire._answers = refuse
    inventory(stack)
    assert run(local, stack, asked(OLD)) == "Refused"
    assert local.policy() == []


def test_a_summary_waits_for_all_repositories_and_not_for_ever(local: LocalAccount, stack: Stack) -> None:
    local.push("a", "v1", days=90)
    function = local.pruning(stack, asked(OLD))
    sweep = inventory(stack, repositories=2)
    function.handle(stack.message(turn(stack)))
    summary = prune_events.summary_due(sweep, at=NOW, home=HOME)
    assert function.handle(stack.message(summary)).name == "SummaryPostponed"
    assert stack.held_back("own") == 1
    assert function.handle(stack.message(summary, now=NOW + timedelta(hours=7))).name == "SummedUp"


def test_a_policy_of_ours_goes_when_nothing_is_asked_any_more(local: LocalAccount, stack: Stack) -> None:
    local.push("a", "v1", days=90)
    inventory(stack)
    run(local, stack, asked(OLD))
    assert local.policy()
    run(local, stack, asked())
    assert local.policy() == []


THEIRS = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "what somebody else wrote",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
                "action": {"type": "expire"},
            }
        ]
    }
)


def test_a_policy_of_somebody_else_stays_when_nothing_is_asked_and_is_remarked_on(
    local: LocalAccount, stack: Stack
) -> None:
    runs = local.push("a", "v1", days=90)
    local.push("b", "v2", days=1)
    local.small.call("PutLifecyclePolicy", repositoryName="team/app", lifecyclePolicyText=THEIRS)
    inventory(stack, used(runs))
    function = local.pruning(stack, asked())
    assert function.handle(stack.message(turn(stack))).name == "Nothing"
    assert json.dumps(local.policy()) == json.dumps(json.loads(THEIRS)["rules"])
    for body in stack.bodies("own"):
        function.handle(stack.message(body))
    (notice,) = stack.notices()
    assert "ECS service prod/web" in text(notice)


def test_a_protection_that_no_image_of_any_repository_has_is_told(local: LocalAccount, stack: Stack) -> None:
    local.create("team/other")
    local.push("a", "prod-1", days=90)
    local.push("b", "v2", days=1, repository="team/other")
    function = local.pruning(stack, asked(OLD, lifecycle__protect__tags=["prod-*", "porduction-*"]))
    inventory(stack, repositories=2)
    for name in ("team/app", "team/other"):
        function.handle(stack.message(turn(stack, name)))
    for body in stack.bodies("own"):
        function.handle(stack.message(body))
    said = "\n".join(map(text, stack.notices()))
    assert "porduction-* protects nothing: no image of 2 repositories has such a tag" in said
    assert "prod-* protects nothing" not in said
