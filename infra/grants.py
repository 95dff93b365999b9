"""When a permission is wanted, and on what: both as the compiled policy says."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Wanted = Callable[[Mapping[str, Any]], bool]
"""Whether a compiled policy has any use for a permission."""


def says(field: str, value: str | bool) -> Wanted:
    """Wanted where the defaults or a rule say that value of the field."""
    return lambda compiled: any(layer[field][0] == value for layer in _layers(compiled) if field in layer)


def asks(field: str) -> Wanted:
    """Wanted where the defaults or a rule say anything of the field."""
    return lambda compiled: any(layer[field][0] is not None for layer in _layers(compiled) if field in layer)


def has(key: str) -> Wanted:
    """Wanted where the policy has something under that key."""
    return lambda compiled: bool(compiled.get(key))


def prunes(compiled: Mapping[str, Any]) -> bool:
    """Wanted where the lifecycle of any repository is enforced."""
    return says("lifecycle.mode", "enforce")(compiled)


def promotes(compiled: Mapping[str, Any]) -> bool:
    """Wanted where images of any repository are promoted."""
    return asks("promote.to")(compiled) and says("promote.mode", "enforce")(compiled)


def looks_at_labels(compiled: Mapping[str, Any]) -> bool:
    """Wanted where a lifecycle rule goes by a label."""
    layers = (layer["lifecycle.rules"][0] or () for layer in _layers(compiled) if "lifecycle.rules" in layer)
    return any(rule.get("label") for rules in layers for rule in rules)


def asks_who_uses(source: str) -> Wanted:
    """Wanted where images in use are protected, and this source is asked for them."""
    return lambda compiled: protects_used(compiled) and source in compiled["inventory"]["sources"]


def protects_used(compiled: Mapping[str, Any]) -> bool:
    """Wanted where images are spared for being in use: from pruning, or from quarantine."""
    return says("lifecycle.protect.in_use", value=True)(compiled) or quarantines_unused(compiled)


def quarantines_unused(compiled: Mapping[str, Any]) -> bool:
    """Wanted where images are put in quarantine, or it is said of which that would be, and of those in use not."""
    modes = {layer["quarantine.mode"][0] for layer in _layers(compiled) if "quarantine.mode" in layer}
    return (
        bool(modes - {"off"}) and asks("quarantine.by")(compiled) and says("quarantine.in_use", value=False)(compiled)
    )


def always(_: Mapping[str, Any]) -> bool:
    """Wanted by every policy."""
    return True


def _layers(compiled: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return (compiled["defaults"], *(rule["fields"] for rule in compiled["rules"]))


class Resource(NamedTuple):
    """One resource, or several by a pattern: by its whole ARN, or as its ARN in this account ends.

    It is of this region where none is named.
    """

    name: str
    region: str = ""

    @property
    def is_pattern(self) -> bool:
        """Whether it is more than one."""
        return "*" in self.name


ResourcesOf = Callable[[Mapping[str, Any]], tuple[Resource, ...]]
"""The resources that a compiled policy asks about."""
REPOSITORIES = (Resource("repository/*"),)


def repositories(_: Mapping[str, Any]) -> tuple[Resource, ...]:
    """All repositories of the registry."""
    return REPOSITORIES


def wherever_asked(*names: str) -> ResourcesOf:
    """Resources of this account, in every region in which the policy asks what is in use."""
    return lambda compiled: tuple(
        Resource(name, region) for region in ("", *compiled["inventory"]["regions"]) for name in names
    )


def roles_of_others(compiled: Mapping[str, Any]) -> tuple[Resource, ...]:
    """The roles of other accounts by which these are asked what is in use."""
    return tuple(map(Resource, compiled["inventory"]["roles"]))


def own_functions(compiled: Mapping[str, Any]) -> tuple[Resource, ...]:
    """The user's own functions that say what is in use."""
    return tuple(Resource(f"function:{name}") for name in compiled["inventory"]["functions"])


def release_repositories(compiled: Mapping[str, Any]) -> tuple[Resource, ...]:
    """The repositories that images are promoted to in this account, in every region where a rule may want them.

    Those of other accounts are their roles' to write to.
    """
    every = _layers(compiled)
    regions = {layer["promote.region"][0] for layer in every if "promote.region" in layer} - {""}
    found: set[Resource] = set()
    for layer in (layer for layer in every if "promote.to" in layer and layer["promote.to"][0]):
        if _said(layer, "promote.role"):
            continue
        name = f"repository/{layer['promote.to'][0].replace('{name}', '*')}"
        found |= {Resource(name, region) for region in {_said(layer, "promote.region"), *regions}}
    return tuple(sorted(found))


def promotion_roles(compiled: Mapping[str, Any]) -> tuple[Resource, ...]:
    """The roles of other accounts by which is written to the release repositories there."""
    roles = {_said(layer, "promote.role") for layer in _layers(compiled)} - {""}
    return tuple(map(Resource, sorted(roles)))


def _said(layer: Mapping[str, Any], field: str) -> str:
    """What the layer itself says of the field; nothing where it leaves it to others."""
    return str(layer[field][0]) if field in layer else ""
