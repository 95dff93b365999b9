"""What a lifecycle policy does, by AWS's worked examples, and sentence by sentence."""

import gc
import json
from datetime import datetime
from typing import Any

import pytest

from tests.builders import NOW, VECTORS, vector
from tests.unit.lifecycle.ecr_worlds import DAY, STRANGER, a_rule, an_image
from warden.lifecycle.evaluation import Taken, evaluate
from warden.lifecycle.json_objects import LARGEST_INTEGER
from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus
from warden.lifecycle.validation import read
from warden.names import Digest, Tag
from warden.stored_images import StoredImage

CASES = sorted(path.name for path in (VECTORS / "lifecycle").glob("[!_]*.json"))
SECOND = DAY / 86_400


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _stored(image: dict[str, Any]) -> StoredImage:
    subject = image.get("subject_digest")
    return StoredImage(
        Digest(image["digest"]),
        tuple(map(Tag, image["tags"])),
        datetime.fromisoformat(image["pushed_at"]),
        pulled_at=_time(image.get("last_recorded_pulltime")),
        archived=image["storage_class"] == "archive",
        archived_at=_time(image.get("last_archived_at")),
        activated_at=_time(image.get("last_activated_at")),
        subject=Digest(subject) if subject else None,
    )


def names(taken: tuple[Taken, ...], *images: StoredImage) -> list[str]:
    """The images that are taken, as numbers from 0 in the order in which they were given, in the order of leaving."""
    order = [image.digest for image in images]
    return [f"{order.index(each.image.digest)}:{each.priority}" for each in taken]


def leave(rules: list[Rule], *images: StoredImage) -> list[str]:
    return names(evaluate(rules, images, NOW), *images)


@pytest.mark.parametrize("name", CASES)
def test_a_policy_does_what_the_pages_say(name: str) -> None:
    case = vector(f"lifecycle/{name}")

    taken = evaluate(read(json.dumps(case["policy"])), [*map(_stored, case["images"])], _time(case["now"]) or NOW)

    by_action = {action: {each.image.digest for each in taken if each.action is action} for action in RuleAction}
    assert by_action[RuleAction.EXPIRE] == set(case["expected_expired"])
    assert by_action[RuleAction.TRANSITION] == set(case["expected_transitioned"])
    by_rule = {each.image.digest: each.priority for each in taken if each.priority is not None}
    assert by_rule == case["expected_rule_priority"]


def test_rules_apply_by_priority_in_whatever_order_they_come() -> None:
    first, second = a_rule(1, "v*", keep=5), a_rule(2, "any", after=1)
    images = [an_image("a", "v1", age=9), an_image("b", age=9)]

    assert leave([second, first], *images) == leave([first, second], *images) == ["1:2"]


def test_an_image_that_an_earlier_rule_keeps_is_out_of_reach_of_later_ones_which_count_it_all_the_same() -> None:
    kept, old, older = an_image("a", "prod", age=1), an_image("b", age=2), an_image("c", age=3)

    assert leave([a_rule(1, "prod", keep=9), a_rule(2, keep=1)], kept, old, older) == ["2:2", "1:2"]
    assert leave([a_rule(1, "prod", keep=9), a_rule(2, keep=2)], kept, old, older) == ["2:2"]


def test_a_later_rule_counts_what_an_earlier_one_takes() -> None:
    images = an_image("a", "dev", age=1), an_image("b", age=2), an_image("c", age=3)

    assert leave([a_rule(1, "d*", after=0), a_rule(2, keep=2)], *images) == ["2:2", "0:1"]


def test_images_of_the_same_instant_are_counted_by_their_digests() -> None:
    claimed = an_image("a", "prod", age=5)
    tied = sorted((an_image(name, age=5) for name in "bcdef"), key=lambda image: image.digest)

    for images in (tied, tied[::-1]):
        assert [each.image for each in evaluate([a_rule(keep=2)], images, NOW)] == tied[:3]
    everything = sorted([*tied, claimed], key=lambda image: image.digest)
    expected = [image for image in everything[:3] if image is not claimed]
    assert [
        each.image for each in evaluate([a_rule(1, "prod", keep=9), a_rule(2, keep=3)], everything, NOW)
    ] == expected


@pytest.mark.parametrize("most", [1, 3, 40, 300, 999])
def test_counting_keeps_exactly_the_newest_however_many_there_are(most: int) -> None:
    images = [an_image(f"{number}", age=number * 7919 % 1000) for number in range(1000)]

    taken = evaluate([a_rule(keep=most)], images, NOW)

    assert {each.image.pushed_at for each in taken} == {NOW - age * DAY for age in range(most, 1000)}


