"""Of which images a rule keeps the newest each: those of one line of tags, of one major or of one minor version."""

import re
from datetime import datetime

from warden.names import Digest, Tag
from warden.policy import Per
from warden.tag_lines import Place, is_version, line_of, numbers_order, place_of, pushed_order, without_hashes

_PLACES = (
    re.compile(r"(?P<head>v?)(?P<numbers>[0-9]+(?:\.[0-9]+)*)(?![A-Za-z0-9]|\.[0-9])"),
    re.compile(r"(?P<head>.*?)(?P<numbers>[0-9]+(?:\.[0-9]+)+)"),
)
"""Where the version stands: it begins the tag, or it is the first number with a dot."""
_UNFINISHED = re.compile(
    r"(?:[-._]?(?P<word>alpha|beta|milestone|preview|pre|rc|cr)[-._]?|(?P<letter>[ab])(?=[0-9]))"
    r"(?P<count>[0-9]*(?:\.[0-9]+)*)(?![a-z0-9])",
    re.IGNORECASE,
)
"""What makes a version a pre-release. Words such as dev or snapshot mean many things: they make a variant of it."""
_RANKS = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "milestone": 2, "pre": 3, "preview": 3, "rc": 4, "cr": 4}
_RELEASE = "9"


def group_of(tag: Tag, per: Per, since: datetime, digest: Digest) -> Place | None:
    """The group that the tag puts its image in, and its place there: the newest sorts last.

    None where the tag says nothing of a version, or not enough of it. Versions with and without `v` are of different
    groups, and so are variants (`-alpine`); a pre-release is of the group of its release, and older than that.

    >>> since, digest = datetime(2026, 11, 23).astimezone(), Digest("sha256:41d9be20c0ff")
    >>> [
    ...     group_of(Tag(tag), Per.MINOR, since, digest).line
    ...     for tag in ("v1.4.2", "v1.4.3-rc.1", "1.4.2", "v1.4.2-alpine3.20")
    ... ]
    ['v1.4', 'v1.4', '1.4', 'v1.4-alpine*']
    >>> group_of(Tag("latest"), Per.MINOR, since, digest), group_of(Tag("v1"), Per.MINOR, since, digest)
    (None, None)
    """
    place = place_of(tag, since, digest)
    if per is Per.LINE or place is None:
        return place
    found = _version(tag)
    if found is None:
        return None
    numbers = found["numbers"].split(".")
    depth = 1 if per is Per.MAJOR else 2
    if len(numbers) < depth:
        return None
    text = without_hashes(tag)
    rest = text[found.end() :]
    unfinished = _UNFINISHED.match(rest)
    rest = rest[unfinished.end() :] if unfinished else rest
    named = ".".join(str(int(number)) for number in numbers[:depth])
    order = (numbers_order(found["numbers"]), _maturity(unfinished), numbers_order(rest), pushed_order(since, digest))
    return Place(f"{found['head']}{named}{line_of(Tag(rest))}", "#".join(order))


def _version(tag: Tag) -> re.Match[str] | None:
    text = without_hashes(tag)
    return next((found for place in _PLACES if (found := place.match(text))), None) if is_version(tag) else None


def _maturity(unfinished: re.Match[str] | None) -> str:
    """How finished the version is, as text that sorts like it."""
    if unfinished is None:
        return _RELEASE
    rank = _RANKS[(unfinished["word"] or unfinished["letter"]).lower()]
    return f"{rank}{numbers_order(unfinished['count'])}"
