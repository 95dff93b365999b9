"""What is to be done about an image that blocks or is in quarantine: by its verdict, its standard and people's orders.

What a person has released is left alone as long as nothing blocks in it that was not known then: a new finding is not
what they have looked at. What a person has put in quarantine is released by a person only.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from warden.held_images import Held, Released
from warden.known import Known, Verdict
from warden.lifecycle.shields import is_lease, lease_of
from warden.names import Digest, Tag, short
from warden.overrides import SIGNATURES
from warden.policy import Mode, QuarantineBy, Standard
from warden.quarantine_events import Order, QuarantineDue
from warden.standards import QUARANTINED
from warden.stored_images import StoredImage
from warden.text import clean
from warden.usage import Inventory, users
from warden.wildcard import matches

MOST_CHARACTERS = 128
"""Of a tag: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests."""
LONGEST = 120
_PREFIX = QUARANTINED.removesuffix("*")


class Step(StrEnum):
    """What is to be done."""

    NOTHING = "nothing to do"
    FORGET = "forget"
    """It waited to be put in quarantine, and need not be any more."""
    QUARANTINE = "quarantine"
    RELEASE = "release"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done, and why, for people; `remark` is what else there is to say of it."""

    step: Step
    why: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """All that decides: the order, and what is known now; `image` is None where it is gone.

    `begun` says that an earlier try of the same message has begun to do it.
    """

    due: QuarantineDue
    standard: Standard
    image: StoredImage | None
    known: Known | None
    held: Held | None
    released: Released | None
    begun: bool = False

    @property
    def blocks(self) -> bool:
        """Whether its last verdict is that it blocks."""
        return self.known is not None and self.known.verdict is Verdict.BLOCK

    @property
    def is_held(self) -> bool:
        """Whether it is in quarantine, and does not merely wait for it."""
        return self.held is not None and not self.held.waiting

    def is_settled_by(self, how: QuarantineBy) -> bool:
        """Whether the ledger needs no other word, where nothing is to be changed in ECR."""
        held = self.held
        if self.due.order is Order.QUARANTINE and held is not None:
            return held.by == self.due.by and not held.waiting
        if how is QuarantineBy.TAGS:
            return held is None or not (held.waiting and held.moved)
        return self.is_held

    @property
    def how(self) -> QuarantineBy | None:
        """By what it is held, or would be; a policy that changes its ways changes those of what comes after."""
        return self.held.how if self.held and self.is_held else self.standard.quarantine.by


def decide(case: Case) -> Decision:
    """What is to be done."""
    if case.due.order is Order.RELEASE:
        return _release(case)
    if case.due.order is Order.QUARANTINE:
        return _quarantine(case)
    if case.image is None or case.image.archived:
        return _without_image(case)
    return _block(case) if case.blocks else _pass(case)


def _release(case: Case) -> Decision:
    if case.held is None:
        return Decision(Step.NOTHING, "it is in no quarantine")
    if case.held.waiting and not case.held.moved:
        return Decision(Step.FORGET, "it was not in quarantine yet, and will not be put there")
    if case.standard.quarantine.mode is Mode.OFF:
        return Decision(Step.REFUSE, _off(case))
    if case.image and case.image.archived and case.held.moved:
        return Decision(Step.REFUSE, "it is archived: restore it first, since only then it can get its tags back")
    return Decision(Step.RELEASE, case.due.reason)


def _quarantine(case: Case) -> Decision:
    if case.image is None or case.image.archived:
        return Decision(Step.REFUSE, "it is archived: nobody can pull it" if case.image else "the image is gone")
    if case.standard.quarantine.by is None:
        return Decision(Step.REFUSE, "the policy does not say how: set quarantine.by to tags or pull")
    if case.standard.quarantine.mode is Mode.OFF:
        return Decision(Step.REFUSE, _off(case))
    return Decision(Step.QUARANTINE, case.due.reason)


def _off(case: Case) -> str:
    return f"quarantine.mode is off for this repository ({case.standard.origins['quarantine.mode']})"


def _without_image(case: Case) -> Decision:
    """An image that was archived keeps its tags, and gets them back after it is restored; nobody can pull it."""
    held = case.held
    if held is None:
        return Decision(Step.NOTHING, "it is gone, or archived")
    if held.waiting and not (held.moved and case.image):
        return Decision(Step.FORGET, "it is gone, or archived")
    if case.image and held.moved:
        return Decision(Step.NOTHING, "it is archived, and held until it is restored or gone")
    if case.standard.quarantine.mode is Mode.OFF and held.how is QuarantineBy.PULL:
        return Decision(Step.NOTHING, _off(case))
    return Decision(Step.RELEASE, "the image is archived" if case.image else "the image is gone")


