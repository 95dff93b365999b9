"""Lifecycle policies as text: what PutLifecyclePolicy takes, and what it refuses and why.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from warden.errors import Invalid
from warden.lifecycle.json_objects import JsonObject, shown
from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus

MOST_RULES = 50
MOST_WILDCARDS = 4
LEAST_ARCHIVED_DAYS = 90
"""An image is charged for so long in the archive, and no rule may delete it before."""
SHORTEST, LONGEST = 100, 30_720
"""Characters of a policy's text."""

_DAYS = "days"
_STANDARD, _ARCHIVE = "standard", "archive"
_RULE = ("rulePriority", "description", "selection", "action")
_LISTS = ("tagPatternList", "tagPrefixList")
_SELECTION = ("tagStatus", *_LISTS, "storageClass", "countType", "countUnit", "countNumber")
_ACTION = ("type", "targetStorageClass")

_ONLY_ACTION = {
    CountType.SINCE_IMAGE_PULLED: RuleAction.TRANSITION,
    CountType.SINCE_IMAGE_TRANSITIONED: RuleAction.EXPIRE,
}
"""The one action of those count types that don't leave the choice."""


def read(text: str) -> tuple[Rule, ...]:
    """The rules of a policy, the first to apply first; raises Invalid, with all that is wrong, where ECR refuses it."""
    rules, found = _read(text)
    if found:
        raise Invalid(f"ECR takes no such lifecycle policy: {'; '.join(found)}")
    return tuple(sorted(rules, key=lambda rule: rule.priority))


def complaints(text: str) -> tuple[str, ...]:
    """Everything that is wrong with the text of a policy, each with its place; empty where ECR would take it."""
    return tuple(_read(text)[1])


def write(rules: Iterable[Rule]) -> str:
    """The rules as ECR stores them: minified JSON, in the order of their priority."""
    ordered = sorted(rules, key=lambda rule: rule.priority)
    return json.dumps({"rules": [_written(rule) for rule in ordered]}, separators=(",", ":"))


def _written(rule: Rule) -> dict[str, Any]:
    written: dict[str, Any] = {"rulePriority": rule.priority}
    if rule.description:
        written["description"] = rule.description
    selection: dict[str, Any] = {"tagStatus": rule.tag_status.value}
    if rule.patterns:
        selection["tagPatternList"] = list(rule.patterns)
    if rule.prefixes:
        selection["tagPrefixList"] = list(rule.prefixes)
    if rule.archived:
        selection["storageClass"] = _ARCHIVE
    selection["countType"] = rule.count_type.value
    if rule.count_type is not CountType.IMAGE_COUNT_MORE_THAN:
        selection["countUnit"] = _DAYS
    selection["countNumber"] = rule.count
    action = {"type": rule.action.value}
    if rule.action is RuleAction.TRANSITION:
        action["targetStorageClass"] = _ARCHIVE
    return written | {"selection": selection, "action": action}


def _read(text: str) -> tuple[list[Rule], list[str]]:
    """The rules that can be read, and all that is wrong."""
    if not SHORTEST <= len(text) <= LONGEST:
        return [], [f"the policy: expected {SHORTEST} to {LONGEST} characters, got {len(text)}"]
    try:
        value = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except RecursionError:
        return [], ["the policy: expected JSON with few levels, got too many to read"]
    except ValueError as error:
        return [], [f"the policy: expected JSON, got {shown_error(error)}"]
    return _policy(value)


