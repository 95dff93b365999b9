"""What a lifecycle policy does to a repository, as ECR evaluates it.

All rules are evaluated at once and applied by priority. An image that meets the tagging requirements of a rule is out
of reach for every later rule, even where the earlier one keeps it; later rules still count it.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules

Where the pages are silent: an image exactly as old as a rule says is kept, since they say "older"; and of images pushed
in the same instant, the digests decide.
"""

import gc
import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import compress, count, islice, repeat
from operator import attrgetter, eq

from warden.lifecycle.references import settled, standing_alone
from warden.lifecycle.rules import CountType, Rule, RuleAction
from warden.lifecycle.selection import MeetsTags, about, every_image
from warden.names import Digest
from warden.stored_images import StoredImage

_FEW = 16
"""Up to this part of the images, selecting the newest takes less time than sorting them all."""

_SINCE: dict[CountType, Callable[[StoredImage], datetime | None]] = {
    CountType.SINCE_IMAGE_PUSHED: attrgetter("stored_since"),
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

    The images are those of one repository, each of them once, in any order. Takes time in proportion to their number
    and that of the rules, but for sorting what leaves.
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
        return _oldest_first(_taken(_of_class(rules, archived=False), plain, now))
    own = standing_alone(images)
    taken: list[Taken] = []
    for archived in (False, True):
        stored = [image for image in own if image.archived is archived]
        taken += _taken(_of_class(rules, archived=archived), stored, now)
    return _parents_first(_oldest_first(_settled(taken, images)))


def _of_class(rules: Iterable[Rule], *, archived: bool) -> list[Rule]:
    """The rules on one storage class, in order; nothing can be archived that is."""
    of_class = [rule for rule in rules if rule.archived is archived]
    able = [rule for rule in of_class if not (archived and rule.action is RuleAction.TRANSITION)]
    return sorted(able, key=attrgetter("priority"))


def _taken(rules: Iterable[Rule], images: list[StoredImage], now: datetime) -> list[Taken]:
    """What the rules take of images of one storage class, whatever refers to what."""
    taken: list[Taken] = []
    free, claimed = images, list[StoredImage]()
    for rule in rules:
        meets = about(rule)
        reached, free = _split(free, meets)
        acted_on = _exceeding(rule, meets, reached, claimed, now)
        taken += map(Taken, acted_on, repeat(rule.action), repeat(rule.priority))
        claimed += reached
    return taken


def _split(images: list[StoredImage], meets: MeetsTags) -> tuple[list[StoredImage], list[StoredImage]]:
    """Those that meet the requirements, and those that don't."""
    if meets is every_image:
        return images, []
    reached, rest = list[StoredImage](), list[StoredImage]()
    for image in images:  # once: where there are a million, going through them is what takes the time
        (reached if meets(image.tags) else rest).append(image)
    return reached, rest


def _exceeding(
    rule: Rule, meets: MeetsTags, reached: list[StoredImage], claimed: Sequence[StoredImage], now: datetime
) -> Iterable[StoredImage]:
    """Those within reach that are too old, or too many together with those that earlier rules claimed."""
    if rule.count_type is CountType.IMAGE_COUNT_MORE_THAN:
        counted = [image for image in claimed if meets(image.tags)]
        return _beyond_the_newest(rule.count, reached, counted)
    if rule.count > (now - _BEGINNING).days:
        return ()
    since = _SINCE[rule.count_type]
    cutoff = now - timedelta(days=rule.count)  # comparing takes a third of the time that subtracting does
    return [image for image in reached if (time := since(image)) is not None and time < cutoff]


def _beyond_the_newest(
    most: int, reached: Sequence[StoredImage], counted: Sequence[StoredImage]
) -> Iterable[StoredImage]:
    images = [*reached, *counted] if counted else reached
    if len(images) <= most:
        return ()
    times = [image.stored_since for image in images]
    newest = _newest(times, most)
    last = newest[-1]
    beyond = [image for image, time in zip(reached, times, strict=False) if time < last]  # reached come first
    tied = [images[index].digest for index in compress(count(), map(eq, times, repeat(last)))]
    if excess := len(tied) - newest.count(last):
        lowest = set(sorted(tied)[:excess])
        beyond += [image for image in reached if image.digest in lowest]
    return beyond


def _newest(times: list[datetime], most: int) -> list[datetime]:
    return sorted(times, reverse=True)[:most] if most * _FEW > len(times) else heapq.nlargest(most, times)


def _oldest_first(taken: list[Taken]) -> list[Taken]:
    """In the order of time; of those of the same instant, in that of their digests."""
    unordered = [each.image.stored_since for each in taken]
    order = sorted(range(len(taken)), key=unordered.__getitem__)
    ordered, times = [taken[index] for index in order], [unordered[index] for index in order]
    # Sorting by pairs of time and digest would take twice as long, and as much memory again as the images.
    end = 0
    for start in compress(count(), map(eq, times, islice(times, 1, None))):
        if start >= end:
            end = bisect_right(times, times[start], lo=start)
            ordered[start:end] = sorted(ordered[start:end], key=lambda each: each.image.digest)
    return ordered


def _settled(taken: Iterable[Taken], images: Sequence[StoredImage]) -> list[Taken]:
    priorities: dict[Digest, int | None] = {each.image.digest: each.priority for each in taken}
    leaving = settled({each.image.digest: each.action for each in taken}, images)
    return [
        Taken(image, leaving[image.digest], priorities.get(image.digest)) for image in images if image.digest in leaving
    ]


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
