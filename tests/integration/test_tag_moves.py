"""A tag that should not move is watched: its moves are told, and undone where the standard says so."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from image_pushed import PushedImages
from tests.account import Account, Stack
from tests.builders import HOME, NOW, a_policy, push
from warden.image_tags import ImageTags
from warden.names import ImageId, RepositoryName, Tag
from warden.notices import Level, Notice

APP = RepositoryName("team/app")
V1 = Tag("v1")


def function(account: Account, stack: Stack, moves: str = "put_back", **fields: Any) -> PushedImages:
    queues = (stack.queue("judgements"), stack.queue("notices"), stack.queue("prunes"))
    return PushedImages(
        HOME, a_policy(tags__moves=moves, **fields), account.registry, account.image_tags, stack.ledger, *queues
    )


def pushed(account: Account, seed: str, *, tag: str = "v1") -> ImageId:
    """Push over the tag, as a client can where the tag is mutable."""
    for (repository, _), image in account.images.items():
        if repository == APP and tag in image.tags:
            image.tags.remove(tag)
    return account.push(seed, tags=(tag,))


def deliver(watch: PushedImages, stack: Stack, image: ImageId, event: str, tag: str = "v1", **when: Any) -> str:
    return watch.handle(stack.message(push(image, tag, id=event), **when)).name


def told(notice: Notice) -> str:
    return "".join(span.text for section in notice.sections for item in section.items for span in item)


def holder(account: Account, tag: str = "v1") -> str | None:
    found = account.registry.tagged(APP, Tag(tag))
    return found.id.digest if found else None


def test_the_first_push_of_a_tag_is_no_move(account: Account, stack: Stack) -> None:
    deliver(function(account, stack), stack, pushed(account, "one"), "a")
    assert stack.notices() == []


def test_a_moved_tag_is_told_with_both_digests(account: Account, stack: Stack) -> None:
    watch = function(account, stack, "tell")
    one = pushed(account, "one")
    deliver(watch, stack, one, "a")
    two = pushed(account, "two")
    for _ in range(3):
        deliver(watch, stack, two, "b")
    (notice,) = stack.notices()
    assert (notice.level, notice.title) == (Level.ATTENTION, "tag v1 of team/app was moved")
    assert one.digest[:19] in told(notice)
    assert two.digest[:19] in told(notice)
    assert "not put back: the policy says to tell" in told(notice)
    assert holder(account) == two.digest


def test_a_moved_tag_is_put_back_and_the_new_image_kept(account: Account, stack: Stack) -> None:
    watch = function(account, stack)
    one = pushed(account, "one")
    deliver(watch, stack, one, "a")
    two = pushed(account, "two")
    deliver(watch, stack, two, "b")
    assert holder(account) == one.digest
    kept = account.images[APP, two.digest].tags
    assert kept == [f"moved-v1-{two.digest[7:19]}"]
    (notice,) = stack.notices()
    assert notice.title == "tag v1 of team/app was moved, and put back"
    deliver(watch, stack, one, "c")
    deliver(watch, stack, two, "d", tag=kept[0])
    assert stack.notices() == [], "what we put back ourselves is no move"


def test_an_immutable_tag_that_was_deleted_and_pushed_again_is_put_back(account: Account, stack: Stack) -> None:
    account.create(imageTagMutability="IMMUTABLE")
    watch = function(account, stack)
    one = account.push("one", tags=("v1", "stays"))
    deliver(watch, stack, one, "a")
    two = pushed(account, "two")
    deliver(watch, stack, two, "b")
    assert holder(account) == one.digest
    assert account.images[APP, two.digest].tags


def test_a_tag_whose_image_is_gone_is_told(account: Account, stack: Stack) -> None:
    watch = function(account, stack)
    one = pushed(account, "one")
    deliver(watch, stack, one, "a")
    two = pushed(account, "two")
    del account.images[APP, one.digest]
    deliver(watch, stack, two, "b")
    (notice,) = stack.notices()
    assert "the image that had the tag is gone" in told(notice)
    assert holder(account) == two.digest
    deliver(watch, stack, two, "c")
    assert stack.notices() == []


def test_in_report_mode_nothing_is_put_back(account: Account, stack: Stack) -> None:
    watch = function(account, stack, tags__mode="report")
    deliver(watch, stack, pushed(account, "one"), "a")
    deliver(watch, stack, pushed(account, "two"), "b")
    assert [operation for operation, _ in account.writes() if operation != "StartImageScan"] == []
    (notice,) = stack.notices()
    assert "the policy is in report mode" in told(notice)


@pytest.mark.parametrize(
    ("tag", "fields"),
    [
        ("latest", {}),
        ("v1", {"tags__mode": "off"}),
        ("v1", {"moves": "ignore"}),
        ("v1", {"tags__immutability": "MUTABLE"}),
        ("dev-1", {"tags__immutability": "MUTABLE_WITH_EXCLUSION", "tags__exclude": ["v*"]}),
    ],
)
def test_a_tag_that_may_move_is_not_watched(account: Account, stack: Stack, tag: str, fields: dict[str, Any]) -> None:
    watch = function(account, stack, **fields)
    deliver(watch, stack, pushed(account, "one", tag=tag), "a", tag)
    deliver(watch, stack, pushed(account, "two", tag=tag), "b", tag)
    assert stack.notices() == []


def test_whoever_keeps_moving_a_tag_meets_a_person(account: Account, stack: Stack) -> None:
    watch = function(account, stack)
    deliver(watch, stack, pushed(account, "zero"), "e0")
    for number in range(1, 4):
        image = pushed(account, f"image-{number}")
        deliver(watch, stack, image, f"e{number}", now=NOW + timedelta(minutes=number))
    notices = stack.notices()
    assert [notice.level for notice in notices] == [Level.CHANGE, Level.CHANGE, Level.ATTENTION]
    assert "put back 2 times within an hour" in told(notices[-1])


def test_a_put_back_that_died_half_way_is_finished(account: Account, stack: Stack) -> None:
    account.create(imageTagMutability="IMMUTABLE")
    watch = function(account, stack)
    one = account.push("one", tags=("v1", "stays"))
    deliver(watch, stack, one, "a")
    two = pushed(account, "two")
    account.images[APP, two.digest].tags[:] = [f"moved-v1-{two.digest[7:19]}"]  # taken, and not given back yet
    deliver(watch, stack, two, "b", receives=2)
    assert holder(account) == one.digest
    assert len(stack.notices()) == 1


def test_what_was_put_back_is_told_even_if_the_sandbox_died_first(account: Account, stack: Stack) -> None:
    watch = function(account, stack)
    one = pushed(account, "one")
    deliver(watch, stack, one, "a")
    two = pushed(account, "two")
    broken: Any = _Broken()
    dying = replace(watch, notices=broken)
    with pytest.raises(Killed):
        deliver(dying, stack, two, "b")
    assert holder(account) == one.digest
    for receives in (2, 3):
        deliver(watch, stack, two, "b", receives=receives)
    (notice,) = stack.notices()
    assert notice.title == "tag v1 of team/app was moved, and put back"
    moves = [entry for entry in stack.ledger.history(APP) if entry.kind == "tag move"]
    assert [entry.details["result"] for entry in moves] == ["put back"]


def test_an_old_image_that_can_not_be_read_leaves_the_tag_where_it_is(account: Account, stack: Stack) -> None:
    """An archived image is described and can't be pulled."""
    account.create(imageTagMutability="IMMUTABLE")
    watch = function(account, stack)
    one = account.push("one", tags=("v1", "stays"))
    deliver(watch, stack, one, "a")
    two = pushed(account, "two")
    account.unreadable.add(one.digest)
    deliver(watch, stack, two, "b")
    assert holder(account) == two.digest
    assert "BatchDeleteImage" not in account.calls()
    (notice,) = stack.notices()
    assert "ImageInaccessible" in told(notice)


