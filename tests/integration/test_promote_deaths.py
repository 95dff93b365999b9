"""A promotion that is killed after any of its calls to AWS, and comes again, ends as one that was not killed."""

import json
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from local.registry.store import Repository
from tests.builders import NOW
from tests.integration.test_prune_deaths import Calls, Killed, watched
from tests.promoting import RELEASE, World, a_world, contents, digest_of
from warden.errors import Unavailable
from warden.names import Digest, ImageId

PARTS = 6
"""So that several processes can share the work."""
LATER = NOW + timedelta(hours=1)


def release(world: World) -> Repository | None:
    return world.local.small.ecr.registry.repositories.get(RELEASE)


def assert_tags_are_whole(world: World) -> None:
    """Whoever finds a tag in the release repository finds all that is behind it."""
    there = release(world)
    for image in there.images.values() if there else ():
        waiting = [image.digest] if image.tags else []
        while waiting:
            assert there is not None
            manifest = there.images[waiting.pop()].manifest
            assert set(manifest.blobs) <= there.layers.keys()
            waiting += manifest.children


def watch(world: World, calls: Calls) -> Any:
    """Look at the release repository after every call, and die after the one that is deadly."""
    stop = watched(world.local, world.stack, calls)
    answer = world.local.wire._answers

    def ecr(operation: str, request: Any) -> Any:
        try:
            return answer(operation, request)
        finally:
            assert_tags_are_whole(world)

    world.local.wire._answers = ecr
    return stop


def end_state(world: World, image: ImageId) -> dict[str, Any]:
    there = release(world)
    assert there is not None
    assert all(digest_of(blob) == name for name, blob in there.layers.items())
    return {
        "images": contents(world.local),
        "manifests": {name: one.manifest.text for name, one in there.images.items()},
        "layers": sorted(there.layers),
        "tags": there.tags,
        "mutability": there.mutability,
        "source": contents(world.local, "team/app"),
        "history": world.lines(image),
        "arrived": world.lines(ImageId(RELEASE, Digest(image.digest))),
        "told": sorted({notice.id for notice in world.notices()}),
        "prune": sorted({json.loads(body)["detail"]["repository-name"] for body in world.stack.bodies("prunes")}),
    }


def come_again(world: World, image: ImageId) -> None:
    """The queue gives the message again, and once more where somebody is at it still."""
    for receives in (2, 3):
        with suppress(Unavailable):
            assert world.run(image, message="the one", receives=receives, now=LATER).name in {
                "Promoted",
                "NothingToDo",
            }
            return
    raise AssertionError("it does not come to an end")


@cache
def undisturbed() -> tuple[tuple[str, ...], dict[str, Any]]:
    """The calls of a promotion that nobody disturbs, and how it ends."""
    with a_world() as world:
        image, calls = world.passed(), Calls()
        stop = watch(world, calls)
        assert world.run(image, message="the one").name == "Promoted"
        stop()
        return tuple(calls.made), end_state(world, image)


def test_there_is_something_for_every_step() -> None:
    made, _ = undisturbed()
    writes = {"CreateRepository", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"}
    assert writes <= set(made)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_promotion_killed_after_any_call_ends_as_one_that_was_not_killed(part: int) -> None:
    made, expected = undisturbed()
    for deadly in range(1 + part, len(made) + 1, PARTS):
        with a_world() as world:
            image, mortal = world.passed(), Calls(deadly)
            stop = watch(world, mortal)
            with suppress(Killed):
                world.run(image, message="the one")
            stop()
            assert len(mortal.made) >= deadly, "it was killed"
            come_again(world, image)
            assert end_state(world, image) == expected, f"killed after call {deadly}, {mortal.made[deadly - 1]}"
