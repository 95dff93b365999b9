"""What reaches the prune function: its turns in a sweep, written and parsed here, and what ECR tells of images gone.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html and
https://docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warden import messages
from warden.errors import Invalid
from warden.event_fields import read_event, read_image, read_mapping, read_repository, read_text, read_time
from warden.events import OURS, Home, NotForUs, elsewhere
from warden.names import Digest, ImageId, RepositoryName, is_digest


@dataclass(frozen=True, slots=True)
class PruneDue:
    """One repository's turn. `sweep` names the inventory to go by; where it is empty, the last one that was taken."""

    sweep: str
    at: datetime
    repository: RepositoryName


@dataclass(frozen=True, slots=True)
class PruneSummaryDue:
    """It is time to say what came of a sweep's pruning."""

    sweep: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ImagesGone:
    """ECR deleted or archived images; `priorities` are the lifecycle rules', where ECR says them, by digest.

    Which of the two it was, and whether it is so at all, ECR is asked.
    """

    id: str
    at: datetime
    repository: RepositoryName
    priorities: Mapping[Digest, int | None]


def repository_due(sweep: str, name: RepositoryName, *, at: datetime, home: Home) -> str:
    """Ask prune to look at one repository."""
    detail = {"sweep": sweep, "repository-name": name}
    return messages.request("Prune Repository", detail, id=f"prune {sweep} {name}", at=at, home=home)


def summary_due(sweep: str, *, at: datetime, home: Home) -> str:
    """Ask prune to say what came of a sweep's pruning."""
    return messages.request("Prune Summary", {"sweep": sweep}, id=f"prune {sweep}", at=at, home=home)


def prune(body: str, home: Home) -> PruneDue | PruneSummaryDue | ImagesGone | NotForUs:
    """Parse what reaches the queue. Raises Invalid."""
    event = read_event(body)
    if stranger := elsewhere(event, home):
        return stranger
    match (event.get("source"), event.get("detail-type")):
        case (str(source), "Prune Repository") if source == OURS:
            detail = read_mapping(event, "detail")
            sweep = read_text(detail, "sweep") if detail.get("sweep") else ""
            return PruneDue(sweep, read_time(event), read_repository(read_text(detail, "repository-name")))
        case (str(source), "Prune Summary") if source == OURS:
            detail = read_mapping(event, "detail")
            return PruneSummaryDue(read_text(detail, "sweep"), read_time(event))
        case ("aws.ecr", "ECR Image Action"):
            return _image_action(event)
        case ("aws.ecr", "AWS Service Event via CloudTrail"):
            return _policy_execution(event)
        case (source, kind):
            return NotForUs(f"{source} {kind}")


def _image_action(event: Mapping[str, Any]) -> ImagesGone | NotForUs:
    detail = read_mapping(event, "detail")
    kind, result = read_text(detail, "action-type"), read_text(detail, "result")
    archived = (kind, str(detail.get("target-storage-class")).upper()) == ("UPDATE_STORAGE_CLASS", "ARCHIVE")
    if result != "SUCCESS" or not (kind == "DELETE" or archived):
        return NotForUs(f"{kind} {result}")
    gone: ImageId = read_image(detail)
    return ImagesGone(read_text(event, "id"), read_time(event), gone.repository, {gone.digest: None})


def _policy_execution(event: Mapping[str, Any]) -> ImagesGone | NotForUs:
    """What a lifecycle policy has done: CloudTrail names the rule of each image."""
    detail = read_mapping(event, "detail")
    if detail.get("eventName") != "PolicyExecutionEvent":
        return NotForUs(f"{detail.get('eventName')}")
    done = read_mapping(detail, "serviceEventDetails")
    name = read_repository(read_text(done, "repositoryName"))
    actions = done.get("lifecycleEventImageActions")
    if not isinstance(actions, list):
        raise Invalid("serviceEventDetails.lifecycleEventImageActions: expected a list")
    return ImagesGone(read_text(event, "id"), read_time(event), name, dict(map(_action, actions)))


def _action(action: Any) -> tuple[Digest, int | None]:
    found = action.get("lifecycleEventImage") if isinstance(action, dict) else None
    digest = found.get("digest") if isinstance(found, dict) else None
    if not is_digest(digest):
        raise Invalid(f"lifecycleEventImage.digest: expected a digest, got {str(digest)[:80]!r}")
    priority = action.get("rulePriority")
    return Digest(str(digest)), priority if isinstance(priority, int) else None
