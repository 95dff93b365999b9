"""A real boto3 client whose requests are answered here: signing, paging, retries and parsing are real."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

Answer = tuple[int, str]
Answers = Callable[[str, Mapping[str, Any]], Answer]


def ok(body: Mapping[str, Any]) -> Answer:
    """A 200 with that body."""
    return 200, json.dumps(body)


def error(code: str, message: str = "made up for a test") -> Answer:
    """An error of the JSON 1.1 protocol."""
    return 400, json.dumps({"__type": code, "message": message})


class Wire:
    """Remembers every request that a client made."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.requests: list[tuple[str, Mapping[str, Any]]] = []

    def client(self, attempts: int = 1) -> "ECRClient":
        client = boto3.client(
            "ecr",
            region_name="eu-central-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(retries={"mode": "standard", "total_max_attempts": attempts}),
        )
        client.meta.events.register_first("before-send.ecr", self._send)  # type: ignore[arg-type] # its answer is used
        return client

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.requests]

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        parameters = json.loads(request.body)
        self.requests.append((operation, parameters))
        return answered(request, self._answers(operation, parameters))


def answered(request: Any, answer: Answer) -> AWSResponse:
    """The answer as botocore gets it, by whoever listens to `before-send`."""
    status, body = answer
    return AWSResponse(request.url, status, HTTPHeaders(), _Raw(body.encode()))


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> list[bytes]:
        return [self._body]
