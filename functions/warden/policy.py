"""The compiled policy, as functions load it, and the standard of one repository.

`warden.yaml` is checked and compiled at synth; what reaches a function is right by then, so nothing is validated here.
A section is flattened to fields ("tags.immutability"); each field carries the place in the policy that it came from,
so that every action can name the rule that asked for it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from warden.names import RepositoryName, Severity
from warden.wildcard import matches


class Mode(StrEnum):
    """What a section may do: change things, say what it would change, or nothing."""

    ENFORCE = "enforce"
    REPORT = "report"
    OFF = "off"


class Immutability(StrEnum):
    """What a standard may ask of tags. MUTABLE asks for nothing: a stricter setting stays as it is.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    """

    IMMUTABLE = "IMMUTABLE"
    IMMUTABLE_WITH_EXCLUSION = "IMMUTABLE_WITH_EXCLUSION"
    MUTABLE = "MUTABLE"


class LifecycleAction(StrEnum):
    """What happens to an image that a lifecycle rule takes: archived images can be restored, deleted ones can't."""

    ARCHIVE = "archive"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """One rule of the standard: images `of` a kind ("untagged", "any" or a tag pattern) leave.

    Either those pushed more than `after_days` ago, or all but the newest `keep`: exactly one of the two is set.
    """

    of: str
    after_days: int | None = None
    keep: int | None = None


@dataclass(frozen=True, slots=True)
class TagsStandard:
    """What is asked of tags; `exclude` are patterns of tags that may move."""

    mode: Mode
    immutability: Immutability
    exclude: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScanningStandard:
    """What is asked of scanning."""

    mode: Mode
    on_push: bool


@dataclass(frozen=True, slots=True)
class FindingsStandard:
    """From which severity on findings are told, and from which they block."""

    notify_from: Severity
    block_from: Severity


@dataclass(frozen=True, slots=True)
class LifecycleStandard:
    """What is asked of the lifecycle; no rules ask for nothing."""

    mode: Mode
    action: LifecycleAction
    rules: tuple[LifecycleRule, ...]


@dataclass(frozen=True, slots=True)
class Standard:
    """What the policy asks of one repository, after every matching rule is applied.

    `origins` says for each field ("tags.exclude") where in the policy its value was written.
    """

    repository: RepositoryName
    tags: TagsStandard
    scanning: ScanningStandard
    findings: FindingsStandard
    lifecycle: LifecycleStandard
    channels: tuple[str, ...]
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field's value and the place in the policy that gave it."""

    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Fields for the repositories whose name matches."""

    match: str
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notices go: the kind of chat, the name of the secret that holds its address, and further allowed hosts."""

    name: str
    type: str
    secret: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole compiled policy; `fingerprint` is the short hash of what it says."""

    mode: Mode
    defaults: Mapping[str, Field]
    rules: tuple[Rule, ...]
    channels: Mapping[str, Channel]
    default_channels: tuple[str, ...]
    fingerprint: str


def load(path: Path) -> Policy:
    """The policy that synth compiled into the asset."""
    return from_compiled(json.loads(path.read_text("utf-8")))


def from_compiled(compiled: Mapping[str, Any]) -> Policy:
    """A policy out of its compiled form (see `policy/compiled.py`, which writes it)."""
    defaults = _fields(compiled["defaults"])
    return Policy(
        mode=Mode(compiled["mode"]),
        defaults=defaults,
        rules=tuple(Rule(rule["match"], _fields(rule["fields"])) for rule in compiled["rules"]),
        channels={
            name: Channel(name, channel["type"], channel["secret"], tuple(channel["hosts"]))
            for name, channel in compiled["channels"].items()
        },
        default_channels=tuple(defaults["channels"].value),
        fingerprint=compiled["fingerprint"],
    )


def _fields(compiled: Mapping[str, Any]) -> dict[str, Field]:
    return {name: Field(value, origin) for name, (value, origin) in compiled.items()}


def effective_fields(policy: Policy, repository: RepositoryName) -> dict[str, Field]:
    """Every field of a repository's standard: the defaults, then each matching rule in file order, later wins."""
    fields = dict(policy.defaults)
    for rule in policy.rules:
        if matches(rule.match, repository):
            fields.update(rule.fields)
    return fields


def standard_of(policy: Policy, repository: RepositoryName) -> Standard:
    """What the policy asks of the repository."""
    fields = effective_fields(policy, repository)
    value = {name: field.value for name, field in fields.items()}
    return Standard(
        repository=repository,
        tags=TagsStandard(
            Mode(value["tags.mode"]), Immutability(value["tags.immutability"]), tuple(value["tags.exclude"])
        ),
        scanning=ScanningStandard(Mode(value["scanning.mode"]), value["scanning.on_push"]),
        findings=FindingsStandard(Severity(value["findings.notify_from"]), Severity(value["findings.block_from"])),
        lifecycle=LifecycleStandard(
            Mode(value["lifecycle.mode"]),
            LifecycleAction(value["lifecycle.action"]),
            tuple(LifecycleRule(**rule) for rule in value["lifecycle.rules"]),
        ),
        channels=tuple(value["channels"]),
        origins={name: field.origin for name, field in fields.items()},
    )
