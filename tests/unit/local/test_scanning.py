"""Scans of the local registry: what is found is in the layers, and what can't be read is never called clean."""

import gzip
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.registry import filesystem
from local.registry.advisories import Advisories
from local.registry.errors import EcrError
from local.registry.scanner import Scanner
from local.registry.store import Unscannable
from tests.conformance.cloud import DEBIAN, Built, index, layer
from tests.unit.local.a_registry import CURL, Small
from tests.unit.local.images import any_image, of_layers, put, with_files

UNSUPPORTED = "UnsupportedImageError: The operating system and/or package manager are not supported."
SCRATCH = {"usr/bin/app": "a program"}


def _scan(small: Small, built: Built) -> Mapping[str, Any]:
    digest = put(small, built)
    small.call("StartImageScan", repositoryName="team/app", imageId={"imageDigest": digest})
    small.pass_time(seconds=1)
    return _found(small, digest)


def _found(small: Small, digest: str, **more: Any) -> Mapping[str, Any]:
    return small.call("DescribeImageScanFindings", repositoryName="team/app", imageId={"imageDigest": digest}, **more)


def _names(small: Small, built: Built) -> list[str]:
    answer = _scan(small, built)
    assert answer["imageScanStatus"]["status"] == "COMPLETE"
    return [each["name"] for each in answer["imageScanFindings"]["findings"]]


def _curl(version: str, **more: str) -> str:
    fields = {"Package": "libcurl4", "Status": "install ok installed", "Source": "curl", "Version": version, **more}
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def test_a_finding_says_package_version_score_and_fix(small: Small) -> None:
    (finding,) = _scan(small, with_files(DEBIAN))["imageScanFindings"]["findings"]

    assert {each["key"]: each["value"] for each in finding["attributes"]} == {
        "package_name": "curl",
        "package_version": "7.88.1-10",
        "CVSS3_SCORE": "9.8",
        "CVSS3_VECTOR": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "fixed_in_versions": "7.88.1-10+deb12u4",
    }
    assert (finding["name"], finding["severity"]) == ("CVE-2023-38545", "CRITICAL")
    assert finding["uri"].startswith("https://")


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (_curl("7.88.1-10+deb12u3"), True),
        (_curl("7.88.1-10+deb12u4"), False),
        (_curl("7.68.0-1"), False),
        (_curl("1:1.0+b1", Source="curl (7.88.1-10)"), True),
        (_curl("7.88.1-10", Status="deinstall ok config-files"), False),
        (_curl("not a version"), False),
        (_curl(" "), False),
    ],
    ids=[
        "before the fix",
        "fixed",
        "before it was introduced",
        "by its source's version",
        "removed",
        "nonsense",
        "nothing",
    ],
)
def test_versions_are_compared_as_debian_does(small: Small, status: str, found: bool) -> None:
    other = "\nPackage: bash\nStatus: install ok installed\nVersion: 5.2\n"

    assert bool(_names(small, with_files({**DEBIAN, "var/lib/dpkg/status": status + other}))) is found


def test_another_release_is_another_matter(small: Small) -> None:
    assert _names(small, with_files({**DEBIAN, "etc/os-release": "ID=debian\nVERSION_ID=13\n"})) == []


def test_distroless_images_are_read_too(small: Small) -> None:
    files = {
        "usr/lib/os-release": DEBIAN["etc/os-release"],
        "var/lib/dpkg/status.d/curl": "Package: curl\nVersion: 7.88.1-10\n",
    }

    assert _names(small, with_files(files)) == ["CVE-2023-38545"]


def test_an_upper_layer_replaces_and_removes(small: Small) -> None:
    fixed = {"var/lib/dpkg/status": _curl("7.88.1-10+deb12u4")}
    assert _names(small, with_files(DEBIAN, fixed)) == []

    app = {"app/requests-2.0.dist-info/METADATA": "Name: requests\nVersion: 2.0\n"}
    removed = {"var/lib/dpkg/.wh.status": ""}
    assert _names(small, with_files({**DEBIAN, **app}, removed)) == []

    opaque = {"app/.wh..wh..opq": ""}
    assert _scan(small, with_files(app, opaque))["imageScanStatus"]["status"] == "FAILED"


