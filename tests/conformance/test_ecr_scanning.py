"""ECR's documented behaviour, for basic scanning; see `test_ecr_repositories.py`."""

from collections.abc import Iterator
from typing import Any

import pytest
from mypy_boto3_ecr import ECRClient

from tests.conformance.cloud import DEBIAN, index, manifest, push, refused

BRIEFLY: Any = {"Delay": 1, "MaxAttempts": 300}
V1: Any = {"imageTag": "v1"}


@pytest.fixture
def pushed(ecr: ECRClient, repository: str) -> str:
    """A repository with a Debian image under the tag v1."""
    push(ecr, repository, manifest("debian", files=DEBIAN), "v1")
    return repository


@pytest.fixture
def scanned(ecr: ECRClient, pushed: str) -> str:
    """The same, scanned."""
    ecr.start_image_scan(repositoryName=pushed, imageId=V1)
    ecr.get_waiter("image_scan_complete").wait(repositoryName=pushed, imageId=V1, WaiterConfig=BRIEFLY)
    return pushed


@pytest.fixture
def registry_settings(ecr: ECRClient) -> Iterator[None]:
    """The registry's scanning configuration, put back at the end."""
    yield
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[])


def test_scan_on_push_is_set(ecr: ECRClient, repository: str) -> None:
    ecr.put_image_scanning_configuration(repositoryName=repository, imageScanningConfiguration={"scanOnPush": True})

    (found,) = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}


def test_there_are_no_findings_before_a_scan(ecr: ECRClient, pushed: str) -> None:
    with refused("ScanNotFoundException"):
        ecr.describe_image_scan_findings(repositoryName=pushed, imageId=V1)


def test_a_scan_takes_its_time(ecr: ECRClient, pushed: str) -> None:
    answer = ecr.start_image_scan(repositoryName=pushed, imageId=V1)

    assert answer["imageScanStatus"]["status"] in {"IN_PROGRESS", "PENDING"}


def test_a_scan_ends(ecr: ECRClient, scanned: str) -> None:
    answer = ecr.describe_image_scan_findings(repositoryName=scanned, imageId=V1)

    assert answer["imageScanStatus"]["status"] == "COMPLETE"


def test_findings_are_counted_by_severity(ecr: ECRClient, scanned: str) -> None:
    found = ecr.describe_image_scan_findings(repositoryName=scanned, imageId=V1)["imageScanFindings"]

    assert "CVE-2023-38545" in {each["name"] for each in found["findings"]}
    assert sum(found["findingSeverityCounts"].values()) == len(found["findings"])


def test_findings_come_in_pages(ecr: ECRClient, scanned: str) -> None:
    answer = ecr.describe_image_scan_findings(repositoryName=scanned, imageId=V1, maxResults=1)

    assert len(answer["imageScanFindings"]["findings"]) == 1


def test_an_image_is_scanned_once_a_day(ecr: ECRClient, scanned: str) -> None:
    with refused("LimitExceededException"):
        ecr.start_image_scan(repositoryName=scanned, imageId=V1)


def test_an_unknown_image_is_not_scanned(ecr: ECRClient, repository: str) -> None:
    with refused("ImageNotFoundException"):
        ecr.start_image_scan(repositoryName=repository, imageId=V1)


def test_an_index_is_not_scanned(ecr: ECRClient, repository: str) -> None:
    child = manifest("amd64", files=DEBIAN)
    push(ecr, repository, child)
    push(ecr, repository, index([child]), "multi")

    with refused("UnsupportedImageTypeException"):
        ecr.start_image_scan(repositoryName=repository, imageId={"imageTag": "multi"})


@pytest.mark.local_only
@pytest.mark.usefixtures("registry_settings")
def test_the_registry_is_set_to_enhanced_scanning(ecr: ECRClient) -> None:
    rules: Any = [
        {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}
    ]

    ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=rules)

    found = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    assert found == {"scanType": "ENHANCED", "rules": rules}
