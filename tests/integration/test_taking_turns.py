"""Deeds that one does at a time, and what is remembered of the use of exemptions."""

from datetime import timedelta

import pytest

from tests.account import Stack
from tests.builders import NOW
from warden.errors import Unavailable
from warden.once import BUSY_FOR, LOOK_AGAIN, one_at_a_time

DAY = timedelta(days=1)


def attempt(stack: Stack, owner: str, done: list[str], after: timedelta = timedelta()) -> int:
    def do() -> int:
        done.append(owner)
        return len(done)

    return one_at_a_time(stack.ledger, "x", do, owner=owner, now=NOW + after)


def test_one_after_the_other_may_do_it_again(stack: Stack) -> None:
    done: list[str] = []
    assert [attempt(stack, owner, done) for owner in ("a", "b", "a")] == [1, 2, 3]


def test_while_one_is_at_it_another_waits(stack: Stack) -> None:
    done: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(Unavailable, match="another message is at it") as refusal:
            attempt(stack, "b", done)
        assert refusal.value.retry_after == LOOK_AGAIN

    one_at_a_time(stack.ledger, "x", meanwhile, owner="a", now=NOW)
    assert done == []
    assert attempt(stack, "b", done) == 1


def test_whoever_fails_gives_it_back(stack: Stack) -> None:
    with pytest.raises(ZeroDivisionError):
        one_at_a_time(stack.ledger, "x", lambda: 1 // 0, owner="a", now=NOW)
    assert attempt(stack, "b", []) == 1


def test_whoever_died_is_waited_for_and_can_come_again(stack: Stack) -> None:
    stack.ledger.claim("x", owner="dead", now=NOW, busy_for=BUSY_FOR)
    with pytest.raises(Unavailable):
        attempt(stack, "b", [], BUSY_FOR - timedelta(seconds=1))
    assert attempt(stack, "dead", []) == 1
    stack.ledger.claim("x", owner="dead", now=NOW, busy_for=BUSY_FOR)
    assert attempt(stack, "b", [], BUSY_FOR) == 1


def test_an_exemption_is_unused_when_it_was_known_long_enough_and_never_counted(stack: Stack) -> None:
    def unused(key: str, days: int, *, since: int = 30) -> bool:
        now = NOW + days * DAY
        return stack.ledger.is_unused(key, now=now, since=now - since * DAY)

    assert not unused("a", 0), "it is known from now on"
    assert not unused("a", 29)
    assert unused("a", 30)
    stack.ledger.remember_use("a", now=NOW + 31 * DAY)
    assert not unused("a", 90)
    stack.ledger.remember_use("b", now=NOW)
    assert not unused("b", 0)
    assert not unused("b", 60)
    assert not unused("c", 60), "asked for the first time"