def test_an_old_image_that_is_lost_in_the_middle_leaves_no_tag_without_an_image(account: Account, stack: Stack) -> None:
    account.create(imageTagMutability="IMMUTABLE")
    watch = function(account, stack)
    one = account.push("one", tags=("v1", "stays"))
    deliver(watch, stack, one, "a")
    two = pushed(account, "two")

    class Archived(ImageTags):
        def take(self, image: ImageId, tag: Tag) -> None:
            super().take(image, tag)
            account.unreadable.add(one.digest)

    archived = Archived(account.wire.client(), account.registry)
    deliver(replace(watch, image_tags=archived), stack, two, "b")
    assert holder(account) == two.digest
    (notice,) = stack.notices()
    assert notice.level is Level.ATTENTION


class Killed(Exception):
    """The sandbox is gone."""


class _Broken:
    def send_all(self, _: Any) -> None:
        raise Killed


def test_a_tag_that_somebody_deleted_is_no_move(account: Account, stack: Stack) -> None:
    watch = function(account, stack)
    deliver(watch, stack, pushed(account, "one"), "a")
    two = account.push("two", tags=())
    account.images[APP, ImageId(APP, two.digest).digest].tags.clear()
    for image in account.images.values():
        image.tags.clear()
    deliver(watch, stack, two, "b")
    assert stack.notices() == []
