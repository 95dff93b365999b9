"""The Docker Registry v2 API, as ECR speaks it: each request is one call or two of the ECR API, by the token's holder.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.registry import manifests, wire
from local.registry.callers import Caller
from local.registry.ecr import Ecr
from local.registry.errors import EcrError
from local.registry.http import HttpRequest, Reply
from local.registry.layers import PART_SIZE

_PATH = re.compile(
    r"/v2/(?P<name>.+)/(?:blobs/uploads/?(?P<upload>[^/]*)|blobs/(?P<blob>[^/]+)|manifests/(?P<manifest>[^/]+)"
    r"|tags/(?P<tags>list)|referrers/(?P<referrers>[^/]+))"
)
_ERRORS: Mapping[str, tuple[int, str]] = {
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "UploadNotFoundException": (404, "BLOB_UPLOAD_UNKNOWN"),
    "LayersNotFoundException": (404, "BLOB_UNKNOWN"),
    "ReferencedImagesNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "InvalidLayerException": (400, "DIGEST_INVALID"),
    "InvalidLayerPartException": (416, "BLOB_UPLOAD_INVALID"),
    "EmptyUploadException": (400, "BLOB_UPLOAD_INVALID"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "ImageAlreadyExistsException": (400, "TAG_INVALID"),
    "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID"),
    "AccessDeniedException": (403, "DENIED"),
}


def serves(path: str) -> bool:
    """Whether the path is one of this API; other services of the emulator have paths under /v2/ too."""
    return path in {"/v2", "/v2/"} or _PATH.fullmatch(path) is not None


class DockerRegistry:
    """Answers Docker Registry v2 requests from an `Ecr`."""

    def __init__(self, ecr: Ecr) -> None:
        self._ecr = ecr

    def handle(self, request: HttpRequest) -> Reply:
        """The reply, errors included."""
        holder = self._ecr.tokens.holder(request.headers.get("authorization", ""), self._ecr.registry.clock())
        if holder is None:
            realm = {"WWW-Authenticate": f'Basic realm="{self._ecr.registry.url}/",service="ecr.amazonaws.com"'}
            return _error(401, "UNAUTHORIZED", "Not Authorized", realm)
        match = _PATH.fullmatch(request.path)
        if match is None:
            return Reply.json({}, headers={"Docker-Distribution-Api-Version": "registry/2.0"})
        exchange = _Exchange(self._ecr, holder, request, match["name"])
        try:
            return exchange.reply(match)
        except EcrError as error:
            status, code = _ERRORS.get(error.code, (400, "UNSUPPORTED"))
            return _error(status, code, error.message)


@dataclass(frozen=True, slots=True)
class _Exchange:
    ecr: Ecr
    caller: Caller
    request: HttpRequest
    repository: str

    def reply(self, match: re.Match[str]) -> Reply:
        method = "GET" if self.request.method == "HEAD" else self.request.method
        replies: Mapping[tuple[str, str | None], Callable[[str], Reply]] = {
            ("POST", "upload"): self.start_upload,
            ("GET", "upload"): self.upload_status,
            ("PATCH", "upload"): self.upload_part,
            ("PUT", "upload"): self.finish_upload,
            ("GET", "blob"): self.blob,
            ("GET", "manifest"): self.manifest,
            ("PUT", "manifest"): self.put_manifest,
            ("GET", "tags"): self.tags,
            ("GET", "referrers"): self.referrers,
        }
        reply = replies.get((method, match.lastgroup))
        if reply is None:
            return _error(405, "UNSUPPORTED", "The operation is unsupported.")
        return reply(match[str(match.lastgroup)])

    def call(self, operation: str, **request: Any) -> wire.Response:
        valid = wire.valid(operation, {"repositoryName": self.repository, **request})
        return self.ecr.call(operation, valid, self.caller)

    def start_upload(self, _: str) -> Reply:
        digest, source = self.request.query.get("mount"), self.request.query.get("from")
        if digest and source and self.ecr.mount(digest, source=source, target=self.repository, caller=self.caller):
            location = f"/v2/{self.repository}/blobs/{digest}"
            return Reply(201, headers={"Location": location, "Docker-Content-Digest": digest})
        upload = self.call("InitiateLayerUpload")["uploadId"]
        self.ecr.registry.uploads[upload].by_docker = True
        return self.finish_upload(upload) if "digest" in self.request.query else self.upload_status(upload)

    def upload_status(self, upload: str) -> Reply:
        found = self.ecr.registry.uploads.get(upload)
        if found is None:
            return _error(404, "BLOB_UPLOAD_UNKNOWN", "The upload is unknown.")
        headers = {
            "Location": f"/v2/{self.repository}/blobs/uploads/{upload}",
            "Range": f"0-{max(len(found.data) - 1, 0)}",
            "Docker-Upload-UUID": upload,
        }
        return Reply(204 if self.request.method == "GET" else 202, headers=headers)

    def upload_part(self, upload: str) -> Reply:
        found, part = self.ecr.registry.uploads.get(upload), self.request.body
        first = self._first_byte(len(found.data) if found else 0)
        for start in range(0, len(part), PART_SIZE):
            piece = part[start : start + PART_SIZE]
            range_ = {"partFirstByte": first + start, "partLastByte": first + start + len(piece) - 1}
            self.call("UploadLayerPart", uploadId=upload, layerPartBlob=piece, **range_)
        return self.upload_status(upload)

    def finish_upload(self, upload: str) -> Reply:
        digest = self.request.query.get("digest", "")
        self.upload_part(upload)
        try:
            self.call("CompleteLayerUpload", uploadId=upload, layerDigests=[digest])
        except EcrError as error:
            if error.code != "LayerAlreadyExistsException":
                raise
        location = f"/v2/{self.repository}/blobs/{digest}"
        return Reply(201, headers={"Location": location, "Docker-Content-Digest": digest})

    def blob(self, digest: str) -> Reply:
        (layer,) = self.call("BatchCheckLayerAvailability", layerDigests=[digest])["layers"] or [{}]
        if layer.get("layerAvailability") != "AVAILABLE":
            return _error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        known = {"Docker-Content-Digest": digest, "Content-Type": "application/octet-stream"}
        if self.request.method == "HEAD":
            return Reply(200, headers={**known, "Content-Length": str(layer["layerSize"])})
        url = self.call("GetDownloadUrlForLayer", layerDigest=digest)["downloadUrl"]
        return Reply(307, headers={**known, "Location": url})

    def manifest(self, reference: str) -> Reply:
        answer = self.call("BatchGetImage", imageIds=[_image_id(reference)])
        if not answer["images"]:
            return _error(404, "MANIFEST_UNKNOWN", answer["failures"][0]["failureReason"])
        (image,) = answer["images"]
        return Reply(
            200,
            image["imageManifest"].encode(),
            {
                "Content-Type": image["imageManifestMediaType"],
                "Docker-Content-Digest": image["imageId"]["imageDigest"],
            },
        )

    def put_manifest(self, reference: str) -> Reply:
        text = self.request.body.decode("utf-8", "replace")
        media_type = self.request.headers.get("content-type")
        declared = {"imageManifestMediaType": media_type} if media_type else {}
        manifest = manifests.read(text, media_type)
        try:
            self.call("PutImage", imageManifest=text, **declared, **_image_id(reference))
        except EcrError as error:
            if error.code != "ImageAlreadyExistsException" or self._is_locked(reference):
                raise
        headers = {
            "Location": f"/v2/{self.repository}/manifests/{manifest.digest}",
            "Docker-Content-Digest": manifest.digest,
            **({"OCI-Subject": manifest.subject} if manifest.subject else {}),
        }
        return Reply(201, headers=headers)

    def tags(self, _: str) -> Reply:
        after, limit = self.request.query.get("last", ""), self.request.query.get("n", "")
        names = sorted(name for name in self._tags() if name > after)
        shown = names[: int(limit)] if limit.isdecimal() else names
        more = (
            f'</v2/{self.repository}/tags/list?n={limit}&last={shown[-1]}>; rel="next"'
            if shown and shown != names
            else ""
        )
        link = {"Link": more} if more else {}
        return Reply.json({"name": self.repository, "tags": shown}, headers=link)

    def referrers(self, digest: str) -> Reply:
        wanted = self.request.query.get("artifactType")
        only = {"filter": {"artifactTypes": [wanted]}} if wanted else {}
        answer = self.call("ListImageReferrers", subjectId={"imageDigest": digest}, maxResults=50, **only)
        fields = ("mediaType", "digest", "size", "artifactType", "annotations")
        listed = [{name: each[name] for name in fields if each.get(name)} for each in answer["referrers"]]
        index = {"schemaVersion": 2, "mediaType": manifests.OCI_INDEX, "manifests": listed}
        return Reply(200, json.dumps(index).encode(), {"Content-Type": manifests.OCI_INDEX})

    def _tags(self) -> Iterator[str]:
        more: dict[str, Any] = {"maxResults": 1000}
        while True:
            page = self.call("ListImages", filter={"tagStatus": "TAGGED"}, **more)
            yield from (each["imageTag"] for each in page["imageIds"])
            if "nextToken" not in page:
                return
            more["nextToken"] = page["nextToken"]

    def _first_byte(self, expected: int) -> int:
        """Where the client says that its part begins; a client that doesn't say goes on where it is."""
        start = self.request.headers.get("content-range", "").partition("-")[0].removeprefix("bytes ")
        return int(start) if start.isdecimal() else expected

    def _is_locked(self, reference: str) -> bool:
        """Whether even the same image under the same tag is refused, as ECR does where tags are immutable."""
        repository = self.ecr.registry.repository(self.repository)
        return ":" not in reference and repository.mutability.locks(reference)


def _image_id(reference: str) -> dict[str, str]:
    return {"imageDigest": reference} if ":" in reference else {"imageTag": reference}


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply.json({"errors": [{"code": code, "message": message}]}, status, headers)
