"""Watching tags: remembers which digest each has, notices when that changes, and puts the tag back."""

from dataclasses import dataclass
from datetime import datetime

from warden import fights, moves
from warden.errors import Refused
from warden.events import ImagePushed
from warden.image_tags import ImageTags, TagTaken
from warden.ledger import Entry, Ledger
from warden.moves import Move
from warden.names import RepositoryName, Tag
from warden.policy import Standard
from warden.registry import Registry

KIND = "tag move"
PUT_BACK = "put back"


@dataclass(frozen=True, slots=True)
class TagWatch:
    """What it works with."""

    registry: Registry
    image_tags: ImageTags
    ledger: Ledger

    def look(self, event: ImagePushed, standard: Standard, *, now: datetime) -> tuple[Move, str | None] | None:
        """The move that a push made, and why the tag was not put back (None: it was); None where nothing moved.

        Not yet settled: a repetition finds the same move, until `settle`.
        """
        if event.tag is None or not moves.matter(standard, event.tag):
            return None
        repository = event.image.repository
        known = self.ledger.place_of_tag(repository, event.tag)
        tagged = self.registry.tagged(repository, event.tag)
        if known is None:
            if tagged:
                self.ledger.remember_tag(tagged.id, event.tag)
            return None
        if tagged and tagged.id.digest != known:
            move = Move(repository, event.tag, known, tagged.id.digest)
        else:
            move = Move(repository, event.tag, known, event.image.digest)
            if known == event.image.digest or not self._was_left(move, event):
                return None
        return move, self._answer(move, event, standard, now)

    def settle(self, move: Move, why_not: str | None, event: ImagePushed, standard: Standard) -> None:
        """Write down what came of the move; a tag that was not put back has its new place from now on."""
        result = f"not put back: {why_not}" if why_not else PUT_BACK
        details = {
            "tag": move.tag,
            "before": move.before,
            "after": move.after,
            "result": result,
            "rule": standard.origins["tags.moves"],
            "event": event.id,
        }
        self.ledger.record(Entry(move.repository, event.at, KIND, f"{move} ({result})", details), event=event.id)
        if why_not:
            self.ledger.remember_tag(move.new, move.tag)

    def _was_left(self, move: Move, event: ImagePushed) -> bool:
        """Whether an earlier try put the new image aside and died: before it gave the tag back, or before it told."""
        new = self.registry.image(move.new)
        if new is None or move.aside not in new.tags:
            return False
        history = self.ledger.history(move.repository, since=event.at)
        return not any(entry.kind == KIND and entry.details["event"] == event.id for entry in history)

    def _answer(self, move: Move, event: ImagePushed, standard: Standard, now: datetime) -> str | None:
        why_not = moves.why_not_put_back(
            standard,
            old_is_there=self.registry.image(move.old) is not None,
            put_back_before=self._put_back_before(move.repository, move.tag, event.id, now),
        )
        if why_not is None:
            try:
                self._put_back(move)
            except Refused as refusal:
                return str(refusal)
        return why_not

    def _put_back_before(self, repository: RepositoryName, tag: Tag, event: str, now: datetime) -> int:
        return sum(
            entry.kind == KIND
            and (entry.details["tag"], entry.details["result"]) == (tag, PUT_BACK)
            and entry.details["event"] != event
            for entry in self.ledger.history(repository, since=now - fights.WINDOW)
        )

    def _put_back(self, move: Move) -> None:
        """Nothing is lost at any step: the new image has a second tag before it loses the first.

        Only a tag that can't move is taken, and given anew: what pulls a tag that no image has is broken.
        """
        self.image_tags.put(move.new, move.aside)
        try:
            self.image_tags.put(move.old, move.tag)
        except TagTaken:
            self.image_tags.take(move.new, move.tag)
            try:
                self.image_tags.put(move.old, move.tag)
            except Refused:
                self.image_tags.put(move.new, move.tag)
                raise
