"""Queues to send to, and a message that came from one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from warden.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY = 900
"""Seconds: the longest that SQS holds a message back."""

A_WHOLE_RUN = 900_000
"""Milliseconds: the longest that Lambda runs."""


def _unhurried() -> int:
    return A_WHOLE_RUN


@dataclass(frozen=True, slots=True)
class Message:
    """One message from a function's queue; `receives` counts how often it came, this time included.

    `left` says how many milliseconds the invocation may still run.
    """

    id: str
    body: str
    receipt: str
    receives: int
    now: datetime
    left: Callable[[], int] = field(default=_unhurried, compare=False, repr=False)


class Queue:
    """One SQS queue."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        """`client` is an SQS client, `url` the queue's URL."""
        self._client = client
        self._url = url

    def send(self, body: str, *, delay: int = 0, attributes: dict[str, str] | None = None) -> None:
        """Send one message, `delay` seconds from now."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=body,
            DelaySeconds=min(delay, LONGEST_DELAY),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()
            },
        )

    def send_all(self, bodies: Iterable[str], *, delay: int = 0) -> None:
        """Send many messages, ten in a call, `delay` seconds from now.

        Raises Unavailable where SQS did not take them all.

        SendMessageBatch answers 200 with `Failed` entries:
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
        """
        for batch in _tens(bodies):
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "MessageBody": body, "DelaySeconds": min(delay, LONGEST_DELAY)}
                    for number, body in enumerate(batch)
                ],
            )
            if failed := answer.get("Failed"):
                raise Unavailable(f"SQS did not take {len(failed)} of {len(batch)} messages: {failed[0]['Code']}")

    def hold(self, message: Message, seconds: int) -> None:
        """Let a message of this queue come again only after so many seconds."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
        )


def _tens(bodies: Iterable[str]) -> Iterator[tuple[str, ...]]:
    rest = iter(bodies)
    while batch := tuple(islice(rest, 10)):
        yield batch
