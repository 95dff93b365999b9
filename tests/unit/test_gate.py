"""The gate: what ECR's preview says is held against our own evaluation, what must live, and the caps."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW, digest
from warden.gate import A_DAY, Previewed, judge, over_caps
from warden.lifecycle.evaluation import evaluate
from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus
from warden.lifecycle.shields import LEASE_PATTERN, leased, shield
from warden.names import Digest, Tag
from warden.policy import Caps
from warden.pruning import Refusal
from warden.stored_images import StoredImage

ORIGINS = {f"lifecycle.caps.{name}": f"warden.yaml:{line}" for line, name in enumerate(("percent", "images", "bytes"))}
OLD_GO = Rule(2, TagStatus.ANY, CountType.SINCE_IMAGE_PUSHED, 30, RuleAction.EXPIRE)
RULES = (replace(shield(TagStatus.TAGGED, (LEASE_PATTERN,), "leases"), priority=1), OLD_GO)


def image(seed: str, *tags: str, days: float = 90, **facts: Any) -> StoredImage:
    return StoredImage(digest(seed), tuple(map(Tag, tags)), NOW - timedelta(days=days), **facts)


def index(seed: str, *listed: StoredImage, days: float = 90) -> StoredImage:
    return image(seed, seed, days=days, children=tuple(one.digest for one in listed), is_index=True)


def row(one: StoredImage, priority: int | None = 2, action: RuleAction = RuleAction.EXPIRE) -> Previewed:
    return Previewed(one.digest, action, priority)


def preview_of(*images: StoredImage, rules: tuple[Rule, ...] = RULES) -> tuple[Previewed, ...]:
    """What ECR previews where it evaluates as we do."""
    return tuple(Previewed(one.image.digest, one.action, one.priority) for one in evaluate(rules, images, NOW))


def judged(
    preview: tuple[Previewed, ...], *images: StoredImage, needs: dict[Digest, str] | None = None, **more: Any
) -> tuple[Refusal, ...]:
    return judge(preview, RULES, images, needs or {}, now=NOW, **more)


OLD, YOUNG = image("old"), image("young", days=3)


def test_a_preview_that_says_what_we_say_passes() -> None:
    assert judged(preview_of(OLD, YOUNG), OLD, YOUNG) == ()


def test_an_image_that_was_not_there_a_moment_ago_stops_everything_for_now() -> None:
    (refusal,) = judged((row(OLD), row(YOUNG)), OLD)
    assert "lists 1 images that were not there a moment ago" in refusal.why


@pytest.mark.parametrize(
    ("preview", "said"),
    [
        ((), "rule 2 takes it by our evaluation, none by ECR's"),
        ((row(OLD, 7),), "rule 7 by ECR's evaluation, rule 2 by ours"),
        ((row(OLD, None),), "rule None by ECR's evaluation, rule 2 by ours"),
        ((row(OLD, action=RuleAction.TRANSITION),), "rule 2 by ECR's evaluation, rule 2 by ours"),
    ],
    ids=["ECR spares it", "another rule", "no rule", "another action"],
)
def test_every_disagreement_names_the_image_and_both_sides(preview: tuple[Previewed, ...], said: str) -> None:
    (refusal,) = judged(preview, OLD, YOUNG)
    assert "disagree" in refusal.why
    assert [(one.image, one.why) for one in refusal.images] == [(OLD, said)]


def test_an_image_that_only_ecr_would_take_is_a_disagreement() -> None:
    (refusal,) = judged((row(OLD), row(YOUNG)), OLD, YOUNG)
    assert [(one.image, one.why) for one in refusal.images] == [
        (YOUNG, "rule 2 takes it by ECR's evaluation, none by ours")
    ]


@pytest.mark.parametrize("days", [29.001, 29.5, 30, 30.5, 30.999])
@pytest.mark.parametrize("is_told", [True, False])
def test_within_a_day_of_its_rules_age_an_image_may_be_told_or_not(days: float, is_told: bool) -> None:
    """Where exactly ECR draws the line is not documented."""
    border = image("border", days=days)
    assert judged((row(border),) if is_told else (), border) == ()


@pytest.mark.parametrize(("days", "is_told"), [(28.999, True), (31.001, False)])
def test_beyond_a_day_it_is_a_disagreement(days: float, is_told: bool) -> None:
    border = image("border", days=days)
    (refusal,) = judged((row(border),) if is_told else (), border)
    assert refusal.images[0].image == border


def test_what_a_kept_index_lists_may_be_told_since_ecr_refuses_to_take_it() -> None:
    child = image("child")
    kept = index("kept", child, days=3)
    assert judged((row(child),), kept, child) == ()
    assert judged((), kept, child) == ()
    assert judged((row(child),), kept, child, needs={child.digest: "listed by kept"}) == ()


def test_what_a_leaving_index_lists_may_be_left_for_the_next_time() -> None:
    child = image("child")
    gone = index("gone", child)
    assert judged((row(gone), row(child)), gone, child) == ()
    assert judged((row(gone),), gone, child) == ()


def test_what_a_leaving_index_lists_goes_by_the_same_rule_or_it_is_a_disagreement() -> None:
    child = image("child")
    gone = index("gone", child)
    (refusal,) = judged((row(gone), row(child, 9)), gone, child)
    assert [one.image for one in refusal.images] == [child]


def test_what_a_leaving_index_lists_and_must_live_is_refused() -> None:
    child = image("child")
    gone = index("gone", child)
    (refusal,) = judged((row(gone), row(child)), gone, child, needs={child.digest: "in use by ECS"})
    assert refusal.why == "images that must live would leave"
    assert [(one.image, one.why) for one in refusal.images] == [(child, "in use by ECS")]


def test_a_reference_artifact_follows_its_subject_whatever_the_preview_says_of_it() -> None:
    signature = image("signature", subject=OLD.digest)
    assert judged((row(OLD),), OLD, signature) == ()
    assert judged((row(OLD), row(signature, None)), OLD, signature) == ()
    assert judged((row(signature),), image("old", days=3), signature) == ()


def test_a_reference_artifact_that_must_live_is_refused_with_its_subject() -> None:
    signature = image("signature", subject=OLD.digest)
    (refusal,) = judged((row(OLD),), OLD, signature, needs={signature.digest: "tagged prod-1, which prod-* protects"})
    assert [one.image for one in refusal.images] == [signature]


def test_an_artifact_whose_subject_is_gone_is_an_image_like_others() -> None:
    orphan = image("orphan", subject=digest("gone"))
    (refusal,) = judged((), orphan)
    assert [one.image for one in refusal.images] == [orphan]


def test_an_image_that_must_live_and_would_leave_tomorrow_is_refused_today() -> None:
    """ECR acts by itself, perhaps before we look again."""
    nearly = image("nearly", days=29.5)
    (refusal,) = judged((), nearly, needs={nearly.digest: "in use by ECS"})
    assert refusal.why == "images that must live would leave"


def test_both_reasons_are_told_where_both_hold() -> None:
    refusals = judged((row(OLD), row(YOUNG)), OLD, YOUNG, needs={OLD.digest: "in use by ECS"})
    assert [refusal.images[0].image for refusal in refusals] == [YOUNG, OLD]


def test_in_report_mode_a_lease_that_is_yet_to_come_counts() -> None:
    needs = {OLD.digest: "in use by ECS"}
    assert judged(preview_of(OLD), OLD, needs=needs, spared=frozenset({OLD.digest})) == ()
    held = leased(OLD)
    assert judged(preview_of(held), held, needs=needs) == ()


@pytest.mark.parametrize(
    ("percent", "total", "most"),
    [(0, 4, 0), (1, 4, 1), (25, 4, 1), (26, 4, 2), (50, 3, 2), (29, 100, 29), (7, 100, 7), (100, 7, 7), (1, 1, 1)],
)
def test_a_percentage_is_rounded_up_and_nought_is_none(percent: int, total: int, most: int) -> None:
    images = [image(str(number)) for number in range(total)]
    assert over_caps(images[:most], images, Caps(percent=percent), ORIGINS) == ()
    if most < total:
        (refusal,) = over_caps(images[: most + 1], images, Caps(percent=percent), ORIGINS)
        assert f"{most + 1} of {total} images" in refusal.why
        assert f"{percent} % may: lifecycle.caps.percent (warden.yaml:0)" in refusal.why


@given(st.integers(0, 100), st.integers(1, 400))
def test_a_percentage_never_lets_a_whole_image_more_leave(percent: int, total: int) -> None:
    images = [OLD] * total
    most = max(n for n in range(total + 1) if not over_caps([OLD] * n, images, Caps(percent=percent), ORIGINS))
    assert most * 100 < percent * total + 100
    assert most * 100 >= percent * total


def test_each_cap_is_told_with_where_it_was_written() -> None:
    going = [image("a", size=3_000_000), image("b", size=2_000_000), index("c", image("a"))]
    whys = [refusal.why for refusal in over_caps(going, going, Caps(50, 2, 4_999_999), ORIGINS)]
    assert [why.partition(": ")[2] for why in whys] == [
        "lifecycle.caps.percent (warden.yaml:0)",
        "lifecycle.caps.images (warden.yaml:1)",
        "lifecycle.caps.bytes (warden.yaml:2)",
    ]
    assert over_caps(going, going, Caps(100, 3, 5_000_000), ORIGINS) == ()


def test_an_index_weighs_nothing_besides_its_parts() -> None:
    parts = [image("a", size=10), image("b", size=10)]
    whole = replace(index("whole", *parts), size=10)
    assert over_caps([whole, *parts], [whole, *parts], Caps(bytes=20), ORIGINS) == ()


def test_without_caps_all_may_leave() -> None:
    assert over_caps([OLD], [OLD], Caps(), ORIGINS) == ()


def test_a_day_is_how_long_ecr_takes() -> None:
    assert timedelta(hours=24) == A_DAY
