"""What CloudTrail tells of lifecycle policies: what one did, and what one would do, as a preview found.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from local.registry.events import Event
from local.registry.store import Image, Registry, Repository

SERVICE_EVENT = "AWS Service Event via CloudTrail"
MOST_IMAGES = 10
"""Of more, there are several events."""
MOST_TAGS = 100
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """One image that a rule took, as it was then; without a rule, because what it is a reference artifact of left."""

    digest: str
    shown: Mapping[str, Any]

    @classmethod
    def of(cls, image: Image, rule: int | None) -> "Row":
        """The image as it is now; deleting it takes its tags."""
        shown = {
            "digest": image.digest,
            "tagStatus": "Tagged" if image.tags else "Untagged",
            "tagList": image.tags[:MOST_TAGS],
            "pushedAt": _milliseconds(image.pushed_at),
        }
        return cls(image.digest, {"lifecycleEventImage": shown, **({} if rule is None else {"rulePriority": rule})})


@dataclass(frozen=True, slots=True)
class Refused:
    """An image that a rule took and that stays, with the code and the reason that BatchDeleteImage has for it."""

    row: Row
    code: str
    reason: str


def tell(
    registry: Registry,
    repository: Repository,
    kind: Literal["PolicyExecutionEvent", "DryRunEvent"],
    text: str,
    rows: Sequence[Row],
    refused: Sequence[Refused] = (),
) -> None:
    """Publish the events of one run of the policy, one at least."""
    failures = [{**each.row.shown, "failureCode": each.code, "failureReason": each.reason} for each in refused]
    actions = [row.shown for row in rows]
    told = {"repositoryName": repository.name, "lifecycleEventPolicy": _policy(repository, text)}
    parts: list[tuple[Rows, Rows]] = [(actions, failures)]
    if len(actions) + len(failures) > MOST_IMAGES:
        parts = [*((some, ()) for some in _parts(actions)), *(((), some) for some in _parts(failures))]
    for done, failed in parts:
        lists = {"lifecycleEventImageActions": list(done), "lifecycleEventFailureDetails": list(failed)}
        registry.publish(Event(SERVICE_EVENT, _record(registry, repository, kind, {**told, **lists})))


def _parts(rows: Rows) -> Iterator[Rows]:
    return (rows[start : start + MOST_IMAGES] for start in range(0, len(rows), MOST_IMAGES))


def _policy(repository: Repository, text: str) -> dict[str, Any]:
    return {
        "lifecycleEventRules": [_rule(rule) for rule in json.loads(text)["rules"]],
        "lastEvaluatedAt": _milliseconds(repository.lifecycle_evaluated_at),
        "policyVersion": 1,
        "policyId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{repository.arn} {text}")),
    }


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    selection = rule["selection"]
    shown = {
        "tagStatus": selection["tagStatus"].capitalize(),
        "tagPrefixList": selection.get("tagPrefixList", []),
        **{name: selection[name] for name in ("tagPatternList", "storageClass", "countUnit") if name in selection},
        "countType": re.sub(r"(?=[A-Z])", " ", selection["countType"]).capitalize(),
        "countNumber": selection["countNumber"],
    }
    return {
        "rulePriority": rule["rulePriority"],
        "description": rule.get("description", ""),
        "lifecycleEventSelection": shown,
        "action": rule["action"]["type"],
    }


def _record(registry: Registry, repository: Repository, kind: str, details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "eventVersion": "1.05",
        "userIdentity": {"accountId": registry.account, "invokedBy": "AWS Internal"},
        "eventTime": f"{registry.clock():%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "ecr.amazonaws.com",
        "eventName": kind,
        "awsRegion": registry.region,
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": None,
        "responseElements": None,
        "eventID": str(uuid.uuid4()),
        "readOnly": True,
        "resources": [{"ARN": repository.arn, "accountId": registry.account, "type": "AWS::ECR::Repository"}],
        "eventType": "AwsServiceEvent",
        "recipientAccountId": registry.account,
        "serviceEventDetails": details,
    }


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
