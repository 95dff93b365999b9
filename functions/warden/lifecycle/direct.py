"""What the warden takes itself, since ECR has no such rule: by version, by label, by the last pull, after a wait.

The rules mean the same as ECR's do: the first rule whose selection an image meets decides about it, whatever it
decides, and counts include what earlier rules decide about.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules

What ECR does not know, and we do: an image has the tags that people gave it, whatever leases it has; a signature that
is tied to its image by a tag alone goes with that image, and not before; and what a protected artifact is about stays.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from warden.lifecycle.describing import describe
from warden.lifecycle.references import settled, standing_alone
from warden.lifecycle.rendering import is_direct
from warden.lifecycle.rules import RuleAction, TagStatus
from warden.lifecycle.selection import about
from warden.lifecycle.shields import is_lease, selection, shield, unleased
from warden.lifecycle.versions import group_of
from warden.names import Digest, short
from warden.needs import tied_to
from warden.policy import LifecycleAction, LifecycleRule, LifecycleStandard, Per
from warden.stored_images import StoredImage
from warden.wildcard import matches

Labels = Mapping[Digest, Mapping[str, str] | None]


@dataclass(frozen=True, slots=True)
class DirectlyTaken:
    """One image that the warden is to take.

    `rule` is the number of the standard's rule, from 0, that takes it or what it is about; `words` say it for people.
    """

    image: StoredImage
    action: RuleAction
    rule: int
    words: str


def directly_taken(
    standard: LifecycleStandard, images: Sequence[StoredImage], now: datetime, labels: Labels
) -> tuple[DirectlyTaken, ...]:
    """What the warden is to take at that time; indexes come before what they list, images before what is about them.

    `images` are all of the repository. An image whose labels are not known has none that a rule asks for.
    """
    if not any(is_direct(rule, standard) for rule in standard.rules):
        return ()

    def has_label(image: StoredImage, label: str) -> bool:
        key, _, pattern = label.partition("=")
        value = (labels.get(image.digest) or {}).get(key)
        return value is not None and matches(pattern, value)

    chosen = _choose(standard, images, now, has_label)
    leaving = {image.digest: image for image in _leaving(standard, images, chosen)}
    words_of = [describe(rule, standard.action) for rule in standard.rules]
    found = []
    for image in _in_order(leaving.values(), chosen):
        root = image
        while root.digest not in chosen.rules:
            root = leaving[chosen.subject_of(root)]
        number = chosen.rules[root.digest]
        follows = "" if root is image else f"follows {short(chosen.subject_of(image))}, which it is about"
        found.append(DirectlyTaken(image, _action(standard), number, follows or words_of[number]))
    return tuple(found)


def label_candidates(
    standard: LifecycleStandard, images: Sequence[StoredImage], now: datetime
) -> tuple[StoredImage, ...]:
    """The images whose labels must be known to tell what is taken: those that would be, if their labels said so."""
    if not any(rule.label for rule in standard.rules):
        return ()
    chosen = _choose(standard, images, now, lambda _image, _label: True)
    return tuple(
        image
        for image in _leaving(standard, images, chosen)
        if image.digest in chosen.rules and standard.rules[chosen.rules[image.digest]].label
    )


class _Chosen(NamedTuple):
    """By which of the standard's rules images are to go, and what is about which image by its tag alone."""

    rules: Mapping[Digest, int]
    tied: Mapping[Digest, Digest]

    def subject_of(self, image: StoredImage) -> Digest:
        """What the image goes with."""
        return self.tied.get(image.digest) or Digest(str(image.subject))


HasLabel = Callable[[StoredImage, str], bool]


def _choose(standard: LifecycleStandard, images: Sequence[StoredImage], now: datetime, has_label: HasLabel) -> _Chosen:
    """What the rules choose, before what refers to it is looked at."""
    counted = [unleased(image) for image in standing_alone(images) if not image.archived]
    tied, held = _tied(images), _held(standard, images)
    free = [image for image in counted if image.digest not in held]
    chosen: dict[Digest, int] = {}
    for number, rule in enumerate(standard.rules):
        meets = about(shield(*selection(rule.of), ""))
        reached = [image for image in free if meets(image.tags)]
        free = [image for image in free if not meets(image.tags)]
        if not is_direct(rule, standard):
            for image in reached:
                tied.pop(image.digest, None)  # ECR's rule decides about it
            continue
        exceeds = _test(rule, [image for image in counted if meets(image.tags)], now)
        for image in reached:
            if image.digest not in tied and exceeds(image) and (not rule.label or has_label(image, rule.label)):
                chosen[image.digest] = number
    return _Chosen(chosen, {digest: subject for digest, subject in tied.items() if digest not in held})


