"""Images that have left: noticed by ECR's events or at the next look, and written down with the rule that took them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from warden.ledger import Entry, Ledger
from warden.lifecycle.rules import RuleAction
from warden.names import Digest, RepositoryName
from warden.prune_events import ImagesGone
from warden.prune_notice import gone_text, left_text
from warden.pruning import Leaving
from warden.prunings import Expected, Prunings
from warden.repository_images import RepositoryImages
from warden.stored_images import StoredImage

KIND = "left"
SAME_DEED = timedelta(minutes=5)
"""Within which the events of one deletion come, one for each tag that the image had."""


@dataclass(frozen=True, slots=True)
class Departures:
    """What departures are found and written down with."""

    images: RepositoryImages
    prunings: Prunings
    ledger: Ledger

    def since_last_look(
        self,
        repository: RepositoryName,
        images: tuple[StoredImage, ...],
        leaving: frozenset[Digest],
        *,
        event: str,
        at: datetime,
    ) -> tuple[Leaving, ...]:
        """What was to leave and has left; what stays after all is forgotten. `leaving` still is to leave."""
        present = {image.digest: image for image in images}
        found: list[Leaving] = []
        done: list[Digest] = []
        for expected in self.prunings.expected(repository).values():
            image = present.get(expected.digest)
            if _was_deleted_meanwhile(expected, image):
                done.append(expected.digest)  # by no rule: that is for ECR's event to tell
            elif _has_left(expected.action, image):
                one = _leaving(expected, at)
                found.append(one)
                if not expected.recorded:
                    self._write(repository, expected.digest, left_text(one), one, event=event, at=at)
                    self.prunings.note_recorded(repository, expected.digest)
            elif expected.digest not in leaving:
                done.append(expected.digest)
        self.prunings.forget(repository, done)
        return tuple(found)

    def told(self, gone: ImagesGone) -> int:
        """Write down what an event tells of, if it is so; how many images have left. An image loses tags, too."""
        present = {image.digest: image for image in self.images.again(gone.repository, list(gone.priorities))}
        return sum(
            self._tell(gone, digest, priority, present.get(digest)) for digest, priority in gone.priorities.items()
        )

    def _tell(self, gone: ImagesGone, digest: Digest, priority: int | None, image: StoredImage | None) -> bool:
        expected = self.prunings.expected_of(gone.repository, digest)
        if expected is None or _was_deleted_meanwhile(expected, image):
            return self._tell_of_another(gone, digest, priority, image)
        if not _has_left(expected.action, image):
            return False
        if not expected.recorded:
            one = _leaving(expected, gone.at)
            text = left_text(one, priority=priority)
            self._write(gone.repository, digest, text, one, event=gone.id, at=gone.at)
            self.prunings.note_recorded(gone.repository, digest)
        return True

    def _tell_of_another(
        self, gone: ImagesGone, digest: Digest, priority: int | None, image: StoredImage | None
    ) -> bool:
        """One that no rule of the standard took: a line of its history, though ECR tells of each of its tags."""
        if image is not None and not image.archived:
            return False
        text = gone_text(RuleAction.EXPIRE if image is None else RuleAction.TRANSITION, priority=priority)
        before = self.ledger.history(f"{gone.repository}@{digest}", since=gone.at - SAME_DEED)
        if not any(entry.kind == KIND and entry.text == text for entry in before):
            self._write(gone.repository, digest, text, None, event=gone.id, at=gone.at)
        return True

    def _write(
        self, repository: RepositoryName, digest: Digest, text: str, one: Leaving | None, *, event: str, at: datetime
    ) -> None:
        details = {"rule": one.rule, "origin": one.origin} if one else {}
        self.ledger.record(Entry(f"{repository}@{digest}", at, KIND, text, details), event=event)


def _was_deleted_meanwhile(expected: Expected, image: StoredImage | None) -> bool:
    """Whether an image is gone that was only to be archived: the rule is not to blame for that."""
    return image is None and expected.action is RuleAction.TRANSITION


def _has_left(action: RuleAction, image: StoredImage | None) -> bool:
    return image is None or (action is RuleAction.TRANSITION and image.archived)


def _leaving(expected: Expected, at: datetime) -> Leaving:
    """It may be gone, so that nothing more is known of it than what was remembered."""
    image = StoredImage(expected.digest, expected.tags, at, expected.size)
    return Leaving(image, expected.action, expected.rule, expected.origin, by_ecr=expected.by_ecr)
