"""Lifecycle policies of the local registry: what is previewed is what is done."""

import json
from typing import Any

import pytest

from local.registry import lifecycle
from tests.conformance.cloud import index
from tests.unit.local.a_registry import Small
from tests.unit.local.images import any_image, put


def _policy(action: str = "expire", **selection: Any) -> str:
    target = {"targetStorageClass": "archive"} if action == "transition" else {}
    rule = {
        "rulePriority": 1,
        "description": "a rule of a test, long enough to be one",
        "selection": {"countType": "imageCountMoreThan", "countNumber": 1, **selection},
        "action": {"type": action, **target},
    }
    return json.dumps({"rules": [rule]})


def _preview(small: Small) -> list[Any]:
    small.call("StartLifecyclePolicyPreview", repositoryName="team/app")
    small.pass_time(seconds=1)
    return list(small.call("GetLifecyclePolicyPreview", repositoryName="team/app")["previewResults"])


def test_an_index_goes_with_its_children(small: Small) -> None:
    child = any_image("child")
    gone = {put(small, child), put(small, index([child]), "multi")}
    small.pass_time(days=1)
    kept = put(small, any_image("kept"), "kept")
    small.call("PutLifecyclePolicy", repositoryName="team/app", lifecyclePolicyText=_policy(tagStatus="any"))

    previewed = {each["imageDigest"] for each in _preview(small)}
    done = lifecycle.run(small.ecr.registry, "team/app", small.now)

    assert previewed == gone
    assert done["failures"] == []
    assert set(small.ecr.registry.repository("team/app").images) == {kept}


def test_what_is_archived_is_not_listed_any_more_and_told(small: Small) -> None:
    old = put(small, any_image("old"), "old")
    small.pass_time(days=100)
    unused = {"countType": "sinceImagePulled", "countUnit": "days", "countNumber": 90}
    text = _policy("transition", tagStatus="any", **unused)
    small.call("PutLifecyclePolicy", repositoryName="team/app", lifecyclePolicyText=text)

    done = lifecycle.run(small.ecr.registry, "team/app", small.now)

    assert done["archived"] == [old]
    assert small.call("ListImages", repositoryName="team/app")["imageIds"] == []
    (found,) = small.call("DescribeImages", repositoryName="team/app", filter={"imageStatus": "ARCHIVED"})[
        "imageDetails"
    ]
    assert found["imageStatus"] == "ARCHIVED"
    assert small.told("ECR Image Action")[-1]["target-storage-class"] == "ARCHIVE"


def test_a_preview_has_pages_and_counts_all(small: Small) -> None:
    for number in range(5):
        put(small, any_image(str(number)), f"v{number}")
        small.pass_time(hours=1)
    small.call("PutLifecyclePolicy", repositoryName="team/app", lifecyclePolicyText=_policy(tagStatus="any"))
    _preview(small)

    first = small.call("GetLifecyclePolicyPreview", repositoryName="team/app", maxResults=3)
    rest = small.call("GetLifecyclePolicyPreview", repositoryName="team/app", nextToken=first["nextToken"])

    assert [each["imageTags"] for each in first["previewResults"]] == [["v0"], ["v1"], ["v2"]]
    assert [each["imageTags"] for each in rest["previewResults"]] == [["v3"]]
    assert first["summary"] == {"expiringImageTotalCount": 4}


def test_a_second_preview_waits_for_the_first(small: Small) -> None:
    small.call("PutLifecyclePolicy", repositoryName="team/app", lifecyclePolicyText=_policy(tagStatus="any"))
    small.call("StartLifecyclePolicyPreview", repositoryName="team/app")

    with pytest.raises(Exception, match="LifecyclePolicyPreviewInProgressException"):
        small.call("StartLifecyclePolicyPreview", repositoryName="team/app")
