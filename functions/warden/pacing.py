"""Pacing: no operation of ECR is called more often than its bucket has tokens for.

ECR publishes no rates for these calls, so these are modest: five sandboxes of one function at once stay under a hundred
reads and twenty writes a second. The SDK's retries pay too. Its own adaptive mode learns a rate for each client, and
with several clients at once it is slower than one plain client that keeps to a rate.
"""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

READS_A_SECOND = 20.0
WRITES_A_SECOND = 4.0
BURST = 10
_READING = ("Describe", "Get", "List", "BatchGet", "BatchCheck")


class Pace:
    """A token bucket for each operation, filled at a rate and never fuller than a burst."""

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        """`clock` says seconds that never go back, `sleep` waits for some."""
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, operation: str) -> None:
        """Take a token, and wait as long as it is owed."""
        rate = READS_A_SECOND if operation.startswith(_READING) else WRITES_A_SECOND
        with self._lock:
            now = self._clock()
            tokens, at = self._buckets.get(operation, (float(BURST), now))
            tokens = min(float(BURST), tokens + (now - at) * rate) - 1
            self._buckets[operation] = (tokens, now)
        if tokens < 0:
            self._sleep(-tokens / rate)

    def hold(self, client: "ECRClient") -> "ECRClient":
        """The client, whose every attempt waits for its token from now on."""

        def before(request: Any, **_: Any) -> None:
            self.wait(request.headers["X-Amz-Target"].decode().rpartition(".")[2])

        client.meta.events.register_first("before-send.ecr", before)
        return client
