"""ECR's documented behaviour, for lifecycle policies; see `test_ecr_repositories.py`."""

import json
from typing import Any

from mypy_boto3_ecr import ECRClient

from tests.conformance.cloud import index, manifest, push, refused

BRIEFLY: Any = {"Delay": 1, "MaxAttempts": 100}


def _rule(priority: int = 1, action: str = "expire", **selection: Any) -> dict[str, Any]:
    target = {"targetStorageClass": "archive"} if action == "transition" else {}
    return {
        "rulePriority": priority,
        "description": "a rule of the conformance tests",
        "selection": {"countType": "imageCountMoreThan", "countNumber": 1, **selection},
        "action": {"type": action, **target},
    }


def _policy(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": rules})


UNTAGGED = _policy(_rule(tagStatus="untagged"))


def test_a_repository_has_no_lifecycle_policy_at_first(ecr: ECRClient, repository: str) -> None:
    with refused("LifecyclePolicyNotFoundException"):
        ecr.get_lifecycle_policy(repositoryName=repository)


def test_a_lifecycle_policy_is_kept(ecr: ECRClient, repository: str) -> None:
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=UNTAGGED)

    found = ecr.get_lifecycle_policy(repositoryName=repository)
    assert json.loads(found["lifecyclePolicyText"]) == json.loads(UNTAGGED)
    assert "lastEvaluatedAt" in found


def test_priorities_are_unique(ecr: ECRClient, repository: str) -> None:
    twice = _policy(_rule(tagStatus="untagged"), _rule(tagStatus="any"))

    with refused("InvalidParameterException"):
        ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=twice)


def test_a_rule_on_tags_says_which(ecr: ECRClient, repository: str) -> None:
    with refused("InvalidParameterException"):
        ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=_policy(_rule(tagStatus="tagged")))


def test_images_may_be_archived(ecr: ECRClient, repository: str) -> None:
    unused: dict[str, Any] = {"countType": "sinceImagePulled", "countUnit": "days", "countNumber": 90}
    text = _policy(_rule(action="transition", tagStatus="any", **unused))

    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=text)

    assert json.loads(ecr.get_lifecycle_policy(repositoryName=repository)["lifecyclePolicyText"]) == json.loads(text)


def test_a_lifecycle_policy_is_deleted(ecr: ECRClient, repository: str) -> None:
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=UNTAGGED)

    deleted = ecr.delete_lifecycle_policy(repositoryName=repository)

    assert json.loads(deleted["lifecyclePolicyText"]) == json.loads(UNTAGGED)
    with refused("LifecyclePolicyNotFoundException"):
        ecr.delete_lifecycle_policy(repositoryName=repository)


def test_there_is_no_preview_at_first(ecr: ECRClient, repository: str) -> None:
    with refused("LifecyclePolicyPreviewNotFoundException"):
        ecr.get_lifecycle_policy_preview(repositoryName=repository)


def test_a_preview_takes_its_time(ecr: ECRClient, repository: str) -> None:
    answer = ecr.start_lifecycle_policy_preview(repositoryName=repository, lifecyclePolicyText=UNTAGGED)

    assert answer["status"] == "IN_PROGRESS"


def test_a_preview_ends(ecr: ECRClient, repository: str) -> None:
    ecr.start_lifecycle_policy_preview(repositoryName=repository, lifecyclePolicyText=UNTAGGED)

    ecr.get_waiter("lifecycle_policy_preview_complete").wait(repositoryName=repository, WaiterConfig=BRIEFLY)

    assert ecr.get_lifecycle_policy_preview(repositoryName=repository)["status"] == "COMPLETE"


def test_a_preview_spares_what_a_kept_index_lists(ecr: ECRClient, repository: str) -> None:
    child = manifest("amd64")
    doomed = push(ecr, repository, manifest("old"), "old")
    push(ecr, repository, child)
    push(ecr, repository, index([child]), "multi")
    keep_one = _policy(_rule(tagStatus="any"))

    ecr.start_lifecycle_policy_preview(repositoryName=repository, lifecyclePolicyText=keep_one)
    ecr.get_waiter("lifecycle_policy_preview_complete").wait(repositoryName=repository, WaiterConfig=BRIEFLY)

    answer = ecr.get_lifecycle_policy_preview(repositoryName=repository)
    (result,) = answer["previewResults"]
    assert (result["imageDigest"], result["action"]["type"]) == (doomed, "EXPIRE")
    assert result["appliedRulePriority"] == 1
    assert answer["summary"]["expiringImageTotalCount"] == 1


def test_a_preview_needs_a_policy(ecr: ECRClient, repository: str) -> None:
    with refused("LifecyclePolicyNotFoundException"):
        ecr.start_lifecycle_policy_preview(repositoryName=repository)
