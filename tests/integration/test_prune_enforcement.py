"""What stands in the way of pruning, and what goes wrong on the way: nothing leaves that should not, and it is told."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from prune import Pruning
from tests.account import Stack
from tests.builders import HOME, NOW, a_policy, event
from tests.conformance.cloud import sha256
from tests.local_account import LocalAccount, inventory, turn
from tests.unit.local.images import of_layers, put
from tests.wire import Answer, error, ok
from warden import prune_events
from warden.errors import Unavailable
from warden.inventories import FRESH
from warden.lifecycle.shields import lease_of
from warden.names import Digest, RepositoryName
from warden.policy import Policy
from warden.prune_reports import read
from warden.pruning import PruneReport, PruneResult
from warden.queues import Message
from warden.usage import Use

APP = RepositoryName("team/app")
OLD = {"of": "any", "after_days": 30}
IDLE = {"of": "any", "not_pulled_days": 30}
LABELLED = {"of": "pr-*", "after_days": 30, "label": "temporary=true"}


def asked(*rules: dict[str, Any], **fields: Any) -> Policy:
    base = {"lifecycle__action": "delete", "lifecycle__protect__in_use": True}
    return a_policy(**{**base, "lifecycle__rules": list(rules), **fields})


def used(reference: str) -> Use:
    return Use(APP, reference, "ECS service prod/web")


@pytest.fixture
def local() -> LocalAccount:
    local = LocalAccount()
    local.create()
    return local


def run(function: Pruning, stack: Stack, **delivery: Any) -> PruneReport:
    """The repository's turn in the last sweep, and what is kept of it for the summary."""
    function.handle(stack.message(turn(stack), **delivery))
    sweep = function.inventories.latest()
    (report,) = map(read, function.prunings.reports(str(sweep)))
    return report


def lying(local: LocalAccount, operation: str, lie: Callable[[Mapping[str, Any]], Answer]) -> None:
    """Let the registry answer one operation so."""
    answer = local._answer
    local.wire._answers = lambda name, request: lie(request) if name == operation else answer(name, request)


def calls(local: LocalAccount, operation: str) -> list[Mapping[str, Any]]:
    return [request for name, request in local.wire.requests if name == operation]


def kinds(stack: Stack, one: Digest) -> list[str]:
    return [entry.kind for entry in stack.ledger.history(f"{APP}@{one}")]


def archive(local: LocalAccount, one: Digest) -> None:
    local.small.call(
        "UpdateImageStorageClass", repositoryName=APP, imageId={"imageDigest": one}, targetStorageClass="ARCHIVE"
    )


def test_a_lease_can_be_put_where_tags_are_immutable(stack: Stack) -> None:
    local = LocalAccount()
    local.create(imageTagMutability="IMMUTABLE")
    runs, old = local.push("runs", "v1", days=90), local.push("old", "v2", days=80)
    inventory(stack, used(runs))
    assert run(local.pruning(stack, asked(OLD)), stack).leased == 1
    assert local.images()[runs] == ("v1", lease_of(runs))
    assert local.run_lifecycle() == {old}


def test_a_lease_that_another_image_has_in_a_repository_of_immutable_tags_refuses_everything(stack: Stack) -> None:
    """Whoever may push can take the name of a lease: then nothing leaves, and the image in use is named."""
    local = LocalAccount()
    local.create(imageTagMutability="IMMUTABLE")
    runs = local.push("runs", "v1", days=90)
    local.push("old", "v2", days=80)
    local.push("thief", lease_of(runs), days=1)
    inventory(stack, used(runs))
    report = run(local.pruning(stack, asked(OLD)), stack)
    assert report.result is PruneResult.REFUSED
    (refusal,) = report.refusals
    assert refusal.why == "images that must live can't get a lease"
    assert [one.image.digest for one in refusal.images] == [runs]
    assert "another image has the tag" in refusal.images[0].why
    assert kinds(stack, runs) == ["lease refused", "leased"]
    assert local.policy() == []
    assert "StartLifecyclePolicyPreview" not in local.wire.operations()


def test_a_lease_that_another_image_has_moves_where_tags_may_move(local: LocalAccount, stack: Stack) -> None:
    runs = local.push("runs", "v1", days=90)
    thief = local.push("thief", lease_of(runs), "v2", days=80)
    inventory(stack, used(runs))
    assert run(local.pruning(stack, asked(OLD)), stack).result is PruneResult.DONE
    assert local.images() == {runs: ("v1", lease_of(runs)), thief: ("v2",)}
    assert local.run_lifecycle() == {thief}


