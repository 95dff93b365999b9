"""What the local cloud itself can be asked for."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from mypy_boto3_ecr import ECRClient

from tests.conformance.cloud import Cloud, manifest, push, upload

pytestmark = pytest.mark.local_only

LIST_CLUSTERS = "AmazonEC2ContainerServiceV20141113.ListClusters"
IMAGES = 3_000


def _ask(cloud: Cloud, what: str, order: Any) -> Any:
    answer = requests.post(f"{cloud.url}/_warden/{what}", json=order, timeout=60)
    answer.raise_for_status()
    return answer.json()


def test_thousands_of_images_with_a_past_are_there_at_once(
    cloud: Cloud, ecr: ECRClient, create: Callable[..., str]
) -> None:
    repository, started = create(), datetime.now(UTC)
    images = [{"tags": [f"v{number}"], "pushed": number, "size": 1_000_000} for number in range(IMAGES)]

    answer = _ask(cloud, "seed", {"repositories": [{"name": repository, "images": images}]})

    assert datetime.now(UTC) - started < timedelta(seconds=10)
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=repository)
    found = {each["imageTags"][0]: each for page in pages for each in page["imageDetails"]}
    assert len(found) == len(answer["repositories"][repository]) == IMAGES
    assert abs(found["v365"]["imagePushedAt"] - (started - timedelta(days=365))) < timedelta(minutes=1)
    assert found["v1"]["imageSizeInBytes"] == 1_000_000


def test_the_registrys_clock_can_be_set(cloud: Cloud, ecr: ECRClient, repository: str) -> None:
    before = datetime.now(UTC)
    _ask(cloud, "clock", {"ahead_days": -200})
    digest = push(ecr, repository, manifest("long ago"), "v1")
    now = datetime.fromisoformat(_ask(cloud, "clock", {"ahead_days": 0})["now"])

    (found,) = ecr.describe_images(repositoryName=repository)["imageDetails"]

    assert found["imageDigest"] == digest
    assert timedelta(days=200, minutes=1) > now - found["imagePushedAt"] >= timedelta(days=200)
    assert now >= before


def test_calls_fail_as_often_as_they_are_told_to(cloud: Cloud) -> None:
    ecs = cloud.client("ecs")
    _ask(cloud, "failures", {"operation": LIST_CLUSTERS, "code": "AccessDeniedException", "count": 2})

    for _ in range(2):
        with pytest.raises(ClientError, match="AccessDeniedException"):
            ecs.list_clusters()

    assert "clusterArns" in ecs.list_clusters()


def test_failures_can_be_called_off(cloud: Cloud) -> None:
    _ask(cloud, "failures", {"operation": LIST_CLUSTERS, "code": "ServerException", "count": 100})
    _ask(cloud, "failures", {"operation": LIST_CLUSTERS, "code": "ServerException", "count": 0})

    assert "clusterArns" in cloud.client("ecs").list_clusters()


def test_a_preview_can_be_made_to_list_what_an_index_saves(
    cloud: Cloud, ecr: ECRClient, create: Callable[..., str]
) -> None:
    repository = create()
    images = [
        {"name": "child", "pushed": 9},
        {"name": "multi", "tags": ["v1"], "children": ["child"], "pushed": 9},
    ]
    digests = _ask(cloud, "seed", {"repositories": [{"name": repository, "images": images}]})["repositories"]
    selection = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    text = json.dumps({"rules": [rule]})
    waiter = ecr.get_waiter("lifecycle_policy_preview_complete")
    listed = []

    for on in (True, False):
        _ask(cloud, "preview-lists-children", {"on": on})
        ecr.start_lifecycle_policy_preview(repositoryName=repository, lifecyclePolicyText=text)
        waiter.wait(repositoryName=repository, WaiterConfig={"Delay": 1})
        results = ecr.get_lifecycle_policy_preview(repositoryName=repository)["previewResults"]
        listed.append([each["imageDigest"] for each in results])

    assert listed == [[digests[repository]["child"]], []]


@pytest.mark.parametrize(
    ("what", "status"),
    [("seed", 400), ("clock", 400), ("events/keep", 404), ("nothing", 404), ("failures", 400), ("blobs", 400)],
)
def test_an_order_that_makes_no_sense_is_refused(cloud: Cloud, what: str, status: int) -> None:
    answer = requests.post(f"{cloud.url}/_warden/{what}", json={"strange": 1}, timeout=10)

    assert (answer.status_code, list(answer.json())) == (status, ["message"])


@pytest.mark.parametrize(
    ("how", "status", "size"),
    [("truncated", 200, 50), ("corrupted", 200, 100), ("substituted", 200, 100), ("expired", 403, -1)],
)
def test_downloads_of_a_layer_go_wrong_as_often_as_they_are_told_to(
    cloud: Cloud, ecr: ECRClient, repository: str, how: str, status: int, size: int
) -> None:
    content = bytes(range(100))
    digest = upload(ecr, repository, content)
    _ask(cloud, "blobs", {"digest": digest, "how": how, "count": 2})
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=digest)["downloadUrl"]

    spoilt = [requests.get(url, timeout=10) for _ in range(2)]
    whole = requests.get(url, timeout=10)

    assert [answer.status_code for answer in spoilt] == [status, status]
    assert all(answer.content != content and size in {len(answer.content), -1} for answer in spoilt)
    assert (whole.status_code, whole.content) == (200, content)


def test_a_part_of_a_layer_goes_wrong_as_its_whole_does(cloud: Cloud, ecr: ECRClient, repository: str) -> None:
    digest = upload(ecr, repository, bytes(100))
    _ask(cloud, "blobs", {"digest": digest, "how": "truncated", "count": 1})
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=digest)["downloadUrl"]

    answer = requests.get(url, headers={"Range": "bytes=10-99"}, timeout=10)

    assert (answer.status_code, answer.headers["Content-Range"]) == (206, "bytes 10-49/50")
