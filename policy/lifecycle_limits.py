"""Whether ECR takes the lifecycle policies that a policy comes to: its limit counts the rules that spare images, too.

The renderer itself is asked, for a repository of every layer that makes rules and for one of every two such layers.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement

from policy.complaints import Location
from policy.layers import Layer, Written
from policy.nonsense import Nonsense
from policy.overlap import example
from warden.errors import Refused
from warden.lifecycle.rendering import render
from warden.policy import LifecycleAction, LifecycleRule, LifecycleStandard, Mode, Protection, QuarantineBy
from warden.standards import QUARANTINED
from warden.wildcard import matches

MOST_LIFECYCLE_RULES = 50
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html; as many of ours fit in its characters."""
_RULES, _TAGS, _ARCHIVED = "lifecycle.rules", "lifecycle.protect.tags", "lifecycle.delete_archived_after"
_ASIDE = "quarantine.by"
_MAKING = (_RULES, _TAGS, _ARCHIVED, _ASIDE)
"""The fields that make rules: one for each of the author's, one for each pattern, and those about the archive.

Where tags are moved aside, those of images in quarantine are one pattern more (`warden.standards.QUARANTINED`).
"""

Fields = Mapping[str, Written]


def too_large(layers: Sequence[Layer]) -> Iterator[Nonsense]:
    """Every field that was written last of those that come to more than ECR takes."""
    making = [layer for layer in layers if any(field in layer.fields for field in _MAKING)]
    rules, tags = (max(len(layer.fields[field].value) for layer in making if field in layer.fields) for field in _MANY)
    aside = any(_ASIDE in layer.fields and _moves_aside(layer.fields) for layer in making)
    if _at_most(rules, tags + aside) <= MOST_LIFECYCLE_RULES:
        return
    found: dict[Location, Nonsense] = {}
    for one, other in combinations_with_replacement(making, 2):
        for name in _names(one, other, making):
            fields = _fields(layers, name, one, other)
            if _is_refused(fields):
                last = max((fields[field] for field in _which(fields)), key=lambda field: field.layer)
                found.setdefault(last.location, Nonsense(last.location, f"{_words(fields)} (a repository: {name})"))
    yield from found.values()


_MANY = (_RULES, _TAGS)


def _moves_aside(fields: Fields) -> bool:
    """Whether the tags of images in quarantine are one pattern more that is spared."""
    return bool(fields[_ASIDE].value == QuarantineBy.TAGS)


def _which(fields: Fields) -> tuple[str, ...]:
    return _MAKING if _moves_aside(fields) else _MAKING[:-1]


def _numbers(fields: Fields) -> tuple[int, int]:
    """How many rules the author wrote, and how many patterns are spared."""
    rules, tags = (len(fields[field].value) for field in _MANY)
    return rules, tags + _moves_aside(fields)


def _at_most(rules: int, tags: int) -> int:
    """To how many rules they come at most: in each storage class for leases and patterns, and two for the archive."""
    return rules + 2 * (1 + tags) + 2


def _names(one: Layer, other: Layer, making: Sequence[Layer]) -> Iterator[str]:
    """Repositories that get both layers: one that gets no other, where there is any, or else one that does."""
    if one is not other and one.location != ("defaults",) and (one.is_narrowed or other.is_narrowed):
        return  # whether one repository matches both can't be told
    others = [layer.match.name for layer in making[1:] if layer is not one and layer is not other]
    name = example(one.match.name, other.match.name, unless=others) or example(one.match.name, other.match.name)
    if name:
        yield name


def _fields(layers: Sequence[Layer], name: str, one: Layer, other: Layer) -> Fields:
    """What a repository of that name gets that gets both layers, as far as names decide."""
    fields: dict[str, Written] = {}
    for layer in layers:
        if matches(layer.match.name, name) and (layer is one or layer is other or not layer.is_narrowed):
            fields.update(layer.fields)
    return fields


def _words(fields: Fields) -> str:
    rules, tags = _numbers(fields)
    aside = f" ({QUARANTINED} among them, by quarantine)" if _moves_aside(fields) else ""
    twice = ", twice with delete_archived_after" if fields[_ARCHIVED].value else ""
    return (
        f"{rules} rules and {tags} protected patterns{aside} come to more than the {MOST_LIFECYCLE_RULES} rules that "
        f"ECR takes, since one more spares each pattern, and one what is in use{twice}: write fewer rules, or fewer "
        "and wider patterns"
    )


def _is_refused(fields: Fields) -> bool:
    """Whether ECR would not take the lifecycle policy. Too many rules alone are told elsewhere."""
    rules, tags = _numbers(fields)
    if not rules <= MOST_LIFECYCLE_RULES < _at_most(rules, tags):
        return False
    try:
        render(_standard(fields))
    except Refused:
        return True
    return False


def _standard(fields: Fields) -> LifecycleStandard:
    """What the fields ask for, as far as it makes rules."""
    value = {name.removeprefix("lifecycle."): field.value for name, field in fields.items()}
    action = LifecycleAction(value["action"])
    aside = (QUARANTINED,) if _moves_aside(fields) else ()
    return LifecycleStandard(
        mode=Mode.REPORT,
        action=action,
        rules=tuple(LifecycleRule(**rule) for rule in value["rules"]),
        protection=Protection(
            value["protect.in_use"],
            (*value["protect.tags"], *aside),
            pulled_within_days=value["protect.pulled_within"],
        ),
        wait_days=value["wait"] if action is LifecycleAction.DELETE else None,
        delete_archived_days=value["delete_archived_after"],
    )
