"""What a verdict of the lifecycle engine costs over a million images: `python benchmarks/lifecycle.py`.

Three rules are evaluated over images in no order. What counts is not the machine's time but its ratio to sorting the
same images by their push time, which anybody who counts the newest has to do; and the memory at its highest, input
included, as a ratio to the input. The same is measured of a plain reference, which does what the pages say in the
obvious way; both must come to the same. Times are of the processor, best of several runs that take turns.
"""

import argparse
import random
import re
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import translate
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[1] / "functions"))

from warden.lifecycle.evaluation import evaluate
from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus
from warden.names import Digest, Tag
from warden.stored_images import StoredImage

Result = TypeVar("Result")

TIMES_OF_SORTING = 6
TIMES_OF_INPUT = 2
DAYS = 400
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULES = (
    Rule(1, TagStatus.UNTAGGED, CountType.SINCE_IMAGE_PUSHED, 14, RuleAction.EXPIRE),
    Rule(2, TagStatus.TAGGED, CountType.IMAGE_COUNT_MORE_THAN, 50, RuleAction.EXPIRE, ("v*",)),
    Rule(3, TagStatus.ANY, CountType.SINCE_IMAGE_PUSHED, 365, RuleAction.EXPIRE),
)


def an_input(count: int) -> list[StoredImage]:
    """Images of 400 days, one in ten without a tag and one in twenty with two, in no order."""
    chance = random.Random(1)  # noqa: S311 - the same images each time
    images = [_image(chance, number, count) for number in range(count)]
    chance.shuffle(images)
    return images


def _image(chance: random.Random, number: int, count: int) -> StoredImage:
    draw = chance.getrandbits(32)
    tags = [] if draw % 10 == 0 else [f"v1.{count - number}.0"]
    if draw % 20 == 1:
        tags.append(f"git-{draw:08x}")
    age = timedelta(days=number * DAYS / count, seconds=draw % 43_200)
    digest = Digest(f"sha256:{chance.randbytes(32).hex()}")
    return StoredImage(digest, tuple(map(Tag, tags)), NOW - age, size=draw)


def in_the_obvious_way(rules: Sequence[Rule], images: Sequence[StoredImage], now: datetime) -> set[Digest]:
    """What expires: a regular expression a tag and a rule, a sort a rule, a set of what earlier rules have claimed."""
    gone: set[Digest] = set()
    claimed: set[Digest] = set()
    for rule in sorted(rules, key=lambda rule: rule.priority):
        selected = [image for image in images if _meets(rule, image)]
        selected.sort(key=lambda image: (image.stored_since, image.digest), reverse=True)
        if rule.count_type is CountType.IMAGE_COUNT_MORE_THAN:
            exceeding = selected[rule.count :]
        else:
            exceeding = [image for image in selected if now - image.stored_since > timedelta(days=rule.count)]
        gone |= {image.digest for image in exceeding} - claimed
        claimed |= {image.digest for image in selected}
    return gone


def _meets(rule: Rule, image: StoredImage) -> bool:
    if rule.tag_status is not TagStatus.TAGGED:
        return rule.tag_status is TagStatus.ANY or not image.tags
    return all(any(re.match(translate(pattern), tag) for tag in image.tags) for pattern in rule.patterns)


@dataclass(frozen=True, slots=True)
class Measured:
    """Bytes of the images and at the highest while a verdict was made, images included; seconds of the processor."""

    size: int
    peak: int
    sorting: float
    verdict: float
    plain: float
    expired: int
    agree: bool

    @property
    def holds(self) -> bool:
        """Whether both bounds are held, and the two ways come to the same."""
        return (
            self.agree and self.verdict <= TIMES_OF_SORTING * self.sorting and self.peak <= TIMES_OF_INPUT * self.size
        )


def measure(count: int, runs: int) -> Measured:
    """Memory first, since tracing it takes time, then times."""
    tracemalloc.start()
    images = an_input(count)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    taken = evaluate(RULES, images, NOW)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    expired = {each.image.digest for each in taken}
    del taken
    plain, expected = _timed(lambda: in_the_obvious_way(RULES, images, NOW))
    turns = [
        (
            _timed(lambda: sorted(images, key=attrgetter("pushed_at")))[0],
            _timed(lambda: evaluate(RULES, images, NOW))[0],
        )
        for _ in range(runs)
    ]
    sorting, verdict = (min(times) for times in zip(*turns, strict=True))
    return Measured(size, peak, sorting, verdict, plain, len(expired), expected == expired)


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def main() -> int:
    """Print the table; exit code 1 if a bound is broken or the two ways differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    found = measure(arguments.images, arguments.runs)
    print(f"{arguments.images:,} images, {len(RULES)} rules: {found.expired:,} expire")
    print(f"{'':<22} {'seconds':>8} {'× sorting':>10}  at most")
    for name, took, most in (
        ("sorted by push time", found.sorting, ""),
        ("verdict", found.verdict, f"{TIMES_OF_SORTING}"),
        ("a plain reference", found.plain, "" if found.agree else "AND IT DIFFERS"),
    ):
        print(f"{name:<22} {took:8.2f} {took / found.sorting:10.1f}  {most}".rstrip())
    print(f"{'':<22} {'MiB':>8} {'× input':>10}  at most")
    print(f"{'the images':<22} {found.size / 2**20:8.0f} {1:10.1f}")
    print(f"{'at the highest':<22} {found.peak / 2**20:8.0f} {found.peak / found.size:10.1f}  {TIMES_OF_INPUT}")
    print("every bound is held" if found.holds else "A BOUND IS BROKEN")
    return 0 if found.holds else 1


if __name__ == "__main__":
    sys.exit(main())
