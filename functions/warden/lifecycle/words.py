"""Lifecycle policies that anybody may have written: whether two mean the same, and what one does, in words.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

import json
from typing import Any

from warden.lifecycle.rules import CountType, TagStatus
from warden.lifecycle.shields import SO_MANY, SO_MANY_DAYS
from warden.text import clean

LONGEST = 200
_SINCE: dict[str, str] = {
    CountType.SINCE_IMAGE_PUSHED: "the push",
    CountType.SINCE_IMAGE_PULLED: "the last pull",
    CountType.SINCE_IMAGE_TRANSITIONED: "they were archived",
}
_NEVER: dict[str, int] = {CountType.IMAGE_COUNT_MORE_THAN: SO_MANY, CountType.SINCE_IMAGE_TRANSITIONED: SO_MANY_DAYS}


def same(one: str, other: str) -> bool:
    """Whether two lifecycle policies mean the same: the order of keys, spaces, descriptions and numbers are no drift.

    Nor is the order between rules of different storage classes, which know nothing of each other. What can't be read is
    the same as nothing.
    """
    meanings = (_meaning(one), _meaning(other))
    return meanings[0] is not None and meanings[0] == meanings[1]


def in_words(text: str) -> str:
    """A lifecycle policy that anybody may have written, for people, one part a rule."""
    meaning = _meaning(text)
    if meaning is None:
        return "a policy that can't be read"
    return "; ".join(map(_rule_in_words, meaning)) or "a policy without rules"


def _meaning(text: str) -> list[dict[str, Any]] | None:
    """What the rules do, in the order in which ECR takes them; None where the text is no lifecycle policy."""
    try:
        rules = sorted(json.loads(text)["rules"], key=lambda rule: int(rule["rulePriority"]))
        meanings = [_meaning_of_rule(rule) for rule in rules]
        return sorted(meanings, key=lambda rule: bool(rule["selection"]["storageClass"] == "archive"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _meaning_of_rule(rule: dict[str, Any]) -> dict[str, Any]:
    lists = {name: sorted(set(value)) for name, value in rule["selection"].items() if isinstance(value, list)}
    selection = {"storageClass": "standard", **rule["selection"], **lists}  # what ECR takes where it is not written
    # A prefix is a pattern that ends in a wildcard; a star in it is none.
    prefixes = selection.pop("tagPrefixList", ())
    if any("*" in prefix for prefix in prefixes):
        selection["prefixes"] = prefixes
    elif patterns := sorted({*selection.pop("tagPatternList", ()), *(f"{prefix}*" for prefix in prefixes)}):
        selection["patterns"] = patterns
    return {"selection": selection, "action": rule["action"]}


def _rule_in_words(rule: dict[str, Any]) -> str:
    selection, action = rule["selection"], rule["action"]
    which = _which(selection)
    count_type, number = str(selection.get("countType")), selection.get("countNumber")
    if isinstance(number, int) and number >= _NEVER.get(count_type, number + 1):
        return clean(f"keep {which}", LONGEST)
    kind = action.get("type") if isinstance(action, dict) else None
    verb = {"expire": "delete", "transition": "archive"}.get(str(kind), "take")
    if count_type == CountType.IMAGE_COUNT_MORE_THAN:
        return clean(f"{verb} {which} beyond the newest {number}", LONGEST)
    return clean(f"{verb} {which} {number} days after {_SINCE.get(count_type, 'the push')}", LONGEST)


def _which(selection: dict[str, Any]) -> str:
    stored = "archived images" if selection["storageClass"] == "archive" else "images"
    match selection.get("tagStatus"):
        case TagStatus.UNTAGGED:
            return f"untagged {stored}"
        case TagStatus.ANY:
            return f"all {stored}"
    prefixes = [f"{prefix}…" for prefix in selection.get("prefixes", ())]
    return f"{stored} tagged {' and '.join([*prefixes, *map(str, selection.get('patterns', ()))]) or 'something'}"
