"""What a listing of the registry says of one repository, as it travels in a sweep's message."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from warden.errors import Invalid
from warden.names import RepositoryName
from warden.observations import RegistryScanning, RepositorySettings, ScanningRule

_EVERY = ScanningRule("SCAN_ON_PUSH", ("*",))


def written(settings: RepositorySettings, scanning: RegistryScanning) -> dict[str, Any]:
    """The settings, and of the registry's scanning configuration what concerns the repository."""
    return {
        "settings": {**asdict(settings), "created_at": settings.created_at and settings.created_at.isoformat()},
        "enhanced": scanning.enhanced,
        "scanned": scanning.scans_on_push(settings.name),
    }


def read(name: RepositoryName, listed: Mapping[str, Any]) -> tuple[RepositorySettings, RegistryScanning]:
    """What `written` wrote. Raises Invalid."""
    try:
        settings = listed["settings"]
        created = settings.get("created_at")  # not there in a message that an earlier version has sent
        told = {
            "name": name,
            "exclusions": tuple(settings["exclusions"]),
            "created_at": datetime.fromisoformat(created) if created else None,
        }
        return (
            RepositorySettings(**{**settings, **told}),
            RegistryScanning(enhanced=listed["enhanced"], rules=(_EVERY,) if listed["scanned"] else ()),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Invalid(f"listed: expected what a listing says of {name}, got {error}") from None
