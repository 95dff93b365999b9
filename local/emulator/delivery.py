"""Events of ECR and Inspector on their way to the default bus; best effort, as in AWS: some can be made to get lost.

PutEvents refuses sources of AWS itself, here as there, so that they are handed over inside the process.
"""

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import eventbridge

from local.registry.events import Event


class Delivery:
    """Takes events as they happen and delivers them, in their order, from a thread of its own."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._worker = ThreadPoolExecutor(1, "ecr-events")
        self._lost: Counter[str] = Counter()
        self._lock = threading.Lock()

    def lose(self, detail_type: str, count: int) -> None:
        """Lose the next events of that type, as many as that."""
        with self._lock:
            self._lost[detail_type] = count

    def publish(self, event: Event) -> None:
        """Send the event, unless it is to be lost."""
        with self._lock:
            if self._lost[event.detail_type] > 0:
                self._lost[event.detail_type] -= 1
                return
        self._worker.submit(self._put, event)

    def close(self) -> None:
        """Deliver nothing more."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _put(self, event: Event) -> None:
        set_request_account_id(self._account)
        set_request_region(self._region)
        entry = {
            "Source": event.source,
            "DetailType": event.detail_type,
            "Detail": json.dumps(event.detail),
            "Resources": list(event.resources),
        }
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
