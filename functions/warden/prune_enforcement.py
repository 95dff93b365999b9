"""Carrying out the plan of pruning one repository, as far as the gate lets it: the order is what makes it safe.

Leases come first, since they only ever spare. Then ECR's preview is asked for and judged. Only then a policy is put,
and after that the warden takes what ECR has no rule for. Killed anywhere, the same message does the rest: each step
looks at what is there, and does what is still missing.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from warden.actions import Action, ActionKind, Deed, Result
from warden.enforcement import carry_out
from warden.errors import Refused, Unavailable
from warden.fights import stand_back
from warden.gate import Previewed, judge, over_caps
from warden.image_tags import ImageTags
from warden.ledger import Entry, Ledger
from warden.lifecycle.rendering import suspended
from warden.lifecycle.rules import RuleAction
from warden.lifecycle.shields import LEASED, lease_of, unleased
from warden.lifecycle.words import in_words, same
from warden.lifecycle_previews import LifecyclePreviews
from warden.names import Digest, ImageId, RepositoryName
from warden.planning import LIFECYCLE_FIELD
from warden.policy import Mode, Standard
from warden.prune_notice import left_text
from warden.prune_planning import Known, PrunePlan
from warden.pruning import Leaving, PruneReport, PruneResult, Refusal, Spared
from warden.prunings import Prunings
from warden.registry import Registry
from warden.removals import DELETED_A_CALL, Failed, Removals
from warden.repository_images import RepositoryImages
from warden.stored_images import StoredImage

MOST_WRITTEN = 500
"""Images of a refusal that are written down: DynamoDB takes items of 400 KB."""
LOOK_AGAIN = 10.0
"""Seconds after which a repository is looked at anew that changed meanwhile."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One repository's turn: its standard, and what the ledger calls the event that asked for it, and when that was.

    History is written under the event's time: a message that comes again writes the same lines again.
    """

    standard: Standard
    known: Known
    plan: PrunePlan
    event: str
    at: datetime
    now: datetime

    @property
    def repository(self) -> RepositoryName:
        """The repository."""
        return self.standard.repository

    @property
    def enforces(self) -> bool:
        """Whether anything may be changed."""
        return self.standard.lifecycle.mode is Mode.ENFORCE

    @property
    def differs(self) -> bool:
        """Whether another policy stands than the standard's rules make."""
        wanted, there = self.plan.rendered.text, self.known.policy
        if wanted is None:
            return self.known.is_ours  # what somebody else wrote stays, where ECR has nothing to do by the standard
        return there is None or not same(there, wanted)


