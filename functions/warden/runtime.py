"""How Lambda calls a handler: a batch of messages, each handled by itself, and what becomes of those that fail.

Powertools' own batch processor retries a failed message at once and moves it to the dead-letter queue without a reason;
ours holds it back for as long as it makes sense, and says why it gave up.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from warden import compiled_policy, text
from warden.errors import Invalid, Refused, Unavailable
from warden.events import Home
from warden.held_news import HeldNews
from warden.image_labels import Download, ImageLabels
from warden.image_tags import ImageTags
from warden.inspector import Inspector
from warden.judged_images import JudgedImages
from warden.ledger import Ledger
from warden.pacing import Pace
from warden.policy import Policy
from warden.queues import LONGEST_DELAY, Message, Queue
from warden.registry import Registry
from warden.secrets import Secrets
from warden.tallies import Tallies
from warden.threads import Threads

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_inspector2 import Inspector2Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

POLICY = Path(__file__).parent.parent / "policy.json"
TIMEOUTS: dict[str, Any] = {"connect_timeout": 2, "read_timeout": 10}
RETRYING = Config(retries={"mode": "standard", "total_max_attempts": 8}, **TIMEOUTS)
TRYING_ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1}, **TIMEOUTS)
MARGIN = 20_000
"""Milliseconds that must be left of an invocation for another message to be begun."""
LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message: a name to count it by, what it was about, and the particulars."""

    name: str
    subject: str = ""
    reason: str = ""


Handle = Callable[[Message], Outcome]


class Context(Protocol):
    """What we use of Lambda's context object."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """How long this invocation may still run."""


class Deployment:
    """What a deployed function finds around it, made when first asked for."""

    def __init__(self, environment: Mapping[str, str], home: Home) -> None:
        """`environment` holds the names that the stack gave the function; `home` is where it runs."""
        self._environment = environment
        self.home = home

    def __getitem__(self, name: str) -> str:
        """One name that the stack gave."""
        return self._environment[name]

    @cached_property
    def policy(self) -> Policy:
        """The compiled policy."""
        return compiled_policy.load(POLICY)

    @cached_property
    def registry(self) -> Registry:
        """The account's registry."""
        once_client: ECRClient = boto3.client("ecr", config=TRYING_ONCE)
        return Registry(self.ecr, self._pace.hold(once_client))

    @cached_property
    def image_tags(self) -> ImageTags:
        """The tags of the registry's images."""
        return ImageTags(self.ecr, self.registry)

    @cached_property
    def ledger(self) -> Ledger:
        """The stack's ledger."""
        return Ledger(self.dynamodb, self["WARDEN_LEDGER"])

    @cached_property
    def tallies(self) -> Tallies:
        """The sweeps' tallies, in the ledger's table."""
        return Tallies(self.dynamodb, self["WARDEN_LEDGER"])

    @cached_property
    def judged_images(self) -> JudgedImages:
        """The images that were judged, in the ledger's table."""
        return JudgedImages(self.dynamodb, self["WARDEN_LEDGER"])

    @cached_property
    def held_news(self) -> HeldNews:
        """The news that is held back, in the ledger's table."""
        return HeldNews(self.dynamodb, self["WARDEN_LEDGER"])

    @cached_property
    def inspector(self) -> Inspector:
        """Amazon Inspector."""
        client: Inspector2Client = boto3.client("inspector2", config=RETRYING)
        return Inspector(client)

    def image_labels(self, download: Download) -> ImageLabels:
        """The labels of the registry's images."""
        return ImageLabels(self.ecr, self.registry, download)

    @cached_property
    def threads(self) -> Threads:
        """The threads of the channels, in the ledger's table."""
        return Threads(self.dynamodb, self["WARDEN_LEDGER"])

    def publish(self, topic: str, text: str) -> None:
        """Publish a text to an SNS topic."""
        self._sns.publish(TopicArn=topic, Message=text)

    @cached_property
    def _sns(self) -> "SNSClient":
        return boto3.client("sns", config=RETRYING)

    @cached_property
    def secrets(self) -> Secrets:
        """The channels' secrets."""
        client: SecretsManagerClient = boto3.client("secretsmanager", config=RETRYING)
        return Secrets(client)

    def queue(self, name: str) -> Queue:
        """The queue whose URL stands under that name."""
        return Queue(self._sqs, self[name])

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """A DynamoDB client."""
        return boto3.client("dynamodb", config=RETRYING)

    @cached_property
    def _pace(self) -> Pace:
        return Pace(time.monotonic, time.sleep)

    @cached_property
    def ecr(self) -> "ECRClient":
        """An ECR client that keeps the pace."""
        client: ECRClient = boto3.client("ecr", config=RETRYING)
        return self._pace.hold(client)

    @cached_property
    def _sqs(self) -> "SQSClient":
        return boto3.client("sqs", config=RETRYING)


