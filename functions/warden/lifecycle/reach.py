"""What each rule of a lifecycle policy reaches in a repository: what it matches, what falls to it, what it takes.

An image that meets the tagging requirements of a rule is out of reach for every later rule.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from warden.lifecycle import selection
from warden.lifecycle.evaluation import Taken, evaluate
from warden.lifecycle.references import standing_alone
from warden.lifecycle.remarks import entries_of
from warden.lifecycle.rules import CountType, Rule, TagStatus
from warden.lifecycle.shields import SO_MANY, SO_MANY_DAYS
from warden.names import Digest
from warden.stored_images import StoredImage
from warden.wildcard import matches

QUOTA = 100_000
"""Images that a repository may have by default: a rule that keeps as many never acts.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html"""
NEVER_DAYS = 3_650
_MANY = 900
"""People who want to keep all write 999, 9999 or the like."""
_KEEPING = re.compile(r"\b(keeps?|retains?|protect(s|ed)?|preserve|never|permanent)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reach:
    """One rule and what it reaches.

    `matched` meet its tagging requirements and are of its storage class, `claimed` are those of them that no earlier
    rule matches, and `taken` those that leave by it now.
    """

    rule: Rule
    matched: tuple[StoredImage, ...]
    claimed: tuple[StoredImage, ...]
    taken: tuple[StoredImage, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A lifecycle policy on a repository as it is: what the linter looks at.

    `images` are all of them; `own` those that rules are about: reference artifacts follow their subject. `taken` is
    everything that leaves now, and `users` says who uses what.
    """

    now: datetime
    images: tuple[StoredImage, ...]
    own: tuple[StoredImage, ...]
    reaches: tuple[Reach, ...]
    taken: tuple[Taken, ...]
    users: Mapping[Digest, tuple[str, ...]]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules, the first to apply first."""
        return tuple(reach.rule for reach in self.reaches)

    @property
    def gone(self) -> frozenset[Digest]:
        """What leaves now."""
        return frozenset(taken.image.digest for taken in self.taken)

    def before(self, rule: Rule) -> tuple[Reach, ...]:
        """The earlier rules of the same storage class: they claim first."""
        return tuple(
            each for each in self.reaches if each.rule.priority < rule.priority and each.rule.archived is rule.archived
        )

    def after(self, rule: Rule) -> tuple[Reach, ...]:
        """The later rules of the same storage class: what this rule doesn't match falls to them."""
        return tuple(
            each for each in self.reaches if each.rule.priority > rule.priority and each.rule.archived is rule.archived
        )


def look(
    rules: Sequence[Rule], images: Sequence[StoredImage], users: Mapping[Digest, tuple[str, ...]], now: datetime
) -> Look:
    """Evaluate the policy, and note what each of its rules reaches."""
    taken = evaluate(rules, images, now)
    by_rule: dict[int, list[StoredImage]] = {}
    for each in taken:
        if each.priority is not None:
            by_rule.setdefault(each.priority, []).append(each.image)
    own = tuple(standing_alone(images))
    claimed: dict[bool, set[Digest]] = {False: set(), True: set()}
    reaches = []
    for rule in sorted(rules, key=lambda rule: rule.priority):
        meets, before = selection.about(rule), claimed[rule.archived]
        matched = tuple(image for image in own if image.archived is rule.archived and meets(image.tags))
        free = tuple(image for image in matched if image.digest not in before) if before else matched
        before.update(image.digest for image in free)
        reaches.append(Reach(rule, matched, free, tuple(by_rule.get(rule.priority, ()))))
    return Look(now, tuple(images), own, tuple(reaches), taken, _with_parents(users, images))


def _with_parents(
    users: Mapping[Digest, tuple[str, ...]], images: Sequence[StoredImage]
) -> Mapping[Digest, tuple[str, ...]]:
    """Who uses an image uses the index that lists it too: it is by the index that most pull."""
    known = dict(users)
    if not known:
        return known
    indexes = [image for image in images if image.children]
    while found := {
        index.digest: tuple(dict.fromkeys(user for child in index.children for user in known.get(child, ())))
        for index in indexes
        if index.digest not in known and any(child in known for child in index.children)
    }:
        known |= found
    return known


def covers(earlier: Rule, later: Rule) -> bool:
    """Whether the earlier rule surely matches everything that the later one matches."""
    if earlier.tag_status is TagStatus.ANY:
        return True
    if earlier.tag_status is not later.tag_status:
        return False
    # A pattern covers another where it matches it as text: only its own wildcards can take in the other's.
    return all(any(matches(wide, narrow) for narrow in entries_of(later)) for wide in entries_of(earlier))


def is_shield(rule: Rule) -> bool:
    """Whether it is one of the rules that the warden itself puts before others, so that they spare what must live."""
    never = SO_MANY if rule.count_type is CountType.IMAGE_COUNT_MORE_THAN else SO_MANY_DAYS
    return rule.count >= never and rule.description.lower().startswith("shield")


def never_acts(rule: Rule) -> bool:
    """Whether the rule can take nothing: it is there to keep what it matches from later rules."""
    if rule.count_type is not CountType.IMAGE_COUNT_MORE_THAN:
        return rule.count >= NEVER_DAYS
    # No two images of a repository have the same tag.
    return rule.count >= QUOTA or any("*" not in pattern for pattern in rule.patterns)


def is_protection(rule: Rule) -> bool:
    """Whether the rule is there only to keep what it matches from later rules."""
    return never_acts(rule) or (rule.count_type is CountType.IMAGE_COUNT_MORE_THAN and rule.count >= _MANY)


def is_meant_to_keep(rule: Rule) -> bool:
    """Whether the rule is there to keep images: it counts them, it says so, or it is a protection."""
    counts = rule.count_type is CountType.IMAGE_COUNT_MORE_THAN and rule.tag_status is TagStatus.TAGGED
    return counts or is_protection(rule) or bool(_KEEPING.search(rule.description))


def of_age(rule: Rule, image: StoredImage, now: datetime) -> bool:
    """Whether a rule that goes by the push would take the image now, if nothing spared it."""
    return (now - image.stored_since).days >= rule.count
