"""What a manifest names besides other manifests, layers and configurations, and the limits that ECR sets to them.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from warden.errors import Refused, Unavailable
from warden.names import Digest
from warden.text import clean

MOST_BYTES = 52_000 * 2**20
"""Of a layer."""
MOST_PARTS = 4_200
"""Of the upload of one layer."""
LEAST_PART = 5 * 2**20
"""Bytes of a part, but for the last."""
LARGEST_PART = 20 * 2**20
"""Bytes of a part: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UploadLayerPart.html"""

_SHA256 = re.compile(r"sha256:[a-f0-9]{64}")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Layer:
    """One blob that a manifest names, a layer or a configuration; `size` is in bytes, as the manifest says."""

    digest: Digest
    size: int

    def __str__(self) -> str:
        return clean(self.digest, _SHOWN)


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that was begun and can go on: ECR's id for it, and the first byte that is missing."""

    id: str
    next_byte: int


@dataclass(frozen=True, slots=True)
class Begun:
    """An upload with the size of its parts in bytes."""

    upload: Upload
    part_size: int


class UploadLost(Unavailable):
    """ECR knows the upload no more: it expired, or was completed. What was sent of it is to be sent again."""


def checked(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Each layer once, in the order given. Raises Refused where one can't be copied, whatever ECR says of it."""
    found: dict[Digest, Layer] = {}
    for layer in layers:
        _check(layer)
        if found.setdefault(layer.digest, layer).size != layer.size:
            raise Refused(
                f"the blob {layer} is {found[layer.digest].size} bytes long in one manifest and {layer.size} in "
                "another: one of them is wrong, and nothing was copied. Build and push the image anew"
            )
    return tuple(found.values())


def _check(layer: Layer) -> None:
    if not _SHA256.fullmatch(layer.digest):
        raise Refused(
            f"the blob {layer} has no sha256 digest, and ECR keeps no other (expected sha256: and 64 hexadecimal "
            "digits). Build and push the image anew"
        )
    if layer.size < 1:
        raise Refused(
            f"the blob {layer} is {layer.size} bytes long, says its manifest: ECR takes no blob of less than one byte. "
            "Build and push the image anew"
        )
    if layer.size > MOST_BYTES:
        raise Refused(
            f"the blob {layer} is {layer.size} bytes long, and ECR takes {MOST_BYTES} (52,000 MiB) at most: make the "
            "layer smaller, or several of it"
        )


def part_size_for(layer: Layer, offered: int) -> int:
    """How large the parts of the layer's upload are to be, in bytes, where ECR offered that size.

    Raises Refused where there would be more parts than ECR takes.
    """
    size = min(max(offered, LEAST_PART), LARGEST_PART)
    parts = -(-layer.size // size)
    if parts > MOST_PARTS:
        raise Refused(
            f"the blob {layer} of {layer.size} bytes would be {parts} parts of {size} bytes, and ECR takes "
            f"{MOST_PARTS} at most: make the layer smaller, or several of it"
        )
    return size
