"""Those who run images, as far as the registry is concerned: a task or a function that starts pulls its image.

Nothing is run, whether or not there is a Docker engine on this machine. What AWS says of the image and ministack does
not know is resolved by our registry in the moment in which AWS resolves it: `imageDigest` of a task's container when
the task starts, `ResolvedImageUri` of a function when its code is set.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Container.html
https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html

A task whose image can't be pulled counts as running here, without a digest; AWS would stop it.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import ecs, lambda_svc

from local.registry import pull_times, references
from local.registry.store import Registry

Answer = tuple[int, Mapping[str, str], bytes]
_RESOLVED = "ResolvedImageUri"
FAILED = 400
"""From this status on, nothing was done."""


def pull_from(registry: Registry) -> None:
    """Let tasks and functions pull from the registry."""
    ecs._get_docker = lambda: None
    build = ecs._build_task_containers

    def build_pulled(definition: Any, overrides: Any) -> list[dict[str, Any]]:
        containers: list[dict[str, Any]] = build(definition, overrides)
        for container in containers:
            if digest := _pull(registry, container["image"]):
                container["imageDigest"] = digest
        return containers

    ecs._build_task_containers = build_pulled
    _resolve_functions(registry)


def _resolve_functions(registry: Registry) -> None:
    create, update, get = lambda_svc._create_function, lambda_svc._update_code, lambda_svc._get_function
    list_ = lambda_svc._list_functions

    def create_resolved(data: Mapping[str, Any]) -> Answer:
        return _set_code(registry, data.get("Code", {}), str(data.get("FunctionName")), lambda: create(data))

    def update_resolved(name: str, data: Mapping[str, Any]) -> Answer:
        return _set_code(registry, data, name, lambda: update(name, data))

    def list_with_versions(query: Mapping[str, Any]) -> Answer:
        """With the published versions where they are asked for, which ministack leaves out."""
        status, headers, body = list_(query)
        if "ALL" in query.get("FunctionVersion", ()):
            answer = json.loads(body)
            listed = [lambda_svc._functions[each["FunctionName"]] for each in answer["Functions"]]
            versions = [each["config"] for function in listed for each in function["versions"].values()]
            body = json.dumps({**answer, "Functions": [*answer["Functions"], *versions]}).encode()
        return status, headers, body

    def get_resolved(name: str, qualifier: str | None = None) -> Answer:
        status, headers, body = get(name, qualifier)
        answer = json.loads(body)
        if resolved := answer.get("Configuration", {}).pop(_RESOLVED, None):
            answer["Code"][_RESOLVED] = resolved
            body = json.dumps(answer).encode()
        return status, headers, body

    lambda_svc._create_function, lambda_svc._update_code = create_resolved, update_resolved
    lambda_svc._get_function, lambda_svc._list_functions = get_resolved, list_with_versions


def _set_code(registry: Registry, code: Mapping[str, Any], name: str, work: Callable[[], Answer]) -> Answer:
    """Do it, and keep what the image was at that time, in the function and in the version that it published."""
    uri = str(code.get("ImageUri", ""))
    digest = _pull(registry, uri)
    if digest is None and references.is_ours(registry, uri):
        said = f"Source image {uri} does not exist. Provide a valid source image."
        refused: Answer = error_response_json("InvalidParameterValueException", said, 400)
        return refused
    answer = work()
    function = lambda_svc._functions.get(name.rpartition(":")[2])
    if digest and answer[0] < FAILED and function:
        resolved = f"{uri.partition('@')[0].partition(':')[0]}@{digest}"
        versions = [each["config"] for each in function["versions"].values() if each["config"].get("ImageUri") == uri]
        function["config"][_RESOLVED] = resolved
        for config in versions:
            config.setdefault(_RESOLVED, resolved)
    return answer


def _pull(registry: Registry, reference: str) -> str | None:
    with registry.lock:
        found = references.find(registry, reference)
        if found is None:
            return None
        pull_times.pulled(registry, found[1])
        return found[1].digest
