"""What makes no sense in a policy of the right form: where it stands, and why."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from policy.complaints import Location


class Nonsense(NamedTuple):
    """Where the file makes no sense, and why."""

    location: Location
    text: str


def repetitions(location: Location, items: Sequence[str]) -> Iterator[Nonsense]:
    """Every item of a list that stands there already."""
    for number, item in enumerate(items):
        if item in items[:number]:
            yield Nonsense((*location, number), f"'{item}' stands twice: keep one")
