"""The labels of an image, out of its configuration, which ECR keeps as a blob like a layer.

https://github.com/opencontainers/image-spec/blob/main/config.md and annotations.md
"""

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from warden import answers
from warden.errors import Unavailable
from warden.names import ImageId
from warden.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

LARGEST = 512 * 1024
"""Bytes of a configuration; real ones have some ten thousand."""
MOST = 100
LONGEST = 256
"""Characters of a label that are compared with the policy's patterns, which takes long where both are long."""
_GONE = frozenset(
    {
        "ImageNotFoundException",
        "InvalidParameterException",  # a digest of some other kind, which whoever pushed the image wrote
        "LayerInaccessibleException",
        "LayersNotFoundException",
        "RepositoryNotFoundException",
    }
)

Download = Callable[[str, int], bytes | None]
"""Gets at most so many bytes from an address (see `warden.downloads.download`)."""


class ImageLabels:
    """The labels of the registry's images."""

    def __init__(self, client: "ECRClient", registry: Registry, download: Download) -> None:
        """`registry` gives manifests, `download` what is at an address."""
        self._client = client
        self._registry = registry
        self._download = download

    def of(self, image: ImageId) -> dict[str, str] | None:
        """The image's labels, of an index those of the first image that it lists; None where they can't be known.

        A configuration that is too large, is not what its digest says, or is no JSON gives none: whoever pushed it
        wrote it, and nobody is kept from hearing of a finding by that.
        """
        manifest = self._registry.manifest(image)
        if manifest and manifest.platforms:
            image = ImageId(image.repository, manifest.platforms[0].digest)
            manifest = self._registry.manifest(image)
        if manifest is None or manifest.config is None:
            return None
        try:
            answer = self._client.get_download_url_for_layer(
                repositoryName=image.repository, layerDigest=manifest.config
            )
            with answers.whole("GetDownloadUrlForLayer"):
                found = self._download(answer["downloadUrl"], LARGEST)
        except ClientError as error:
            if answers.code(error) in _GONE:
                return None
            raise
        except Unavailable:
            return None
        if found is None or f"sha256:{hashlib.sha256(found).hexdigest()}" != manifest.config:
            return None
        return _labels(found)


def _labels(configuration: bytes) -> dict[str, str] | None:
    try:
        labels = json.loads(configuration)["config"].get("Labels") or {}
        return {key: text[:LONGEST] for key, text in list(labels.items())[:MOST] if isinstance(text, str)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
