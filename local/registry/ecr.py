"""The ECR API as a whole: one call in, its answer out, its log line and its CloudTrail event on the way.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

from local.registry import (
    account_settings,
    cloudtrail,
    creation_templates,
    images,
    layers,
    lifecycle,
    pull_times,
    repositories,
    scanning,
)
from local.registry.callers import Authorize, Caller, Tokens
from local.registry.errors import EcrError
from local.registry.store import Registry
from local.registry.wire import Request, Response, model

Operation = Callable[[Registry, Request], Response]

OPERATIONS: Mapping[str, Operation] = {
    "BatchCheckLayerAvailability": layers.check_availability,
    "BatchDeleteImage": images.batch_delete,
    "BatchGetImage": images.batch_get,
    "CompleteLayerUpload": layers.complete,
    "CreateRepository": repositories.create,
    "CreateRepositoryCreationTemplate": creation_templates.create,
    "DeleteLifecyclePolicy": lifecycle.delete,
    "DeleteRepository": repositories.delete,
    "DeleteRepositoryCreationTemplate": creation_templates.delete,
    "DeleteRepositoryPolicy": repositories.delete_policy,
    "DeregisterPullTimeUpdateExclusion": pull_times.deregister,
    "DescribeImageScanFindings": scanning.describe_findings,
    "DescribeImages": images.describe,
    "DescribeRepositories": repositories.describe,
    "DescribeRepositoryCreationTemplates": creation_templates.describe,
    "GetAccountSetting": account_settings.get,
    "GetDownloadUrlForLayer": layers.download_url,
    "GetLifecyclePolicy": lifecycle.get,
    "GetLifecyclePolicyPreview": lifecycle.get_preview,
    "GetRegistryScanningConfiguration": scanning.get_registry_configuration,
    "GetRepositoryPolicy": repositories.get_policy,
    "InitiateLayerUpload": layers.initiate,
    "ListImageReferrers": images.list_referrers,
    "ListImages": images.list_ids,
    "ListPullTimeUpdateExclusions": pull_times.list_exclusions,
    "ListTagsForResource": repositories.list_tags,
    "PutAccountSetting": account_settings.put,
    "PutImage": images.put,
    "PutImageScanningConfiguration": repositories.put_scanning,
    "PutImageTagMutability": repositories.put_tag_mutability,
    "PutLifecyclePolicy": lifecycle.put,
    "PutRegistryScanningConfiguration": scanning.put_registry_configuration,
    "RegisterPullTimeUpdateExclusion": pull_times.register,
    "SetRepositoryPolicy": repositories.set_policy,
    "StartImageScan": scanning.start,
    "StartLifecyclePolicyPreview": lifecycle.start_preview,
    "TagResource": repositories.tag,
    "UntagResource": repositories.untag,
    "UpdateImageStorageClass": images.update_storage_class,
    "UpdateRepositoryCreationTemplate": creation_templates.update,
    "UploadLayerPart": layers.upload_part,
}

_WAITER = re.compile(r" m/(?:[^ ]*,)?B(?:,|\Z| )")
"""How botocore's user agent says that a waiter calls: `B` among the ids of the features in use."""
_GRANTED_BY = {"ListImageReferrers": "BatchGetImage"}
"""Operations that IAM knows by another action."""


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the call log."""

    number: int
    operation: str
    repository: str | None
    """The one that the call names, if it names one."""
    caller: str
    """ARN of the role, with its path, or of whoever it is."""
    outcome: str
    """`ok`, or the error's code."""
    by_waiter: bool = False
    """Whether a waiter of the SDK made the call, as the user agent says."""


def _lists(operation: str) -> bool:
    """Whether IAM knows the operation as one on repositories, even where none is named."""
    shape = model().operation_model(operation).input_shape
    return shape is not None and "repositoryNames" in shape.members