@pytest.mark.parametrize(
    ("late", "expected"), [(0 * SECOND, []), (-SECOND, []), (SECOND, ["0:1"])], ids=["exactly", "younger", "older"]
)
def test_an_image_is_taken_when_it_is_older_than_so_many_days(late: Any, expected: list[str]) -> None:
    image = an_image("a", pushed_at=NOW - 7 * DAY - late)

    assert leave([a_rule(after=7)], image) == expected


def test_a_restored_image_counts_from_its_restoring() -> None:
    restored, other = an_image("a", age=100, activated_at=NOW - 2 * DAY), an_image("b", age=9)

    assert leave([a_rule(after=7)], restored, other) == ["1:1"]
    assert leave([a_rule(keep=1)], restored, other) == ["1:1"]
    assert leave([a_rule(unpulled=7)], restored, other) == ["1:1"]


@pytest.mark.parametrize(
    ("pulled", "expected"), [(None, ["0:1"]), (3 * DAY, []), (50 * DAY, ["0:1"])], ids=["never", "lately", "long ago"]
)
def test_an_image_is_unused_since_its_last_pull_or_its_push(pulled: Any, expected: list[str]) -> None:
    image = an_image("a", age=90, pulled_at=pulled and NOW - pulled)

    assert leave([a_rule(unpulled=30)], image) == expected


def test_rules_on_the_archive_and_on_the_rest_do_not_meet() -> None:
    images = (
        an_image("a", age=500, archived=True, archived_at=NOW - 200 * DAY),
        an_image("b", age=500, archived=True, archived_at=NOW - 20 * DAY),
        an_image("c", age=500, archived=True),
        an_image("d", age=500, archived_at=NOW - 200 * DAY, activated_at=NOW - 150 * DAY),
    )

    assert leave([a_rule(unarchived=90)], *images) == ["0:1"]
    assert leave([a_rule(after=1)], *images) == ["3:1"]
    assert leave([a_rule(1, unarchived=90), a_rule(2, keep=1)], *images) == ["0:1"]


def test_nothing_is_archived_twice_even_by_a_rule_that_ecr_would_not_take() -> None:
    impossible = Rule(1, TagStatus.ANY, CountType.SINCE_IMAGE_PUSHED, 1, RuleAction.TRANSITION, archived=True)

    assert leave([impossible], an_image("a", age=500, archived=True)) == []


@pytest.mark.parametrize(
    ("of", "tags", "meets"),
    [
        ("v1", ("v1",), True),
        ("v1", ("v1.1",), False),
        ("v*", ("x", "v1"), True),
        ("v*", ("av1",), False),
        ("*", ("x",), True),
        ("**", ("x",), True),
        ("*", (), False),
        ("*prod", ("a-prod",), True),
        ("*prod", ("a-prod-1",), False),
        ("a*b*c", ("a-b-c",), True),
        ("a*b*c", ("acb",), False),
        ("v* *-rc", ("v1", "x-rc"), True),
        ("v* *-rc", ("v1-rc",), True),
        ("v* *-rc", ("v1",), False),
        ("v* *-rc", (), False),
        ("V*", ("v1",), False),
        ("v.", ("v1",), False),
        ("untagged", (), True),
        ("untagged", ("v1",), False),
        ("any", (), True),
    ],
)
def test_a_rule_is_about_an_image_by_its_tags(of: str, tags: tuple[str, ...], meets: bool) -> None:
    assert bool(leave([a_rule(1, of, after=1)], an_image("a", *tags, age=9))) is meets


def test_a_rule_on_tags_that_names_none_is_about_whatever_has_one() -> None:
    rule = Rule(1, TagStatus.TAGGED, CountType.SINCE_IMAGE_PUSHED, 1, RuleAction.EXPIRE)

    assert leave([rule], an_image("a", age=9), an_image("b", "v1", age=9)) == ["1:1"]


def test_prefixes_are_joined_by_and_too() -> None:
    rule = Rule(1, TagStatus.TAGGED, CountType.SINCE_IMAGE_PUSHED, 1, RuleAction.EXPIRE, prefixes=("v", "prod"))

    assert leave([rule], an_image("a", "v1", age=9), an_image("b", "v1", "prod", age=9)) == ["1:1"]


def test_what_a_kept_index_lists_stays_through_indexes_of_indexes() -> None:
    leaf, stray = an_image("leaf", age=9), an_image("stray", age=9)
    inner = an_image("inner", age=9, children=(leaf.digest, STRANGER))
    outer = an_image("outer", "v1", age=9, children=(inner.digest,))

    assert leave([a_rule(1, "untagged", after=1)], leaf, stray, inner, outer) == ["1:1"]
    assert leave([a_rule(1, "untagged", after=1)], outer, inner, stray, leaf) == ["2:1"]
    assert set(leave([a_rule(after=1)], leaf, stray, inner, outer)) == {"0:1", "1:1", "2:1", "3:1"}


