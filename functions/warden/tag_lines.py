"""Which image came before another: the one before it in the line of its tag.

Two tags are of one line if they differ only in numbers and in commit hashes: `v1.4.2` and `v1.4.1`, `main-41d9be2` and
`main-9f31c07`, `2.1-alpine` and `2.0-alpine`. Where the numbers are a version (they begin the tag, or have dots), the
one before is the next smaller version, whenever it was pushed: `v1.4.2` follows `v1.4.1` also where `v2.0.0` lies
between. Elsewhere it is the one that was pushed before, and a tag that moves, such as `latest`, is a line by itself.
"""

import re
from datetime import UTC
from typing import NamedTuple

from warden.images import Image
from warden.names import Tag

_HASH = re.compile(r"(?<![A-Za-z0-9])(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}(?![A-Za-z0-9])")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_VERSION = re.compile(r"v?[0-9]|.*[0-9]\.[0-9]", re.DOTALL)
_OURS = ("sha256-", "warden.", "quarantine.", "moved-")
"""Tags that signing tools and the warden write: they say nothing of what came before."""


class Place(NamedTuple):
    """A place in a line: images of one line sort by their `order`, which is text."""

    line: str
    order: str


def places(image: Image) -> tuple[Place, ...]:
    """The places that the image has by its tags: of versions first, of builds then, of tags that move last.

    An image without a tag is in no line.
    """
    tags = [tag for tag in image.tags if not tag.startswith(_OURS)]
    ranked = sorted((_rank(tag), tag) for tag in tags)
    return tuple({place.line: place for place in (_place(tag, image) for _, tag in ranked)}.values())


def line_of(tag: Tag) -> str:
    """The line of a tag: its numbers and hashes become `*`.

    >>> line_of(Tag("v1.4.2")), line_of(Tag("main-41d9be2")), line_of(Tag("1.2.3-alpine3.20")), line_of(Tag("latest"))
    ('v*', 'main-*', '*-alpine*', 'latest')
    """
    return _NUMBERS.sub("*", _HASH.sub("*", tag))


def _rank(tag: Tag) -> int:
    if _is_version(tag):
        return 0
    return 1 if "*" in line_of(tag) else 2


def _is_version(tag: Tag) -> bool:
    return _HASH.search(tag) is None and _VERSION.match(tag) is not None


def _place(tag: Tag, image: Image) -> Place:
    pushed = f"{image.pushed_at.astimezone(UTC).isoformat(timespec='microseconds')}#{image.id.digest}"
    if not _is_version(tag):
        return Place(line_of(tag), pushed)
    numbers = (number for run in _NUMBERS.findall(tag) for number in run.split("."))
    return Place(line_of(tag), f"{'.'.join(map(_sortable, numbers))}#{pushed}")


def _sortable(number: str) -> str:
    """A number as text that sorts like it, of whatever length.

    >>> sorted(["10", "9", "007"], key=_sortable)
    ['007', '9', '10']
    """
    digits = number.lstrip("0")
    return f"{len(digits):03d}{digits}"
