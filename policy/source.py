"""The text of a policy as plain nodes that know their place, so that every problem can name its line.

Only what a policy needs of YAML is taken. A scalar stays the text that was written: YAML's own guesses would turn the
tag `1.10` into 1.1, the account `012345678901` into an octal number, the mode `off` into false and a tag like a date
into a date.
What has two readings, or can grow without bound (anchors, aliases, tags, duplicate keys), is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import AliasEvent, MappingStartEvent, NodeEvent, ScalarEvent, SequenceStartEvent

from policy.errors import Place, Problem
from warden.text import clean

LARGEST = 512 * 1024
"""Bytes: some thousand rules. What is larger is no policy, and would be slow to refuse later."""
DEEPEST = 12
"""A policy nests five levels."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_START = Place(1, 1)


class Plain(str):
    """A scalar that was written without quotes, so that it may also mean a number or true or false."""

    __slots__ = ()


@dataclass(slots=True)
class Node:
    """A value and where it stands. A mapping's keys have a place of their own."""

    value: "str | list[Node] | dict[str, Node]"
    place: Place
    keys: dict[str, Place] = field(default_factory=dict)

    def plain(self) -> Any:
        """The value without its places: text, lists and dicts."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


class Malformed(Exception):
    """The text is not YAML of the kind that a policy is written in."""

    def __init__(self, place: Place, text: str, field: str = "") -> None:
        """One problem: reading stops at the first."""
        self.problem = Problem(place, field, text)
        super().__init__(str(self.problem))


def read(data: bytes) -> Node:
    """The mapping that a policy file holds. Raises Malformed."""
    if len(data) > LARGEST:
        raise Malformed(_START, f"expected a policy of at most {LARGEST // 1024} KiB, got {len(data) // 1024} KiB")
    if data.startswith(_BYTE_ORDER_MARK):
        raise Malformed(_START, "expected plain UTF-8, got a byte order mark: save the file as UTF-8 without BOM")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise Malformed(Place(line, column), "expected UTF-8, got another encoding: save the file as UTF-8") from None
    try:
        root = _build(yaml.parse(text, yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise Malformed(_place(error.problem_mark or error.context_mark), _explain(error)) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(before.count("\n") + 1, error.position - before.rfind("\n"))
        raise Malformed(place, "expected printable text, got a control character") from None
    if root is None:
        raise Malformed(_START, "expected a policy, got an empty file: start with 'version: 1'")
    if not isinstance(root.value, dict):
        raise Malformed(root.place, f"expected a mapping of keys such as 'version: 1', got {describe(root.plain())}")
    return root


def describe(value: Any) -> str:
    """A value in the words of an error, short and safe to show."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value == "":
        return "nothing" if isinstance(value, Plain) else "empty text"
    if "://" in str(value):
        return "a URL"  # it may be a webhook's, which is its password
    return clean(str(value), 60) if isinstance(value, Plain) else f"'{clean(str(value), 60)}'"


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet; `key` is the key that waits for its value."""

    node: Node
    key: str | None = None


def _build(events: Iterator[Any]) -> Node | None:
    """Without recursion, so that no nesting can exhaust the stack."""
    root: Node | None = None
    stack: list[_Open] = []
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Malformed(_place(event.start_mark), "expected one document, got a second one after '---'")
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif isinstance(event, NodeEvent):
            node = _node(event)
            if stack:
                _attach(stack[-1], node, event, _path(stack))
            else:
                root = node
            if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
                stack.append(_Open(node))
                if len(stack) > DEEPEST:
                    raise Malformed(node.place, f"expected at most {DEEPEST} levels of nesting")
    return root if root is None or root.value != "" else None


def _node(event: NodeEvent) -> Node:
    place = _place(event.start_mark)
    if isinstance(event, AliasEvent):
        raise Malformed(
            place, f'an unquoted * starts a YAML alias, which a policy can\'t have: write "*{event.anchor}" in quotes'
        )
    if event.anchor is not None:
        raise Malformed(place, f"a policy can't have YAML anchors: take &{event.anchor} out, and write the value again")
    if getattr(event, "tag", None) is not None:
        raise Malformed(place, "a policy can't have YAML tags: take out the word that starts with '!'")
    if isinstance(event, ScalarEvent):
        return Node(event.value if event.style else Plain(event.value), place)
    return Node({} if isinstance(event, MappingStartEvent) else [], place)


def _attach(parent: _Open, node: Node, event: NodeEvent, path: str) -> None:
    holder = parent.node
    if isinstance(holder.value, list):
        holder.value.append(node)
    elif isinstance(holder.value, dict):
        if parent.key is not None:
            holder.value[parent.key] = node
            parent.key = None
            return
        if not isinstance(event, ScalarEvent):
            raise Malformed(node.place, "expected a key, got a list or mapping in its place", path)
        key = str(node.value)
        if key in holder.keys:
            first = holder.keys[key].line
            raise Malformed(node.place, f"the key stands twice, first in line {first}: keep one", dotted(path, key))
        holder.keys[key] = node.place
        parent.key = key


def _path(stack: Sequence[_Open]) -> str:
    path = ""
    for opened in stack[:-1]:
        if isinstance(opened.node.value, list):
            path += f"[{len(opened.node.value) - 1}]"
        else:
            # The child is attached already, and its key with it: the newest.
            path = dotted(path, next(reversed(opened.node.keys)))
    return path


def dotted(path: str, key: str) -> str:
    """The path of a key below a path: `rules[0]` and `tags` give `rules[0].tags`."""
    return f"{path}.{key}" if path else key


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark is not None else _START


def _explain(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it can't be read"
    if "'\\t'" in problem:
        return "a tab can't indent YAML: use spaces"
    if error.context == "while scanning an alias":
        return 'an unquoted * starts a YAML alias: write the pattern in quotes, such as "*-rc"'
    if error.context == "while scanning a directive" or "'%'" in problem:
        return "a line can't start with '%': a policy has no YAML directives"
    if "'@'" in problem or "'`'" in problem:
        return "a value that starts with @ or ` must stand in quotes"
    if problem == "mapping values are not allowed here":
        return "a ':' where no key can stand: check the indentation, or put the value in quotes"
    context = f"{error.context}: " if error.context else ""
    return f"not YAML: {context}{problem}"
