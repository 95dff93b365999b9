"""Images: put, read, listed, archived and deleted.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html
"""

from collections.abc import Iterator
from typing import Any

from local.registry import enhanced_findings, events, manifests, paging, scanning
from local.registry.errors import EcrError
from local.registry.manifests import Manifest
from local.registry.store import Image, Registry, Repository
from local.registry.wire import Request, Response


def put(registry: Registry, request: Request) -> Response:
    """PutImage."""
    repository = registry.repository(request["repositoryName"])
    manifest = manifests.read(request["imageManifest"], request.get("imageManifestMediaType"))
    tag = request.get("imageTag")
    if request.get("imageDigest", manifest.digest) != manifest.digest:
        raise EcrError(
            "ImageDigestDoesNotMatchException",
            f"The digest {request['imageDigest']} is not that of the manifest, {manifest.digest}",
        )
    _check_parts(repository, manifest)
    _check_tag(registry, repository, manifest, tag)
    image = repository.images.get(manifest.digest)
    if image is None:
        image = Image(
            manifest,
            pushed_at=registry.clock(),
            size=_size(repository, manifest),
            architecture=enhanced_findings.architecture_of(repository.layers.get(manifest.config or "", b"")),
        )
        repository.images[manifest.digest] = image
    elif image.archived:
        _restore(registry, image)  # pushing it again is one way to restore it
    if tag:
        repository.tag(image, tag)
    registry.publish(events.pushed(repository, image, tag))
    scanning.scan_pushed(registry, repository, image)
    return {"image": _content(registry, repository, image, tag)}


def batch_get(registry: Registry, request: Request) -> Response:
    """BatchGetImage; that it counts as a pull, and by whom it doesn't, is in `pull_times.py`."""
    repository = registry.repository(request["repositoryName"])
    found, failures = [], []
    for wanted in request["imageIds"]:
        image = repository.find(wanted)
        if image is None or image.archived:
            failures.append(_failure(wanted, *_not_found(repository, wanted)))
        else:
            found.append(_content(registry, repository, image, wanted.get("imageTag")))
    return {"images": found, "failures": failures}


def list_ids(registry: Registry, request: Request) -> Response:
    """ListImages: one entry a tag, and one for an image without."""
    repository = registry.repository(request["repositoryName"])
    ids = [
        {"imageDigest": image.digest, **tagged}
        for image in _filtered(repository, request)
        for tagged in [{"imageTag": tag} for tag in image.tags] or [{}]
    ]
    found, more = paging.page(request, ids)
    return {"imageIds": list(found), **more}


def describe(registry: Registry, request: Request) -> Response:
    """DescribeImages; without a scan summary, as since the new basic scanner."""
    repository = registry.repository(request["repositoryName"])
    if "imageIds" in request:
        paging.refuse(request, "imageIds")
        wanted = [registry.image(repository, each) for each in request["imageIds"]]
        found = {image.digest: image for image in wanted}.values()
        return {"imageDetails": [_detail(registry, repository, image) for image in found]}
    page, more = paging.page(request, list(_filtered(repository, request)))
    return {"imageDetails": [_detail(registry, repository, image) for image in page], **more}


def list_referrers(registry: Registry, request: Request) -> Response:
    """ListImageReferrers; a page is 20 by default."""
    repository = registry.repository(request["repositoryName"])
    types = request.get("filter", {}).get("artifactTypes")
    subject = request["subjectId"]["imageDigest"]
    referrers = [
        {
            "digest": image.digest,
            "mediaType": image.manifest.media_type,
            "artifactType": image.manifest.artifact_media_type,
            "size": len(image.manifest.text.encode()),
            "annotations": dict(image.manifest.annotations) or None,
            "artifactStatus": "ARCHIVED" if image.archived else "ACTIVE",
        }
        for image in repository.images.values()
        if image.manifest.subject == subject and (not types or image.manifest.artifact_media_type in types)
    ]
    found, more = paging.page(request, referrers, default=20)
    return {"referrers": list(found), **more}


def update_storage_class(registry: Registry, request: Request) -> Response:
    """UpdateImageStorageClass; a restored image is active at once here, within 20 minutes in AWS."""
    repository = registry.repository(request["repositoryName"])
    image = registry.image(repository, request["imageId"])
    if request["targetStorageClass"] == "ARCHIVE":
        archive(registry, repository, image)
    elif image.archived:
        _restore(registry, image)
        registry.publish(events.moved(repository, image))
    status = "ARCHIVED" if image.archived else "ACTIVE"
    return {**registry.identity(repository), "imageId": {"imageDigest": image.digest}, "imageStatus": status}


def archive(registry: Registry, repository: Repository, image: Image) -> None:
    """Move the image to the archive, where its scan is lost."""
    image.archived, image.archived_at, image.scan, image.inspection = True, registry.clock(), None, None
    registry.publish(events.moved(repository, image))


