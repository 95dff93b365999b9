"""Repositories that nobody needs: without any image, old, and with no sign that somebody will push there again.

Only the sweep tells of them and deletes them. `warden plan` and `warden apply` don't: they know nothing of what the
ledger has seen there, and can't count how many have gone on one day.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from warden.actions import Action, ActionKind
from warden.names import RepositoryName
from warden.observations import RepositoryObservation
from warden.policy import Field, Policy, Standard
from warden.text import clean
from warden.wildcard import matches

FIELD = "empty repository"
"""What such an action is about: how its lines are told from others."""
DELETED = "deleted"
MOST = 10
"""Repositories that are deleted in one sweep: whoever sees a wrong one go has a day before more follow."""
STACK = "aws:cloudformation:stack-name"
"""The tag of whatever CloudFormation has made, and so the CDK.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
"""
LONGEST_NAME = 128
"""Characters of a stack's name."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the ledger knows that speaks for a repository.

    `seen` is when images were there or in use, or somebody changed the repository; `held` says that an image of it is
    in quarantine.
    """

    seen: Collection[datetime] = ()
    held: bool = False


def plan_empty(
    observation: RepositoryObservation, standard: Standard, signs: Signs, policy: Policy, *, now: datetime
) -> Action | None:
    """What is to be done about a repository without any image; None where it is needed, or may be.

    A time that is not known is never long ago.
    """
    days, created = standard.empty.after_days, observation.created_at
    if not standard.empty.asks or days is None or created is None:
        return None
    since = now - timedelta(days=days)
    if created > since or signs.held or any(seen > since for seen in signs.seen):
        return None
    if is_release(observation.name, policy):
        return None
    stack = observation.tags.get(STACK)
    return Action(
        kind=ActionKind.DELETE_REPOSITORY,
        repository=observation.name,
        field=FIELD,
        before=f"made {created.astimezone(UTC):%d %b %Y}, no image",
        after=DELETED,
        reason="nobody needs it: it has no image, and nobody has pushed there, used one, or changed it",
        origin=standard.origins["empty.after"],
        mode=standard.empty.mode,
        destroys=True,
        blocked="" if stack is None else f"CloudFormation made it: delete it in its stack {clean(stack, LONGEST_NAME)}",
    )


def is_release(name: RepositoryName, policy: Policy) -> bool:
    """Whether images may be promoted to the repository: it waits for the first that passes."""
    return any(matches(pattern, name) for pattern in _releases(policy))


def _releases(policy: Policy) -> Iterator[str]:
    """The names of release repositories, as patterns; what is promoted to another registry stands in none of ours."""
    layers: tuple[Mapping[str, Field], ...] = (policy.defaults, *(rule.fields for rule in policy.rules))
    for fields in layers:
        target = _value(fields, "promote.to")
        if target and not (_value(fields, "promote.region") or _value(fields, "promote.role")):
            yield str(target).replace("{name}", "*")


def _value(fields: Mapping[str, Field], name: str) -> Any:
    return fields[name].value if name in fields else None
