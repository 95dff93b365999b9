"""The scan itself: what is in the layers, against what is known to be wrong.

It reads operating system packages of Debian, as ECR's basic scanning does of many systems, and Python distributions,
which in AWS only enhanced scanning does.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-basic.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from local.registry import inventory
from local.registry.advisories import Advisories, Advisory
from local.registry.inventory import Inventory, Package
from local.registry.store import Unscannable

UNSUPPORTED = "UnsupportedImageError: The operating system and/or package manager are not supported."
_WORST_FIRST = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")


Hit = tuple[Package, Advisory, str | None]
"""A package, what is wrong with it, and the version that fixes it if any."""
_NOTHING = Inventory(None, ())


class Scanner:
    """Examines images by what a file of advisories says."""

    def __init__(self, advisories: Advisories) -> None:
        self._advisories = advisories

    def learn(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Know of more advisories, in the form of the file. Raises ValueError, TypeError or KeyError."""
        self._advisories.add(entries)

    def take(self, layers: Sequence[bytes]) -> Inventory:
        """What is in the layers, lowest first.

        Raises Unscannable where there is neither a system that it knows nor any package. An image of which no layer is
        an archive holds no file, and so nothing that could be wrong.
        """
        found = inventory.take(layers)
        if found is None:
            return _NOTHING
        if not found.packages:
            raise Unscannable(UNSUPPORTED)
        return found

    def match(self, found: Inventory) -> list[Hit]:
        """What is wrong with it as far as is known by now."""
        return list(self._advisories.of(found))

    def examine(self, layers: Sequence[bytes]) -> list[dict[str, Any]]:
        """The findings in the layers, lowest first, in ECR's shape ImageScanFinding; the worst come first.

        Raises Unscannable, as `take`.
        """
        findings = [_finding(*each) for each in self.match(self.take(layers))]
        return sorted(findings, key=lambda finding: (_WORST_FIRST.index(finding["severity"]), finding["name"]))


def _finding(package: Package, advisory: Advisory, fixed: str | None) -> dict[str, Any]:
    attributes = {
        "package_name": package.name,
        "package_version": package.version,
        "CVSS3_SCORE": str(advisory.score),
        "CVSS3_VECTOR": advisory.vector,
        **({"fixed_in_versions": fixed} if fixed else {}),
    }
    return {
        "name": advisory.id,
        "description": advisory.description,
        "uri": advisory.uri,
        "severity": advisory.severity,
        "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
    }
