"""Putting an image in quarantine, and taking it out: each step is safe to stop after, and to do again.

By its tags: each gets another tag beside it before it is taken, so that the image is never without one. By pulls: one
statement in the repository's policy, which stands as long as any image of the repository is held that way.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from warden import pull_denial
from warden.errors import Refused
from warden.events import Home
from warden.held_images import Denial, Held, Moved
from warden.image_tags import ImageTags, TagTaken
from warden.ledger import Ledger
from warden.names import ImageId, RepositoryName, Tag
from warden.policy import QuarantineBy
from warden.quarantine_planning import Case, aside, movable
from warden.quarantines import Quarantines
from warden.registry import Registry
from warden.repository_writes import RepositoryWrites

STATE = "warden:state"
QUARANTINED = "quarantined"
_TAKEN_OUT = "Somebody had taken the warden's statement out of the repository's policy: it was put back."
_OTHER_ROLES = "The roles that may pull all the same have changed with the policy."


@dataclass(frozen=True, slots=True)
class Putting:
    """What there is to do for an image to be in quarantine.

    `moves` are tags to be moved aside. `policy` is the text to be put, with `denial` to be remembered before; `again`
    says that the statement was there and somebody took it out, and `remark` what there is to say of that.
    """

    how: QuarantineBy
    moves: tuple[Moved, ...] = ()
    policy: str | None = None
    denial: Denial | None = None
    again: bool = False
    remark: str = ""

    @property
    def asks(self) -> bool:
        """Whether anything in ECR has to change for it."""
        return bool(self.moves) or self.policy is not None


class Undone(NamedTuple):
    """What is left of it: tags that another image has by now, and pulls that are denied because of another image."""

    kept: tuple[Moved, ...]
    still_denied: bool


@dataclass(frozen=True, slots=True)
class QuarantineEnforcement:
    """What it is done with; `role_path` is the IAM path of the warden's own roles."""

    home: Home
    role_path: str
    registry: Registry
    image_tags: ImageTags
    writes: RepositoryWrites
    quarantines: Quarantines
    ledger: Ledger

    def plan(self, case: Case, how: QuarantineBy) -> Putting:
        """What there is to do. Raises Refused where the repository's policy is none that we can put anything into."""
        if how is QuarantineBy.TAGS:
            return Putting(how, self._moves(case))
        return self._denying(case)

    def _moves(self, case: Case) -> tuple[Moved, ...]:
        if case.image is None:
            return ()
        known = {one.tag: one for one in case.held.moved} if case.held else {}
        return tuple(known.get(tag) or self._move(case.due.image, tag) for tag in movable(case.image.tags))

    def _move(self, image: ImageId, tag: Tag) -> Moved:
        """An earlier image of the tag may be in quarantine, too, and keeps its own."""
        wanted = aside(tag)
        holder = self.registry.tagged(image.repository, wanted)
        taken = holder is not None and holder.id != image
        return Moved(tag, aside(tag, image.digest) if taken else wanted)

    def _denying(self, case: Case) -> Putting:
        """The statement stands already where another image is held, unless somebody took it out meanwhile."""
        repository = case.standard.repository
        statement = pull_denial.denial(case.standard.quarantine.break_glass, self.role_path, self.home)
        text, known = self.registry.access_policy(repository), self.quarantines.denial(repository)
        found = self._ours(text, known)
        if found is not None and pull_denial.means_the_same(found, statement):
            return Putting(QuarantineBy.PULL)
        original = text
        statements: tuple[str, ...] = (statement,)
        if text is not None and found is not None:  # it is of an earlier policy, with other roles in it
            original, statements = _as_before(text, known), (statement, found)
        policy = pull_denial.put(original, statement)
        again = known is not None and found is None and case.is_held and not case.begun
        remark = _TAKEN_OUT if again else _OTHER_ROLES if found is not None else ""
        return Putting(QuarantineBy.PULL, (), policy, Denial(original, statements), again, remark)

    def _ours(self, text: str | None, known: Denial | None) -> str | None:
        """Our statement in the policy. Raises Refused where one has our Sid that we have not written so."""
        found = pull_denial.ours(text)
        written = known.statements if known else ()
        if found is not None and not any(pull_denial.means_the_same(found, one) for one in written):
            raise Refused(
                f"the repository's policy has a statement {pull_denial.SID} that the warden has not written so: a "
                "person must look at it, and take it out or give it another Sid"
            )
        return found

    def put(self, held: Held, putting: Putting) -> None:
        """Do it; `held` is in the ledger. Raises Refused."""
        repository = held.image.repository
        if putting.policy is not None and putting.denial is not None:
            self.quarantines.remember_denial(repository, putting.denial)
            self.writes.set_policy(repository, putting.policy)
        for one in putting.moves:
            self.image_tags.put(held.image, one.aside)
            self.image_tags.take(held.image, one.tag)
        if held.how is QuarantineBy.TAGS:
            for one in held.moved:  # those of an earlier try, too
                self.ledger.forget_tag(held.image, one.tag)

    def undo(self, held: Held, *, is_there: bool) -> Undone:
        """Take it out of quarantine; `is_there` says that the image is. Raises Refused."""
        still_denied = held.how is QuarantineBy.PULL and not self._allow(held)
        kept = tuple(one for one in held.moved if is_there and not self._give_back(held.image, one))
        return Undone(kept, still_denied)

    def _give_back(self, image: ImageId, moved: Moved) -> bool:
        """Whether the image has its tag again.

        Who had the tag last is forgotten before: else the watch on tags takes this for a move, and may put it back.
        """
        holder = self.registry.tagged(image.repository, moved.tag)
        if holder is not None and holder.id != image:
            return False
        if holder is None:
            if last := self.ledger.place_of_tag(image.repository, moved.tag):
                self.ledger.forget_tag(ImageId(image.repository, last), moved.tag)
            try:
                self.image_tags.put(image, moved.tag)
            except TagTaken:  # somebody was faster
                return False
        self.image_tags.take(image, moved.aside)
        return True

    def _allow(self, held: Held) -> bool:
        """Whether the statement is out, which it is not where another image is held by it.

        The policy then looks as it did, to the byte; what somebody changed of the rest meanwhile stays as it is.
        """
        repository = held.image.repository
        if self._others(held, by_pull=True):
            return False
        text, known = self.registry.access_policy(repository), self.quarantines.denial(repository)
        if text is not None and self._ours(text, known) is not None:
            rest = _as_before(text, known)
            if rest is None:
                self.writes.delete_policy(repository)
            else:
                self.writes.set_policy(repository, rest)
        self.quarantines.forget_denial(repository)
        return True

    def _others(self, held: Held, *, by_pull: bool) -> bool:
        """Whether another image of the repository is in quarantine."""
        return any(
            not one.waiting and one.image != held.image and (one.how is QuarantineBy.PULL or not by_pull)
            for one in self.quarantines.all_of(held.image.repository)
        )

    def mark(self, repository: RepositoryName, state: str | None) -> str:
        """Have the repository's own tag say that an image is in quarantine; why that could not be, if so."""
        if state == QUARANTINED:
            return ""
        try:
            self.writes.tag(repository, STATE, QUARANTINED)
        except Refused as refusal:
            return str(refusal)
        return ""

    def unmark(self, held: Held, state: str | None) -> None:
        """Take the repository's tag, unless another image is in quarantine."""
        if state is not None and not self._others(held, by_pull=False):
            self.writes.untag(held.image.repository, STATE)


def held_by(case: Case, putting: Putting, held: Held) -> Held:
    """What the ledger is to hold of it: the tags of earlier turns are kept, so that they come back, too."""
    before = case.held.moved if case.held else ()
    moves = tuple(one for one in putting.moves if one not in before)
    return replace(held, moved=(*before, *moves))


def _as_before(text: str, known: Denial | None) -> str | None:
    """The policy without our statement: as it was put away, if it still says the same."""
    rest = pull_denial.take(text)
    if known is not None and pull_denial.means_the_same(rest, known.original):
        return known.original
    return rest
