"""What must live, whatever the rules say: what is used, what is protected, and everything that those consist of.

An index needs all that it lists, and an image its signatures, SBOMs and attestations: those that name it as their
subject (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers), and those that older
tools tie to it by a tag, `sha256-<its hexadecimal digest>` with or without an ending. An artifact needs its subject,
too, since ECR takes it with that.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from warden.names import Digest, short
from warden.policy import Protection
from warden.stored_images import StoredImage
from warden.text import clean
from warden.wildcard import matches

LONGEST = 120
_TIED = re.compile(r"sha256-([0-9a-f]{64})(?:\.[A-Za-z0-9._-]+)?")


def must_live(
    images: Sequence[StoredImage],
    protection: Protection,
    *,
    users: Mapping[Digest, tuple[str, ...]],
    last_used: Mapping[Digest, datetime],
    put_back: Mapping[Digest, str],
    now: datetime,
) -> dict[Digest, str]:
    """The images that no rule may take, each with why, for people.

    `users` says who uses an image now, `last_used` when one was last seen in use, and `put_back` which images a person
    has put back, and who and until when.
    """
    roots: dict[Digest, str] = {}
    for image in images:
        if why := _why(image, protection, users, last_used, put_back, now):
            roots[image.digest] = why
    return _with_parts(roots, images)


def tied_to(image: StoredImage) -> Digest | None:
    """The image that this one is about: its subject, or the one that its tag names."""
    if image.subject:
        return image.subject
    for tag in image.tags:
        if found := _TIED.fullmatch(tag):
            return Digest(f"sha256:{found[1]}")
    return None


def _why(
    image: StoredImage,
    protection: Protection,
    users: Mapping[Digest, tuple[str, ...]],
    last_used: Mapping[Digest, datetime],
    put_back: Mapping[Digest, str],
    now: datetime,
) -> str:
    if protection.in_use and image.digest in users:
        first, *others = users[image.digest]
        return f"in use by {clean(first, LONGEST)}" + (f" and {len(others)} more" if others else "")
    if guarded := _guarded(image, protection.tags):
        return guarded
    if person := put_back.get(image.digest):
        return person
    last = last_used.get(image.digest)
    if protection.in_use and last is not None and now - last <= timedelta(days=protection.grace_days):
        return f"in use until {last:%d %b}, which is less than {protection.grace_days} days ago"
    days = protection.pulled_within_days
    if days is not None and image.pulled_at is not None and now - image.pulled_at <= timedelta(days=days):
        return f"pulled on {image.pulled_at:%d %b}, which is less than {days} days ago"
    return ""


def _guarded(image: StoredImage, patterns: Iterable[str]) -> str:
    for pattern in patterns:
        for tag in image.tags:
            if matches(pattern, tag):
                return f"tagged {clean(tag, LONGEST)}, which {pattern} protects"
    return ""


def _with_parts(roots: Mapping[Digest, str], images: Sequence[StoredImage]) -> dict[Digest, str]:
    """The roots, and down from them whatever they list and whatever is about them."""
    present = {image.digest: image for image in images}
    about: dict[Digest, list[Digest]] = {}
    for image in images:
        if subject := tied_to(image):
            about.setdefault(subject, []).append(image.digest)
    found = dict(roots)
    waiting = list(roots)
    while waiting:
        digest = waiting.pop()
        parts = [(child, "listed by") for child in present[digest].children if child in present]
        parts += [(referrer, "about") for referrer in about.get(digest, ())]
        subject = present[digest].subject
        if subject in present:  # ECR takes a reference artifact with its subject
            parts.append((subject, "the subject of"))
        for part, how in parts:
            if part not in found:
                found[part] = f"{how} {short(digest)}, which is {found[digest]}" if digest in roots else found[digest]
                waiting.append(part)
    return found
