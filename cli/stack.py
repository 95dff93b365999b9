"""The deployed stack of a stage, as its outputs name its parts."""

from collections.abc import Callable
from typing import Any

from cli.aws import asking
from warden.errors import Refused

Connect = Callable[[str], Any]
"""Makes the client of a service."""
OUTPUT = "LedgerTable"
"""The stack's output that names the ledger's table."""


def ledger_table(stage: str, connect: Connect) -> str:
    """The name of the stage's ledger. Raises Refused where there is none, Unavailable where AWS does not answer."""
    stack = f"EcrWarden-{stage}"
    with asking(f"find the ledger of stack {stack}; --table names it directly"):
        stacks: Any = connect("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", ())}
    if OUTPUT not in outputs:
        raise Refused(f"stack {stack} has no output {OUTPUT}: expected one of ECR Warden; name the table by --table")
    return str(outputs[OUTPUT])
