"""The images of a repository, as DescribeImages tells of them, with what their manifests refer to."""

from dataclasses import dataclass
from datetime import datetime

from warden.names import Digest, Tag


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One image of one repository: all that decides about its staying.

    `size` is in bytes, compressed. `pulled_at` is ECR's last recorded pull, at most a day old; None before the first.
    `children` are the manifests that an index lists, `subject` is what a reference artifact (a signature, an SBOM) is
    about.
    """

    digest: Digest
    tags: tuple[Tag, ...]
    pushed_at: datetime
    size: int = 0
    pulled_at: datetime | None = None
    archived: bool = False
    archived_at: datetime | None = None
    activated_at: datetime | None = None
    subject: Digest | None = None
    children: tuple[Digest, ...] = ()
    is_index: bool = False

    @property
    def stored_since(self) -> datetime:
        """When it was pushed or, where it came back from the archive, restored: what rules count from."""
        return self.activated_at or self.pushed_at

    @property
    def unused_since(self) -> datetime:
        """When it was pulled last; before its first pull, since it is there."""
        return max(self.pulled_at, self.stored_since) if self.pulled_at else self.stored_since
