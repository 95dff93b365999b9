"""Findings of enhanced scanning in the local registry have the shapes of Amazon Inspector and of ECR."""

from collections.abc import Mapping
from typing import Any

import pytest

from local.registry import enhanced
from local.registry.errors import EcrError
from local.registry.events import INSPECTOR, INSPECTOR_FINDING, INSPECTOR_SCAN
from tests.builders import vector
from tests.conformance.cloud import DEBIAN, Built, manifest, sha256
from tests.unit.local.a_registry import Small
from tests.unit.local.images import of_layers, put, with_files
from tests.unit.local.inspecting import (
    BASH,
    FILES,
    REPOSITORY,
    changes,
    client_of,
    found,
    learn,
    paths,
    scanned,
)
from warden.scan_results import scan_of


def test_a_finding_has_every_member_that_a_recorded_one_has_but_the_layer_of_a_package(inspected: Small) -> None:
    digest = scanned(inspected, with_files(DEBIAN), "v1")
    enhanced.run(inspected.ecr.registry, {"repository": REPOSITORY, "digest": digest, "count": 3})
    recorded = vector("findings/enhanced.active.mixed.json")["imageScanFindings"]["enhancedFindings"][0]

    (finding,) = client_of(inspected).describe_image_scan_findings(
        repositoryName=REPOSITORY, imageId={"imageDigest": digest}
    )["imageScanFindings"]["enhancedFindings"]

    layer = ".packageVulnerabilityDetails.vulnerablePackages[].sourceLayerHash"
    assert paths(recorded) - paths(finding) == {layer}
    assert paths(finding) - paths(recorded) == {".packageVulnerabilityDetails.vulnerablePackages[].release"}


def test_the_warden_reads_what_a_real_client_is_answered(inspected: Small) -> None:
    learn(inspected, BASH)
    digest = scanned(inspected, with_files(FILES), "v1")
    enhanced.run(inspected.ecr.registry, {"repository": REPOSITORY, "digest": digest, "count": 3})
    pages = (
        client_of(inspected)
        .get_paginator("describe_image_scan_findings")
        .paginate(repositoryName=REPOSITORY, imageId={"imageDigest": digest}, PaginationConfig={"PageSize": 1})
    )

    scan = scan_of(pages)

    assert scan.enhanced
    assert scan.in_use == 3
    assert [(each.name, each.package, each.version, each.fixed_in) for each in scan.findings] == [
        ("CVE-2023-38545", "curl", "7.88.1-10", "7.88.1-10+deb12u4"),
        ("CVE-2026-0001", "bash", "5.2.15-2", "5.2.15-2+deb12u1"),
    ]


@pytest.mark.parametrize(
    "recorded", ["inspector2-finding.ecr.active.critical-exploit-in-use", "inspector2-finding.ecr.closed"]
)
def test_a_finding_is_told_as_inspector_does(inspected: Small, recorded: str) -> None:
    digest = put(inspected, with_files(DEBIAN), "v1")
    enhanced.run(inspected.ecr.registry, {"repository": REPOSITORY, "digest": digest, "count": 3})
    inspected.pass_time(seconds=1)
    theirs = vector(f"events/{recorded}.json")

    (event,) = [event for event in inspected.events if event.detail_type == INSPECTOR_FINDING]

    assert event.source == theirs["source"]
    assert event.resources == (f"arn:aws:ecr:eu-central-1:111122223333:repository/team/app/{digest}",)
    copy = ".resources[].details.image"
    missing = {path for path in paths(theirs["detail"]) - paths(event.detail) if not path.startswith(copy)}
    assert missing <= {
        ".epss",
        ".epss.score",
        ".exploitabilityDetails",
        ".exploitabilityDetails.lastKnownExploitAt",
        ".packageVulnerabilityDetails.vulnerablePackages[].filePath",
        ".packageVulnerabilityDetails.vulnerablePackages[].remediation",
        ".packageVulnerabilityDetails.vulnerablePackages[].sourceLayerHash",
    }
    assert event.detail["firstObservedAt"] == "Mon Nov 23 12:00:01.000 UTC 2026"


def test_the_end_of_the_first_scan_is_told_with_every_count_and_by_the_arn(inspected: Small) -> None:
    digest = scanned(inspected, with_files(DEBIAN), "v1")
    recorded = vector("events/inspector2-scan.ecr.initial-complete.inspector-docs.json")

    (event,) = [event for event in inspected.events if event.detail_type == INSPECTOR_SCAN]

    assert event.source == INSPECTOR
    assert event.resources == ("arn:aws:ecr:eu-central-1:111122223333:repository/team/app",)
    assert paths(event.detail) == paths(recorded["detail"])
    assert event.detail["repository-name"] == event.resources[0]
    assert (event.detail["image-digest"], event.detail["image-tags"]) == (digest, ["v1"])
    assert event.detail["finding-severity-counts"] == {"CRITICAL": 1, "HIGH": 0, "MEDIUM": 0, "TOTAL": 1}


