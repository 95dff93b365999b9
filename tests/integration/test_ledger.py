"""The ledger at DynamoDB: a deed is done once, history is told in order."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.account import Stack
from tests.builders import NOW, digest, image_id
from warden.errors import Unavailable
from warden.ledger import Entry, Standing
from warden.once import once

MINUTE = timedelta(minutes=1)


def claim(stack: Stack, owner: str, after: timedelta = timedelta(0)) -> Standing:
    return stack.ledger.claim("scan#x", owner=owner, now=NOW + after, busy_for=MINUTE)


def test_of_two_messages_one_takes_the_deed(stack: Stack) -> None:
    assert (claim(stack, "a"), claim(stack, "b")) == (Standing.TAKEN, Standing.BUSY)


def test_of_many_at_once_one_takes_the_deed(stack: Stack) -> None:
    with ThreadPoolExecutor(8) as threads:
        standings = list(threads.map(lambda number: claim(stack, str(number)), range(24)))
    assert standings.count(Standing.TAKEN) == 1
    assert standings.count(Standing.BUSY) == 23


def test_a_message_that_comes_again_finds_its_own_claim(stack: Stack) -> None:
    assert (claim(stack, "a"), claim(stack, "a")) == (Standing.TAKEN, Standing.TAKEN)


def test_a_claim_lapses_when_its_holder_died(stack: Stack) -> None:
    claim(stack, "a")
    assert claim(stack, "b", after=MINUTE) is Standing.TAKEN


def test_a_deed_that_is_done_stays_done_until_it_may_be_done_again(stack: Stack) -> None:
    claim(stack, "a")
    stack.ledger.finish("scan#x", owner="a", now=NOW, lasts=timedelta(hours=24))
    assert claim(stack, "a", after=timedelta(hours=23)) is Standing.DONE
    assert stack.ledger.is_done("scan#x", now=NOW + timedelta(hours=23))
    assert not stack.ledger.is_done("scan#x", now=NOW + timedelta(hours=24))
    assert claim(stack, "b", after=timedelta(hours=24)) is Standing.TAKEN


def test_what_nobody_did_is_not_done(stack: Stack) -> None:
    assert not stack.ledger.is_done("scan#x", now=NOW)
    claim(stack, "a")
    assert not stack.ledger.is_done("scan#x", now=NOW)


def test_once_does_it_once(stack: Stack) -> None:
    done: list[str] = []

    def attempt(owner: str) -> int | None:
        def do() -> int:
            done.append(owner)
            return len(done)

        return once(stack.ledger, "x", do, owner=owner, now=NOW)

    assert [attempt("a"), attempt("b"), attempt("a")] == [1, None, None]
    assert done == ["a"]


def test_once_gives_the_claim_back_where_the_deed_failed(stack: Stack) -> None:
    with pytest.raises(ZeroDivisionError):
        once(stack.ledger, "x", lambda: 1 // 0, owner="a", now=NOW)
    assert once(stack.ledger, "x", lambda: "done", owner="b", now=NOW) == "done"


def test_once_says_how_long_another_copy_may_be_at_it(stack: Stack) -> None:
    stack.ledger.claim("x", owner="a", now=NOW, busy_for=MINUTE)
    with pytest.raises(Unavailable, match="another copy") as refusal:
        once(stack.ledger, "x", lambda: None, owner="b", now=NOW)
    assert refusal.value.retry_after == 20


def test_history_is_told_oldest_first_and_a_repeated_event_adds_nothing(stack: Stack) -> None:
    later = Entry("team/app", NOW + MINUTE, "standard", "scan on push: off → on", {"rule": "warden.yaml:3"})
    first = Entry("team/app", NOW, "changed", "CreateRepository by alice")
    for entry in (later, first, later):
        stack.ledger.record(entry, event="e1")
    stack.ledger.record(Entry("team/other", NOW, "changed", "another story"), event="e1")
    assert stack.ledger.history("team/app") == (first, later)


def test_history_longer_than_a_page_is_whole(stack: Stack) -> None:
    for number in range(40):
        text = f"{number:02}" + "x" * 50_000  # DynamoDB's pages end at 1 MB
        stack.ledger.record(Entry("team/app", NOW + number * MINUTE, "changed", text), event=str(number))
    assert [entry.text[:2] for entry in stack.ledger.history("team/app")] == [f"{number:02}" for number in range(40)]


def test_an_image_knows_the_indexes_that_list_it(stack: Stack) -> None:
    for seed in ("index-1", "index-2"):
        stack.ledger.adopt(image_id(seed), [digest("amd64"), digest("arm64")], now=NOW)
    assert set(stack.ledger.indexes_of(image_id("amd64"))) == {image_id("index-1"), image_id("index-2")}
    assert stack.ledger.indexes_of(image_id("index-1")) == ()
    assert stack.ledger.indexes_of(image_id("amd64", repository="team/other")) == ()


def test_why_an_image_is_not_scanned_is_remembered(stack: Stack) -> None:
    stack.ledger.give_up_scanning(image_id(), why="archived", now=NOW)
    assert stack.ledger.why_unscanned(image_id()) == "archived"
    assert stack.ledger.why_unscanned(image_id("other")) is None
