"""What all who are asked have in common: what they answer, and how their answers are read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar

from warden.errors import Refused
from warden.events import Home
from warden.names import RepositoryName
from warden.text import clean
from warden.usage import Use

LONGEST_NAME = 120
"""Names of clusters and functions are their owners' to choose."""
Item = TypeVar("Item")


class Incomplete(Refused):
    """Somebody answered, and does not know all that is in use: to ask again would be answered alike."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A repository whose images may be in use without whoever was asked knowing of it."""

    repository: RepositoryName
    why: str


class Source(Protocol):
    """Somebody who is asked what is in use."""

    def uses(self, home: Home) -> Iterable[Use | Unseen]:
        """Every use of images of the registry at `home`, to the last page.

        Raises Incomplete where it can't know, Unavailable where an answer was cut short, and botocore's errors.
        """


def named(kind: str, name: str) -> str:
    """What people call it, such as `ECS cluster web`, whatever its owner has put into its name."""
    return f"{kind} {clean(name, LONGEST_NAME)}"


def groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items, so many at a time."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
