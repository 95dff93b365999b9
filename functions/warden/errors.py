"""The three ways in which work ends badly; every error of ours is one of them, or a kind of one."""


class WardenError(Exception):
    """A failure whose text is written for the person who reads it: what, where, what was expected, what to do."""


class Invalid(WardenError):
    """The input is wrong and will stay wrong: it goes to its dead-letter queue with this reason, at once."""


class Refused(WardenError):
    """We understood and won't do it: doing it would break a promise."""


class Unavailable(WardenError):
    """It can't be done now: try again, after `retry_after` seconds where the other side said how long."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Rejected(Invalid):
    """A chat product refused a message for what it is; `word` is its own short word for why, or empty."""

    def __init__(self, reason: str, word: str) -> None:
        super().__init__(reason)
        self.word = word


class Unreachable(Unavailable):
    """The other side gave no answer: to try at once for the next message would wait in vain again."""
