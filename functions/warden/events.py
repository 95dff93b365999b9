"""What reaches a function's queue, parsed strictly: a hint of what to look at, never an argument to a change.

A body that can't be understood raises Invalid and goes to the dead-letter queue; one that is well-formed but not for us
comes back as NotForUs, to be counted and dropped. The shapes are those of
https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html and
https://docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warden.errors import Invalid
from warden.event_fields import read_event, read_image, read_mapping, read_repository, read_text, read_time
from warden.names import ImageId, RepositoryName, Tag

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
    """An image was pushed, by a tag or by its digest alone; or the sweep reminds of it (`asked`).

    `anew` says that the sweep asks since its last scan is old: then it is scanned though ECR has scanned the push.
    """

    id: str
    at: datetime
    image: ImageId
    tag: Tag | None
    asked: bool = False
    anew: bool = False


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
    event = read_event(body)
    if stranger := _stranger(event, home, "ECR Image Action"):
        return stranger
    detail = read_mapping(event, "detail")
    if (read_text(detail, "action-type"), read_text(detail, "result")) != ("PUSH", "SUCCESS"):
        return NotForUs(f"{read_text(detail, 'action-type')} {read_text(detail, 'result')}")
    tag = detail.get("image-tag") or None  # a push by digest has no tag, or an empty one
    if tag is not None and not isinstance(tag, str):
        raise Invalid(f"detail.image-tag: expected text, got {type(tag).__name__}")
    asked = event["source"] == OURS
    return ImagePushed(
        read_text(event, "id"),
        read_time(event),
        read_image(detail),
        Tag(tag) if tag else None,
        asked=asked,
        anew=asked and detail.get("anew") is True,
    )


def scan_finished(body: str, home: Home) -> ScanFinished | FindingChanged | HeldNewsDue | NotForUs:
    """Parse an `ECR Image Scan` event, one of Amazon Inspector, or what the function asks of itself.

    https://docs.aws.amazon.com/inspector/latest/user/eventbridge-integration.html. Raises Invalid.
    """
    event = read_event(body)
    if event.get("source") == "aws.inspector2":
        return _of_inspector(event, home)
    if event.get("source") == OURS and event.get("detail-type") == "Held News":
        detail = read_mapping(event, "detail")
        seen = detail.get("seen")
        return HeldNewsDue(
            read_time(event),
            read_text(detail, "channel"),
            read_text(detail, "episode"),
            seen if isinstance(seen, int) else 0,
        )
    if stranger := _stranger(event, home, "ECR Image Scan"):
        return stranger
    detail = read_mapping(event, "detail")
    asked, window = event["source"] == OURS, detail.get("window")
    return ScanFinished(
        read_text(event, "id"),
        read_time(event),
        read_image(detail),
        asked=asked,
        window=window if asked and isinstance(window, int) else None,
    )


def _of_inspector(event: Mapping[str, Any], home: Home) -> ScanFinished | FindingChanged | NotForUs:
    """Inspector tells of machines, functions and other clouds' images by the same kinds of events."""
    kind = read_text(event, "detail-type")
    if stranger := elsewhere(event, home):
        return stranger
    detail = read_mapping(event, "detail")
    if kind == "Inspector2 Scan":
        return _inspector_scan(event, detail, home)
    if kind == "Inspector2 Finding":
        return _inspector_finding(event, detail, home)
    return NotForUs(f"aws.inspector2 {kind}")


def _inspector_scan(event: Mapping[str, Any], detail: Mapping[str, Any], home: Home) -> ScanFinished | NotForUs:
    """`repository-name` is an ARN here, and is not there for what is no image."""
    if "repository-name" not in detail:
        return NotForUs("a scan of something else than an image")
    start, _, name = read_text(detail, "repository-name").partition(":repository/")
    if name and not start.endswith(f":{home.region}:{home.account}"):
        return NotForUs("another account or region")
    named = {**detail, "repository-name": name or start}
    return ScanFinished(read_text(event, "id"), read_time(event), read_image(named))


