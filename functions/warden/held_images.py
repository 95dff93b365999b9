"""What the ledger knows of an image in quarantine: all that it takes to undo it, whatever the policy says by then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from warden.known import Known, Seen
from warden.names import ImageId, Tag
from warden.policy import QuarantineBy


class Moved(NamedTuple):
    """A tag, and the one that stands for it while the image is in quarantine."""

    tag: Tag
    aside: Tag


@dataclass(frozen=True, slots=True)
class Held:
    """One image in quarantine: how, since when, by whose order (empty: by its verdict), and why.

    `moved` are its tags that were moved aside, or are about to be. `waiting` says that it is to be put there and could
    not be yet: it is in use, or ECR refused. `gaps` are the platforms that were not scanned when its verdict was given,
    and `ending` is the message by which it is being released.
    """

    image: ImageId
    how: QuarantineBy
    since: datetime
    by: str
    reason: str
    moved: tuple[Moved, ...] = ()
    waiting: bool = False
    gaps: frozenset[bytes] = frozenset()
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Denial:
    """What the warden did to a repository's policy: the text without its statement (None: there was no policy).

    `statements` are those that may stand there as ours: the last one put, and the one before it, if that still may.
    """

    original: str | None
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Released:
    """A person has released an image, and what was found in it by then."""

    by: str
    reason: str
    findings: Mapping[bytes, Seen]

    def covers(self, known: Known, threshold: int) -> bool:
        """Whether all that blocks now was known when the image was released, and was no milder then.

        `threshold` is the rank of the severity from which findings block.
        """
        return all(
            key in self.findings and self.findings[key].rank <= seen.rank
            for key, seen in known.findings.items()
            if seen.rank <= threshold
        )