def batch_delete(registry: Registry, request: Request) -> Response:
    """BatchDeleteImage: a tag, and with its last tag the image; or by digest the image with all its tags."""
    repository = registry.repository(request["repositoryName"])
    gone: list[dict[str, str]] = []
    failures: list[dict[str, Any]] = []
    for wanted in request["imageIds"]:
        image = repository.find(wanted)
        if image is None:
            failures.append(_failure(wanted, *_not_found(repository, wanted)))
            continue
        tag = wanted.get("imageTag") if "imageDigest" not in wanted else None
        if tag and len(image.tags) > 1:
            repository.untag(tag)
            tags: list[str | None] = [tag]
        elif refused := refusal(repository, image):
            failures.append(_failure(wanted, *refused))
            continue
        else:
            tags = [*image.tags] or [None]
            repository.remove(image)
        for each in tags:
            gone.append({"imageDigest": image.digest, **({"imageTag": each} if each else {})})
            registry.publish(events.deleted(repository, image, each))
    return {"imageIds": gone, "failures": failures}


def refusal(repository: Repository, image: Image) -> tuple[str, str] | None:
    """Why the image can't be deleted: the code and the reason of a failure, or None."""
    parents = [each.digest for each in repository.images.values() if image.digest in each.manifest.children]
    if not parents:
        return None
    return "ImageReferencedByManifestList", f"Requested image referenced by manifest list: [{', '.join(parents)}]"


def _check_parts(repository: Repository, manifest: Manifest) -> None:
    missing = [digest for digest in manifest.blobs if digest not in repository.layers]
    if missing:
        raise EcrError("LayersNotFoundException", f"Layers with digests '{missing}' required for pushing do not exist")
    missing = [digest for digest in manifest.children if digest not in repository.images]
    if missing:
        raise EcrError(
            "ReferencedImagesNotFoundException",
            f"Images with digests '{missing}' required for pushing image into repository with name "
            f"'{repository.name}' do not exist",
        )


def _check_tag(registry: Registry, repository: Repository, manifest: Manifest, tag: str | None) -> None:
    holder = repository.heads.get(tag) if tag else repository.images.get(manifest.digest)
    if holder is None or holder.archived:
        return
    if holder.digest == manifest.digest:
        raise EcrError(
            "ImageAlreadyExistsException",
            f"Image with digest '{manifest.digest}' and tag '{tag or 'null'}' already exists in the repository with "
            f"name '{repository.name}' in registry with id '{registry.account}'",
        )
    if tag and repository.mutability.locks(tag):
        raise EcrError(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten "
            "because the tag is immutable.",
        )


def _size(repository: Repository, manifest: Manifest) -> int:
    return max((repository.images[child].size for child in manifest.children), default=manifest.size)


def _restore(registry: Registry, image: Image) -> None:
    image.archived, image.activated_at = False, registry.clock()


def _content(registry: Registry, repository: Repository, image: Image, tag: str | None) -> Response:
    return {
        **registry.identity(repository),
        "imageId": {"imageDigest": image.digest, **({"imageTag": tag} if tag else {})},
        "imageManifest": image.manifest.text,
        "imageManifestMediaType": image.manifest.media_type,
    }


def _detail(registry: Registry, repository: Repository, image: Image) -> Response:
    return {
        **registry.identity(repository),
        "imageDigest": image.digest,
        "imageTags": list(image.tags) or None,
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.manifest.media_type,
        "artifactMediaType": image.manifest.artifact_media_type,
        "lastRecordedPullTime": image.pulled_at,
        "subjectManifestDigest": image.manifest.subject,
        "imageStatus": "ARCHIVED" if image.archived else "ACTIVE",
        "lastArchivedAt": image.archived_at,
        "lastActivatedAt": image.activated_at,
    }


def _filtered(repository: Repository, request: Request) -> Iterator[Image]:
    asked = request.get("filter", {})
    tagged, status = asked.get("tagStatus", "ANY"), asked.get("imageStatus", "ACTIVE")
    for image in repository.images.values():
        if tagged not in {"ANY", "TAGGED" if image.tags else "UNTAGGED"}:
            continue
        if status in {"ANY", "ARCHIVED" if image.archived else "ACTIVE"}:
            yield image


def _not_found(repository: Repository, wanted: Request) -> tuple[str, str]:
    if not wanted:
        return "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"
    if "imageTag" in wanted and wanted.get("imageDigest") in repository.images:
        return "ImageTagDoesNotMatchDigest", "The provided tag does not match the provided digest"
    return "ImageNotFound", "Requested image not found"


def _failure(wanted: Request, code: str, reason: str) -> dict[str, Any]:
    return {"imageId": dict(wanted), "failureCode": code, "failureReason": reason}