def test_python_packages_are_found_where_the_system_is_not_known() -> None:
    affects = {"pypi": "PyYAML", "versions": "<5.4", "fixed": "5.4"}
    small = Small(advisories=[{**CURL, "id": "CVE-2020-14343", "affects": [affects]}])
    small.call("CreateRepository", repositoryName="team/app")

    metadata = {
        "usr/lib/python3/PyYAML-5.3.dist-info/METADATA": "Metadata-Version: 2.1\nName: PyYAML\nVersion: 5.3\n\ntext"
    }
    assert _names(small, with_files({"etc/os-release": "ID=alpine\n", **metadata})) == ["CVE-2020-14343"]


@pytest.mark.parametrize(
    "built",
    [with_files(SCRATCH), with_files({**DEBIAN, "etc/os-release": "ID=ubuntu\nVERSION_ID=24.04\n"}), with_files({})],
    ids=["scratch", "a system that it doesn't know", "no file"],
)
def test_an_image_that_it_can_not_judge_fails(small: Small, built: Built) -> None:
    answer = _scan(small, built)

    assert answer["imageScanStatus"] == {"status": "FAILED", "description": UNSUPPORTED}
    assert small.told("ECR Image Scan")[-1]["scan-status"] == "FAILED"
    assert "finding-severity-counts" not in small.told("ECR Image Scan")[-1]


def test_a_compressed_layer_is_read(small: Small) -> None:
    assert _names(small, of_layers(gzip.compress(layer(DEBIAN)))) == ["CVE-2023-38545"]


@pytest.mark.parametrize(
    "data",
    [gzip.compress(layer(DEBIAN))[:-40], b"\x1f\x8b garbage", b"\x28\xb5\x2f\xfd garbage", layer(DEBIAN)[:700]],
    ids=["cut", "garbage", "garbage in zstd", "short"],
)
def test_a_broken_layer_fails(small: Small, data: bytes) -> None:
    assert _scan(small, of_layers(data))["imageScanStatus"]["status"] == "FAILED"


def test_a_layer_that_is_no_archive_fails_beside_one_that_is(small: Small) -> None:
    assert _scan(small, of_layers(layer(DEBIAN), b"no archive" * 99))["imageScanStatus"]["status"] == "FAILED"


def test_a_layer_that_unpacks_for_ever_fails(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystem, "MOST_BYTES", 2**20)
    bomb = gzip.compress(layer({"zeros": bytes(2**21)}))

    status = _scan(small, of_layers(bomb))["imageScanStatus"]

    assert status["status"] == "FAILED"
    assert "too large" in status["description"]


@given(st.lists(st.tuples(st.integers(0, 2047), st.integers(0, 255)), min_size=1, max_size=40))
def test_a_layer_of_anything_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(layer(DEBIAN))
    for position, value in changes:
        data[position] = value

    with suppress(Unscannable):
        Scanner(Advisories([CURL])).examine([layer({"first": ""}), bytes(data)])


def test_a_name_leads_nowhere_else(small: Small) -> None:
    hostile = {"../../etc/os-release": "ID=alpine\n", "/var/lib/../lib/dpkg/status": DEBIAN["var/lib/dpkg/status"]}

    assert _names(small, with_files({**DEBIAN, "var/lib/dpkg/status": ""}, hostile)) == ["CVE-2023-38545"]


