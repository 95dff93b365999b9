"""The plan of pruning one repository. Pure: what is known of it and its standard in, what is to be done out.

What is planned is what would be done if nothing stood against it; the gate and the caps decide whether it is done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from warden.gate import A_DAY
from warden.leases import Leases, is_leased, plan_leases
from warden.lifecycle.direct import DirectlyTaken, directly_taken, label_candidates
from warden.lifecycle.evaluation import Taken, evaluate
from warden.lifecycle.rendering import Rendered, displaced, render
from warden.lifecycle.rules import RuleAction
from warden.lifecycle.shields import leased, unleased
from warden.lifecycle.words import same
from warden.names import Digest, short
from warden.needs import must_live
from warden.policy import LifecycleStandard, Standard
from warden.pruning import Leaving, Refusal, Spared
from warden.stored_images import StoredImage
from warden.usage import Inventory, users

Labels = Mapping[Digest, Mapping[str, str] | None]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a repository when it is pruned.

    `unread` are indexes of which it is not known what they list. `policy` is the lifecycle policy that stands, None
    where there is none, and `ours` are those that the warden put. `last_used`, `marks` and `put_back` are what the
    ledger remembers: when leased images were in use, since when images are marked, and which ones persons put back.
    """

    images: tuple[StoredImage, ...]
    inventory: Inventory
    policy: str | None = None
    ours: tuple[str, ...] = ()
    unread: tuple[Digest, ...] = ()
    last_used: Mapping[Digest, datetime] = field(default_factory=dict)
    marks: Mapping[Digest, datetime] = field(default_factory=dict)
    put_back: Mapping[Digest, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        """Whether the policy that stands is one that the warden put."""
        policy = self.policy
        return policy is not None and any(same(policy, text) for text in self.ours)


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What pruning a repository comes to, before ECR is asked.

    `needs` says which images must live and why, `used` which of them are in use at this moment. `images` are those of
    the repository with the leases that the plan gives and without those that it lifts. `by_ecr` is what the rendered
    policy takes of them within a day, `direct` what the warden takes itself at once; `mark` and `unmark` are for what
    it is to take later. `refusals` stand against all of it.
    """

    rendered: Rendered
    needs: Mapping[Digest, str]
    used: frozenset[Digest]
    leases: Leases
    images: tuple[StoredImage, ...]
    by_ecr: tuple[Leaving, ...]
    direct: tuple[Leaving, ...]
    mark: tuple[Digest, ...]
    unmark: tuple[Digest, ...]
    refusals: tuple[Refusal, ...]

    @property
    def leaving(self) -> tuple[Leaving, ...]:
        """All that would leave now."""
        return (*self.by_ecr, *self.direct)

    @property
    def leased(self) -> frozenset[Digest]:
        """Images that are to get a lease."""
        return frozenset(image.digest for image in self.leases.put)


def wanted_labels(known: Known, standard: Standard, now: datetime) -> tuple[StoredImage, ...]:
    """The images whose labels decide about their leaving; most policies ask for none."""
    return label_candidates(standard.lifecycle, known.images, now)


def plan_pruning(known: Known, standard: Standard, *, labels: Labels, now: datetime) -> PrunePlan:
    """What is to be done to the repository by its standard. Raises Refused where ECR can't be told the rules."""
    asked = standard.lifecycle
    used = users(known.images, known.inventory.uses)
    needs = must_live(
        known.images, asked.protection, users=used, last_used=known.last_used, put_back=known.put_back, now=now
    )
    rendered = render(asked)
    leasing = _plan_leases(known, asked, rendered, needs)
    put, lifted = {image.digest for image in leasing.put}, {image.digest for image, _ in leasing.lift}
    bare = frozenset(image.digest for image in leasing.bare)
    after = tuple(
        leased(image)
        if image.digest in put
        else unleased(image)
        if image.digest in lifted or image.digest in bare
        else image
        for image in known.images
    )
    stand = tuple(before if before.digest in bare else image for before, image in zip(known.images, after, strict=True))
    by_ecr = tuple(_by_rule(one, rendered, standard) for one in evaluate(rendered.rules, stand, now + A_DAY))
    left_to_us = [one for one in evaluate(rendered.rules, after, now) if one.image.digest in bare] if bare else []
    going = frozenset(one.image.digest for one in by_ecr)
    chosen = _without_parts(
        [
            *(_by_rule(one, rendered, standard, by_ecr=False) for one in left_to_us),
            *(_direct(one, standard) for one in directly_taken(asked, after, now, labels)),
        ],
        after,
        needs,
        going,
    )
    direct = _without_parts(_due(chosen, known.marks, asked, now), after, needs, going)
    by_ecr += _orphaned(rendered, standard, stand, by_ecr, direct, now)
    named = frozenset(one.image.digest for one in chosen)
    return PrunePlan(
        rendered=rendered,
        needs=needs,
        used=frozenset(used) if asked.protection.in_use else frozenset(),
        leases=leasing,
        images=stand,
        by_ecr=by_ecr,
        direct=direct,
        mark=tuple(one.image.digest for one in chosen if one.image.digest not in known.marks)
        if asked.wait_days is not None
        else (),
        unmark=tuple(digest for digest in known.marks if digest not in named),
        refusals=_refusals(known, asked, leasing, [one for one in by_ecr if one.image.digest in needs], needs),
    )


def nothing_planned(known: Known, refusal: Refusal) -> PrunePlan:
    """The plan where the standard can't be carried out at all, and why."""
    return PrunePlan(
        rendered=Rendered(None, (), {}, frozenset()),
        needs={},
        used=frozenset(),
        leases=Leases(),
        images=known.images,
        by_ecr=(),
        direct=(),
        mark=(),
        unmark=tuple(known.marks),
        refusals=(refusal,),
    )


def _plan_leases(known: Known, asked: LifecycleStandard, rendered: Rendered, needs: Mapping[Digest, str]) -> Leases:
    """No lease is lifted as long as somebody who may use an image was not heard."""
    if rendered.text is None:
        return Leases()
    planned = plan_leases(known.images, rendered.rules, rendered.shields, needs)
    holding = (image.digest for image in known.images if image.digest in needs and is_leased(image))
    staying = (image.digest for image in (*planned.put, *planned.bare))
    pushed_out = displaced(asked, known.images, {*holding, *staying})
    if pushed_out:
        wider = {**needs, **dict.fromkeys(pushed_out, "spared, since a lease on another image must not push it out")}
        planned = plan_leases(known.images, rendered.rules, rendered.shields, wider)
    if not known.inventory.is_complete:
        planned = replace(planned, lift=(), bare=())
    return planned


def _by_rule(taken: Taken, rendered: Rendered, standard: Standard, *, by_ecr: bool = True) -> Leaving:
    origin = standard.origins["lifecycle.rules"]
    if taken.priority is None:
        rule = f"follows {short(str(taken.image.subject))}, which it is about"
    else:
        rule = rendered.words(taken.priority)
        number = rendered.origins[taken.priority]
        origin = origin if number is None else f"{origin} rules[{number}]"
    return Leaving(taken.image, taken.action, rule, origin, by_ecr=by_ecr)


def _orphaned(
    rendered: Rendered,
    standard: Standard,
    images: Sequence[StoredImage],
    by_ecr: Sequence[Leaving],
    direct: Sequence[Leaving],
    now: datetime,
) -> tuple[Leaving, ...]:
    """What ECR takes besides, once the indexes that list it are deleted by the warden."""
    gone = {one.image.digest for one in direct if one.action is RuleAction.EXPIRE}
    if not any(one.image.children for one in direct if one.image.digest in gone):
        return ()
    known = {one.image.digest for one in by_ecr}
    left = [image for image in images if image.digest not in gone]
    taken = evaluate(rendered.rules, left, now + A_DAY)
    return tuple(_by_rule(one, rendered, standard) for one in taken if one.image.digest not in known)


def _direct(taken: DirectlyTaken, standard: Standard) -> Leaving:
    origin = f"{standard.origins['lifecycle.rules']} rules[{taken.rule}]"
    return Leaving(taken.image, taken.action, taken.words, origin, by_ecr=False)


def _without_parts(
    chosen: Sequence[Leaving], images: Sequence[StoredImage], needs: Mapping[Digest, str], by_ecr: frozenset[Digest]
) -> tuple[Leaving, ...]:
    """Without what must live, what ECR takes itself, and what an index lists that is still there."""
    leaving = {
        one.image.digest: one for one in chosen if one.image.digest not in needs and one.image.digest not in by_ecr
    }
    staying = [image for image in images if image.digest not in leaving]
    while staying:
        for child in staying.pop().children:
            if spared := leaving.pop(child, None):
                staying.append(spared.image)
    return tuple(leaving.values())


def _due(
    chosen: Sequence[Leaving], marks: Mapping[Digest, datetime], asked: LifecycleStandard, now: datetime
) -> tuple[Leaving, ...]:
    """Those whose wait is over; all where nothing waits."""
    if asked.wait_days is None:
        return tuple(chosen)
    wait = timedelta(days=asked.wait_days)
    return tuple(one for one in chosen if one.image.digest in marks and now - marks[one.image.digest] >= wait)


def _refusals(
    known: Known,
    asked: LifecycleStandard,
    leasing: Leases,
    hurt: Sequence[Leaving],
    needs: Mapping[Digest, str],
) -> tuple[Refusal, ...]:
    """`hurt` must live and would leave: an archived image can have no lease."""
    found: list[Refusal] = []
    if hurt:
        lost = tuple(Spared(one.image, needs[one.image.digest], one.rule) for one in hurt)
        found.append(Refusal("images that must live would leave", lost))
    if asked.protection.in_use and known.images and known.inventory.missing:
        found.append(Refusal("what is in use is not known", missing=known.inventory.missing))
    if known.unread:
        present = {image.digest: image for image in known.images}
        unread = tuple(
            Spared(present[digest], "restore it, or delete it: what it lists can't be told from the rest")
            for digest in known.unread
        )
        found.append(Refusal("indexes can't be read, so that what they list is not known", unread))
    if leasing.impossible:
        found.append(Refusal("images that must live can't get a lease", leasing.impossible))
    return tuple(found)
