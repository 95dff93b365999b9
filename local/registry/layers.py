"""Layers: uploaded in consecutive parts, verified by their digest, downloaded from a URL of limited life.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UploadLayerPart.html
"""

import secrets
import uuid
from datetime import timedelta

from local.registry import account_settings
from local.registry.errors import EcrError
from local.registry.store import Download, Registry, Repository, Upload
from local.registry.wire import Request, Response

PART_SIZE = 10 * 2**20
LEAST_PART = 5 * 2**20
MOST_PARTS = 4_200
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html"""
DOWNLOAD_LIFE = timedelta(hours=1)


def initiate(registry: Registry, request: Request) -> Response:
    """InitiateLayerUpload."""
    repository = registry.repository(request["repositoryName"])
    upload = str(uuid.uuid4())
    registry.uploads[upload] = Upload(repository.name)
    return {"uploadId": upload, "partSize": PART_SIZE}


def upload_part(registry: Registry, request: Request) -> Response:
    """UploadLayerPart: parts follow each other, and only the last may be small."""
    repository, upload = _upload(registry, request)
    part, first, last = request["layerPartBlob"], request["partFirstByte"], request["partLastByte"]
    if first != len(upload.data) or last - first + 1 != len(part):
        raise EcrError(
            "InvalidLayerPartException",
            f"Layer part is not valid: bytes {first}-{last} with {len(part)} bytes, after {len(upload.data)} bytes",
            **registry.identity(repository),
            uploadId=request["uploadId"],
            **({"lastValidByteReceived": len(upload.data) - 1} if upload.data else {}),
        )
    if upload.parts == MOST_PARTS and not upload.by_docker:
        raise EcrError("LimitExceededException", f"A layer has {MOST_PARTS} parts at most")
    if upload.data and upload.last_part < LEAST_PART and not upload.by_docker:
        raise EcrError("LayerPartTooSmallException", f"Layer parts must be at least {LEAST_PART} bytes, but the last")
    upload.data += part
    upload.hash.update(part)
    upload.parts += 1
    upload.last_part = len(part)
    return {
        **registry.identity(repository),
        "uploadId": request["uploadId"],
        "lastByteReceived": len(upload.data) - 1,
    }


def complete(registry: Registry, request: Request) -> Response:
    """CompleteLayerUpload."""
    repository, upload = _upload(registry, request)
    digest, promised = f"sha256:{upload.hash.hexdigest()}", request["layerDigests"]
    if not upload.data:
        raise EcrError("EmptyUploadException", "The specified layer upload does not contain any layer parts")
    if digest not in promised:
        raise EcrError("InvalidLayerException", f"Layer digest {digest} is not the promised {', '.join(promised)}")
    if digest in repository.layers:
        raise EcrError(
            "LayerAlreadyExistsException",
            f"Layer with digest '{digest}' already exists in the repository with name '{repository.name}'",
        )
    repository.layers[digest] = _kept(registry, digest) or bytes(upload.data)
    del registry.uploads[request["uploadId"]]
    return {**registry.identity(repository), "uploadId": request["uploadId"], "layerDigest": digest}


def check_availability(registry: Registry, request: Request) -> Response:
    """BatchCheckLayerAvailability."""
    repository = registry.repository(request["repositoryName"])
    layers, failures = [], []
    for digest in request["layerDigests"]:
        if not digest.startswith("sha256:"):
            reason = {"failureCode": "InvalidLayerDigest", "failureReason": "Invalid layer digest"}
            failures.append({"layerDigest": digest, **reason})
        elif digest in repository.layers:
            size, held = len(repository.layers[digest]), "ARCHIVED" if _is_archived(repository, digest) else "AVAILABLE"
            layers.append({"layerDigest": digest, "layerAvailability": held, "layerSize": size})
        else:
            layers.append({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"})
    return {"layers": layers, "failures": failures}


def download_url(registry: Registry, request: Request) -> Response:
    """GetDownloadUrlForLayer."""
    repository, digest = registry.repository(request["repositoryName"]), request["layerDigest"]
    if digest not in repository.layers or _is_archived(repository, digest):
        raise EcrError(
            "LayersNotFoundException",
            f"The layer with digest '{digest}' does not exist in the repository with name '{repository.name}'",
        )
    key = secrets.token_urlsafe(24)
    registry.downloads[key] = Download(digest, repository.layers[digest], registry.clock() + DOWNLOAD_LIFE)
    return {"downloadUrl": f"{registry.url}/_ecr/layers/{key}", "layerDigest": digest}


def mount(registry: Registry, digest: str, *, source: str, target: str) -> bool:
    """Let one repository have a layer of another, where the account wants it so and both have the same encryption.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
    """
    giver, taker = registry.repositories.get(source), registry.repository(target)
    if account_settings.value(registry, "BLOB_MOUNTING") != "ENABLED" or giver is None:
        return False
    if digest not in giver.layers or _is_archived(giver, digest) or giver.encryption != taker.encryption:
        return False
    taker.layers[digest] = giver.layers[digest]
    return True


def _kept(registry: Registry, digest: str) -> bytes | None:
    """The layer, where some repository has it: what is large is in memory once."""
    holders = (repository.layers for repository in registry.repositories.values())
    return next((layers[digest] for layers in holders if digest in layers), None)


def _is_archived(repository: Repository, digest: str) -> bool:
    """Whether only archived images have the layer."""
    holders = [image.archived for image in repository.images.values() if digest in image.manifest.blobs]
    return bool(holders) and all(holders)


def _upload(registry: Registry, request: Request) -> tuple[Repository, Upload]:
    repository = registry.repository(request["repositoryName"])
    upload = registry.uploads.get(request["uploadId"])
    if upload is None or upload.repository != repository.name:
        raise EcrError(
            "UploadNotFoundException",
            f"The upload with id '{request['uploadId']}' does not exist in the repository with name "
            f"'{repository.name}'",
        )
    return repository, upload
