"""From `warden.yaml` to the plain form that the functions load (`warden.policy.from_compiled`)."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from policy import complaints, sense
from policy.complaints import locate
from policy.errors import Place, PolicyError, Problem
from policy.layers import Layer, layers_of, mode_of
from policy.model import Document, Exemption, Inventory, Owner
from policy.source import LARGEST, Malformed, Node, read
from policy.verdict_sense import verdict_notes
from warden.policy import InventorySources
from warden.text import clean

FINGERPRINT = 12
"""Hexadecimal digits: enough to tell the policies of one team apart."""


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy that was checked, where it was read, and its compiled form, ready for `json.dumps`."""

    path: Path
    compiled: dict[str, Any]
    notes: tuple[str, ...] = ()
    """What the author should know and need not change, each with its line."""


def load(path: Path) -> LoadedPolicy:
    """Read, check and compile a policy. Raises PolicyError with every problem of the file."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        reason = (error.strerror or "it can't be read").lower()
        raise PolicyError(str(path), [Problem(Place(1, 1), "", f"expected a policy file, got: {reason}")]) from None
    document, layers, root = _checked(data, str(path), clean(path.name, 80))
    compiled = _compile(document, layers, root, clean(path.name, 80))
    return LoadedPolicy(path, compiled, (*_notes(compiled), *verdict_notes(layers)))


def _notes(compiled: dict[str, Any]) -> Iterator[str]:
    for fields in (compiled["defaults"], *(rule["fields"] for rule in compiled["rules"])):
        for name, (value, origin) in fields.items():
            if name.startswith(_CAPS) and value == 0:
                yield f"{origin}: {name}: 0 means none, so that nothing ever leaves there"


_CAPS = "lifecycle.caps."


def compile_text(data: bytes, *, file: str, name: str) -> dict[str, Any]:
    """The compiled form of a policy's text.

    `file` is what errors call it, `name` what origins do: they travel to AWS and name no path of this machine. Raises
    PolicyError.
    """
    return _compile(*_checked(data, file, clean(name, 80)), clean(name, 80))


def _checked(data: bytes, file: str, name: str) -> tuple[Document, tuple[Layer, ...], Node]:
    try:
        root = read(data)
    except Malformed as malformed:
        raise PolicyError(file, [malformed.problem]) from None
    try:
        document = Document.model_validate(root.plain())
    except ValidationError as error:
        raise PolicyError(file, complaints.problems(error, root)) from None
    layers = layers_of(document, root, name)
    if found := list(sense.problems(document, layers, root)):
        raise PolicyError(file, found)
    return document, layers, root


def _compile(document: Document, layers: tuple[Layer, ...], root: Node, name: str) -> dict[str, Any]:
    defaults, *rules = layers
    channels = {
        name: {
            "type": str(channel.type),
            "secret": channel.secret or "",
            "hosts": channel.hosts or [],
            "topic": channel.topic or "",
        }
        for name, channel in document.channels.items()
    }
    compiled = {
        "version": document.version,
        "mode": str(mode_of(document)),
        "defaults": _fields(defaults),
        "rules": [{"match": _match(rule), "fields": _fields(rule)} for rule in rules],
        "channels": channels,
        "open_channels": document.overrides.channels if document.overrides else [],
        "exemptions": [
            _exemption(exemption, f"{name}:{locate(root, ('exemptions', number))[0].line}")
            for number, exemption in enumerate(document.exemptions or ())
        ],
        "creation_templates": document.creation_templates or [],
        "owners": [
            _owner(owner, f"{name}:{locate(root, ('owners', number))[0].line}")
            for number, owner in enumerate(document.owners or ())
        ],
        "inventory": _inventory(document.inventory),
    }
    return {**compiled, "fingerprint": fingerprint(compiled)}


def _inventory(written: Inventory | None) -> dict[str, list[str]]:
    """Who is asked what is in use; each key that is not written is as built in."""
    said = written.model_dump(include=written.model_fields_set) if written else {}
    return {key: list(map(str, value)) for key, value in {**asdict(InventorySources()), **said}.items()}


def _match(layer: Layer) -> dict[str, Any]:
    match = layer.match
    return {"name": match.name, **({"regex": match.regex} if match.regex else {}), "tags": dict(match.tags)}


def _exemption(exemption: Exemption, origin: str) -> dict[str, Any]:
    return {
        "cve": exemption.cve,
        "repositories": exemption.repositories,
        "package": exemption.package,
        "until": exemption.until,
        "reason": exemption.reason,
        "approved_by": exemption.approved_by,
        "origin": origin,
    }


def _owner(owner: Owner, origin: str) -> dict[str, Any]:
    return {"label": owner.label, "value": owner.value, "channels": owner.channels, "origin": origin}


def _fields(layer: Layer) -> dict[str, list[Any]]:
    return {name: [written.value, written.origin] for name, written in sorted(layer.fields.items())}


def fingerprint(compiled: dict[str, Any]) -> str:
    """The short hash of what a compiled policy asks for; where it was written does not count, so comments don't."""

    def values(fields: dict[str, list[Any]]) -> dict[str, Any]:
        return {name: value for name, (value, _) in fields.items()}

    asked = {
        "version": compiled["version"],
        "mode": compiled["mode"],
        "defaults": values(compiled["defaults"]),
        "rules": [{"match": rule["match"], "fields": values(rule["fields"])} for rule in compiled["rules"]],
        "channels": compiled["channels"],
        "open_channels": compiled["open_channels"],
        "exemptions": [{**exemption, "origin": ""} for exemption in compiled["exemptions"]],
        "creation_templates": compiled["creation_templates"],
        "owners": [{**owner, "origin": ""} for owner in compiled["owners"]],
        "inventory": compiled["inventory"],
    }
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT]
