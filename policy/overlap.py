"""Which repositories two patterns have in common, so that only combinations that can happen are called wrong."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from warden.names import is_repository_name
from warden.wildcard import matches

_FILLINGS = ("app", "zq9", "7")
"""What a wildcard is filled with to make a name: the first reads well, the others match little by accident."""
_MOST_SHAPES = 64
_FRESH = "\0"
"""Stands for a wildcard's characters, whatever they are: no pattern has it."""


def covers(outer: str, inner: str) -> bool:
    """Whether whatever matches `inner` matches `outer` too.

    >>> covers("team-a/*", "team-a/*-api"), covers("team-a/*", "*-api")
    (True, False)
    """
    return matches(outer, inner.replace("*", _FRESH))


def _anything(_: str) -> bool:
    return True


def example(one: str, other: str, *, unless: Iterable[str] = (), such: Callable[[str], bool] = _anything) -> str | None:
    """A repository name that matches both patterns and none of `unless`, or None where none was found.

    `such` says what else must be true of it.

    >>> example("team-a/*", "*-api")
    'team-a/app-api'
    >>> example("team-a/*", "team-b/*") is None
    True
    """
    excluded = tuple(unless)
    for shape in islice(_shapes(one, other), _MOST_SHAPES):
        for filling in _FILLINGS:
            name = shape.replace("*", filling)
            if not is_repository_name(name) or any(matches(pattern, name) for pattern in excluded):
                continue
            if such(name):
                return name
    return None


def _shapes(one: str, other: str) -> Iterator[str]:
    """Patterns that together match what both match; no branch is entered that leads nowhere."""
    possible = _possible(one, other)

    def walk(i: int, j: int) -> Iterator[str]:
        if not possible[i][j]:
            return
        if i == len(one) and j == len(other):
            yield ""
            return
        a, b = one[i : i + 1], other[j : j + 1]
        if a == "*" and b == "*":
            steps = [("*", i + 1, j + 1), ("*", i + 1, j), ("*", i, j + 1)]
        elif a == "*":
            steps = [("", i + 1, j), (b, i, j + 1)]
        elif b == "*":
            steps = [("", i, j + 1), (a, i + 1, j)]
        else:
            steps = [(a, i + 1, j + 1)]
        for character, next_i, next_j in steps:
            for rest in walk(next_i, next_j):
                yield character + rest

    return walk(0, 0)


def _possible(one: str, other: str) -> list[list[bool]]:
    """Whether some text matches both one[i:] and other[j:]."""
    rows, columns = len(one), len(other)
    table = [[False] * (columns + 2) for _ in range(rows + 2)]
    table[rows][columns] = True
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            a, b = one[i : i + 1], other[j : j + 1]
            if "*" in {a, b}:
                by_one = a == "*" and (table[i + 1][j] or (b != "" and table[i][j + 1]))
                by_other = b == "*" and (table[i][j + 1] or (a != "" and table[i + 1][j]))
                table[i][j] = by_one or by_other
            elif a and a == b:
                table[i][j] = table[i + 1][j + 1]
    return table
