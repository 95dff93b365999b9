"""Carrying out a plan: each action is written down before it is taken, and again when it is done."""

from collections.abc import Iterable
from datetime import datetime

from warden.errors import Refused
from warden.ledger import Entry, Ledger
from warden.planning import Action, Deed, Result
from warden.policy import Mode
from warden.registry import Registry


def carry_out(
    actions: Iterable[Action], registry: Registry, ledger: Ledger, *, event: str, at: datetime
) -> tuple[Deed, ...]:
    """Take the actions that are to be enforced and report the others; one that ECR refuses does not stop the next.

    The first record tells, if the sandbox is killed, what was begun.
    """
    return tuple(_carry_out(action, registry, ledger, event, at) for action in actions)


def _carry_out(action: Action, registry: Registry, ledger: Ledger, event: str, at: datetime) -> Deed:
    if action.blocked:
        deed = Deed(action, Result.BLOCKED, action.blocked)
    elif action.mode is not Mode.ENFORCE:
        deed = Deed(action, Result.REPORTED)
    else:
        _record(action, "begun", str(Deed(action, Result.DONE)), ledger, event, at)
        try:
            registry.apply(action)
            deed = Deed(action, Result.DONE)
        except Refused as refusal:
            deed = Deed(action, Result.REFUSED, str(refusal))
    _record(action, deed.result, str(deed), ledger, event, at)
    return deed


def _record(action: Action, result: str, text: str, ledger: Ledger, event: str, at: datetime) -> None:
    details = {"result": result, "rule": action.origin}
    ledger.record(Entry(action.repository, at, "standard", text, details), event=f"{event}#{action.kind}")
