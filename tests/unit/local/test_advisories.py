"""The advisories that the scanner comes with."""

import json
import re

import pytest
from packaging.specifiers import SpecifierSet

from local.cloud import ADVISORIES
from local.registry.advisories import Advisories
from local.registry.inventory import Inventory, Package

ENTRIES = json.loads(ADVISORIES.read_text("utf-8"))
BANDS = {"CRITICAL": (9.0, 10.0), "HIGH": (7.0, 8.9), "MEDIUM": (4.0, 6.9), "LOW": (0.1, 3.9)}


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["id"] for entry in ENTRIES])
def test_an_advisory_is_whole(entry: dict[str, object]) -> None:
    cvss = entry["cvss"]
    assert isinstance(cvss, dict)
    least, most = BANDS[str(entry["severity"])]
    assert re.fullmatch(r"CVE-\d{4}-\d{4,}", str(entry["id"]))
    assert least <= cvss["score"] <= most
    assert re.fullmatch(r"CVSS:3\.1(/[A-Z]{1,2}:[A-Z]){8}", cvss["vector"])
    assert entry["description"]
    for source in [entry["uri"], *entry["sources"]]:  # type: ignore[misc]
        assert str(source).startswith("https://")
    for affected in entry["affects"]:  # type: ignore[attr-defined]
        assert ("debian" in affected) != ("pypi" in affected)
        assert affected["fixed"] is not None or affected.get("release")
        SpecifierSet(affected.get("versions", ""))


@pytest.mark.parametrize(
    ("release", "package", "expected", "fixed"),
    [
        ("7", Package("debian", "bash", "4.2+dfsg-0.1"), ["CVE-2014-6271", "CVE-2014-7169"], "4.2+dfsg-0.1+deb7u3"),
        ("7", Package("debian", "openssl", "1.0.1e-2+deb7u4"), ["CVE-2014-0160"], "1.0.1e-2+deb7u5"),
        ("7", Package("debian", "openssl", "0.9.8o-4"), [], None),
        ("11", Package("debian", "apache-log4j2", "2.13.3-1"), ["CVE-2021-44228"], "2.15.0-1~deb11u1"),
        ("12", Package("debian", "openssh", "1:9.2p1-2"), ["CVE-2024-6387"], "1:9.2p1-2+deb12u3"),
        ("12", Package("debian", "apt", "2.6.1"), ["CVE-2011-3374"], None),
        ("sid", Package("debian", "xz-utils", "5.6.1-1"), ["CVE-2024-3094"], "5.6.1+really5.4.5-1"),
        ("sid", Package("debian", "xz-utils", "5.4.5-0.3"), [], None),
        (None, Package("pypi", "django", "2.2.1"), ["CVE-2019-19844"], "2.2.9"),
        (None, Package("pypi", "django", "2.2.9"), [], None),
    ],
)
def test_famous_versions_are_known(
    release: str | None, package: Package, expected: list[str], fixed: str | None
) -> None:
    found = [*Advisories(ENTRIES).of(Inventory(release, (package,)))]

    assert [advisory.id for _, advisory, _ in found] == expected
    assert not found or found[-1][2] == fixed
