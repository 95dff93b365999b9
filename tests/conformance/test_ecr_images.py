"""ECR's documented behaviour, for images; see `test_ecr_repositories.py`."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from mypy_boto3_ecr import ECRClient

from tests.conformance.cloud import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Built,
    index,
    manifest,
    push,
    put,
    refused,
    sha256,
)


def _filters(*patterns: str) -> Any:
    return [{"filterType": "WILDCARD", "filter": each} for each in patterns]


def _digest_of(ecr: ECRClient, repository: str, tag: str) -> str:
    (found,) = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
    return found["imageDigest"]


def _artifact(subject: str) -> Built:
    content = b"the bill of materials"
    text = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": "application/spdx+json",
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": sha256(b"{}"), "size": 2},
            "layers": [{"mediaType": "application/spdx+json", "digest": sha256(content), "size": len(content)}],
            "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1},
        }
    )
    return Built(text, OCI_MANIFEST, (b"{}", content))


def test_an_image_has_the_digest_of_its_manifest(ecr: ECRClient, repository: str) -> None:
    built = manifest("one")

    assert push(ecr, repository, built, "v1") == built.digest


def test_an_image_needs_its_layers(ecr: ECRClient, repository: str) -> None:
    with refused("LayersNotFoundException"):
        put(ecr, repository, manifest("never uploaded"), "v1")


def test_the_same_image_under_the_same_tag_is_there_already(ecr: ECRClient, repository: str) -> None:
    push(ecr, repository, manifest("one"), "v1")

    with refused("ImageAlreadyExistsException"):
        put(ecr, repository, manifest("one"), "v1")


def test_a_manifest_has_the_promised_digest(ecr: ECRClient, repository: str) -> None:
    push(ecr, repository, manifest("one"), "v1")

    with refused("ImageDigestDoesNotMatchException"):
        put(ecr, repository, manifest("one"), "v2", imageDigest="sha256:" + "3" * 64)


def test_an_image_may_have_two_tags(ecr: ECRClient, repository: str) -> None:
    push(ecr, repository, manifest("one"), "v1")
    put(ecr, repository, manifest("one"), "v1b")

    (found,) = ecr.describe_images(repositoryName=repository)["imageDetails"]

    assert set(found["imageTags"]) == {"v1", "v1b"}


def test_a_mutable_tag_moves_and_leaves_an_untagged_image(ecr: ECRClient, repository: str) -> None:
    old = push(ecr, repository, manifest("old"), "moving")
    new = push(ecr, repository, manifest("new"), "moving")

    assert _digest_of(ecr, repository, "moving") == new
    untagged = ecr.list_images(repositoryName=repository, filter={"tagStatus": "UNTAGGED"})["imageIds"]
    assert untagged == [{"imageDigest": old}]


def test_an_immutable_tag_stays(ecr: ECRClient, create: Callable[..., str]) -> None:
    repository = create(imageTagMutability="IMMUTABLE")
    old = push(ecr, repository, manifest("old"), "v1")

    with refused("ImageTagAlreadyExistsException"):
        push(ecr, repository, manifest("new"), "v1")
    assert _digest_of(ecr, repository, "v1") == old


def test_an_excluded_tag_moves_where_others_are_immutable(ecr: ECRClient, create: Callable[..., str]) -> None:
    mode, excluded = "IMMUTABLE_WITH_EXCLUSION", _filters("dev-*")
    repository = create(imageTagMutability=mode, imageTagMutabilityExclusionFilters=excluded)
    push(ecr, repository, manifest("1"), "dev-1")
    push(ecr, repository, manifest("2"), "dev-1")
    push(ecr, repository, manifest("3"), "rel-1")

    with refused("ImageTagAlreadyExistsException"):
        push(ecr, repository, manifest("4"), "rel-1")


def test_an_excluded_tag_stays_where_others_are_mutable(ecr: ECRClient, create: Callable[..., str]) -> None:
    mode, excluded = "MUTABLE_WITH_EXCLUSION", _filters("prod-*")
    repository = create(imageTagMutability=mode, imageTagMutabilityExclusionFilters=excluded)
    push(ecr, repository, manifest("1"), "any")
    push(ecr, repository, manifest("2"), "any")
    push(ecr, repository, manifest("3"), "prod-1")

    with refused("ImageTagAlreadyExistsException"):
        push(ecr, repository, manifest("4"), "prod-1")


@pytest.mark.parametrize(
    ("media_type", "child_type"), [(OCI_INDEX, OCI_MANIFEST), (DOCKER_LIST, DOCKER_MANIFEST)], ids=["oci", "docker"]
)
def test_an_index_lists_its_children(ecr: ECRClient, repository: str, media_type: str, child_type: str) -> None:
    children = [manifest(seed, media_type=child_type) for seed in ("amd64", "arm64")]
    for child in children:
        push(ecr, repository, child)
    built = index(children, media_type)

    assert push(ecr, repository, built, "multi") == built.digest
    assert len(ecr.list_images(repositoryName=repository)["imageIds"]) == 3


def test_an_index_needs_its_children(ecr: ECRClient, repository: str) -> None:
    with refused("ReferencedImagesNotFoundException"):
        put(ecr, repository, index([manifest("not there")]), "multi")


def test_an_artifact_refers_to_an_image(ecr: ECRClient, repository: str) -> None:
    subject = push(ecr, repository, manifest("one"), "v1")

    digest = push(ecr, repository, _artifact(subject))

    (found,) = ecr.describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])["imageDetails"]
    assert found["subjectManifestDigest"] == subject


def test_an_image_knows_who_refers_to_it(ecr: ECRClient, repository: str) -> None:
    subject = push(ecr, repository, manifest("one"), "v1")
    digest = push(ecr, repository, _artifact(subject))

    (found,) = ecr.list_image_referrers(repositoryName=repository, subjectId={"imageDigest": subject})["referrers"]

    assert (found["digest"], found["artifactType"]) == (digest, "application/spdx+json")


def test_images_are_read_by_tag_and_by_digest(ecr: ECRClient, repository: str) -> None:
    one, two = manifest("one"), manifest("two")
    push(ecr, repository, one, "v1")
    push(ecr, repository, two)
    wanted: Any = [{"imageTag": "v1"}, {"imageDigest": two.digest}, {"imageTag": "none"}]

    answer = ecr.batch_get_image(repositoryName=repository, imageIds=wanted)

    assert {each["imageManifest"] for each in answer["images"]} == {one.text, two.text}
    assert [each["failureCode"] for each in answer["failures"]] == ["ImageNotFound"]


def test_an_index_is_read_as_an_index(ecr: ECRClient, repository: str) -> None:
    child = manifest("amd64")
    push(ecr, repository, child)
    push(ecr, repository, index([child]), "multi")

    answer = ecr.batch_get_image(
        repositoryName=repository, imageIds=[{"imageTag": "multi"}], acceptedMediaTypes=[OCI_INDEX]
    )

    assert [each["imageManifestMediaType"] for each in answer["images"]] == [OCI_INDEX]


def test_images_are_listed_by_tag_and_without(ecr: ECRClient, repository: str) -> None:
    one = push(ecr, repository, manifest("one"), "v1")
    put(ecr, repository, manifest("one"), "v1b")
    two = push(ecr, repository, manifest("two"))

    def listed(status: Any) -> list[tuple[str, str | None]]:
        ids = ecr.list_images(repositoryName=repository, filter={"tagStatus": status})["imageIds"]
        return sorted((each["imageDigest"], each.get("imageTag")) for each in ids)

    assert listed("TAGGED") == [(one, "v1"), (one, "v1b")]
    assert listed("UNTAGGED") == [(two, None)]
    assert len(listed("ANY")) == 3


def test_listed_images_come_in_pages(ecr: ECRClient, repository: str) -> None:
    made = {push(ecr, repository, manifest(str(number)), f"v{number}") for number in range(3)}

    first = ecr.list_images(repositoryName=repository, maxResults=2)
    rest = ecr.list_images(repositoryName=repository, maxResults=2, nextToken=first["nextToken"])

    assert [len(page["imageIds"]) for page in (first, rest)] == [2, 1]
    assert {each["imageDigest"] for page in (first, rest) for each in page["imageIds"]} == made


def test_an_image_is_described(ecr: ECRClient, repository: str) -> None:
    built = manifest("one")
    push(ecr, repository, built, "v1")

    (found,) = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "v1"}])["imageDetails"]

    assert found["imageManifestMediaType"] == OCI_MANIFEST
    assert found["artifactMediaType"] == OCI_CONFIG
    config, layer = built.blobs
    assert len(layer) <= found["imageSizeInBytes"] <= len(layer) + len(config) + len(built.text)
    assert found["imagePushedAt"]


def test_untagged_images_are_described_on_request(ecr: ECRClient, repository: str) -> None:
    push(ecr, repository, manifest("one"), "v1")
    two = push(ecr, repository, manifest("two"))

    found = ecr.describe_images(repositoryName=repository, filter={"tagStatus": "UNTAGGED"})["imageDetails"]

    assert [each["imageDigest"] for each in found] == [two]


def test_an_unknown_image_is_not_described(ecr: ECRClient, repository: str) -> None:
    with refused("ImageNotFoundException"):
        ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "none"}])


def test_described_images_come_in_pages(ecr: ECRClient, repository: str) -> None:
    made = {push(ecr, repository, manifest(str(number)), f"v{number}") for number in range(3)}

    first = ecr.describe_images(repositoryName=repository, maxResults=2)
    rest = ecr.describe_images(repositoryName=repository, maxResults=2, nextToken=first["nextToken"])

    assert [len(page["imageDetails"]) for page in (first, rest)] == [2, 1]
    assert {each["imageDigest"] for page in (first, rest) for each in page["imageDetails"]} == made


def test_the_child_of_an_index_is_not_deleted(ecr: ECRClient, repository: str) -> None:
    child = manifest("amd64")
    push(ecr, repository, child)
    parent = push(ecr, repository, index([child]), "multi")

    answer = ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": child.digest}])

    assert answer["imageIds"] == []
    assert [each["failureCode"] for each in answer["failures"]] == ["ImageReferencedByManifestList"]
    assert parent in answer["failures"][0]["failureReason"]


def test_deleting_a_tag_leaves_the_others(ecr: ECRClient, repository: str) -> None:
    push(ecr, repository, manifest("one"), "v1")
    put(ecr, repository, manifest("one"), "v1b")

    answer = ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "v1b"}])

    assert answer["failures"] == []
    (found,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert found["imageTags"] == ["v1"]


def test_deleting_a_digest_deletes_the_image(ecr: ECRClient, repository: str) -> None:
    digest = push(ecr, repository, manifest("one"), "v1")

    answer = ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": digest}, {"imageTag": "none"}])

    assert [each["imageDigest"] for each in answer["imageIds"]] == [digest]
    assert [each["failureCode"] for each in answer["failures"]] == ["ImageNotFound"]
    assert ecr.list_images(repositoryName=repository)["imageIds"] == []


def test_a_hundred_images_are_deleted_at_most(ecr: ECRClient, repository: str) -> None:
    many: Any = [{"imageTag": f"t{number}"} for number in range(101)]

    with refused("InvalidParameterException", "ValidationException"):
        ecr.batch_delete_image(repositoryName=repository, imageIds=many)
