"""Leases: who gets one, who loses it, and who can't have one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW, digest
from warden.leases import MOST_TAGS, Leases, is_leased, plan_leases
from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus
from warden.lifecycle.shields import LEASE_PATTERN, lease_of, leased, shield
from warden.names import Digest, Tag
from warden.stored_images import StoredImage

SHIELD = replace(shield(TagStatus.TAGGED, (LEASE_PATTERN,), "leases"), priority=1)
ALL = Rule(9, TagStatus.ANY, CountType.SINCE_IMAGE_PUSHED, 30, RuleAction.EXPIRE)
WHY = "in use by ECS service web"


def image(seed: str = "image", *tags: str, days: float = 90, **facts: Any) -> StoredImage:
    return StoredImage(digest(seed), tuple(map(Tag, tags)), NOW - timedelta(days=days), **facts)


def planned(*images: StoredImage, rules: tuple[Rule, ...] = (ALL,), needed: tuple[StoredImage, ...] = ()) -> Leases:
    """The shields' rules have priorities below 5."""
    needs: dict[Digest, str] = dict.fromkeys((one.digest for one in needed), WHY)
    shields = frozenset(rule.priority for rule in (SHIELD, *rules) if rule.priority < 5)
    return plan_leases(images, (SHIELD, *rules), shields, needs)


def by_tags(*patterns: str, priority: int = 9) -> Rule:
    return replace(ALL, priority=priority, tag_status=TagStatus.TAGGED, patterns=patterns)


def test_what_must_live_and_could_be_taken_gets_a_lease_however_young_it_is() -> None:
    young = image("young", "v1", days=0)
    assert planned(young, image("other", "v2"), needed=(young,)) == Leases(put=(young,))


@pytest.mark.parametrize(
    ("rule", "one", "is_put"),
    [
        (replace(ALL, tag_status=TagStatus.UNTAGGED), image("a"), True),
        (replace(ALL, tag_status=TagStatus.UNTAGGED), image("a", "v1"), False),
        (by_tags("v*"), image("a", "v1"), True),
        (by_tags("v*"), image("a", "w1"), False),
        (by_tags("v*"), image("a"), False),
        (by_tags("v*", "*-arm64"), image("a", "v1", "x-arm64"), True),
        (by_tags("v*", "*-arm64"), image("a", "v1"), False),
        (replace(ALL, tag_status=TagStatus.TAGGED, prefixes=("rel",)), image("a", "release-1"), True),
        (replace(ALL, tag_status=TagStatus.TAGGED, prefixes=("rel",)), image("a", "xrel"), False),
        (replace(ALL, archived=True), image("a", "v1"), False),
    ],
)
def test_only_what_a_rule_is_about_needs_a_lease(rule: Rule, one: StoredImage, is_put: bool) -> None:
    assert planned(one, rules=(rule,), needed=(one,)).put == ((one,) if is_put else ())


def test_a_lease_that_is_named_after_another_image_is_none() -> None:
    """It is given to that one where it is due to it, and anybody can push it away."""
    runs = image("runs", "v1", lease_of(digest("another")))
    assert planned(runs, needed=(runs,)).put == (runs,)
    has_its_own = image("runs", "v1", lease_of(digest("runs")))
    assert planned(has_its_own, needed=(has_its_own,)).put == ()


def test_what_a_shield_decides_about_needs_no_lease() -> None:
    protected = image("protected", "prod-1")
    assert planned(protected, rules=(by_tags("prod-*", priority=2), ALL), needed=(protected,)) == Leases()


def test_the_first_rule_that_is_about_an_image_decides_in_whatever_order_they_come() -> None:
    protected = image("protected", "prod-1")
    assert planned(protected, rules=(ALL, by_tags("prod-*", priority=2)), needed=(protected,)) == Leases()


def test_what_has_a_lease_keeps_it_as_long_as_it_is_needed() -> None:
    held = leased(image("held", "v1"))
    assert is_leased(held)
    assert planned(held, needed=(held,)) == Leases()


def test_what_is_archived_gets_none_and_loses_none() -> None:
    """No tag can be put on an archived image, nor taken from it."""
    frozen = image("frozen", "v1", archived=True)
    assert planned(frozen, rules=(replace(ALL, archived=True),), needed=(frozen,)) == Leases()
    assert planned(replace(leased(frozen))) == Leases()


def test_what_is_about_another_follows_that_one_and_needs_no_lease_of_its_own() -> None:
    subject, orphan = image("subject", "v1"), image("orphan", subject=digest("gone"))
    signature = image("signature", subject=subject.digest)
    found = planned(subject, signature, orphan, needed=(subject, signature, orphan))
    assert found.put == (subject, orphan)


def test_an_image_with_as_many_tags_as_ecr_takes_can_get_no_lease_and_says_so() -> None:
    full = image("full", *(f"t{number}" for number in range(MOST_TAGS)))
    nearly = image("nearly", *(f"n{number}" for number in range(MOST_TAGS - 1)))
    found = planned(full, nearly, needed=(full, nearly))
    assert found.put == (nearly,)
    assert [(one.image, one.why) for one in found.impossible] == [
        (full, f"{WHY}; it has 1000 tags, and ECR takes no more")
    ]


def test_a_lease_that_nobody_needs_is_lifted_and_only_that() -> None:
    held = leased(image("held", "v1", "v1.0"))
    assert planned(held) == Leases(lift=((held, lease_of(held.digest)),))


def test_whoever_put_a_lease_all_of_them_are_lifted() -> None:
    held = leased(image("held", "v1", "warden.keep-by-hand"))
    assert held.tags == ("v1", "warden.keep-by-hand")
    assert [tag for _, tag in planned(held).lift] == ["warden.keep-by-hand"]
    both = image("both", "v1", "warden.keep-by-hand", lease_of(digest("both")))
    assert [tag for _, tag in planned(both).lift] == ["warden.keep-by-hand", lease_of(both.digest)]


def test_the_last_tag_is_never_lifted_since_that_would_delete_the_image() -> None:
    bare = leased(image("bare"))
    double = image("double", lease_of(digest("double")), "warden.keep-by-hand")
    assert planned(bare, double) == Leases(bare=(bare, double))
