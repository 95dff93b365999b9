"""Laws of what the warden takes itself: by ECR's own semantics, beside ECR's rules, and never what must stay."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW
from tests.unit.lifecycle.standards import (
    DAY,
    HOLDERS,
    LABELS,
    LAW,
    LEASES,
    TAGS,
    TIED,
    a_standard,
    an_image,
    is_leased,
    is_protected,
    standards,
    taken_by,
    with_leases,
    worlds,
)
from warden.lifecycle.direct import directly_taken, label_candidates
from warden.lifecycle.rendering import is_direct, render
from warden.lifecycle.rules import RuleAction
from warden.names import Digest
from warden.policy import LifecycleRule, LifecycleStandard, Per
from warden.stored_images import StoredImage

NOWS = st.sampled_from([NOW, NOW + timedelta(days=50), NOW + timedelta(days=400)])
Labels = Mapping[Digest, Mapping[str, str] | None]
Images = tuple[StoredImage, ...]
ALL_TAGS = (*TAGS, *LEASES, *TIED)


def taken(
    standard: LifecycleStandard, images: Images, labels: Labels | None = None, now: datetime = NOW
) -> dict[Digest, RuleAction]:
    found = directly_taken(standard, images, now, labels or {})
    assert len({one.image.digest for one in found}) == len(found)
    return {one.image.digest: one.action for one in found}


@given(standards(), worlds(tags=ALL_TAGS), LABELS, NOWS)
@LAW
def test_the_warden_and_ecr_never_take_the_same_image(
    standard: LifecycleStandard, images: Images, labels: Labels, now: datetime
) -> None:
    """But for an artifact of what the warden deletes, when ECR's rule on the archive has come to it as well."""
    by_ecr = taken_by(render(standard), images, now)
    both = taken(standard, images, labels, now).keys() & by_ecr.keys()
    assert not [image for image in images if image.digest in both and not image.archived]


@given(standards(), worlds(tags=ALL_TAGS), LABELS, NOWS)
@LAW
def test_what_is_leased_or_protected_and_what_that_is_about_stays(
    standard: LifecycleStandard, images: Images, labels: Labels, now: datetime
) -> None:
    gone = taken(standard, images, labels, now)
    for image in images:
        if is_leased(image) or is_protected(image, standard):
            assert image.digest not in gone
            assert image.subject not in gone


@given(standards(), worlds(tags=ALL_TAGS), LABELS, NOWS)
@LAW
def test_nothing_that_a_remaining_index_lists_is_taken(
    standard: LifecycleStandard, images: Images, labels: Labels, now: datetime
) -> None:
    gone = taken(standard, images, labels, now)
    for index in images:
        for child in index.children:
            if index.digest not in gone and gone.get(child) is RuleAction.EXPIRE:
                raise AssertionError(f"{index.digest} stays and lists {child}")
            if index.digest not in gone and child in gone:
                assert index.archived


@given(standards(), worlds(tags=ALL_TAGS), LABELS, NOWS)
@LAW
def test_indexes_go_before_what_they_list_and_images_before_what_is_about_them(
    standard: LifecycleStandard, images: Images, labels: Labels, now: datetime
) -> None:
    order = [one.image.digest for one in directly_taken(standard, images, now, labels)]
    listed = {child for index in images for child in index.children}
    for image in images:
        if image.digest in order:
            at = order.index(image.digest)
            assert all(order.index(child) > at for child in image.children if child in order)
            if image.subject in order and image.subject not in listed:
                assert order.index(image.subject) < at or image.children


@given(standards(), worlds(tags=ALL_TAGS), LABELS, NOWS)
@LAW
def test_each_image_is_taken_by_a_rule_that_is_ours_or_follows(
    standard: LifecycleStandard, images: Images, labels: Labels, now: datetime
) -> None:
    for one in directly_taken(standard, images, now, labels):
        assert is_direct(standard.rules[one.rule], standard)
        assert one.words.startswith(("follows sha256:", f"{standard.action} "))
        assert not (one.image.archived and one.action is RuleAction.TRANSITION)
        assert not one.image.archived or one.words.startswith("follows")


@given(standards(plain=True), worlds(tags=TAGS), NOWS)
@LAW
def test_rules_that_wait_choose_what_ecrs_own_would_take(
    standard: LifecycleStandard, images: Images, now: datetime
) -> None:
    """But for artifacts that are protected themselves: they hold what they are about, which ECR does not know."""
    waiting = replace(standard, wait_days=7)
    images = tuple(
        replace(image, tags=()) if is_protected(image, standard) and image.subject else image for image in images
    )
    assert taken(waiting, images, now=now) == taken_by(render(standard), images, now)
    assert render(waiting).text is None


@given(standards(), worlds(tags=TAGS), HOLDERS, LABELS, NOWS)
@LAW
def test_a_lease_never_makes_another_image_leave(
    standard: LifecycleStandard, images: Images, holders: frozenset[Digest], labels: Labels, now: datetime
) -> None:
    before = taken(standard, images, labels, now)
    after = taken(standard, with_leases(images, holders), labels, now)
    assert after.keys() <= before.keys() - holders


@given(standards(), worlds(tags=ALL_TAGS), LABELS, NOWS)
@LAW
def test_only_the_labels_that_are_asked_for_decide(
    standard: LifecycleStandard, images: Images, labels: Labels, now: datetime
) -> None:
    asked = {image.digest for image in label_candidates(standard, images, now)}
    read = {digest: found for digest, found in labels.items() if digest in asked}
    assert taken(standard, images, read, now) == taken(standard, images, labels, now)
    assert not asked or any(rule.label for rule in standard.rules)
    unknown = directly_taken(standard, images, now, dict.fromkeys(asked))
    assert not any(standard.rules[one.rule].label for one in unknown)


VERSIONS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 12)), unique=True, max_size=12)


@given(VERSIONS, st.integers(1, 3), st.sampled_from([Per.MAJOR, Per.MINOR]), st.permutations(range(12)))
@LAW
def test_the_newest_versions_of_each_group_stay_whenever_they_were_pushed(
    versions: list[tuple[int, int, int]], keep: int, per: Per, ages: list[int]
) -> None:
    depth = 1 if per is Per.MAJOR else 2
    images = tuple(
        an_image("v" + ".".join(map(str, version)), age=age) for version, age in zip(versions, ages, strict=False)
    )
    stay = {
        version
        for group in {version[:depth] for version in versions}
        for version in sorted(each for each in versions if each[:depth] == group)[-keep:]
    }
    gone = taken(a_standard(LifecycleRule("v*", keep=keep, per=per)), images)
    left = {tuple(map(int, re.findall("[0-9]+", image.tags[0]))) for image in images if image.digest not in gone}
    assert left == stay


@given(st.lists(st.integers(0, 40), min_size=1, max_size=9), st.lists(st.integers(0, 40), min_size=9, max_size=9))
@LAW
def test_images_that_nobody_pulled_for_so_long_go(pushed: list[int], pulled: list[int]) -> None:
    images = tuple(
        an_image(f"app-{number}", age=age, pulled_at=NOW - since * DAY if since < age else None)
        for number, (age, since) in enumerate(zip(pushed, pulled, strict=False))
    )
    expected = {
        image.digest for image in images if NOW - max(image.pulled_at or image.pushed_at, image.pushed_at) > 20 * DAY
    }
    assert taken(a_standard(LifecycleRule("app-*", not_pulled_days=20)), images).keys() == expected
