"""Objects of JSON that somebody wrote, read key by key: everything that is wrong is told, not only the first."""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeVar

from warden.text import clean

LARGEST_INTEGER = 2**31 - 1
"""What the API's model calls an integer has 32 bits."""

_LONGEST = 60

Word = TypeVar("Word", bound=StrEnum)


def shown(value: Any) -> str:
    """A value of JSON in a few words."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_INTEGER:
        return "a number of more than 32 bits"
    return clean(json.dumps(value, ensure_ascii=False), _LONGEST)


class JsonObject:
    """One object, at a place that has a name.

    Each method takes out what is at a key, and adds to the complaints where it is not what was expected; what it gives
    back then stands for nothing.
    """

    def __init__(self, place: str, content: dict[str, Any] | None, complaints: list[str], path: str = "") -> None:
        """`content` is None where something was told of already: no further complaint comes from it."""
        self.content = content or {}
        self._is_there = content is not None
        self._place, self._path, self._complaints = place, path, complaints

    @classmethod
    def opened(cls, place: str, value: Any, complaints: list[str], path: str = "") -> "JsonObject":
        """The object that a value should be."""
        if isinstance(value, dict):
            return cls(place, value, complaints, path)
        complaints.append(f"{': '.join(filter(None, (place, path)))}: expected an object, got {shown(value)}")
        return cls(place, None, complaints, path)

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def complain(self, key: str, expected: str, got: str) -> None:
        """Tell what is wrong with the value at a key."""
        if self._is_there:
            self._complaints.append(f"{self._place}: {self._at(key)}: expected {expected}, got {got}")

    def allow(self, *keys: str) -> None:
        """Complain of all other keys."""
        for key in self.content:
            if key not in keys:
                at = f"{self._place}: {self._path}" if self._path else self._place
                self._complaints.append(f"{at}: expected only {', '.join(keys)}, got {shown(key)}")

    def object(self, key: str) -> "JsonObject":
        """The object at a key."""
        if key in self.content:
            return JsonObject.opened(self._place, self.content[key], self._complaints, self._at(key))
        self.complain(key, "an object", "nothing")
        return JsonObject(self._place, None, self._complaints)

    def items(self, key: str) -> list[Any]:
        """The list at a key."""
        value = self.content.get(key)
        if isinstance(value, list):
            return value
        self.complain(key, "a list", self._got(key))
        return []

    def strings(self, key: str) -> tuple[str, ...]:
        """The list of strings at a key, none of them empty; nothing where there is no such key."""
        if key not in self.content:
            return ()
        value = self.content[key]
        if not isinstance(value, list) or not value:
            self.complain(key, "a list of one string or more", shown(value) if value != [] else "an empty one")
            return ()
        for index, item in enumerate(value):
            if not isinstance(item, str) or not item:
                self.complain(f"{key}[{index}]", "a string that is not empty", shown(item))
        return tuple(value)

    def whole_number(self, key: str) -> int:
        """The whole number from 1 at a key: 3.0 and true are none."""
        value = self.content.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_INTEGER:
            return value
        self.complain(key, "a whole number from 1", self._got(key))
        return 1

    def text(self, key: str, allowed: Sequence[str] | None, absent: str | None) -> str:
        """The text at a key, one of those allowed where they are given; `absent` stands for it where it isn't there."""
        if key not in self.content and absent is not None:
            return absent
        value = self.content.get(key)
        if isinstance(value, str) and (allowed is None or value in allowed):
            return value
        self.complain(key, "a string" if allowed is None else " or ".join(allowed), self._got(key))
        return ""

    def one_of(self, key: str, words: type[Word]) -> Word:
        """The word at a key."""
        first, *_ = words
        value = self.text(key, [word.value for word in words], None)
        return words(value) if value else first

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _got(self, key: str) -> str:
        return shown(self.content[key]) if key in self.content else "nothing"
