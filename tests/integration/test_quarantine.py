"""An image blocks, and is in quarantine; a later pass, an exemption or a person releases it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.builders import HOME, NOW, a_policy, image_id
from tests.functions import text
from tests.local_account import inventory
from tests.quarantining import ALICE, BY_PULL, BY_TAGS, World, a_world, days, one_stack
from tests.wire import error
from warden.errors import Unavailable
from warden.known import Verdict
from warden.ledger import Entry, Standing
from warden.lifecycle.shields import LEASED, lease_of
from warden.messages import judgement_request
from warden.names import ImageId, RepositoryName, Tag
from warden.notices import Level
from warden.policy import QuarantineBy
from warden.quarantine_events import Order
from warden.usage import Use

APP = RepositoryName("team/app")


@pytest.fixture(autouse=True, scope="module")
def shared() -> Iterator[None]:
    with one_stack():
        yield


def uses(reference: str, by: str = "ECS service prod/web") -> Use:
    return Use(APP, reference, by)


def changes(world: World) -> int:
    """How many calls have changed the registry."""
    return len(world.local.writes())


def test_an_image_that_blocks_loses_its_tags_and_stays() -> None:
    with a_world() as world:
        image = world.push("bad", "v1", "latest")
        outcome = world.settle(image)
        assert (outcome.name, outcome.subject) == ("Quarantined", str(image))
        assert world.tags(image) == ["quarantine.latest", "quarantine.v1"]
        assert world.state() == "quarantined"
        (notice,) = world.stack.notices()
        assert (notice.title, notice.level) == ("team/app:v1 is in quarantine", Level.ATTENTION)
        said = text(notice)
        assert "Who pulls it by its tag gets manifest unknown: Requested image not found" in said
        assert "v1 → quarantine.v1" in said
        assert f"warden release {image} --reason TEXT" in said
        (entry,) = world.history(image)
        assert entry.text == "put in quarantine: its verdict is block: 1 finding from critical on"
        assert entry.details == {
            "event": "scan 1",
            "result": "done",
            "what": "quarantine",
            "rule": "warden.yaml:1",
            "reason": "its verdict is block: 1 finding from critical on",
            "tags": "v1 (quarantine.v1), latest (quarantine.latest)",
        }


def test_an_image_that_blocks_denies_pulls_from_its_repository() -> None:
    with a_world(BY_PULL) as world:
        image = world.push("bad", "v1")
        assert world.settle(image).name == "Quarantined"
        assert world.tags(image) == ["v1"]
        assert "EcrWardenQuarantine" in (world.access_policy() or "")
        assert world.state() == "quarantined"
        (notice,) = world.stack.notices()
        assert "pulls from team/app are denied to everybody but the roles in quarantine.break_glass" in text(notice)
        assert "with an explicit deny in a resource-based policy" in text(notice)


@pytest.mark.parametrize("policy", [BY_TAGS, BY_PULL])
def test_a_later_pass_releases_it(policy: Any) -> None:
    with a_world(policy) as world:
        image = world.push("bad", "v1")
        world.settle(image)
        world.judge(image, Verdict.PASS)
        assert world.settle(image).name == "Released"
        assert world.tags(image) == ["v1"]
        assert world.access_policy() is None
        assert world.state() is None
        assert world.quarantines.of(image) is None
        assert world.quarantines.denial(APP) is None
        first, last = world.stack.notices()
        assert (last.title, last.level) == ("team/app:v1 is released from quarantine", Level.CHANGE)
        assert last.thread == first.thread
        assert world.history(image)[-1].text == "released from quarantine: its verdict is pass now"


@pytest.mark.parametrize("policy", [BY_TAGS, BY_PULL])
def test_what_is_settled_is_settled(policy: Any) -> None:
    with a_world(policy) as world:
        image = world.push("bad", "v1")
        world.settle(image)
        before = changes(world)
        world.stack.notices()
        assert world.settle(image).name == "NothingToDo"
        assert world.settle(image, id="scan 1", receives=2).name == "DoneBefore"
        assert changes(world) == before
        assert world.stack.notices() == []
        assert len(world.history(image)) == 1


def test_an_image_that_passes_is_nobodys_business() -> None:
    with a_world() as world:
        image = world.push("good", "v1", verdict=Verdict.PASS)
        assert world.settle(image).name == "NothingToDo"
        assert (changes(world), world.history(image), world.stack.notices()) == (0, [], [])


def test_a_person_releases_what_still_blocks_and_it_is_left_alone() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        world.settle(image)
        assert world.release(image, reason="never called").name == "Released"
        assert world.tags(image) == ["v1"]
        entry = world.history(image)[0]
        assert entry.text == "released from quarantine: never called"
        assert (entry.details["by"], entry.details["what"]) == (ALICE, "release")
        outcome = world.settle(image)
        assert (outcome.name, world.tags(image)) == ("NothingToDo", ["v1"])
        assert "alice has released it, and nothing blocks that was not known then" in outcome.reason


def test_what_a_person_released_is_put_back_for_what_they_have_not_seen() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        world.settle(image)
        world.release(image)
        world.judge(image, Verdict.BLOCK, "CVE-2026-1", "CVE-2026-2")
        assert world.settle(image).name == "Quarantined"
        assert world.tags(image) == ["quarantine.v1"]


def test_a_release_before_the_quarantine_counts_too() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        assert world.release(image).name == "NothingToDo"
        assert world.results(image) == ["nothing to do"]
        assert world.settle(image).name == "NothingToDo"
        assert world.tags(image) == ["v1"]


@pytest.mark.parametrize("policy", [BY_TAGS, BY_PULL])
def test_what_a_person_ordered_a_person_only_releases(policy: Any) -> None:
    with a_world(policy) as world:
        image = world.push("good", "v1", verdict=Verdict.PASS)
        assert world.order(Order.QUARANTINE, image, reason="an incident").name == "Quarantined"
        held = world.quarantines.of(image)
        assert held is not None
        assert (held.by, held.reason) == (ALICE, "an incident")
        world.stack.notices()
        assert world.settle(image).name == "NothingToDo"
        (notice,) = world.stack.notices()
        assert notice.title == "team/app:v1 stays in quarantine"
        assert "a person ordered it, and a person only can release it" in text(notice)
        assert world.settle(image).name == "NothingToDo"
        assert world.stack.notices() == []
        assert world.release(image).name == "Released"
        assert world.tags(image) == ["v1"]


def test_a_persons_order_outlives_their_earlier_release() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        world.release(image)
        assert world.order(Order.QUARANTINE, image).name == "Quarantined"
        assert world.quarantines.released(image) is None


def test_a_person_takes_over_what_the_verdict_did() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        world.settle(image)
        assert world.order(Order.QUARANTINE, image).name == "Quarantined"
        assert world.titles() == ["team/app:v1 is in quarantine"] * 2
        world.judge(image, Verdict.PASS)
        world.settle(image)
        assert world.tags(image) == ["quarantine.v1"]
        assert world.order(Order.QUARANTINE, image).name == "NothingToDo"
        assert world.release(image).name == "Released"
        assert world.tags(image) == ["v1"]


def test_an_order_that_comes_twice_is_carried_out_once() -> None:
    with a_world() as world:
        image = world.push("good", "v1", verdict=Verdict.PASS)
        world.order(Order.QUARANTINE, image, id="order a")
        world.release(image, id="order b")
        world.order(Order.QUARANTINE, image, id="order c")
        assert world.release(image, id="order b").name == "DoneBefore"
        assert world.tags(image) == ["quarantine.v1"]
        assert world.order(Order.QUARANTINE, image, id="order a").reason == "done"


@pytest.mark.parametrize("policy", [BY_TAGS, BY_PULL])
@pytest.mark.parametrize("named", ["digest", "tag"])
@pytest.mark.parametrize("order", [Order.SETTLE, Order.QUARANTINE])
def test_an_image_in_use_is_never_put_in_quarantine(policy: Any, named: str, order: Order) -> None:
    with a_world(policy, unused=False) as world:
        image = world.push("bad", "v1")
        inventory(world.stack, uses(image.digest if named == "digest" else "v1"))
        outcome = world.settle(image) if order is Order.SETTLE else world.order(order, image)
        assert (outcome.name, outcome.reason) == ("Refused", "it is in use by ECS service prod/web")
        assert changes(world) == 0
        (notice,) = world.stack.notices()
        assert (notice.title, notice.level) == ("team/app:v1 was not put in quarantine", Level.ATTENTION)
        assert "Refused: it is in use by ECS service prod/web." in text(notice)
        assert world.results(image) == ["refused"]


def test_an_image_in_use_is_put_in_quarantine_where_the_policy_says_so_by_name() -> None:
    policy = a_policy(("team/app", {"quarantine.in_use": True}), quarantine__by="tags")
    with a_world(policy, unused=False) as world:
        image = world.push("bad", "v1")
        assert world.settle(image).name == "Quarantined"


def test_what_is_in_use_today_is_put_in_quarantine_when_it_is_not_any_more() -> None:
    with a_world(unused=False) as world:
        image = world.push("bad", "v1")
        inventory(world.stack, uses("v1"))
        world.settle(image)
        held = world.quarantines.of(image)
        assert held is not None
        assert held.waiting
        inventory(world.stack, uses("v1", "ECS service prod/other"))
        world.settle(image)
        assert len(world.stack.notices()) == 1, "the same trouble is told once"
        world.nobody_uses_anything()
        assert world.settle(image).name == "Quarantined"
        assert world.titles() == ["team/app:v1 is in quarantine"]


def test_what_waits_and_passes_is_forgotten() -> None:
    with a_world(unused=False) as world:
        image = world.push("bad", "v1")
        world.settle(image)
        world.judge(image, Verdict.PASS)
        assert world.settle(image).name == "NothingToDo"
        assert world.quarantines.of(image) is None


@pytest.mark.parametrize(
    ("missing", "age", "why"),
    [
        ("access denied", timedelta(0), "this account: access denied"),
        ("", timedelta(hours=27), "the last inventory is of 22 Nov 09:00 UTC"),
        (None, timedelta(0), "no inventory was taken yet"),
    ],
)
def test_unknown_is_never_unused(missing: str | None, age: timedelta, why: str) -> None:
    with a_world(unused=False) as world:
        image = world.push("bad", "v1")
        if missing is not None:
            inventory(world.stack, missing=missing, now=NOW - age)
        outcome = world.settle(image)
        assert outcome.name == "Refused"
        assert outcome.reason.startswith("it is not known whether it is in use")
        assert why in outcome.reason
        assert changes(world) == 0


def test_an_image_that_a_used_index_lists_is_in_use() -> None:
    with a_world(unused=False) as world:
        image = world.push("amd64", "v1-amd64")
        world.push("index", "v1", lists=["amd64"], verdict=None)
        inventory(world.stack, uses("v1"))
        assert "it is in use by ECS service prod/web, by way of sha256:" in world.settle(image).reason


def test_only_the_tags_of_an_index_itself_are_moved() -> None:
    with a_world() as world:
        platform = world.push("amd64", "v1-amd64", verdict=None)
        index = world.push("index", "v1", lists=["amd64"])
        assert world.settle(index).name == "Quarantined"
        assert (world.tags(index), world.tags(platform)) == (["quarantine.v1"], ["v1-amd64"])


def test_an_index_that_can_not_be_read_may_list_it() -> None:
    with a_world() as world:
        image = world.push("amd64", "v1-amd64")
        index = world.push("index", "v1", lists=["amd64"], verdict=None)
        world.local.small.call(
            "UpdateImageStorageClass",
            repositoryName="team/app",
            imageId={"imageDigest": index.digest},
            targetStorageClass="ARCHIVE",
        )
        assert world.settle(image).reason.endswith("there are indexes that could not be read")


@pytest.mark.parametrize(("ours", "outcome"), [(True, "Refused"), (False, "Quarantined")])
def test_a_lease_of_the_wardens_spares_and_no_others(*, ours: bool, outcome: str) -> None:
    with a_world() as world:
        digest = world.local.push("bad", "v1")
        image = world.push("bad", lease_of(digest))
        if ours:
            world.stack.ledger.record(Entry(str(image), NOW, LEASED, "leased"), event="prune")
        assert world.settle(image).name == outcome
        assert lease_of(digest) in world.tags(image), "a lease is not moved aside"


def test_a_lease_by_another_images_name_spares_nobody() -> None:
    with a_world() as world:
        image = world.push("bad", "v1", lease_of(image_id("other").digest))
        assert world.settle(image).name == "Quarantined"


@pytest.mark.parametrize("by", ["tags", "pull"])
def test_in_report_mode_it_is_said_once_and_nothing_changes(by: str) -> None:
    with a_world(a_policy(quarantine__by=by, quarantine__mode="report")) as world:
        image = world.push("bad", "v1")
        assert world.settle(image).name == "WouldBeDone"
        (notice,) = world.stack.notices()
        assert notice.title == "team/app:v1 would be put in quarantine"
        assert "Nothing was changed: the policy's quarantine.mode is report here." in text(notice)
        assert ("v1 → quarantine.v1" in text(notice)) is (by == "tags")
        assert world.settle(image, now=NOW + days(40)).name in {"WouldBeDone", "Refused"}
        assert not [title for title in world.titles() if "would be" in title]
        assert world.results(image)[0] == "would be done"
        assert (changes(world), world.quarantines.of(image)) == (0, None)


def test_in_report_mode_a_person_is_told_what_would_be_done_each_time() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        world.settle(image)
        world.stack.notices()
        world.policy = a_policy(quarantine__by="tags", quarantine__mode="report")
        for number in range(2):
            assert world.release(image, id=f"order {number}").name == "WouldBeDone"
        (notice, _) = world.stack.notices()
        assert notice.title == "team/app:v1 would be released from quarantine"
        assert "quarantine.v1 → v1" in text(notice)
        world.judge(image, Verdict.PASS)
        assert world.settle(image).name == "WouldBeDone"
        assert world.tags(image) == ["quarantine.v1"]


@pytest.mark.parametrize(
    ("order", "policy", "why"),
    [
        (Order.QUARANTINE, a_policy(), "the policy does not say how"),
        (Order.QUARANTINE, a_policy(quarantine__by="tags", quarantine__mode="off"), "quarantine.mode is off"),
        (Order.RELEASE, a_policy(quarantine__by="tags", quarantine__mode="off"), "quarantine.mode is off"),
    ],
)
def test_an_order_that_the_policy_has_no_room_for_is_refused_and_told(order: Order, policy: Any, why: str) -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        if order is Order.RELEASE:
            world.settle(image)
            world.stack.notices()
        world.policy = policy
        outcome = world.order(order, image)
        assert outcome.name == "Refused"
        assert why in outcome.reason
        (notice,) = world.stack.notices()
        assert notice.title.startswith("team/app:v1 was not")
        assert world.history(image)[0].details["result"] == "refused"
        assert "not released from" in world.history(image)[0].text or order is Order.QUARANTINE


def test_an_image_without_a_tag_has_nothing_to_be_moved() -> None:
    with a_world() as world:
        image = world.push("bad")
        assert world.settle(image).reason == "it has no tag that could be moved aside"
        assert world.order(Order.QUARANTINE, image).name == "NothingToDo"
        assert world.results(image) == ["nothing to do"]
        assert world.quarantines.of(image) is None


@pytest.mark.parametrize("policy", [BY_TAGS, BY_PULL])
@pytest.mark.parametrize("order", [Order.SETTLE, Order.RELEASE])
def test_what_is_left_of_an_image_that_is_gone_is_taken_away(policy: Any, order: Order) -> None:
    with a_world(policy) as world:
        image = world.push("bad", "v1")
        world.settle(image)
        world.local.small.call("BatchDeleteImage", repositoryName="team/app", imageIds=[{"imageDigest": image.digest}])
        outcome = world.settle(image) if order is Order.SETTLE else world.order(order, image)
        assert outcome.name == "Released"
        assert (world.access_policy(), world.state(), world.quarantines.of(image)) == (None, None, None)
        notice = world.stack.notices()[-1]
        assert "released from quarantine" in notice.title
        assert "It has its tags again" not in text(notice)


@pytest.mark.parametrize("policy", [BY_TAGS, BY_PULL])
def test_a_repository_that_is_gone_leaves_nothing_behind(policy: Any) -> None:
    with a_world(policy) as world:
        image = world.push("bad", "v1")
        world.settle(image)
        world.local.small.call("DeleteRepository", repositoryName="team/app", force=True)
        assert world.settle(image).name == "Released"
        assert (world.quarantines.of(image), world.quarantines.denial(APP)) == (None, None)


def archive(world: World, image: ImageId, target: str = "ARCHIVE") -> None:
    world.local.small.call(
        "UpdateImageStorageClass",
        repositoryName=image.repository,
        imageId={"imageDigest": image.digest},
        targetStorageClass=target,
    )


def test_an_archived_image_denies_no_pulls() -> None:
    with a_world(BY_PULL) as world:
        image = world.push("bad", "v1")
        world.settle(image)
        archive(world, image)
        assert world.settle(image).name == "Released"
        assert (world.access_policy(), world.state()) == (None, None)


def test_an_archived_image_keeps_its_tags_aside_until_it_is_back() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        world.settle(image)
        archive(world, image)
        assert world.settle(image).name == "NothingToDo"
        assert "restore it first" in world.release(image).reason
        archive(world, image, "STANDARD")
        world.judge(image, Verdict.PASS)
        assert world.settle(image).name == "Released"
        assert world.tags(image) == ["v1"]


def test_several_images_share_the_state_of_their_repository() -> None:
    with a_world() as world:
        one, other = world.push("one", "v1"), world.push("other", "v2")
        world.settle(one)
        world.settle(other)
        world.release(one)
        assert world.state() == "quarantined"
        world.release(other)
        assert world.state() is None


def test_a_state_that_somebody_took_is_told_again_without_noise() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        world.settle(image)
        world.stack.notices()
        world.local.small.ecr.registry.repository("team/app").tags.clear()
        assert world.settle(image).name == "NothingToDo"
        assert (world.state(), world.stack.notices()) == ("quarantined", [])


def test_a_repository_without_room_for_a_tag_is_put_in_quarantine_all_the_same() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        world.local.small.ecr.registry.repository("team/app").tags.update({f"key{n}": "" for n in range(50)})
        assert world.settle(image).name == "Quarantined"
        (notice,) = world.stack.notices()
        notes = [fact.value for fact in notice.facts if fact.label == "Note"]
        assert "team/app was not tagged warden:state" in notes[0]
        assert "The maximum number of tags" in notes[0]


def test_one_image_of_a_repository_at_a_time() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        ledger = world.stack.ledger
        assert ledger.claim("quarantine#team/app", owner="x", now=NOW, busy_for=days(1)) is Standing.TAKEN
        with pytest.raises(Unavailable, match="another message is at it"):
            world.settle(image)
        assert changes(world) == 0


def test_what_is_not_for_quarantine_is_dropped() -> None:
    with a_world() as world:
        body = judgement_request(image_id(), id="x", at=NOW, home=HOME)
        assert world.function.handle(world.stack.message(body)).name == "NotForUs"


def test_what_was_held_is_remembered_whole() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        world.settle(image)
        held = world.quarantines.of(image)
        assert held is not None
        whole = replace(held, waiting=True, gaps=frozenset({b"12345678", b"abcdefgh"}), ending="order 1")
        world.quarantines.hold(whole)
        assert world.quarantines.of(image) == whole
        assert world.quarantines.all_of(APP) == (whole,)
        assert world.quarantines.holds(image)
        assert whole.how is QuarantineBy.TAGS
        assert whole.moved[0].aside == Tag("quarantine.v1")


@pytest.mark.parametrize("by", ["tags", "pull"])
@pytest.mark.parametrize(
    ("promoted", "verdict", "asked"),
    [
        ("release/{name}", Verdict.PASS, 1),
        ("release/{name}", Verdict.NOTIFY, 0),
        (None, Verdict.PASS, 0),
    ],
)
def test_what_passes_after_its_quarantine_may_be_promoted(
    by: str, promoted: str | None, verdict: Verdict, asked: int
) -> None:
    with a_world(a_policy(quarantine__by=by, promote__to=promoted, promote__tags=["v*"])) as world:
        image = world.push("bad", "v1")
        world.settle(image)
        before = world.stack.held_back("promotions")
        world.judge(image, verdict)
        assert world.settle(image).name == "Released"
        assert world.stack.held_back("promotions") - before == asked, "it is looked at when the release is over"


def test_an_error_that_passes_is_tried_again_and_ends_well() -> None:
    with a_world() as world:
        image = world.push("bad", "v1")
        answer = world.local._answer
        world.local.wire._answers = lambda operation, request: (
            error("ServerException") if operation == "TagResource" else answer(operation, request)
        )
        with pytest.raises(ClientError, match="ServerException"):
            world.settle(image, id="scan a")
        assert (world.results(image), world.stack.notices()) == (["begun"], [])
        world.local.wire._answers = answer
        assert world.settle(image, id="scan a", receives=2).name == "Quarantined"
        assert (world.results(image), world.titles()) == (["done"], ["team/app:v1 is in quarantine"])
