"""Enhanced scanning of the local registry: an image is scanned once, and what is known of it is known ever after."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.registry.errors import EcrError
from local.registry.events import INSPECTOR_FINDING, INSPECTOR_SCAN
from tests.conformance.cloud import DEBIAN, index, manifest
from tests.unit.local.a_registry import CURL, Small
from tests.unit.local.images import any_image, of_layers, put, with_files
from tests.unit.local.inspecting import (
    BASH,
    FILES,
    REPOSITORY,
    changes,
    described,
    found,
    learn,
    names,
    scanned,
    turn_on,
)


def test_a_pushed_image_is_pending_and_then_active_with_what_was_found(inspected: Small) -> None:
    digest = put(inspected, with_files(DEBIAN), "v1")
    assert described(inspected, digest)["imageScanStatus"] == {"status": "PENDING"}
    assert "imageScanFindings" not in described(inspected, digest)

    inspected.pass_time(seconds=1)

    status = {"status": "ACTIVE", "description": "Continuous scan is selected for image."}
    assert described(inspected, digest)["imageScanStatus"] == status
    (finding,) = found(inspected, digest)["enhancedFindings"]
    assert finding["title"] == "CVE-2023-38545 - curl"
    assert (finding["status"], finding["severity"], finding["score"]) == ("ACTIVE", "CRITICAL", 9.8)
    assert (finding["fixAvailable"], finding["exploitAvailable"]) == ("YES", "NO")
    assert finding["packageVulnerabilityDetails"]["vulnerablePackages"] == [
        {
            "arch": "AMD64",
            "epoch": 0,
            "fixedInVersion": "0:7.88.1-10+deb12u4",
            "name": "curl",
            "packageManager": "OS",
            "release": "10",
            "version": "7.88.1",
        }
    ]


def test_what_was_scanned_on_push_only_is_complete_and_stays_as_it_was(small: Small) -> None:
    turn_on(small, "SCAN_ON_PUSH")
    digest = scanned(small, with_files(FILES))
    small.events.clear()

    assert learn(small, BASH) == {"advisories": 1, "images": 0, "findings": 0}

    assert described(small, digest)["imageScanStatus"]["status"] == "COMPLETE"
    assert (names(small, digest), changes(small)) == (["CVE-2023-38545"], [])


def test_continuous_scanning_wins_over_scanning_on_push(small: Small) -> None:
    rules = [
        {"scanFrequency": frequency, "repositoryFilters": [{"filter": "team", "filterType": "WILDCARD"}]}
        for frequency in ("SCAN_ON_PUSH", "CONTINUOUS_SCAN")
    ]
    small.call("PutRegistryScanningConfiguration", scanType="ENHANCED", rules=rules)

    assert described(small, scanned(small, with_files(DEBIAN)))["imageScanStatus"]["status"] == "ACTIVE"


def test_what_no_rule_matches_is_not_scanned(small: Small) -> None:
    turn_on(small, pattern="prod/*")
    digest = scanned(small, with_files(DEBIAN))

    assert small.told(INSPECTOR_SCAN) == []
    with pytest.raises(EcrError, match="ScanNotFoundException"):
        described(small, digest)


def test_an_image_that_can_not_be_read_is_unsupported_and_no_scan_is_told(inspected: Small) -> None:
    digest = scanned(inspected, of_layers(b"\x1f\x8b garbage"))

    assert described(inspected, digest)["imageScanStatus"]["status"] == "UNSUPPORTED_IMAGE"
    assert inspected.told(INSPECTOR_SCAN) == []
    assert learn(inspected, BASH)["findings"] == 0


def test_an_index_is_not_scanned_and_its_platforms_are(inspected: Small) -> None:
    child = manifest("child", files=DEBIAN)
    put(inspected, child)
    scanned(inspected, index([child]), "multi")

    assert [each["image-digest"] for each in inspected.told(INSPECTOR_SCAN)] == [child.digest]


def test_no_scan_can_be_started(inspected: Small) -> None:
    digest = scanned(inspected, with_files(DEBIAN))

    with pytest.raises(EcrError, match="ValidationException: This feature is disabled"):
        inspected.call("StartImageScan", repositoryName=REPOSITORY, imageId={"imageDigest": digest})


def test_a_new_advisory_is_found_in_images_of_old_and_told(inspected: Small) -> None:
    digest = scanned(inspected, with_files(FILES))
    assert changes(inspected) == [("CVE-2023-38545", "ACTIVE")]

    inspected.pass_time(days=30)
    assert learn(inspected, BASH) == {"advisories": 1, "images": 1, "findings": 1}

    assert changes(inspected) == [("CVE-2026-0001", "ACTIVE")]
    assert names(inspected, digest) == ["CVE-2023-38545", "CVE-2026-0001"]
    assert found(inspected, digest)["findingSeverityCounts"] == {"CRITICAL": 1, "HIGH": 1}
    first, second = found(inspected, digest)["enhancedFindings"]
    assert second["firstObservedAt"] - first["firstObservedAt"] == second["updatedAt"] - first["updatedAt"]
    assert first["lastObservedAt"] == second["lastObservedAt"] == inspected.now


def test_an_advisory_that_is_withdrawn_closes_its_finding(inspected: Small) -> None:
    digest = scanned(inspected, with_files(FILES))
    arn = found(inspected, digest)["enhancedFindings"][0]["findingArn"]
    inspected.events.clear()

    learn(inspected, {**CURL, "affects": []})

    (detail,) = inspected.told(INSPECTOR_FINDING)
    assert (detail["status"], detail["findingArn"]) == ("CLOSED", arn)
    assert names(inspected, digest) == []


def test_an_advisory_that_is_changed_is_told_as_the_same_finding(inspected: Small) -> None:
    digest = scanned(inspected, with_files(DEBIAN))
    before = found(inspected, digest)["enhancedFindings"][0]
    inspected.events.clear()
    inspected.pass_time(days=1)

    affects = [{**CURL["affects"][0], "fixed": None}]
    learn(inspected, {**CURL, "severity": "UNDEFINED", "exploit": True, "affects": affects})

    assert changes(inspected) == [("CVE-2023-38545", "ACTIVE")]
    (after,) = found(inspected, digest)["enhancedFindings"]
    same = ("findingArn", "firstObservedAt")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert (after["severity"], after["exploitAvailable"], after["fixAvailable"]) == ("UNTRIAGED", "YES", "NO")
    assert after["packageVulnerabilityDetails"]["vulnerablePackages"][0]["fixedInVersion"] == "NotAvailable"
    assert after["updatedAt"] > before["updatedAt"]


def test_nothing_new_is_nothing_told(inspected: Small) -> None:
    scanned(inspected, with_files(FILES))
    learn(inspected, BASH)
    inspected.events.clear()

    assert learn(inspected, BASH) == {"advisories": 1, "images": 0, "findings": 0}
    assert inspected.events == []


def test_an_advisory_that_is_not_whole_changes_nothing(inspected: Small) -> None:
    digest = scanned(inspected, with_files(FILES))

    with pytest.raises(KeyError):
        learn(inspected, BASH, {"id": "CVE-2026-0002"})

    assert learn(inspected)["findings"] == 0
    assert names(inspected, digest) == ["CVE-2023-38545"]


def test_turning_it_on_finds_what_was_pushed_lately(small: Small) -> None:
    old = put(small, any_image("old"))
    small.pass_time(days=10)
    late = put(small, with_files(DEBIAN))
    small.pass_time(days=10)

    turn_on(small)
    small.pass_time(seconds=1)

    assert [each["image-digest"] for each in small.told(INSPECTOR_SCAN)] == [late]
    with pytest.raises(EcrError, match="ScanNotFoundException"):
        described(small, old)


def test_findings_are_hidden_while_another_kind_of_scanning_is_on_and_brought_up_to_date_then(inspected: Small) -> None:
    digest = scanned(inspected, with_files(FILES))
    inspected.call("PutRegistryScanningConfiguration", scanType="BASIC", rules=[])
    with pytest.raises(EcrError, match="ScanNotFoundException"):
        described(inspected, digest)
    assert learn(inspected, BASH)["findings"] == 0

    turn_on(inspected)

    assert names(inspected, digest) == ["CVE-2023-38545", "CVE-2026-0001"]


def test_what_the_rules_leave_out_is_forgotten(inspected: Small) -> None:
    digest = scanned(inspected, with_files(DEBIAN))

    turn_on(inspected, pattern="prod/*")

    with pytest.raises(EcrError, match="ScanNotFoundException"):
        described(inspected, digest)


@pytest.mark.parametrize("how", ["archived", "deleted"])
def test_an_image_that_goes_meanwhile_is_not_told(inspected: Small, how: str) -> None:
    digest = put(inspected, with_files(DEBIAN))
    identity: dict[str, Any] = {"imageDigest": digest}
    if how == "archived":
        inspected.call(
            "UpdateImageStorageClass", repositoryName=REPOSITORY, imageId=identity, targetStorageClass="ARCHIVE"
        )
    else:
        inspected.call("BatchDeleteImage", repositoryName=REPOSITORY, imageIds=[identity])

    inspected.pass_time(seconds=1)

    assert inspected.told(INSPECTOR_SCAN) == []
    assert learn(inspected, BASH)["findings"] == 0


def test_a_second_tag_of_an_image_is_no_second_scan(inspected: Small) -> None:
    built = with_files(DEBIAN)
    scanned(inspected, built, "v1")
    scanned(inspected, built, "v2")

    assert len(inspected.told(INSPECTOR_SCAN)) == 1


def test_five_hundred_images_are_looked_at_again_in_a_moment_without_reading_a_layer(inspected: Small) -> None:
    digests = [scanned(inspected, manifest(f"image {number}", files=FILES)) for number in range(500)]
    inspected.ecr.registry.repository(REPOSITORY).layers.clear()
    inspected.events.clear()

    started = time.perf_counter()
    outcome = learn(inspected, BASH)

    assert time.perf_counter() - started < 2
    assert outcome == {"advisories": 1, "images": 500, "findings": 500}
    resources = [each["resources"][0] for each in inspected.told(INSPECTOR_FINDING)]
    assert {each["details"]["awsEcrContainerImage"]["imageHash"] for each in resources} == set(digests)


PACKAGES = ("curl", "bash", "tool")
VERDICTS = st.dictionaries(st.sampled_from(PACKAGES), st.booleans(), max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.lists(VERDICTS, max_size=6))
def test_the_events_alone_tell_what_is_described(steps: list[dict[str, bool]]) -> None:
    """Whatever is published and withdrawn: who adds up the events knows the findings."""
    small = Small(advisories=())
    small.call("CreateRepository", repositoryName=REPOSITORY)
    turn_on(small)
    status = "\n".join(f"Package: {name}\nStatus: install ok installed\nVersion: 1\n" for name in PACKAGES)
    digest = scanned(small, with_files({**DEBIAN, "var/lib/dpkg/status": status}))
    known: set[str] = set()
    for step in steps:
        small.events.clear()
        learn(
            small,
            *(
                {**BASH, "id": name, "affects": [{"debian": name, "release": "12", "fixed": None}] if hit else []}
                for name, hit in step.items()
            ),
        )
        for name, event in changes(small):
            known = known | {name} if event == "ACTIVE" else known - {name}
        assert known == set(names(small, digest))
