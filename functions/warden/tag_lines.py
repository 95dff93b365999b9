"""Which image came before another: the one before it in the line of its tag.

Two tags are of one line if they differ only in numbers and in commit hashes: `v1.4.2` and `v1.4.1`, `main-41d9be2` and
`main-9f31c07`, `2.1-alpine` and `2.0-alpine`. Where the numbers are a version (they begin the tag, or have dots), the
one before is the next smaller version, whenever it was pushed: `v1.4.2` follows `v1.4.1` also where `v2.0.0` lies
between. Elsewhere it is the one that was pushed before, and a tag that moves, such as `latest`, is a line by itself.
Versions and what was merely pushed are never of one line: `1.10` says nothing of `41d9be2`.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from warden.images import Image
from warden.names import Digest, Tag

_HASH = re.compile(r"(?<![A-Za-z0-9])(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}(?![A-Za-z0-9])")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_VERSION = re.compile(r"v?[0-9]|.*[0-9]\.[0-9]", re.DOTALL)
_BARE_HASH = re.compile(r"[0-9a-f]{7,64}")
"""A whole tag that may be a hash, a date or a count: one in thirty short hashes has no letter."""
_OURS = ("sha256-", "warden.", "quarantine.", "moved-")
"""Tags that signing tools and the warden write: they say nothing of what came before."""
MOST_LINES = 20
"""ECR allows a thousand tags, and each line is asked for and written to; those of versions come first."""


class Place(NamedTuple):
    """A place in a line: images of one line sort by their `order`, which is text."""

    line: str
    order: str


def places(image: Image) -> tuple[Place, ...]:
    """The places that the image has by its tags: of versions first, of builds then, of tags that move last.

    An image without a tag is in no line. Of several tags of one line (`v1`, `v1.4`, `v1.4.2`) the last one counts.
    """
    last: dict[str, Place] = {}
    for _, tag in sorted((_rank(tag), tag) for tag in image.tags):
        place = place_of(tag, image.pushed_at, image.id.digest)
        if place is None:
            continue
        last[place.line] = max(last.get(place.line, place), place)
    return tuple(last.values())[:MOST_LINES]


def place_of(tag: Tag, pushed_at: datetime, digest: Digest) -> Place | None:
    """The place that one tag gives the image that it is on; None for tags that signing tools and the warden write."""
    if tag.startswith(_OURS):
        return None
    pushed = pushed_order(pushed_at, digest)
    if not is_version(tag):
        return Place(f"pushed {line_of(tag)}", pushed)
    return Place(line_of(tag), f"{numbers_order(without_hashes(tag))}#{pushed}")


def line_of(tag: Tag) -> str:
    """The line of a tag: its numbers and hashes become `*`.

    >>> line_of(Tag("v1.4.2")), line_of(Tag("main-41d9be2")), line_of(Tag("1.2.3-alpine3.20")), line_of(Tag("latest"))
    ('v*', 'main-*', '*-alpine*', 'latest')
    """
    return "*" if _BARE_HASH.fullmatch(tag) else _NUMBERS.sub("*", _HASH.sub("*", tag))


def _rank(tag: Tag) -> int:
    if is_version(tag):
        return 0
    return 1 if "*" in line_of(tag) else 2


def is_version(tag: Tag) -> bool:
    """Whether the numbers of the tag are a version."""
    return _BARE_HASH.fullmatch(tag) is None and _VERSION.match(without_hashes(tag)) is not None


def without_hashes(tag: Tag) -> str:
    """The tag without what may be commit hashes."""
    return _HASH.sub("", tag)


def numbers_order(text: str) -> str:
    """The numbers of a text, as text that sorts like them.

    >>> numbers_order("1.9") < numbers_order("1.10") < numbers_order("1.10.0")
    True
    """
    return ".".join(_sortable(number) for run in _NUMBERS.findall(text) for number in run.split("."))


def pushed_order(pushed_at: datetime, digest: Digest) -> str:
    """The time of a push as text that sorts like it, with the digest for those of one instant."""
    return f"{pushed_at.astimezone(UTC).isoformat(timespec='microseconds')}#{digest}"


def _sortable(number: str) -> str:
    """A number as text that sorts like it, of whatever length.

    >>> sorted(["10", "9", "007"], key=_sortable)
    ['007', '9', '10']
    """
    digits = number.lstrip("0")
    return f"{len(digits):03d}{digits}"
