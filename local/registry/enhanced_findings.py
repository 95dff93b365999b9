"""A finding of Amazon Inspector in its two shapes: as ECR describes it, and as EventBridge carries it.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_EnhancedImageScanFinding.html
https://docs.aws.amazon.com/inspector/latest/user/eventbridge-integration.html
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from debian_inspector.version import Version as DebianVersion

from local.registry.advisories import Advisory
from local.registry.scanner import Hit
from local.registry.store import Image, Inspection, Registry, Repository, Vulnerability

_SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNTRIAGED")
_COUNTED = ("CRITICAL", "HIGH", "MEDIUM")
"""What the event of a scan counts, zeros included, beside the total."""

Shape = dict[str, Any]
Time = Callable[[datetime], Any]


def arn(registry: Registry, repository: Repository, image: Image, name: str) -> str:
    """The ARN of the image's finding of that name: the same for as long as the image is there."""
    id = hashlib.sha256(f"{repository.arn} {image.digest} {name}".encode()).hexdigest()[:32]
    return f"arn:aws:inspector2:{registry.region}:{registry.account}:finding/{id}"


def worst_first(inspection: Inspection) -> list[Vulnerability]:
    """The findings in the order in which they are shown."""
    return sorted(
        inspection.vulnerabilities.values(),
        key=lambda each: (_SEVERITIES.index(_severity(each.advisory)), each.advisory.id),
    )


def counts(inspection: Inspection) -> dict[str, int]:
    """How many findings there are of each severity that there is."""
    return dict(Counter(_severity(each.advisory) for each in worst_first(inspection)))


def totals(inspection: Inspection) -> dict[str, int]:
    """The counts as the event of a scan has them."""
    found = counts(inspection)
    return {**{severity: found.get(severity, 0) for severity in _COUNTED}, "TOTAL": sum(found.values())}


def described(registry: Registry, repository: Repository, image: Image, found: Vulnerability) -> Shape:
    """An EnhancedImageScanFinding: the status of all that are shown is ACTIVE."""
    advisory = found.advisory
    return {
        **_finding(registry, image, found, _as_it_is),
        "resources": [{**_resource(repository, image), "details": _details(registry, repository, image, _as_it_is)}],
        "status": "ACTIVE",
        "score": advisory.score,
        "scoreDetails": {"cvss": _score(advisory)},
    }


def told(registry: Registry, repository: Repository, image: Image, found: Vulnerability, status: str) -> Shape:
    """The detail of an `Inspector2 Finding` event."""
    details = _details(registry, repository, image, _written)
    resource = {
        **_resource(repository, image),
        "details": details,
        "partition": "aws",
        "provider": "AWS",
        "providerAccountId": registry.account,
        "region": registry.region,
    }
    advisory = found.advisory
    return {
        **_finding(registry, image, found, _written),
        "resources": [resource],
        "status": status,
        "inspectorScore": advisory.score,
        "inspectorScoreDetails": {"adjustedCvss": {"cvssSource": "NVD", **_score(advisory)}},
    }


def _finding(registry: Registry, image: Image, found: Vulnerability, time: Time) -> Shape:
    """What both shapes say."""
    advisory = found.advisory
    inspection = image.inspection
    return {
        "awsAccountId": registry.account,
        "description": advisory.description,
        "exploitAvailable": "YES" if advisory.exploit else "NO",
        "findingArn": found.arn,
        "firstObservedAt": time(found.first_observed_at),
        "fixAvailable": _fix_available(found.hits),
        "lastObservedAt": time(inspection.looked_at if inspection else found.updated_at),
        "packageVulnerabilityDetails": {
            "cvss": [
                {"baseScore": advisory.score, "scoringVector": advisory.vector, "source": "NVD", "version": "3.1"}
            ],
            "referenceUrls": [advisory.uri],
            "relatedVulnerabilities": [],
            "source": "DEBIAN_CVE" if found.hits[0][0].ecosystem == "debian" else "NVD",
            "sourceUrl": advisory.uri,
            "vendorCreatedAt": time(found.first_observed_at),
            "vendorSeverity": advisory.severity,
            "vulnerabilityId": advisory.id,
            "vulnerablePackages": [_package(hit, image.architecture) for hit in found.hits],
        },
        "remediation": {"recommendation": {"text": "None Provided"}},
        "severity": _severity(advisory),
        "title": f"{advisory.id} - {', '.join(dict.fromkeys(hit[0].name for hit in found.hits))}",
        "type": "PACKAGE_VULNERABILITY",
        "updatedAt": time(found.updated_at),
    }


def _details(registry: Registry, repository: Repository, image: Image, time: Time) -> Shape:
    release = image.inspection.inventory.release if image.inspection and image.inspection.inventory else None
    used = {} if image.in_use_at is None else {"inUseCount": image.in_use, "lastInUseAt": time(image.in_use_at)}
    return {
        "awsEcrContainerImage": {
            "architecture": image.architecture,
            "imageHash": image.digest,
            "imageTags": list(image.tags),
            **({"platform": f"DEBIAN_{release.upper()}"} if release else {}),
            "pushedAt": time(image.pushed_at),
            "registry": registry.account,
            "repositoryName": repository.name,
            **used,
        }
    }


def _resource(repository: Repository, image: Image) -> Shape:
    return {"id": f"{repository.arn}/{image.digest}", "tags": {}, "type": "AWS_ECR_CONTAINER_IMAGE"}


def _score(advisory: Advisory) -> Shape:
    return {
        "adjustments": [],
        "score": advisory.score,
        "scoreSource": "NVD",
        "scoringVector": advisory.vector,
        "version": "3.1",
    }


def _package(hit: Hit, architecture: str) -> Shape:
    package, _, fixed = hit
    if package.ecosystem == "pypi":
        return {
            "epoch": 0,
            "fixedInVersion": fixed or "NotAvailable",
            "name": package.name,
            "packageManager": "PYTHONPKG",
            "version": package.version,
        }
    version = DebianVersion.from_string(package.version)
    # A version without a revision is read as one of revision 0.
    release = {"release": version.revision} if "-" in package.version else {}
    return {
        "arch": architecture.upper(),
        "epoch": version.epoch,
        "fixedInVersion": _with_epoch(fixed) if fixed else "NotAvailable",
        "name": package.name,
        "packageManager": "OS",
        **release,
        "version": version.upstream,
    }


def _with_epoch(version: str) -> str:
    """As Inspector writes it: the epoch is always there."""
    return version if ":" in version else f"0:{version}"


def _fix_available(hits: Iterable[Hit]) -> str:
    fixed = {hit[2] is not None for hit in hits}
    return "PARTIAL" if len(fixed) > 1 else "YES" if fixed == {True} else "NO"


def _severity(advisory: Advisory) -> str:
    """ECR's word for unknown is not Inspector's."""
    return "UNTRIAGED" if advisory.severity == "UNDEFINED" else advisory.severity


def _as_it_is(time: datetime) -> datetime:
    return time


def _written(time: datetime) -> str:
    """As Inspector's events have it: `Wed Sep 04 16:55:38.411 UTC 2024`."""
    return f"{time:%a %b %d %H:%M:%S}.{time.microsecond // 1000:03d} UTC {time:%Y}"


def architecture_of(config: bytes) -> str:
    """What an image's configuration says that it is for."""
    try:
        return str(json.loads(config)["architecture"])
    except (ValueError, TypeError, KeyError):
        return "amd64"
