"""Enhanced scanning of the local cloud: what a real client is answered, and what comes out of a queue behind a rule."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
from mypy_boto3_ecr import ECRClient

from tests.builders import HOME
from tests.conformance.cloud import DEBIAN, Cloud, manifest, push
from warden.events import FindingChanged, ScanFinished, scan_finished
from warden.names import Digest, ImageId, RepositoryName

pytestmark = pytest.mark.local_only

PATIENCE = 20
V1: Any = {"imageTag": "v1"}
RULES: Any = [
    {
        "scanFrequency": "CONTINUOUS_SCAN",
        "repositoryFilters": [{"filter": "conformance/*", "filterType": "WILDCARD"}],
    }
]
CURL: Mapping[str, Any] = {
    "id": "CVE-2026-31337",
    "severity": "HIGH",
    "cvss": {"score": 8.1, "vector": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"},
    "description": "curl does what a server says",
    "uri": "https://security-tracker.debian.org/tracker/CVE-2026-31337",
    "affects": [{"debian": "curl", "release": "12", "fixed": None}],
}


class Told:
    """The events of Amazon Inspector, as they come out of a queue."""

    def __init__(self, cloud: Cloud, url: str) -> None:
        self._sqs, self._url = cloud.client("sqs"), url
        self._events: list[dict[str, Any]] = []

    def about(self, digest: str, count: int) -> list[dict[str, Any]]:
        """As many events about the image."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            found = [event for event in self._events if digest in json.dumps(event)]
            if len(found) >= count:
                return found
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                self._events.append(json.loads(message["Body"]))
        raise AssertionError(f"{count} events did not come: {self._events}")


@pytest.fixture
def told(cloud: Cloud) -> Iterator[Told]:
    """A queue that a rule sends every event of Inspector to."""
    sqs, bus, name = cloud.client("sqs"), cloud.client("events"), f"inspector-{uuid.uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.inspector2"], "account": [HOME.account]}))
    bus.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    yield Told(cloud, url)
    bus.remove_targets(Rule=name, Ids=["queue"])
    bus.delete_rule(Name=name)


@pytest.fixture
def scanned(cloud: Cloud, ecr: ECRClient, repository: str, told: Told) -> Iterator[str]:
    """An image that Inspector has looked at; gives its digest."""
    ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=RULES)
    digest = push(ecr, repository, manifest("debian", files=DEBIAN), "v1")
    told.about(digest, 2)
    yield digest
    control(cloud, "advisories", {**CURL, "affects": []})
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[])


def control(cloud: Cloud, what: str, order: Any, status: int = 200) -> Any:
    answer = requests.post(f"{cloud.url}/_warden/{what}", data=json.dumps(order), timeout=10)
    assert answer.status_code == status, answer.text
    return answer.json()


def findings(ecr: ECRClient, repository: str) -> list[Any]:
    pages = ecr.get_paginator("describe_image_scan_findings").paginate(repositoryName=repository, imageId=V1)
    return [finding for page in pages for finding in page["imageScanFindings"]["enhancedFindings"]]


def test_the_warden_understands_what_a_rule_lets_through(told: Told, repository: str, scanned: str) -> None:
    events = told.about(scanned, 2)

    assert {event["source"] for event in events} == {"aws.inspector2"}
    parsed = {event["detail-type"]: scan_finished(json.dumps(event), HOME) for event in events}
    scan, finding = parsed["Inspector2 Scan"], parsed["Inspector2 Finding"]
    assert isinstance(scan, ScanFinished)
    assert isinstance(finding, FindingChanged)
    assert scan.image == finding.image == ImageId(RepositoryName(repository), Digest(scanned))


def test_a_new_advisory_is_told_and_described(
    cloud: Cloud, ecr: ECRClient, repository: str, told: Told, scanned: str
) -> None:
    assert control(cloud, "advisories", CURL) == {"advisories": 1, "images": 1, "findings": 1}

    event = told.about(scanned, 3)[-1]
    assert event["detail"]["packageVulnerabilityDetails"]["vulnerabilityId"] == "CVE-2026-31337"
    assert [finding["title"][:14] for finding in findings(ecr, repository)] == ["CVE-2023-38545", "CVE-2026-31337"]


def test_how_many_run_an_image_is_described(cloud: Cloud, ecr: ECRClient, repository: str, scanned: str) -> None:
    control(cloud, "in-use", {"repository": repository, "digest": scanned, "count": 4})

    (finding,) = findings(ecr, repository)
    assert finding["resources"][0]["details"]["awsEcrContainerImage"]["inUseCount"] == 4


@pytest.mark.parametrize(
    ("what", "order"),
    [
        ("advisories", {"id": "CVE-2026-1"}),
        ("advisories", "no advisory"),
        ("in-use", {"repository": "nowhere", "digest": "sha256:0", "count": 1}),
        ("in-use", {}),
    ],
)
def test_an_order_that_can_not_be_followed_is_refused(cloud: Cloud, what: str, order: Any) -> None:
    assert "message" in control(cloud, what, order, status=400)