def test_an_index_leaves_before_what_it_lists_though_that_is_older() -> None:
    leaf, oldest, newest = an_image("leaf", age=8), an_image("oldest", age=20), an_image("newest", age=3)
    inner = an_image("inner", age=7, children=(leaf.digest,))
    outer = an_image("outer", age=6, children=(inner.digest, leaf.digest))

    assert leave([a_rule(after=1)], newest, leaf, inner, outer, oldest) == ["4:1", "3:1", "2:1", "1:1", "0:1"]


def test_an_index_of_what_it_is_about_leaves_before_it_too() -> None:
    subject = an_image("subject", "v1", age=9)
    about = an_image("about", age=10, subject=subject.digest, children=(subject.digest,))

    assert leave([a_rule(after=1)], subject, about) == ["1:None", "0:1"]


def test_what_an_archived_index_lists_may_be_archived_and_not_deleted() -> None:
    child = an_image("child", age=9)
    index = an_image("index", "v1", age=9, children=(child.digest,))
    archived = an_image("archived", "v1", age=9, children=(child.digest,), archived=True)
    on_children = {archive: a_rule(2, "untagged", after=1, archive=archive) for archive in (False, True)}

    assert leave([a_rule(1, "v*", after=1, archive=True), on_children[False]], index, child) == ["0:1"]
    assert leave([a_rule(1, "v*", after=1, archive=True), on_children[True]], index, child) == ["0:1", "1:2"]
    assert leave([on_children[False]], archived, child) == []
    assert leave([on_children[True]], archived, child) == ["1:2"]
    assert leave([a_rule(1, "v*", after=1), on_children[True]], index, child) == ["0:1", "1:2"]


def test_reference_artifacts_go_with_their_subject_and_its_action_and_are_counted_by_no_rule() -> None:
    subject, other = an_image("a", "v1", age=9), an_image("b", "v2", age=3)
    signature = an_image("signature", age=9, subject=subject.digest)
    of_signature = an_image("of signature", age=1, subject=signature.digest)
    images = subject, other, signature, of_signature

    taken = evaluate([a_rule(keep=1, archive=True)], images, NOW)

    assert names(taken, *images) == ["0:1", "2:None", "3:None"]
    assert {each.action for each in taken} == {RuleAction.TRANSITION}
    assert leave([a_rule(1, "untagged", after=0)], *images) == []


def test_an_artifact_whose_subject_is_not_there_is_an_image_like_others() -> None:
    assert leave([a_rule(after=1)], an_image("a", age=9, subject=STRANGER)) == ["0:1"]


def test_an_artifact_that_is_archived_already_is_deleted_with_its_subject_and_not_archived_again() -> None:
    subject = an_image("a", "v1", age=9)
    artifact = an_image("b", age=9, subject=subject.digest, archived=True)

    assert leave([a_rule(after=1, archive=True)], subject, artifact) == ["0:1"]
    assert leave([a_rule(after=1)], subject, artifact) == ["0:1", "1:None"]


def test_an_artifact_that_a_kept_index_lists_stays_when_its_subject_goes_with_what_is_about_it() -> None:
    subject = an_image("subject", "v1", age=9)
    signature = an_image("signature", age=9, subject=subject.digest)
    about = an_image("about", age=9, subject=signature.digest)
    fallback = an_image("fallback", "sha256-subject", age=9, children=(signature.digest,))

    assert leave([a_rule(1, "v*", after=1)], subject, signature, about, fallback) == ["0:1"]


def test_what_goes_is_the_same_whatever_refers_in_circles() -> None:
    one, other = an_image("one", age=9), an_image("other", age=8)
    indexes = (
        StoredImage(one.digest, (), one.pushed_at, children=(other.digest, one.digest)),
        StoredImage(other.digest, (), other.pushed_at, children=(one.digest,)),
    )
    artifacts = (
        StoredImage(one.digest, (), one.pushed_at, subject=other.digest),
        StoredImage(other.digest, (), other.pushed_at, subject=one.digest),
    )

    assert sorted(leave([a_rule(after=1)], *indexes)) == ["0:1", "1:1"]
    assert leave([a_rule(after=1)], *artifacts) == []


def test_more_days_than_there_have_been_are_never_over() -> None:
    assert leave([a_rule(after=LARGEST_INTEGER)], an_image("a", age=700_000)) == []


def test_no_rules_and_no_images_take_nothing() -> None:
    assert evaluate([], [an_image("a")], NOW) == evaluate([a_rule(after=1)], [], NOW) == ()


@pytest.mark.parametrize("running", [True, False])
def test_the_garbage_collector_is_left_as_it_was(running: bool) -> None:
    before = gc.isenabled()
    (gc.enable if running else gc.disable)()
    try:
        evaluate([a_rule(after=1)], [an_image("a", age=9)], NOW)
        assert gc.isenabled() is running
    finally:
        (gc.enable if before else gc.disable)()