def _inspector_finding(event: Mapping[str, Any], detail: Mapping[str, Any], home: Home) -> FindingChanged | NotForUs:
    """The resource says which image it is about."""
    resources = detail.get("resources")
    resource = resources[0] if isinstance(resources, list) and resources else None
    if not isinstance(resource, dict) or resource.get("type") != "AWS_ECR_CONTAINER_IMAGE":
        return NotForUs("a finding in something else than an ECR image")
    image = read_mapping(read_mapping(resource, "details"), "awsEcrContainerImage")
    if image.get("registry", home.account) != home.account:
        return NotForUs("another account's registry")
    named = {"repository-name": image.get("repositoryName"), "image-digest": image.get("imageHash")}
    return FindingChanged(read_text(event, "id"), read_time(event), read_image(named))


def repository_changed(body: str, home: Home) -> RepositoryChanged | NotForUs:
    """Parse an `AWS API Call via CloudTrail` event of ECR. Raises Invalid."""
    event = read_event(body)
    if stranger := _stranger(event, home, "AWS API Call via CloudTrail"):
        return stranger
    detail = read_mapping(event, "detail")
    call = read_text(detail, "eventName")
    if detail.get("errorCode"):
        return NotForUs(f"{call} was refused by ECR: nothing changed")
    identity = read_mapping(detail, "userIdentity")
    session = identity.get("sessionContext")
    issuer = session.get("sessionIssuer") if isinstance(session, dict) else None
    role = issuer.get("arn") if isinstance(issuer, dict) else None
    actor = identity.get("arn") or identity.get("invokedBy") or identity.get("type") or "unknown"
    return RepositoryChanged(
        read_text(event, "id"),
        read_time(event),
        _changed_repository(detail),
        call,
        str(actor),
        str(role) if role else None,
    )


def sweep(body: str) -> SweepDue | RepositoryDue | SummaryDue | NotForUs:
    """Parse what the scheduler sends, and what a sweep sends to itself; no rule writes to its queue. Raises Invalid."""
    event = read_event(body)
    if event.get("source") != OURS:
        return NotForUs(f"source {event.get('source')!r}")
    match event.get("detail-type"):
        case "Sweep":
            return SweepDue(read_time(event))
        case "Sweep Repository":
            detail = read_mapping(event, "detail")
            name = read_repository(read_text(detail, "repository-name"))
            return RepositoryDue(read_text(detail, "sweep"), read_time(event), name, read_mapping(detail, "listed"))
        case "Sweep Summary":
            return SummaryDue(read_text(read_mapping(event, "detail"), "sweep"), read_time(event))
    return NotForUs(f"detail-type {event.get('detail-type')!r}")


def _stranger(event: Mapping[str, Any], home: Home, detail_type: str) -> NotForUs | None:
    """The rule's pattern already says this; a queue can be written to by others than the rule."""
    source, kind = read_text(event, "source"), read_text(event, "detail-type")
    if source not in {"aws.ecr", OURS} or kind != detail_type:
        return NotForUs(f"{source} {kind}")
    return elsewhere(event, home)


def elsewhere(event: Mapping[str, Any], home: Home) -> NotForUs | None:
    """Whether the event is of another account or region: we act on none but our own. Raises Invalid."""
    if (read_text(event, "account"), read_text(event, "region")) != (home.account, home.region):
        return NotForUs("another account or region")
    return None


def _changed_repository(detail: Mapping[str, Any]) -> RepositoryName:
    """TagResource and UntagResource name the repository by its ARN, the other calls by its name."""
    parameters = read_mapping(detail, "requestParameters")
    name = parameters.get("repositoryName")
    if name is None:
        name = str(parameters.get("resourceArn", "")).partition(":repository/")[2]
    return read_repository(str(name))
