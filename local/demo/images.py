"""Real OCI images, small enough to be made here, and a real registry client that pushes them."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oras.provider import Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

_OS_RELEASE = 'PRETTY_NAME="Debian GNU/Linux {0}"\nID=debian\nVERSION_ID="{0}"\n'
_PACKAGE = (
    "Package: {0.name}\nStatus: install ok installed\nSource: {0.source}\nArchitecture: {1}\n"
    "Version: {0.version}\nDescription: {0.name}\n"
)


class Refused(Exception):
    """The registry did not take a manifest; the text is what it said."""


@dataclass(frozen=True)
class Image:
    """One platform's image: the files of its only layer, by path."""

    files: Mapping[str, str]
    architecture: str = "amd64"

    def layer(self) -> bytes:
        """The layer, the same bytes for the same files."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for path, content in sorted(self.files.items()):
                entry = tarfile.TarInfo(path)
                entry.size = len(content.encode())
                tar.addfile(entry, io.BytesIO(content.encode()))
        return gzip.compress(archive.getvalue(), mtime=0)

    def config(self) -> bytes:
        """The image's configuration."""
        rootfs = {"type": "layers", "diff_ids": [_digest(gzip.decompress(self.layer()))]}
        return _json({"architecture": self.architecture, "os": "linux", "config": {}, "rootfs": rootfs})

    def manifest(self) -> bytes:
        """The manifest over both."""
        return _json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": _descriptor(CONFIG, self.config()),
                "layers": [_descriptor(LAYER, self.layer())],
            }
        )


@dataclass(frozen=True)
class Package:
    """An installed package; `made_from` is its source package where that has another name."""

    name: str
    version: str
    made_from: str = ""

    @property
    def source(self) -> str:
        """The source package, which advisories are written for."""
        return self.made_from or self.name


def debian(*packages: Package, release: str = "12", architecture: str = "amd64") -> Image:
    """An image of Debian, as far as a scanner sees it: its release and its list of installed packages."""
    status = "\n".join(_PACKAGE.format(package, architecture) for package in packages)
    return Image({"etc/os-release": _OS_RELEASE.format(release), "var/lib/dpkg/status": status}, architecture)


@dataclass
class Client:
    """Pushes by the Docker Registry v2 protocol, as `docker push` does, by the oras client."""

    host: str
    password: str
    _oras: Registry = field(init=False)

    def __post_init__(self) -> None:
        self._oras = Registry(hostname=self.host, insecure=True, auth_backend="basic")
        self._oras.auth.set_basic_auth("AWS", self.password)

    @classmethod
    def logged_in(cls, host: str, token: str) -> "Client":
        """A client with the token of GetAuthorizationToken, which holds user and password."""
        return cls(host, base64.b64decode(token).decode().partition(":")[2])

    def push(self, image: Image, repository: str, tag: str | None = None) -> str:
        """Push an image by tag, or by its digest alone; gives its digest. Raises Refused."""
        for content, media_type in ((image.layer(), LAYER), (image.config(), CONFIG)):
            self.push_blob(repository, content, media_type)
        return self.push_manifest(repository, image.manifest(), MANIFEST, tag)

    def push_index(self, images: Sequence[Image], repository: str, tag: str) -> str:
        """Push a multi-platform image as buildx does: the platforms by digest, then the index by tag."""
        entries = []
        for image in images:
            self.push(image, repository)
            platform = {"os": "linux", "architecture": image.architecture}
            entries.append({**_descriptor(MANIFEST, image.manifest()), "platform": platform})
        index = _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
        return self.push_manifest(repository, index, INDEX, tag)

    def push_blob(self, repository: str, content: bytes, media_type: str) -> None:
        """Push a layer, a configuration or whatever a manifest names. Raises Refused."""
        with tempfile.NamedTemporaryFile() as file:
            Path(file.name).write_bytes(content)
            container = self._oras.get_container(f"{self.host}/{repository}:blob")
            answer = self._oras.upload_blob(file.name, container, _descriptor(media_type, content))
        if not answer.ok:
            raise Refused(answer.text)

    def push_manifest(self, repository: str, manifest: bytes, media_type: str, tag: str | None = None) -> str:
        """Push a manifest whose parts are there, by tag or by its digest; gives its digest. Raises Refused."""
        digest = _digest(manifest)
        url = f"http://{self.host}/v2/{repository}/manifests/{tag or digest}"
        answer = self._oras.do_request(url, "PUT", data=manifest, headers={"Content-Type": media_type})
        if not answer.ok:
            raise Refused(answer.text)
        return digest


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