def _block(case: Case) -> Decision:
    held = case.held
    if not case.standard.quarantine.asks:
        return Decision(Step.NOTHING, "its standard does not ask for quarantine")
    by_person = held is not None and bool(held.by)
    if not by_person and case.released and _covers(case, case.released):
        why = f"{clean(case.released.by, LONGEST)} has released it, and nothing blocks that was not known then"
        return Decision(Step.FORGET if held and held.waiting else Step.NOTHING, why)
    return Decision(Step.QUARANTINE, _blocking(case))


def _blocking(case: Case) -> str:
    """The verdict, with what decided it."""
    threshold = case.standard.findings.block_from
    found = case.known.findings.values() if case.known else ()
    count = sum(seen.rank <= threshold.rank for seen in found)
    return f"its verdict is block: {count} finding{'' if count == 1 else 's'} from {threshold.lower()} on"


def _covers(case: Case, released: Released) -> bool:
    return case.known is not None and released.covers(case.known, case.standard.findings.block_from.rank)


def _pass(case: Case) -> Decision:
    held, known = case.held, case.known
    if held is None:
        return Decision(Step.NOTHING, "its verdict is not block")
    if held.waiting and not held.moved:
        return Decision(Step.FORGET if known else Step.NOTHING, "its verdict is not block")
    if not case.standard.quarantine.asks:
        return Decision(Step.NOTHING, "its standard does not ask for quarantine")
    if held.by:
        remark = f"its verdict is {known.verdict}" if known else ""
        return Decision(Step.QUARANTINE, "a person ordered it, and a person only can release it", remark)
    if known is None:
        return Decision(Step.QUARANTINE, "no verdict on it is known any more")
    if known.gaps - held.gaps:
        remark = "what was found in it may still be there: part of it was not scanned this time"
        return Decision(Step.QUARANTINE, "unknown is never clean", remark)
    return Decision(Step.RELEASE, f"its verdict is {known.verdict} now")


def movable(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    """The tags that are moved aside: leases hold images, signatures are about others, and some are aside already."""
    return tuple(tag for tag in tags if not (is_lease(tag) or matches(SIGNATURES, tag) or matches(QUARANTINED, tag)))


def aside(tag: Tag, digest: Digest | None = None) -> Tag:
    """The tag that stands for another in quarantine; with the image's digest, where another image has that one.

    >>> aside(Tag("v1")), aside(Tag("v1"), Digest("sha256:41d9be20c0ffee00"))
    ('quarantine.v1', 'quarantine.v1-41d9be20c0ff')
    """
    end = f"-{short(digest).partition(':')[2]}" if digest else ""
    if len(_PREFIX) + len(tag) + len(end) > MOST_CHARACTERS:
        end = f"-{hashlib.sha256(f'{tag}{end}'.encode()).hexdigest()[:12]}"
    return Tag(f"{_PREFIX}{tag}"[: MOST_CHARACTERS - len(end)] + end)


def why_in_use(
    image: StoredImage, images: Sequence[StoredImage], inventory: Inventory, *, leased: Collection[Digest]
) -> str:
    """Why the image must be left alone as it is in use, or may be; empty where nobody uses it.

    `images` are those of the repository: what an index lists is used with it, and the index with what it lists.
    `leased` are those that the warden has given a lease.
    """
    if not inventory.is_complete:
        first, *others = inventory.missing
        more = f" (and {len(others)} more)" if others else ""
        return f"it is not known whether it is in use: {clean(first, LONGEST)}{more}"
    used = users(images, inventory.uses)
    related = _with_what_it_is_part_of(image, images)
    for one in (image, *related):
        if by := used.get(one.digest):
            where = "" if one.digest == image.digest else f", by way of {short(one.digest)}"
            more = f" and {len(by) - 1} more" if len(by) > 1 else ""
            return f"it is in use by {clean(by[0], LONGEST)}{more}{where}"
    for one in (image, *related):
        if one.digest in leased:
            return f"it has a lease, {lease_of(one.digest)}: it was in use a short while ago, or is part of what is"
    return ""


def _with_what_it_is_part_of(image: StoredImage, images: Sequence[StoredImage]) -> tuple[StoredImage, ...]:
    """The indexes that list it, those that list these, and what it lists itself."""
    by_digest = {one.digest: one for one in images}
    found: dict[Digest, StoredImage] = {}
    waiting = [image.digest]
    while waiting:
        digest = waiting.pop()
        above = [one for one in images if digest in one.children and one.digest not in found]
        found.update((one.digest, one) for one in above)
        waiting += [one.digest for one in above]
    waiting = list(image.children)
    while waiting:
        digest = waiting.pop()
        if digest in by_digest and digest not in found:
            found[digest] = by_digest[digest]
            waiting += by_digest[digest].children
    return tuple(found.values())
