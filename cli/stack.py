"""The deployed stack of a stage, as its outputs name its parts."""

from collections.abc import Callable, Mapping
from typing import Any

from cli.aws import asking
from warden.errors import Refused

Connect = Callable[[str], Any]
"""Makes the client of a service."""
LEDGER_TABLE = "LedgerTable"
"""The stack's output that names the ledger's table."""
PRUNE_QUEUE = "PruneQueue"
"""The one that gives the URL of the queue of the prune function."""


def ledger_table(stage: str, connect: Connect) -> str:
    """The name of the stage's ledger. Raises Refused where there is none, Unavailable where AWS does not answer."""
    outputs = _outputs(stage, connect, "find the ledger", "; --table names it directly")
    return _output(outputs, stage, LEDGER_TABLE, "; name the table by --table")


def prune_queue(stage: str, connect: Connect) -> str:
    """The URL of the queue of the stage's prune function. Raises as `ledger_table` does."""
    return _output(_outputs(stage, connect, "find the prune function"), stage, PRUNE_QUEUE)


def function_queues(stage: str, title: str, connect: Connect) -> tuple[str, str]:
    """The URLs of the queue and of the dead-letter queue of one of the stage's functions. Raises as `ledger_table`.

    `title` is the function's name in the stack, such as Promote.
    """
    outputs = _outputs(stage, connect, f"find the {title.lower()} function")
    older = f" with a {title.lower()} function; where it is of an older version, deploy it again"
    return _output(outputs, stage, f"{title}Queue", older), _output(outputs, stage, f"{title}DeadLetters", older)


def _outputs(stage: str, connect: Connect, what: str, otherwise: str = "") -> Mapping[str, str]:
    stack = _name(stage)
    with asking(f"{what} of stack {stack}{otherwise}"):
        stacks: Any = connect("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: str(output["OutputValue"]) for output in stacks[0].get("Outputs", ())}


def _output(outputs: Mapping[str, str], stage: str, name: str, otherwise: str = "") -> str:
    if name not in outputs:
        raise Refused(f"stack {_name(stage)} has no output {name}: expected one of ECR Warden{otherwise}")
    return outputs[name]


def _name(stage: str) -> str:
    return f"EcrWarden-{stage}"
