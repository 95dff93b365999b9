"""A batch: what can be done is done, what can't comes again later or goes to the dead-letter queue with the reason."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics.provider.cold_start import reset_cold_start_flag

import image_pushed
import notify
import promote
import quarantine
import repository_changed
import scan_finished
import sweep
from tests.account import Stack
from tests.builders import NOW, a_policy, image_id, push
from warden import runtime
from warden.errors import Invalid, Refused, Unavailable
from warden.queues import Message, Queue
from warden.runtime import Batch, Deployment, Function, Outcome


@dataclass
class Context:
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:111122223333:function:f"
    remaining: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining


def records(stack: Stack, *bodies: str) -> list[Mapping[str, Any]]:
    """The messages as Lambda hands them on."""
    for body in bodies:
        stack.sqs.send_message(QueueUrl=stack.url("own"), MessageBody=body)
    received = stack.sqs.receive_message(
        QueueUrl=stack.url("own"),
        MaxNumberOfMessages=10,
        AttributeNames=["ApproximateReceiveCount"],
        VisibilityTimeout=0 if not bodies else 30,
    )["Messages"]
    return [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
        }
        for message in received
    ]


def act(message: Message) -> Outcome:
    """Does what its message says."""
    match message.body:
        case "invalid":
            raise Invalid("the body is not an event")
        case "refused":
            raise Refused("that would break a promise")
        case "busy":
            raise Unavailable("busy", retry_after=77)
        case "down":
            raise Unavailable("down")
        case "bug":
            raise ZeroDivisionError("made up \x1b[31m")
    return Outcome("Handled", message.body)


def batch(stack: Stack, *, max_receives: int = 10, queue: Queue | None = None, service: str = "test") -> Batch:
    return Batch(
        act,
        queue=queue or stack.queue("own"),
        dead_letters=stack.queue("dead"),
        max_receives=max_receives,
        log=Logger(service=service),
        metrics=Metrics(namespace="test", service=service),
    )


def failed(answer: dict[str, Any], given: list[Mapping[str, Any]]) -> list[str]:
    ids = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
    return [record["body"] for record in given if record["messageId"] in ids]


def dead(stack: Stack) -> list[tuple[str, str]]:
    messages = stack.sqs.receive_message(
        QueueUrl=stack.url("dead"), MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages", [])
    return [(message["Body"], message["MessageAttributes"]["reason"]["StringValue"]) for message in messages]


def run(stack: Stack, given: list[Mapping[str, Any]], *, remaining: int = 60_000, **kwargs: Any) -> list[str]:
    return failed(batch(stack, **kwargs).run(given, lambda: remaining, lambda: NOW), given)


def test_one_bad_message_does_not_stop_the_batch(stack: Stack) -> None:
    given = records(stack, "a", "invalid", "bug", "b", "refused", "busy", "c")
    assert sorted(run(stack, given)) == ["bug", "busy"]
    assert sorted(dead(stack)) == [
        ("invalid", "the body is not an event"),
        ("refused", "that would break a promise"),
    ]


def test_a_message_that_fails_for_the_last_time_is_given_up_with_its_reason(stack: Stack) -> None:
    given = records(stack, "down", "bug")
    assert run(stack, given, max_receives=1) == []
    reasons = dict(dead(stack))
    assert reasons["down"] == "down"
    assert reasons["bug"].startswith("ZeroDivisionError: made up")
    assert "\x1b" not in reasons["bug"]


@pytest.mark.parametrize(("body", "seconds"), [("busy", 77), ("down", 10), ("bug", 10)])
def test_a_message_that_can_not_be_handled_now_is_held_back(stack: Stack, body: str, seconds: int) -> None:
    class Holding(Queue):
        """moto does not tell how long a message is held."""

        held: list[int] = []  # noqa: RUF012 - one test, one list

        def hold(self, _: Message, seconds: int) -> None:
            self.held.append(seconds)

    given = records(stack, body)
    queue = Holding(stack.sqs, stack.url("own"))
    batch(stack, queue=queue).run(given, lambda: 60_000, lambda: NOW)
    assert queue.held == [seconds]


def test_what_there_is_no_time_for_is_not_begun(stack: Stack) -> None:
    given = records(stack, "a", "b")
    assert run(stack, given, remaining=10_000) == ["a", "b"]


def test_when_the_dead_letter_queue_fails_the_message_stays(stack: Stack) -> None:
    given = records(stack, "invalid")
    function = batch(stack)
    stack.sqs.delete_queue(QueueUrl=stack.url("dead"))
    assert failed(function.run(given, lambda: 60_000, lambda: NOW), given) == ["invalid"]


def test_when_a_message_can_not_be_held_it_comes_again_anyway(stack: Stack) -> None:
    given = records(stack, "down")
    stack.sqs.delete_message(QueueUrl=stack.url("own"), ReceiptHandle=given[0]["receiptHandle"])
    stack.sqs.delete_queue(QueueUrl=stack.url("own"))
    assert run(stack, given) == ["down"]


def test_every_outcome_is_counted_and_logged_on_one_line(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    run(stack, records(stack, "a", "b", "invalid"), service="its own log")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metrics,) = [line for line in lines if "_aws" in line]
    assert (metrics["Received"], metrics["Handled"], metrics["GivenUp"]) == ([3.0], [1.0, 1.0], [1.0])
    told = sorted((line["message"], line.get("subject"), line.get("reason")) for line in lines if "_aws" not in line)
    assert told == [
        ("GivenUp", None, "the body is not an event"),
        ("Handled", "a", ""),
        ("Handled", "b", ""),
    ]


@pytest.fixture
def deployed(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a stack gives a function."""
    reset_cold_start_flag()  # type: ignore[no-untyped-call]
    names = {"QUEUE": "own", "DEAD_LETTERS": "dead"}
    others = ("notices", "judgements", "pushes", "prunes", "inventories", "promotions", "quarantines")
    names |= {name.upper(): name for name in others}
    for variable, name in names.items():
        monkeypatch.setenv(f"WARDEN_{variable}", stack.url(name))
    monkeypatch.setenv("WARDEN_LEDGER", "ledger")
    monkeypatch.setenv("WARDEN_MAX_RECEIVES", "10")
    monkeypatch.setenv("WARDEN_ROLE_PATH", "/ecr-warden/dev/")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ECRWarden")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "test")
    yield


