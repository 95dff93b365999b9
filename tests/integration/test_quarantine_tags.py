"""Tags moved aside and given back, while others push them, and the watch on tags looks on."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from image_pushed import PushedImages
from tests.builders import HOME, NOW, a_policy, push
from tests.functions import text
from tests.quarantining import World, a_world, one_stack
from tests.wire import Answer, error
from warden.image_tags import ImageTags
from warden.known import Verdict
from warden.names import ImageId, RepositoryName, Tag
from warden.policy import Policy
from warden.registry import Registry

APP = RepositoryName("team/app")
PUT_BACK = a_policy(quarantine__by="tags", tags__moves="put_back", tags__exclude=["latest", "sha256-*"])


@pytest.fixture(autouse=True, scope="module")
def shared() -> Iterator[None]:
    with one_stack():
        yield


@pytest.fixture(params=["tell", "put_back"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A repository whose tags can't move, and the policy's answer where one does all the same."""
    policy: Policy = a_policy(quarantine__by="tags", tags__moves=request.param)
    with a_world(policy) as one:
        one.local.small.call("PutImageTagMutability", repositoryName="team/app", imageTagMutability="IMMUTABLE")
        yield one


def told(world: World, image: ImageId, tag: str, *, id: str = "push") -> str:
    """Let the function of pushes hear that the tag was pushed; the outcome."""
    client, stack = world.local.wire.client(), world.stack
    registry = Registry(client, client)
    function = PushedImages(
        home=HOME,
        policy=world.policy,
        registry=registry,
        image_tags=ImageTags(client, registry),
        ledger=stack.ledger,
        judgements=stack.queue("judgements"),
        notices=stack.queue("notices"),
        prunes=stack.queue("prunes"),
    )
    return function.handle(stack.message(push(image, tag, id=id))).name


def moves(world: World) -> list[str]:
    return [notice.title for notice in world.stack.notices() if notice.kind == "tag move"]


def place(world: World, tag: str) -> str | None:
    return world.stack.ledger.place_of_tag(APP, Tag(tag))


def test_a_tag_that_was_moved_aside_may_be_pushed_again(world: World) -> None:
    bad = world.push("bad", "v1")
    told(world, bad, "v1")
    world.settle(bad)
    told(world, bad, "quarantine.v1", id="our own")
    assert place(world, "v1") is None
    good = world.push("good", "v1", verdict=Verdict.PASS)
    told(world, good, "v1", id="a new build")
    assert moves(world) == []
    assert (world.tags(good), world.tags(bad)) == (["v1"], ["quarantine.v1"])
    assert place(world, "v1") == good.digest


def test_a_late_event_of_the_first_push_moves_nothing(world: World) -> None:
    bad = world.push("bad", "v1")
    world.settle(bad)
    told(world, bad, "v1")
    assert place(world, "v1") is None
    good = world.push("good", "v1", verdict=Verdict.PASS)
    told(world, good, "v1", id="a new build")
    told(world, bad, "v1", id="late")
    assert moves(world) == []
    assert (world.tags(good), place(world, "v1")) == (["v1"], good.digest)


