"""From the standard's rules to ECR's: with as few as will do, and shields where they are needed."""

import json

import pytest

from tests.unit.lifecycle.standards import IN_USE, a_standard, an_image, digest_of, taken_by, with_leases
from warden.errors import Refused
from warden.lifecycle.describing import describe
from warden.lifecycle.rendering import displaced, render, suspended
from warden.lifecycle.shields import lease_of, leased, unleased
from warden.policy import LifecycleAction, LifecycleRule, LifecycleStandard, Per, Protection

UNTAGGED = LifecycleRule("untagged", after_days=7)
PULL_REQUESTS = LifecycleRule("pr-*", after_days=14)
RELEASES = LifecycleRule("v*", keep=30)
OLD = LifecycleRule("any", after_days=180)
IDLE = LifecycleRule("any", not_pulled_days=180)
MINORS = LifecycleRule("v*", keep=3, per=Per.MINOR)
LEASES, ARCHIVED_LEASES = "warden.keep-* shield", "archived warden.keep-* shield"
PRODUCTION = Protection(in_use=True, tags=("prod-*",))


def rendered(standard: LifecycleStandard) -> list[str]:
    """Each rule in a few words: the storage class where it is the archive, what it is about, and whether it acts."""
    result = render(standard)
    return [
        " ".join(
            [
                *(["archived"] if rule.archived else []),
                *(rule.patterns or (rule.tag_status.value,)),
                "shield" if rule.priority in result.shields else str(result.origins[rule.priority]),
            ]
        )
        for rule in result.rules
    ]


@pytest.mark.parametrize(
    ("standard", "expected"),
    [
        (a_standard(), []),
        (a_standard(PULL_REQUESTS, RELEASES, UNTAGGED), [LEASES, "pr-* 0", "v* 1", "untagged 2"]),
        # What ECR has no rule for is left to the warden, with a shield only where a later rule could take it.
        (a_standard(MINORS), []),
        (a_standard(MINORS, UNTAGGED), ["untagged 1"]),
        (a_standard(MINORS, PULL_REQUESTS), [LEASES, "v* shield", "pr-* 1"]),
        (a_standard(PULL_REQUESTS, MINORS), [LEASES, "pr-* 0"]),
        (a_standard(LifecycleRule("untagged", not_pulled_days=3), PULL_REQUESTS), [LEASES, "pr-* 1"]),
        (a_standard(LifecycleRule("untagged", not_pulled_days=3), OLD), [LEASES, "untagged shield", "any 1"]),
        (a_standard(PULL_REQUESTS, IDLE), [LEASES, "pr-* 0"]),
        (a_standard(PULL_REQUESTS, IDLE, action="archive"), [LEASES, "pr-* 0", "any 1"]),
        (a_standard(PULL_REQUESTS, OLD, wait_days=7), []),
        (a_standard(LifecycleRule("pr-*", after_days=3, label="a=b"), OLD), [LEASES, "pr-* shield", "any 1"]),
        # One shield does for those that it covers.
        (a_standard(LifecycleRule("v1*", keep=1, per=Per.LINE), MINORS, OLD), [LEASES, "v* shield", "any 2"]),
        (
            a_standard(LifecycleRule("v1*", keep=1, per=Per.LINE), PULL_REQUESTS, MINORS, OLD),
            [
                LEASES,
                "v1* shield",
                "pr-* 1",
                "v* shield",
                "any 3",
            ],
        ),
        # Leases and protected tags come first, where anything could take them.
        (a_standard(UNTAGGED, protection=PRODUCTION), ["untagged 0"]),
        (a_standard(MINORS, protection=PRODUCTION), []),
        (a_standard(PULL_REQUESTS, protection=PRODUCTION), [LEASES, "prod-* shield", "pr-* 0"]),
        (
            a_standard(OLD, protection=Protection(in_use=False, tags=(), pulled_within_days=30)),
            [
                LEASES,
                "any 0",
            ],
        ),
        (
            a_standard(OLD, protection=Protection(in_use=False, tags=("v1*", "v*", "v*"))),
            [LEASES, "v* shield", "any 0"],
        ),
        # A protected tag is a tag, whatever it is called.
        (
            a_standard(OLD, protection=Protection(in_use=False, tags=("any", "untagged"))),
            [
                LEASES,
                "any shield",
                "untagged shield",
                "any 0",
            ],
        ),
        # A rule that never decides is left out.
        (a_standard(RELEASES, LifecycleRule("v1*", keep=3)), [LEASES, "v* 0"]),
        (a_standard(LifecycleRule("prod-1*", keep=3), protection=Protection(in_use=False, tags=("prod-*",))), []),
        (a_standard(OLD, RELEASES), [LEASES, "any 0"]),
        # The archive has its own shields; ECR takes one rule on any image, or one for each storage class.
        (a_standard(delete_archived_days=90), [ARCHIVED_LEASES, "archived any None"]),
        (
            a_standard(UNTAGGED, action="archive", delete_archived_days=90, protection=PRODUCTION),
            [
                "untagged 0",
                ARCHIVED_LEASES,
                "archived prod-* shield",
                "archived any None",
            ],
        ),
        (
            a_standard(OLD, action="archive", delete_archived_days=90),
            [
                LEASES,
                ARCHIVED_LEASES,
                "archived * None",
                "archived untagged None",
                "any 0",
            ],
        ),
        (a_standard(PULL_REQUESTS, wait_days=7, delete_archived_days=90), [ARCHIVED_LEASES, "archived any None"]),
    ],
)
def test_a_standard_becomes_the_fewest_rules_that_say_it(standard: LifecycleStandard, expected: list[str]) -> None:
    assert rendered(standard) == expected
    assert (render(standard).text is None) is (expected == [])


