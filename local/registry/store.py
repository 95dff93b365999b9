"""What the registry holds. Plain records: every rule about them is in the module of its operations."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, Protocol

from local.registry.errors import EcrError
from local.registry.events import Event
from local.registry.manifests import Manifest
from local.registry.mutability import Mutability
from local.registry.wire import Request

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

    from local.registry.advisories import Advisory
    from local.registry.inventory import Inventory
    from local.registry.scanner import Hit, Scanner

ScanStatus = Literal["IN_PROGRESS", "COMPLETE", "FAILED"]


class Unscannable(Exception):
    """The image can't be scanned; says why, in ECR's words."""


@dataclass(slots=True)
class Scan:
    """One basic scan; `findings` are in ECR's own shape, ImageScanFinding."""

    started_at: datetime
    status: ScanStatus = "IN_PROGRESS"
    description: str | None = None
    completed_at: datetime | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Vulnerability:
    """One finding of Amazon Inspector: everything in an image that one advisory is about."""

    arn: str
    hits: tuple[Hit, ...]
    first_observed_at: datetime
    updated_at: datetime

    @property
    def advisory(self) -> Advisory:
        """What it is."""
        return self.hits[0][1]


@dataclass(slots=True)
class Inspection:
    """What Amazon Inspector knows of an image; `vulnerabilities` are by the id of their advisory."""

    continuous: bool
    status: Literal["PENDING", "UNSUPPORTED_IMAGE"] = "PENDING"
    """As long as there is no inventory."""
    inventory: Inventory | None = None
    """The packages that were found, once they were: the layers are read once."""
    looked_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    vulnerabilities: dict[str, Vulnerability] = field(default_factory=dict)


@dataclass(slots=True)
class Image:
    """One manifest with its tags, and what happened to it."""

    manifest: Manifest
    pushed_at: datetime
    size: int
    """Bytes, compressed; an index counts as much as its largest child."""
    tags: list[str] = field(default_factory=list)
    pulled_at: datetime | None = None
    archived_at: datetime | None = None
    activated_at: datetime | None = None
    archived: bool = False
    scan: Scan | None = None
    inspection: Inspection | None = None
    architecture: str = "amd64"
    in_use: int = 0
    """How many tasks and pods run it."""
    in_use_at: datetime | None = None

    @property
    def digest(self) -> str:
        """The digest of its manifest."""
        return self.manifest.digest


@dataclass(slots=True)
class Preview:
    """A lifecycle policy preview: `results` are in ECR's own shape, LifecyclePolicyPreviewResult."""

    policy: str
    ready_at: datetime
    expires_at: datetime
    results: list[dict[str, Any]]


@dataclass(slots=True)
class Repository:
    """One repository with its settings, layers and images."""

    name: str
    arn: str
    uri: str
    created_at: datetime
    mutability: Mutability
    scan_on_push: bool
    encryption: dict[str, str]
    tags: dict[str, str]
    layers: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    """By digest, in the order of their pushes."""
    heads: dict[str, Image] = field(default_factory=dict)
    """By tag."""
    access_policy: str | None = None
    lifecycle_policy: str | None = None
    lifecycle_evaluated_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """ECR's own answer for a policy that was never evaluated: the epoch."""
    preview: Preview | None = None

    def find(self, wanted: Request) -> Image | None:
        """The image of an ImageIdentifier; where it gives both, digest and tag have to agree."""
        tag, digest = wanted.get("imageTag"), wanted.get("imageDigest")
        image = self.images.get(digest) if digest else self.heads.get(tag or "")
        return image if image and (tag is None or tag in image.tags) else None

    def tag(self, image: Image, tag: str) -> None:
        """Point the tag at the image, away from the one that had it."""
        self.untag(tag)
        image.tags.append(tag)
        self.heads[tag] = image

    def untag(self, tag: str) -> None:
        """Take the tag away from whatever has it."""
        if holder := self.heads.pop(tag, None):
            holder.tags.remove(tag)

    def remove(self, image: Image) -> None:
        """Forget the image and its tags."""
        for tag in list(image.tags):
            self.untag(tag)
        del self.images[image.digest]


@dataclass(slots=True)
class Upload:
    """A layer that is on its way."""

    repository: str
    data: bytearray = field(default_factory=bytearray)
    parts: int = 0
    last_part: int = 0
    """Bytes of the part that came last."""
    hash: Hash = field(default_factory=sha256)
    """Of what came so far."""
    by_docker: bool = False
    """Whether it comes by the Docker Registry API, where a part may be of any size."""


@dataclass(frozen=True, slots=True)
class Download:
    """A layer that can be had at a URL for some time."""

    digest: str
    data: bytes
    expires_at: datetime


@dataclass(slots=True)
class Fault:
    """How the next downloads of a layer go wrong, on request."""

    how: Literal["truncated", "corrupted", "substituted", "expired"]
    left: int


class Later(Protocol):
    """Something that runs work by and by."""

    def __call__(self, seconds: float, work: Callable[[], None], /) -> None:
        """Run the work after that many seconds, in a thread of its own."""


@dataclass(slots=True)
class Registry:
    """One account's registry in one region."""

    account: str
    region: str
    url: str
    """Where this registry's own HTTP server answers."""
    clock: Callable[[], datetime]
    publish: Callable[[Event], None]
    later: Later
    scanner: Scanner
    repositories: dict[str, Repository] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    downloads: dict[str, Download] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    """By the digest of a layer."""
    account_settings: dict[str, str] = field(default_factory=dict)
    """Those that were put, by name."""
    scan_type: str = "BASIC"
    scan_rules: list[dict[str, Any]] = field(default_factory=list)
    pull_exclusions: dict[str, datetime] = field(default_factory=dict)
    """Principals whose pulls are not recorded, and since when."""
    creation_templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By prefix, in ECR's own shape, RepositoryCreationTemplate."""
    previews_list_children: bool = False
    """Whether previews list what only an index saves, too: AWS's pages don't say."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def repository(self, name: str) -> Repository:
        """The repository of that name. Raises EcrError."""
        try:
            return self.repositories[name]
        except KeyError:
            raise EcrError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id '{self.account}'",
            ) from None

    def image(self, repository: Repository, wanted: Request) -> Image:
        """The image of an ImageIdentifier. Raises EcrError."""
        image = repository.find(wanted)
        if image is None:
            digest, tag = wanted.get("imageDigest", "null"), wanted.get("imageTag", "null")
            raise EcrError(
                "ImageNotFoundException",
                f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the "
                f"repository with name '{repository.name}' in the registry with id '{self.account}'",
            )
        return image

    def identity(self, repository: Repository) -> dict[str, Any]:
        """The two members that most responses start with."""
        return {"registryId": self.account, "repositoryName": repository.name}
