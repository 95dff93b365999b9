"""Laws of rendering: ECR takes what is rendered, and then does what the standard says; a lease hurts no other image."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from local.registry import lifecycle_policy
from tests.builders import NOW
from tests.unit.lifecycle.standards import (
    HOLDERS,
    IN_USE,
    LAW,
    SHORT,
    a_standard,
    is_leased,
    is_protected,
    standards,
    taken_by,
    with_leases,
    worlds,
)
from warden.lifecycle.evaluation import evaluate
from warden.lifecycle.rendering import displaced, is_direct, render, suspended
from warden.lifecycle.rules import RuleAction
from warden.lifecycle.validation import complaints, read
from warden.names import Digest
from warden.policy import LifecycleAction, LifecycleRule, LifecycleStandard
from warden.stored_images import StoredImage
from warden.wildcard import matches

NOWS = st.sampled_from([NOW, NOW + timedelta(days=50), NOW + timedelta(days=400)])


@given(standards())
@LAW
def test_ecr_takes_whatever_is_rendered(standard: LifecycleStandard) -> None:
    rendered = render(standard)
    for text in (rendered.text, suspended(rendered)):
        if text is not None:
            assert complaints(text) == ()
            lifecycle_policy.read(text)
    if rendered.text is not None:
        assert read(rendered.text) == rendered.rules
    priorities = [rule.priority for rule in rendered.rules]
    assert priorities == list(range(1, len(priorities) + 1))
    assert list(rendered.origins) == priorities


@given(standards())
@LAW
def test_at_most_one_rule_is_on_any_image_and_it_is_the_last_of_all(standard: LifecycleStandard) -> None:
    """So that ECR takes the policy whether or not it means each storage class by itself."""
    statuses = [rule.tag_status for rule in render(standard).rules]
    assert "any" not in statuses[:-1]


@given(standards(), worlds(references=False), NOWS)
@LAW
def test_the_rendered_policy_does_what_the_standard_says(
    standard: LifecycleStandard, images: tuple[StoredImage, ...], now: datetime
) -> None:
    assert taken_by(render(standard), images, now) == _plainly(standard, images, now)


def _plainly(standard: LifecycleStandard, images: Sequence[StoredImage], now: datetime) -> dict[Digest, RuleAction]:
    """What ECR is to take, rule by rule, in the plainest way."""
    expire = standard.action is LifecycleAction.DELETE
    found: dict[Digest, RuleAction] = {}
    stored = [image for image in images if not image.archived]
    for image in images:
        guarded = is_protected(image, standard) or is_leased(image)
        if guarded:
            continue
        if image.archived:
            days = standard.delete_archived_days
            if days and image.archived_at and now - image.archived_at > timedelta(days=days):
                found[image.digest] = RuleAction.EXPIRE
            continue
        decider = next((rule for rule in standard.rules if _is_about(rule, image)), None)
        if decider and not is_direct(decider, standard) and _exceeds(decider, image, stored, now):
            found[image.digest] = RuleAction.EXPIRE if expire else RuleAction.TRANSITION
    return found


def _is_about(rule: LifecycleRule, image: StoredImage) -> bool:
    if rule.of in {"untagged", "any"}:
        return rule.of == "any" or not image.tags
    return any(matches(rule.of, tag) for tag in image.tags)


def _exceeds(rule: LifecycleRule, image: StoredImage, stored: Sequence[StoredImage], now: datetime) -> bool:
    if rule.keep is not None:
        own = (image.stored_since, image.digest)
        newer = [each for each in stored if _is_about(rule, each) and (each.stored_since, each.digest) > own]
        return len(newer) >= rule.keep
    if rule.not_pulled_days is not None:
        return now - image.unused_since > timedelta(days=rule.not_pulled_days)
    assert rule.after_days is not None
    return now - image.stored_since > timedelta(days=rule.after_days)


@given(standards(), worlds(), NOWS)
@LAW
def test_no_rule_takes_what_is_leased_or_protected(
    standard: LifecycleStandard, images: tuple[StoredImage, ...], now: datetime
) -> None:
    for taken in evaluate(render(standard).rules, images, now):
        if taken.priority is not None:
            assert not is_protected(taken.image, standard)
            assert not is_leased(taken.image)


@given(standards(), worlds(), NOWS)
@LAW
def test_a_suspended_policy_takes_nothing(
    standard: LifecycleStandard, images: tuple[StoredImage, ...], now: datetime
) -> None:
    assert evaluate(read(suspended(render(standard))), images, now) == ()


@given(standards(), worlds(), HOLDERS, NOWS)
@LAW
def test_leases_never_make_another_image_leave(
    standard: LifecycleStandard, images: tuple[StoredImage, ...], holders: frozenset[Digest], now: datetime
) -> None:
    standard = replace(standard, protection=replace(standard.protection, in_use=True))
    carriers = frozenset(image.digest for image in images) & holders
    besides = displaced(standard, images, carriers)
    rendered = render(standard)
    before = taken_by(rendered, with_leases(images, ()), now)
    after = taken_by(rendered, with_leases(images, carriers | besides), now)
    assert after.keys() <= before.keys()
    assert not besides & carriers


@given(worlds(tags=SHORT, references=False, archive=False), HOLDERS, st.integers(1, 3))
@LAW
def test_only_images_that_a_lease_would_push_out_are_leased_besides(
    images: tuple[StoredImage, ...], holders: frozenset[Digest], keep: int
) -> None:
    carriers = frozenset(image.digest for image in images) & holders
    standard = a_standard(LifecycleRule("*", keep=keep), protection=IN_USE)
    newest = sorted((image for image in images if image.tags), key=lambda image: (image.stored_since, image.digest))
    kept = {image.digest for image in newest[-keep:]}
    holding = sorted(with_leases(images, carriers), key=lambda image: (image.stored_since, image.digest))
    still = {image.digest for image in [image for image in holding if image.tags][-keep:]}
    assert displaced(standard, images, carriers) == kept - still - carriers
