"""ECR's own events, and Amazon Inspector's of its images, as EventBridge carries them.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
https://docs.aws.amazon.com/inspector/latest/user/eventbridge-integration.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.registry.store import Image, Repository, Scan

IMAGE_ACTION = "ECR Image Action"
IMAGE_SCAN = "ECR Image Scan"
INSPECTOR = "aws.inspector2"
INSPECTOR_SCAN = "Inspector2 Scan"
INSPECTOR_FINDING = "Inspector2 Finding"


@dataclass(frozen=True, slots=True)
class Event:
    """An event, without the envelope that EventBridge puts around it."""

    detail_type: str
    detail: Mapping[str, Any]
    resources: tuple[str, ...] = ()
    source: str = "aws.ecr"


def pushed(repository: Repository, image: Image, tag: str | None) -> Event:
    """A manifest arrived. Without a tag, ECR sends an empty one."""
    return _action("PUSH", repository, image, {"image-tag": tag or ""})


def deleted(repository: Repository, image: Image, tag: str | None) -> Event:
    """A tag, or with its last tag the image, was deleted."""
    return _action("DELETE", repository, image, {"image-tag": tag} if tag else {})


def moved(repository: Repository, image: Image) -> Event:
    """An image went to the archive, or came back."""
    if image.archived:
        return _action("UPDATE_STORAGE_CLASS", repository, image, {"target-storage-class": "ARCHIVE"})
    activated = image.activated_at.isoformat().replace("+00:00", "Z") if image.activated_at else ""
    more = {"target-storage-class": "STANDARD", "last-activated-at": activated}
    return _action("UPDATE_STORAGE_CLASS", repository, image, more)


def scanned(repository: Repository, image: Image, scan: Scan) -> Event:
    """A scan ended: COMPLETE with counts, of which none is zero, or FAILED without."""
    detail: dict[str, Any] = {
        "scan-status": scan.status,
        "repository-name": repository.name,
        "image-digest": image.digest,
        "image-tags": list(image.tags),
    }
    if scan.status == "COMPLETE":
        detail["finding-severity-counts"] = dict(Counter(finding["severity"] for finding in scan.findings))
    return Event(IMAGE_SCAN, detail, (repository.arn,))


def inspected(repository: Repository, image: Image, counts: Mapping[str, int]) -> Event:
    """Inspector's first scan of an image ended; here the name of the repository is its ARN."""
    detail = {
        "scan-status": "INITIAL_SCAN_COMPLETE",
        "repository-name": repository.arn,
        "finding-severity-counts": dict(counts),
        "image-digest": image.digest,
        "image-tags": list(image.tags),
        "version": "1.0",
    }
    return Event(INSPECTOR_SCAN, detail, (repository.arn,), INSPECTOR)


def finding(repository: Repository, image: Image, detail: Mapping[str, Any]) -> Event:
    """Inspector made, changed or closed a finding of an image."""
    return Event(INSPECTOR_FINDING, detail, (f"{repository.arn}/{image.digest}",), INSPECTOR)


def _action(action: str, repository: Repository, image: Image, more: Mapping[str, str]) -> Event:
    detail = {
        "result": "SUCCESS",
        "repository-name": repository.name,
        "image-digest": image.digest,
        "action-type": action,
        **more,
        "manifest-media-type": image.manifest.media_type,
    }
    if image.manifest.artifact_media_type:
        detail["artifact-media-type"] = image.manifest.artifact_media_type
    return Event(IMAGE_ACTION, detail)
