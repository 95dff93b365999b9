"""Builders of repositories and policies for the linter: made up, and plausible."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from tests.builders import NOW
from warden.lifecycle.linting import lint_text
from warden.lifecycle.remarks import Remark
from warden.names import Digest, Tag
from warden.stored_images import StoredImage


def digest_of(seed: str) -> Digest:
    return Digest("sha256:" + hashlib.sha256(seed.encode()).hexdigest())


def image(*tags: str, age: float = 1, seed: str = "", **more: Any) -> StoredImage:
    """An image with these tags that was pushed so many days ago."""
    own = digest_of(seed or f"{tags}{age}")
    return StoredImage(own, tuple(map(Tag, tags)), NOW - timedelta(days=age), **more)


def line(pattern: str, count: int, *, first: float = 1, every: float = 1) -> list[StoredImage]:
    """Images whose tags count up, the newest pushed `first` days ago."""
    return [
        image(pattern.replace("*", str(count - number)), age=first + number * every, seed=f"{pattern}{number}")
        for number in range(count)
    ]


def untagged(count: int, *, first: float = 1, every: float = 1) -> list[StoredImage]:
    return [image(age=first + number * every, seed=f"untagged {number}") for number in range(count)]


def signature_of(signed: StoredImage, *, age: float = 1) -> StoredImage:
    """As cosign tagged signatures before referrers."""
    return image(f"sha256-{signed.digest.removeprefix('sha256:')}.sig", age=age)


def rule(
    *patterns: str,
    keep: int | None = None,
    days: int | None = None,
    prefixes: Sequence[str] = (),
    status: str = "",
    description: str = "",
    since: str = "sinceImagePushed",
    archive: bool = False,
    archived: bool = False,
) -> dict[str, Any]:
    """One rule, without its priority."""
    selection: dict[str, Any] = {"tagStatus": status or "tagged"}
    if patterns:
        selection["tagPatternList"] = list(patterns)
    if prefixes:
        selection["tagPrefixList"] = list(prefixes)
    if archived:
        selection["storageClass"] = "archive"
    counting = {"countType": "imageCountMoreThan", "countNumber": keep}
    selection |= {"countType": since, "countUnit": "days", "countNumber": days} if keep is None else counting
    action = {"type": "transition", "targetStorageClass": "archive"} if archive else {"type": "expire"}
    return {"description": description, "selection": selection, "action": action}


def policy(*rules: Mapping[str, Any]) -> str:
    """The text of a policy whose rules have the priorities 1, 2, …"""
    return json.dumps({"rules": [{"rulePriority": number, **each} for number, each in enumerate(rules, start=1)]})


def remarks_on(
    text: str, images: Iterable[StoredImage], users: Mapping[Digest, tuple[str, ...]] | None = None
) -> tuple[Remark, ...]:
    return lint_text(text, list(images), users=users or {}, now=NOW)


def told(remarks: Iterable[Remark]) -> list[tuple[str, str, int | None]]:
    """What kind of remarks they are, without their words."""
    return [(str(remark.code), str(remark.severity), remark.priority) for remark in remarks]