class Function:
    """A Lambda handler: `connect` makes what handles one message, once a sandbox."""

    def __init__(self, connect: Callable[[Deployment], Handle]) -> None:
        """Nothing is read or connected before the first invocation."""
        self._connect = connect
        self._batch: Batch | None = None

    def __call__(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Handle a batch from SQS; the answer lists the messages that must come again."""
        if self._batch is None:
            _, _, _, region, account, *_ = context.invoked_function_arn.split(":")
            deployment = Deployment(os.environ, Home(account, region))
            self._batch = Batch(
                self._connect(deployment),
                queue=deployment.queue("WARDEN_QUEUE"),
                dead_letters=deployment.queue("WARDEN_DEAD_LETTERS"),
                max_receives=int(deployment["WARDEN_MAX_RECEIVES"]),
                log=Logger(),
                metrics=Metrics(),
            )
        return self._batch.run(event["Records"], context.get_remaining_time_in_millis, lambda: datetime.now(UTC))


class Batch:
    """Handles messages one after the other; what happens to one is nothing to the next."""

    def __init__(
        self,
        handle: Handle,
        *,
        queue: Queue,
        dead_letters: Queue,
        max_receives: int,
        log: Logger,
        metrics: Metrics,
    ) -> None:
        """`max_receives` is the queue's maxReceiveCount."""
        self._handle = handle
        self._queue = queue
        self._dead_letters = dead_letters
        self._max_receives = max_receives
        self._log = log
        self._metrics = metrics

    def run(
        self, records: list[Mapping[str, Any]], remaining: Callable[[], int], clock: Callable[[], datetime]
    ) -> dict[str, Any]:
        """The partial batch response: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html."""
        failed: list[str] = []
        self._metrics.add_metric("Received", MetricUnit.Count, len(records))
        for record in records:
            message = Message(
                id=record["messageId"],
                body=record["body"],
                receipt=record["receiptHandle"],
                receives=int(record["attributes"]["ApproximateReceiveCount"]),
                now=clock(),
                left=remaining,
            )
            if remaining() < MARGIN:
                failed.append(message.id)  # not begun: it comes again when its visibility ends
                continue
            if not self._settle(message):
                failed.append(message.id)
        self._metrics.flush_metrics()
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _settle(self, message: Message) -> bool:
        """Whether the message is done with, for good or for ill."""
        try:
            outcome = self._handle(message)
        except (Invalid, Refused) as error:
            return self._give_up(message, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not take the rest of the batch with it
            return self._try_again(message, error)
        self._metrics.add_metric(outcome.name, MetricUnit.Count, 1)
        self._log.info(outcome.name, message_id=message.id, subject=outcome.subject, reason=outcome.reason)
        return True

    def _try_again(self, message: Message, error: Exception) -> bool:
        if message.receives >= self._max_receives:
            return self._give_up(message, error)
        self._metrics.add_metric("TriedAgain", MetricUnit.Count, 1)
        after = error.retry_after if isinstance(error, Unavailable) else None
        seconds = min(LONGEST_DELAY, round(after) if after is not None else 5 * 2 ** min(message.receives, 8))
        expected = isinstance(error, Unavailable)
        self._log.warning(
            "TriedAgain",
            message_id=message.id,
            receives=message.receives,
            after_seconds=seconds,
            reason=_reason(error),
            exc_info=not expected,
        )
        try:
            self._queue.hold(message, seconds)
        except Exception as trouble:  # noqa: BLE001 - then it comes again when its visibility ends
            self._log.warning("NotHeld", message_id=message.id, reason=_reason(trouble))
        return False

    def _give_up(self, message: Message, error: Exception) -> bool:
        self._metrics.add_metric("GivenUp", MetricUnit.Count, 1)
        reason = _reason(error)
        self._log.error("GivenUp", message_id=message.id, receives=message.receives, reason=reason)
        try:
            self._dead_letters.send(message.body, attributes={"reason": reason, "message": message.id})
        except Exception as trouble:  # noqa: BLE001 - SQS moves it there by itself in the end, without the reason
            self._log.warning("NotMoved", message_id=message.id, reason=_reason(trouble))
            return False
        return True


def _reason(error: Exception) -> str:
    words = str(error) or "no reason given"
    if not isinstance(error, (Invalid, Refused, Unavailable)):
        words = f"{type(error).__name__}: {words}"
    return text.clean(words, LONGEST_REASON)
