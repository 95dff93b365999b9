"""How long a command waits for something, and how it looks for it meanwhile."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Waiting until a moment of the clock, which counts seconds."""

    until: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, seconds: float) -> "Patience":
        """So many seconds from now."""
        return cls(time.monotonic() + seconds)

    def looks(self, every: float) -> Iterator[None]:
        """When to look: at once, then every so many seconds, and once more when the time is over."""
        yield
        while (left := self.until - self.clock()) > 0:
            self.sleep(min(every, left))
            yield
