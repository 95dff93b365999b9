"""The policy flattened: one layer for the defaults and one for each rule, every field with its origin and its place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from policy.complaints import Location, locate
from policy.model import Document, Expire, Keep, Part, Sections
from policy.source import Node
from warden.names import Severity
from warden.planning import MAX_EXCLUSIONS
from warden.policy import Immutability, LifecycleAction, Mode

SIGNATURES = "sha256-*"
"""The tags that cosign and notation write, and write again: they may move wherever tags are immutable."""
MOST_FILTERS = MAX_EXCLUSIONS - 1
"""How many filters are left for the author."""
BUILT_IN = "built-in default"
SECTIONS = ("tags", "scanning", "findings", "lifecycle")


@dataclass(frozen=True, slots=True)
class Written:
    """A field's value in its compiled form, where it comes from in words, and where it stands, if it does."""

    value: Any
    origin: str
    location: Location = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """The fields that the defaults, or one rule, give to the repositories whose name matches."""

    match: str
    fields: Mapping[str, Written]
    location: Location


def layers_of(document: Document, root: Node, file: str) -> tuple[Layer, ...]:
    """The defaults, which match every repository and have every field, and the rules in the file's order."""
    rules = document.rules or []
    return (
        _defaults(document, root, file),
        *(
            _layer(root, rule, ("rules", number), rule.match, f'rule "{rule.match}", {file}')
            for number, rule in enumerate(rules)
        ),
    )


def mode_of(document: Document) -> Mode:
    """The policy's mode: a policy that says nothing changes nothing."""
    return Mode(document.mode) if document.mode else Mode.REPORT


def _defaults(document: Document, root: Node, file: str) -> Layer:
    written = _layer(root, document.defaults, ("defaults",), "*", file)
    mode = mode_of(document)
    place = root.keys.get("mode")
    inherited = Written(str(mode), f"{file}:{place.line}" if place else BUILT_IN)
    # Where images may be lost, a word said about the whole policy is not enough.
    cautious = Written(str(Mode.REPORT), BUILT_IN) if mode is Mode.ENFORCE else inherited
    built_in = {
        "tags.mode": inherited,
        "tags.immutability": Written(str(Immutability.IMMUTABLE_WITH_EXCLUSION), BUILT_IN),
        "tags.exclude": Written([SIGNATURES], BUILT_IN),
        "scanning.mode": inherited,
        "scanning.on_push": Written(True, BUILT_IN),
        "findings.notify_from": Written(str(Severity.HIGH), BUILT_IN),
        "findings.block_from": Written(str(Severity.CRITICAL), BUILT_IN),
        "lifecycle.mode": cautious,
        "lifecycle.action": Written(str(LifecycleAction.ARCHIVE), BUILT_IN),
        "lifecycle.rules": Written([], BUILT_IN),
    }
    return Layer(written.match, {**built_in, **written.fields}, written.location)


def _layer(root: Node, sections: Sections, location: Location, match: str, origin: str) -> Layer:
    fields: dict[str, Written] = {}
    for name, below, value in _said(sections):
        at = (*location, *below)
        place, _, _ = locate(root, at, of_key=True)
        fields[name] = Written(_compiled(name, value), f"{origin}:{place.line}", at)
    return Layer(match, fields, location)


def _said(sections: Sections) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Every field that its author wrote: its name, where it stands below its layer, and its value."""
    for section in SECTIONS:
        part: Part | None = getattr(sections, section)
        for field in sorted(part.model_fields_set) if part else ():
            yield f"{section}.{field}", (section, field), getattr(part, field)
    if sections.channels is not None:
        yield "channels", ("channels",), sections.channels


def _compiled(name: str, value: Any) -> Any:
    if name == "tags.exclude":
        return [*value, *({SIGNATURES} - set(value))]
    if name == "lifecycle.rules":
        return list(map(_rule, value))
    return str(value) if isinstance(value, StrEnum) else value


def _rule(rule: Expire | Keep) -> dict[str, Any]:
    """As `warden.policy.LifecycleRule` takes it."""
    if isinstance(rule, Expire):
        return {"of": rule.expire, "after_days": rule.after}
    return {"of": rule.of, "keep": rule.keep}
