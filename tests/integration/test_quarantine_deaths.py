"""A turn that is killed after any change it makes, and comes again, ends as one that was not killed.

Only calls that change something are deadly here: after one that reads, everything is as after the change before it.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW
from tests.quarantining import ALICE, BY_PULL, BY_TAGS, World, a_world, one_stack
from warden.ledger import Entry
from warden.names import ImageId, RepositoryName, Tag
from warden.policy import Policy
from warden.quarantine_events import Order, QuarantineDue

THEIRS = '{ "Statement" : {"Sid":"mine","Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"} }\n'
READING = ("Describe", "Get", "List", "BatchGet", "Query", "CreateQueue")
"""A queue is made by the test when it is first asked for: whichever scene comes first."""


class Killed(BaseException):
    """The sandbox is gone: nothing of ours may catch it."""


@dataclass
class Calls:
    """The changes of a turn, which is killed after the one of that number."""

    deadly: int = 0
    made: list[str] = field(default_factory=list)

    def note(self, name: str) -> None:
        if name.startswith(READING):
            return
        self.made.append(name)
        if len(self.made) == self.deadly:
            raise Killed(name)


@pytest.fixture(autouse=True, scope="module")
def shared() -> Iterator[None]:
    with one_stack():
        yield


def watched(world: World, calls: Calls) -> Callable[[], None]:
    """Every change of ECR, DynamoDB and SQS is noted once it was answered; stops when called."""
    answer, clients = world.local._answer, (world.stack.dynamodb, world.stack.sqs)

    def ecr(operation: str, request: Any) -> Any:
        done = answer(operation, request)
        calls.note(operation)
        return done

    def other(model: Any, **_: Any) -> None:
        calls.note(model.name)

    world.local.wire._answers = ecr
    for client in clients:
        client.meta.events.register("after-call", other)

    def stop() -> None:
        world.local.wire._answers = answer
        for client in clients:
            client.meta.events.unregister("after-call", other)

    return stop


@dataclass(frozen=True)
class Scene:
    """What is there before the turn, and the turn."""

    policy: Policy
    order: Order
    held: bool

    def play(self, calls: Calls) -> dict[str, Any]:
        """The end of it, when the message came until it was over."""
        with a_world(self.policy) as world:
            image = world.push("bad", "v1", "latest")
            if self.policy is BY_PULL:
                world.local.small.ecr.registry.repository("team/app").access_policy = THEIRS
            world.stack.ledger.remember_tag(image, Tag("v1"))
            if self.held:
                world.settle(image, id="before")
                world.stack.notices()
            due = QuarantineDue("the one", NOW + timedelta(minutes=1), image, self.order, ALICE, "a test")
            stop = watched(world, calls)
            with suppress(Killed):
                world.deliver(due, id="message")
            stop()
            for receives in (2, 3):
                world.deliver(due, id="message", receives=receives, now=NOW + timedelta(hours=1))
            return _end(world, image)


def _end(world: World, image: ImageId) -> dict[str, Any]:
    told = {notice.id: (notice.title, notice.sections, notice.facts) for notice in world.stack.notices()}
    history: list[Entry] = world.history(image)
    held = world.quarantines.of(image)
    return {
        "tags": world.tags(image),
        "policy": world.access_policy(),
        "state": world.state(),
        "history": [(entry.text, dict(entry.details)) for entry in history],
        "told": told,
        "held": held and (held.how, held.by, held.moved, held.ending, held.waiting),
        "denial": world.quarantines.denial(RepositoryName("team/app")),
        "v1 is known to be": world.stack.ledger.place_of_tag(image.repository, Tag("v1")),
        "released": world.quarantines.released(image) is not None,
    }


SCENES = {
    "tags moved aside": Scene(BY_TAGS, Order.QUARANTINE, held=False),
    "tags given back": Scene(BY_TAGS, Order.RELEASE, held=True),
    "pulls denied": Scene(BY_PULL, Order.SETTLE, held=False),
    "pulls allowed": Scene(BY_PULL, Order.RELEASE, held=True),
}
CHANGES = {
    "tags moved aside": {"PutItem", "DeleteItem", "PutImage", "BatchDeleteImage", "TagResource", "SendMessageBatch"},
    "tags given back": {"PutItem", "DeleteItem", "PutImage", "BatchDeleteImage", "UntagResource", "SendMessageBatch"},
    "pulls denied": {"PutItem", "SetRepositoryPolicy", "TagResource", "SendMessageBatch"},
    "pulls allowed": {"PutItem", "DeleteItem", "SetRepositoryPolicy", "UntagResource", "SendMessageBatch"},
}


@pytest.mark.parametrize("name", SCENES)
def test_a_turn_killed_after_any_change_ends_as_one_that_was_not_killed(name: str) -> None:
    scene, calls = SCENES[name], Calls()
    expected = deepcopy(scene.play(calls))
    assert set(calls.made) == CHANGES[name], "there is something for every step"
    assert [line["result"] for _, line in expected["history"]][-1] == "done"
    assert len(expected["told"]) == 1
    for deadly in range(1, len(calls.made) + 1):
        mortal = Calls(deadly)
        assert scene.play(mortal) == expected, f"killed after change {deadly}, {mortal.made[deadly - 1]}"
