"""One change to a repository, why it is made, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum

from warden.names import RepositoryName
from warden.policy import Mode


class ActionKind(StrEnum):
    """The ECR mutation that an action makes."""

    SET_ACCESS_POLICY = "set repository policy"
    DELETE_ACCESS_POLICY = "delete repository policy"
    REVIEW_ACCESS_POLICY = "review repository policy"
    """Never taken: what can't be judged is a person's to read."""
    SET_TAG_IMMUTABILITY = "set tag immutability"
    SET_SCAN_ON_PUSH = "set scan on push"
    TAG_REPOSITORY = "tag repository"
    """Never taken: only people know the values."""
    CHANGE_ENCRYPTION = "change encryption"
    """Never taken: it is fixed when a repository is made."""
    PUT_LIFECYCLE_POLICY = "put lifecycle policy"
    DELETE_LIFECYCLE_POLICY = "delete lifecycle policy"
    DELETE_REPOSITORY = "delete repository"


@dataclass(frozen=True, slots=True)
class Action:
    """One ECR mutation, or what one would be.

    `field`, `before` and `after` say what differs and `reason` why that matters, for people; `origin` which place in
    the policy asked for it. `mode` is the standard's for this section: only an action in `enforce` is applied.
    `destroys` says that something may be lost by it. `blocked` says why an action that the standard asks for can't be
    taken, and that a person must look. `original` is the text that the action replaces or deletes, kept in the ledger.
    """

    kind: ActionKind
    repository: RepositoryName
    field: str
    before: str
    after: str
    reason: str
    origin: str
    mode: Mode
    immutability: str = ""
    exclusions: tuple[str, ...] = ()
    scan_on_push: bool = True
    lifecycle_policy: str = ""
    access_policy: str = ""
    original: str = ""
    destroys: bool = False
    blocked: str = ""


class Result(StrEnum):
    """What came of an action."""

    DONE = "done"
    REPORTED = "would be done"
    BLOCKED = "needs a person"
    REFUSED = "refused by ECR"
    HANDED_OVER = "for the prune function"
    WAITING = "waits for the next sweep"


@dataclass(frozen=True, slots=True)
class Deed:
    """An action with what came of it, and why where it was not done."""

    action: Action
    result: Result
    reason: str = ""

    @property
    def remark(self) -> str:
        """What there is to say besides the change itself: nothing where it was made."""
        return "" if self.result is Result.DONE else ": ".join(filter(None, (self.result, self.reason)))

    def __str__(self) -> str:
        """One line for people."""
        change = f"{self.action.field}: {self.action.before} → {self.action.after}"
        return f"{change} ({self.remark})" if self.remark else change
