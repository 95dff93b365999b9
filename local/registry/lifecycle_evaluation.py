"""What a lifecycle policy does to a repository: ECR's evaluation, and nothing of the warden's own.

All rules are evaluated at once and applied by priority. An image that meets the tagging requirements of a rule is out
of reach for every later rule, even where the earlier one keeps it; later rules still count it.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules

Where the pages are silent: an image exactly as old as a rule says is kept, since they say "older"; of images pushed in
the same instant, the digests decide; and images that an index refers to, which ECR does not take before the index, go
together with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from local.registry.lifecycle_policy import Rule
from local.registry.mutability import glob


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the evaluation has to know of one image."""

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    pulled_at: datetime | None = None
    archived_at: datetime | None = None
    activated_at: datetime | None = None
    archived: bool = False
    subject: str | None = None
    """What it is a reference artifact of."""
    children: tuple[str, ...] = ()
    """What it lists, where it is an index."""

    @property
    def stored_since(self) -> datetime:
        """When it was pushed or, where it came back from the archive, restored."""
        return self.activated_at or self.pushed_at

    @property
    def unused_since(self) -> datetime:
        """When it was pulled last; before its first pull, since it is there."""
        return max(self.pulled_at, self.stored_since) if self.pulled_at else self.stored_since


@dataclass(frozen=True, slots=True)
class Decision:
    """One image leaves: by that rule, or, without a rule, because what it is a reference artifact of does."""

    digest: str
    action: Literal["expire", "transition"]
    rule: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rules come to: what leaves, and what a rule takes while an index that stays lists it."""

    leaving: list[Decision]
    spared: list[Decision]


def evaluate(rules: Sequence[Rule], images: Sequence[Candidate], now: datetime) -> list[Decision]:
    """What the rules, in the order of their priority, do now; the oldest image first, indexes before their children."""
    return outcome(rules, images, now).leaving


def outcome(rules: Sequence[Rule], images: Sequence[Candidate], now: datetime) -> Outcome:
    """The same, with what only an index saves."""
    present = {image.digest for image in images}
    own = [image for image in images if image.subject not in present]
    decisions = {decision.digest: decision for decision in _by_rule(rules, own, now)}
    spared = _spare_children(decisions, images)
    decisions |= {decision.digest: decision for decision in _followers(decisions, images)}
    order = sorted(images, key=lambda image: (not image.children, image.stored_since, image.digest))
    leaving = [decisions[image.digest] for image in order if image.digest in decisions]
    return Outcome(leaving, [spared[image.digest] for image in order if image.digest in spared])


def _by_rule(rules: Sequence[Rule], images: Sequence[Candidate], now: datetime) -> Iterator[Decision]:
    claimed: set[str] = set()
    for rule in rules:
        selected = [image for image in images if image.archived is rule.archived and _meets(rule, image)]
        for image in _exceeding(rule, selected, now):
            if image.digest not in claimed:
                yield Decision(image.digest, rule.action, rule.priority)
        claimed |= {image.digest for image in selected}


def _meets(rule: Rule, image: Candidate) -> bool:
    """Whether the image meets the tagging requirements: each entry of the list by one of its tags."""
    if rule.tag_status != "tagged":
        return rule.tag_status == "any" or not image.tags
    by_prefix = all(any(tag.startswith(prefix) for tag in image.tags) for prefix in rule.prefixes)
    return by_prefix and all(any(glob(pattern, tag) for tag in image.tags) for pattern in rule.patterns)


def _exceeding(rule: Rule, images: Iterable[Candidate], now: datetime) -> Iterator[Candidate]:
    if rule.count_type == "imageCountMoreThan":
        youngest_first = sorted(images, key=lambda image: (image.stored_since, image.digest), reverse=True)
        yield from youngest_first[rule.count :]
        return
    limit = timedelta(days=rule.count)
    for image in images:
        since = _since(rule, image)
        if since is not None and now - since > limit:
            yield image


def _since(rule: Rule, image: Candidate) -> datetime | None:
    match rule.count_type:
        case "sinceImagePulled":
            return image.unused_since
        case "sinceImageTransitioned":
            return image.archived_at
        case _:
            return image.stored_since


def _spare_children(decisions: dict[str, Decision], images: Iterable[Candidate]) -> dict[str, Decision]:
    """Keep what a kept index lists, down through indexes of indexes; gives what would have become of it."""
    kept = [image for image in images if image.digest not in decisions]
    by_digest = {image.digest: image for image in images}
    spared = {}
    while kept:
        for child in kept.pop().children:
            if decision := decisions.pop(child, None):
                spared[child] = decision
                kept.append(by_digest[child])
    return spared


def _followers(decisions: dict[str, Decision], images: Sequence[Candidate]) -> Iterator[Decision]:
    """The reference artifacts of what leaves, and theirs."""
    leaving = {digest: decision.action for digest, decision in decisions.items()}
    while found := [image for image in images if image.subject in leaving and image.digest not in leaving]:
        for image in found:
            action = leaving[image.digest] = leaving[str(image.subject)]
            yield Decision(image.digest, action, None)
