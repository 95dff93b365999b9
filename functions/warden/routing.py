"""Who is told of an image: by the policy, a tag of the repository, a label of the image, or else the default channel.

Whoever builds an image writes its labels, so they count only where neither a rule nor a tag of the repository chose,
and choose only among the channels that the policy's `owners` name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from warden.notices import Fact
from warden.policy import Policy, Standard
from warden.text import clean
from warden.wildcard import matches

LONGEST = 120


@dataclass(frozen=True, slots=True)
class Route:
    """The channels, and what the message says of whose image it is."""

    channels: tuple[str, ...]
    owner: tuple[Fact, ...] = ()


def asks_for_labels(policy: Policy, standard: Standard) -> bool:
    """Whether the image's labels decide who is told."""
    return bool(policy.owners) and standard.origins["channels"] == policy.defaults["channels"].origin


def route(policy: Policy, standard: Standard, labels: Mapping[str, str] | None) -> Route:
    """Who is told; `labels` are the image's, None where they could not be read or were not asked for."""
    if not asks_for_labels(policy, standard):
        return Route(standard.channels)
    for owner in policy.owners:
        said = (labels or {}).get(owner.label)
        if said is not None and matches(owner.value, said):
            return Route(owner.channels, (Fact("Owner", f"{clean(said, LONGEST)} ({owner.label}, {owner.origin})"),))
    unknown = "could not be read" if labels is None else "match none of the policy's owners"
    return Route(
        standard.channels,
        (Fact("Owner", f"not known: the image's labels {unknown}, so the default channel is told"),),
    )