def test_an_image_that_loses_its_other_tags_while_its_lease_is_lifted_is_not_deleted(
    local: LocalAccount, stack: Stack
) -> None:
    held = local.push("held", "v1", lease_of(local.push("other", "v2")), days=3)
    inventory(stack)
    answer = local._answer

    def untag(request: Mapping[str, Any]) -> Answer:
        if "imageIds" in request:
            ids: list[Any] = [{"imageTag": "v1"}]
            local.small.call("BatchDeleteImage", repositoryName=APP, imageIds=ids)
            local.wire._answers = answer
        return answer("DescribeImages", request)

    lying(local, "DescribeImages", untag)
    run(local.pruning(stack, asked(OLD)), stack)
    assert local.images()[held] == (lease_of(local.digest("other")),)
    assert calls(local, "BatchDeleteImage") == []


def test_an_index_that_can_not_be_read_refuses_and_is_named(local: LocalAccount, stack: Stack) -> None:
    local.push("amd64", days=90)
    whole = local.push("index", "v1", days=90, lists=("amd64",))
    archive(local, whole)
    inventory(stack)
    report = run(local.pruning(stack, asked(OLD)), stack)
    assert report.result is PruneResult.REFUSED
    assert [(refusal.why, [one.image.digest for one in refusal.images]) for refusal in report.refusals] == [
        ("indexes can't be read, so that what they list is not known", [whole])
    ]
    (entry,) = stack.ledger.history(APP)
    assert entry.details["images"].startswith(whole)


def test_what_ecr_has_no_rule_for_is_archived_one_by_one(local: LocalAccount, stack: Stack) -> None:
    olds = [local.push(f"old {number}", f"v1.0.{number}", days=90 - number) for number in range(3)]
    newest = local.push("newest", "v1.0.9", days=1)
    inventory(stack)
    policy = asked({"of": "v*", "keep": 1, "per": "minor"}, lifecycle__action="archive")
    report = run(local.pruning(stack, policy), stack)
    assert (report.result, len(report.leaving)) == (PruneResult.DONE, 3)
    assert local.archived() == set(olds)
    assert set(local.images()) == {newest}
    assert kinds(stack, olds[0]) == ["left"]


def test_what_ecr_will_not_archive_is_told_and_has_not_left(local: LocalAccount, stack: Stack) -> None:
    old = local.push("old", "v1.0.0", days=90)
    local.push("newest", "v1.0.9", days=1)
    lying(local, "UpdateImageStorageClass", lambda _: error("ImageStorageClassUpdateNotSupportedException", "not this"))
    inventory(stack)
    policy = asked({"of": "v*", "keep": 1, "per": "minor"}, lifecycle__action="archive")
    report = run(local.pruning(stack, policy), stack)
    assert [(one.why, one.images[0].image.digest, one.images[0].why) for one in report.refusals] == [
        ("ECR would not let them go", old, "not this")
    ]
    assert kinds(stack, old) == []


def test_many_are_deleted_a_hundred_at_a_time_and_each_failure_is_told(local: LocalAccount, stack: Stack) -> None:
    every = [local.push(f"image {number}", days=90) for number in range(250)]
    stuck = {every[7], every[123], every[249]}
    answer = local._answer

    def delete(request: Mapping[str, Any]) -> Answer:
        free = [one for one in request["imageIds"] if one["imageDigest"] not in stuck]
        gone = json.loads(answer("BatchDeleteImage", {**request, "imageIds": free})[1]) if free else {}
        failures = [
            {"imageId": one, "failureCode": "KmsError", "failureReason": "no key"}
            for one in request["imageIds"]
            if one not in free
        ]
        return ok({**gone, "failures": [*gone.get("failures", ()), *failures]})

    lying(local, "BatchDeleteImage", delete)
    inventory(stack)
    function = local.pruning(stack, asked(IDLE))
    report = run(function, stack)
    assert set(local.images()) == stuck
    assert [len(request["imageIds"]) for request in calls(local, "BatchDeleteImage")] == [100, 100, 50]
    (refusal,) = report.refusals
    assert refusal.why == "ECR would not let them go"
    assert {(one.image.digest, one.why) for one in refusal.images} == {(one, "KmsError: no key") for one in stuck}
    assert [kinds(stack, one) for one in every[6:8]] == [["left"], []]
    assert function.prunings.manifest(APP, every[0]) is not None


