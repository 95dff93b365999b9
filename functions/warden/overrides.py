"""What a repository may say of itself, by its own tags: tighten the standard, or choose a channel; never loosen it.

A tag's key is `warden:` and a field's name, such as `warden:findings.notify_from`. Whoever may tag the repository may
write it, so every value is a stranger's.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from warden.names import Severity
from warden.policy import FIX_WITHIN, Field, Immutability
from warden.text import clean

PREFIX = "warden:"
SIGNATURES = "sha256-*"
"""The tags that signing tools write, and write again."""
_OUR_OWN = frozenset({"warden:standard", "warden:state"})
_OF_THE_POLICY = ("lifecycle.", "promote.", "quarantine.", "empty.")
_DAYS = re.compile(r"([1-9][0-9]{0,4})([dw])")
_BOTH = ("findings.notify_from", "findings.block_from")
LONGEST = 80


@dataclass(frozen=True, slots=True)
class RefusedTag:
    """What a repository's tag asked for and did not get."""

    key: str
    value: str
    why: str


class _Refusal(Exception):
    """Why a tag is not followed."""


def tighten(
    fields: Mapping[str, Field], tags: Mapping[str, str], open_channels: Collection[str]
) -> tuple[dict[str, Field], tuple[RefusedTag, ...]]:
    """The fields as the repository's tags tighten them, and the tags that were not followed."""
    tightened = dict(fields)
    refused: list[RefusedTag] = []
    for key in sorted(tags):
        if not key.startswith(PREFIX) or key in _OUR_OWN:
            continue
        try:
            tightened |= _followed(key.removeprefix(PREFIX), tags[key].strip(), tightened, open_channels)
        except _Refusal as refusal:
            refused.append(RefusedTag(clean(key, LONGEST), clean(tags[key], LONGEST), str(refusal)))
    return _with_sense(tightened), tuple(refused)


def _followed(name: str, text: str, fields: Mapping[str, Field], open_channels: Collection[str]) -> dict[str, Field]:
    """The fields that the tag changes. Raises _Refusal."""
    origin = f"tag {PREFIX}{name}"
    if name == "channels":
        return {name: Field(_channels(text, open_channels), origin)}
    if name.endswith(".mode"):
        raise _Refusal("a mode is the policy's alone")
    if name.startswith(_OF_THE_POLICY) or name == "tags.moves":
        raise _Refusal("what moves or deletes images is the policy's alone")
    follow = _FOLLOWED.get(name)
    if follow is None:
        from difflib import get_close_matches  # noqa: PLC0415 - read only where something is refused

        near = get_close_matches(name, [*_FOLLOWED, "channels"], n=1)
        raise _Refusal(f"no tag can say this{f': did you mean {PREFIX}{near[0]}?' if near else ''}")
    changed = {name: Field(follow(text, fields[name].value), origin)}
    if name == "tags.immutability" and _patterns_change(fields[name].value, changed[name].value):
        changed["tags.exclude"] = Field([SIGNATURES], origin)
    return changed


def _with_sense(tightened: dict[str, Field]) -> dict[str, Field]:
    """What blocks must be told: where a tag blocks from milder findings on, they are told, too."""
    notify, block = (tightened[name] for name in _BOTH)
    if not Severity(block.value).reaches(Severity(notify.value)):
        tightened["findings.notify_from"] = Field(block.value, block.origin)
    return tightened


def _patterns_change(before: str, after: str) -> bool:
    """Whether exclusions mean another thing than before, or must mean nothing."""
    return before != after and (after == Immutability.IMMUTABLE or before == Immutability.MUTABLE_WITH_EXCLUSION)


def _channels(text: str, open_channels: Collection[str]) -> list[str]:
    chosen = list(dict.fromkeys(re.split(r"[\s+/]+", text)))
    for name in chosen:
        if name not in open_channels:
            offered = ", ".join(sorted(open_channels)) or "none"
            raise _Refusal(f"no channel {clean(name, LONGEST)!r} is open to repositories: expected one of {offered}")
    return chosen


def _ranked(order: tuple[str, ...]) -> Callable[[str, str], str]:
    """Reads one of the words, which stand from the loosest to the strictest."""

    def follow(text: str, current: str) -> str:
        word = next((word for word in order if word.lower() == text.lower()), None)
        if word is None:
            raise _Refusal(f"expected one of {', '.join(order)}")
        if order.index(word) < order.index(current):
            raise _Refusal(f"it would loosen the standard, which says {current}")
        return word

    return follow


def _switch(tight: bool) -> Callable[[str, bool], bool]:
    """Reads true or false, of which only one tightens."""

    def follow(text: str, current: bool) -> bool:
        if text.lower() not in {"true", "false"}:
            raise _Refusal("expected true or false")
        value = text.lower() == "true"
        if value != tight and current == tight:
            raise _Refusal(f"it would loosen the standard, which says {str(current).lower()}")
        return value

    return follow


def _fewer_days(text: str, current: int | None) -> int:
    found = _DAYS.fullmatch(text)
    if not found:
        raise _Refusal("expected a number of days or weeks, such as 7d")
    days = int(found.group(1)) * (7 if found.group(2) == "w" else 1)
    if current is not None and days > current:
        raise _Refusal(f"it would loosen the standard, which says {current}d")
    return days


def _fewer_accounts(text: str, current: list[str] | None) -> list[str]:
    accounts = sorted(set(re.split(r"[\s+/]+", text)))
    if not all(re.fullmatch(r"[0-9]{12}", account) for account in accounts):
        raise _Refusal("expected account numbers of 12 digits, separated by spaces")
    if current is not None and not set(accounts) <= set(current):
        raise _Refusal("it would loosen the standard: only accounts of the policy can be chosen")
    return accounts


_SEVERITIES = tuple(map(str, Severity))
_FOLLOWED: Mapping[str, Callable[[str, Any], Any]] = {
    "tags.immutability": _ranked(tuple(map(str, Immutability))),
    "scanning.on_push": _switch(tight=True),
    "scanning.rescan_after": _fewer_days,
    "findings.notify_from": _ranked(_SEVERITIES),
    "findings.block_from": _ranked(_SEVERITIES),
    "findings.fixable_only": _switch(tight=False),
    "findings.new_only": _switch(tight=False),
    "findings.exploited_only": _switch(tight=False),
    **dict.fromkeys((f"findings.fix_within.{severity}" for severity in FIX_WITHIN), _fewer_days),
    "access.forbid_public": _switch(tight=True),
    "access.accounts": _fewer_accounts,
}
