"""Functions as they are deployed, with doubles in place of AWS, and what a test asks of them."""

from typing import Any

from repository_changed import ChangedRepositories
from sweep import Sweep
from tests.account import Account, Stack
from tests.builders import HOME, NOW, a_policy
from warden.notices import Notice
from warden.policy import Policy

ROLE_PATH = "/ecr-warden/dev/"
REPORT = {"tags__mode": "report", "scanning__mode": "report", "lifecycle__mode": "report", "mode": "report"}
SWEEP = '{"source":"warden","detail-type":"Sweep","time":"2026-11-23T12:00:00Z"}'


def changed(account: Account, stack: Stack, policy: Policy | None = None) -> ChangedRepositories:
    notices = stack.queue("notices")
    return ChangedRepositories(HOME, ROLE_PATH, policy or a_policy(), account.registry, stack.ledger, notices)


def sweep(account: Account, stack: Stack, policy: Policy | None = None) -> Sweep:
    queues = {name: stack.queue(name) for name in ("own", "notices", "pushes", "judgements")}
    return Sweep(HOME, policy or a_policy(), account.registry, stack.ledger, stack.tallies, **queues)


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
