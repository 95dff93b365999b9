"""What an event would have posted, from the event and recorded answers alone: nothing is asked and nothing is sent."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any

from warden import events, verdict_notice
from warden.channels import product
from warden.errors import Invalid
from warden.events import FindingChanged, HeldNewsDue, Home, NotForUs, ScanFinished
from warden.exemptions import of_repository
from warden.findings import Scan, ScanState, state_of
from warden.images import Image
from warden.names import Tag
from warden.notices import Notice
from warden.policy import ChannelType, Policy
from warden.scan_results import scan_of, scan_of_event
from warden.standards import standard_of
from warden.verdicts import judge


def payloads(
    event: Mapping[str, Any], findings: Mapping[str, Any] | None, policy: Policy, channel: str
) -> list[dict[str, Any]]:
    """The exact payloads that this EventBridge event would post to a kind of channel, none where it is silent.

    `findings` is the JSON of `aws ecr describe-image-scan-findings` for the event's image. What was known before is
    not known here: the image counts as the first of its line. Raises Invalid where the event or the findings can't be
    read.
    """
    notice = _notice(event, findings, policy)
    return [product(ChannelType(channel)).render(notice)] if notice else []


def _notice(event: Mapping[str, Any], findings: Mapping[str, Any] | None, policy: Policy) -> Notice | None:
    home = Home(str(event.get("account", "")), str(event.get("region", "")))
    if event.get("detail-type") not in {"ECR Image Scan", "Inspector2 Scan", "Inspector2 Finding"}:
        return None  # a push is silent, and what a changed repository leads to depends on how ECR finds it
    finished = events.scan_finished(json.dumps(event), home)
    if isinstance(finished, (NotForUs, HeldNewsDue)):
        return None
    scan = _scan(event, finished, findings)
    if scan.state is ScanState.WAITING:
        return None
    standard = standard_of(policy, finished.image.repository, {})
    judgement = judge(
        (scan,),
        standard.findings,
        of_repository(policy.exemptions, finished.image.repository),
        today=finished.at.astimezone(UTC).date(),
    )
    if not judgement.is_news:
        return None
    tags = _tags(event["detail"])
    image = Image(finished.image, tuple(Tag(str(tag)) for tag in tags), finished.at.astimezone(UTC))
    return verdict_notice.judged(image, (), judgement, standard, home, now=finished.at)


def _tags(detail: Mapping[str, Any]) -> Sequence[Any]:
    """The image's tags, as each kind of event says them."""
    for resource in detail.get("resources") or ():
        return resource.get("details", {}).get("awsEcrContainerImage", {}).get("imageTags") or ()
    return detail.get("image-tags") or ()


def _scan(
    event: Mapping[str, Any], finished: ScanFinished | FindingChanged, findings: Mapping[str, Any] | None
) -> Scan:
    if findings is None and isinstance(finished, FindingChanged):
        return _read(lambda: scan_of_event(event["detail"]), "the event is not one of a finding")
    if findings is None:
        status = str(event["detail"].get("scan-status", "COMPLETE"))
        state, explanation = state_of("COMPLETE" if status == "INITIAL_SCAN_COMPLETE" else status)
        if state is ScanState.SCANNED:
            raise Invalid(
                "the event says only how many findings there are: give the findings themselves, "
                f"`aws ecr describe-image-scan-findings --repository-name {finished.image.repository} "
                f"--image-id imageDigest={finished.image.digest}`"
            )
        return Scan(state, explanation)
    return _read(lambda: scan_of([findings]), "the findings are not an answer of DescribeImageScanFindings")


def _read(read: Callable[[], Scan], otherwise: str) -> Scan:
    try:
        return read()
    except (KeyError, TypeError, AttributeError) as error:
        raise Invalid(f"{otherwise}: {error!r}") from None
