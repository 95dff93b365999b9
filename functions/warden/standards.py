"""The standard of one repository: the defaults, every rule that matches, and what its own tags tighten."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from warden.names import RepositoryName, Severity
from warden.overrides import SIGNATURES, RefusedTag, tighten
from warden.policy import (
    AccessStandard,
    Caps,
    EmptyStandard,
    Encryption,
    EncryptionStandard,
    Field,
    FindingsStandard,
    Immutability,
    LifecycleAction,
    LifecycleRule,
    LifecycleStandard,
    Match,
    Mode,
    Moves,
    Per,
    Policy,
    Promotion,
    Protection,
    QuarantineBy,
    QuarantineStandard,
    RepositoryTagsStandard,
    ScanningStandard,
    Standard,
    TagsStandard,
)
from warden.wildcard import matches

QUARANTINED = "quarantine.*"
"""The tags of images in quarantine, as a pattern."""


@dataclass(frozen=True, slots=True)
class Effective:
    """Every field of a repository's standard, and what its tags tried in vain."""

    fields: Mapping[str, Field]
    refused: tuple[RefusedTag, ...] = ()


_IMMUTABLE = frozenset({Immutability.IMMUTABLE, Immutability.IMMUTABLE_WITH_EXCLUSION})


def applies(match: Match, repository: RepositoryName, tags: Mapping[str, str]) -> bool:
    """Whether a rule is for the repository."""
    return (
        matches(match.name, repository)
        and (match.regex is None or re.fullmatch(match.regex, repository) is not None)
        and all(key in tags and matches(pattern, tags[key]) for key, pattern in match.tags.items())
    )


def effective(policy: Policy, repository: RepositoryName, tags: Mapping[str, str]) -> Effective:
    """The defaults, then each matching rule in file order, later wins; then what the repository's tags may change."""
    fields = dict(policy.defaults)
    for rule in policy.rules:
        if applies(rule.match, repository, tags):
            fields.update(rule.fields)
    tightened, refused = tighten(fields, tags, policy.open_channels)
    exclude = tightened["tags.exclude"]
    if tightened["tags.immutability"].value in _IMMUTABLE and SIGNATURES not in exclude.value:
        tightened["tags.exclude"] = Field([*exclude.value, SIGNATURES], exclude.origin)
    return Effective(tightened, refused)


def standard_of(policy: Policy, repository: RepositoryName, tags: Mapping[str, str]) -> Standard:
    """What the policy asks of the repository; `tags` are those of the repository itself, not of its images."""
    fields = effective(policy, repository, tags).fields
    value = {name: field.value for name, field in fields.items()}
    accounts, encryption = value["access.accounts"], value["encryption.type"]
    return Standard(
        repository=repository,
        tags=TagsStandard(
            Mode(value["tags.mode"]),
            Immutability(value["tags.immutability"]),
            tuple(value["tags.exclude"]),
            Moves(value["tags.moves"]),
        ),
        scanning=ScanningStandard(
            Mode(value["scanning.mode"]), value["scanning.on_push"], value["scanning.rescan_after"]
        ),
        findings=FindingsStandard(
            Severity(value["findings.notify_from"]),
            Severity(value["findings.block_from"]),
            value["findings.fixable_only"],
            value["findings.new_only"],
            value["findings.exploited_only"],
            value["findings.epss_from"],
            {severity: days for severity in Severity if (days := value.get(f"findings.fix_within.{severity}"))},
        ),
        lifecycle=LifecycleStandard(
            Mode(value["lifecycle.mode"]),
            LifecycleAction(value["lifecycle.action"]),
            tuple(_lifecycle_rule(rule) for rule in value["lifecycle.rules"]),
            Protection(
                value["lifecycle.protect.in_use"],
                _protected(value),
                value["lifecycle.protect.grace"],
                value["lifecycle.protect.pulled_within"],
            ),
            Caps(value["lifecycle.caps.percent"], value["lifecycle.caps.images"], value["lifecycle.caps.bytes"]),
            # The archive is the wait of what is archived, whichever layer said that there is to be one.
            value["lifecycle.wait"] if value["lifecycle.action"] == LifecycleAction.DELETE else None,
            value["lifecycle.delete_archived_after"],
        ),
        access=AccessStandard(
            Mode(value["access.mode"]),
            value["access.forbid_public"],
            None if accounts is None else tuple(accounts),
        ),
        encryption=EncryptionStandard(
            Mode(value["encryption.mode"]), None if encryption is None else Encryption(encryption)
        ),
        repository_tags=RepositoryTagsStandard(
            Mode(value["repository_tags.mode"]), tuple(value["repository_tags.required"])
        ),
        promotion=_promotion(value),
        quarantine=QuarantineStandard(
            Mode(value["quarantine.mode"]),
            QuarantineBy(value["quarantine.by"]) if value["quarantine.by"] else None,
            tuple(value["quarantine.break_glass"]),
            value["quarantine.in_use"],
        ),
        empty=EmptyStandard(Mode(value["empty.mode"]), value["empty.after"]),
        channels=tuple(value["channels"]),
        origins={name: field.origin for name, field in fields.items()},
    )


def _promotion(value: Mapping[str, Any]) -> Promotion | None:
    if not value["promote.to"]:
        return None
    return Promotion(
        Mode(value["promote.mode"]),
        value["promote.to"],
        tuple(value["promote.tags"]),
        value["promote.rename"],
        value["promote.region"],
        value["promote.role"],
    )


def _protected(value: Mapping[str, Any]) -> tuple[str, ...]:
    """What is in quarantine is evidence: no rule takes it for having lost its tags."""
    aside = (QUARANTINED,) if value["quarantine.by"] == QuarantineBy.TAGS else ()
    return (*value["lifecycle.protect.tags"], *aside)


def _lifecycle_rule(rule: Mapping[str, Any]) -> LifecycleRule:
    per = rule.get("per")
    return LifecycleRule(**{**rule, "per": Per(per) if per else None})
