"""ECR's own previews of lifecycle policies: what a policy would do, by the only one who really knows.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lpp_creation.html
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from warden import answers
from warden.errors import Refused, Unavailable
from warden.gate import Previewed
from warden.lifecycle.rules import RuleAction
from warden.lifecycle.words import same
from warden.names import Digest, RepositoryName

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

RESULTS_A_PAGE = 100
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetLifecyclePolicyPreview.html."""
ANOTHER = 60.0
"""Seconds after which it is tried again where somebody else's preview is under way."""


class LifecyclePreviews:
    """Previews of the registry's repositories; a repository has one at a time."""

    def __init__(self, client: "ECRClient", *, delay: float = 2, attempts: int = 60) -> None:
        """`delay` are the seconds between two looks whether a preview is done, `attempts` how many are made."""
        self._client = client
        self._patience = {"Delay": delay, "MaxAttempts": attempts}

    def of(self, repository: RepositoryName, text: str) -> tuple[Previewed, ...]:
        """What the policy would do to the repository now, read to the last page.

        Raises Unavailable where the preview does not come to an end, Refused where ECR won't have the policy.
        """
        self._start(repository, text)
        try:
            self._client.get_waiter("lifecycle_policy_preview_complete").wait(
                repositoryName=repository,
                WaiterConfig=self._patience,  # type: ignore[arg-type] # botocore takes fractions of seconds
            )
        except WaiterError as error:
            raise Unavailable(f"ECR's preview of {repository}'s lifecycle policy was not to be had: {error}") from None
        return self._read(repository, text)

    def _start(self, repository: RepositoryName, text: str) -> None:
        try:
            self._client.start_lifecycle_policy_preview(repositoryName=repository, lifecyclePolicyText=text)
        except ClientError as error:
            match answers.code(error):
                case "LifecyclePolicyPreviewInProgressException":
                    # Perhaps ours, of a try that died; whoever's it is, it may be of another text.
                    raise Unavailable(f"a preview of {repository} is under way", retry_after=ANOTHER) from None
                case "InvalidParameterException" | "ValidationException":
                    said = answers.message(error)
                    raise Refused(f"ECR does not take {repository}'s lifecycle policy: {said}") from None
            raise

    def _read(self, repository: RepositoryName, text: str) -> tuple[Previewed, ...]:
        """The waiter knows nothing of a preview that expires, nor of another's that takes the place of ours."""
        pages = self._client.get_paginator("get_lifecycle_policy_preview").paginate(
            repositoryName=repository, PaginationConfig={"PageSize": RESULTS_A_PAGE}
        )
        found: list[Previewed] = []
        counted = 0
        for page in pages:
            with answers.whole("GetLifecyclePolicyPreview"):
                if page["status"] != "COMPLETE":
                    raise Unavailable(f"the preview of {repository} is {page['status']}: another is asked for later")
                if not same(page["lifecyclePolicyText"], text):
                    raise Unavailable(f"somebody else asked for a preview of {repository}", retry_after=ANOTHER)
                found += map(_previewed, page["previewResults"])
                counted = max(counted, _total(page["summary"] if found else page.get("summary", {})))
        if counted > len(found):
            raise Unavailable(f"the preview of {repository} counts {counted} images and lists {len(found)}")
        return tuple(found)


def _previewed(row: Mapping[str, Any]) -> Previewed:
    return Previewed(
        Digest(row["imageDigest"]), RuleAction(row["action"]["type"].lower()), row.get("appliedRulePriority")
    )


def _total(summary: Mapping[str, Any]) -> int:
    """What is absent is none: ECR leaves out the counts that are zero."""
    transitions = summary.get("transitioningImageTotalCounts") or ()
    return int(summary.get("expiringImageTotalCount") or 0) + sum(int(one["imageTotalCount"]) for one in transitions)
