"""What a case of the linter's tests is, and the repositories that several of them share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.unit.lifecycle.repositories import line, rule
from warden.names import Digest
from warden.stored_images import StoredImage

RELEASES = line("v1.*.0", 12)
PULL_REQUESTS = line("pr-*", 10)
ANY_30_DAYS = rule(status="any", days=30)


@dataclass(frozen=True)
class Case:
    """A policy on a repository, and the remarks that it gets: code, severity, rule; `says` must be in the first."""

    name: str
    policy: str
    images: list[StoredImage]
    told: list[tuple[str, str, int | None]]
    says: tuple[str, ...] = ()
    users: Mapping[Digest, tuple[str, ...]] = field(default_factory=dict)
