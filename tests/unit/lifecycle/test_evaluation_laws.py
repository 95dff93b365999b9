"""Laws of the evaluation: it agrees with two others, nobody loses what is needed, and done once it is done."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.builders import NOW
from tests.unit.lifecycle.ecr_worlds import (
    LAW,
    afterwards,
    by_the_registry,
    in_the_plainest_way,
    lost_their_subject,
    pairs,
    policies,
    repositories,
)
from warden.lifecycle.evaluation import Taken, evaluate
from warden.lifecycle.rules import Rule, RuleAction
from warden.lifecycle.selection import about
from warden.lifecycle.validation import complaints, read, write
from warden.names import Digest
from warden.stored_images import StoredImage


def told(taken: Sequence[Taken]) -> dict[Digest, tuple[str, int | None]]:
    return {each.image.digest: (each.action, each.priority) for each in taken}


@LAW
@given(policies(), repositories(tangled=False))
def test_it_agrees_with_the_local_registry_on_repositories_as_tools_fill_them(
    rules: tuple[Rule, ...], images: tuple[StoredImage, ...]
) -> None:
    expected = by_the_registry(rules, images, NOW)
    # The pages don't say whether a child may be deleted when its index is only archived; here it may not.
    assume(not any(_is_deleted_under_an_archived_index(image, expected) for image in images))

    assert told(evaluate(rules, images, NOW)) == expected


def _is_deleted_under_an_archived_index(index: StoredImage, decided: Mapping[Digest, tuple[str, int | None]]) -> bool:
    actions = {digest: action for digest, (action, _) in decided.items()}
    is_archived = actions.get(index.digest) == RuleAction.TRANSITION
    return is_archived and any(actions.get(child) == RuleAction.EXPIRE for child in index.children)


@LAW
@given(policies(), repositories())
def test_it_agrees_with_the_plainest_way_on_any_tangle(
    rules: tuple[Rule, ...], images: tuple[StoredImage, ...]
) -> None:
    taken = evaluate(rules, images, NOW)

    assert told(taken) == in_the_plainest_way(rules, images, NOW)
    assert len(told(taken)) == len(taken)


@LAW
@given(policies(), repositories())
def test_only_the_first_rule_whose_requirements_an_image_meets_may_take_it(
    rules: tuple[Rule, ...], images: tuple[StoredImage, ...]
) -> None:
    first: dict[Digest, int] = {}
    for rule, image in pairs(rules, images):
        if rule.archived is image.archived and about(rule)(image.tags):
            first.setdefault(image.digest, rule.priority)

    for each in evaluate(rules, images, NOW):
        assert each.priority in {None, first.get(each.image.digest)}
        assert not (each.image.archived and each.action is RuleAction.TRANSITION)


@LAW
@given(policies(), repositories())
def test_nothing_that_an_index_still_lists_is_deleted(rules: tuple[Rule, ...], images: tuple[StoredImage, ...]) -> None:
    remaining = afterwards(images, evaluate(rules, images, NOW), NOW)
    listed = {child for image in remaining for child in image.children}

    assert listed & {image.digest for image in images} <= {image.digest for image in remaining}


@LAW
@given(policies(), repositories())
def test_an_active_index_lists_nothing_that_has_just_been_archived(
    rules: tuple[Rule, ...], images: tuple[StoredImage, ...]
) -> None:
    taken = evaluate(rules, images, NOW)
    archived = {each.image.digest for each in taken if each.action is RuleAction.TRANSITION}

    for image in afterwards(images, taken, NOW):
        assert image.archived or not archived & set(image.children)


@LAW
@given(policies(), repositories())
def test_an_artifact_leaves_without_a_rule_only_where_its_subject_leaves_in_the_same_way(
    rules: tuple[Rule, ...], images: tuple[StoredImage, ...]
) -> None:
    taken = evaluate(rules, images, NOW)
    actions = {each.image.digest: each.action for each in taken}

    for each in taken:
        if each.priority is None:
            assert each.image.subject is not None
            assert actions[each.image.subject] is each.action


@LAW
@given(policies(), repositories())
def test_what_is_done_is_done(rules: tuple[Rule, ...], images: tuple[StoredImage, ...]) -> None:
    remaining = afterwards(images, evaluate(rules, images, NOW), NOW)

    assert evaluate(rules, remaining, NOW) == () or lost_their_subject(images, remaining)


@LAW
@given(policies(), repositories(), policies())
def test_a_rule_after_all_others_takes_back_nothing(
    rules: tuple[Rule, ...], images: tuple[StoredImage, ...], others: tuple[Rule, ...]
) -> None:
    last = replace(others[0], priority=999)

    assert told(evaluate(rules, images, NOW)).items() <= told(evaluate([*rules, last], images, NOW)).items()


@LAW
@given(policies(), repositories(), st.randoms(use_true_random=False))
def test_order_means_nothing(rules: tuple[Rule, ...], images: tuple[StoredImage, ...], chance: random.Random) -> None:
    shuffled, mixed = list(images), list(rules)
    chance.shuffle(shuffled)
    chance.shuffle(mixed)

    assert told(evaluate(mixed, shuffled, NOW)) == told(evaluate(rules, images, NOW))


@LAW
@given(policies(), repositories(tangled=False))
def test_the_oldest_leaves_first_but_for_an_index_before_what_it_lists(
    rules: tuple[Rule, ...], images: tuple[StoredImage, ...]
) -> None:
    taken = evaluate(rules, images, NOW)
    place = {each.image.digest: index for index, each in enumerate(taken)}

    single = [each for each in taken if not _is_tied(each.image, images)]
    assert single == sorted(single, key=lambda each: (each.image.stored_since, each.image.digest))
    if not _in_circles(images):
        for each in taken:
            assert all(place[each.image.digest] < place[child] for child in each.image.children if child in place)


def _is_tied(image: StoredImage, images: Sequence[StoredImage]) -> bool:
    """Whether its place depends on another's, too."""
    referred = {digest for other in images for digest in (*other.children, other.subject)}
    return bool(image.subject or image.children or image.digest in referred)


def _in_circles(images: Sequence[StoredImage]) -> bool:
    """Whether some index lists itself, by way of others perhaps."""
    children = {image.digest: set(image.children) for image in images}
    while leaves := [digest for digest, found in children.items() if not found & children.keys()]:
        for digest in leaves:
            del children[digest]
    return bool(children)


@LAW
@given(policies())
def test_every_policy_of_these_laws_is_one_that_ecr_takes_and_is_read_as_it_is_written(rules: tuple[Rule, ...]) -> None:
    text = write(rules)

    assert complaints(text) == ()
    assert read(text) == tuple(sorted(rules, key=lambda rule: rule.priority))
