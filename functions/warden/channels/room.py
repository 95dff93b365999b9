"""Room in a message, counted as JSON counts it: what an escape adds is paid for, too."""

import json
from collections.abc import Callable
from typing import Any

HEAVIEST = 12
"""What one character can weigh as JSON: the two escapes of a surrogate pair."""

Json = dict[str, Any]


def weight(value: Json | list[Json] | str) -> int:
    """The characters (and bytes) of the value as JSON with every escape.

    >>> weight("é"), weight({"a": 1})
    (8, 8)
    """
    return len(json.dumps(value))


def fit(text: str, limit: int, room: int, clip: Callable[[str, int], str]) -> str:
    """The text in at most `limit` characters that weigh no more than `room`; `clip` cuts it (see `warden.text`)."""
    shown = clip(text, limit)
    return shown if weight(shown) - len('""') <= room else clip(text, min(limit, room // HEAVIEST))