def test_others_that_keep_changing_the_policy_are_left_to_it(local: LocalAccount, stack: Stack) -> None:
    local.push("old", "v1", days=90)
    idle = local.push("idle", "w1", days=90)
    stack.ledger.stand_back(APP, "lifecycle policy", why="changed 3 times", now=NOW, until=NOW + timedelta(days=1))
    inventory(stack)
    report = run(local.pruning(stack, asked({"of": "v*", "after_days": 30}, IDLE)), stack)
    assert report.result is PruneResult.REFUSED
    assert [refusal.why for refusal in report.refusals] == ["needs a person: changed 3 times"]
    assert local.policy() == []
    assert idle in local.images(), "nothing leaves by the warden either"


def test_a_policy_of_ours_is_suspended_even_where_others_mind(local: LocalAccount, stack: Stack) -> None:
    local.push("old", "v1", days=90)
    inventory(stack)
    run(local.pruning(stack, asked(OLD)), stack)
    stack.ledger.stand_back(APP, "lifecycle policy", why="changed 3 times", now=NOW, until=NOW + timedelta(days=1))
    inventory(stack, missing="AccessDenied")
    assert run(local.pruning(stack, asked(OLD)), stack).result is PruneResult.SUSPENDED
    assert local.run_lifecycle() == set()


def test_a_suspension_that_ecr_refuses_is_told(local: LocalAccount, stack: Stack) -> None:
    local.push("old", "v1", days=90)
    inventory(stack)
    run(local.pruning(stack, asked(OLD)), stack)
    lying(local, "PutLifecyclePolicy", lambda _: error("InvalidParameterException", "not today"))
    inventory(stack, missing="AccessDenied")
    report = run(local.pruning(stack, asked(OLD)), stack)
    assert report.result is PruneResult.REFUSED
    assert "the policy still stands: refused by ECR" in report.refusals[-1].why


def test_what_is_suspended_is_not_suspended_again(local: LocalAccount, stack: Stack) -> None:
    local.push("old", "v1", days=90)
    inventory(stack)
    run(local.pruning(stack, asked(OLD)), stack)
    for _ in range(2):
        inventory(stack, missing="AccessDenied")
        assert run(local.pruning(stack, asked(OLD)), stack).result is PruneResult.SUSPENDED
    assert len(calls(local, "PutLifecyclePolicy")) == 2


