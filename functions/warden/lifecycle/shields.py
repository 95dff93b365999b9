"""Shields: rules that stand before others, match what those must not take, and never act themselves.

An image that meets the tagging requirements of a rule can't be taken by any later one, even where the earlier keeps it.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
"""

from dataclasses import replace

from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus
from warden.names import Digest, Tag
from warden.stored_images import StoredImage

LEASE_PREFIX = "warden.keep-"
LEASE_PATTERN = f"{LEASE_PREFIX}*"
"""The tags of leases, as a rule's pattern."""
LEASED = "leased"
"""What the ledger calls the line of an image's history that says so."""
_DIGITS = 24
"""Of a digest's hexadecimal digits in a lease: nobody makes two images of one repository that share as many."""
SO_MANY = 1_000_000
"""More images than a repository ever has; ECR's quota is 100,000.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html"""
SO_MANY_DAYS = 36_500
"""Longer than any image stays in the archive: rules on the archive know nothing but days there."""


def lease_of(digest: Digest) -> Tag:
    """The tag that is the image's lease: no two images of a repository have the same.

    >>> lease_of(Digest("sha256:" + "41d9be20c0ff" * 5 + "beef"))
    'warden.keep-41d9be20c0ff41d9be20c0ff'
    """
    return Tag(LEASE_PREFIX + digest.partition(":")[2][:_DIGITS])


def is_lease(tag: str) -> bool:
    """Whether the tag is a lease, whoever put it."""
    return tag.startswith(LEASE_PREFIX)


def leased(image: StoredImage) -> StoredImage:
    """The image with a lease."""
    return image if any(map(is_lease, image.tags)) else replace(image, tags=(*image.tags, lease_of(image.digest)))


def unleased(image: StoredImage) -> StoredImage:
    """The image without any lease."""
    if not any(map(is_lease, image.tags)):
        return image
    return replace(image, tags=tuple(tag for tag in image.tags if not is_lease(tag)))


def selection(of: str) -> tuple[TagStatus, tuple[str, ...]]:
    """What a rule of the standard is about, in ECR's words: the status of tags, and the patterns.

    >>> selection("untagged"), selection("v*")
    ((<TagStatus.UNTAGGED: 'untagged'>, ()), (<TagStatus.TAGGED: 'tagged'>, ('v*',)))
    """
    if of in {TagStatus.UNTAGGED, TagStatus.ANY}:
        return TagStatus(of), ()
    return TagStatus.TAGGED, (of,)


def shield(status: TagStatus, patterns: tuple[str, ...], why: str, *, archived: bool = False) -> Rule:
    """A rule that never acts; it has no priority yet.

    Where ECR leaves the choice its action is to archive, which loses nothing even by mistake.
    """
    return Rule(
        priority=0,
        tag_status=status,
        count_type=CountType.SINCE_IMAGE_TRANSITIONED if archived else CountType.IMAGE_COUNT_MORE_THAN,
        count=SO_MANY_DAYS if archived else SO_MANY,
        action=RuleAction.EXPIRE if archived else RuleAction.TRANSITION,
        patterns=patterns,
        archived=archived,
        description=f"shield: {why}",
    )
