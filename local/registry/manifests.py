"""What a manifest says: its media type, what it is made of, what it refers to.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html
https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.registry.errors import EcrError, invalid

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
IMAGE_CONFIGS = frozenset({OCI_CONFIG, "application/vnd.docker.container.image.v1+json"})


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it was pushed, byte for byte, and what it says."""

    text: str
    digest: str
    media_type: str
    config_media_type: str | None
    artifact_type: str | None
    config: str | None
    """The digest of the configuration blob."""
    layers: tuple[str, ...]
    size: int
    """Bytes of the layers, compressed, as the manifest says."""
    children: tuple[str, ...]
    subject: str | None
    annotations: Mapping[str, str]

    @property
    def is_index(self) -> bool:
        """Whether it lists other manifests."""
        return self.media_type in INDEXES

    @property
    def artifact_media_type(self) -> str | None:
        """What ECR calls `artifactMediaType`: the artifact type of an artifact, else the type of its config."""
        return self.artifact_type or self.config_media_type

    @property
    def is_runnable(self) -> bool:
        """Whether it is a container image, which can be scanned, rather than an index or an artifact."""
        return not self.is_index and self.artifact_type is None and self.config_media_type in IMAGE_CONFIGS

    @property
    def blobs(self) -> tuple[str, ...]:
        """The digests of everything that has to be uploaded before it."""
        return (*([self.config] if self.config else []), *self.layers)


def sha256(data: bytes) -> str:
    """A digest as registries write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def read(text: str, media_type: str | None = None) -> Manifest:
    """The manifest in the text. Raises EcrError where it isn't one."""
    try:
        content = json.loads(text)
        declared = media_type or content.get("mediaType") or (OCI_INDEX if "manifests" in content else OCI_MANIFEST)
        config = content.get("config") or {}
        layers = content.get("layers", [])
        return Manifest(
            text=text,
            digest=sha256(text.encode()),
            media_type=_known(declared),
            config_media_type=config.get("mediaType"),
            artifact_type=content.get("artifactType"),
            config=config.get("digest"),
            layers=tuple(str(layer["digest"]) for layer in layers),
            size=sum(int(layer["size"]) for layer in layers),
            children=tuple(str(child["digest"]) for child in _children(content, declared)),
            subject=(content.get("subject") or {}).get("digest"),
            annotations=content.get("annotations") or {},
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise invalid("ImageManifest", "Invalid JSON syntax") from error


def _known(media_type: str) -> str:
    if media_type not in {OCI_MANIFEST, DOCKER_MANIFEST, *INDEXES}:
        raise EcrError("InvalidParameterException", f"The manifest media type '{media_type}' is not supported")
    return media_type


def _children(content: Mapping[str, Any], media_type: str) -> list[Mapping[str, Any]]:
    return list(content["manifests"]) if media_type in INDEXES else []
