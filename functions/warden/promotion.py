"""Promotion: whether an image goes to its release repository, to which, and under which tags."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from warden.errors import Refused
from warden.events import Home
from warden.images import Image
from warden.known import Verdict
from warden.lifecycle.shields import is_lease
from warden.names import Digest, ImageId, RepositoryName, Tag, is_repository_name
from warden.policy import Mode, Promotion, Standard
from warden.promotion_events import PromotionDue
from warden.standards import QUARANTINED
from warden.text import clean
from warden.wildcard import matches

KIND = "promotion"
"""What the ledger calls the lines of an image's history that say what became of it."""
ARRIVED = "promoted from"
"""What it calls the line of the image in the release repository."""
MOST_TAGS = 100
"""Of one image; each is asked for by itself before anything is copied."""
LONGEST_TAG = 128
LONGEST_SHOWN = 80
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class Result(StrEnum):
    """What became of a promotion, in the ledger's words."""

    BEGUN = "begun"
    DONE = "done"
    REPORTED = "would be done"
    REFUSED = "refused"
    NOTHING = "nothing to do"


@dataclass(frozen=True, slots=True)
class Target:
    """A release repository, and where it is; `role` is by whom is written there, empty for ourselves."""

    repository: RepositoryName
    account: str
    region: str
    role: str = ""

    def is_at(self, home: Home) -> bool:
        """Whether it is in our own registry."""
        return (self.account, self.region) == (home.account, home.region)

    def where(self, home: Home) -> str:
        """In which region and account, as far as these are others than ours."""
        where = [] if self.region == home.region else [self.region]
        where += [] if self.account == home.account else [f"account {self.account}"]
        return ", ".join(where)

    def shown(self, home: Home) -> str:
        """As it is named to people at home."""
        return self.repository if self.is_at(home) else f"{self.repository} ({self.where(home)})"


class Tagging(NamedTuple):
    """A tag here, and the one that the image gets there."""

    here: Tag
    there: Tag


@dataclass(frozen=True, slots=True)
class Plan:
    """The image goes to `target` under these tags; `rule` is the place in the policy that says so."""

    image: ImageId
    target: Target
    tags: tuple[Tagging, ...]
    mode: Mode
    rule: str
    channels: tuple[str, ...]

    @property
    def at_target(self) -> ImageId:
        """The image as it is named there."""
        return ImageId(self.target.repository, self.image.digest)

    @property
    def tags_there(self) -> tuple[Tag, ...]:
        """The tags that it gets."""
        return tuple(tagging.there for tagging in self.tags)


@dataclass(frozen=True, slots=True)
class Stop:
    """The image is not promoted, and nobody needs to hear of it but a person who asked; `outcome` is counted."""

    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class Case:
    """What is known when a promotion is due; None stands for what is gone, or was never judged."""

    due: PromotionDue
    image: Image | None
    standard: Standard | None
    verdict: Verdict | None
    is_held: bool


def plan_promotion(case: Case, home: Home) -> Plan | Stop:
    """What is to be done. Raises Refused where the policy asks for what can't be."""
    if case.image is None or case.standard is None:
        return Stop("Gone", "the image is gone")
    promotion = case.standard.promotion
    if promotion is None or promotion.mode is Mode.OFF:
        return Stop("NotPromoted", f"the policy promotes nothing from {case.standard.repository}")
    if stop := _held_back(case):
        return stop
    tags = tuple(tag for tag in case.image.tags if _is_promoted(tag, promotion))
    if not tags:
        return Stop("NoTag", f"it has no tag that is promoted ({', '.join(promotion.tags)})")
    if len(tags) > MOST_TAGS:
        raise Refused(
            f"{len(tags)} tags of {case.image.id} are to be promoted, and at most {MOST_TAGS} are: narrow promote.tags "
            f"({case.standard.origins['promote.tags']})"
        )
    return Plan(
        case.image.id,
        target_of(case.standard.repository, promotion, home),
        tuple(Tagging(tag, tag_there(tag, promotion)) for tag in sorted(tags)),
        promotion.mode,
        case.standard.origins["promote.to"],
        case.standard.channels,
    )


def _held_back(case: Case) -> Stop | None:
    """Why the image may not go, whatever its tags are."""
    if case.is_held:
        return Stop("Quarantined", "it is in quarantine: release it first")
    match case.verdict:
        case None:
            return Stop("NotJudged", "it has no verdict yet: its scan is not over, or was not understood")
        case Verdict.PASS:
            return None
        case Verdict.NOTIFY if case.due.anyway:
            return None
        case Verdict.NOTIFY:
            return Stop("NotPassed", "its verdict is notify, and only what passes goes by itself")
        case Verdict.BLOCK:
            return Stop("NotPassed", "its verdict is block: mend what was found, or exempt it in the policy")


def _is_promoted(tag: Tag, promotion: Promotion) -> bool:
    """Tags that the warden puts itself never are, whatever pattern they match."""
    if is_lease(tag) or matches(QUARANTINED, tag):
        return False
    return any(matches(pattern, tag) for pattern in promotion.tags)


def target_of(source: RepositoryName, promotion: Promotion, home: Home) -> Target:
    """The release repository. Raises Refused where it can't be one."""
    name = promotion.to.replace("{name}", source.rpartition("/")[2])
    if not is_repository_name(name):
        raise Refused(f"{source} can't be promoted to {clean(name, LONGEST_SHOWN)}: that is no name of a repository")
    account = promotion.role.split(":")[4] if promotion.role else home.account
    target = Target(RepositoryName(name), account, promotion.region or home.region, promotion.role)
    if target.is_at(home) and name == source:
        raise Refused(f"{source} would be promoted to itself: leave it out of the rule, or name another repository")
    return target


def tag_there(tag: Tag, promotion: Promotion) -> Tag:
    """The tag that the image gets there. Raises Refused where it can't be one."""
    made = promotion.rename.replace("{tag}", tag)
    if len(made) > LONGEST_TAG or not _TAG.fullmatch(made):
        raise Refused(
            f"tag {clean(tag, LONGEST_SHOWN)} would be {clean(made, LONGEST_SHOWN)} in the release repository: "
            f"expected letters, digits and . _ -, at most {LONGEST_TAG}; shorten it, or promote.rename"
        )
    return Tag(made)


def conflict(plan: Plan, holders: Iterable[tuple[Tag, Digest | None]]) -> str | None:
    """Why the tags can't be put: another image has one of them there; None where none has."""
    taken = [(tag, digest) for tag, digest in holders if digest not in {None, plan.image.digest}]
    if not taken:
        return None
    named = ", ".join(f"{clean(tag, LONGEST_SHOWN)} ({digest})" for tag, digest in taken[:3])
    more = f" and {len(taken) - 3} more" if len(taken) > 3 else ""  # noqa: PLR2004 - as many as are named
    return (
        f"another image has the tag in {plan.target.repository} already: {named}{more}. A released tag is never moved: "
        "push the new build under a new tag, or take the old one there by hand"
    )
