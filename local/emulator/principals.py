"""Who calls the registry, and what IAM says about it: ministack's sessions, roles and policy evaluation."""

import json
from collections.abc import Mapping
from typing import Any

from ministack import app as ministack
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import set_request_account_id
from ministack.services import iam

from local.registry.callers import Caller
from local.registry.errors import EcrError

_DESCRIBED: Mapping[str, tuple[str, str]] = {
    "DescribeServices": ("services", "service"),
    "DescribeTasks": ("tasks", "task"),
}
"""Operations of ECS with the member that says what they are about, and with its resource type."""


def leave_ecr_to_us() -> None:
    """Let ministack check the signature of an ECR call, and nothing else: it reads only some of the resources."""
    original = iam_actions.extract_iam_action

    def extract(service: str, *request: Any) -> str | None:
        action: str | None = None if service == "ecr" else original(service, *request)
        return action

    iam_actions.extract_iam_action = extract


def check_batches_as_singles() -> None:
    """Ask for the permission that SQS asks for: its batch operations have no actions of their own.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
    """
    original = iam_actions.extract_iam_action

    def extract(service: str, *request: Any) -> str | None:
        action: str | None = original(service, *request)
        return action.removesuffix("Batch") if action and service == "sqs" else action

    iam_actions.extract_iam_action = extract


def check_what_ecs_describes() -> None:
    """Ask about the services and tasks that ECS is to describe, as AWS does, and not about their cluster.

    Of several, which are all of one cluster, the first is asked about.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    """
    original = iam_actions.extract_resource_arn

    def extract(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *more: Any) -> str:
        resource: str = original(service, method, path, headers, body, *more)
        target = headers.get("x-amz-target", headers.get("X-Amz-Target", ""))
        member, kind = _DESCRIBED.get(target.rpartition(".")[2], ("", ""))
        if service != "ecs" or not member:
            return resource
        request = json.loads(body)
        first = str(next(iter(request[member]), "*"))
        cluster = request.get("cluster", "default").rpartition("/")[2]
        region, account = more[-2:]
        return first if first.startswith("arn:") else f"arn:aws:ecs:{region}:{account}:{kind}/{cluster}/{first}"

    iam_actions.extract_resource_arn = extract


def call_loopback_secure() -> None:
    """Let requests count as made by TLS: policies deny all others, and nobody listens in on 127.0.0.1."""
    original = ministack.pin_request_origin
    ministack.pin_request_origin = lambda address, _secure: original(address, secure_transport=True)


def caller(access_key: str, account: str) -> Caller:
    """The principal that an access key stands for. Raises EcrError."""
    credential = iam_evaluator.resolve_credential(access_key, account)
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        raise EcrError(credential.code, credential.message)
    arn, principal_id = credential.principal_arn, credential.principal_id
    match credential.principal_type:
        case "Root":
            return Caller("Root", arn, account, access_key)
        case "AssumedRole":
            name, session = arn.split("/")[-2:]
            role = iam._roles.get_scoped(account, None, name)
            if role is None:  # deleted, while its session lives on
                raise EcrError("UnrecognizedClientException", "The security token included in the request is invalid.")
            return Caller("AssumedRole", arn, f"{role['RoleId']}:{session}", access_key, role["Arn"])
        case _:
            return Caller("IAMUser", arn, principal_id, access_key)


class Permissions:
    """Asks the caller's policies, like IAM does."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def check(self, caller: Caller, action: str, resource: str) -> None:
        """Return if the caller may. Raises EcrError, in IAM's words."""
        set_request_account_id(self._account)
        denied = iam_evaluator.enforce(caller.access_key, action, "ecr", self._region, resource_arn=resource)
        if denied is None:
            return
        if isinstance(denied, iam_evaluator.AuthError):
            raise EcrError(denied.code, denied.message)
        raise EcrError(
            "AccessDeniedException",
            f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource} because no "
            f"identity-based policy allows the {action} action",
        )
