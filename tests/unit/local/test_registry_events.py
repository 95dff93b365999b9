"""What the local registry tells, in ECR's own shapes."""

from typing import Any

import pytest

from local.registry.errors import EcrError
from tests.builders import vector
from tests.conformance.cloud import Built, index
from tests.unit.local.a_registry import ROLE, Small
from tests.unit.local.images import any_image, put, with_files

ACTION, CLOUDTRAIL = "ECR Image Action", "AWS API Call via CloudTrail"


def _shape(name: str) -> dict[str, str]:
    return {key: type(value).__name__ for key, value in vector(f"events/{name}.json")["detail"].items()}


def _types(detail: Any) -> dict[str, str]:
    return {key: type(value).__name__ for key, value in detail.items()}


@pytest.mark.parametrize(
    ("built", "tag", "recorded"),
    [
        (any_image("a"), "v1", "ecr-image-action.push.tagged.with-media-types"),
        (any_image("a"), None, "ecr-image-action.push.digest-only.empty-tag"),
        (index([]), "multi", "ecr-image-action.push.index-tagged"),
    ],
)
def test_a_push_is_told_as_ecr_does(small: Small, built: Built, tag: str | None, recorded: str) -> None:
    digest = put(small, built, tag)

    (detail,) = small.told(ACTION)
    assert _types(detail) == _shape(recorded)
    assert (detail["action-type"], detail["image-digest"], detail["image-tag"]) == ("PUSH", digest, tag or "")


def test_one_push_of_an_index_is_an_event_for_each_manifest(small: Small) -> None:
    children = [any_image("amd64"), any_image("arm64")]
    digests = [put(small, child) for child in children] + [put(small, index(children), "multi")]

    assert [detail["image-digest"] for detail in small.told(ACTION)] == digests


@pytest.mark.parametrize(
    ("tag", "recorded"), [(None, "ecr-image-action.delete.digest-only"), ("v1", "ecr-image-action.delete.tagged")]
)
def test_a_delete_is_told_as_ecr_does(small: Small, tag: str | None, recorded: str) -> None:
    digest = put(small, any_image("a"), tag)
    small.events.clear()

    small.call("BatchDeleteImage", repositoryName="team/app", imageIds=[{"imageDigest": digest}])

    (detail,) = small.told(ACTION)
    assert _shape(recorded).items() <= _types(detail).items()
    assert ("image-tag" in detail) == (tag is not None)


def test_a_scan_without_findings_is_told_with_no_counts(small: Small) -> None:
    files = {"etc/os-release": "ID=debian\nVERSION_ID=12\n", "var/lib/dpkg/status": "Package: a\nVersion: 1\n"}
    digest = put(small, with_files(files), "v1")
    small.call("StartImageScan", repositoryName="team/app", imageId={"imageDigest": digest})

    small.pass_time(seconds=1)

    (detail,) = small.told("ECR Image Scan")
    assert _types(detail) == _shape("ecr-image-scan.basic.complete.no-findings")
    assert (detail["image-tags"], detail["finding-severity-counts"]) == (["v1"], {})


def test_a_call_that_writes_is_told_with_who_made_it(small: Small) -> None:
    recorded = vector("events/cloudtrail.PutImageTagMutability.immutable-with-exclusion.json")["detail"]

    small.call("PutImageTagMutability", ROLE, **{**recorded["requestParameters"], "repositoryName": "team/app"})

    (detail,) = small.told(CLOUDTRAIL)
    assert _types(detail) == _types(recorded)
    assert _types(detail["userIdentity"]) == _types(recorded["userIdentity"])
    assert detail["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == ROLE.role
    assert detail["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "sweep"
    assert set(detail["responseElements"]) == set(recorded["responseElements"])
    assert detail["resources"] == [
        {"accountId": "111122223333", "ARN": "arn:aws:ecr:eu-central-1:111122223333:repository/team/app"}
    ]


def test_a_call_that_fails_is_told_with_its_error(small: Small) -> None:
    with pytest.raises(EcrError):
        small.call("DeleteLifecyclePolicy", repositoryName="team/app")

    (detail,) = small.told(CLOUDTRAIL)
    assert (detail["errorCode"], detail["responseElements"]) == ("LifecyclePolicyNotFoundException", None)


def test_a_call_that_reads_is_not_told(small: Small) -> None:
    small.call("DescribeRepositories")

    assert small.events == []


def test_a_record_that_is_too_large_is_not_told(small: Small) -> None:
    small.call("InitiateLayerUpload", repositoryName="team/app")
    text = any_image("a").text[:-1] + f', "annotations": {{"long": "{"x" * 200_000}"}}}}'
    built = Built(text, any_image("a").media_type, any_image("a").blobs)

    put(small, built)

    assert [detail["eventName"] for detail in small.told(CLOUDTRAIL)] == ["InitiateLayerUpload"]
    assert len(small.told(ACTION)) == 1


def test_times_are_written_as_cloudtrail_writes_them(small: Small) -> None:
    small.call("CreateRepository", repositoryName="team/new")

    (detail,) = small.told(CLOUDTRAIL)
    assert detail["responseElements"]["repository"]["createdAt"] == "Nov 23, 2026, 12:00:00 PM"
