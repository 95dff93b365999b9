"""Which images of a push need a scan to be started, and which ECR scans by itself."""

from dataclasses import dataclass

from warden.names import ImageId
from warden.observations import RegistryScanning
from warden.policy import Mode, Standard


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """The images whose scans are to be started, or the reason why none is.

    `results_come` says whether there will be results at all, of basic or of enhanced scanning.
    """

    images: tuple[ImageId, ...]
    reason: str
    results_come: bool


def plan_scans(
    images: tuple[ImageId, ...],
    *,
    repository_scans: bool,
    scanning: RegistryScanning,
    standard: Standard,
    anew: bool = False,
) -> ScanPlan:
    """Which of the images of one push need a scan to be started.

    `repository_scans` is the repository's own scan-on-push setting: that is for pushes, and does not help where an old
    scan is to be made `anew`. A scan reads an image and changes nothing, so it is started in `report` mode too; only
    `off` stops it.
    """
    if scanning.enhanced:  # StartImageScan is refused: Inspector scans by itself
        return ScanPlan((), "the registry has enhanced scanning", results_come=True)
    if anew and standard.scanning.mode is not Mode.OFF:
        return ScanPlan(images, "", results_come=True)
    if repository_scans or scanning.scans_on_push(standard.repository):
        return ScanPlan((), "ECR scans this repository's pushes by itself", results_come=True)
    if standard.scanning.mode is Mode.OFF or not standard.scanning.on_push:
        origin = standard.origins["scanning.on_push"]
        return ScanPlan((), f"the policy asks for no scans ({origin})", results_come=False)
    return ScanPlan(images, "", results_come=True)