@dataclass(frozen=True, slots=True)
class PruneEnforcement:
    """What a plan is carried out with."""

    registry: Registry
    images: RepositoryImages
    tags: ImageTags
    previews: LifecyclePreviews
    removals: Removals
    prunings: Prunings
    ledger: Ledger

    def carry_out(self, turn: Turn) -> PruneReport:
        """Do what the plan says, or say why not; in report mode nothing is changed. Raises Unavailable."""
        plan = turn.plan
        refusals = list(plan.refusals)
        if turn.enforces:
            self._remember_use(turn)
            refusals += self._put_leases(turn)
            self._lift_leases(turn)
        if not refusals:
            refusals += self._ask(turn)
        if refusals:
            return self._refuse(turn, refusals)
        if not turn.enforces:
            self.prunings.unmark(turn.repository, plan.unmark)  # it waits anew where it is marked again one day
            return _report(turn, PruneResult.REPORTED if plan.leaving or turn.differs else PruneResult.NOTHING)
        self.prunings.expect(turn.repository, plan.leaving, now=turn.now)
        deed = self._put_policy(turn, plan.rendered.text) if turn.differs else None
        if deed and deed.result is not Result.DONE:
            return _report(turn, PruneResult.REFUSED, Refusal(deed.remark))
        failed = self._take(turn)
        self.prunings.unmark(turn.repository, (*plan.unmark, *(one.image.digest for one in plan.direct)))
        self.prunings.mark(turn.repository, plan.mark, now=turn.now)
        refused = (Refusal("ECR would not let them go", failed),) if failed else ()
        return _report(turn, PruneResult.DONE if plan.leaving or deed else PruneResult.NOTHING, *refused)

    def _remember_use(self, turn: Turn) -> None:
        self.prunings.used(turn.repository, sorted(turn.plan.used), now=turn.now)

    def _put_leases(self, turn: Turn) -> list[Refusal]:
        failed: list[Spared] = []
        for image in turn.plan.leases.put:
            why = turn.plan.needs.get(image.digest, "spared, so that a lease on another does not push it out")
            text = f"kept from lifecycle rules by the tag {lease_of(image.digest)}: {why}"
            self._write(turn, image.digest, LEASED, text)  # before it is done: killed between, it is not done twice
            try:
                self.tags.put(ImageId(turn.repository, image.digest), lease_of(image.digest))
            except Refused as refusal:
                failed.append(Spared(image, f"{why}; {refusal}"))
                self._write(turn, image.digest, "lease refused", str(refusal))
        return [Refusal("images that must live can't get a lease", tuple(failed))] if failed else []

    def _lift_leases(self, turn: Turn) -> None:
        for image, tag in turn.plan.leases.lift:
            self._write(turn, image.digest, "lease lifted", f"nothing needs it any more: {tag} is taken from it")
            with suppress(Refused):  # its other tags are gone meanwhile: it is looked at again tomorrow
                self.tags.take(ImageId(turn.repository, image.digest), tag)

    def _ask(self, turn: Turn) -> list[Refusal]:
        """ECR's preview, where something is to be put or to leave, and the caps."""
        plan, refusals = turn.plan, list[Refusal]()
        leaving = {one.image.digest for one in plan.leaving}
        if plan.rendered.text is not None and (turn.differs or plan.by_ecr):
            try:
                preview = self.previews.of(turn.repository, plan.rendered.text)
            except Refused as refusal:
                return [Refusal(str(refusal))]
            refusals += _judged(turn, preview)
            if refusals:
                self._check_nothing_changed(turn)
            leaving |= {row.digest for row in preview if turn.enforces}
        going = [image for image in plan.images if image.digest in leaving]
        refusals += over_caps(going, plan.images, turn.standard.lifecycle.caps, turn.standard.origins)
        return refusals

    def _check_nothing_changed(self, turn: Turn) -> None:
        """Images that come, go and are pulled while ECR previews are no disagreement: then all is looked at anew."""
        described = self.images.describe(turn.repository, now=turn.now)
        now = {_look(image) for image in described.images} if described else set()
        if now != {_look(image) for image in turn.known.images}:
            raise Unavailable(f"{turn.repository} changed while it was looked at", retry_after=LOOK_AGAIN)

    def _refuse(self, turn: Turn, refusals: Sequence[Refusal]) -> PruneReport:
        """Nothing leaves; a policy of ours that stands would go on without us, so one that takes nothing is put."""
        self.prunings.unmark(turn.repository, turn.plan.unmark)
        self._write_refusals(turn, refusals)
        if not (turn.enforces and turn.known.is_ours):
            return _report(turn, PruneResult.REFUSED, *refusals)
        harmless = suspended(turn.plan.rendered)
        if not same(str(turn.known.policy), harmless):
            deed = self._put_policy(turn, harmless, whoever_minds=True)
            if deed.result is not Result.DONE:
                return _report(turn, PruneResult.REFUSED, *refusals, Refusal(f"the policy still stands: {deed.remark}"))
        return _report(turn, PruneResult.SUSPENDED, *refusals)

    def _write_refusals(self, turn: Turn, refusals: Sequence[Refusal]) -> None:
        """The messages show a few images: the repository's history has them all, as far as a line of it holds them."""
        for number, refusal in enumerate(refusals):
            images = [f"{one.image.digest}: {one.why}" for one in refusal.images[:MOST_WRITTEN]]
            details = {"images": "\n".join(images), "missing": "\n".join(refusal.missing)}
            told = {name: text for name, text in details.items() if text}
            entry = Entry(turn.repository, turn.at, "not pruned", refusal.why, told)
            self.ledger.record(entry, event=f"{turn.event}#{number}")

    def _put_policy(self, turn: Turn, text: str | None, *, whoever_minds: bool = False) -> Deed:
        """In a fight over the policy we stand back, unless `whoever_minds`: what takes nothing hurts nobody."""
        there = turn.known.policy
        if text is not None:
            standing = [there] if there is not None and turn.known.is_ours else []
            self.prunings.remember_policies(turn.repository, [text, *standing])
        action = Action(
            kind=ActionKind.PUT_LIFECYCLE_POLICY if text is not None else ActionKind.DELETE_LIFECYCLE_POLICY,
            repository=turn.repository,
            field=LIFECYCLE_FIELD,
            before="none" if there is None else in_words(there),
            after="none" if text is None else in_words(text),
            reason="old images stay for ever" if there is None else "images leave by other rules than they should",
            origin=turn.standard.origins["lifecycle.rules"],
            mode=turn.standard.lifecycle.mode,
            lifecycle_policy=text or "",
            original=there or "",
            destroys=any(one.action is RuleAction.EXPIRE for one in turn.plan.leaving),
        )
        held = {} if whoever_minds else self.ledger.held_back(turn.repository, now=turn.now)
        actions = stand_back((action,), held)
        (deed,) = carry_out(actions, self.registry.apply_lifecycle, self.ledger, event=turn.event, at=turn.at)
        return deed

    def _take(self, turn: Turn) -> tuple[Spared, ...]:
        """What the warden takes itself, looked at once more just before: what was tagged or pulled since then stays."""
        failed: list[Spared] = []
        archive = [one for one in turn.plan.direct if one.action is RuleAction.TRANSITION]
        delete = [one for one in turn.plan.direct if one.action is RuleAction.EXPIRE]
        for chosen, take in ((archive, self._archive), (delete, self._delete)):
            for start in range(0, len(chosen), DELETED_A_CALL):
                failed += take(turn, self._unchanged(turn, chosen[start : start + DELETED_A_CALL]))
        return tuple(failed)

    def _archive(self, turn: Turn, batch: Sequence[Leaving]) -> list[Spared]:
        failed: list[Spared] = []
        for one in batch:
            if failure := self.removals.archive(turn.repository, one.image.digest):
                failed.append(Spared(one.image, failure.why, one.rule))
            else:
                self._write_left(turn, one)
        return failed

    def _delete(self, turn: Turn, batch: Sequence[Leaving]) -> list[Spared]:
        """Only what could be put back: an image whose manifest ECR does not give stays."""
        if not batch:
            return []
        manifests = self.images.manifests(turn.repository, [one.image.digest for one in batch])
        unread = [one for one in batch if one.image.digest not in manifests]
        failed = [Spared(one.image, "its manifest can't be read, and so not be kept", one.rule) for one in unread]
        by_digest = {one.image.digest: one for one in batch if one.image.digest in manifests}
        for digest, one in by_digest.items():
            self.prunings.keep_manifest(turn.repository, digest, manifests[digest], one.image.tags, now=turn.now)
        failures = {one.digest: one.why for one in self._delete_all(turn, list(by_digest))}
        for digest, one in by_digest.items():
            if digest in failures:
                failed.append(Spared(one.image, failures[digest], one.rule))
            else:
                self._write_left(turn, one)
        return failed

    def _delete_all(self, turn: Turn, digests: Sequence[Digest]) -> tuple[Failed, ...]:
        return self.removals.delete(turn.repository, digests) if digests else ()

    def _unchanged(self, turn: Turn, chosen: Sequence[Leaving]) -> list[Leaving]:
        now = {
            image.digest: image for image in self.images.again(turn.repository, [one.image.digest for one in chosen])
        }
        return [one for one in chosen if _is_as_it_was(one.image, now.get(one.image.digest))]

    def _write_left(self, turn: Turn, one: Leaving) -> None:
        self._write(turn, one.image.digest, "left", left_text(one), rule=one.rule, origin=one.origin)
        self.prunings.note_recorded(turn.repository, one.image.digest)

    def _write(self, turn: Turn, digest: Digest, kind: str, text: str, **details: str) -> None:
        entry = Entry(f"{turn.repository}@{digest}", turn.at, kind, text, details)
        self.ledger.record(entry, event=turn.event)


