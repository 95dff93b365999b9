"""A step of the demo, and what was seen of it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    """What was observed; `seconds` from the cause to the message, where there is one."""

    text: str
    ok: bool
    seconds: float | None = None


@dataclass(frozen=True)
class Step:
    """One row of the table."""

    name: str
    expected: str
    run: Callable[[], Seen]
