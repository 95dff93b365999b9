"""What the conformance tests need at hand: clients, and images that can be pushed by the ECR API."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_ecr import ECRClient

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DEBIAN = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
    "var/lib/dpkg/status": "Package: curl\nStatus: install ok installed\nVersion: 7.88.1-10\n",
}
"""A system with one vulnerable package."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where the tests are run; `port` is None on AWS."""

    session: boto3.Session
    port: int | None

    @classmethod
    def local(cls, port: int) -> "Cloud":
        """A local cloud, as its account's root."""
        return cls(
            boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-central-1"), port
        )

    @classmethod
    def on_aws(cls) -> "Cloud":
        """AWS, with the credentials that are there now: other fixtures take them out of the environment."""
        session = boto3.Session()
        found = session.get_credentials()
        assert found is not None, "ECR_CONFORMANCE=aws needs credentials"
        frozen = found.get_frozen_credentials()
        return cls(boto3.Session(frozen.access_key, frozen.secret_key, frozen.token, session.region_name), None)

    @property
    def url(self) -> str:
        """Where the local cloud answers."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str) -> Any:
        """A client of any service."""
        endpoint = {"endpoint_url": self.url} if self.port else {}
        return self.session.client(service, config=Config(retries={"total_max_attempts": 1}), **endpoint)  # type: ignore[call-overload]

    @property
    def ecr(self) -> ECRClient:
        """A client of ECR."""
        client: ECRClient = self.client("ecr")
        return client


@contextmanager
def refused(*codes: str) -> Iterator[None]:
    """Expect a call to be refused with one of the codes."""
    with pytest.raises(ClientError) as caught:
        yield
    assert caught.value.response["Error"]["Code"] in codes, caught.value


def sha256(data: bytes) -> str:
    """A digest."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def layer(files: Mapping[str, str | bytes]) -> bytes:
    """A layer with those files, the same bytes each time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def upload(ecr: ECRClient, repository: str, blob: bytes) -> str:
    """Upload a layer in one part; returns its digest, also where it is there already."""
    upload_id = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    part: dict[str, Any] = {"partFirstByte": 0, "partLastByte": len(blob) - 1, "layerPartBlob": blob}
    ecr.upload_layer_part(repositoryName=repository, uploadId=upload_id, **part)
    with suppress(ecr.exceptions.LayerAlreadyExistsException):
        ecr.complete_layer_upload(repositoryName=repository, uploadId=upload_id, layerDigests=[sha256(blob)])
    return sha256(blob)


def manifest(seed: str, *, media_type: str = OCI_MANIFEST, files: Mapping[str, str] | None = None) -> "Built":
    """An image whose layer holds the files, and whose configuration holds the seed."""
    content = layer(files or {"seed": seed})
    config = json.dumps({"architecture": "amd64", "os": "linux", "created_by": seed, "rootfs": {"type": "layers"}})
    text = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": OCI_CONFIG, "digest": sha256(config.encode()), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": sha256(content), "size": len(content)}],
        }
    )
    return Built(text, media_type, (config.encode(), content))


def index(children: Sequence["Built"], media_type: str = OCI_INDEX) -> "Built":
    """An index of the children."""
    listed = [
        {
            "mediaType": child.media_type,
            "digest": child.digest,
            "size": len(child.text),
            "platform": {"os": "linux", "architecture": architecture},
        }
        for child, architecture in zip(children, ("amd64", "arm64"), strict=False)
    ]
    return Built(json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": listed}), media_type, ())


@dataclass(frozen=True, slots=True)
class Built:
    """A manifest and the blobs that it is made of."""

    text: str
    media_type: str
    blobs: tuple[bytes, ...]

    @property
    def digest(self) -> str:
        """Its digest."""
        return sha256(self.text.encode())


def put(ecr: ECRClient, repository: str, built: Built, tag: str | None = None, **more: str) -> str:
    """Put the manifest, without its blobs; returns the digest that ECR says it has."""
    tagged = {"imageTag": tag} if tag else {}
    answer = ecr.put_image(
        repositoryName=repository, imageManifest=built.text, imageManifestMediaType=built.media_type, **tagged, **more
    )
    return answer["image"]["imageId"]["imageDigest"]


def push(ecr: ECRClient, repository: str, built: Built, tag: str | None = None) -> str:
    """Upload the blobs and put the manifest; returns its digest."""
    for blob in built.blobs:
        upload(ecr, repository, blob)
    return put(ecr, repository, built, tag)
