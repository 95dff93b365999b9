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
from datetime import UTC, datetime, timedelta
from fnmatch import translate
from operator import attrgetter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "functions"))

from warden.lifecycle.evaluation import Taken, evaluate
from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus
from warden.names import Digest, Tag
from warden.stored_images import StoredImage

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


def seconds(work: Callable[[], object]) -> float:
    """The processor's time for it, once."""
    start = time.process_time()
    work()
    return time.process_time() - start


def memory(count: int) -> tuple[int, int]:
    """Bytes of the input, and at the highest while the verdict is made, input included."""
    tracemalloc.start()
    images = an_input(count)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    evaluate(RULES, images, NOW)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size, peak


def main() -> int:
    """Print the table; exit code 1 if a bound is broken or the two ways differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    size, peak = memory(arguments.images)
    images = an_input(arguments.images)
    expected = in_the_obvious_way(RULES, images, NOW)
    agree = expected == {taken.image.digest for taken in evaluate(RULES, images, NOW)}
    sorting, verdict = _take_turns(images, arguments.runs)
    plain = seconds(lambda: in_the_obvious_way(RULES, images, NOW))
    print(f"{arguments.images:,} images, {len(RULES)} rules, of which {len(expected):,} images expire")
    print(f"{'':<34} {'seconds':>8} {'× sorting':>10}  at most")
    print(f"{'sorted by push time':<34} {sorting:8.2f} {1:10.1f}")
    print(f"{'verdict':<34} {verdict:8.2f} {verdict / sorting:10.1f}  {TIMES_OF_SORTING}")
    print(f"{'a plain reference':<34} {plain:8.2f} {plain / sorting:10.1f}  {'the same' if agree else 'DIFFERS'}")
    print(f"{'':<34} {'MiB':>8} {'× input':>10}  at most")
    print(f"{'the images':<34} {size / 2**20:8.0f} {1:10.1f}")
    print(f"{'at the highest':<34} {peak / 2**20:8.0f} {peak / size:10.1f}  {TIMES_OF_INPUT}")
    held = agree and verdict <= TIMES_OF_SORTING * sorting and peak <= TIMES_OF_INPUT * size
    print("every bound is held" if held else "A BOUND IS BROKEN")
    return 0 if held else 1


def _take_turns(images: list[StoredImage], runs: int) -> tuple[float, float]:
    """The best times of sorting and of the verdict."""

    def sort() -> list[StoredImage]:
        return sorted(images, key=attrgetter("pushed_at"))

    def judge() -> tuple[Taken, ...]:
        return evaluate(RULES, images, NOW)

    pairs = [(seconds(sort), seconds(judge)) for _ in range(runs)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


if __name__ == "__main__":
    sys.exit(main())
