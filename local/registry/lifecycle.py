"""Lifecycle policies of repositories: put, previewed, and run.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from local.registry import images, lifecycle_events, lifecycle_policy, paging
from local.registry.errors import EcrError
from local.registry.lifecycle_evaluation import Candidate, Decision, Outcome, outcome
from local.registry.lifecycle_events import Refused, Row
from local.registry.store import Preview, Registry, Repository
from local.registry.wire import Request, Response

PREVIEW_TAKES = timedelta(seconds=0.3)
PREVIEW_LIVES = timedelta(hours=24)
"""How long its results can be had; AWS has the status EXPIRED, and doesn't say when."""
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
    found = _outcome(repository, text, now)
    listed = found.leaving + (found.spared if registry.previews_list_children else [])
    results = [_result(repository, decision) for decision in listed]
    policy = lifecycle_policy.minified(text)
    repository.preview = Preview(policy, now + PREVIEW_TAKES, now + PREVIEW_LIVES, results)
    rows = [_row(repository, decision) for decision in listed]
    registry.later(
        PREVIEW_TAKES.total_seconds(),
        lambda: lifecycle_events.tell(registry, repository, "DryRunEvent", policy, rows),
    )
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
    if not preview.ready_at <= registry.clock() < preview.expires_at:
        return {**answer, "status": "IN_PROGRESS" if registry.clock() < preview.ready_at else "EXPIRED"}
    results, more = paging.page(request, [row for row in preview.results if _asked(request, row)])
    return {**answer, "status": "COMPLETE", "previewResults": results, "summary": _summary(preview), **more}


def run(registry: Registry, name: str, now: datetime) -> Response:
    """Do what the repository's policy says, as ECR does by itself within 24 hours, and tell of it.

    Returns BatchDeleteImage's response members, and the digests that went to the archive. Raises EcrError.
    """
    repository = registry.repository(name)
    text = _policy(registry, repository)
    found = _outcome(repository, text, now)
    rows = [_row(repository, decision) for decision in found.leaving]
    refused = [_refused(repository, decision) for decision in found.spared]
    transitioned = [decision.digest for decision in found.leaving if decision.action == "transition"]
    for digest in transitioned:
        images.archive(registry, repository, repository.images[digest])
    expired = [decision.digest for decision in found.leaving if decision.action == "expire"]
    deleted, kept = _delete(registry, name, expired)
    done: Response = {
        "imageIds": deleted,
        "failures": [*(_failure(each) for each in refused), *kept],
        "archived": transitioned,
    }
    failed = {each["imageId"]["imageDigest"]: each for each in done["failures"]}
    refused += [_failed(row, failed[row.digest]) for row in rows if row.digest in failed]
    rows = [row for row in rows if row.digest not in failed]
    if rows or refused:
        lifecycle_events.tell(registry, repository, "PolicyExecutionEvent", text, rows, refused)
    repository.lifecycle_evaluated_at = now
    return done


def _delete(registry: Registry, name: str, digests: Sequence[str]) -> tuple[list[Response], list[Response]]:
    """Delete the images, indexes of indexes before what they list; gives what is gone, and what ECR refuses."""
    gone: list[Response] = []
    while True:
        failures = []
        before = len(gone)
        for start in range(0, len(digests), BATCH):
            ids = [{"imageDigest": digest} for digest in digests[start : start + BATCH]]
            answer = images.batch_delete(registry, {"repositoryName": name, "imageIds": ids})
            gone += answer["imageIds"]
            failures += answer["failures"]
        if not failures or len(gone) == before:
            return gone, failures
        digests = [failure["imageId"]["imageDigest"] for failure in failures]


def _policy(registry: Registry, repository: Repository) -> str:
    if repository.lifecycle_policy is None:
        raise EcrError(
            "LifecyclePolicyNotFoundException",
            f"Lifecycle policy does not exist for the repository with name '{repository.name}' in the registry with "
            f"id '{registry.account}'",
        )
    return repository.lifecycle_policy


def _outcome(repository: Repository, text: str, now: datetime) -> Outcome:
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
    return outcome(lifecycle_policy.read(text), candidates, now)


def _row(repository: Repository, decision: Decision) -> Row:
    return Row.of(repository.images[decision.digest], decision.rule)


def _refused(repository: Repository, decision: Decision) -> Refused:
    code, reason = images.refusal(repository, repository.images[decision.digest]) or ("", "")
    return Refused(_row(repository, decision), code, reason)


def _failure(refused: Refused) -> Response:
    return {
        "imageId": {"imageDigest": refused.row.digest},
        "failureCode": refused.code,
        "failureReason": refused.reason,
    }


def _failed(row: Row, failure: Response) -> Refused:
    return Refused(row, failure["failureCode"], failure["failureReason"])


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
