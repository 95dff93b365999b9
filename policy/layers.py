"""The policy flattened: one layer for the defaults and one for each rule, every field with its origin and its place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from policy.complaints import Location, locate
from policy.lifecycle import Expire, Idle, Keep
from policy.model import Document, Rule
from policy.parts import Part, Presets
from policy.sections import Sections
from policy.source import Node
from warden.immutability import MAX_EXCLUSIONS
from warden.names import Severity
from warden.policy import FIX_WITHIN, Immutability, LifecycleAction, Match, Mode, Moves

MOST_FILTERS = MAX_EXCLUSIONS - 1
"""How many filters are left for the author."""
BUILT_IN = "built-in default"
SECTIONS = (
    "tags",
    "scanning",
    "findings",
    "lifecycle",
    "access",
    "encryption",
    "repository_tags",
    "promote",
    "quarantine",
    "empty",
)
CAUTIOUS = ("lifecycle", "access", "quarantine", "empty")
"""Sections in which something may be lost: a word said about the whole policy is not enough for them."""
BASELINE: Mapping[str, Any] = {
    "tags.immutability": str(Immutability.IMMUTABLE_WITH_EXCLUSION),
    "tags.exclude": [],
    "tags.moves": str(Moves.TELL),
    "scanning.on_push": True,
    "scanning.rescan_after": None,
    "findings.notify_from": str(Severity.HIGH),
    "findings.block_from": str(Severity.CRITICAL),
    "findings.fixable_only": False,
    "findings.new_only": True,
    "findings.exploited_only": False,
    "findings.epss_from": None,
    **{f"findings.fix_within.{severity}": None for severity in FIX_WITHIN},
    "lifecycle.action": str(LifecycleAction.ARCHIVE),
    "lifecycle.rules": [],
    "lifecycle.wait": None,
    "lifecycle.delete_archived_after": None,
    "lifecycle.protect.in_use": True,
    "lifecycle.protect.tags": [],
    "lifecycle.protect.grace": 7,
    "lifecycle.protect.pulled_within": None,
    "lifecycle.caps.percent": 25,
    "lifecycle.caps.images": 500,
    "lifecycle.caps.bytes": None,
    "access.forbid_public": True,
    "access.accounts": None,
    "encryption.type": None,
    "repository_tags.required": [],
    "promote.to": None,
    "promote.tags": [],
    "promote.rename": "{tag}",
    "promote.region": "",
    "promote.role": "",
    "quarantine.by": None,
    "quarantine.break_glass": [],
    "quarantine.in_use": False,
    "empty.after": None,
}
STRICT: Mapping[str, Any] = {
    **BASELINE,
    "tags.moves": str(Moves.PUT_BACK),
    "scanning.rescan_after": 7,
    "findings.notify_from": str(Severity.MEDIUM),
    "findings.block_from": str(Severity.HIGH),
    "findings.new_only": False,
}
PRESETS = {Presets.BASELINE: BASELINE, Presets.STRICT: STRICT}


@dataclass(frozen=True, slots=True)
class Written:
    """A field's value in its compiled form, where it comes from in words, and where it stands, if it does."""

    value: Any
    origin: str
    location: Location = ()

    @property
    def layer(self) -> int:
        """The number of the layer that it is written in: 0 for the defaults, and for what is built in."""
        return int(self.location[1]) + 1 if self.location[:1] == ("rules",) else 0


@dataclass(frozen=True, slots=True)
class Layer:
    """The fields that the defaults, or one rule, give to the repositories whose name matches."""

    match: Match
    fields: Mapping[str, Written]
    location: Location

    @property
    def is_narrowed(self) -> bool:
        """Whether more than the name decides, so that nothing can be told from patterns alone."""
        return bool(self.match.regex or self.match.tags)


def layers_of(document: Document, root: Node, file: str) -> tuple[Layer, ...]:
    """The defaults, which match every repository and have every field, and the rules in the file's order."""
    rules = document.rules or []
    return (
        _defaults(document, root, file),
        *(
            _layer(root, rule, ("rules", number), match, f'rule "{match}", {file}')
            for number, (rule, match) in enumerate((rule, _match(rule)) for rule in rules)
        ),
    )


def mode_of(document: Document) -> Mode:
    """The policy's mode: a policy that says nothing changes nothing."""
    return Mode(document.mode) if document.mode else Mode.REPORT


def _match(rule: Rule) -> Match:
    if isinstance(rule.match, str):
        return Match(rule.match)
    return Match(rule.match.name or "*", rule.match.regex, dict(rule.match.tag or {}))


def _defaults(document: Document, root: Node, file: str) -> Layer:
    written = _layer(root, document.defaults, ("defaults",), Match(), file)
    mode = mode_of(document)
    place = root.keys.get("mode")
    inherited = Written(str(mode), f"{file}:{place.line}" if place else BUILT_IN)
    cautious = Written(str(Mode.REPORT), BUILT_IN) if mode is Mode.ENFORCE else inherited
    modes = {
        f"{section}.mode": cautious if section in CAUTIOUS else inherited
        for section in SECTIONS
        if "mode" in Sections.model_fields[section].annotation.model_fields  # type: ignore[union-attr]
    }
    preset = Presets(document.preset) if document.preset else Presets.BASELINE
    origin = f"preset {preset}" if document.preset else BUILT_IN
    values = {name: Written(value, origin) for name, value in PRESETS[preset].items()}
    return Layer(written.match, {**modes, **values, **written.fields}, written.location)


def _layer(root: Node, sections: Sections, location: Location, match: Match, origin: str) -> Layer:
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
        if part:
            yield from _said_in(part, (section,))
    if sections.channels is not None:
        yield "channels", ("channels",), sections.channels


def _said_in(part: Part, below: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    for field in sorted(part.model_fields_set):
        value = getattr(part, field)
        if isinstance(value, Part):
            yield from _said_in(value, (*below, field))
        else:
            yield ".".join((*below, field)), (*below, field), value


def _compiled(name: str, value: Any) -> Any:
    if name == "lifecycle.rules":
        return list(map(_rule, value))
    return str(value) if isinstance(value, StrEnum) else value


def _rule(rule: Expire | Idle | Keep) -> dict[str, Any]:
    """As `warden.policy.LifecycleRule` takes it."""
    if isinstance(rule, Keep):
        return {"of": rule.of, "keep": rule.keep, **({"per": str(rule.per)} if rule.per else {})}
    label = {"label": rule.label} if rule.label else {}
    if isinstance(rule, Expire):
        return {"of": rule.expire, "after_days": rule.after, **label}
    return {"of": rule.expire, "not_pulled_days": rule.not_pulled_for, **label}
