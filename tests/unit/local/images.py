"""Images of any contents, put into a small registry."""

import json
from collections.abc import Mapping
from typing import Any

from tests.conformance.cloud import Built, layer, sha256
from tests.conformance.cloud import manifest as a_manifest
from tests.unit.local.a_registry import Small


def of_layers(*layers: bytes) -> Built:
    """An image of those layers, lowest first."""
    config = b"{}"
    text = json.dumps(
        {
            "schemaVersion": 2,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": sha256(config),
                "size": len(config),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar",
                    "digest": sha256(each),
                    "size": len(each),
                }
                for each in layers
            ],
        }
    )
    return Built(text, "application/vnd.oci.image.manifest.v1+json", (config, *layers))


def with_files(*layers: Mapping[str, str | bytes]) -> Built:
    """An image whose layers hold those files."""
    return of_layers(*map(layer, layers))


def put(small: Small, built: Built, tag: str | None = None) -> str:
    """Push it to team/app; returns its digest."""
    for blob in built.blobs:
        small.ecr.registry.repository("team/app").layers[sha256(blob)] = blob
    tagged: dict[str, Any] = {"imageTag": tag} if tag else {}
    answer = small.call(
        "PutImage",
        repositoryName="team/app",
        imageManifest=built.text,
        imageManifestMediaType=built.media_type,
        **tagged,
    )
    return str(answer["image"]["imageId"]["imageDigest"])


def any_image(seed: str) -> Built:
    """An image that differs by its seed."""
    return a_manifest(seed)


def about(built: Built, subject: str) -> Built:
    """The image as a reference artifact of another, which its digest names."""
    described = {"mediaType": built.media_type, "digest": subject, "size": 1}
    return Built(json.dumps({**json.loads(built.text), "subject": described}), built.media_type, built.blobs)