def test_twelve_hundred_findings_are_counted_on_every_page() -> None:
    advisories = [
        {**CURL, "id": f"CVE-2026-{number}", "affects": [{"debian": f"p{number}", "release": "12", "fixed": None}]}
        for number in range(1200)
    ]
    small = Small(advisories=advisories)
    small.call("CreateRepository", repositoryName="team/app")
    status = "\n".join(f"Package: p{number}\nStatus: install ok installed\nVersion: 1\n" for number in range(1200))
    digest = put(small, with_files({**DEBIAN, "var/lib/dpkg/status": status}))
    small.call("StartImageScan", repositoryName="team/app", imageId={"imageDigest": digest})
    small.pass_time(seconds=1)

    names: list[str] = []
    token: dict[str, str] = {}
    pages = 0
    while True:
        answer = _found(small, digest, **token)
        assert answer["imageScanFindings"]["findingSeverityCounts"] == {"CRITICAL": 1200}
        names += [each["name"] for each in answer["imageScanFindings"]["findings"]]
        pages += 1
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}

    assert (pages, len(set(names))) == (12, 1200)
    assert small.told("ECR Image Scan")[-1]["finding-severity-counts"] == {"CRITICAL": 1200}


def test_a_scan_may_be_asked_for_again_after_a_day(small: Small) -> None:
    digest = put(small, with_files(DEBIAN))
    again: dict[str, Any] = {"repositoryName": "team/app", "imageId": {"imageDigest": digest}}
    small.call("StartImageScan", **again)
    small.pass_time(hours=23)

    with pytest.raises(EcrError, match="LimitExceededException"):
        small.call("StartImageScan", **again)
    small.pass_time(hours=1)
    assert small.call("StartImageScan", **again)["imageScanStatus"] == {"status": "IN_PROGRESS"}


@pytest.mark.parametrize(
    ("pattern", "scanned"),
    [("team", True), ("te*p", True), ("*", True), ("team*", True), ("prod", False), ("app*", False)],
)
def test_the_registry_scans_on_push_what_its_filters_match(small: Small, pattern: str, scanned: bool) -> None:
    rule = {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": pattern, "filterType": "WILDCARD"}]}
    small.call("PutRegistryScanningConfiguration", scanType="BASIC", rules=[rule])

    put(small, with_files(DEBIAN))
    small.pass_time(seconds=1)

    assert len(small.told("ECR Image Scan")) == int(scanned)


def test_under_enhanced_scanning_nothing_is_started_or_shown(small: Small) -> None:
    digest = put(small, with_files(DEBIAN))
    wanted: dict[str, Any] = {"repositoryName": "team/app", "imageId": {"imageDigest": digest}}
    small.call("StartImageScan", **wanted)
    small.pass_time(seconds=1)
    small.call("PutRegistryScanningConfiguration", scanType="ENHANCED")

    with pytest.raises(EcrError, match="ValidationException: This feature is disabled"):
        small.call("StartImageScan", **wanted)
    with pytest.raises(EcrError, match="ScanNotFoundException"):
        small.call("DescribeImageScanFindings", **wanted)


def test_what_was_deleted_meanwhile_is_not_told(small: Small) -> None:
    digest = put(small, with_files(DEBIAN))
    small.call("StartImageScan", repositoryName="team/app", imageId={"imageDigest": digest})
    small.call("BatchDeleteImage", repositoryName="team/app", imageIds=[{"imageDigest": digest}])

    small.pass_time(seconds=1)

    assert small.told("ECR Image Scan") == []


def test_the_children_of_an_index_are_scanned_on_push_and_the_index_is_not(small: Small) -> None:
    small.call(
        "PutImageScanningConfiguration", repositoryName="team/app", imageScanningConfiguration={"scanOnPush": True}
    )
    child = any_image("child")
    put(small, child)
    put(small, index([child]), "multi")

    small.pass_time(seconds=1)

    assert [each["image-digest"] for each in small.told("ECR Image Scan")] == [child.digest]


def test_an_artifact_is_no_image(small: Small) -> None:
    content = json.loads(any_image("chart").text) | {"artifactType": "application/spdx+json"}
    digest = put(small, Built(json.dumps(content), content["mediaType"], any_image("chart").blobs))

    with pytest.raises(EcrError, match="UnsupportedImageTypeException"):
        small.call("StartImageScan", repositoryName="team/app", imageId={"imageDigest": digest})
