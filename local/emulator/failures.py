"""Calls of AWS's APIs that fail on request, before anything is done, as they do for want of a right or on a bad day."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.registry.http import Reply


@dataclass(slots=True)
class _Failure:
    code: str
    left: int


class Failures:
    """What is to fail: operations of services that speak AWS JSON, by the end of their `X-Amz-Target`."""

    def __init__(self) -> None:
        self._failures: dict[str, _Failure] = {}
        self._lock = threading.Lock()

    def order(self, order: Mapping[str, Any]) -> Mapping[str, Any]:
        """Let the next `count` calls of an operation fail with a code; 0 ends it.

        `{"operation": "AmazonEC2ContainerServiceV20141113.ListClusters", "code": "AccessDeniedException", "count": 3}`
        """
        with self._lock:
            self._failures[order["operation"]] = _Failure(order["code"], int(order["count"]))
        return order

    def of(self, target: str) -> Reply | None:
        """The answer to a call that is to fail."""
        with self._lock:
            failure = self._failures.get(target)
            if failure is None or failure.left <= 0:
                return None
            failure.left -= 1
        operation = target.rpartition(".")[2]
        body = {"__type": failure.code, "message": f"{operation} fails, as the local cloud was told to let it"}
        return Reply(400, json.dumps(body).encode(), {"Content-Type": "application/x-amz-json-1.1"})