def test_a_function_connects_once_and_knows_its_home_from_its_arn(stack: Stack, deployed: None) -> None:
    homes = []

    def connect(deployment: Deployment) -> Callable[[Message], Outcome]:
        homes.append(deployment.home)
        return act

    function = Function(connect)
    for _ in range(2):
        assert function({"Records": records(stack, "a")}, Context()) == {"batchItemFailures": []}
    assert [(home.account, home.region) for home in homes] == [("111122223333", "eu-central-1")]


@pytest.mark.parametrize(
    "module", [image_pushed, scan_finished, promote, quarantine, repository_changed, sweep, notify]
)
def test_every_handler_drops_a_foreign_message_or_gives_it_up(
    stack: Stack, deployed: None, module: Any, tmp_path: Path
) -> None:
    """The module's own `handler`, wired as in a deployment."""

    class Here(Deployment):
        policy = a_policy()  # what synth would have compiled into the asset

    function = Function(lambda deployment: module.connect(Here(os.environ, deployment.home)))
    foreign = push(image_id(), account="999988887777")
    given = records(stack, foreign, "{")
    assert function({"Records": given}, Context()) == {"batchItemFailures": []}
    given_up = [body for body, _ in dead(stack)]
    assert "{" in given_up
    assert (foreign in given_up) == (module is notify)
    assert isinstance(module.handler, Function)


def test_the_policy_is_read_from_the_asset() -> None:
    assert Path(image_pushed.__file__).parent / "policy.json" == runtime.POLICY


def test_every_client_retries_by_the_standard_and_does_not_wait_long(deployed: None) -> None:
    assert runtime.RETRYING.retries == {"mode": "standard", "total_max_attempts": 8}  # type: ignore[attr-defined]
    for config in (runtime.RETRYING, runtime.TRYING_ONCE):
        assert (config.connect_timeout, config.read_timeout) == (2, 10)  # type: ignore[attr-defined]
