"""What the scanner knows: published advisories, in one file, each with where it was read.

The file is a JSON list. An entry has `id`, `severity` (ECR's word), `cvss` (`score` and `vector` of CVSS 3), a
`description`, a `uri`, `sources`, and `affects`, a list of either

- `{"debian": SOURCE PACKAGE, "release": "12", "introduced"?: VERSION, "fixed": VERSION or null}`: every version of that
  release's package before `fixed`, and not before `introduced`; null where no fix was published;
- `{"pypi": NAME, "versions": SPECIFIER, "fixed": VERSION or null}`: https://packaging.python.org/specifications/version-specifiers/

and may have `exploit`, true where an exploit is known to be used, as CISA's catalog says.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from debian_inspector.version import Version as DebianVersion
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from local.registry.inventory import Inventory, Package, normalised


@dataclass(frozen=True, slots=True)
class Advisory:
    """One published vulnerability, without whom it affects."""

    id: str
    severity: str
    score: float
    vector: str
    description: str
    uri: str
    exploit: bool = False


@dataclass(frozen=True, slots=True)
class _Affected:
    advisory: Advisory
    release: str | None
    introduced: str | None
    versions: str
    fixed: str | None

    def hits(self, package: Package, release: str | None) -> bool:
        if package.ecosystem == "pypi":
            return _python_hit(package.version, self.versions)
        return self.release == release and _debian_hit(package.version, self.introduced, self.fixed)


_Package = tuple[str, str]


class Advisories:
    """All of a file, by package, and what was published since."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._affected: Mapping[_Package, Sequence[_Affected]] = {}
        self.add(entries)

    @classmethod
    def load(cls, file: Path) -> "Advisories":
        """The advisories in the file. Raises OSError, ValueError or KeyError for one that is not as described."""
        return cls(json.loads(file.read_text("utf-8")))

    def add(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Learn of more; one whose id is known takes the other's place. Raises as `load`, and then learns none.

        Whoever reads meanwhile reads all of it as it was, or as it is then.
        """
        added = [each for entry in entries for each in _read(entry)]
        replaced = {entry["id"] for entry in entries}
        affected: dict[_Package, list[_Affected]] = {}
        for key, known in self._affected.items():
            if kept := [each for each in known if each.advisory.id not in replaced]:
                affected[key] = kept
        for key, each in added:
            affected.setdefault(key, []).append(each)
        self._affected = affected

    def of(self, inventory: Inventory) -> Iterator[tuple[Package, Advisory, str | None]]:
        """What concerns the packages of an image: the package, the advisory, the version that fixes it if any."""
        for package in inventory.packages:
            for affected in self._affected.get((package.ecosystem, package.name), ()):
                if affected.hits(package, inventory.release):
                    yield package, affected.advisory, affected.fixed


def _read(entry: Mapping[str, Any]) -> Iterator[tuple[_Package, _Affected]]:
    cvss = entry["cvss"]
    advisory = Advisory(
        id=entry["id"],
        severity=entry["severity"],
        score=cvss["score"],
        vector=cvss["vector"],
        description=entry["description"],
        uri=entry["uri"],
        exploit=entry.get("exploit", False),
    )
    for each in entry["affects"]:
        key = ("debian", each["debian"]) if "debian" in each else ("pypi", normalised(each["pypi"]))
        release, introduced = each.get("release"), each.get("introduced")
        yield key, _Affected(advisory, release, introduced, each.get("versions", ""), each["fixed"])


def _debian_hit(version: str, introduced: str | None, fixed: str | None) -> bool:
    try:
        installed = DebianVersion.from_string(version)
        return (introduced is None or installed >= DebianVersion.from_string(introduced)) and (
            fixed is None or installed < DebianVersion.from_string(fixed)
        )
    except ValueError:
        return False


def _python_hit(version: str, versions: str) -> bool:
    try:
        return SpecifierSet(versions).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False
