"""What a listing of the registry says of one repository, as it travels in a sweep's message."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from warden.errors import Invalid
from warden.names import RepositoryName
from warden.observations import RegistryScanning, RepositorySettings, ScanningRule

_EVERY = ScanningRule("SCAN_ON_PUSH", ("*",))


def written(settings: RepositorySettings, scanning: RegistryScanning) -> dict[str, Any]:
    """The settings, and of the registry's scanning configuration what concerns the repository."""
    return {
        "settings": asdict(settings),
        "enhanced": scanning.enhanced,
        "scanned": scanning.scans_on_push(settings.name),
    }


def read(name: RepositoryName, listed: Mapping[str, Any]) -> tuple[RepositorySettings, RegistryScanning]:
    """What `written` wrote. Raises Invalid."""
    try:
        settings = listed["settings"]
        return (
            RepositorySettings(**{**settings, "name": name, "exclusions": tuple(settings["exclusions"])}),
            RegistryScanning(enhanced=listed["enhanced"], rules=(_EVERY,) if listed["scanned"] else ()),
        )
    except (KeyError, TypeError) as error:
        raise Invalid(f"listed: expected what a listing says of {name}, got {error}") from None