def test_a_policy_of_somebody_else_is_never_suspended(local: LocalAccount, stack: Stack) -> None:
    local.push("old", "v1", days=90)
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 7}
    theirs = {"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]}
    local.small.call("PutLifecyclePolicy", repositoryName=APP, lifecyclePolicyText=json.dumps(theirs))
    inventory(stack, missing="AccessDenied")
    assert run(local.pruning(stack, asked(OLD)), stack).result is PruneResult.REFUSED
    assert local.policy() == theirs["rules"]


def test_a_standard_that_ecr_can_not_be_told_suspends_the_policy_that_stands(local: LocalAccount, stack: Stack) -> None:
    """It would go on without us: what is deployed from now on would get no lease."""
    old = local.push("old", "v1", days=90)
    inventory(stack)
    run(local.pruning(stack, asked(OLD)), stack)
    too_much = asked(*({"of": f"{number}-*", "after_days": 30} for number in range(60)))
    inventory(stack)
    report = run(local.pruning(stack, too_much), stack)
    assert report.result is PruneResult.SUSPENDED
    assert "ECR takes 50 rules" in report.refusals[0].why
    assert local.run_lifecycle() == set()
    assert old in local.images()
    assert any(entry.kind == "not pruned" and "50 rules" in entry.text for entry in stack.ledger.history(APP))


def test_an_image_that_is_pulled_during_the_preview_is_no_disagreement(local: LocalAccount, stack: Stack) -> None:
    idle = local.push("idle", "v1", days=90, pulled=80)
    inventory(stack)
    function = local.pruning(stack, asked(IDLE, lifecycle__action="archive"))

    def pull(operation: str) -> None:
        if operation == "StartLifecyclePolicyPreview":
            local.before_call = lambda _: None
            local.small.ecr.registry.repository(APP).images[idle].pulled_at = NOW

    local.before_call = pull
    with pytest.raises(Unavailable, match="changed while"):
        function.handle(stack.message(turn(stack)))
    local.small.pass_time(seconds=5)
    assert run(function, stack).leaving == ()


def test_a_mark_does_not_outlive_report_mode(local: LocalAccount, stack: Stack) -> None:
    """Used and no longer used while nobody was looking: it waits anew."""
    idle = local.push("idle", "v1", days=90)
    inventory(stack)
    function = local.pruning(stack, asked(IDLE, lifecycle__wait=3))
    assert run(function, stack).marked == 1
    inventory(stack, used(idle))
    run(local.pruning(stack, asked(IDLE, lifecycle__wait=3, lifecycle__mode="report")), stack)
    assert function.prunings.marks(APP) == {}
    later = NOW + timedelta(days=20)
    inventory(stack, now=later)
    assert run(function, stack, now=later).marked == 1
    assert idle in local.images()


def labelled(local: LocalAccount, tag: str, *, days: float = 90, **labels: str) -> Digest:
    """An image whose configuration has these labels."""
    built = of_layers(tag.encode())
    config = json.dumps({"config": {"Labels": labels}}).encode()
    text = json.loads(built.text)
    text["config"] |= {"digest": sha256(config), "size": len(config)}
    now, local.small.now = local.small.now, NOW - timedelta(days=days)
    one = Digest(put(local.small, replace(built, text=json.dumps(text), blobs=(config, *built.blobs[1:])), tag))
    local.small.now = now
    return one


def test_labels_decide_and_are_read_of_candidates_alone_and_once(local: LocalAccount, stack: Stack) -> None:
    temporary, lasting = labelled(local, "pr-1", temporary="true"), labelled(local, "pr-2", temporary="no")
    young, other = labelled(local, "pr-3", days=3, temporary="true"), labelled(local, "v1", temporary="true")
    inventory(stack)
    function = local.pruning(stack, asked(LABELLED))
    run(function, stack)
    assert set(local.images()) == {lasting, young, other}
    configurations = calls(local, "GetDownloadUrlForLayer")
    assert len(configurations) == 2
    inventory(stack)
    run(function, stack)
    assert len(calls(local, "GetDownloadUrlForLayer")) == 2, "a digest's labels never change"
    assert kinds(stack, temporary) == ["left"]


def test_every_image_has_its_turn_however_many_there_are(local: LocalAccount, stack: Stack) -> None:
    """Those that are looked at first have not the label, and stay."""
    lasting = [labelled(local, f"pr-{number}", days=99 - number, temporary="no") for number in range(4)]
    temporary = labelled(local, "pr-9", temporary="true")
    function = replace(local.pruning(stack, asked(LABELLED)), most_labels=2)
    for there in (True, True, False):
        inventory(stack)
        run(function, stack)
        assert (temporary in local.images()) is there
    assert set(local.images()) == set(lasting)


@pytest.mark.parametrize(
    "manifest",
    [
        ok({"images": [{"imageManifest": "no JSON"}], "failures": []}),
        ok({"images": [], "failures": [{"failureCode": "KmsError"}]}),
        ok({"images": [], "failures": [{"failureCode": "ImageNotFound"}]}),
        ok({"images": [{"imageManifest": "{}"}], "failures": []}),
    ],
    ids=["no JSON", "unreadable", "gone", "no configuration"],
)
def test_an_image_whose_labels_can_not_be_known_is_never_taken_and_stops_nothing(
    manifest: Answer, local: LocalAccount, stack: Stack
) -> None:
    one = labelled(local, "pr-1", temporary="true")
    lying(local, "BatchGetImage", lambda _: manifest)
    inventory(stack)
    function = local.pruning(stack, asked(LABELLED))
    assert run(function, stack).result in {PruneResult.DONE, PruneResult.NOTHING}
    assert one in local.images()
    local.wire._answers = local._answer
    inventory(stack)
    run(function, stack)
    assert one in local.images(), "it is asked again in a week"
    later = NOW + timedelta(days=8)
    inventory(stack, now=later)
    run(function, stack, now=later)
    assert one not in local.images()


def test_an_inventory_of_the_day_before_yesterday_is_none(local: LocalAccount, stack: Stack) -> None:
    local.push("old", "v1", days=90)
    inventory(stack)
    report = run(local.pruning(stack, asked(OLD)), stack, now=NOW + FRESH + timedelta(minutes=1))
    assert report.refusals[0].missing == ("the last inventory is of 23 Nov 12:00 UTC",)
    assert local.policy() == []


def test_a_sweep_whose_inventory_is_not_there_blocks(local: LocalAccount, stack: Stack) -> None:
    local.push("old", "v1", days=90)
    function = local.pruning(stack, asked(OLD))
    assert function.handle(stack.message(prune_events.repository_due("7", APP, at=NOW, home=HOME))).name == "Refused"
    (report,) = map(read, function.prunings.reports("7"))
    assert report.refusals[0].missing == ("no inventory was taken yet: it is, with the next sweep",)


def test_where_use_is_not_asked_for_no_inventory_is_needed(local: LocalAccount, stack: Stack) -> None:
    old = local.push("old", "v1", days=90)
    policy = asked(OLD, lifecycle__protect__in_use=False)
    body = prune_events.repository_due("", APP, at=NOW, home=HOME)
    assert local.pruning(stack, policy).handle(stack.message(body)).name == "Done"
    assert local.run_lifecycle() == {old}


def test_without_a_sweep_the_last_inventory_counts(local: LocalAccount, stack: Stack) -> None:
    runs = local.push("runs", "v1", days=90)
    inventory(stack, used(runs))
    function = local.pruning(stack, asked(OLD))
    body = prune_events.repository_due("", APP, at=NOW, home=HOME)
    assert function.handle(stack.message(body)).name == "Done"
    assert len(local.images()[runs]) == 2
    assert function.prunings.reports("") == []


@pytest.mark.parametrize("fields", [{"lifecycle__mode": "off"}, {"lifecycle__rules": []}])
def test_where_nothing_is_asked_images_are_not_even_listed(
    fields: dict[str, Any], local: LocalAccount, stack: Stack
) -> None:
    local.push("old", "v1", days=90)
    inventory(stack)
    function = local.pruning(stack, asked(**{"lifecycle__rules": [OLD], **fields}))
    assert function.handle(stack.message(turn(stack))).name == "NothingAsked"
    assert "DescribeImages" not in local.wire.operations()


@pytest.mark.parametrize("goes_before", ["DescribeRepositories", "ListTagsForResource", "DescribeImages"])
def test_a_repository_that_goes_meanwhile_counts_as_looked_at(
    goes_before: str, local: LocalAccount, stack: Stack
) -> None:
    local.push("old", "v1", days=90)
    sweep = inventory(stack)

    def delete(operation: str) -> None:
        if operation == goes_before:
            local.before_call = lambda _: None
            local.small.call("DeleteRepository", repositoryName=APP, force=True)

    local.before_call = delete
    assert local.pruning(stack, asked(OLD)).handle(stack.message(turn(stack))).name == "NothingAsked"
    counts, _ = stack.tallies.read(f"prune#{sweep}")
    assert counts["looked_at"] == 1


def test_a_repository_that_goes_during_the_preview_is_looked_at_anew(local: LocalAccount, stack: Stack) -> None:
    local.push("old", "v1", days=90)
    inventory(stack)
    lying(local, "GetLifecyclePolicyPreview", lambda request: _gone_with_rows(local, request))
    with pytest.raises(Unavailable, match="changed while"):
        local.pruning(stack, asked(OLD)).handle(stack.message(turn(stack)))


def _gone_with_rows(local: LocalAccount, request: Mapping[str, Any]) -> Answer:
    """The preview is done, and the repository is gone."""
    text = calls(local, "StartLifecyclePolicyPreview")[-1]["lifecyclePolicyText"]
    if "maxResults" in request:
        local.small.call("DeleteRepository", repositoryName=APP, force=True)
    answer = {"lifecyclePolicyText": text, "status": "COMPLETE", "previewResults": [], "summary": {}}
    return ok(answer)


def test_what_is_not_for_us_is_dropped(local: LocalAccount, stack: Stack) -> None:
    assert local.pruning(stack, asked(OLD)).handle(stack.message(event("ECR Image Scan", {}))).name == "NotForUs"


def test_a_summary_of_nothing_says_nothing(local: LocalAccount, stack: Stack) -> None:
    function = local.pruning(stack, asked(OLD))
    sweep = inventory(stack, repositories=0)
    summary: Message = stack.message(prune_events.summary_due(sweep, at=NOW, home=HOME))
    assert function.handle(summary).name == "NothingNew"
    assert stack.notices() == []


class Killed(BaseException):
    """The sandbox is gone: nothing of ours may catch it."""


def test_what_has_left_is_told_though_the_sandbox_died_before_it_could_count(local: LocalAccount, stack: Stack) -> None:
    old = local.push("old", "v1", days=90)
    function = local.pruning(stack, asked(OLD))
    inventory(stack)
    run(function, stack)
    local.run_lifecycle()
    inventory(stack)

    def kill(params: Any, **_: Any) -> None:
        if '"sweep#prune#' in params["body"].decode():
            raise Killed

    stack.dynamodb.meta.events.register("before-call.dynamodb", kill)
    with pytest.raises(Killed):
        run(function, stack, id="the one")
    stack.dynamodb.meta.events.unregister("before-call.dynamodb", kill)
    assert [one.image.digest for one in run(function, stack, id="the one", receives=2).left] == [old]
    assert function.prunings.expected(APP) == {}
    assert kinds(stack, old) == ["left"]
