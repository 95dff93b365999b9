"""Leases: an extra tag on an image that must live, by which ECR's own lifecycle rules spare it.

The rendered policy begins with a rule on these tags that never takes anything, and no later rule may take what an
earlier one's tags match. A tag works where tags are immutable, too: a new one may be added to any image.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from warden.lifecycle.rules import Rule, TagStatus
from warden.lifecycle.shields import is_lease, lease_of
from warden.names import Digest, Tag
from warden.pruning import Spared
from warden.stored_images import StoredImage
from warden.wildcard import matches

MOST_TAGS = 1000
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html: tags of an image."""


@dataclass(frozen=True, slots=True)
class Leases:
    """Which images get a lease, and which lose theirs.

    `bare` have nothing but leases, and need none any more. Taking an image's last tag would delete it, so they stay as
    they are, and count as untagged. `impossible` are images that can't get a lease, each with why.
    """

    put: tuple[StoredImage, ...] = ()
    lift: tuple[tuple[StoredImage, Tag], ...] = ()
    bare: tuple[StoredImage, ...] = ()
    impossible: tuple[Spared, ...] = ()


def is_leased(image: StoredImage) -> bool:
    """Whether the image has a lease, by whoever."""
    return any(map(is_lease, image.tags))


def plan_leases(
    images: Sequence[StoredImage], rules: Sequence[Rule], shields: frozenset[int], needs: Mapping[Digest, str]
) -> Leases:
    """Leases for what must live and some rule could take, at whatever age; none for what needs none any more.

    `rules` are the rendered policy's, `shields` the priorities of those that never take anything.
    """
    ordered = sorted(rules, key=lambda rule: rule.priority)
    present = {image.digest for image in images}
    put: list[StoredImage] = []
    impossible: list[Spared] = []
    lift: list[tuple[StoredImage, Tag]] = []
    bare: list[StoredImage] = []
    for image in images:
        if image.digest in needs:
            taker = None if image.subject in present else _taker(_without_others_leases(image), ordered)
            if image.archived or taker is None or taker.priority in shields:
                continue
            if len(image.tags) >= MOST_TAGS:
                impossible.append(
                    Spared(image, f"{needs[image.digest]}; it has {len(image.tags)} tags, and ECR takes no more")
                )
            else:
                put.append(image)
        elif is_leased(image) and not image.archived:
            ours = [tag for tag in image.tags if is_lease(tag)]
            if len(ours) == len(image.tags):
                bare.append(image)
            else:
                lift += [(image, tag) for tag in ours]
    return Leases(tuple(put), tuple(lift), tuple(bare), tuple(impossible))


def _without_others_leases(image: StoredImage) -> StoredImage:
    """A lease that is named after another image may be given to that one, and then this one has none."""
    own = lease_of(image.digest)
    return replace(image, tags=tuple(tag for tag in image.tags if tag == own or not is_lease(tag)))


def _taker(image: StoredImage, rules: Sequence[Rule]) -> Rule | None:
    """The one rule that decides about the image, unless it is an artifact that follows its subject."""
    return next((rule for rule in rules if rule.archived is image.archived and _is_about(rule, image)), None)


def _is_about(rule: Rule, image: StoredImage) -> bool:
    if rule.tag_status is not TagStatus.TAGGED:
        return rule.tag_status is TagStatus.ANY or not image.tags
    patterns = (*rule.patterns, *(f"{prefix}*" for prefix in rule.prefixes))
    return all(any(matches(pattern, tag) for tag in image.tags) for pattern in patterns)
