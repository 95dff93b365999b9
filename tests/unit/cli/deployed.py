"""What the command finds in an account where the warden is deployed, and a clock that only waiting moves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cli.orders import Asked
from cli.patience import Patience
from tests.account import Stack
from tests.builders import NOW
from tests.local_account import LocalAccount
from warden.ledger import Entry
from warden.names import ImageId

PERSON = "arn:aws:sts::111122223333:assumed-role/Admin/\x1b[31malice"
ALICE = "arn:aws:sts::111122223333:assumed-role/Admin/\ufffd[31malice"


class Sts:
    """A person with a name that a terminal would obey."""

    class meta:  # noqa: N801 - botocore's name
        region_name = "eu-central-1"

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": PERSON, "Account": "111122223333"}


@dataclass
class CloudFormation:
    """One stack, which has these outputs."""

    outputs: dict[str, str]

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        assert StackName == "EcrWarden-dev"
        return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": it} for key, it in self.outputs.items()]}]}


class Deployed:
    """An account with the stack of stage dev, at the wire."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.registry = LocalAccount()
        self.registry.create()
        self.stack_of_the_stage = CloudFormation(
            {
                "LedgerTable": "ledger",
                **{f"{title}Queue": stack.url(title) for title in ("Promote", "Quarantine")},
                **{f"{title}DeadLetters": f"https://sqs/{title}Dead" for title in ("Promote", "Quarantine")},
            }
        )
        self.broken: dict[str, Any] = {}

    def connect(self, service: str) -> Any:
        clients: dict[str, Callable[[], Any]] = {
            "ecr": self.registry.wire.client,
            "dynamodb": lambda: self.stack.dynamodb,
            "sqs": lambda: self.stack.sqs,
            "sts": Sts,
            "cloudformation": lambda: self.stack_of_the_stage,
        }
        return self.broken.get(service) or clients[service]()

    def record(self, image: ImageId, kind: str, text: str, *, minutes: float = 0, **details: str) -> None:
        """A line of the ledger, as a function writes it."""
        entry = Entry(str(image), NOW + timedelta(minutes=minutes), kind, text, details)
        self.stack.ledger.record(entry, event=f"{details.get('event', '')}#{details.get('result', '')}")


@dataclass
class Clock:
    """Seconds that pass only while somebody sleeps; `then` is what happens at each sleep, as the seconds stand."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    then: Callable[[float], None] = lambda _: None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        self.then(self.now - 1000)

    def patience(self, seconds: float) -> Patience:
        return Patience(self.now + seconds, lambda: self.now, self.sleep)


def asked(reason: str = "release day", **changes: Any) -> Asked:
    values: dict[str, Any] = {"reason": reason, "stage": "dev", "table": None, "timeout": 60, "wait": True}
    return Asked(**{**values, "as_json": False, **changes})