def _tied(images: Sequence[StoredImage]) -> dict[Digest, Digest]:
    """The images that only a tag ties to another one that is there, as older signing tools do it."""
    present = {image.digest for image in images}
    found = ((image.digest, tied_to(image)) for image in images if image.subject is None)
    return {digest: subject for digest, subject in found if subject in present and subject != digest}


def _held(standard: LifecycleStandard, images: Iterable[StoredImage]) -> frozenset[Digest]:
    """What leases and protected tags hold, with what it is about: an artifact does not outlive its subject."""
    by_digest = {image.digest: image for image in images}
    held: set[Digest] = set()
    for image in by_digest.values():
        if not any(is_lease(tag) or any(matches(each, tag) for each in standard.protection.tags) for tag in image.tags):
            continue
        held_by: StoredImage | None = image
        while held_by and held_by.digest not in held:
            held.add(held_by.digest)
            subject = tied_to(held_by)
            held_by = by_digest.get(subject) if subject else None
    return frozenset(held)


def _test(rule: LifecycleRule, counted: Sequence[StoredImage], now: datetime) -> Callable[[StoredImage], bool]:
    """Whether an image is older, or one more, than the rule keeps of those that it counts."""
    if rule.keep is not None:
        beyond = _beyond_of_each(rule, rule.per, counted) if rule.per else _beyond(rule.keep, counted)
        return lambda image: image.digest in beyond
    if rule.not_pulled_days is not None:
        limit = timedelta(days=rule.not_pulled_days)
        return lambda image: now - image.unused_since > limit
    age = timedelta(days=rule.after_days or 1)
    return lambda image: now - image.stored_since > age


def _beyond(keep: int, counted: Iterable[StoredImage]) -> frozenset[Digest]:
    newest_first = sorted(counted, key=lambda image: (image.stored_since, image.digest), reverse=True)
    return frozenset(image.digest for image in newest_first[keep:])


def _beyond_of_each(rule: LifecycleRule, per: Per, counted: Iterable[StoredImage]) -> frozenset[Digest]:
    """Those that are among the newest of none of their groups, and have no tag of which that can't be told."""
    groups: dict[str, dict[Digest, str]] = {}
    kept: set[Digest] = set()
    for image in counted:
        tags = [tag for tag in image.tags if rule.of == TagStatus.ANY or matches(rule.of, tag)]
        places = [group_of(tag, per, image.stored_since, image.digest) for tag in tags]
        for place in places or [None]:
            if place is None:
                kept.add(image.digest)
            else:
                group = groups.setdefault(place.line, {})
                group[image.digest] = max(place.order, group.get(image.digest, place.order))
    members: set[Digest] = set()
    for group in groups.values():
        members |= group.keys()
        kept |= set(sorted(group, key=group.__getitem__, reverse=True)[: rule.keep])
    return frozenset(members - kept)


def _leaving(standard: LifecycleStandard, images: Sequence[StoredImage], chosen: _Chosen) -> tuple[StoredImage, ...]:
    """What can leave of the chosen, with what is about it.

    An index that ECR's own rules may take at the same time counts as one that stays: what it lists goes another day.
    """
    action = _action(standard)
    together = [
        replace(image, subject=chosen.tied[image.digest]) if image.digest in chosen.tied else image for image in images
    ]
    leaving = settled(dict.fromkeys(chosen.rules, action), together)
    return tuple(image for image in images if image.digest in leaving)


def _action(standard: LifecycleStandard) -> RuleAction:
    return RuleAction.EXPIRE if standard.action is LifecycleAction.DELETE else RuleAction.TRANSITION


def _in_order(leaving: Iterable[StoredImage], chosen: _Chosen) -> Iterator[StoredImage]:
    """Indexes before what they list, which ECR does not delete before; then the oldest first, and followers last."""
    order = sorted(leaving, key=lambda image: (image.digest not in chosen.rules, image.stored_since, image.digest))
    waiting = {image.digest: image for image in order}
    listings = Counter(child for image in order for child in dict.fromkeys(image.children))
    ready = deque(image for image in order if not listings[image.digest])
    while ready:
        image = ready.popleft()
        yield waiting.pop(image.digest)
        for child in dict.fromkeys(image.children):
            listings[child] -= 1
            if not listings[child] and child in waiting:
                ready.append(waiting[child])
    yield from waiting.values()  # what lists itself through others
