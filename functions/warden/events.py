"""What reaches a function's queue, parsed strictly: a hint of what to look at, never an argument to a change.

A body that can't be understood raises Invalid and goes to the dead-letter queue; one that is well-formed but not for us
comes back as NotForUs, to be counted and dropped. The shapes are those of
https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html and
https://docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warden.errors import Invalid
from warden.names import Digest, ImageId, RepositoryName, Tag, is_digest, is_repository_name

OURS = "warden"
"""The source of the messages that the warden sends to itself."""


@dataclass(frozen=True, slots=True)
class Home:
    """The account and region that a function runs in; it acts on no other."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        """The AWS partition of the region, as it stands in ARNs."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    def role_arn(self, path_and_name: str) -> str:
        """The ARN of this account's role of that path and name; of a path alone, how the ARNs of its roles begin."""
        return f"arn:{self.partition}:iam::{self.account}:role{path_and_name}"


@dataclass(frozen=True, slots=True)
class NotForUs:
    """A well-formed message about something else."""

    reason: str


@dataclass(frozen=True, slots=True)
class ImagePushed:
    """An image was pushed, by a tag or by its digest alone; or the sweep reminds of it (`asked`)."""

    id: str
    at: datetime
    image: ImageId
    tag: Tag | None
    asked: bool = False


@dataclass(frozen=True, slots=True)
class ScanFinished:
    """A scan of one manifest ended, well or badly; or somebody asks for what an earlier scan found (`asked`).

    `window` is that in which changes of single findings were gathered, where that is why it is asked.
    """

    id: str
    at: datetime
    image: ImageId
    asked: bool = False
    window: int | None = None


@dataclass(frozen=True, slots=True)
class FindingChanged:
    """Amazon Inspector made, closed or suppressed one finding of one manifest; hundreds may come at a time."""

    id: str
    at: datetime
    image: ImageId


@dataclass(frozen=True, slots=True)
class HeldNewsDue:
    """It is time to tell what was held back for a channel since `at`; `seen` is how much there was at the last look."""

    at: datetime
    channel: str
    episode: str
    seen: int


@dataclass(frozen=True, slots=True)
class RepositoryChanged:
    """A call changed a repository's settings; `role` is the ARN of the IAM role behind it, if it was one."""

    id: str
    at: datetime
    repository: RepositoryName
    call: str
    actor: str
    role: str | None


@dataclass(frozen=True, slots=True)
class SweepDue:
    """It is time to look at every repository."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RepositoryDue:
    """One repository's turn in a sweep; `listed` is what the listing said of it, in the words of whoever wrote it."""

    sweep: str
    at: datetime
    repository: RepositoryName
    listed: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SummaryDue:
    """It is time to say what a sweep found; `at` is when it began."""

    sweep: str
    at: datetime


def image_pushed(body: str, home: Home) -> ImagePushed | NotForUs:
    """Parse an `ECR Image Action` event. Raises Invalid."""
    event = _event(body)
    if stranger := _stranger(event, home, "ECR Image Action"):
        return stranger
    detail = _mapping(event, "detail")
    if (_text(detail, "action-type"), _text(detail, "result")) != ("PUSH", "SUCCESS"):
        return NotForUs(f"{_text(detail, 'action-type')} {_text(detail, 'result')}")
    tag = detail.get("image-tag") or None  # a push by digest has no tag, or an empty one
    if tag is not None and not isinstance(tag, str):
        raise Invalid(f"detail.image-tag: expected text, got {type(tag).__name__}")
    return ImagePushed(
        _text(event, "id"), _time(event), _image(detail), Tag(tag) if tag else None, asked=event["source"] == OURS
    )


def scan_finished(body: str, home: Home) -> ScanFinished | FindingChanged | HeldNewsDue | NotForUs:
    """Parse an `ECR Image Scan` event, one of Amazon Inspector, or what the function asks of itself.

    https://docs.aws.amazon.com/inspector/latest/user/eventbridge-integration.html. Raises Invalid.
    """
    event = _event(body)
    if event.get("source") == "aws.inspector2":
        return _of_inspector(event, home)
    if event.get("source") == OURS and event.get("detail-type") == "Held News":
        detail = _mapping(event, "detail")
        seen = detail.get("seen")
        return HeldNewsDue(
            _time(event), _text(detail, "channel"), _text(detail, "episode"), seen if isinstance(seen, int) else 0
        )
    if stranger := _stranger(event, home, "ECR Image Scan"):
        return stranger
    detail = _mapping(event, "detail")
    asked, window = event["source"] == OURS, detail.get("window")
    return ScanFinished(
        _text(event, "id"),
        _time(event),
        _image(detail),
        asked=asked,
        window=window if asked and isinstance(window, int) else None,
    )


def _of_inspector(event: Mapping[str, Any], home: Home) -> ScanFinished | FindingChanged | NotForUs:
    """Inspector tells of machines, functions and other clouds' images by the same kinds of events."""
    kind = _text(event, "detail-type")
    if stranger := _elsewhere(event, home):
        return stranger
    detail = _mapping(event, "detail")
    if kind == "Inspector2 Scan":
        return _inspector_scan(event, detail, home)
    if kind == "Inspector2 Finding":
        return _inspector_finding(event, detail, home)
    return NotForUs(f"aws.inspector2 {kind}")


