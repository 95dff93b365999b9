"""Where a rule of cdk-nag does not fit: said on the construct that it speaks of, with the reason."""

from aws_cdk import Acknowledgment, Stack, Token, Validations
from constructs import Construct

SWITCH = "acknowledged"
"""Context: with `-c acknowledged=false` synth fails and shows every finding, the acknowledged ones too."""


def accept(construct: Construct, rule: str, reason: str) -> None:
    """Acknowledge one finding on this construct and what it is made of."""
    if str(construct.node.try_get_context(SWITCH)).lower() != "false":
        Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def wildcard_of(stack: Stack, service: str, resource: str, *, region: str = "") -> str:
    """The name of the finding that an ARN holds a wildcard; cdk-nag prints what is not known at synth in brackets.

    The ARN is of this account, and of this region where none is named.
    """
    partition = _printed(stack.partition, "<AWS::Partition>")
    region = region or _printed(stack.region, "<AWS::Region>")
    account = _printed(stack.account, "<AWS::AccountId>")
    return f"AwsSolutions-IAM5[Resource::arn:{partition}:{service}:{region}:{account}:{resource}]"


def _printed(value: str, otherwise: str) -> str:
    return otherwise if Token.is_unresolved(value) else value
