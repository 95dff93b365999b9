"""The local cloud with the deployed stack, and what a test of many events wants to know of it."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any
from urllib.request import urlopen

import boto3

from local.demo.images import Client
from local.demo.surroundings import REGION, Account, eventually

PATIENCE = 240.0
QUIET = 3.0
"""Seconds in which nothing may come any more once the queues are empty."""
WAITING = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
REPORT = re.compile(r"REPORT RequestId: \S+\tDuration: (\d+) ms")


@dataclass(frozen=True)
class Cloud:
    """The account; `outputs` are the stack's."""

    account: Account
    outputs: Mapping[str, str]

    @cached_property
    def ecr(self) -> Any:
        """The registry; a client is made once, which takes longer than many a call."""
        return self.account.ecr

    @cached_property
    def sqs(self) -> Any:
        """The queues."""
        return self.account.sqs

    @cached_property
    def docker(self) -> Client:
        """A registry client that is logged in."""
        return self.account.client()

    def control(self, what: str, order: Any) -> dict[str, Any]:
        """Ask the local cloud itself, see `local/emulator/controls.py`."""
        with urlopen(f"{self.account.endpoint}/_warden/{what}", json.dumps(order).encode()) as answer:  # noqa: S310
            said: dict[str, Any] = json.load(answer)
            return said

    def waiting(self, queues: Iterable[str]) -> dict[str, int]:
        """How many messages are in the queues, in hand and held back included; those that are empty are left out."""
        found = {}
        for name in queues:
            answer = self.sqs.get_queue_attributes(QueueUrl=self.outputs[name], AttributeNames=list(WAITING))
            found[name] = sum(map(int, answer["Attributes"].values()))
        return {name: count for name, count in found.items() if count}

    def settle(self, patience: float = PATIENCE) -> float:
        """Wait until every queue is empty and stays so; the moment at which they were, by `time.monotonic`."""
        queues = self.outputs_of("Queue")
        ends = time.monotonic() + patience
        while time.monotonic() < ends:
            if not self.waiting(queues):
                empty = time.monotonic()
                time.sleep(QUIET)
                if not self.waiting(queues):
                    return empty
            time.sleep(0.25)
        raise AssertionError(f"still waiting: {self.waiting(queues)}")

    def dead_letters(self) -> dict[str, int]:
        """What was given up, by queue."""
        return self.waiting(self.outputs_of("DeadLetters"))

    def messages(self) -> list[str]:
        """What was posted to chat, each message in full."""
        return [json.dumps(message.payload, ensure_ascii=False) for message in list(self.account.chat.messages)]

    def about(self, words: str) -> list[str]:
        """The messages that say so."""
        return [text for text in self.messages() if words in text]

    def message_about(self, words: str, patience: float = PATIENCE) -> str:
        """The first message that says so, as soon as it is there."""
        found = eventually(lambda: self.about(words), patience)
        assert found, f"no message about {words}; waiting: {self.waiting(self.outputs_of('Queue'))}"
        return found[0]

    def outputs_of(self, kind: str) -> Sequence[str]:
        """The outputs whose names end so."""
        return [name for name in self.outputs if name.endswith(kind)]

    def outcomes(self, function: str, since: float = 0) -> Counter[str]:
        """What became of the function's messages since then, by its log: to print, not to assert.

        The emulator does not wait for the last lines of an invocation: they come with the sandbox's next one.
        """
        lines = (json.loads(text) for _, text in self._logged(function, '"message_id"', since))
        return Counter(line["message"] for line in lines if line["message"] not in {"NotHeld", "NotMoved"})

    def at_once(self, function: str, since: float = 0) -> int:
        """How many invocations of the function ran at the same time, at most, by its log."""
        steps = []
        for ended, text in self._logged(function, '"REPORT RequestId"', since):
            if found := REPORT.match(text):
                steps += [(ended - int(found[1]), 1), (ended, -1)]
        return max(accumulate(step for _, step in sorted(steps)), default=0)

    def verdicts(self, repositories: str) -> Counter[str]:
        """The last verdicts in the ledger on the images of repositories whose names begin so."""
        pages = (
            self.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self.outputs["LedgerTable"],
                FilterExpression="begins_with(pk, :known)",
                ExpressionAttributeValues={":known": {"S": f"known#{repositories}"}},
            )
        )
        return Counter(item["verdict"]["S"] for page in pages for item in page["Items"])

    def _logged(self, function: str, pattern: str, since: float) -> Iterator[tuple[int, str]]:
        """The lines with that pattern, each with its time in milliseconds."""
        config = self.client("lambda").get_function_configuration(FunctionName=self.outputs[f"{function}Function"])
        pages = (
            self.client("logs")
            .get_paginator("filter_log_events")
            .paginate(
                logGroupName=config["LoggingConfig"]["LogGroup"],
                filterPattern=pattern,
                startTime=int(since * 1000),
            )
        )
        return ((event["timestamp"], event["message"]) for page in pages for event in page["events"])

    def client(self, service: str) -> Any:
        """A client of any service."""
        session = boto3.Session("test", "test", region_name=REGION)
        return session.client(service, endpoint_url=self.account.endpoint)  # type: ignore[call-overload]
