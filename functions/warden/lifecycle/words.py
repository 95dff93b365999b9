"""From the standard's lifecycle rules to the JSON that ECR takes.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

import json
from typing import Any

from warden.policy import LifecycleAction, LifecycleRule, LifecycleStandard
from warden.text import clean

LONGEST = 200


def render(standard: LifecycleStandard) -> str | None:
    """The lifecycle policy that the standard asks for, as text for PutLifecyclePolicy; None where it asks for none.

    Rules keep their order, as priorities from 1; ECR evaluates a rule on `any` image last, so it must stand last (the
    policy's check sees to that). ECR has no rule for images that nobody pulled: those are left out.
    """
    expressible = [rule for rule in standard.rules if rule.not_pulled_days is None]
    if not expressible:
        return None
    rules = [_render_rule(rule, standard.action, priority) for priority, rule in enumerate(expressible, start=1)]
    return json.dumps({"rules": rules}, separators=(",", ":"))


def same(one: str, other: str) -> bool:
    """Whether two lifecycle policies mean the same: the order of keys, spaces, descriptions and numbers are no drift.

    What can't be read is the same as nothing.
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
        return [_meaning_of_rule(rule) for rule in rules]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _meaning_of_rule(rule: dict[str, Any]) -> dict[str, Any]:
    lists = {name: sorted(set(value)) for name, value in rule["selection"].items() if isinstance(value, list)}
    selection = {"storageClass": "standard", **rule["selection"], **lists}  # what ECR takes where it is not written
    # A prefix is a pattern that ends in a wildcard.
    prefixes = [f"{prefix}*" for prefix in selection.pop("tagPrefixList", ())]
    if patterns := sorted({*selection.pop("tagPatternList", ()), *prefixes}):
        selection["patterns"] = patterns
    return {"selection": selection, "action": rule["action"]}


def _rule_in_words(rule: dict[str, Any]) -> str:
    selection, action = rule["selection"], rule["action"]
    verb = "delete" if action.get("type") == "expire" else "archive" if action.get("type") == "transition" else "take"
    kind = selection.get("tagStatus")
    which = {"untagged": "untagged images", "any": "all images"}.get(str(kind), "")
    which = which or f"images tagged {' and '.join(map(str, selection.get('patterns', ['something'])))}"
    number = selection.get("countNumber")
    if selection.get("countType") == "imageCountMoreThan":
        return clean(f"{verb} {which} beyond the newest {number}", LONGEST)
    since = {"sinceImagePulled": "last pull", "sinceImageTransitioned": "archiving"}.get(
        str(selection.get("countType")), "push"
    )
    return clean(f"{verb} {which} {number} days after the {since}", LONGEST)


def _render_rule(rule: LifecycleRule, action: LifecycleAction, priority: int) -> dict[str, Any]:
    selection: dict[str, Any] = {"tagStatus": rule.of if rule.of in {"untagged", "any"} else "tagged"}
    if selection["tagStatus"] == "tagged":
        selection["tagPatternList"] = [rule.of]
    if rule.keep is not None:
        selection |= {"countType": "imageCountMoreThan", "countNumber": rule.keep}
    else:
        selection |= {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": rule.after_days}
    return {
        "rulePriority": priority,
        "description": describe(rule, action),
        "selection": selection,
        "action": (
            {"type": "expire"}
            if action is LifecycleAction.DELETE
            else {"type": "transition", "targetStorageClass": "archive"}
        ),
    }


def describe(rule: LifecycleRule, action: LifecycleAction) -> str:
    """One rule in words.

    >>> describe(LifecycleRule("untagged", after_days=7), LifecycleAction.ARCHIVE)
    'archive untagged images 7 days after the push'
    >>> describe(LifecycleRule("v*", keep=30), LifecycleAction.DELETE)
    'delete images tagged v* beyond the newest 30'
    """
    which = {"untagged": "untagged images", "any": "all images"}.get(rule.of, f"images tagged {rule.of}")
    if rule.keep is not None:
        return f"{action} {which} beyond the newest {rule.keep}"
    if rule.not_pulled_days is not None:
        return f"{action} {which} {rule.not_pulled_days} days after the last pull"
    return f"{action} {which} {rule.after_days} days after the push"
