"""What the local cloud itself can be asked for, under `/_warden/`.

| path | what |
| --- | --- |
| `GET calls?since=N` | every ECR call after number N: number, operation, repository, caller, outcome, by_waiter |
| `POST events/drop` | `{"detail-type": …, "count": …}`: the next events of that type get lost |
| `POST advisories` | one or more, as in `advisories.json`: enhanced scanning looks again at all images |
| `POST in-use` | `{"repository": …, "digest": …, "count": …}`: so many tasks and pods run the image |
| `POST lifecycle/REPOSITORY` | run its lifecycle policy now, or at `{"now": …}` |
| `POST preview-lists-children` | `{"on": true}`: previews list what only an index that stays saves, too |
| `POST seed` | repositories with thousands of images and a past, see `local/registry/seeding.py`; gives their digests |
| `POST clock` | `{"ahead_days": 1.5}`: how far the registry's clock is ahead of this machine's; gives its time |
| `POST blobs` | `{"digest": …, "how": …, "count": …}`: downloads of a layer go wrong, see `layer_downloads.py` |
| `POST failures` | `{"operation": TARGET, "code": …, "count": …}`: the next calls fail, see `failures.py` |
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from local.emulator.delivery import Delivery
from local.emulator.failures import Failures
from local.registry import enhanced, layer_downloads, lifecycle, seeding
from local.registry.clock import Clock
from local.registry.ecr import Ecr
from local.registry.errors import EcrError
from local.registry.http import HttpRequest, Reply

PREFIX = "/_warden/"
Order = Any
"""The body of a request: JSON."""


class Controls:
    """Answers the requests."""

    def __init__(self, ecr: Ecr, delivery: Delivery, failures: Failures, clock: Clock) -> None:
        self._ecr = ecr
        self._registry = ecr.registry
        self._delivery = delivery
        self._failures = failures
        self._clock = clock

    def reply(self, request: HttpRequest) -> Reply:
        """The answer, errors included."""
        what, _, rest = request.path.removeprefix(PREFIX).partition("/")
        orders: Mapping[tuple[str, str], Callable[[Order], Any]] = {
            ("GET", "calls"): lambda _: self._ecr.calls_since(int(request.query.get("since", 0))),
            ("POST", "events"): self._lose,
            ("POST", "advisories"): self._learn,
            ("POST", "in-use"): lambda order: enhanced.run(self._registry, order),
            ("POST", "lifecycle"): lambda order: self._run_lifecycle(rest, order),
            ("POST", "preview-lists-children"): self._list_children,
            ("POST", "blobs"): lambda order: layer_downloads.spoil(self._registry, order),
            ("POST", "seed"): lambda order: seeding.seed(self._registry, order),
            ("POST", "clock"): self._set_clock,
            ("POST", "failures"): self._failures.order,
        }
        order = orders.get((request.method, what))
        if order is None or (what == "events" and rest != "drop"):
            return Reply.json({"message": f"no such control: {request.method} {request.path}"}, 404)
        try:
            content = json.loads(request.body or b"{}")
            with self._registry.lock:
                return Reply.json(order(content))
        except (EcrError, ValueError, TypeError, KeyError, AttributeError) as error:
            return Reply.json({"message": f"{type(error).__name__}: {error}"}, 400)

    def _lose(self, order: Order) -> Order:
        self._delivery.lose(order["detail-type"], int(order["count"]))
        return order

    def _learn(self, advisories: Order) -> Any:
        return enhanced.learn(self._registry, advisories if isinstance(advisories, list) else [advisories])

    def _run_lifecycle(self, repository: str, order: Order) -> Any:
        now = datetime.fromisoformat(order["now"]) if "now" in order else self._registry.clock()
        return lifecycle.run(self._registry, repository, now)

    def _list_children(self, order: Order) -> Order:
        self._registry.previews_list_children = bool(order["on"])
        return order

    def _set_clock(self, order: Order) -> Any:
        self._clock.ahead = timedelta(days=order["ahead_days"])
        return {"now": self._clock().isoformat()}
