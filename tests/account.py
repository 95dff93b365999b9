"""A small account at the wire: what its registry holds is said by the test, what is asked and changed is remembered."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSResponse
from moto import mock_aws

from tests.builders import NOW, digest
from tests.wire import Answer, Wire, answered, error, ok
from warden.held_news import HeldNews
from warden.image_tags import ImageTags
from warden.judged_images import JudgedImages
from warden.ledger import Ledger
from warden.names import ImageId, RepositoryName
from warden.notices import Notice, from_json
from warden.queues import Message, Queue
from warden.registry import Registry
from warden.tallies import Tallies
from warden.threads import Threads

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


_WRITES = ("Put", "Set", "Start", "Delete", "BatchDelete", "Tag", "Untag")


@dataclass
class PushedImage:
    """One image: its manifest, and what DescribeImageScanFindings says of it, page by page."""

    manifest: Mapping[str, Any]
    tags: list[str]
    pushed_at: datetime
    scan: list[Mapping[str, Any]] = field(default_factory=list)


class Account:
    """The registry. `refusals` maps an operation to what it answers instead."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, Any]] = {}
        self.lifecycle_policies: dict[str, str] = {}
        self.access_policies: dict[str, str] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.images: dict[tuple[str, str], PushedImage] = {}
        self.scanning: dict[str, Any] = {"scanType": "BASIC", "rules": []}
        self.unreadable: set[str] = set()
        self.blobs: dict[str, bytes] = {}
        self.refusals: dict[str, Answer] = {}
        self.wire = Wire(self._answer)

    @property
    def registry(self) -> Registry:
        return Registry(self.wire.client(), self.wire.client())

    @property
    def image_tags(self) -> ImageTags:
        return ImageTags(self.wire.client(), self.registry)

    def calls(self) -> Counter[str]:
        return Counter(self.wire.operations())

    def writes(self) -> list[tuple[str, Mapping[str, Any]]]:
        return [request for request in self.wire.requests if request[0].startswith(_WRITES)]

    def create(self, name: str = "team/app", **settings: Any) -> RepositoryName:
        self.repositories[name] = {
            "registryId": "111122223333",
            "repositoryName": name,
            "createdAt": (NOW - timedelta(days=1)).timestamp(),
            "encryptionConfiguration": {"encryptionType": "AES256"},
            "imageTagMutability": "MUTABLE",
            "imageScanningConfiguration": {"scanOnPush": False},
            **settings,
        }
        return RepositoryName(name)

    def push(
        self,
        seed: str = "image",
        *,
        tags: tuple[str, ...] = ("v1",),
        repository: str = "team/app",
        age: timedelta = timedelta(minutes=5),
        manifest: Mapping[str, Any] | None = None,
    ) -> ImageId:
        if repository not in self.repositories:
            self.create(repository)
        image = ImageId(RepositoryName(repository), digest(seed))
        content = manifest or {"schemaVersion": 2, "mediaType": IMAGE, "config": {"mediaType": CONFIG}, "layers": []}
        self.images[repository, image.digest] = PushedImage(content, list(tags), NOW - age)
        return image

    def push_index(self, *platforms: ImageId, tags: tuple[str, ...] = ("v1",), seed: str = "index") -> ImageId:
        names = ("amd64", "arm64", "s390x", "ppc64le")
        entries = [
            {"mediaType": IMAGE, "digest": image.digest, "platform": {"os": "linux", "architecture": name}}
            for image, name in zip(platforms, names, strict=False)
        ]
        manifest = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return self.push(seed, tags=tags, repository=platforms[0].repository, manifest=manifest)

    def scanned(self, image: ImageId, *findings: Mapping[str, Any], status: str = "COMPLETE", pages: int = 1) -> None:
        size = -(-len(findings) // pages) or 1
        parts = [findings[start : start + size] for start in range(0, max(1, len(findings)), size)]
        self.images[image.repository, image.digest].scan = [
            {"imageScanStatus": {"status": status}, "imageScanFindings": {"findings": list(part)}} for part in parts
        ]

    def _answer(self, operation: str, request: Mapping[str, Any]) -> Answer:
        if refusal := self.refusals.get(operation):
            return refusal
        answer: Callable[[Mapping[str, Any]], Answer] = getattr(self, f"_{operation}")
        return answer(request)

    def _GetRegistryScanningConfiguration(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802 - named as ECR names it
        return ok({"scanningConfiguration": self.scanning})

    def _DescribeRepositories(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        names = request.get("repositoryNames", list(self.repositories))
        if any(name not in self.repositories for name in names):
            return error("RepositoryNotFoundException")
        return ok({"repositories": [self.repositories[name] for name in names]})

    def _GetLifecyclePolicy(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        text = self.lifecycle_policies.get(request["repositoryName"])
        return error("LifecyclePolicyNotFoundException") if text is None else ok({"lifecyclePolicyText": text})

    def _GetRepositoryPolicy(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        text = self.access_policies.get(request["repositoryName"])
        return error("RepositoryPolicyNotFoundException") if text is None else ok({"policyText": text})

    def _SetRepositoryPolicy(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        self.access_policies[request["repositoryName"]] = request["policyText"]
        return ok(request)

    def _DeleteRepositoryPolicy(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        if self.access_policies.pop(request["repositoryName"], None) is None:
            return error("RepositoryPolicyNotFoundException")
        return ok(request)

    def _ListTagsForResource(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        name = request["resourceArn"].partition(":repository/")[2]
        if name not in self.repositories:
            return error("RepositoryNotFoundException")
        return ok({"tags": [{"Key": key, "Value": value} for key, value in self.tags.get(name, {}).items()]})

    def _PutLifecyclePolicy(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        self.lifecycle_policies[request["repositoryName"]] = request["lifecyclePolicyText"]
        return ok(request)

    def _PutImageTagMutability(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        settings = self.repositories[request["repositoryName"]]
        settings.pop("imageTagMutabilityExclusionFilters", None)
        settings.update({name: value for name, value in request.items() if name != "repositoryName"})
        return ok(request)

    def _PutImageScanningConfiguration(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        settings = self.repositories[request["repositoryName"]]
        settings["imageScanningConfiguration"] = request["imageScanningConfiguration"]
        return ok(request)

    def _DescribeImages(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        repository = request["repositoryName"]
        known = {digest: image for (name, digest), image in self.images.items() if name == repository}
        asked = [
            image.get("imageDigest") or self._tagged(repository, image["imageTag"])
            for image in request.get("imageIds", ())
        ]
        if any(digest not in known for digest in asked):
            return error("ImageNotFoundException")
        return ok(
            {
                "imageDetails": [
                    _detail(digest, image) for digest, image in known.items() if not asked or digest in asked
                ]
            }
        )

    def _tagged(self, repository: str, tag: str) -> str | None:
        found = (digest for (name, digest), image in self.images.items() if name == repository and tag in image.tags)
        return next(found, None)

    def _PutImage(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        repository, tag = request["repositoryName"], request["imageTag"]
        holder = self._tagged(repository, tag)
        if holder == request["imageDigest"]:
            return error("ImageAlreadyExistsException")
        if holder and self.repositories[repository]["imageTagMutability"].startswith("IMMUTABLE"):
            return error("ImageTagAlreadyExistsException")
        if holder:
            self.images[repository, holder].tags.remove(tag)
        self.images[repository, request["imageDigest"]].tags.append(tag)
        return ok({"image": {"repositoryName": repository}})

    def _BatchDeleteImage(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        repository = request["repositoryName"]
        for image in request["imageIds"]:
            holder = self._tagged(repository, image["imageTag"])
            if holder is None:
                return ok({"imageIds": [], "failures": [{"imageId": image, "failureCode": "ImageNotFound"}]})
            self.images[repository, holder].tags.remove(image["imageTag"])
            if not self.images[repository, holder].tags:
                del self.images[repository, holder]
        return ok({"imageIds": request["imageIds"], "failures": []})

    def _BatchGetImage(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        repository, digest = request["repositoryName"], request["imageIds"][0]["imageDigest"]
        image = self.images.get((repository, digest))
        if image is None:
            return ok({"images": [], "failures": [{"failureCode": "ImageNotFound"}]})
        if digest in self.unreadable:
            return ok({"images": [], "failures": [{"failureCode": "ImageInaccessible"}]})
        return ok({"images": [{"imageManifest": json.dumps(image.manifest)}], "failures": []})

    def _GetDownloadUrlForLayer(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        if request["layerDigest"] not in self.blobs:
            return error("LayersNotFoundException")
        return ok({"downloadUrl": request["layerDigest"], "layerDigest": request["layerDigest"]})

    def download(self, url: str, most: int) -> bytes | None:
        """What is at a download URL, which is the digest here."""
        return self.blobs[url] if len(self.blobs[url]) <= most else None

    def put_blob(self, content: bytes) -> str:
        """Keep a blob, such as an image's configuration; its digest."""
        name = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.blobs[name] = content
        return name

    def _StartImageScan(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        image = self.images.get((request["repositoryName"], request["imageId"]["imageDigest"]))
        if image is None:
            return error("ImageNotFoundException")
        image.scan = image.scan or [{"imageScanStatus": {"status": "IN_PROGRESS"}}]
        return ok({"imageScanStatus": {"status": "IN_PROGRESS"}})

    def _DescribeImageScanFindings(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        image = self.images.get((request["repositoryName"], request["imageId"]["imageDigest"]))
        if image is None:
            return error("ImageNotFoundException")
        if not image.scan:
            return error("ScanNotFoundException")
        page = int(request.get("nextToken", "0"))
        more = {"nextToken": str(page + 1)} if page + 1 < len(image.scan) else {}
        return ok({**image.scan[page], **more})


def _detail(digest: str, image: PushedImage) -> dict[str, Any]:
    tags = {"imageTags": image.tags} if image.tags else {}
    pushed_at = image.pushed_at.timestamp()
    media_type = image.manifest["mediaType"]
    return {"imageDigest": digest, "imagePushedAt": pushed_at, "imageManifestMediaType": media_type, **tags}


def a_finding(name: str = "CVE-2026-1000", severity: str = "HIGH", **attributes: str) -> dict[str, Any]:
    """One finding as basic scanning answers it."""
    told = {"package_name": "openssl", "package_version": "3.0.14", **attributes}
    pairs = [{"key": key, "value": value} for key, value in told.items()]
    return {"name": name, "severity": severity, "attributes": pairs}


class Stack:
    """The ledger and the queues of a deployed stack, at moto."""

    def __init__(self) -> None:
        session = _session()
        self.dynamodb: DynamoDBClient = session.client("dynamodb")
        self.sqs: SQSClient = session.client("sqs")
        _one_at_a_time(self.dynamodb)
        self.dynamodb.create_table(
            TableName="ledger",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        self.ledger = Ledger(self.dynamodb, "ledger")
        self.tallies = Tallies(self.dynamodb, "ledger")
        self.judged = JudgedImages(self.dynamodb, "ledger")
        self.held = HeldNews(self.dynamodb, "ledger")
        self.threads = Threads(self.dynamodb, "ledger")
        self._urls: dict[str, str] = {}
        self._numbers = count(1)

    def url(self, name: str) -> str:
        if name not in self._urls:
            self._urls[name] = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        return self._urls[name]

    def queue(self, name: str) -> Queue:
        return Queue(self.sqs, self.url(name))

    def bodies(self, name: str) -> list[str]:
        """Every message that waits in the queue, those that are held back not."""
        bodies: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=self.url(name), MaxNumberOfMessages=10).get("Messages"):
            bodies += [message["Body"] for message in messages]
        return bodies

    def held_back(self, name: str) -> int:
        names = ["ApproximateNumberOfMessagesDelayed"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url(name), AttributeNames=names)  # type: ignore[arg-type]
        return int(attributes["Attributes"][names[0]])  # type: ignore[index]

    def notices(self) -> list[Notice]:
        return [from_json(body)[1] for body in self.bodies("notices")]

    def message(self, body: str, *, id: str | None = None, receives: int = 1, now: datetime = NOW) -> Message:
        """One delivery of a message; another call with the same body is another copy, unless it has the same id."""
        return Message(id or f"message-{next(self._numbers)}", body, "receipt", receives, now)


def unprocessed(stack: Stack, times: int) -> list[int]:
    """Let DynamoDB take all but one item of so many calls; the numbers of items that it was asked to write."""
    asked: list[int] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if not request.headers["X-Amz-Target"].endswith(b"BatchWriteItem"):
            return None
        items = json.loads(request.body)["RequestItems"]["ledger"]
        asked.append(len(items))
        return None if len(asked) > times else answered(request, ok({"UnprocessedItems": {"ledger": items[:1]}}))

    stack.dynamodb.meta.events.register_first("before-send.dynamodb", answer)  # type: ignore[arg-type] # its answer is used
    return asked


@cache
def _session() -> boto3.session.Session:
    """One for all: each session reads the services' models anew, which takes longer than most tests."""
    return boto3.session.Session("x", "x", region_name="eu-central-1")


def _one_at_a_time(client: "DynamoDBClient") -> None:
    """A conditional write is atomic at DynamoDB; moto checks and then writes, so its calls must not overlap."""
    lock = Lock()

    def begin(**_: Any) -> None:
        lock.acquire()

    def end(**_: Any) -> None:
        lock.release()

    client.meta.events.register_last("before-call.dynamodb", begin)
    client.meta.events.register_last("after-call.dynamodb", end)
    client.meta.events.register_last("after-call-error.dynamodb", end)


@contextmanager
def a_stack() -> Iterator[Stack]:
    with mock_aws(config={"core": {"passthrough": {"services": ["ecr"]}}}):  # ECR is the account's to answer
        yield Stack()
