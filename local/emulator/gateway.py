"""The one port of the local cloud.

| path | what |
| --- | --- |
| the ECR API, by its `X-Amz-Target` | our registry, after ministack checked the signature |
| `/v2/…` | our registry, as the Docker Registry v2 API |
| `/_ecr/layers/KEY` | what GetDownloadUrlForLayer points at |
| `GET /_warden/calls?since=N` | every ECR call after number N: number, operation, repository, caller, outcome |
| `POST /_warden/events/drop` | `{"detail-type": …, "count": …}`: the next events of that type get lost |
| `POST /_warden/advisories` | one or more, as in `advisories.json`: enhanced scanning looks again at all images |
| `POST /_warden/in-use` | `{"repository": …, "digest": …, "count": …}`: so many tasks and pods run the image |
| `POST /_warden/lifecycle/REPOSITORY` | run its lifecycle policy now, or at `{"now": …}` |
| all else | ministack |
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ministack.core.router import extract_access_key_id

from local.emulator import principals
from local.emulator.delivery import Delivery
from local.registry import enhanced, layers, lifecycle, wire
from local.registry.docker_v2 import DockerRegistry, serves
from local.registry.ecr import Ecr
from local.registry.errors import EcrError
from local.registry.http import App, HttpRequest, Receive, Reply, Scope, Send, answer, receive_all

_LAYERS, _CONTROL = "/_ecr/layers/", "/_warden/"


class Gateway:
    """An ASGI application that answers for the registry and leaves the rest to another."""

    def __init__(self, ecr: Ecr, delivery: Delivery, rest: App) -> None:
        self._ecr = ecr
        self._docker = DockerRegistry(ecr)
        self._delivery = delivery
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith((_LAYERS, _CONTROL)) or serves(path):
            request = await receive_all(scope, receive)
            await answer(await asyncio.to_thread(self._reply, request), scope, send)
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
            return Reply(400, json.dumps({"__type": error.code, "message": error.message}).encode(), content)

    def _reply(self, request: HttpRequest) -> Reply:
        if request.path.startswith(_CONTROL):
            return self._control(request)
        if request.path.startswith(_LAYERS):
            data = layers.download(self._ecr.registry, request.path.removeprefix(_LAYERS))
            return Reply(404) if data is None else Reply(200, data, {"Content-Type": "application/octet-stream"})
        return self._docker.handle(request)

    def _control(self, request: HttpRequest) -> Reply:
        what, _, rest = request.path.removeprefix(_CONTROL).partition("/")
        try:
            match request.method, what:
                case "GET", "calls":
                    return Reply.json(self._ecr.calls_since(int(request.query.get("since", 0))))
                case "POST", "events" if rest == "drop":
                    order = json.loads(request.body)
                    self._delivery.lose(order["detail-type"], int(order["count"]))
                    return Reply.json(order)
                case "POST", "advisories":
                    return Reply.json(self._learn(json.loads(request.body)))
                case "POST", "in-use":
                    return Reply.json(self._run_image(json.loads(request.body)))
                case "POST", "lifecycle":
                    return Reply.json(self._run_lifecycle(rest, json.loads(request.body or b"{}")))
        except (EcrError, ValueError, TypeError, KeyError) as error:
            return Reply.json({"message": f"{type(error).__name__}: {error}"}, 400)
        return Reply.json({"message": f"no such control: {request.method} {request.path}"}, 404)

    def _learn(self, advisories: Any) -> wire.Response:
        with self._ecr.registry.lock:
            return enhanced.learn(self._ecr.registry, advisories if isinstance(advisories, list) else [advisories])

    def _run_image(self, order: Mapping[str, Any]) -> wire.Response:
        with self._ecr.registry.lock:
            return enhanced.run(self._ecr.registry, order)

    def _run_lifecycle(self, repository: str, order: Mapping[str, str]) -> wire.Response:
        registry = self._ecr.registry
        now = datetime.fromisoformat(order["now"]) if "now" in order else registry.clock()
        with registry.lock:
            return lifecycle.run(registry, repository, now)
