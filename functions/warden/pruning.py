"""What pruning a repository comes to: what leaves, by which rule, what is spared and why, and what is refused."""

from dataclasses import dataclass
from enum import StrEnum

from warden.lifecycle.rules import RuleAction
from warden.names import RepositoryName
from warden.policy import Mode
from warden.stored_images import StoredImage


@dataclass(frozen=True, slots=True)
class Leaving:
    """One image that is to leave.

    `rule` says in words which rule takes it and `origin` where that stands in the policy. `by_ecr` tells whether ECR's
    own lifecycle policy takes it, or the warden does.
    """

    image: StoredImage
    action: RuleAction
    rule: str
    origin: str
    by_ecr: bool = True


@dataclass(frozen=True, slots=True)
class Spared:
    """One image that a rule takes and that must not leave: `why` names what needs it."""

    image: StoredImage
    why: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing leaves, in a line for people, with exactly the images that it is about where there are any.

    Where the reason is that the inventory is not complete, `missing` says what could not be read.
    """

    why: str
    images: tuple[Spared, ...] = ()
    missing: tuple[str, ...] = ()


class PruneResult(StrEnum):
    """What came of pruning one repository."""

    NOTHING = "nothing leaves"
    REPORTED = "would leave"
    DONE = "leaves"
    REFUSED = "refused"
    SUSPENDED = "refused, and the policy that was there is suspended"
    """ECR's lifecycle policy was replaced by one that takes nothing: what it would have taken can't be vouched for."""


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What came of pruning one repository.

    `images` is how many it has, `leaving` what goes within a day or would go, `left` what has gone since the last look.
    `leased` and `lifted` count images that got or lost their lease, `marked` those that wait to be deleted. `remarks`
    are what the linter says of the policy. Where too much leaves to be listed, `more` images of `more_bytes` leave
    besides. `protections` are the tag patterns that are to be spared, `idle_protections` those that no image has.
    """

    repository: RepositoryName
    mode: Mode
    result: PruneResult
    images: int
    leaving: tuple[Leaving, ...] = ()
    left: tuple[Leaving, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    leased: int = 0
    lifted: int = 0
    marked: int = 0
    remarks: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    more: int = 0
    more_bytes: int = 0
    protections: tuple[str, ...] = ()
    idle_protections: tuple[str, ...] = ()
