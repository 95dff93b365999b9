"""Lifecycle policies of repositories: put, previewed, and run.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from local.registry import images, lifecycle_policy, paging
from local.registry.errors import EcrError
from local.registry.lifecycle_evaluation import Candidate, Decision, evaluate
from local.registry.store import Preview, Registry, Repository
from local.registry.wire import Request, Response

PREVIEW_TAKES = timedelta(seconds=0.3)
BATCH = 100


def put(registry: Registry, request: Request) -> Response:
    """PutLifecyclePolicy."""
    repository = registry.repository(request["repositoryName"])
    lifecycle_policy.read(request["lifecyclePolicyText"])
    repository.lifecycle_policy = lifecycle_policy.minified(request["lifecyclePolicyText"])
    return {**registry.identity(repository), "lifecyclePolicyText": repository.lifecycle_policy}


def get(registry: Registry, request: Request) -> Response:
    """GetLifecyclePolicy."""
    repository = registry.repository(request["repositoryName"])
    return {
        **registry.identity(repository),
        "lifecyclePolicyText": _policy(registry, repository),
        "lastEvaluatedAt": repository.lifecycle_evaluated_at,
    }


def delete(registry: Registry, request: Request) -> Response:
    """DeleteLifecyclePolicy."""
    answer = get(registry, request)
    registry.repository(request["repositoryName"]).lifecycle_policy = None
    return answer


def start_preview(registry: Registry, request: Request) -> Response:
    """StartLifecyclePolicyPreview, of the policy in the request or of the repository's."""
    repository, now = registry.repository(request["repositoryName"]), registry.clock()
    text = request.get("lifecyclePolicyText") or _policy(registry, repository)
    if repository.preview and now < repository.preview.ready_at:
        raise EcrError(
            "LifecyclePolicyPreviewInProgressException",
            f"A lifecycle policy preview is in progress for the repository with name '{repository.name}'",
        )
    results = [_result(repository, decision) for decision in _decisions(repository, text, now)]
    repository.preview = Preview(lifecycle_policy.minified(text), now + PREVIEW_TAKES, results)
    return {
        **registry.identity(repository),
        "lifecyclePolicyText": repository.preview.policy,
        "status": "IN_PROGRESS",
    }


def get_preview(registry: Registry, request: Request) -> Response:
    """GetLifecyclePolicyPreview."""
    repository = registry.repository(request["repositoryName"])
    preview = repository.preview
    if preview is None:
        raise EcrError(
            "LifecyclePolicyPreviewNotFoundException",
            f"Lifecycle policy preview does not exist for the repository with name '{repository.name}' in the "
            f"registry with id '{registry.account}'",
        )
    paging.refuse(request, "imageIds")
    answer = {**registry.identity(repository), "lifecyclePolicyText": preview.policy}
    if registry.clock() < preview.ready_at:
        return {**answer, "status": "IN_PROGRESS"}
    results, more = paging.page(request, [row for row in preview.results if _asked(request, row)])
    return {**answer, "status": "COMPLETE", "previewResults": results, "summary": _summary(preview), **more}


def run(registry: Registry, name: str, now: datetime) -> Response:
    """Do what the repository's policy says, as ECR does by itself within 24 hours.

    Returns BatchDeleteImage's response members, and the digests that went to the archive. Raises EcrError.
    """
    repository = registry.repository(name)
    decisions = _decisions(repository, _policy(registry, repository), now)
    repository.lifecycle_evaluated_at = now
    transitioned = [decision.digest for decision in decisions if decision.action == "transition"]
    for digest in transitioned:
        images.archive(registry, repository, repository.images[digest])
    expired = [{"imageDigest": decision.digest} for decision in decisions if decision.action == "expire"]
    done: Response = {"imageIds": [], "failures": [], "archived": transitioned}
    for start in range(0, len(expired), BATCH):
        batch = {"repositoryName": name, "imageIds": expired[start : start + BATCH]}
        answer = images.batch_delete(registry, batch)
        done["imageIds"] += answer["imageIds"]
        done["failures"] += answer["failures"]
    return done


def _policy(registry: Registry, repository: Repository) -> str:
    if repository.lifecycle_policy is None:
        raise EcrError(
            "LifecyclePolicyNotFoundException",
            f"Lifecycle policy does not exist for the repository with name '{repository.name}' in the registry with "
            f"id '{registry.account}'",
        )
    return repository.lifecycle_policy


def _decisions(repository: Repository, text: str, now: datetime) -> Sequence[Decision]:
    candidates = [
        Candidate(
            digest=image.digest,
            tags=tuple(image.tags),
            pushed_at=image.pushed_at,
            pulled_at=image.pulled_at,
            archived_at=image.archived_at,
            activated_at=image.activated_at,
            archived=image.archived,
            subject=image.manifest.subject,
            children=image.manifest.children,
        )
        for image in repository.images.values()
    ]
    return evaluate(lifecycle_policy.read(text), candidates, now)


def _result(repository: Repository, decision: Decision) -> Response:
    image = repository.images[decision.digest]
    target = {"targetStorageClass": "ARCHIVE"} if decision.action == "transition" else {}
    return {
        "imageTags": list(image.tags),
        "imageDigest": image.digest,
        "imagePushedAt": image.pushed_at,
        "action": {"type": decision.action.upper(), **target},
        "appliedRulePriority": decision.rule,
        "storageClass": "ARCHIVE" if image.archived else "STANDARD",
    }


def _asked(request: Request, row: Response) -> bool:
    status = request.get("filter", {}).get("tagStatus", "ANY")
    ids = request.get("imageIds")
    return status in {"ANY", "TAGGED" if row["imageTags"] else "UNTAGGED"} and (
        ids is None
        or any(
            wanted.get("imageDigest", row["imageDigest"]) == row["imageDigest"]
            and ("imageTag" not in wanted or wanted["imageTag"] in row["imageTags"])
            for wanted in ids
        )
    )


def _summary(preview: Preview) -> Response:
    counts = Counter(row["action"]["type"] for row in preview.results)
    transitions = [{"targetStorageClass": "ARCHIVE", "imageTotalCount": counts["TRANSITION"]}]
    return {
        "expiringImageTotalCount": counts["EXPIRE"],
        **({"transitioningImageTotalCounts": transitions} if counts["TRANSITION"] else {}),
    }
