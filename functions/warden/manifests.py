"""Manifests as a registry keeps them: what each one is, and what an index holds.

https://github.com/opencontainers/image-spec/blob/main/manifest.md and image-index.md
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from warden.blobs import Layer
from warden.errors import Invalid
from warden.names import Digest, is_digest

INDEX_TYPES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
IMAGE_CONFIG_TYPES = frozenset(
    {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    }
)
MANIFEST_TYPES = (
    *sorted(INDEX_TYPES),
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""What we accept from BatchGetImage: every kind as it was pushed, so that none is converted."""

ARTIFACT_TYPE = "application/vnd.cncf.oras.artifact.manifest.v1+json"
"""A manifest that is no image's, of before OCI 1.1; its layers are called blobs, and ECR keeps it."""

LONGEST_PLATFORM = 64
"""Characters; real ones have a third of that. An index may hold megabytes in this place, and a notice that carried them
would be too large for its queue: whoever pushed the image would have silenced the message about it."""

_ATTESTATION = "vnd.docker.reference.type"
_IN_TOTO = "application/vnd.in-toto+json"


class Kind(StrEnum):
    """What a manifest is, as far as scanning is concerned."""

    INDEX = "index"
    IMAGE = "image"
    ATTESTATION = "attestation"
    ARTIFACT = "artifact"


@dataclass(frozen=True, slots=True)
class Platform:
    """One manifest that an index lists, with the platform that it says it is for."""

    digest: Digest
    name: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest: its kind and, for an index, the images and nested indexes that it lists.

    `config` is the digest of an image's configuration.
    """

    kind: Kind
    platforms: tuple[Platform, ...] = ()
    nested: tuple[Digest, ...] = ()
    config: Digest | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a manifest needs beside itself: the manifests that an index lists, and the blobs that it names as `layers`.

    `subject` is the manifest that it is about, where it is a signature or the like. Layers that are kept elsewhere, by
    the word of the manifest, are left out: a registry does not have them. `can_run` says that it is an image with
    files, whatever else it claims to be: a signature may have an image's configuration, but has no files.
    """

    children: tuple[Digest, ...] = ()
    layers: tuple[Layer, ...] = ()
    subject: Digest | None = None
    can_run: bool = False


def parts(text: str) -> Parts:
    """What a manifest needs. Raises Invalid where it is none, or names something without a digest or a size."""
    manifest = _manifest(text)
    children = listed(text)
    config = manifest.get("config")
    named = [_object(config)] if config is not None and "manifests" not in manifest else []
    for key in ("layers", "blobs"):
        named += _items(manifest.get(key))
    layers = (_layer(descriptor) for descriptor in named if not _is_elsewhere(descriptor))
    subject = _object(manifest.get("subject")).get("digest")
    return Parts(
        children,
        tuple(dict.fromkeys(layers)),
        Digest(subject) if is_digest(subject) else None,
        _media_type(_object(config)) in IMAGE_CONFIG_TYPES and any(".tar" in _media_type(one) for one in named),
    )


def _layer(descriptor: Mapping[str, Any]) -> Layer:
    digest, size = descriptor.get("digest"), descriptor.get("size")
    if not is_digest(digest):
        raise Invalid(f"the manifest names a layer without a digest: {str(digest)[:80]!r}")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise Invalid(f"the manifest names no size of {digest}: {str(size)[:80]!r}")
    return Layer(Digest(digest), size)


def _is_elsewhere(descriptor: Mapping[str, Any]) -> bool:
    """Layers of Windows' base images, mostly: their licence lets nobody but their maker hand them out.

    https://github.com/opencontainers/image-spec/blob/main/layer.md#non-distributable-layers
    """
    kind = _media_type(descriptor)
    return bool(descriptor.get("urls")) and (".foreign." in kind or ".nondistributable." in kind)


def read_manifest(text: str) -> Manifest:
    """What a manifest's JSON says. Raises Invalid where it is none."""
    manifest = _manifest(text)
    if "manifests" in manifest:
        return _read_index(manifest)
    config = _object(manifest.get("config")).get("digest")
    return Manifest(_kind_of(manifest), config=Digest(config) if is_digest(config) else None)


def _manifest(text: str) -> Mapping[str, Any]:
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid("the manifest is not JSON") from None
    if not isinstance(manifest, dict):
        raise Invalid("the manifest is not a JSON object")
    return manifest


def listed(text: str) -> tuple[Digest, ...]:
    """Every manifest that an index lists: platform images, nested indexes, attestations; none where it is no index.

    Raises Invalid where it is no manifest, or lists something that has no digest.
    """
    manifest = _manifest(text)
    if "manifests" not in manifest:
        return ()
    entries = [entry.get("digest") for entry in _items(manifest["manifests"])]
    for digest in entries:
        if not is_digest(digest):
            raise Invalid(f"the index lists something without a digest: {str(digest)[:80]!r}")
    return tuple(dict.fromkeys(Digest(str(digest)) for digest in entries))


def _read_index(manifest: Mapping[str, Any]) -> Manifest:
    platforms: list[Platform] = []
    nested: list[Digest] = []
    for entry in _items(manifest["manifests"]):
        digest = entry.get("digest")
        if not is_digest(digest):
            raise Invalid(f"the index lists something without a digest: {str(digest)[:80]!r}")
        if _media_type(entry) in INDEX_TYPES:
            nested.append(Digest(digest))
        elif not _is_attestation_entry(entry):
            platforms.append(Platform(Digest(digest), _platform_name(_object(entry.get("platform")))))
    return Manifest(Kind.INDEX, tuple(platforms), tuple(nested))


def _is_attestation_entry(entry: Mapping[str, Any]) -> bool:
    """BuildKit marks attestations by an annotation; older ones only by the platform unknown/unknown."""
    platform = _object(entry.get("platform"))
    return _ATTESTATION in _object(entry.get("annotations")) or (
        platform.get("os") == "unknown" and platform.get("architecture") == "unknown"
    )


def _platform_name(platform: Mapping[str, Any]) -> str:
    parts = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
    return "/".join(str(part) for part in parts if part)[:LONGEST_PLATFORM] or "unknown platform"


def _kind_of(manifest: Mapping[str, Any]) -> Kind:
    layers = _items(manifest.get("layers"))
    if layers and all(_media_type(layer) == _IN_TOTO for layer in layers):
        return Kind.ATTESTATION
    config_type = _media_type(_object(manifest.get("config")))
    if manifest.get("subject") or manifest.get("artifactType") or config_type not in IMAGE_CONFIG_TYPES:
        return Kind.ARTIFACT
    return Kind.IMAGE


def _media_type(descriptor: Mapping[str, Any]) -> str:
    return str(descriptor.get("mediaType"))


def _object(value: object) -> Mapping[str, Any]:
    """Whoever pushes writes the manifest: what should be an object may be anything."""
    return value if isinstance(value, dict) else {}


def _items(value: object) -> tuple[Mapping[str, Any], ...]:
    return tuple(map(_object, value)) if isinstance(value, list) else ()
