"""Carrying out a plan: each action is written down before it is taken, and again when it is done."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from warden.actions import Action, ActionKind, Deed, Result
from warden.errors import Refused
from warden.ledger import Entry, Ledger
from warden.names import RepositoryName
from warden.policy import Mode

Apply = Callable[[Action], None]
KIND = "standard"
"""What the ledger calls these entries."""
BEGUN = "begun"


def carry_out(
    actions: Iterable[Action], apply: Apply, ledger: Ledger, *, event: str, at: datetime, by: str = ""
) -> tuple[Deed, ...]:
    """Take the actions that are to be enforced and report the others; one that ECR refuses does not stop the next.

    `apply` makes one change (`Registry.apply`, or for lifecycle policies `Registry.apply_lifecycle`). The first record
    tells, if the sandbox is killed, what was begun. `by` is the person who asked for it, if one did.
    """
    return tuple(_carry_out(action, apply, ledger, event, at, by) for action in actions)


def carried_out(repository: RepositoryName, ledger: Ledger, *, event: str, at: datetime) -> tuple[Deed, ...]:
    """What all tries of one message did together: the earlier ones may have died before they could tell.

    What was begun, and was not in the plan of a later try, was done.
    """
    return tuple(
        _remembered(repository, entry.details)
        for entry in ledger.history(repository, since=at)
        if entry.kind == KIND and entry.details["event"] == event
    )


def _carry_out(action: Action, apply: Apply, ledger: Ledger, event: str, at: datetime, by: str) -> Deed:
    if action.blocked:
        deed = Deed(action, Result.BLOCKED, action.blocked)
    elif action.mode is not Mode.ENFORCE:
        deed = Deed(action, Result.REPORTED)
    else:
        _record(Deed(action, Result.DONE), BEGUN, ledger, event, at, by)
        try:
            apply(action)
            deed = Deed(action, Result.DONE)
        except Refused as refusal:
            deed = Deed(action, Result.REFUSED, str(refusal))
    _record(deed, deed.result, ledger, event, at, by)
    return deed


def _record(deed: Deed, result: str, ledger: Ledger, event: str, at: datetime, by: str) -> None:
    action = deed.action
    details = {
        "result": result,
        "rule": action.origin,
        "kind": str(action.kind),
        "field": action.field,
        "before": action.before,
        "after": action.after,
        "why": action.reason,
        "refusal": deed.reason,
        "original": action.original,
        "event": event,
        "by": by,
    }
    told = {name: value for name, value in details.items() if value}
    ledger.record(Entry(action.repository, at, KIND, str(deed), told), event=f"{event}#{action.kind}")


def _remembered(repository: RepositoryName, details: Mapping[str, str]) -> Deed:
    action = Action(
        kind=ActionKind(details["kind"]),
        repository=repository,
        field=details["field"],
        before=details["before"],
        after=details["after"],
        reason=details.get("why", ""),
        origin=details["rule"],
        mode=Mode.ENFORCE,
        original=details.get("original", ""),
    )
    result = Result.DONE if details["result"] == BEGUN else Result(details["result"])
    return Deed(action, result, details.get("refusal", ""))
