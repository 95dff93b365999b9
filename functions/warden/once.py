"""A deed is done once, however often and however many at a time are told to do it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from warden.errors import Unavailable
from warden.ledger import KEPT, Ledger, Standing

Result = TypeVar("Result")

BUSY_FOR = timedelta(minutes=2)
"""How long a claim holds if its holder dies: longer than any function of ours may run for one message."""


LOOK_AGAIN = 20.0
"""Seconds until another copy looks whether the deed is done: mostly it is by then; ten looks outlast a dead claim."""


def one_at_a_time(
    ledger: Ledger,
    deed: str,
    do: Callable[[], Result],
    *,
    owner: str,
    now: datetime,
    busy_for: timedelta = BUSY_FOR,
) -> Result:
    """Do the deed while nobody else is at it; it may be done again. Raises Unavailable where another is at it.

    `busy_for` is longer than the function may run for one message.
    """
    if ledger.claim(deed, owner=owner, now=now, busy_for=busy_for) is not Standing.TAKEN:
        raise Unavailable(f"another message is at it: {deed}", retry_after=LOOK_AGAIN)
    try:
        return do()
    finally:
        ledger.give_back(deed, owner=owner, now=now)


def once(
    ledger: Ledger, deed: str, do: Callable[[], Result], *, owner: str, now: datetime, lasts: timedelta = KEPT
) -> Result | None:
    """Do the deed and return what it gives, or None where it was done before.

    The claim is taken before the work and closed after it. If the sandbox is killed between the two, the same message
    (`owner`) comes again and does the work again; so the work itself must bear a repetition. Raises Unavailable where
    another copy is at it, and whatever `do` raises, after giving the claim back.
    """
    match ledger.claim(deed, owner=owner, now=now, busy_for=BUSY_FOR):
        case Standing.DONE:
            return None
        case Standing.BUSY:
            raise Unavailable(f"another copy of the message is at it: {deed}", retry_after=LOOK_AGAIN)
        case Standing.TAKEN:
            try:
                result = do()
            except Exception:
                ledger.give_back(deed, owner=owner, now=now)
                raise
    ledger.finish(deed, owner=owner, now=now, lasts=lasts)
    return result
