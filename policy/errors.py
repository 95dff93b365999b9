"""What is wrong with a policy, where, and how to put it right."""

from collections.abc import Iterable
from dataclasses import dataclass

from warden.text import clean

LONGEST_PROBLEM = 400


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file: line and column, counted from 1 as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong. `field` is its path (`rules[0].tags.exclude`), or empty for the whole file."""

    place: Place
    field: str
    text: str

    def __str__(self) -> str:
        """As an editor's problem matcher reads it, without the file: `11:12: defaults.mode: expected …`."""
        said = f"{self.field}: {self.text}" if self.field else self.text
        return f"{self.place.line}:{self.place.column}: {clean(said, LONGEST_PROBLEM)}"


class PolicyError(Exception):
    """A policy that can't be used: every problem that was found in the file, a line each, in the file's order."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        """`file` is how its user calls it."""
        self.file = clean(file, 200)
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(f"{self.file}:{problem}" for problem in self.problems))