def _inspector_scan(event: Mapping[str, Any], detail: Mapping[str, Any], home: Home) -> ScanFinished | NotForUs:
    """`repository-name` is an ARN here, and is not there for what is no image."""
    if "repository-name" not in detail:
        return NotForUs("a scan of something else than an image")
    start, _, name = _text(detail, "repository-name").partition(":repository/")
    if name and not start.endswith(f":{home.region}:{home.account}"):
        return NotForUs("another account or region")
    named = {**detail, "repository-name": name or start}
    return ScanFinished(_text(event, "id"), _time(event), _image(named))


def _inspector_finding(event: Mapping[str, Any], detail: Mapping[str, Any], home: Home) -> FindingChanged | NotForUs:
    """The resource says which image it is about."""
    resources = detail.get("resources")
    resource = resources[0] if isinstance(resources, list) and resources else None
    if not isinstance(resource, dict) or resource.get("type") != "AWS_ECR_CONTAINER_IMAGE":
        return NotForUs("a finding in something else than an ECR image")
    image = _mapping(_mapping(resource, "details"), "awsEcrContainerImage")
    if image.get("registry", home.account) != home.account:
        return NotForUs("another account's registry")
    named = {"repository-name": image.get("repositoryName"), "image-digest": image.get("imageHash")}
    return FindingChanged(_text(event, "id"), _time(event), _image(named))


def repository_changed(body: str, home: Home) -> RepositoryChanged | NotForUs:
    """Parse an `AWS API Call via CloudTrail` event of ECR. Raises Invalid."""
    event = _event(body)
    if stranger := _stranger(event, home, "AWS API Call via CloudTrail"):
        return stranger
    detail = _mapping(event, "detail")
    call = _text(detail, "eventName")
    if detail.get("errorCode"):
        return NotForUs(f"{call} was refused by ECR: nothing changed")
    identity = _mapping(detail, "userIdentity")
    session = identity.get("sessionContext")
    issuer = session.get("sessionIssuer") if isinstance(session, dict) else None
    role = issuer.get("arn") if isinstance(issuer, dict) else None
    actor = identity.get("arn") or identity.get("invokedBy") or identity.get("type") or "unknown"
    return RepositoryChanged(
        _text(event, "id"), _time(event), _changed_repository(detail), call, str(actor), str(role) if role else None
    )


def sweep(body: str) -> SweepDue | RepositoryDue | SummaryDue | NotForUs:
    """Parse what the scheduler sends, and what a sweep sends to itself; no rule writes to its queue. Raises Invalid."""
    event = _event(body)
    if event.get("source") != OURS:
        return NotForUs(f"source {event.get('source')!r}")
    match event.get("detail-type"):
        case "Sweep":
            return SweepDue(_time(event))
        case "Sweep Repository":
            detail = _mapping(event, "detail")
            name = _repository(_text(detail, "repository-name"))
            return RepositoryDue(_text(detail, "sweep"), _time(event), name, _mapping(detail, "listed"))
        case "Sweep Summary":
            return SummaryDue(_text(_mapping(event, "detail"), "sweep"), _time(event))
    return NotForUs(f"detail-type {event.get('detail-type')!r}")


def _event(body: str) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the body is not JSON: {type(error).__name__}") from None
    if not isinstance(event, dict):
        raise Invalid(f"the body is not an event: expected a JSON object, got {type(event).__name__}")
    return event


def _stranger(event: Mapping[str, Any], home: Home, detail_type: str) -> NotForUs | None:
    """The rule's pattern already says this; a queue can be written to by others than the rule."""
    source, kind = _text(event, "source"), _text(event, "detail-type")
    if source not in {"aws.ecr", OURS} or kind != detail_type:
        return NotForUs(f"{source} {kind}")
    return _elsewhere(event, home)


def _elsewhere(event: Mapping[str, Any], home: Home) -> NotForUs | None:
    if (_text(event, "account"), _text(event, "region")) != (home.account, home.region):
        return NotForUs("another account or region")
    return None


def _mapping(event: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = event.get(field)
    if not isinstance(value, dict):
        raise Invalid(f"{field}: expected an object, got {type(value).__name__}")
    return value


def _text(event: Mapping[str, Any], field: str) -> str:
    value = event.get(field)
    if not isinstance(value, str) or not value:
        raise Invalid(f"{field}: expected text, got {type(value).__name__ if value != '' else 'nothing'}")
    return value


def _time(event: Mapping[str, Any]) -> datetime:
    text = _text(event, "time")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"time: expected ISO 8601, got {text[:40]!r}") from None
    if at.tzinfo is None:
        raise Invalid(f"time: expected a time zone, got {text[:40]!r}")
    return at


def _repository(name: str) -> RepositoryName:
    if not is_repository_name(name):
        raise Invalid(f"repository-name: {name[:80]!r} is not a name that ECR allows")
    return RepositoryName(name)


def _image(detail: Mapping[str, Any]) -> ImageId:
    digest = detail.get("image-digest")
    if not is_digest(digest):
        raise Invalid(f"image-digest: expected a digest, sha256: and 64 hexadecimal digits, got {str(digest)[:80]!r}")
    return ImageId(_repository(_text(detail, "repository-name")), Digest(str(digest)))


def _changed_repository(detail: Mapping[str, Any]) -> RepositoryName:
    """TagResource and UntagResource name the repository by its ARN, the other calls by its name."""
    parameters = _mapping(detail, "requestParameters")
    name = parameters.get("repositoryName")
    if name is None:
        name = str(parameters.get("resourceArn", "")).partition(":repository/")[2]
    return _repository(str(name))
