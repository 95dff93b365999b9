"""Fields of events, read strictly: what is not there, or not of its kind, raises Invalid and says where."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from warden.errors import Invalid
from warden.names import Digest, ImageId, RepositoryName, is_digest, is_repository_name


def read_event(body: str) -> Mapping[str, Any]:
    """The event in a message's body. Raises Invalid."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the body is not JSON: {type(error).__name__}") from None
    if not isinstance(event, dict):
        raise Invalid(f"the body is not an event: expected a JSON object, got {type(event).__name__}")
    return event


def read_mapping(event: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """An object of the event. Raises Invalid."""
    value = event.get(field)
    if not isinstance(value, dict):
        raise Invalid(f"{field}: expected an object, got {type(value).__name__}")
    return value


def read_text(event: Mapping[str, Any], field: str) -> str:
    """A text of the event that is not empty. Raises Invalid."""
    value = event.get(field)
    if not isinstance(value, str) or not value:
        raise Invalid(f"{field}: expected text, got {type(value).__name__ if value != '' else 'nothing'}")
    return value


def read_time(event: Mapping[str, Any]) -> datetime:
    """When it happened, with its time zone. Raises Invalid."""
    text = read_text(event, "time")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"time: expected ISO 8601, got {text[:40]!r}") from None
    if at.tzinfo is None:
        raise Invalid(f"time: expected a time zone, got {text[:40]!r}")
    return at


def read_repository(name: str) -> RepositoryName:
    """A repository's name, if it is one that ECR allows. Raises Invalid."""
    if not is_repository_name(name):
        raise Invalid(f"repository-name: {name[:80]!r} is not a name that ECR allows")
    return RepositoryName(name)


def read_image(detail: Mapping[str, Any]) -> ImageId:
    """The image that a detail of ECR's names. Raises Invalid."""
    digest = detail.get("image-digest")
    if not is_digest(digest):
        raise Invalid(f"image-digest: expected a digest, sha256: and 64 hexadecimal digits, got {str(digest)[:80]!r}")
    return ImageId(read_repository(read_text(detail, "repository-name")), Digest(str(digest)))