def test_an_image_without_findings_is_told_of_with_zeros(inspected: Small) -> None:
    digest = scanned(inspected, of_layers(b"no archive" * 99))

    (detail,) = inspected.told(INSPECTOR_SCAN)
    assert set(detail["finding-severity-counts"].values()) == {0}
    assert found(inspected, digest)["enhancedFindings"] == []
    assert found(inspected, digest)["findingSeverityCounts"] == {}


def test_one_vulnerability_of_many_packages_is_one_finding(inspected: Small) -> None:
    both = [{"debian": "curl", "release": "12", "fixed": None}, {"debian": "bash", "release": "12", "fixed": "9"}]
    learn(inspected, {**BASH, "affects": both})

    digest = scanned(inspected, with_files(FILES))

    finding = found(inspected, digest)["enhancedFindings"][1]
    assert finding["title"] == "CVE-2026-0001 - bash, curl"
    assert finding["fixAvailable"] == "PARTIAL"
    assert [each["name"] for each in finding["packageVulnerabilityDetails"]["vulnerablePackages"]] == ["bash", "curl"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1:9.2p1-2", {"epoch": 1, "version": "9.2p1", "release": "2"}),
        ("1.2.11.dfsg-2", {"epoch": 0, "version": "1.2.11.dfsg", "release": "2"}),
        ("2.0", {"epoch": 0, "version": "2.0"}),
    ],
)
def test_a_version_is_told_in_its_parts(inspected: Small, version: str, expected: Mapping[str, Any]) -> None:
    learn(inspected, {**BASH, "affects": [{"debian": "tool", "release": "12", "fixed": "1:99"}]})
    status = f"Package: tool\nStatus: install ok installed\nVersion: {version}\n"

    digest = scanned(inspected, with_files({**DEBIAN, "var/lib/dpkg/status": status}))

    (finding,) = found(inspected, digest)["enhancedFindings"]
    (package,) = finding["packageVulnerabilityDetails"]["vulnerablePackages"]
    parts = {name: package[name] for name in ("epoch", "version", "release") if name in package}
    assert (parts, package["fixedInVersion"]) == (expected, "1:99")


def test_a_python_package_is_told_by_its_own_manager(inspected: Small) -> None:
    learn(inspected, {**BASH, "affects": [{"pypi": "PyYAML", "versions": "<5.4", "fixed": "5.4"}]})
    files = {"app/PyYAML-5.3.dist-info/METADATA": "Name: PyYAML\nVersion: 5.3\n"}

    digest = scanned(inspected, with_files(files))

    (finding,) = found(inspected, digest)["enhancedFindings"]
    (package,) = finding["packageVulnerabilityDetails"]["vulnerablePackages"]
    assert (package["packageManager"], package["name"], package["version"]) == ("PYTHONPKG", "pyyaml", "5.3")
    assert package["fixedInVersion"] == "5.4"
    assert "platform" not in finding["resources"][0]["details"]["awsEcrContainerImage"]


def test_how_many_run_an_image_is_told_once_it_is_known(inspected: Small) -> None:
    digest = scanned(inspected, with_files(DEBIAN), "v1")

    def image() -> Mapping[str, Any]:
        (finding,) = found(inspected, digest)["enhancedFindings"]
        return dict(finding["resources"][0]["details"]["awsEcrContainerImage"])

    assert "inUseCount" not in image()
    enhanced.run(inspected.ecr.registry, {"repository": REPOSITORY, "digest": digest, "count": 7})
    assert (image()["inUseCount"], image()["lastInUseAt"]) == (7, inspected.now)
    assert image()["platform"] == "DEBIAN_12"
    with pytest.raises(EcrError, match="ImageNotFoundException"):
        enhanced.run(inspected.ecr.registry, {"repository": REPOSITORY, "digest": "sha256:0", "count": 7})


def test_the_architecture_is_that_of_the_configuration(inspected: Small) -> None:
    built = manifest("arm", files=DEBIAN)
    config = built.blobs[0].replace(b"amd64", b"arm64")
    renamed = Built(
        built.text.replace(sha256(built.blobs[0]), sha256(config)), built.media_type, (config, *built.blobs[1:])
    )

    digest = scanned(inspected, renamed)

    (finding,) = found(inspected, digest)["enhancedFindings"]
    assert finding["resources"][0]["details"]["awsEcrContainerImage"]["architecture"] == "arm64"
    assert finding["packageVulnerabilityDetails"]["vulnerablePackages"][0]["arch"] == "ARM64"


def test_three_hundred_findings_are_paged_and_told_one_by_one(inspected: Small) -> None:
    digest = scanned(inspected, with_files(FILES))
    inspected.events.clear()

    learn(inspected, *({**BASH, "id": f"CVE-2026-{1000 + number}"} for number in range(300)))

    assert len(set(changes(inspected))) == 300
    pages = list(
        client_of(inspected)
        .get_paginator("describe_image_scan_findings")
        .paginate(repositoryName=REPOSITORY, imageId={"imageDigest": digest})
    )
    assert [len(page["imageScanFindings"]["enhancedFindings"]) for page in pages] == [100, 100, 100, 1]
    assert len(scan_of(pages).findings) == 301
