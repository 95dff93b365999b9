"""What a lifecycle policy does to a repository, as ECR evaluates it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from warden.lifecycle.rules import Rule, RuleAction
from warden.stored_images import StoredImage


@dataclass(frozen=True, slots=True)
class Taken:
    """One image leaves, and by which rule; None where it is a reference artifact that follows its subject."""

    image: StoredImage
    action: RuleAction
    priority: int | None


def evaluate(rules: Sequence[Rule], images: Sequence[StoredImage], now: datetime) -> tuple[Taken, ...]:
    """What the rules do to the images at that time; the oldest image first, indexes before what they list."""
    raise NotImplementedError