def test_a_tag_that_comes_back_has_not_moved(world: World) -> None:
    bad = world.push("bad", "v1")
    told(world, bad, "v1")
    world.settle(bad)
    good = world.push("good", "v1", "v2", verdict=Verdict.PASS)
    told(world, good, "v1", id="a new build")
    world.local.small.call("BatchDeleteImage", repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    world.release(bad)
    told(world, bad, "v1", id="our own")
    assert moves(world) == []
    assert (world.tags(bad), world.tags(good)) == (["v1"], ["v2"])
    assert place(world, "v1") == bad.digest


def test_two_images_of_one_tag_in_quarantine_keep_a_tag_each(world: World) -> None:
    first = world.push("first", "v1")
    world.settle(first)
    told(world, first, "quarantine.v1", id="our own")
    second = world.push("second", "v1")
    world.settle(second)
    aside = f"quarantine.v1-{second.digest[7:19]}"
    told(world, second, aside, id="our own too")
    assert (world.tags(first), world.tags(second)) == (["quarantine.v1"], [aside])
    assert moves(world) == []
    world.release(second)
    assert world.tags(second) == ["v1"]
    outcome = world.release(first)
    assert (outcome.name, world.tags(first)) == ("Released", ["quarantine.v1"])


def test_the_tag_that_stands_for_another_may_go_from_image_to_image(world: World) -> None:
    first = world.push("first", "v1", "v0")
    world.settle(first)
    told(world, first, "quarantine.v1", id="our own")
    world.release(first)
    world.local.small.call("BatchDeleteImage", repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    second = world.push("second", "v1")
    world.settle(second)
    world.stack.notices()
    told(world, second, "quarantine.v1", id="our own too")
    assert moves(world) == []
    assert (world.tags(first), world.tags(second)) == (["v0"], ["quarantine.v1"])


def test_a_tag_that_another_image_has_by_now_stays_there_and_is_told(world: World) -> None:
    bad = world.push("bad", "v1", "v1.0")
    world.settle(bad)
    good = world.push("good", "v1", verdict=Verdict.PASS)
    world.stack.notices()
    assert world.release(bad).name == "Released"
    assert (world.tags(bad), world.tags(good)) == (["quarantine.v1", "v1.0"], ["v1"])
    (notice,) = world.stack.notices()
    assert "quarantine.v1 · another image of team/app is tagged v1 by now" in text(notice)
    assert "quarantine.v1.0 → v1.0" in text(notice)
    assert "Push this one under a new tag." in text(notice)
    assert world.history(bad)[0].text.endswith("; another image is tagged v1 by now, and stays so")
    assert world.quarantines.of(bad) is None


def test_an_image_that_is_pushed_again_under_its_tag_is_moved_aside_again(world: World) -> None:
    bad = world.push("bad", "v1")
    world.settle(bad)
    world.stack.notices()
    world.push("bad", "v1", "v1-again")
    told(world, bad, "v1", id="pushed again")
    assert world.settle(bad).name == "Quarantined"
    assert world.tags(bad) == ["quarantine.v1", "quarantine.v1-again"]
    assert place(world, "v1") is None
    assert world.titles()[-1] == "team/app:v1 is in quarantine again"
    world.release(bad)
    assert world.tags(bad) == ["v1", "v1-again"]


def test_what_the_watch_on_tags_put_aside_is_moved_aside_too() -> None:
    with a_world(PUT_BACK) as world:
        old = world.push("old", "v1", verdict=Verdict.PASS)
        told(world, old, "v1")
        bad = world.push("bad", "v1")
        told(world, bad, "v1", id="moved")
        (aside,) = world.tags(bad)
        assert aside.startswith("moved-v1-")
        world.settle(bad)
        assert (world.tags(bad), world.tags(old)) == ([f"quarantine.{aside}"], ["v1"])
        assert place(world, "v1") == old.digest


def test_a_tag_that_moves_on_while_it_is_given_back_stays_where_it_went(world: World) -> None:
    bad = world.push("bad", "v1")
    world.settle(bad)
    answer = world.local._answer

    def pushed_meanwhile(operation: str, request: Any) -> Answer:
        if operation == "PutImage" and request.get("imageTag") == "v1":
            return error("ImageTagAlreadyExistsException")
        return answer(operation, request)

    world.local.wire._answers = pushed_meanwhile
    assert world.release(bad).name == "Released"
    assert world.tags(bad) == ["quarantine.v1"]
    assert "another image is tagged v1 by now" in world.history(bad)[0].text


def test_an_image_with_as_many_tags_as_ecr_allows_is_told(world: World) -> None:
    bad = world.push("bad", "v1", "v2")
    answer = world.local._answer
    asked: list[str] = []

    def full(operation: str, request: Any) -> Answer:
        if operation == "PutImage":
            asked.append(request["imageTag"])
            if len(asked) > 1:
                return error("LimitExceededException")
        return answer(operation, request)

    world.local.wire._answers = full
    outcome = world.settle(bad)
    assert outcome.name == "Refused"
    assert outcome.reason.endswith("it has as many tags as ECR allows")
    assert world.tags(bad) == ["quarantine.v1", "v2"]
    held = world.quarantines.of(bad)
    assert held is not None
    assert held.waiting
    assert world.results(bad) == ["refused"]
    world.local.wire._answers = answer
    assert world.settle(bad).name == "Quarantined"
    assert world.tags(bad) == ["quarantine.v1", "quarantine.v2"]
    world.release(bad)
    assert world.tags(bad) == ["v1", "v2"]


def test_what_was_half_moved_is_given_back_when_it_passes(world: World) -> None:
    bad = world.push("bad", "v1", "v2")
    answer = world.local._answer
    world.local.wire._answers = lambda operation, request: (
        error("LimitExceededException")
        if operation == "PutImage" and request["imageTag"] == "quarantine.v2"
        else answer(operation, request)
    )
    world.settle(bad)
    world.judge(bad, Verdict.PASS)
    assert world.settle(bad, now=NOW + timedelta(hours=1)).name == "Released"
    assert world.tags(bad) == ["v1", "v2"]
    assert world.quarantines.of(bad) is None
