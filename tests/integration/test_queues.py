"""Queues: whole batches, and nothing lost where SQS takes only some."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.account import Stack
from warden.errors import Unavailable
from warden.queues import Queue


def test_many_messages_go_ten_in_a_call(stack: Stack) -> None:
    calls: list[int] = []
    stack.sqs.meta.events.register(
        "provide-client-params.sqs.SendMessageBatch", lambda params, **_: calls.append(len(params["Entries"]))
    )
    stack.queue("q").send_all(str(number) for number in range(25))
    assert sorted(map(int, stack.bodies("q"))) == list(range(25))
    assert calls == [10, 10, 5]


def test_none_is_no_call(stack: Stack) -> None:
    stack.queue("q").send_all(())
    assert stack.bodies("q") == []


def test_a_delay_is_kept_within_what_sqs_allows(stack: Stack) -> None:
    stack.queue("q").send("late", delay=100_000)
    stack.queue("q").send_all(["later"], delay=60)
    assert (stack.bodies("q"), stack.held_back("q")) == ([], 2)


def test_a_message_that_sqs_did_not_take_is_noticed(stack: Stack) -> None:
    def partly(http_response: Any, parsed: dict[str, Any], **_: Mapping[str, Any]) -> None:
        parsed["Failed"] = [{"Id": "1", "Code": "InternalError", "SenderFault": False}]

    stack.sqs.meta.events.register("after-call.sqs.SendMessageBatch", partly)
    with pytest.raises(Unavailable, match="did not take 1 of 3 messages: InternalError"):
        Queue(stack.sqs, stack.url("q")).send_all("abc")
