"""A small registry under enhanced scanning: how it is told things, and what it tells."""

from collections.abc import Mapping
from typing import Any

from local.registry import enhanced, wire
from local.registry.errors import EcrError
from local.registry.events import INSPECTOR_FINDING
from tests.conformance.cloud import DEBIAN, Built
from tests.unit.local.a_registry import CURL, Small
from tests.unit.local.images import put
from tests.wire import Answer, Wire, error

BASH: Mapping[str, Any] = {**CURL, "id": "CVE-2026-0001", "severity": "HIGH"} | {
    "affects": [{"debian": "bash", "release": "12", "fixed": "5.2.15-2+deb12u1"}]
}
FILES = {
    **DEBIAN,
    "var/lib/dpkg/status": DEBIAN["var/lib/dpkg/status"]
    + "\nPackage: bash\nStatus: install ok installed\nVersion: 5.2.15-2\n",
}
REPOSITORY = "team/app"


def turn_on(small: Small, frequency: str = "CONTINUOUS_SCAN", pattern: str = "team/*") -> None:
    filters = [{"filter": pattern, "filterType": "WILDCARD"}]
    rules = [{"scanFrequency": frequency, "repositoryFilters": filters}]
    small.call("PutRegistryScanningConfiguration", scanType="ENHANCED", rules=rules)


def scanned(small: Small, built: Built, tag: str | None = None) -> str:
    digest = put(small, built, tag)
    small.pass_time(seconds=1)
    return digest


def learn(small: Small, *advisories: Mapping[str, Any]) -> Mapping[str, Any]:
    with small.ecr.registry.lock:
        return enhanced.learn(small.ecr.registry, advisories)


def described(small: Small, digest: str, **more: Any) -> Mapping[str, Any]:
    return small.call("DescribeImageScanFindings", repositoryName=REPOSITORY, imageId={"imageDigest": digest}, **more)


def found(small: Small, digest: str) -> Mapping[str, Any]:
    return dict(described(small, digest)["imageScanFindings"])


def names(small: Small, digest: str) -> list[str]:
    return [each["packageVulnerabilityDetails"]["vulnerabilityId"] for each in found(small, digest)["enhancedFindings"]]


def changes(small: Small) -> list[tuple[str, str]]:
    """Which findings were told of since the last look, and how."""
    details = small.told(INSPECTOR_FINDING)
    small.events.clear()
    return [(each["packageVulnerabilityDetails"]["vulnerabilityId"], each["status"]) for each in details]


def paths(value: Any, at: str = "") -> set[str]:
    """Every member of a shape, by its path; the members of a list are one."""
    if isinstance(value, Mapping):
        return {path for name, each in value.items() for path in {f"{at}.{name}", *paths(each, f"{at}.{name}")}}
    return {path for each in value for path in paths(each, f"{at}[]")} if isinstance(value, list) else set()


def client_of(small: Small) -> Any:
    """A real client of the registry: what the registry answers goes through botocore's parser."""

    def answers(operation: str, request: Mapping[str, Any]) -> Answer:
        try:
            return 200, wire.dump(operation, small.call(operation, **request)).decode()
        except EcrError as refused:
            return error(refused.code, refused.message)

    return Wire(answers).client()
