"""From the standard's lifecycle rules to the JSON that ECR takes.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

import json
from typing import Any

from warden.policy import LifecycleAction, LifecycleRule, LifecycleStandard


def render(standard: LifecycleStandard) -> str | None:
    """The lifecycle policy that the standard asks for, as text for PutLifecyclePolicy; None where it asks for none.

    Rules keep their order, as priorities from 1; ECR evaluates a rule on `any` image last, so it must stand last (the
    policy's check sees to that).
    """
    if not standard.rules:
        return None
    rules = [_render_rule(rule, standard.action, priority) for priority, rule in enumerate(standard.rules, start=1)]
    return json.dumps({"rules": rules}, separators=(",", ":"))


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
    return f"{action} {which} {rule.after_days} days after the push"
