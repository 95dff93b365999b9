"""What the warden takes itself: by version, by label, by the last pull, after a wait."""

import doctest
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.builders import NOW
from tests.unit.lifecycle.standards import DAY, a_standard, an_image, digest_of
from warden.lifecycle import describing, shields, versions
from warden.lifecycle.direct import directly_taken, label_candidates
from warden.lifecycle.rules import RuleAction
from warden.lifecycle.versions import group_of
from warden.names import Digest, Tag
from warden.policy import LifecycleRule, LifecycleStandard, Per, Protection
from warden.stored_images import StoredImage

EPHEMERAL = LifecycleRule("pr-*", after_days=3, label="org.acme.ephemeral=t*")
IDLE = LifecycleRule("any", not_pulled_days=30)
NAMED = digest_of("v1.0.0")


def gone(
    standard: LifecycleStandard, *images: StoredImage, labels: Mapping[Digest, Mapping[str, str] | None] | None = None
) -> list[str]:
    """What is taken, in order, by the first tag of each, or its digest."""
    taken = directly_taken(standard, images, NOW, labels or {})
    return [str((*one.image.tags, one.image.digest)[0]) for one in taken]


def per(kind: Per, keep: int = 1, of: str = "*") -> LifecycleStandard:
    return a_standard(LifecycleRule(of, keep=keep, per=kind))


def pushed_in_order(*tags: str | tuple[str, ...]) -> list[StoredImage]:
    """Images with these tags, the first pushed first."""
    return [
        an_image(*([each] if isinstance(each, str) else each), age=len(tags) - number)
        for number, each in enumerate(tags)
    ]


@pytest.mark.parametrize(
    ("standard", "tags", "expected"),
    [
        (per(Per.MINOR), ["v1.4.1", "v1.4.2", "v1.5.0", "v2.4.0"], ["v1.4.1"]),
        (per(Per.MAJOR), ["v1.4.2", "v1.5.0", "v2.4.0"], ["v1.4.2"]),
        (per(Per.MINOR, keep=2), ["v1.4.1", "v1.4.2", "v1.4.3"], ["v1.4.1"]),
        # By version, not by push; ten is more than nine.
        (per(Per.MINOR), ["v1.4.10", "v1.4.9"], ["v1.4.9"]),
        (per(Per.MAJOR), ["1.10", "1.9.9"], ["1.9.9"]),
        (per(Per.MINOR), ["1.4.2", "01.04.3"], ["1.4.2"]),
        # A pre-release is older than its release, and newer than the release before.
        (per(Per.MINOR), ["v1.4.2", "v1.4.2-rc.1"], ["v1.4.2-rc.1"]),
        (per(Per.MINOR), ["v1.4.3-rc.1", "v1.4.2"], ["v1.4.2"]),
        (
            per(Per.MINOR),
            ["1.0.0-rc.10", "1.0.0-rc.9", "1.0.0-beta.11", "1.0.0-alpha"],
            [
                "1.0.0-rc.9",
                "1.0.0-beta.11",
                "1.0.0-alpha",
            ],
        ),
        (per(Per.MINOR), ["1.0.0-RC2", "1.0.0RC1", "1.0.0b2", "1.0.0a3"], ["1.0.0RC1", "1.0.0b2", "1.0.0a3"]),
        # v or not, and variants, are lines of their own; what a variant is made from is none.
        (per(Per.MINOR), ["v1.4.1", "1.4.2", "1.4.3-alpine", "1.4.4-slim"], []),
        (per(Per.MINOR), ["1.4.2-alpine3.19", "1.4.3-alpine3.20"], ["1.4.2-alpine3.19"]),
        (per(Per.MINOR), ["1.4.3-alpine3.19", "1.4.3-alpine3.20"], ["1.4.3-alpine3.19"]),
        (per(Per.MINOR), ["1.4.2-rc.1-alpine", "1.4.2-alpine"], ["1.4.2-rc.1-alpine"]),
        (
            per(Per.MINOR),
            ["v1.4.2-41d9be20", "v1.4.2-9f31c07a", "v1.4.1-77aa0b1c"],
            ["v1.4.1-77aa0b1c", "v1.4.2-41d9be20"],
        ),
        (per(Per.MINOR), ["app2-1.4.2", "app2-1.4.3", "web-1.4.4"], ["app2-1.4.2"]),
        (per(Per.MAJOR), ["2fa-1.4.2", "2fa-1.4.3", "2fa-2.0.0"], ["2fa-1.4.2"]),
        # What has no version, or not enough of one, stays.
        (per(Per.MINOR), ["latest", "main", "v1", "20240105", "41d9be20", "build-7", "v1.4.1", "v1.4.2"], ["v1.4.1"]),
        (per(Per.MAJOR), ["v1", "v1.4"], ["v1"]),
        (per(Per.MINOR), [("v1.4.1", "stable"), "v1.4.2"], []),
        (per(Per.MINOR, of="v*"), [("v1.4.1", "stable"), "v1.4.2"], ["v1.4.1"]),
        # An image is as new as the newest of its tags, and is counted once.
        (per(Per.MINOR), [("v1.4", "v1.4.2"), "v1.4.1"], ["v1.4.1"]),
        (per(Per.MINOR, keep=2), [("v1.4", "v1.4.3"), "v1.4.2", "v1.4.1"], ["v1.4.1"]),
        (per(Per.MINOR), [("v1.4.1", "v1.5.1"), "v1.4.2"], []),
        # Lines of tags: by version where there is one, by the push elsewhere.
        (per(Per.LINE), ["v2.0.0", "v1.4.2", "v1.5.0"], ["v1.4.2", "v1.5.0"]),
        (per(Per.LINE), ["main-41d9be20", "main-9f31c07a", "dev-77aa0b1c", "latest"], ["main-41d9be20"]),
        (per(Per.LINE), [f"sha256-{digest_of(seed)[7:]}.sig" for seed in ("one", "other")], []),
        # Untagged images have no version.
        (per(Per.MINOR, of="any"), [(), "v1.4.1", "v1.4.2"], ["v1.4.1"]),
        (per(Per.MINOR, of="untagged"), [(), ()], []),
    ],
)
def test_the_newest_of_each_group_stay(
    standard: LifecycleStandard, tags: list[str | tuple[str, ...]], expected: list[str]
) -> None:
    assert sorted(gone(standard, *pushed_in_order(*tags))) == sorted(expected)


