"""Each image has its turn to be scanned anew once in so many days, and not all have it on one day."""

import os
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import HOME, NOW, a_policy, digest, image_id
from warden import events, messages, rescans
from warden.images import Image
from warden.names import Digest, ImageId, RepositoryName, Tag
from warden.observations import RegistryScanning
from warden.scan_planning import plan_scans
from warden.standards import standard_of

UNHURRIED = settings(deadline=None, max_examples=int(os.environ.get("RESCANS_EXAMPLES", "60")))
APP = RepositoryName("team/app")
LONG_AGO = timedelta(days=100)
DIGESTS = st.builds(
    lambda algorithm, number, length: Digest(f"{algorithm}:{number % 16**length:0{length}x}"),
    st.sampled_from(["sha256", "sha512"]),
    st.integers(0, 16**128),
    st.sampled_from([64, 128]),
)
EVERY = st.integers(1, 400)
DAYS = st.dates(date(2026, 1, 1), date(2040, 1, 1))


def an_image(seed: str = "image", *tags: str, age: timedelta = LONG_AGO, is_index: bool = False) -> Image:
    return Image(image_id(seed), tuple(map(Tag, tags)), NOW - age, is_index=is_index)


@UNHURRIED
@given(DIGESTS, EVERY, DAYS)
def test_an_image_has_its_turn_exactly_once_in_any_so_many_days_in_a_row(name: Digest, every: int, start: date) -> None:
    turns = [rescans.is_due(ImageId(APP, name), start + timedelta(days=day), every) for day in range(every)]
    assert turns.count(True) == 1


@UNHURRIED
@given(DIGESTS, EVERY, DAYS)
def test_after_its_turn_the_next_is_as_many_days_later(name: Digest, every: int, start: date) -> None:
    image = ImageId(APP, name)
    (turn,) = [day for day in range(every) if rescans.is_due(image, start + timedelta(days=day), every)]
    assert rescans.is_due(image, start + timedelta(days=turn + every), every)


def test_the_turns_of_a_registry_are_spread_over_the_days() -> None:
    images = [image_id(str(number)) for number in range(7000)]
    days = [NOW.date() + timedelta(days=day) for day in range(7)]
    counts = [sum(rescans.is_due(image, day, 7) for image in images) for day in days]
    assert sum(counts) == len(images)
    assert all(850 < count < 1150 for count in counts)


@pytest.mark.parametrize(
    ("image", "has_turns"),
    [
        (an_image("a", "v1"), True),
        (an_image("b", "v1", "sha256-0123"), True),
        (an_image("c", is_index=True), True),
        (an_image("d"), False),
        (an_image("e", "sha256-0123.sig"), False),
        (an_image("f", "v1", age=timedelta(hours=24)), True),
        (an_image("g", "v1", age=timedelta(hours=23, minutes=59)), False),
    ],
    ids=["tagged", "and signed", "index", "platform", "signature", "a day old", "scanned with its push"],
)
def test_what_people_run_has_turns_but_not_on_the_day_of_its_push(image: Image, has_turns: bool) -> None:
    assert list(rescans.due([image], 1, now=NOW)) == ([image] if has_turns else [])


def test_who_has_no_turn_today_is_left_alone() -> None:
    images = [an_image(str(number), "v1") for number in range(100)]
    today = list(rescans.due(images, 7, now=NOW))
    assert 0 < len(today) < len(images)
    assert all(rescans.is_due(image.id, NOW.date(), 7) for image in today)


@pytest.mark.parametrize("count", [0, 1, rescans.MOST, rescans.MOST + 1, 3 * rescans.MOST + 7])
@pytest.mark.parametrize("every", [1, 7])
def test_of_too_many_images_all_are_asked_for_in_their_next_turns(count: int, every: int) -> None:
    images = [an_image(str(number), "v1") for number in range(count)]
    rounds = -(-count // rescans.MOST)
    asked: Counter[ImageId] = Counter()
    for number in range(rounds):
        chosen = rescans.chosen(images, every, today=NOW.date() + timedelta(days=every * number))
        assert len(set(chosen)) == len(chosen) == min(count, rescans.MOST)
        asked.update(image.id for image in chosen)
    assert asked.keys() == {image.id for image in images}


STANDARD: dict[str, Any] = {"scanning__mode": "report", "scanning__on_push": False}


@pytest.mark.parametrize(
    ("enhanced", "mode", "starts"),
    [(False, "enforce", True), (False, "report", True), (False, "off", False), (True, "enforce", False)],
)
@pytest.mark.parametrize("repository_scans", [True, False])
def test_an_old_scan_is_made_anew_whoever_scans_the_pushes(
    enhanced: bool, mode: str, starts: bool, repository_scans: bool
) -> None:
    images = (image_id(),)
    plan = plan_scans(
        images,
        repository_scans=repository_scans,
        scanning=RegistryScanning(enhanced),
        standard=standard_of(a_policy(**{**STANDARD, "scanning__mode": mode}), APP, {}),
        anew=True,
    )
    assert (plan.images == images) is starts


@pytest.mark.parametrize("anew", [True, False])
def test_the_wish_for_a_new_scan_comes_through(anew: bool) -> None:
    body = messages.push_reminder(image_id(), id="rescan", at=NOW, home=HOME, anew=anew)
    assert events.image_pushed(body, HOME) == events.ImagePushed("rescan", NOW, image_id(), None, asked=True, anew=anew)


def test_an_event_of_ecr_asks_for_no_new_scan() -> None:
    body = messages.push_reminder(image_id(), id="e", at=NOW, home=HOME, anew=True)
    pushed = events.image_pushed(body.replace('"source":"warden"', '"source":"aws.ecr"'), HOME)
    assert isinstance(pushed, events.ImagePushed)
    assert (pushed.asked, pushed.anew) == (False, False)


def test_digests_are_taken_whole_from_after_their_algorithm() -> None:
    number = int(digest("image").partition(":")[2][:16], 16)
    assert [rescans.is_due(image_id(), date.fromordinal(number % 5 + 5 * weeks), 5) for weeks in (1, 2)] == [True, True]
