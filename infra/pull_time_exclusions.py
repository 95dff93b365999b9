"""What the warden reads of an image is no pull: else images would live for being looked at.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-time-update-exclusions.html
"""

from collections.abc import Iterable

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from infra.event_function import EventFunction

READS_IMAGES = "BatchGetImage"
"""The call by which an image is pulled."""


class PullTimeExclusions(Construct):
    """One exclusion for the role of each function that reads images."""

    def __init__(self, scope: Construct, id: str, *, functions: Iterable[EventFunction]) -> None:
        """`functions` are all functions; those that may not read images need no exclusion."""
        super().__init__(scope, id)
        for function in functions:
            if any(READS_IMAGES in permission.actions for permission in function.spec.ecr):
                ecr.CfnPullTimeUpdateExclusion(self, function.spec.title, principal_arn=function.role_arn)
