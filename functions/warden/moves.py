"""Tag moves: a tag that should not move is found on another digest than before.

Immutability can be walked round, by deleting the tag and pushing it again, and a repository may be mutable still.
"""

from dataclasses import dataclass

from warden import console, fights
from warden.events import Home
from warden.immutability import Setting
from warden.names import Digest, ImageId, RepositoryName, Tag, short
from warden.notices import Fact, Level, Line, Notice, Section, code, link, notice_id, plain
from warden.policy import Mode, Moves, Standard
from warden.standards import QUARANTINED
from warden.wildcard import matches

MOST_CHARACTERS = 128
"""Of a tag, in ECR."""


@dataclass(frozen=True, slots=True)
class Move:
    """A tag went from one digest to another."""

    repository: RepositoryName
    tag: Tag
    before: Digest
    after: Digest

    @property
    def old(self) -> ImageId:
        """The image that had the tag."""
        return ImageId(self.repository, self.before)

    @property
    def new(self) -> ImageId:
        """The image that has it now."""
        return ImageId(self.repository, self.after)

    @property
    def aside(self) -> Tag:
        """The tag under which the new image is kept when the tag is put back: without one, rules may take it."""
        end = "-" + short(self.after).partition(":")[2]
        return Tag(f"moved-{self.tag}"[: MOST_CHARACTERS - len(end)] + end)

    def __str__(self) -> str:
        """One line for people."""
        return f"tag {self.tag}: {short(self.before)} → {short(self.after)}"


def matter(standard: Standard, tag: Tag) -> bool:
    """Whether the standard has anything to say of a move of this tag; those of quarantine are the warden's to give."""
    if matches(QUARANTINED, tag):
        return False
    watched = standard.tags.mode is not Mode.OFF and standard.tags.moves is not Moves.IGNORE
    return watched and not Setting(standard.tags.immutability, standard.tags.exclude).lets_move(tag)


def why_not_put_back(standard: Standard, *, old_is_there: bool, put_back_before: int) -> str | None:
    """Why the tag stays where it is; None where it is to be put back.

    `put_back_before` counts how often it was within the window in which a fight shows.
    """
    if standard.tags.moves is not Moves.PUT_BACK:
        return "the policy says to tell, not to put back"
    if standard.tags.mode is not Mode.ENFORCE:
        return "the policy is in report mode"
    if not old_is_there:
        return "the image that had the tag is gone"
    if put_back_before >= fights.FLIPS - 1:
        return f"it was put back {put_back_before} times within an hour, and moved again: a person must decide"
    return None


def announce(move: Move, why_not: str | None, standard: Standard, home: Home, *, event: str) -> Notice:
    """The notice of a move; `why_not` says why the tag was not put back, None that it was."""
    origin = standard.origins["tags.moves"]
    if why_not is None:
        title = f"tag {move.tag} of {move.repository} was moved, and put back"
        next_step: Line = (
            plain("The new image is kept as "),
            code(move.aside),
            plain(". Push it under a tag of its own."),
        )
    else:
        title = f"tag {move.tag} of {move.repository} was moved"
        next_step = (
            plain("Whoever pulls the tag gets another image than before. Deploy by digest, and push new builds "),
            plain("under new tags."),
        )
    change = (
        code(move.tag),
        plain("  "),
        code(short(move.before)),
        plain(" → "),
        code(short(move.after)),
        plain(f" · not put back: {why_not}" if why_not else " · put back"),
    )
    return Notice(
        id=notice_id(event, str(move), str(why_not)),
        kind="tag move",
        level=Level.ATTENTION if why_not else Level.CHANGE,
        title=title,
        subject=move.repository,
        summary=(plain("A tag that should not move has another digest."),),
        sections=(Section("Tag", (change,)),),
        facts=(Fact("Repository", move.repository), Fact("Rule", origin)),
        next_step=next_step,
        links=(link("Open in ECR", console.image_page(home, move.new)),),
        footer=console.footer(home, move.repository),
    )
