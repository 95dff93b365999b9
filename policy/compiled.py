"""From `warden.yaml` to the plain form that the functions load (`warden.policy.from_compiled`)."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from policy import complaints, sense
from policy.errors import Place, PolicyError, Problem
from policy.layers import Layer, layers_of, mode_of
from policy.model import Document
from policy.source import LARGEST, Malformed, read
from warden.text import clean

FINGERPRINT = 12
"""Hexadecimal digits: enough to tell the policies of one team apart."""


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy that was checked, where it was read, and its compiled form, ready for `json.dumps`."""

    path: Path
    compiled: dict[str, Any]


def load(path: Path) -> LoadedPolicy:
    """Read, check and compile a policy. Raises PolicyError with every problem of the file."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        reason = (error.strerror or "it can't be read").lower()
        raise PolicyError(str(path), [Problem(Place(1, 1), "", f"expected a policy file, got: {reason}")]) from None
    return LoadedPolicy(path, compile_text(data, file=str(path), name=path.name))


def compile_text(data: bytes, *, file: str, name: str) -> dict[str, Any]:
    """The compiled form of a policy's text.

    `file` is what errors call it, `name` what origins do: they travel to AWS and name no path of this machine. Raises
    PolicyError.
    """
    try:
        root = read(data)
    except Malformed as malformed:
        raise PolicyError(file, [malformed.problem]) from None
    try:
        document = Document.model_validate(root.plain())
    except ValidationError as error:
        raise PolicyError(file, complaints.problems(error, root)) from None
    layers = layers_of(document, root, clean(name, 80))
    if found := list(sense.problems(document, layers, root)):
        raise PolicyError(file, found)
    return _compile(document, layers)


def _compile(document: Document, layers: tuple[Layer, ...]) -> dict[str, Any]:
    defaults, *rules = layers
    channels = {
        name: {"type": channel.type, "secret": channel.secret, "hosts": channel.hosts or []}
        for name, channel in document.channels.items()
    }
    compiled = {
        "version": document.version,
        "mode": str(mode_of(document)),
        "defaults": _fields(defaults),
        "rules": [{"match": rule.match, "fields": _fields(rule)} for rule in rules],
        "channels": channels,
    }
    return {**compiled, "fingerprint": fingerprint(compiled)}


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
    }
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT]
