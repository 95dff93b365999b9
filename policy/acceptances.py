"""What a file of another tool accepts, before anything is known but the file: the words that its readers share.

A reader yields outcomes in the file's order: an acceptance, something to tell that stops nothing, or a problem.
"""

from dataclasses import dataclass
from datetime import date

from policy.errors import Place, Problem
from policy.source import Malformed, Node, Plain, describe, dotted

_NOTHING = frozenset({"", "~", "null"})


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A vulnerability that the file accepts. What is empty or None, the file does not say."""

    place: Place
    field: str
    cve: str
    package: str | None = None
    repositories: tuple[str, ...] = ()
    until: date | None = None
    reason: str = ""
    is_of_a_version: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What its user should know and that stops nothing."""

    problem: Problem


Outcome = Acceptance | Told | Problem


def left_out(place: Place, field: str, why: str) -> Told:
    """An entry that becomes no exemption, and why."""
    return Told(Problem(place, field, f"left out: {why}"))


def keys_of(node: Node, field: str) -> dict[str, Node]:
    """The keys of a mapping that say something. Raises Malformed."""
    if not isinstance(node.value, dict):
        raise Malformed(node.place, f"expected a mapping of keys, got {describe(node.plain())}", field)
    return {key: value for key, value in node.value.items() if _says_something(value)}


def items(keys: dict[str, Node], key: str, field: str) -> list[Node]:
    """The list of a key; empty where it is not written. Raises Malformed."""
    node = keys.get(key)
    if node is None:
        return []
    if not isinstance(node.value, list):
        raise Malformed(node.place, f"expected a list, got {describe(node.plain())}", dotted(field, key))
    return node.value


def text_of(keys: dict[str, Node], key: str, field: str) -> str:
    """The text of a key; empty where it is not written. Raises Malformed."""
    return scalar(keys[key], dotted(field, key)) if key in keys else ""


def scalar(node: Node, field: str) -> str:
    """The text that a node is; JSON writes a character beyond the first 65,536 as two. Raises Malformed."""
    if not isinstance(node.value, str):
        raise Malformed(node.place, f"expected text, got {describe(node.plain())}", field)
    return node.value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _says_something(node: Node) -> bool:
    return not (isinstance(node.value, Plain) and node.value in _NOTHING)
