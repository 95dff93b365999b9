"""The registry's clock: this machine's, some time ahead or behind."""

from datetime import UTC, datetime, timedelta


class Clock:
    """What time it is for the registry, and for nobody else: functions go by this machine's clock."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        """How far it is ahead of this machine's clock."""

    def __call__(self) -> datetime:
        """The time."""
        return datetime.now(UTC) + self.ahead
