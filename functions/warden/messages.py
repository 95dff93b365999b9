"""What the warden sends to itself: in the shape of events, so that a function has one kind of input to parse."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from warden.events import OURS, Home
from warden.names import ImageId, RepositoryName


def request(detail_type: str, detail: Mapping[str, Any], *, id: str, at: datetime, home: Home) -> str:
    """A message of that kind."""
    return json.dumps(
        {
            "id": id,
            "source": OURS,
            "detail-type": detail_type,
            "account": home.account,
            "region": home.region,
            "time": at.isoformat(),
            "detail": dict(detail),
        },
        separators=(",", ":"),
    )


def judgement_request(image: ImageId, *, id: str, at: datetime, home: Home, window: int | None = None) -> str:
    """Ask scan_finished to look at what is known of an image; `window` is that in which its changes were gathered."""
    detail: dict[str, Any] = {"repository-name": image.repository, "image-digest": image.digest}
    if window is not None:
        detail["window"] = window
    return request("ECR Image Scan", detail, id=id, at=at, home=home)


def held_news_due(channel: str, episode: str, *, seen: int, at: datetime, home: Home) -> str:
    """Ask scan_finished to tell what was held back for a channel, unless more than `seen` are there by then."""
    detail = {"channel": channel, "episode": episode, "seen": seen}
    return request("Held News", detail, id=f"{channel} {episode} {seen}", at=at, home=home)


def push_reminder(image: ImageId, *, id: str, at: datetime, home: Home, anew: bool = False) -> str:
    """Ask image_pushed to look at an image whose push event may have been lost, or `anew` since its scan is old."""
    detail: dict[str, Any] = {
        "repository-name": image.repository,
        "image-digest": image.digest,
        "action-type": "PUSH",
        "result": "SUCCESS",
    }
    if anew:
        detail["anew"] = True
    return request("ECR Image Action", detail, id=id, at=at, home=home)


def repository_due(
    sweep: str, repository: RepositoryName, listed: Mapping[str, Any], *, at: datetime, home: Home
) -> str:
    """Ask sweep to look at one repository."""
    detail = {"sweep": sweep, "repository-name": repository, "listed": listed}
    return request("Sweep Repository", detail, id=f"{sweep} {repository}", at=at, home=home)


def summary_due(sweep: str, *, at: datetime, home: Home) -> str:
    """Ask sweep to say what it found."""
    return request("Sweep Summary", {"sweep": sweep}, id=sweep, at=at, home=home)