def test_the_text_is_what_ecr_gives_back() -> None:
    standard = a_standard(UNTAGGED, IDLE, action="archive", protection=PRODUCTION, delete_archived_days=120)
    rules = json.loads(render(standard).text or "")["rules"]
    archive = {"type": "transition", "targetStorageClass": "archive"}
    assert rules[0] == {
        "rulePriority": 1,
        "description": "shield: images that must live, tagged warden.keep-*, stay",
        "selection": {
            "tagStatus": "tagged",
            "tagPatternList": ["warden.keep-*"],
            "countType": "imageCountMoreThan",
            "countNumber": 1_000_000,
        },
        "action": archive,
    }
    assert rules[3]["selection"] == {
        "tagStatus": "tagged",
        "tagPatternList": ["warden.keep-*"],
        "storageClass": "archive",
        "countType": "sinceImageTransitioned",
        "countUnit": "days",
        "countNumber": 36_500,
    }
    assert rules[5]["selection"] == {
        "tagStatus": "tagged",
        "tagPatternList": ["*"],
        "storageClass": "archive",
        "countType": "sinceImageTransitioned",
        "countUnit": "days",
        "countNumber": 120,
    }
    assert rules[5]["action"] == {"type": "expire"}
    assert rules[-1] == {
        "rulePriority": 8,
        "description": "archive all images 180 days after the last pull",
        "selection": {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 180},
        "action": archive,
    }


def test_each_priority_has_its_words() -> None:
    result = render(a_standard(MINORS, PULL_REQUESTS))
    assert result.words(1) == "shield: images that must live, tagged warden.keep-*, stay"
    assert result.words(2) == (
        "shield: delete images tagged v* beyond the newest 3 of each minor version, which ECR Warden does itself"
    )
    assert result.words(3) == "delete images tagged pr-* 14 days after the push"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (LifecycleRule("any", keep=3), "archive all images beyond the newest 3"),
        (
            LifecycleRule("v*", keep=3, per=Per.LINE),
            "archive images tagged v* beyond the newest 3 of each line of tags",
        ),
        (
            LifecycleRule("v*", keep=3, per=Per.MAJOR),
            "archive images tagged v* beyond the newest 3 of each major version",
        ),
        (
            LifecycleRule("untagged", not_pulled_days=3, label="team=\u202ea*"),
            "archive untagged images 3 days after the last pull, where their label is team=\ufffda*",
        ),
    ],
)
def test_each_kind_of_rule_has_its_words(rule: LifecycleRule, words: str) -> None:
    assert describe(rule, LifecycleAction.ARCHIVE) == words


@pytest.mark.parametrize(
    ("standard", "patterns"),
    [
        (a_standard(), ["warden.keep-*"]),
        (
            a_standard(MINORS, PULL_REQUESTS, protection=PRODUCTION, delete_archived_days=90),
            [
                "warden.keep-*",
                "prod-*",
                "v*",
            ],
        ),
    ],
)
def test_a_suspended_policy_is_its_shields(standard: LifecycleStandard, patterns: list[str]) -> None:
    rules = json.loads(suspended(render(standard)))["rules"]
    assert [rule["selection"]["tagPatternList"] for rule in rules] == [[pattern] for pattern in patterns]
    assert [rule["rulePriority"] for rule in rules] == list(range(1, len(patterns) + 1))
    assert {rule["action"]["type"] for rule in rules} == {"transition"}


