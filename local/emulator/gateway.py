"""The one port of the local cloud.

| path | what |
| --- | --- |
| the ECR API, by its `X-Amz-Target` | our registry, after ministack checked the signature |
| `/v2/…` | our registry, as the Docker Registry v2 API |
| `/_ecr/layers/KEY` | what GetDownloadUrlForLayer points at |
| `/_warden/…` | the local cloud's own controls, see `controls.py` |
| all else | ministack |
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from ministack.core.router import extract_access_key_id

from local.emulator import controls, principals
from local.emulator.controls import Controls
from local.emulator.failures import Failures
from local.registry import layer_downloads, wire
from local.registry.docker_v2 import DockerRegistry, serves
from local.registry.ecr import Ecr
from local.registry.errors import EcrError
from local.registry.http import App, HttpRequest, Receive, Reply, Scope, Send, answer, receive_all

_LAYERS = "/_ecr/layers/"


class Gateway:
    """An ASGI application that answers for the registry and leaves the rest to another."""

    def __init__(self, ecr: Ecr, controls: Controls, failures: Failures, rest: App) -> None:
        self._ecr = ecr
        self._docker = DockerRegistry(ecr)
        self._controls = controls
        self._failures = failures
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith((_LAYERS, controls.PREFIX)) or serves(path):
            request = await receive_all(scope, receive)
            await answer(await asyncio.to_thread(self._reply, request), scope, send)
        elif failed := self._failures.of(_target(scope)):
            await receive_all(scope, receive)
            await answer(failed, scope, send)
        else:
            await self._rest(scope, receive, send)

    async def ecr_api(
        self,
        method: str,  # noqa: ARG002 - ministack's signature of a handler
        path: str,  # noqa: ARG002
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, Any],  # noqa: ARG002
    ) -> tuple[int, dict[str, str], bytes]:
        """Answer an ECR API call whose signature was checked."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        reply = await asyncio.to_thread(self._call, operation, headers, body)
        return reply.status, dict(reply.headers), reply.body

    def _call(self, operation: str, headers: Mapping[str, str], body: bytes) -> Reply:
        content = {"Content-Type": "application/x-amz-json-1.1"}
        try:
            caller = principals.caller(extract_access_key_id(headers), self._ecr.registry.account)
            request = wire.parse(operation, body)
            response = self._ecr.call(operation, request, caller, headers.get("user-agent", ""))
            return Reply(200, wire.dump(operation, response), content)
        except EcrError as error:
            return Reply(400, error.body(), content)

    def _reply(self, request: HttpRequest) -> Reply:
        if request.path.startswith(controls.PREFIX):
            return self._controls.reply(request)
        if request.path.startswith(_LAYERS):
            key = request.path.removeprefix(_LAYERS)
            return layer_downloads.reply(self._ecr.registry, key, request.headers.get("range", ""))
        return self._docker.handle(request)


def _target(scope: Scope) -> str:
    """The operation that a request of an AWS JSON protocol names; empty for any other."""
    headers = scope.get("headers", ())
    return next((value.decode("latin-1") for name, value in headers if name.lower() == b"x-amz-target"), "")
