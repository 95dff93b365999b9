"""Which image came before another: the next smaller version, the build pushed before, or the last holder of a tag."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW, image_id
from warden.images import Image
from warden.names import Tag
from warden.tag_lines import MOST_LINES, Place, line_of, places

COMMIT = "41d9be20c0ffee00a1b2c3d4e5f60718293a4b5c"
OTHER = "9f31c07ab0cde1f2a3b4c5d6e7f8091a2b3c4d5e"


def image(*tags: str, pushed: int = 0, seed: str = "image") -> Image:
    """An image that was pushed so many minutes after noon."""
    return Image(image_id(seed), tuple(map(Tag, tags)), NOW + timedelta(minutes=pushed))


def came_before(one: str, other: str) -> bool:
    """Whether an image with the one tag, pushed first, comes before an image with the other."""
    return precedes(image(one, seed="one"), image(other, pushed=1, seed="other"))


def precedes(one: Image, other: Image) -> bool:
    orders = {place.line: place.order for place in places(other)}
    return any(place.line in orders and place.order < orders[place.line] for place in places(one))


VERSIONS = [
    ("v1.4.1", "v1.4.2"),
    ("v1.9.0", "v1.10.0"),
    ("1.9", "1.10"),
    ("1.9.9", "1.10"),
    ("1.4", "1.4.0"),
    ("v1", "v2"),
    ("v9", "v10"),
    ("9", "10"),
    ("1.4.2", "1.4.10"),
    ("0.9.0", "1.0.0"),
    ("1.0.0", "1.0.00001"),
    ("007", "8"),
    ("v1.4.2-rc1", "v1.4.2-rc2"),
    ("v1.4.2-rc9", "v1.4.2-rc10"),
    ("v1.4.1-rc9", "v1.4.2-rc1"),
    ("v1.4.2-rc.1", "v1.4.2-rc.2"),
    ("2026.10", "2026.11"),
    ("2026.9", "2026.10"),
    ("2026.11.22", "2026.11.23"),
    ("2026-11-22", "2026-11-23"),
    ("2026-09-30", "2026-11-01"),
    ("20261122-alpine", "20261123-alpine"),
    ("2026.11.23-1", "2026.11.23-2"),
    ("3.20-alpine", "3.21-alpine"),
    ("3.12-slim", "3.13-slim"),
    ("1.2.3-alpine3.20", "1.2.3-alpine3.21"),
    ("1.2.3-alpine3.21", "1.2.4-alpine3.20"),
    ("release-1.2", "release-1.3"),
    ("release-1.9", "release-1.10"),
    ("app-1.9.0", "app-1.10.0"),
    ("v1.4.2-amd64", "v1.4.3-amd64"),
    ("1.4.1-41d9be2", "1.4.2-9f31c07"),
    ("1.9.0-9f31c07", "1.10.0-41d9be2"),
    ("9" * 99, "1" + "0" * 99),
    ("9" * 127, "9" * 128),
    ("1." * 63 + "1", "1." * 63 + "2"),
    ("v0", "v1"),
    ("v0.0.9", "v0.0.10"),
    ("1.0-1", "1.0-2"),
]
"""The first is the smaller version: it comes before whenever either was pushed."""

BUILDS = [
    ("main-41d9be2", "main-9f31c07"),
    ("main-9f31c07", "main-41d9be2"),
    ("41d9be2", "9f31c07"),
    ("9f31c07", "41d9be2"),
    ("41d9be2", "1234567"),
    ("1234567", "41d9be2"),
    ("2345678", "1234567"),
    ("abcdefa", "41d9be2"),
    (COMMIT, OTHER),
    (OTHER, COMMIT),
    ("20261123", "20261122"),
    ("sha-41d9be2", "sha-9f31c07"),
    ("sha-9f31c07", "sha-1234567"),
    ("pr-42", "pr-43"),
    ("pr-43", "pr-42"),
    ("pr-9", "pr-10"),
    ("build-100", "build-99"),
    ("nightly-20261123", "nightly-20261122"),
    ("main-41d9be2-amd64", "main-9f31c07-amd64"),
    ("main_41d9be2", "main_9f31c07"),
    ("feature-x-41d9be2", "feature-x-9f31c07"),
    ("latest", "latest"),
    ("stable", "stable"),
    ("main", "main"),
    ("defaced", "effaced"),
    ("v", "v"),
]
"""What comes before is what was pushed before, whatever stands there."""

STRANGERS = [
    ("v1.4.2", "1.4.3"),
    ("v1.4.2", "v1.4.3-rc1"),
    ("v1.4.2-rc1", "v1.4.2"),
    ("3.20-alpine", "3.21-slim"),
    ("3.20", "3.21-alpine"),
    ("latest", "stable"),
    ("latest", "v1"),
    ("main-41d9be2", "develop-9f31c07"),
    ("main-41d9be2", "main"),
    ("1.10", "41d9be2"),
    ("41d9be2", "1.10"),
    ("1.10-3", "pr-3"),
    ("v1.4.2-amd64", "v1.4.3-arm64"),
    ("Main-41d9be2", "main-9f31c07"),
    ("warden.1", "warden.2"),
    ("quarantine.1", "quarantine.2"),
    ("moved-1", "moved-2"),
    ("sha256-" + "1" * 64 + ".sig", "sha256-" + "2" * 64 + ".sig"),
    ("release-1.2", "release_1.3"),
    ("x" * 128, "y" * 128),
]
"""They are of different lines, or of none: neither comes before the other."""


def test_the_tables_say_enough() -> None:
    assert len(VERSIONS) + len(BUILDS) + len(STRANGERS) >= 80


@pytest.mark.parametrize(("smaller", "larger"), VERSIONS)
def test_the_smaller_version_comes_before_whenever_it_was_pushed(smaller: str, larger: str) -> None:
    assert came_before(smaller, larger)
    assert not came_before(larger, smaller)


@pytest.mark.parametrize(("first", "second"), BUILDS)
def test_of_builds_and_moving_tags_what_was_pushed_first_comes_before(first: str, second: str) -> None:
    assert came_before(first, second)
    assert came_before(second, first)


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_what_is_of_another_line_comes_neither_before_nor_after(one: str, other: str) -> None:
    assert not came_before(one, other)
    assert not came_before(other, one)


def test_a_patch_follows_its_minor_though_a_major_was_pushed_between() -> None:
    line = [image("v1.4.1", seed="a"), image("v2.0.0", pushed=1, seed="b"), image("v1.4.2", pushed=2, seed="c")]
    assert nearest_before(line[2], line) is line[0]
    assert nearest_before(line[1], line) is line[2]


def nearest_before(one: Image, others: Sequence[Image]) -> Image:
    (mine,) = places(one)
    earlier = {place.order: other for other in others for place in places(other) if place < mine}
    return earlier[max(earlier)]


def test_the_same_version_pushed_again_follows_its_first_push() -> None:
    assert precedes(image("v1.4.2", seed="a"), image("v1.4.2", pushed=1, seed="b"))


def test_of_two_pushed_in_the_same_moment_exactly_one_comes_before() -> None:
    one, other = image("latest", seed="a"), image("latest", seed="b")
    assert precedes(one, other) != precedes(other, one)


@pytest.mark.parametrize("hours", [-11, 0, 5, 14])
def test_a_time_zone_changes_nothing(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    there = Image(image_id(), (Tag("latest"),), datetime(2026, 11, 23, 12, 0, tzinfo=UTC).astimezone(zone))
    assert places(there) == places(image("latest"))


@pytest.mark.parametrize(
    ("tags", "lines"),
    [
        ((), []),
        (("sha256-abc.sig", "warden.x", "quarantine.x", "moved-x"), []),
        (("latest", "main-41d9be2", "v1.4.2"), ["v*", "pushed main-*", "pushed latest"]),
        (("1.10", "41d9be2"), ["*", "pushed *"]),
        (("latest", "stable"), ["pushed latest", "pushed stable"]),
    ],
)
def test_versions_say_most_and_moving_tags_least(tags: tuple[str, ...], lines: list[str]) -> None:
    assert [place.line for place in places(image(*tags))] == lines


@pytest.mark.parametrize(
    ("tags", "last"),
    [
        (("v1", "v1.4", "v1.4.2"), "v1.4.2"),
        (("v1.9", "v1.10"), "v1.10"),
        (("v2", "v1.99"), "v2"),
        (("3", "3.1", "3.1.0"), "3.1.0"),
    ],
)
def test_of_several_tags_of_one_line_the_last_one_counts(tags: tuple[str, ...], last: str) -> None:
    assert places(image(*tags)) == places(image(last))


def test_of_a_thousand_tags_the_versions_count_and_few_others() -> None:
    names = [f"{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(500)]
    found = places(image(*names, "v1.4.2"))
    assert len(found) == MOST_LINES
    assert found[0].line == "v*"


@pytest.mark.parametrize(
    "tag", ["a" * 128, "1." * 64, "1" * 128, "0" * 128, "-" * 128, "a1" * 64, "_.-" * 42, "f" * 64]
)
def test_no_tag_is_too_odd(tag: str) -> None:
    (place,) = places(image(tag))
    assert len(place.line) <= len("pushed ") + 128
    assert len(place.order.encode()) < 1024, "the longest sort key of DynamoDB"


TAGS = st.one_of(
    st.from_regex(re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,30}", re.ASCII), fullmatch=True),
    st.from_regex(r"v?[0-9]{1,3}(\.[0-9]{1,3}){0,3}(-rc[0-9])?", fullmatch=True),
    st.from_regex(r"(main-)?[0-9a-f]{7}", fullmatch=True),
    st.sampled_from(["latest", "stable", "1.4-alpine", "20261123"]),
)
IMAGES = st.builds(image, TAGS, pushed=st.integers(-10_000, 10_000), seed=st.integers(0, 20).map(str))


@given(st.lists(IMAGES, min_size=2, max_size=8))
def test_images_of_one_line_come_one_after_another(images: list[Image]) -> None:
    """The order is total: of two places one is first, unless they are the same image's."""
    for one in images:
        for other in images:
            for mine, theirs in zip(places(one), places(other), strict=False):
                if mine.line == theirs.line:
                    assert (mine.order < theirs.order) + (mine.order > theirs.order) + (mine.order == theirs.order) == 1
                    assert mine.order != theirs.order or one.id == other.id


@given(st.lists(TAGS, max_size=12), st.randoms())
def test_the_order_of_the_tags_says_nothing(tags: list[str], random: object) -> None:
    shuffled = sorted(tags, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert places(image(*tags)) == places(image(*shuffled))


@given(st.lists(TAGS, max_size=12))
def test_each_line_is_there_once_and_an_image_is_never_before_itself(tags: list[str]) -> None:
    found = places(image(*tags))
    assert len({place.line for place in found}) == len(found)
    assert not precedes(image(*tags), image(*tags))


@given(
    st.lists(st.integers(0, 10**30), min_size=1, max_size=4), st.lists(st.integers(0, 10**30), min_size=1, max_size=4)
)
def test_versions_sort_as_their_numbers_do(one: list[int], other: list[int]) -> None:
    def place(numbers: list[int]) -> Place:
        return places(image("v" + ".".join(map(str, numbers))))[0]

    assert place(one).line == place(other).line
    assert (place(one).order < place(other).order) == (one < other)


@given(TAGS)
def test_the_line_of_a_line_is_itself(tag: str) -> None:
    assert line_of(Tag(line_of(Tag(tag)))) == line_of(Tag(tag))
