"""Basic scanning: on push or on request, once a day an image, in its own time; and which kind of scanning there is.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-basic.html
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from local.registry import enhanced, events, paging, scan_rules
from local.registry.errors import EcrError
from local.registry.store import Image, Registry, Repository, Scan, ScanStatus, Unscannable
from local.registry.wire import Request, Response

ONCE_IN = timedelta(hours=24)
SCAN_SECONDS = 0.3
"""How long a scan waits before it starts, so that who asks meanwhile sees it in progress."""


def put_registry_configuration(registry: Registry, request: Request) -> Response:
    """PutRegistryScanningConfiguration."""
    registry.scan_type = request.get("scanType", registry.scan_type)
    registry.scan_rules = list(request.get("rules", []))
    enhanced.follow(registry)
    return {"registryScanningConfiguration": _configuration(registry)}


def get_registry_configuration(registry: Registry, request: Request) -> Response:  # noqa: ARG001
    """GetRegistryScanningConfiguration."""
    return {"registryId": registry.account, "scanningConfiguration": _configuration(registry)}


def start(registry: Registry, request: Request) -> Response:
    """StartImageScan."""
    repository = registry.repository(request["repositoryName"])
    image = registry.image(repository, request["imageId"])
    if registry.scan_type == "ENHANCED":
        raise EcrError("ValidationException", "This feature is disabled")
    if image.archived:
        raise EcrError("ImageArchivedException", "The specified image is archived and cannot be scanned.")
    if not image.manifest.is_runnable:
        raise EcrError("UnsupportedImageTypeException", "The image is of a type that cannot be scanned.")
    if _scanned_today(registry, image):
        raise EcrError("LimitExceededException", "The scan quota per image has been exceeded. Wait and try again.")
    _begin(registry, repository, image)
    return {**_of(registry, repository, image), "imageScanStatus": {"status": "IN_PROGRESS"}}


def scan_pushed(registry: Registry, repository: Repository, image: Image) -> None:
    """Scan an image that was pushed just now, where the repository or the registry says so."""
    if registry.scan_type == "ENHANCED":
        enhanced.scan_pushed(registry, repository, image)
        return
    on_push = repository.scan_on_push or scan_rules.frequency(registry, repository) == scan_rules.ON_PUSH
    if on_push and image.manifest.is_runnable and not _scanned_today(registry, image):
        _begin(registry, repository, image)


def describe_findings(registry: Registry, request: Request) -> Response:
    """DescribeImageScanFindings; what one kind of scanning found is hidden while the registry is set to the other."""
    repository = registry.repository(request["repositoryName"])
    image = registry.image(repository, request["imageId"])
    if registry.scan_type == "ENHANCED":
        found = enhanced.describe(registry, repository, image, request)
    else:
        found = _describe(image.scan, request) if image.scan else None
    if found is None:
        digest, tag = image.digest, request["imageId"].get("imageTag", "null")
        raise EcrError(
            "ScanNotFoundException",
            f"Image scan does not exist for the image with '{{imageDigest:'{digest}', imageTag:'{tag}'}}' in the "
            f"repository with name '{repository.name}' in the registry with id '{registry.account}'",
        )
    return {**_of(registry, repository, image), **found}


def _describe(scan: Scan, request: Request) -> Response:
    answer: Response = {"imageScanStatus": {"status": scan.status, "description": scan.description}}
    if scan.status == "IN_PROGRESS":
        return answer
    findings, more = paging.page(request, scan.findings)
    found: Response = {"findings": findings, "findingSeverityCounts": _counts(scan.findings)}
    if scan.status == "COMPLETE":
        found |= {"imageScanCompletedAt": scan.completed_at, "vulnerabilitySourceUpdatedAt": scan.completed_at}
    return {**answer, "imageScanFindings": found, **more}


def _begin(registry: Registry, repository: Repository, image: Image) -> None:
    image.scan = Scan(registry.clock())
    scan = image.scan
    registry.later(SCAN_SECONDS, lambda: _run(registry, repository, image, scan))


def _run(registry: Registry, repository: Repository, image: Image, scan: Scan) -> None:
    layers = [repository.layers[digest] for digest in image.manifest.layers]
    status: ScanStatus = "COMPLETE"
    findings: list[dict[str, Any]] = []
    description = "The scan was completed successfully."
    try:
        findings = registry.scanner.examine(layers)
    except Unscannable as error:
        status, description = "FAILED", str(error)
    with registry.lock:
        if image.scan is not scan or repository.images.get(image.digest) is not image:
            return  # deleted or archived meanwhile
        scan.findings, scan.status, scan.description = findings, status, description
        scan.completed_at = registry.clock()
        registry.publish(events.scanned(repository, image, scan))


def _scanned_today(registry: Registry, image: Image) -> bool:
    return image.scan is not None and registry.clock() - image.scan.started_at < ONCE_IN


def _configuration(registry: Registry) -> Response:
    return {"scanType": registry.scan_type, "rules": registry.scan_rules}


def _counts(findings: Sequence[dict[str, Any]]) -> dict[str, int]:
    return dict(Counter(finding["severity"] for finding in findings))


def _of(registry: Registry, repository: Repository, image: Image) -> Response:
    tag = {"imageTag": image.tags[0]} if image.tags else {}
    return {**registry.identity(repository), "imageId": {"imageDigest": image.digest, **tag}}
