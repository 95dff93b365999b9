"""The policy as synth compiled it: checked already, so that loading it costs nothing but reading."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warden.policy import (
    Channel,
    ChannelType,
    Exemption,
    Field,
    InventorySources,
    Match,
    Mode,
    Owner,
    Policy,
    Rule,
    Source,
)


def load(path: Path) -> Policy:
    """The policy that synth compiled into the asset."""
    return from_compiled(json.loads(path.read_text("utf-8")))


def from_compiled(compiled: Mapping[str, Any]) -> Policy:
    """A policy out of its compiled form (see `policy/compiled.py`, which writes it)."""
    defaults = _fields(compiled["defaults"])
    return Policy(
        mode=Mode(compiled["mode"]),
        defaults=defaults,
        rules=tuple(Rule(Match(**rule["match"]), _fields(rule["fields"])) for rule in compiled["rules"]),
        channels={
            name: Channel(
                name, ChannelType(channel["type"]), channel["secret"], tuple(channel["hosts"]), channel["topic"]
            )
            for name, channel in compiled["channels"].items()
        },
        default_channels=tuple(defaults["channels"].value),
        open_channels=tuple(compiled["open_channels"]),
        exemptions=tuple(
            Exemption(**{**exemption, "repositories": tuple(exemption["repositories"])})
            for exemption in compiled["exemptions"]
        ),
        creation_templates=tuple(compiled["creation_templates"]),
        owners=tuple(Owner(**{**owner, "channels": tuple(owner["channels"])}) for owner in compiled["owners"]),
        fingerprint=compiled["fingerprint"],
        inventory=InventorySources(
            sources=tuple(Source(name) for name in compiled["inventory"]["sources"]),
            regions=tuple(compiled["inventory"]["regions"]),
            roles=tuple(compiled["inventory"]["roles"]),
            functions=tuple(compiled["inventory"]["functions"]),
        ),
    )


def _fields(compiled: Mapping[str, Any]) -> dict[str, Field]:
    return {name: Field(value, origin) for name, (value, origin) in compiled.items()}
