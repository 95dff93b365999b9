"""A stage: one deployment of the stack, beside others in the same account."""

import re
from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

LONGEST = 20
"""Characters: the longest queue name must stay within SQS's 80."""


class StageError(Exception):
    """The stage's name can't be used; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What differs between deployments; `prod` is the one that is kept.

    >>> Stage("prod").role_path
    '/ecr-warden/prod/'
    """

    name: str

    def __post_init__(self) -> None:
        """Raises StageError."""
        if len(self.name) > LONGEST or not re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", self.name):
            raise StageError(
                f"stage {self.name!r}: expected at most {LONGEST} lower-case letters, digits and hyphens, "
                "the first a letter: `-c stage=dev`"
            )

    @property
    def is_kept(self) -> bool:
        """Whether the stack is protected from being deleted, and its ledger outlives it."""
        return self.name == "prod"

    @property
    def stack_name(self) -> str:
        """The name of its stack."""
        return f"EcrWarden-{self.name}"

    @property
    def role_path(self) -> str:
        """The IAM path of the stack's roles, by which the warden knows its own writes."""
        return f"/ecr-warden/{self.name}/"

    @property
    def log_retention(self) -> logs.RetentionDays:
        """How long logs are kept."""
        return logs.RetentionDays.ONE_YEAR if self.is_kept else logs.RetentionDays.ONE_MONTH

    @property
    def ledger_removal(self) -> RemovalPolicy:
        """What becomes of the ledger when the stack goes."""
        return RemovalPolicy.RETAIN if self.is_kept else RemovalPolicy.DESTROY
