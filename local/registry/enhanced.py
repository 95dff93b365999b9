"""Enhanced scanning: what Amazon Inspector does with a registry, when an image is pushed and ever after.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced.html
https://docs.aws.amazon.com/inspector/latest/user/scanning-ecr.html
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from local.registry import enhanced_findings as shapes
from local.registry import events, paging, scan_rules
from local.registry.inventory import Inventory
from local.registry.scanner import Hit
from local.registry.store import Image, Inspection, Registry, Repository, Unscannable, Vulnerability
from local.registry.wire import Request, Response

SCAN_SECONDS = 0.3
"""How long a scan waits before it starts, as a basic one does."""
DISCOVERED = timedelta(days=14)
"""How old an image may be to be found when enhanced scanning is turned on."""
ACTIVE = "Continuous scan is selected for image."

Hits = Mapping[str, tuple[Hit, ...]]
"""What is known to be wrong with a list of packages, by the id of the advisory."""
Matches = dict[Inventory, Hits]
"""Images with the same packages are matched once."""


def follow(registry: Registry) -> None:
    """Do what the rules ask for from now on: scan what was pushed lately, and forget what they leave out."""
    matches: Matches = {}
    for repository, image in _images(registry):
        frequency = scan_rules.frequency(registry, repository)
        if image.inspection is None:
            if registry.clock() - image.pushed_at <= DISCOVERED:
                scan_pushed(registry, repository, image)
        elif frequency is None:
            image.inspection = None
        else:
            image.inspection.continuous = frequency == scan_rules.CONTINUOUS
            _look_again(registry, repository, image, matches)


def scan_pushed(registry: Registry, repository: Repository, image: Image) -> None:
    """Scan an image that was pushed just now, where a rule says so, and if it was not scanned before."""
    frequency = scan_rules.frequency(registry, repository)
    if frequency is None or image.inspection is not None or not image.manifest.is_runnable:
        return
    inspection = image.inspection = Inspection(continuous=frequency == scan_rules.CONTINUOUS)
    registry.later(SCAN_SECONDS, lambda: _run(registry, repository, image, inspection))


def learn(registry: Registry, advisories: Sequence[Mapping[str, Any]]) -> Response:
    """Hear of advisories, and look again at every image that is scanned continuously.

    What they are matched with are the packages that were found at first: no layer is read again. Raises ValueError,
    TypeError or KeyError for advisories that are not as they should be, and then nothing is learned.
    """
    registry.scanner.learn(advisories)
    matches: Matches = {}
    changes = [_look_again(registry, repository, image, matches) for repository, image in _images(registry)]
    return {"advisories": len(advisories), "images": sum(map(bool, changes)), "findings": sum(changes)}


def run(registry: Registry, request: Request) -> Response:
    """Hear that so many tasks and pods run an image: `{"repository": …, "digest": …, "count": …}`. Raises EcrError."""
    repository = registry.repository(request["repository"])
    image = registry.image(repository, {"imageDigest": request["digest"]})
    image.in_use, image.in_use_at = int(request["count"]), registry.clock()
    return {"repository": repository.name, "digest": image.digest, "count": image.in_use}


def describe(registry: Registry, repository: Repository, image: Image, request: Request) -> Response | None:
    """What DescribeImageScanFindings says beside whose findings they are; None where there was no scan."""
    inspection = image.inspection
    if inspection is None:
        return None
    if inspection.inventory is None:
        return {"imageScanStatus": {"status": inspection.status}}
    status = {"status": "ACTIVE", "description": ACTIVE} if inspection.continuous else {"status": "COMPLETE"}
    found, more = paging.page(request, shapes.worst_first(inspection))
    return {
        "imageScanStatus": status,
        "imageScanFindings": {
            "enhancedFindings": [shapes.described(registry, repository, image, each) for each in found],
            "imageScanCompletedAt": inspection.looked_at,
            "vulnerabilitySourceUpdatedAt": inspection.looked_at,
            "findingSeverityCounts": shapes.counts(inspection),
        },
        **more,
    }


def _images(registry: Registry) -> Iterator[tuple[Repository, Image]]:
    if registry.scan_type == "ENHANCED":
        for repository in registry.repositories.values():
            for image in repository.images.values():
                if not image.archived:
                    yield repository, image


def _run(registry: Registry, repository: Repository, image: Image, inspection: Inspection) -> None:
    layers = [repository.layers[digest] for digest in image.manifest.layers]
    try:
        found = registry.scanner.take(layers)
    except Unscannable:
        inspection.status = "UNSUPPORTED_IMAGE"  # Inspector tells of its coverage then, and of no scan
        return
    with registry.lock:
        if image.inspection is not inspection or repository.images.get(image.digest) is not image:
            return  # deleted, archived or left out meanwhile
        inspection.inventory = found
        _look(registry, repository, image, inspection, _hits(registry, found, {}))
        registry.publish(events.inspected(repository, image, shapes.totals(inspection)))


def _look_again(registry: Registry, repository: Repository, image: Image, matches: Matches) -> int:
    """How many findings of the image changed."""
    inspection = image.inspection
    if inspection is None or not inspection.continuous or inspection.inventory is None:
        return 0
    hits = _hits(registry, inspection.inventory, matches)
    return _look(registry, repository, image, inspection, hits)


def _look(registry: Registry, repository: Repository, image: Image, inspection: Inspection, hits: Hits) -> int:
    """Bring the findings up to date, and tell of each that is new, different or over; says how many those are."""
    known, now = inspection.vulnerabilities, registry.clock()
    inspection.looked_at = now
    inspection.vulnerabilities = {
        name: Vulnerability(
            shapes.arn(registry, repository, image, name),
            found,
            first_observed_at=known[name].first_observed_at if name in known else now,
            updated_at=known[name].updated_at if name in known and known[name].hits == found else now,
        )
        for name, found in hits.items()
    }
    changed = [each for name, each in inspection.vulnerabilities.items() if known.get(name) != each]
    over = [each for name, each in known.items() if name not in hits]
    for each in over:
        each.updated_at = now
    for status, vulnerabilities in (("ACTIVE", changed), ("CLOSED", over)):
        for each in vulnerabilities:
            detail = shapes.told(registry, repository, image, each, status)
            registry.publish(events.finding(repository, image, detail))
    return len(changed) + len(over)


def _hits(registry: Registry, inventory: Inventory, matches: Matches) -> Hits:
    """What is wrong with the packages, by advisory: one finding of each, whatever number of packages have it."""
    if inventory not in matches:
        found: dict[str, tuple[Hit, ...]] = {}
        for hit in registry.scanner.match(inventory):
            found[hit[1].id] = (*found.get(hit[1].id, ()), hit)
        matches[inventory] = found
    return matches[inventory]
