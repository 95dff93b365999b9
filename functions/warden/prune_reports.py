"""Reports of pruning, written for the ledger and read again when a sweep is summed up."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from warden.lifecycle.rules import RuleAction
from warden.names import Digest, RepositoryName, Tag
from warden.policy import Mode
from warden.pruning import Leaving, PruneReport, PruneResult, Refusal, Spared
from warden.stored_images import StoredImage

MOST_LISTED = 2000
"""Images of each kind that are kept by themselves: a message shows a few of them."""
LARGEST = 350_000
"""Bytes, compressed: an item of DynamoDB holds 400 KB, and tags may be long."""
MOST_TAGS = 3


def written(report: PruneReport) -> dict[str, Any]:
    """The report as JSON; of very many images those that were pushed first stand for all, and the rest is counted."""
    most = MOST_LISTED
    found = _written(report, most)
    while most and len(packed(found)) > LARGEST:
        most //= 2
        found = _written(report, most)
    return found


def packed(report: Mapping[str, Any]) -> bytes:
    """A report that was written, as small as it gets."""
    return zlib.compress(json.dumps(report, separators=(",", ":")).encode())


def unpacked(report: bytes) -> dict[str, Any]:
    """A report that was packed."""
    found: dict[str, Any] = json.loads(zlib.decompress(report))
    return found


def _written(report: PruneReport, most: int) -> dict[str, Any]:
    listed, beyond = report.leaving[:most], report.leaving[most:]
    return {
        **asdict(replace(report, leaving=(), left=(), refusals=())),
        "leaving": [_leaving(one) for one in listed],
        "left": [_leaving(one) for one in report.left[:most]],
        "refusals": [
            {"why": one.why, "missing": one.missing, "images": [_spared(image) for image in one.images[:most]]}
            for one in report.refusals
        ],
        "more": report.more + len(beyond),
        "more_bytes": report.more_bytes + sum(one.image.size for one in beyond),
    }


def read(report: Mapping[str, Any]) -> PruneReport:
    """The report that was written."""
    return PruneReport(
        **{
            **report,
            "repository": RepositoryName(report["repository"]),
            "mode": Mode(report["mode"]),
            "result": PruneResult(report["result"]),
            "leaving": tuple(map(_read_leaving, report["leaving"])),
            "left": tuple(map(_read_leaving, report["left"])),
            "refusals": tuple(
                Refusal(one["why"], tuple(map(_read_spared, one["images"])), tuple(one["missing"]))
                for one in report["refusals"]
            ),
            "remarks": tuple(report["remarks"]),
            "channels": tuple(report["channels"]),
            "protections": tuple(report["protections"]),
            "idle_protections": tuple(report["idle_protections"]),
        }
    )


def _leaving(one: Leaving) -> list[Any]:
    return [_image(one.image), one.action, one.rule, one.origin, one.by_ecr]


def _read_leaving(row: list[Any]) -> Leaving:
    image, action, rule, origin, by_ecr = row
    return Leaving(_read_image(image), RuleAction(action), rule, origin, by_ecr=by_ecr)


def _spared(one: Spared) -> list[Any]:
    return [_image(one.image), one.why, one.rule]


def _read_spared(row: list[Any]) -> Spared:
    image, why, rule = row
    return Spared(_read_image(image), why, rule)


def _image(image: StoredImage) -> list[Any]:
    return [
        image.digest,
        image.tags[:MOST_TAGS],
        image.pushed_at.isoformat(),
        image.size,
        _time(image.pulled_at),
        image.is_index,
        image.subject,
    ]


def _read_image(row: list[Any]) -> StoredImage:
    digest, tags, pushed_at, size, pulled_at, is_index, subject = row
    return StoredImage(
        Digest(digest),
        tuple(map(Tag, tags)),
        datetime.fromisoformat(pushed_at),
        size,
        datetime.fromisoformat(pulled_at) if pulled_at else None,
        is_index=is_index,
        subject=Digest(subject) if subject else None,
    )


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
