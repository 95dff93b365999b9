"""The deployed stack of a stage, as its outputs name its parts."""

from collections.abc import Callable
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
    return _output(stage, connect, LEDGER_TABLE, "find the ledger", "; --table names it directly")


def prune_queue(stage: str, connect: Connect) -> str:
    """The URL of the queue of the stage's prune function. Raises as `ledger_table` does."""
    return _output(stage, connect, PRUNE_QUEUE, "find the prune function")


def _output(stage: str, connect: Connect, name: str, what: str, otherwise: str = "") -> str:
    stack = f"EcrWarden-{stage}"
    with asking(f"{what} of stack {stack}{otherwise}"):
        stacks: Any = connect("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", ())}
    if name not in outputs:
        instead = otherwise.replace("; --table names it directly", "; name the table by --table")
        raise Refused(f"stack {stack} has no output {name}: expected one of ECR Warden{instead}")
    return str(outputs[name])
