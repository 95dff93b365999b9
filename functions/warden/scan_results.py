"""Reading what a scan found: basic and enhanced scanning answer in two shapes, which become one.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from warden.findings import Finding, Scan, ScanState, state_of
from warden.names import Severity

_FIXED_IN = ("fixed_in_versions", "fixed_in_version", "patched_versions")
_SCORES = ("CVSS4_SCORE", "CVSS3_SCORE", "CVSS2_SCORE")
_NO_VERSION = frozenset({"", "NotAvailable"})
"""What Inspector writes where no fixed version is known."""
_LANGUAGES = {
    "GEMSPEC": "Ruby",
    "GOBINARY": "Go",
    "GOMOD": "Go",
    "JAR": "Java",
    "NODEPKG": "npm",
    "POM": "Java",
    "PYTHONPKG": "Python",
}
"""Inspector's package managers, by the names that people know; https://docs.aws.amazon.com/inspector/v2/APIReference/API_VulnerablePackage.html."""
_OPERATING_SYSTEM = frozenset({"", "OS", "NOT_AVAILABLE"})


def scan_of(pages: Iterable[Mapping[str, Any]]) -> Scan:
    """What all pages of an answer say of one scan. Raises KeyError where one lacks what every page has.

    Of enhanced findings, closed ones are over and suppressed ones are counted apart. A status that we don't know counts
    as active: unknown is never clean.
    """
    explanation, used, enhanced = "", 0, False
    active: dict[Finding, None] = {}
    suppressed: dict[Finding, None] = {}
    for page in pages:
        status = page["imageScanStatus"]
        state, explanation = state_of(status["status"], status.get("description", ""))
        if state is not ScanState.SCANNED:
            return Scan(state, explanation)
        part = page["imageScanFindings"]
        enhanced = enhanced or "enhancedFindings" in part
        for answer in part.get("findings", ()) if "enhancedFindings" in part else part["findings"]:
            active[read_basic(answer)] = None
        for answer in part.get("enhancedFindings", ()):
            used = max(used, _in_use(answer))
            if answer.get("status") != "CLOSED":
                kept = suppressed if answer.get("status") == "SUPPRESSED" else active
                kept.update(dict.fromkeys(read_enhanced(answer)))
    return Scan(ScanState.SCANNED, explanation, tuple(active), tuple(suppressed), used, enhanced=enhanced)


def scan_of_event(detail: Mapping[str, Any]) -> Scan:
    """What an `Inspector2 Finding` event alone says of its image: that one finding."""
    found = tuple(read_enhanced(detail))
    status = detail.get("status")
    return Scan(
        ScanState.SCANNED,
        "scanned",
        findings=found if status not in {"CLOSED", "SUPPRESSED"} else (),
        suppressed=found if status == "SUPPRESSED" else (),
        in_use=_in_use(detail),
        enhanced=True,
    )


def read_basic(answer: Mapping[str, Any]) -> Finding:
    """One element of `findings`. Raises KeyError where it has no name.

    Basic scanning puts all but name and severity in attributes, of which none is promised.
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanFinding.html
    """
    attributes = {attribute["key"]: attribute.get("value", "") for attribute in answer.get("attributes") or ()}
    return Finding(
        name=answer["name"],
        severity=_severity(answer.get("severity")),
        package=attributes.get("package_name") or "unknown package",
        version=attributes.get("package_version") or "unknown version",
        fixed_in=next((attributes[key] for key in _FIXED_IN if attributes.get(key)), None),
        score=next((score for key in _SCORES if (score := _score(attributes.get(key))) is not None), None),
    )


def read_enhanced(answer: Mapping[str, Any]) -> Iterator[Finding]:
    """One element of `enhancedFindings`, or the detail of an event: one finding for each package that has it.

    Only the event has the EPSS. A score of 0 is what Inspector writes where nobody has scored the vulnerability yet.

    Raises KeyError where it has neither the vulnerability's identifier nor a title.
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_EnhancedImageScanFinding.html
    """
    details = answer.get("packageVulnerabilityDetails") or {}
    name = details.get("vulnerabilityId") or answer["title"]
    packages: Iterable[Mapping[str, Any]] = details.get("vulnerablePackages") or ({},)
    for package in packages:
        manager = package.get("packageManager", "")
        fixed_in = _fixed_in(package.get("fixedInVersion", ""))
        yield Finding(
            name=name,
            severity=_severity(answer.get("severity")),
            package=package.get("name") or "unknown package",
            version=_version(package),
            fixed_in=fixed_in,
            score=_score(answer.get("score", answer.get("inspectorScore"))) or None,
            kind="" if manager in _OPERATING_SYSTEM else _LANGUAGES.get(manager, manager.lower()),
            exploit=answer.get("exploitAvailable") == "YES",
            unfixable=fixed_in is None and answer.get("fixAvailable") == "NO",
            unexploited=answer.get("exploitAvailable") == "NO",
            epss=_score((answer.get("epss") or {}).get("score")),
        )


def _in_use(answer: Mapping[str, Any]) -> int:
    """How many tasks and pods ran the image when Inspector last looked; 0 where it can't say."""
    images = (resource.get("details", {}).get("awsEcrContainerImage", {}) for resource in answer.get("resources") or ())
    return max((image.get("inUseCount") or 0 for image in images), default=0)


def _severity(text: Any) -> Severity:
    """Basic scanning says UNDEFINED and Inspector UNTRIAGED; neither, and nothing new, is less than that."""
    return Severity(text) if text in set(Severity) else Severity.UNDEFINED


def _score(value: Any) -> float | None:
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return score if math.isfinite(score) else None


def _version(package: Mapping[str, Any]) -> str:
    """As the package manager writes it.

    >>> _version({"version": "2.9.14+dfsg", "release": "1.3~deb12u1", "epoch": 0})
    '2.9.14+dfsg-1.3~deb12u1'
    """
    version = package.get("version") or "unknown version"
    release, epoch = package.get("release"), package.get("epoch")
    return (f"{epoch}:" if epoch else "") + version + (f"-{release}" if release else "")


def _fixed_in(text: str) -> str | None:
    """The version; an epoch of 0 is what every version has that names none.

    >>> _fixed_in("0:2.0.0"), _fixed_in("NotAvailable")
    ('2.0.0', None)
    """
    return None if text in _NO_VERSION else text.removeprefix("0:")
