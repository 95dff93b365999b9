"""What the scanner knows: published advisories, in one file, each with where it was read.

The file is a JSON list. An entry has `id`, `severity` (ECR's word), `cvss` (`score` and `vector` of CVSS 3), a
`description`, a `uri`, `sources`, and `affects`, a list of either

- `{"debian": SOURCE PACKAGE, "release": "12", "introduced"?: VERSION, "fixed": VERSION or null}`: every version of that
  release's package before `fixed`, and not before `introduced`; null where no fix was published;
- `{"pypi": NAME, "versions": SPECIFIER, "fixed": VERSION or null}`: https://packaging.python.org/specifications/version-specifiers/
"""

import json
from collections import defaultdict
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


class Advisories:
    """All of a file, by package."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._affected: dict[tuple[str, str], list[_Affected]] = defaultdict(list)
        for entry in entries:
            cvss = entry["cvss"]
            what = (entry["id"], entry["severity"], cvss["score"], cvss["vector"], entry["description"], entry["uri"])
            for each in entry["affects"]:
                key = ("debian", each["debian"]) if "debian" in each else ("pypi", normalised(each["pypi"]))
                release, introduced = each.get("release"), each.get("introduced")
                affected = _Affected(Advisory(*what), release, introduced, each.get("versions", ""), each["fixed"])
                self._affected[key].append(affected)

    @classmethod
    def load(cls, file: Path) -> "Advisories":
        """The advisories in the file. Raises OSError, ValueError or KeyError for one that is not as described."""
        return cls(json.loads(file.read_text("utf-8")))

    def of(self, inventory: Inventory) -> Iterator[tuple[Package, Advisory, str | None]]:
        """What concerns the packages of an image: the package, the advisory, the version that fixes it if any."""
        for package in inventory.packages:
            for affected in self._affected.get((package.ecosystem, package.name), ()):
                if affected.hits(package, inventory.release):
                    yield package, affected.advisory, affected.fixed


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
