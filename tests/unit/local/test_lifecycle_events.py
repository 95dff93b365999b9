"""What CloudTrail tells of lifecycle policies in the local registry."""

import json
from typing import Any

import pytest

from local.registry import lifecycle
from local.registry.lifecycle_events import SERVICE_EVENT
from tests.builders import vector
from tests.conformance.cloud import index
from tests.unit.local.a_registry import Small
from tests.unit.local.images import about, any_image, put

UNTAGGED = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7}


def _put_policy(small: Small, *selections: dict[str, Any], action: str = "expire") -> None:
    target = {"targetStorageClass": "archive"} if action == "transition" else {}
    rules = [
        {"rulePriority": n, "description": "a rule", "selection": each, "action": {"type": action, **target}}
        for n, each in enumerate(selections, start=1)
    ]
    small.call("PutLifecyclePolicy", repositoryName="team/app", lifecyclePolicyText=json.dumps({"rules": rules}))
    small.events.clear()


def _run(small: Small) -> list[Any]:
    lifecycle.run(small.ecr.registry, "team/app", small.now)
    return [detail["serviceEventDetails"] for detail in small.told(SERVICE_EVENT)]


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(each) for key, each in value.items()}
    return [_shape(each) for each in value[:1]] if isinstance(value, list) else type(value).__name__


def test_a_run_is_told_as_cloudtrail_does(small: Small) -> None:
    """Two images are gone; the child of an index that stays is what ECR refuses to delete."""
    child = any_image("amd64")
    spared = put(small, child)
    parent = put(small, index([child]), "multi")
    gone = [put(small, any_image("a")), put(small, any_image("b"))]
    small.pass_time(days=8)
    _put_policy(small, UNTAGGED)

    (details,) = _run(small)

    (event,) = small.told(SERVICE_EVENT)
    recorded = vector("events/cloudtrail.PolicyExecutionEvent.json")["detail"]
    shape, expected = _shape(event), _shape(recorded)
    shape["serviceEventDetails"]["lifecycleEventPolicy"]["lifecycleEventRules"][0]["lifecycleEventSelection"].pop(
        "countUnit"
    )
    for each in (shape, expected):  # lists of tags may be empty
        for of in ("lifecycleEventImageActions", "lifecycleEventFailureDetails"):
            each["serviceEventDetails"][of][0]["lifecycleEventImage"]["tagList"] = []
    assert shape == expected
    assert [each["lifecycleEventImage"]["digest"] for each in details["lifecycleEventImageActions"]] == gone
    (failure,) = details["lifecycleEventFailureDetails"]
    assert failure["lifecycleEventImage"]["digest"] == spared
    assert failure["failureCode"] == "ImageReferencedByManifestList"
    assert failure["failureReason"] == f"Requested image referenced by manifest list: [{parent}]"
    assert spared in small.ecr.registry.repository("team/app").images


def test_a_run_with_nothing_to_do_is_not_told(small: Small) -> None:
    put(small, any_image("a"), "v1")
    _put_policy(small, UNTAGGED)

    assert _run(small) == []


@pytest.mark.parametrize(("images", "events"), [(10, [10]), (11, [10, 1]), (35, [10, 10, 10, 5])])
def test_of_many_images_there_are_several_events(small: Small, images: int, events: list[int]) -> None:
    for number in range(images):
        put(small, any_image(str(number)))
    small.pass_time(days=8)
    _put_policy(small, UNTAGGED)

    assert [len(each["lifecycleEventImageActions"]) for each in _run(small)] == events


def test_what_follows_its_subject_is_told_without_a_rule(small: Small) -> None:
    subject = any_image("subject")
    digest = put(small, subject)
    put(small, about(any_image("signature"), digest))
    small.pass_time(days=8)
    _put_policy(small, UNTAGGED)

    (details,) = _run(small)

    assert [each.get("rulePriority") for each in details["lifecycleEventImageActions"]] == [1, None]


def test_what_ecr_refuses_after_all_is_told_as_a_failure(small: Small) -> None:
    """The index goes to the archive, where it still lists its child; that can't be deleted then."""
    child = any_image("amd64")
    spared, archived = put(small, child), put(small, index([child]), "multi")
    small.pass_time(days=8)
    tagged = {"tagStatus": "tagged", "tagPatternList": ["multi"], "countType": "imageCountMoreThan", "countNumber": 1}
    put(small, any_image("newer"), "multi-2")
    aged = {**tagged, "countType": "sinceImagePushed", "countUnit": "days"}
    rules = [
        {
            "rulePriority": 1,
            "selection": aged,
            "action": {"type": "transition", "targetStorageClass": "archive"},
        },
        {"rulePriority": 2, "selection": UNTAGGED, "action": {"type": "expire"}},
    ]
    small.call("PutLifecyclePolicy", repositoryName="team/app", lifecyclePolicyText=json.dumps({"rules": rules}))
    small.events.clear()

    (details,) = _run(small)

    assert [each["lifecycleEventImage"]["digest"] for each in details["lifecycleEventImageActions"]] == [archived]
    assert [each["lifecycleEventImage"]["digest"] for each in details["lifecycleEventFailureDetails"]] == [spared]


def test_each_preview_is_told_as_a_dry_run(small: Small) -> None:
    digest = put(small, any_image("a"))
    small.pass_time(days=8)
    _put_policy(small, UNTAGGED)

    small.call("StartLifecyclePolicyPreview", repositoryName="team/app")
    assert small.told(SERVICE_EVENT) == []
    small.pass_time(seconds=1)

    (event,) = small.told(SERVICE_EVENT)
    (action,) = event["serviceEventDetails"]["lifecycleEventImageActions"]
    assert (event["eventName"], action["lifecycleEventImage"]["digest"]) == ("DryRunEvent", digest)
    assert small.told("ECR Image Action") == []


def test_a_rule_is_told_in_cloudtrails_words(small: Small) -> None:
    put(small, any_image("a"))
    small.pass_time(days=100)
    unused = {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 90}
    _put_policy(small, unused, action="transition")

    (details,) = _run(small)

    (rule,) = details["lifecycleEventPolicy"]["lifecycleEventRules"]
    selection = {"tagStatus": "Any", "tagPrefixList": [], "countType": "Since image pulled", "countNumber": 90}
    assert rule["lifecycleEventSelection"] == {**selection, "countUnit": "days"}
    assert rule["action"] == "transition"
