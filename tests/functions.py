"""Functions as they are deployed, with doubles in place of AWS, and what a test asks of them."""

from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol

from repository_changed import ChangedRepositories
from scan_finished import FinishedScans
from sweep import Sweep
from tests.account import Account, Stack
from tests.builders import HOME, NOW, a_policy
from tests.wire import Wire
from warden.clearing import Clearing
from warden.consequences import Consequences
from warden.image_labels import Download, ImageLabels
from warden.image_rounds import ImageRounds
from warden.inspector import Inspector
from warden.looking import Looking
from warden.notices import Notice
from warden.policy import Policy
from warden.prunings import Prunings
from warden.quarantines import Quarantines
from warden.queues import Queue
from warden.registry import Registry
from warden.telling import Telling
from warden.vacancies import Vacancies

ROLE_PATH = "/ecr-warden/dev/"
REPORT = {"tags__mode": "report", "scanning__mode": "report", "lifecycle__mode": "report", "mode": "report"}
SWEEP = '{"source":"warden","detail-type":"Sweep","time":"2026-11-23T12:00:00Z"}'


def changed(account: Account, stack: Stack, policy: Policy | None = None) -> ChangedRepositories:
    notices = stack.queue("notices")
    prunes = stack.queue("prunes")
    return ChangedRepositories(HOME, ROLE_PATH, policy or a_policy(), account.registry, stack.ledger, notices, prunes)


class RememberingQueue(Queue):
    """A queue that remembers what was sent with a delay, which SQS shows to nobody until then."""

    def __init__(self, client: Any, url: str) -> None:
        super().__init__(client, url)
        self.late: list[tuple[str, int]] = []

    def send(self, body: str, *, delay: int = 0, attributes: dict[str, str] | None = None) -> None:
        super().send(body, delay=delay, attributes=attributes)
        self.late.append((body, delay))


def later(function: FinishedScans, stack: Stack, now: datetime) -> list[str]:
    """Let time pass until the function has nothing more to do that it put off; its outcomes."""
    assert isinstance(function.own, RememberingQueue)
    outcomes: list[str] = []
    numbers = count()
    waiting: list[tuple[datetime, int, str]] = []
    while function.own.late or waiting:
        for body, delay in function.own.late:
            heappush(waiting, (now + timedelta(seconds=delay), next(numbers), body))
        function.own.late.clear()
        now, _, body = heappop(waiting)
        outcomes.append(function.handle(stack.message(body, now=now)).name)
    return outcomes


def finished_scans(
    account: Account,
    stack: Stack,
    policy: Policy | None = None,
    *,
    inspector: Inspector | None = None,
    download: Download | None = None,
) -> FinishedScans:
    policy, registry = policy or a_policy(), account.registry
    notices, own = stack.queue("notices"), RememberingQueue(stack.sqs, stack.url("own"))
    labels = ImageLabels(account.wire.client(), registry, download or account.download)
    return FinishedScans(
        HOME,
        registry,
        stack.ledger,
        Looking(HOME, policy, registry, stack.ledger, stack.judged, inspector),
        Telling(HOME, policy, stack.ledger, stack.judged, stack.held, labels, notices, own),
        Consequences(
            HOME, Quarantines(stack.dynamodb, "ledger"), stack.queue("promotions"), stack.queue("quarantines")
        ),
        own,
    )


class Wired(Protocol):
    """A registry at the wire: the account's, or that of the local cloud."""

    wire: Wire


def sweep(account: Wired, stack: Stack, policy: Policy | None = None) -> Sweep:
    policy, client = policy or a_policy(), account.wire.client()
    registry, quarantines = Registry(client, client), Quarantines(stack.dynamodb, "ledger")
    clearing = Clearing(
        policy=policy,
        registry=registry,
        vacancies=Vacancies(client, registry, stack.dynamodb, "ledger"),
        prunings=Prunings(stack.dynamodb, "ledger"),
        quarantines=quarantines,
        ledger=stack.ledger,
        tallies=stack.tallies,
    )
    judgements = stack.queue("judgements")
    rounds = ImageRounds(
        home=HOME,
        policy=policy,
        registry=registry,
        ledger=stack.ledger,
        quarantines=quarantines,
        pushes=stack.queue("pushes"),
        judgements=judgements,
        quarantining=stack.queue("quarantines"),
    )
    return Sweep(
        home=HOME,
        policy=policy,
        registry=registry,
        ledger=stack.ledger,
        tallies=stack.tallies,
        clearing=clearing,
        rounds=rounds,
        own=stack.queue("own"),
        notices=stack.queue("notices"),
        judgements=judgements,
        inventories=stack.queue("inventories"),
    )


def run(function: Sweep, stack: Stack, start: str = SWEEP, *, now: Any = NOW) -> list[str]:
    """Run a sweep to its end, as its queue would, what is held back included."""
    outcomes = []
    waiting = [start]
    while waiting:
        outcomes += [function.handle(stack.message(body, now=now)).name for body in waiting]
        waiting = stack.bodies("own")
    return outcomes


def text(notice: Notice) -> str:
    lines = [notice.summary, *(item for section in notice.sections for item in section.items), notice.next_step]
    return "\n".join("".join(span.text for span in line) for line in lines)