_DONE = frozenset({PruneResult.DONE, PruneResult.NOTHING})


def _judged(turn: Turn, preview: Sequence[Previewed]) -> Iterable[Refusal]:
    """In report mode no lease was put: the preview is of the images as they are, and leases are thought of."""
    plan = turn.plan
    images = plan.images if turn.enforces else turn.known.images
    spared = frozenset() if turn.enforces else plan.leased
    return judge(preview, plan.rendered.rules, images, plan.needs, spared=spared, now=turn.now)


def _look(image: StoredImage) -> tuple[Digest, frozenset[str], datetime | None, bool]:
    return image.digest, frozenset(unleased(image).tags), image.pulled_at, image.archived


def _is_as_it_was(before: StoredImage, now: StoredImage | None) -> bool:
    """Whether nobody has tagged, untagged, pulled or archived the image since it was looked at; leases are ours."""
    if now is None or set(unleased(now).tags) != set(unleased(before).tags):
        return False
    return replace(now, children=before.children, tags=before.tags) == before


def _report(turn: Turn, result: PruneResult, *refusals: Refusal) -> PruneReport:
    plan, leases = turn.plan, turn.plan.leases
    return PruneReport(
        repository=turn.repository,
        mode=turn.standard.lifecycle.mode,
        result=result,
        images=len(turn.known.images),
        leaving=plan.leaving,
        refusals=refusals,
        leased=len(leases.put) if turn.enforces else 0,
        lifted=len(leases.lift) if turn.enforces else 0,
        marked=len(plan.mark) if turn.enforces and result in _DONE else 0,
        channels=turn.standard.channels,
    )