def shown_error(error: ValueError) -> str:
    """What is wrong with text that should be JSON."""
    if isinstance(error, json.JSONDecodeError):
        return f"at line {error.lineno}, column {error.colno}: {error.msg}"
    return str(error)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two values ECR would take for the same key, nobody can tell."""
    repeated = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]
    if repeated:
        raise ValueError(f"the key {shown(repeated[0])} more than once in one object")
    return dict(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}, which JSON does not have")


def _policy(value: Any) -> tuple[list[Rule], list[str]]:
    found: list[str] = []
    policy = JsonObject.opened("the policy", value, found)
    policy.allow("rules")
    contents = policy.items("rules")
    if not found and not 1 <= len(contents) <= MOST_RULES:
        policy.complain("rules", f"1 to {MOST_RULES} rules", f"{len(contents)}")
    rules = [_rule(content, index, found) for index, content in enumerate(contents)]
    known = [(place, rule) for place, rule in rules if rule is not None]
    found += _together(known)
    return [rule for _, rule in known], found


def _rule(content: Any, index: int, found: list[str]) -> tuple[str, Rule | None]:
    """Where the rule stands, and the rule, if it can be read; what is wrong is added to what was found."""
    place = _place(content, index)
    before = len(found)
    entry = JsonObject.opened(place, content, found)
    entry.allow(*_RULE)
    selection, action = entry.object("selection"), entry.object("action")
    selection.allow(*_SELECTION)
    action.allow(*_ACTION)
    rule = Rule(
        priority=entry.whole_number("rulePriority"),
        tag_status=selection.one_of("tagStatus", TagStatus),
        count_type=selection.one_of("countType", CountType),
        count=selection.whole_number("countNumber"),
        action=action.one_of("type", RuleAction),
        patterns=selection.strings("tagPatternList"),
        prefixes=selection.strings("tagPrefixList"),
        archived=selection.text("storageClass", (_STANDARD, _ARCHIVE), _STANDARD) == _ARCHIVE,
        description=entry.text("description", None, ""),
    )
    if len(found) > before:
        return place, None
    _check_lists(rule, selection)
    _check_count(rule, selection)
    _check_action(rule, action)
    return place, rule


def _place(content: Any, index: int) -> str:
    priority = content.get("rulePriority") if isinstance(content, dict) else None
    known = isinstance(priority, int) and not isinstance(priority, bool)
    return f"rules[{index}] (priority {shown(priority)})" if known else f"rules[{index}]"


def _check_lists(rule: Rule, selection: JsonObject) -> None:
    lists = [key for key in _LISTS if key in selection]
    if rule.tag_status is TagStatus.TAGGED and len(lists) != 1:
        selection.complain("tagStatus", f"either {' or '.join(_LISTS)} with tagged", " and ".join(lists) or "neither")
    if rule.tag_status is not TagStatus.TAGGED and lists:
        selection.complain(lists[0], f"no such list with tagStatus {rule.tag_status}", "one")
    for index, pattern in enumerate(rule.patterns):
        if pattern.count("*") > MOST_WILDCARDS:
            selection.complain(f"tagPatternList[{index}]", f"at most {MOST_WILDCARDS} wildcards (*)", shown(pattern))


def _check_count(rule: Rule, selection: JsonObject) -> None:
    counts = rule.count_type is CountType.IMAGE_COUNT_MORE_THAN
    if counts and "countUnit" in selection:
        selection.complain("countUnit", f"none with {rule.count_type}", shown(selection.content["countUnit"]))
    if not counts:
        selection.text("countUnit", (_DAYS,), None)
    by_archiving = rule.count_type is CountType.SINCE_IMAGE_TRANSITIONED
    if rule.archived != by_archiving:
        expected = _ARCHIVE if by_archiving else _STANDARD
        got = _ARCHIVE if rule.archived else _STANDARD
        selection.complain("storageClass", f"{expected} with {rule.count_type}", got)
    if by_archiving and rule.count < LEAST_ARCHIVED_DAYS:
        selection.complain(
            "countNumber", f"at least {LEAST_ARCHIVED_DAYS} days with {rule.count_type}", str(rule.count)
        )


def _check_action(rule: Rule, action: JsonObject) -> None:
    expected = _ONLY_ACTION.get(rule.count_type, rule.action)
    if rule.action is not expected:
        action.complain("type", f"{expected} with {rule.count_type}", rule.action)
    if rule.action is RuleAction.TRANSITION:
        action.text("targetStorageClass", (_ARCHIVE,), None)
    elif "targetStorageClass" in action:
        action.complain("targetStorageClass", f"none with {rule.action}", shown(action.content["targetStorageClass"]))


Placed = Sequence[tuple[str, Rule]]


def _together(rules: Placed) -> Iterator[str]:
    """What is wrong with the rules beside each other."""
    yield from _repeated(rules, [rule.priority for _, rule in rules], "rulePriority: expected a number of its own")
    for archived in (False, True):
        of_class = [(place, rule) for place, rule in rules if rule.archived is archived]
        last = max((rule.priority for _, rule in of_class), default=0)
        for place, rule in of_class:
            if rule.tag_status is TagStatus.ANY and rule.priority < last:
                yield f"{place}: rulePriority: expected the highest for tagStatus any, got one below {last}"
        untagged = [(place, rule) for place, rule in of_class if rule.tag_status is TagStatus.UNTAGGED]
        yield from _repeated(
            untagged, [0] * len(untagged), "tagStatus: expected untagged in one rule of a storage class"
        )
        by_prefix = [(place, rule) for place, rule in of_class if rule.prefixes]
        yield from _repeated(
            by_prefix,
            [frozenset(rule.prefixes) for _, rule in by_prefix],
            "tagPrefixList: expected a set of prefixes of its own in a storage class",
        )


def _repeated(rules: Placed, keys: Sequence[object], expected: str) -> Iterator[str]:
    first: dict[object, str] = {}
    for (place, _), key in zip(rules, keys, strict=True):
        if key in first:
            yield f"{place}: {expected}, got the same as {first[key]}"
        first.setdefault(key, place)