def test_versions_that_are_equal_go_by_their_push() -> None:
    order = [group_of(Tag("v1.4.2"), Per.MINOR, NOW + shift * DAY, digest_of("image")) for shift in (0, 1)]
    assert order[0] is not None and order[1] is not None
    assert order[0].order < order[1].order


def test_what_an_earlier_rule_decides_about_is_counted_and_stays() -> None:
    newer, old, older = pushed_in_order("v1.4.1", ("v1.4.2", "pr-1"), "v1.4.3")
    standard = a_standard(LifecycleRule("pr-*", after_days=90), LifecycleRule("v*", keep=2, per=Per.MINOR))
    assert gone(standard, newer, old, older) == ["v1.4.1"]
    assert gone(standard, newer, old, older, an_image("v1.4.4", age=0)) == ["v1.4.1"]


@pytest.mark.parametrize(
    ("labels", "goes"),
    [
        ({"org.acme.ephemeral": "true"}, True),
        ({"org.acme.ephemeral": "false"}, False),
        ({"org.acme": "true"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_only_what_surely_has_the_label_goes(labels: Mapping[str, str] | None, goes: bool) -> None:
    image = an_image("pr-1", age=4)
    assert gone(a_standard(EPHEMERAL), image, labels={image.digest: labels}) == (["pr-1"] if goes else [])
    assert gone(a_standard(EPHEMERAL), image) == []


def test_a_rule_with_a_label_decides_about_all_that_its_tags_match() -> None:
    image = an_image("pr-1", age=90)
    assert gone(a_standard(EPHEMERAL, IDLE), image) == []
    assert gone(a_standard(IDLE), image) == ["pr-1"]


def test_labels_are_asked_for_only_where_they_decide() -> None:
    old, young, other = an_image("pr-1", age=4), an_image("pr-2", age=2), an_image("v1", age=400)
    listed = an_image("pr-3", age=5)
    index = an_image("index", age=5, children=(listed.digest,))
    standard = a_standard(EPHEMERAL, LifecycleRule("v*", not_pulled_days=3))
    assert label_candidates(standard, (old, young, other, listed, index), NOW) == (old,)
    assert label_candidates(a_standard(IDLE), (old, other), NOW) == ()


def test_action_and_rule_are_told_with_each_image() -> None:
    image = an_image("v1", age=40, seed="image")
    sbom = an_image(age=39, subject=image.digest, seed="sbom")
    (first, second) = directly_taken(a_standard(EPHEMERAL, IDLE), (sbom, image), NOW, {})
    assert (first.image, first.action, first.rule) == (image, RuleAction.EXPIRE, 1)
    assert first.words == "delete all images 30 days after the last pull"
    assert (second.image, second.action, second.rule) == (sbom, RuleAction.EXPIRE, 1)
    assert second.words == f"follows {image.digest[:19]}, which it is about"
    archived = directly_taken(per(Per.MINOR), tuple(pushed_in_order("v1.4.1", "v1.4.2")), NOW, {})
    assert [one.action for one in archived] == [RuleAction.EXPIRE]
    softly = replace(per(Per.MINOR), action=a_standard(action="archive").action)
    (one,) = directly_taken(softly, tuple(pushed_in_order("v1.4.1", "v1.4.2")), NOW, {})
    assert one.action is RuleAction.TRANSITION


@pytest.mark.parametrize("tag", ["warden.keep-1", "prod-1"])
def test_leases_and_protected_tags_hold_an_image_and_what_it_is_about(tag: str) -> None:
    standard = a_standard(IDLE, protection=Protection(in_use=False, tags=("prod-*",)))
    signed = an_image("v1", age=90, seed="signed")
    sbom = an_image(age=90, subject=signed.digest, seed="sbom")
    of_sbom = an_image(tag, age=90, subject=sbom.digest, seed="of sbom")
    assert gone(standard, signed, sbom, of_sbom) == []
    assert gone(standard, signed, sbom) == ["v1", sbom.digest]


def test_a_lease_is_no_tag_of_the_image() -> None:
    """What nobody tagged stays one of the untagged, and is counted among no others."""
    first, other = an_image("warden.keep-1", age=3), an_image("web", age=4)
    standard = a_standard(LifecycleRule("*", keep=1), LifecycleRule("untagged", keep=1), wait_days=7)
    assert gone(standard, first, other) == []
    assert gone(standard, first, other, an_image(age=5, seed="untagged")) == [digest_of("untagged")]


def test_a_signature_that_only_a_tag_ties_to_its_image_goes_with_it() -> None:
    signed = an_image("v1.0.0", age=40, seed="v1.0.0")
    signature = an_image(f"sha256-{NAMED[7:]}.sig", age=40)
    orphan = an_image(f"sha256-{digest_of('gone')[7:]}.sig", age=40)
    assert gone(a_standard(IDLE), signed, signature) == ["v1.0.0", signature.tags[0]]
    pulled = replace(signed, pulled_at=NOW)
    assert gone(a_standard(IDLE), pulled, signature, orphan) == [orphan.tags[0]]
    # What ECR's own rule decides about is ECR's.
    decided = a_standard(LifecycleRule("sha256-*", after_days=90), IDLE)
    assert gone(decided, signed, signature) == ["v1.0.0"]
    # Held, it holds what it signs.
    kept = a_standard(IDLE, protection=Protection(in_use=False, tags=("*.sig",)))
    assert gone(kept, signed, signature) == []


def test_indexes_go_before_what_they_list_however_old() -> None:
    leaf = an_image("leaf", age=90)
    middle = an_image("middle", age=60, children=(leaf.digest, digest_of("elsewhere")))
    top = an_image("top", age=40, children=(middle.digest, leaf.digest, leaf.digest))
    assert gone(a_standard(IDLE), leaf, middle, top) == ["top", "middle", "leaf"]
    assert gone(a_standard(IDLE), leaf, middle, replace(top, pulled_at=NOW)) == []


def test_indexes_that_list_each_other_do_no_harm() -> None:
    """Digests make it impossible; whoever tells us of images might not."""
    one, other = digest_of("one"), digest_of("other")
    images = (an_image("one", seed="one", children=(other,)), an_image("other", seed="other", children=(one,)))
    assert sorted(gone(a_standard(IDLE), *images)) == ["one", "other"]
    about = (an_image("one", seed="one", subject=other), an_image("other", seed="other", subject=one))
    assert gone(a_standard(IDLE), *about) == []


def test_archived_images_stay_and_are_not_counted() -> None:
    images = pushed_in_order("v1.4.1", "v1.4.2")
    archived = replace(images[1], archived=True)
    assert gone(per(Per.MINOR), images[0], archived) == []


def test_rules_that_ecr_carries_out_take_nothing_here() -> None:
    standard = a_standard(LifecycleRule("v*", after_days=1), LifecycleRule("any", keep=1))
    assert gone(standard, an_image("v1"), an_image("w1"), an_image("w2")) == []
    assert gone(replace(standard, wait_days=3), an_image("v1"), an_image("w1", age=9)) == ["v1"]


@pytest.mark.parametrize("module", [describing, shields, versions])
def test_the_examples_hold(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert (result.failed, result.attempted > 0) == (0, True)
