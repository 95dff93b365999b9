"""Registries with a past, in the local registry."""

from datetime import timedelta
from typing import Any

import pytest

from local.registry import seeding
from local.registry.errors import EcrError
from tests.unit.local.a_registry import Small

IMAGES: list[dict[str, Any]] = [
    {"name": "amd64", "pushed": 40, "size": 7_000},
    {"name": "arm64", "pushed": 40, "size": 9_000},
    {"name": "multi", "tags": ["v1.4.2"], "children": ["amd64", "arm64"], "pushed": 40, "pulled": 3},
    {"name": "nested", "tags": ["all"], "children": ["multi"]},
    {"name": "signature", "subject": "multi", "artifact": "application/vnd.example.signature"},
    {"name": "old", "tags": ["v1", "one"], "pushed": 60.5, "archived": 10, "labels": {"team": "a"}},
    {"name": "back", "pushed": 60, "archived": 30, "activated": 20},
]


def _seed(small: Small, images: list[dict[str, Any]], **more: Any) -> dict[str, str]:
    answer = seeding.seed(small.ecr.registry, {"repositories": [{"name": "seeded/app", "images": images, **more}]})
    digests: dict[str, str] = answer["repositories"]["seeded/app"]
    return digests


def _described(small: Small) -> dict[str, Any]:
    answer = small.call("DescribeImages", repositoryName="seeded/app", filter={"imageStatus": "ANY"})
    return {each["imageDigest"]: each for each in answer["imageDetails"]}


def test_images_have_the_past_that_is_asked_for(small: Small) -> None:
    digests = _seed(small, IMAGES)

    found = _described(small)
    assert set(found) == set(digests.values())
    multi, old, back = (found[digests[name]] for name in ("multi", "old", "back"))
    assert multi["imagePushedAt"] == small.now - timedelta(days=40)
    assert multi["lastRecordedPullTime"] == small.now - timedelta(days=3)
    assert (multi["imageTags"], multi["imageSizeInBytes"]) == (["v1.4.2"], 9_000)
    assert (old["imageStatus"], old["lastArchivedAt"]) == ("ARCHIVED", small.now - timedelta(days=10))
    assert (back["imageStatus"], back["lastActivatedAt"]) == ("ACTIVE", small.now - timedelta(days=20))
    assert found[digests["signature"]]["subjectManifestDigest"] == digests["multi"]
    assert small.events == []


def test_seeded_images_can_be_pulled_with_all_that_they_list(small: Small) -> None:
    digests = _seed(small, IMAGES)
    registry = small.ecr.registry

    nested = registry.repository("seeded/app").images[digests["nested"]].manifest
    multi = registry.repository("seeded/app").images[digests["multi"]].manifest
    amd64 = registry.repository("seeded/app").images[digests["amd64"]].manifest

    assert nested.children == (digests["multi"],)
    assert multi.children == (digests["amd64"], digests["arm64"])
    for layer in amd64.blobs:
        assert small.call("GetDownloadUrlForLayer", repositoryName="seeded/app", layerDigest=layer)["downloadUrl"]


def test_what_was_seeded_can_be_given_another_past(small: Small) -> None:
    before = _seed(small, [{"tags": ["v1"]}, {"tags": ["v2"]}])
    small.pass_time(days=1)

    after = _seed(small, [{"tags": ["v1"], "pushed": 100, "pulled": 50}])

    assert after == {"image-0": before["image-0"]}
    found = _described(small)
    assert len(found) == 2
    assert found[after["image-0"]]["lastRecordedPullTime"] == small.now - timedelta(days=50)


def test_a_repository_is_made_with_its_settings(small: Small) -> None:
    _seed(small, [], settings={"imageTagMutability": "IMMUTABLE"})

    (found,) = small.call("DescribeRepositories", repositoryNames=["seeded/app"])["repositories"]
    assert found["imageTagMutability"] == "IMMUTABLE"


@pytest.mark.parametrize(
    ("images", "settings"),
    [
        ([{"children": ["nobody"]}], {}),
        ([{"subject": "nobody"}], {}),
        ([{"pushed": "yesterday"}], {}),
        ([], {"imageTagMutability": "STIFF"}),
    ],
)
def test_an_order_that_is_wrong_is_refused(small: Small, images: list[dict[str, Any]], settings: Any) -> None:
    with pytest.raises((EcrError, KeyError, TypeError)):
        _seed(small, images, settings=settings)
