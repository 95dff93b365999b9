"""ECR's lifecycle rules, in ECR's own words.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

from dataclasses import dataclass
from enum import StrEnum


class TagStatus(StrEnum):
    """Which images a rule is about, before its lists of tags."""

    TAGGED = "tagged"
    UNTAGGED = "untagged"
    ANY = "any"


class CountType(StrEnum):
    """What a rule counts."""

    IMAGE_COUNT_MORE_THAN = "imageCountMoreThan"
    SINCE_IMAGE_PUSHED = "sinceImagePushed"
    SINCE_IMAGE_PULLED = "sinceImagePulled"
    SINCE_IMAGE_TRANSITIONED = "sinceImageTransitioned"


class RuleAction(StrEnum):
    """What becomes of an image that a rule takes: it is deleted, or archived."""

    EXPIRE = "expire"
    TRANSITION = "transition"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `archived` says that it selects from the archive, rather than from the standard storage class.

    Each entry of `patterns`, or of `prefixes`, must be met by one of an image's tags: they are joined by AND.
    """

    priority: int
    tag_status: TagStatus
    count_type: CountType
    count: int
    action: RuleAction
    patterns: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    archived: bool = False
    description: str = ""
