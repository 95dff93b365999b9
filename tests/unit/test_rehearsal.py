"""What an event would post can be seen without posting it."""

import json
from typing import Any

import pytest

from tests.builders import a_policy, vector
from warden import rehearsal
from warden.errors import Invalid
from warden.policy import ChannelType

POLICY = a_policy()


def payloads(event: str, findings: str | None = None) -> list[dict[str, Any]]:
    answer = vector(f"findings/{findings}") if findings else None
    return rehearsal.payloads(vector(f"events/{event}"), answer, POLICY, "slack")


def test_a_scan_with_its_findings_posts_one_message() -> None:
    (payload,) = payloads("ecr-image-scan.basic.complete.all-severities.json", "basic.complete.mixed.json")
    assert "2 critical, 2 high in team/app:" in payload["text"]
    assert payload["blocks"]


def test_the_documentations_own_event_is_read_though_its_digest_is_cut_short() -> None:
    (payload,) = payloads("ecr-image-scan.basic.complete.counts.json", "basic.complete.mixed.json")
    assert "my-repository-name" in payload["text"]


@pytest.mark.parametrize(
    ("event", "findings"),
    [
        ("ecr-image-scan.basic.complete.no-findings.json", "basic.complete.none.json"),
        ("ecr-image-scan.basic.complete.no-findings.json", "basic.in-progress.json"),
        ("ecr-image-action.push.tagged.json", None),
        ("cloudtrail.CreateRepository.json", None),
        ("inspector2-scan.ecr.initial-complete.inspector-docs.json", "enhanced.active.none.json"),
        ("NOT-OURS.inspector2-finding.azure-container-image.json", None),
        ("NOT-OURS.inspector2-scan.machine-image.json", None),
    ],
)
def test_what_is_silent_posts_nothing(event: str, findings: str | None) -> None:
    assert payloads(event, findings) == []


@pytest.mark.parametrize("findings", [None, "basic.failed.unsupported-os.json"])
def test_a_failed_scan_posts_that_nothing_is_known(findings: str | None) -> None:
    (payload,) = payloads("ecr-image-scan.basic.failed.json", findings)
    assert "could not be scanned" in payload["text"]


def test_a_complete_scan_without_its_findings_says_how_to_get_them() -> None:
    with pytest.raises(Invalid, match="aws ecr describe-image-scan-findings --repository-name team/app"):
        payloads("ecr-image-scan.basic.complete.all-severities.json")


def test_what_is_no_answer_of_ecr_is_refused() -> None:
    event = vector("events/ecr-image-scan.basic.complete.all-severities.json")
    answers: list[dict[str, Any]] = [{}, {"imageScanStatus": {"status": "COMPLETE"}}, {"imageScanStatus": []}]
    for answer in answers:
        with pytest.raises(Invalid, match="not an answer of DescribeImageScanFindings"):
            rehearsal.payloads(event, answer, POLICY, "slack")


@pytest.mark.parametrize("channel", list(ChannelType))
def test_the_payload_is_that_of_the_product(channel: ChannelType) -> None:
    event = vector("events/inspector2-finding.ecr.active.critical-exploit-in-use.json")
    (payload,) = rehearsal.payloads(event, None, POLICY, channel)
    assert "CVE-2021-44228" in json.dumps(payload)


@pytest.mark.parametrize("state", ["closed", "suppressed"])
def test_an_event_of_a_finding_that_is_over_posts_nothing(state: str) -> None:
    event = vector(f"events/inspector2-finding.ecr.{state}.json")
    assert rehearsal.payloads(event, None, POLICY, "slack") == []


def test_an_event_of_a_finding_without_a_name_is_refused() -> None:
    event = vector("events/inspector2-finding.ecr.active.critical-exploit-in-use.json")
    del event["detail"]["title"], event["detail"]["packageVulnerabilityDetails"]
    with pytest.raises(Invalid, match="not one of a finding"):
        rehearsal.payloads(event, None, POLICY, "slack")
