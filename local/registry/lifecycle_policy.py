"""Lifecycle policies as PutLifecyclePolicy takes and refuses them.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from local.registry.errors import EcrError, invalid

MOST_RULES = 50
MOST_WILDCARDS = 4
LEAST_ARCHIVED_DAYS = 90

CountType = Literal["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"]
_ACTION = {"sinceImagePulled": "transition", "sinceImageTransitioned": "expire"}
"""The one action of those count types that don't leave the choice."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, in ECR's words."""

    priority: int
    tag_status: Literal["tagged", "untagged", "any"]
    patterns: tuple[str, ...]
    prefixes: tuple[str, ...]
    archived: bool
    """Whether it selects from the archive, rather than from the standard storage class."""
    count_type: CountType
    count: int
    action: Literal["expire", "transition"]


def read(text: str) -> tuple[Rule, ...]:
    """The rules of the policy, the first to apply first. Raises EcrError where ECR would refuse the policy."""
    try:
        rules = [_rule(each) for each in json.loads(text)["rules"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _refused("could not map policyString into LifecyclePolicy.") from error
    if not 1 <= len(rules) <= MOST_RULES:
        raise _refused(f"the policy must have 1 to {MOST_RULES} rules")
    for complaint in (*_each(rules), *_together(rules)):
        raise _refused(complaint)
    return tuple(sorted(rules, key=lambda rule: rule.priority))


def minified(text: str) -> str:
    """The policy as ECR gives it back."""
    return json.dumps(json.loads(text), separators=(",", ":"))


def _refused(reason: str) -> EcrError:
    return invalid("LifecyclePolicyText", f"Lifecycle policy validation failure: {reason}")


def _rule(content: Mapping[str, Any]) -> Rule:
    selection, action = content["selection"], content["action"]
    count_type = _one_of(selection["countType"], CountType.__args__)  # type: ignore[attr-defined]
    if selection.get("countUnit") != (None if count_type == "imageCountMoreThan" else "days"):
        raise _refused("countUnit must be days with every countType but imageCountMoreThan, which has none")
    kind = _one_of(action["type"], ("expire", "transition"))
    if action.get("targetStorageClass") != ("archive" if kind == "transition" else None):
        raise _refused("targetStorageClass must be archive with transition, and absent with expire")
    return Rule(
        priority=_positive(content["rulePriority"]),
        tag_status=_one_of(selection["tagStatus"], ("tagged", "untagged", "any")),
        patterns=_strings(selection.get("tagPatternList", [])),
        prefixes=_strings(selection.get("tagPrefixList", [])),
        archived=_one_of(selection.get("storageClass", "standard"), ("standard", "archive")) == "archive",
        count_type=count_type,
        count=_positive(selection["countNumber"]),
        action=kind,
    )


def _one_of(value: Any, allowed: Iterable[str]) -> Any:
    if value not in allowed:
        raise _refused(f"'{value}' is not one of {', '.join(allowed)}")
    return value


def _positive(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _refused(f"'{value}' is not a whole number above 0")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _refused("a list of tags has to hold strings")
    return tuple(value)


def _each(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        if bool(rule.patterns) + bool(rule.prefixes) != (rule.tag_status == "tagged"):
            yield "tagged needs either tagPatternList or tagPrefixList; untagged and any need neither"
        if any(pattern.count("*") > MOST_WILDCARDS for pattern in rule.patterns):
            yield f"a tag pattern may have {MOST_WILDCARDS} wildcards"
        if rule.action != _ACTION.get(rule.count_type, rule.action):
            yield f"{rule.count_type} must be used with {_ACTION[rule.count_type]}"
        if rule.archived != (rule.count_type == "sinceImageTransitioned"):
            yield "storageClass must be archive with sinceImageTransitioned, and standard otherwise"
        if rule.archived and rule.count < LEAST_ARCHIVED_DAYS:
            yield f"archived images can not expire before {LEAST_ARCHIVED_DAYS} days"


def _together(rules: list[Rule]) -> Iterator[str]:
    if len({rule.priority for rule in rules}) < len(rules):
        yield "rulePriority must be unique"
    for archived in (False, True):
        of_class = [rule for rule in rules if rule.archived is archived]
        last = max((rule.priority for rule in of_class), default=0)
        if any(rule.tag_status == "any" and rule.priority != last for rule in of_class):
            yield "a rule with tagStatus any must have the highest rulePriority"
        if sum(rule.tag_status == "untagged" for rule in of_class) > 1:
            yield "only one rule of a storage class may select untagged images"
        if any(count > 1 for count in Counter(frozenset(r.prefixes) for r in of_class if r.prefixes).values()):
            yield "the rules of a storage class must have different sets of prefixes"