class Ecr:
    """The registry with those who call it."""

    def __init__(self, registry: Registry, authorize: Authorize) -> None:
        self.registry = registry
        self.tokens = Tokens()
        self.calls: list[Call] = []
        self._authorize = authorize
        self._numbers = count(1)

    def call(self, operation: str, request: Request, caller: Caller, agent: str = "AWS Internal") -> Response:
        """Do it, if the caller may. The request has to be valid by the model. Raises EcrError."""
        with self.registry.lock:
            try:
                outcome: Response | EcrError = self._do(operation, request, caller)
            except EcrError as error:
                outcome = error
            self._log(operation, request, outcome, caller, agent)
            if cloudtrail.told(operation):
                self._tell(operation, request, outcome, caller, agent)
        if isinstance(outcome, EcrError):
            raise outcome
        return outcome

    def mount(self, digest: str, *, source: str, target: str, caller: Caller) -> bool:
        """Whether the target has the source's layer now: ECR mounts it for who may download it, or says no word of it.

        It is no operation of the API, but CloudTrail tells of it.
        https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
        """
        request = {"repositoryName": target, "layerDigest": digest}
        with self.registry.lock:
            self._authorize(caller, "ecr:InitiateLayerUpload", self._arn(target))
            try:
                self._authorize(caller, "ecr:GetDownloadUrlForLayer", self._arn(source))
            except EcrError:
                return False
            mounted = layers.mount(self.registry, digest, source=source, target=target)
            if mounted:
                self._log("MountLayer", request, {}, caller, "")
                self._tell("MountLayer", request, {}, caller, "")
        return mounted

    def calls_since(self, number: int) -> list[dict[str, Any]]:
        """The calls after the one of that number, in the order in which they were done."""
        return [asdict(call) for call in self.calls[number:]]

    def _do(self, operation: str, request: Request, caller: Caller) -> Response:
        for resource in self._resources(operation, request):
            self._authorize(caller, f"ecr:{_GRANTED_BY.get(operation, operation)}", resource)
        if operation == "GetAuthorizationToken":
            return self._token(caller)
        if operation not in OPERATIONS:
            raise EcrError("UnsupportedOperationException", f"The local registry does not know {operation}")
        if request.get("registryId", self.registry.account) != self.registry.account:
            raise EcrError("InvalidParameterException", "The local registry knows its own account only")
        response = OPERATIONS[operation](self.registry, request)
        pull_times.record(self.registry, operation, response, caller)
        return response

    def _token(self, caller: Caller) -> Response:
        token, ends = self.tokens.issue(caller, self.registry.clock())
        data = {"authorizationToken": token, "expiresAt": ends, "proxyEndpoint": self.registry.url}
        return {"authorizationData": [data]}

    def _resources(self, operation: str, request: Request) -> list[str]:
        """What IAM is asked about: the repositories that the request names; all of them; or no resource, `*`."""
        if "resourceArn" in request:
            return [request["resourceArn"]]
        if "repositoryName" in request:
            return [self._arn(request["repositoryName"])]
        return [self._arn(name) for name in request.get("repositoryNames", ["*"])] if _lists(operation) else ["*"]

    def _arn(self, name: str) -> str:
        return f"arn:aws:ecr:{self.registry.region}:{self.registry.account}:repository/{name}"

    def _log(self, operation: str, request: Request, outcome: Response | EcrError, caller: Caller, agent: str) -> None:
        code = outcome.code if isinstance(outcome, EcrError) else "ok"
        named = [resource.partition("repository/")[2] for resource in self._resources(operation, request)]
        repository = named[0] if len(named) == 1 and named[0] not in {"", "*"} else None
        call = Call(next(self._numbers), operation, repository, caller.name, code, _WAITER.search(agent) is not None)
        self.calls.append(call)

    def _tell(self, operation: str, request: Request, outcome: Response | EcrError, caller: Caller, agent: str) -> None:
        named = "repositoryName" in request or "resourceArn" in request
        event = cloudtrail.record(
            operation,
            request,
            outcome,
            caller=caller,
            account=self.registry.account,
            region=self.registry.region,
            now=self.registry.clock(),
            resource=self._resources(operation, request)[0] if named else None,
            agent=agent,
        )
        if event:
            self.registry.publish(event)