@pytest.mark.parametrize(
    ("protected", "said"),
    [
        ([f"release-{number}-*" for number in range(49)], "51 rules and .* characters for ECR"),
        ([f"{number}{'x' * 700}*" for number in range(30)], "32 rules and .* characters for ECR"),
    ],
)
def test_more_than_ecr_takes_is_refused_with_what_to_do(protected: list[str], said: str) -> None:
    with pytest.raises(Refused, match=f"{said}.* takes 50 rules and 30720 characters: .* by fewer, wider patterns"):
        render(a_standard(OLD, protection=Protection(in_use=True, tags=tuple(protected))))
    assert render(a_standard(OLD, protection=Protection(in_use=True, tags=tuple(protected[:9])))).text


def test_an_untagged_image_that_gets_a_lease_pushes_none_out() -> None:
    """Keep the newest two of all tagged images: with a lease, what had no tag is one of them."""
    running = an_image(age=1, seed="running")
    older, old, oldest = (an_image(f"{age}", age=age) for age in (2, 3, 4))
    standard = a_standard(LifecycleRule("*", keep=2), LifecycleRule("untagged", after_days=30), protection=IN_USE)
    images = (running, older, old, oldest)
    assert taken_by(render(standard), images).keys() == {oldest.digest}
    assert taken_by(render(standard), with_leases(images, {running.digest})).keys() == {old.digest, oldest.digest}
    assert displaced(standard, images, {running.digest}) == {old.digest}


def test_leases_that_others_have_no_reason_for_count_for_nothing() -> None:
    running = an_image(age=1, seed="running")
    older, old = an_image("older", age=2), an_image("old", age=3, seed="old")
    standard = a_standard(LifecycleRule("*", keep=2), protection=IN_USE)
    seen = (leased(running), older, leased(old))
    assert displaced(standard, seen, {running.digest}) == {old.digest}
    assert displaced(standard, seen, frozenset()) == frozenset()
    assert displaced(standard, seen, {old.digest}) == frozenset()


def test_a_lease_that_pushes_out_can_make_another_one_needed() -> None:
    """The first one's lease has a dash and pushes the second out; the second's then is one of those with w, too."""
    standard = a_standard(LifecycleRule("*-*", keep=1), LifecycleRule("w*", keep=2), protection=IN_USE)
    running, dashed, plain = an_image("web", age=1), an_image("a-b", age=2), an_image("w1", age=3)
    images = (running, dashed, plain)
    assert taken_by(render(standard), images) == {}
    assert displaced(standard, images, {running.digest}) == {dashed.digest, plain.digest}


@pytest.mark.parametrize(
    "standard",
    [
        a_standard(LifecycleRule("*", keep=1)),  # nothing is leased
        a_standard(LifecycleRule("*", after_days=1), protection=IN_USE),
        a_standard(LifecycleRule("v*", keep=1), protection=IN_USE),
        a_standard(LifecycleRule("any", keep=1), protection=IN_USE),
        a_standard(LifecycleRule("untagged", keep=1), protection=IN_USE),
    ],
)
def test_where_no_count_takes_leases_in_none_is_pushed_out(standard: LifecycleStandard) -> None:
    images = tuple(an_image(*tags, age=age) for age, tags in enumerate([(), ("v1",), ("v2",), ()]))
    assert displaced(standard, images, {image.digest for image in images}) == frozenset()


def test_archived_images_and_artifacts_are_pushed_out_by_nothing() -> None:
    standard = a_standard(LifecycleRule("*", keep=1), protection=IN_USE)
    running = an_image(age=1, seed="running")
    about = an_image("sbom", age=2, subject=running.digest)
    archived = an_image("archived", age=3, archived=True)
    assert displaced(standard, (running, about, archived), {running.digest}) == frozenset()
    assert displaced(standard, (archived,), {running.digest}) == frozenset()


def test_a_lease_is_put_once_and_taken_off_whole() -> None:
    image = an_image("v1", seed="image")
    assert leased(leased(image)).tags == ("v1", lease_of(digest_of("image")))
    assert unleased(leased(image)) == image
    assert unleased(image) is image
