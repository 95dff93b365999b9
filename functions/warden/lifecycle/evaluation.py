"""What a lifecycle policy does to a repository, as ECR evaluates it.

All rules are evaluated at once and applied by priority. An image that meets the tagging requirements of a rule is out
of reach for every later rule, even where the earlier one keeps it; later rules still count it.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules

Where the pages are silent: an image exactly as old as a rule says is kept, since they say "older"; and of images pushed
in the same instant, the digests decide.
"""

import gc
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import compress, count, islice
from operator import attrgetter, eq

from warden.lifecycle.references import settled, standing_alone
from warden.lifecycle.rules import CountType, Rule, RuleAction
from warden.lifecycle.selection import MeetsTags, about, every_image
from warden.names import Digest, Tag
from warden.stored_images import StoredImage

_SINCE: dict[CountType, Callable[[StoredImage], datetime | None]] = {
    CountType.SINCE_IMAGE_PULLED: attrgetter("unused_since"),
    CountType.SINCE_IMAGE_TRANSITIONED: attrgetter("archived_at"),
}

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Taken:
    """One image leaves, and by which rule; None where it is a reference artifact that follows its subject."""

    image: StoredImage
    action: RuleAction
    priority: int | None


def evaluate(rules: Sequence[Rule], images: Sequence[StoredImage], now: datetime) -> tuple[Taken, ...]:
    """What the rules do to the images at that time; the oldest image first, indexes before what they list.

    The images are those of one repository, each of them once, in any order. They are sorted once, by age; a rule
    then takes time in proportion to their number.
    """
    with _collector_paused():
        return tuple(_evaluated(rules, images, now))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing made meanwhile refers in a circle; looking for that would take as long as all the rest again."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _evaluated(rules: Sequence[Rule], images: Sequence[StoredImage], now: datetime) -> Iterable[Taken]:
    plain = [image for image in images if not (image.children or image.subject is not None or image.archived)]
    if len(plain) == len(images):
        return _taken(_of_class(rules, archived=False), plain, now)
    own = standing_alone(images)
    taken: list[Taken] = []
    for archived in (False, True):
        stored = [image for image in own if image.archived is archived]
        taken += _taken(_of_class(rules, archived=archived), stored, now)
    return _parents_first(_settled(taken, images))


def _of_class(rules: Iterable[Rule], *, archived: bool) -> list[Rule]:
    """The rules on one storage class, in order; nothing can be archived that is."""
    of_class = [rule for rule in rules if rule.archived is archived]
    able = [rule for rule in of_class if not (archived and rule.action is RuleAction.TRANSITION)]
    return sorted(able, key=attrgetter("priority"))


def _taken(rules: Iterable[Rule], images: Sequence[StoredImage], now: datetime) -> list[Taken]:
    """What the rules take of images of one storage class, the oldest first, whatever refers to what."""
    shelf = _Shelf.of(images)
    takers: list[Rule | None] = [None] * len(images)
    free: Sequence[int] = range(len(images))
    claimed: list[int] = []
    for rule in rules:
        meets = about(rule)
        reached, free = _split(free, shelf.tags, meets)
        for place in _exceeding(rule, meets, reached, claimed, shelf, now):
            takers[place] = rule
        claimed += reached
    return [
        Taken(image, rule.action, rule.priority)
        for image, rule in zip(shelf.images, takers, strict=True)
        if rule is not None
    ]


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Images in the order of their age, the oldest first: the rules then deal with places, which are numbers."""

    images: list[StoredImage]
    times: list[datetime]
    tags: list[tuple[Tag, ...]]

    @classmethod
    def of(cls, images: Sequence[StoredImage]) -> "_Shelf":
        """In the order of time; of those of the same instant, in that of their digests."""
        unordered = [image.stored_since for image in images]
        order = sorted(range(len(images)), key=unordered.__getitem__)
        ordered, times = [images[place] for place in order], [unordered[place] for place in order]
        # Sorting by pairs of time and digest would take twice as long, and half as much memory again as the images.
        end = 0
        for start in compress(count(), map(eq, times, islice(times, 1, None))):
            if start >= end:
                end = bisect_right(times, times[start], lo=start)
                ordered[start:end] = sorted(ordered[start:end], key=attrgetter("digest"))
        return cls(ordered, times, [image.tags for image in ordered])


def _split(
    places: Sequence[int], tags: Sequence[tuple[Tag, ...]], meets: MeetsTags
) -> tuple[Sequence[int], Sequence[int]]:
    """Those whose images meet the requirements, and the rest."""
    if meets is every_image:
        return places, ()
    met, rest = list[int](), list[int]()
    for place in places:
        (met if meets(tags[place]) else rest).append(place)
    return met, rest


def _exceeding(
    rule: Rule, meets: MeetsTags, reached: Sequence[int], claimed: Iterable[int], shelf: _Shelf, now: datetime
) -> Sequence[int]:
    """Those within reach that are too old, or too many together with those that earlier rules claimed."""
    if rule.count_type is CountType.IMAGE_COUNT_MORE_THAN:
        counted = sorted([*reached, *(place for place in claimed if meets(shelf.tags[place]))])
        return reached[: bisect_left(reached, counted[-rule.count])] if len(counted) > rule.count else ()
    if rule.count > (now - _BEGINNING).days:
        return ()
    cutoff = now - timedelta(days=rule.count)
    if rule.count_type is CountType.SINCE_IMAGE_PUSHED:
        return reached[: bisect_left(reached, bisect_left(shelf.times, cutoff))]
    since = _SINCE[rule.count_type]
    return [place for place in reached if (time := since(shelf.images[place])) is not None and time < cutoff]


def _settled(taken: Iterable[Taken], images: Sequence[StoredImage]) -> list[Taken]:
    """What leaves by the rules and by what refers to what, the oldest first."""
    priorities: dict[Digest, int | None] = {each.image.digest: each.priority for each in taken}
    leaving = settled({each.image.digest: each.action for each in taken}, images)
    shelf = _Shelf.of([image for image in images if image.digest in leaving])
    return [Taken(image, leaving[image.digest], priorities.get(image.digest)) for image in shelf.images]


def _parents_first(taken: list[Taken]) -> Iterable[Taken]:
    """In the same order, but that an index comes before what it lists, and an artifact after what it is about.

    ECR deletes nothing that is listed.
    """
    before: dict[Digest, list[Taken]] = defaultdict(list)
    by_digest = {each.image.digest: each for each in taken}
    for each in taken:
        for child in each.image.children:
            before[child].append(each)
        if each.image.subject in by_digest and not each.image.children:
            before[each.image.digest].append(by_digest[each.image.subject])
    done: dict[Digest, Taken] = {}
    for each in taken:
        _put(each, before, done)
    return done.values()


def _put(last: Taken, before: Mapping[Digest, Iterable[Taken]], done: dict[Digest, Taken]) -> None:
    """Add one, and before it whatever has to come before and isn't there yet; circles are cut somewhere."""
    begun = {last.image.digest}
    waiting = [(last, iter(before.get(last.image.digest, ())))]
    while waiting:
        each, rest = waiting[-1]
        first = next((one for one in rest if not (one.image.digest in done or one.image.digest in begun)), None)
        if first is None:
            done.setdefault(each.image.digest, each)
            waiting.pop()
        else:
            begun.add(first.image.digest)
            waiting.append((first, iter(before.get(first.image.digest, ()))))
