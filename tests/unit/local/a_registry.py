"""A registry for unit tests: its clock is set, its events are kept, and what it does later is done when it is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local.registry import wire
from local.registry.advisories import Advisories
from local.registry.callers import Caller
from local.registry.ecr import Ecr
from local.registry.errors import EcrError
from local.registry.events import Event
from local.registry.scanner import Scanner
from local.registry.store import Registry

ROOT = Caller("Root", "arn:aws:iam::111122223333:root", "111122223333", "test")
ROLE = Caller(
    "AssumedRole",
    "arn:aws:sts::111122223333:assumed-role/sweep/session",
    "AROAEXAMPLE:session",
    "ASIAEXAMPLE",
    "arn:aws:iam::111122223333:role/ecr-warden/dev/sweep",
)
CURL: Mapping[str, Any] = {
    "id": "CVE-2023-38545",
    "severity": "CRITICAL",
    "cvss": {"score": 9.8, "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
    "description": "curl overflows",
    "uri": "https://security-tracker.debian.org/tracker/CVE-2023-38545",
    "affects": [{"debian": "curl", "release": "12", "introduced": "7.69.0", "fixed": "7.88.1-10+deb12u4"}],
}


@dataclass
class Small:
    """A registry in hand."""

    advisories: Sequence[Mapping[str, Any]] = (CURL,)
    denied: frozenset[str] = frozenset()
    now: datetime = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    events: list[Event] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    _later: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        registry = Registry(
            account="111122223333",
            region="eu-central-1",
            url="http://127.0.0.1:4566",
            clock=lambda: self.now,
            publish=self.events.append,
            later=lambda _, work: self._later.append(work),
            scanner=Scanner(Advisories(self.advisories)),
        )
        self.ecr = Ecr(registry, self._authorize)

    def call(self, operation: str, caller: Caller = ROOT, **request: Any) -> wire.Response:
        """Do an operation by a request that the model takes."""
        return self.ecr.call(operation, wire.valid(operation, request), caller)

    def pass_time(self, **delta: float) -> None:
        """Let time go by, and what was to be done later be done."""
        self.now += timedelta(**delta)
        work, self._later = self._later, []
        for each in work:
            each()

    def told(self, detail_type: str) -> list[Mapping[str, Any]]:
        """The details of the events of that type."""
        return [event.detail for event in self.events if event.detail_type == detail_type]

    def _authorize(self, _: Caller, action: str, resource: str) -> None:
        self.asked.append((action, resource))
        if action in self.denied:
            raise EcrError("AccessDeniedException", f"not authorized to perform: {action}")
