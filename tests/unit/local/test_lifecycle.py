"""Lifecycle policies of the local registry: what is previewed is what is done."""

import json
from typing import Any

import pytest

from local.registry import lifecycle, seeding
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


def test_a_preview_grows_old(small: Small) -> None:
    put(small, any_image("a"), "v1")
    small.call("PutLifecyclePolicy", repositoryName="team/app", lifecyclePolicyText=_policy(tagStatus="any"))
    _preview(small)

    small.pass_time(days=1)

    answer = small.call("GetLifecyclePolicyPreview", repositoryName="team/app")
    assert answer["status"] == "EXPIRED"
    assert "previewResults" not in answer
    small.call("StartLifecyclePolicyPreview", repositoryName="team/app")
    small.pass_time(seconds=1)
    assert small.call("GetLifecyclePolicyPreview", repositoryName="team/app")["status"] == "COMPLETE"


def test_a_page_of_a_preview_has_a_hundred_images_at_most(small: Small) -> None:
    images = [{"tags": [f"v{number}"], "pushed": 200 - number} for number in range(150)]
    seeding.seed(small.ecr.registry, {"repositories": [{"name": "team/app", "images": images}]})
    small.call("PutLifecyclePolicy", repositoryName="team/app", lifecyclePolicyText=_policy(tagStatus="any"))

    first = _preview(small)

    answer = small.call("GetLifecyclePolicyPreview", repositoryName="team/app")
    rest = small.call("GetLifecyclePolicyPreview", repositoryName="team/app", nextToken=answer["nextToken"])
    assert (len(first), len(rest["previewResults"])) == (100, 49)
    with pytest.raises(Exception, match="InvalidParameterException"):
        small.call("GetLifecyclePolicyPreview", repositoryName="team/app", maxResults=101)


@pytest.mark.parametrize("lists", [False, True])
def test_a_preview_lists_what_an_index_saves_only_if_it_is_told_to(small: Small, lists: bool) -> None:
    child = any_image("child")
    saved = put(small, child)
    put(small, index([child]), "multi")
    doomed = put(small, any_image("doomed"))
    small.pass_time(days=2)
    aged = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days"}
    small.call("PutLifecyclePolicy", repositoryName="team/app", lifecyclePolicyText=_policy(**aged))
    small.ecr.registry.previews_list_children = lists

    previewed = {each["imageDigest"] for each in _preview(small)}
    done = lifecycle.run(small.ecr.registry, "team/app", small.now)

    assert previewed == ({doomed, saved} if lists else {doomed})
    assert [each["imageDigest"] for each in done["imageIds"]] == [doomed]
    assert [each["failureCode"] for each in done["failures"]] == ["ImageReferencedByManifestList"]


def test_layers_that_only_archived_images_have_can_not_be_had(small: Small) -> None:
    images = [{"name": "old", "archived": 1, "labels": {"only": "here"}}, {"name": "new"}]
    answer = seeding.seed(small.ecr.registry, {"repositories": [{"name": "team/app", "images": images}]})
    digest = answer["repositories"]["team/app"]["old"]
    config, shared = small.ecr.registry.repository("team/app").images[digest].manifest.blobs

    found = small.call("BatchCheckLayerAvailability", repositoryName="team/app", layerDigests=[config, shared])

    assert [each["layerAvailability"] for each in found["layers"]] == ["ARCHIVED", "AVAILABLE"]
    assert small.call("GetDownloadUrlForLayer", repositoryName="team/app", layerDigest=shared)["downloadUrl"]
    with pytest.raises(Exception, match="LayersNotFoundException"):
        small.call("GetDownloadUrlForLayer", repositoryName="team/app", layerDigest=config)
    wanted = [{"imageDigest": digest}]
    pulled = small.call("BatchGetImage", repositoryName="team/app", imageIds=wanted)
    assert [each["failureCode"] for each in pulled["failures"]] == ["ImageNotFound"]


def test_indexes_of_indexes_go_at_once_whatever_their_digests(small: Small) -> None:
    """Pushed in the same instant, so that the digests alone decide which of the indexes comes first."""
    layers: list[dict[str, Any]] = [{"name": "0", "pushed": 9}]
    layers += [{"name": str(depth), "children": [str(depth - 1)], "pushed": 9} for depth in range(1, 9)]
    seeding.seed(small.ecr.registry, {"repositories": [{"name": "team/app", "images": layers}]})
    aged = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days"}
    small.call("PutLifecyclePolicy", repositoryName="team/app", lifecyclePolicyText=_policy(**aged))

    done = lifecycle.run(small.ecr.registry, "team/app", small.now)

    assert (len(done["imageIds"]), done["failures"]) == (9, [])
    assert small.ecr.registry.repository("team/app").images == {}
