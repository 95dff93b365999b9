"""The promote function over the local cloud's own registries, at the wire: at home, or elsewhere."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from promote import Promoting
from tests.account import Stack, a_stack
from tests.builders import HOME, NOW, a_policy
from tests.conformance.cloud import Built
from tests.local_account import LocalAccount
from tests.unit.local.a_registry import ROLE, Small
from warden.image_contents import ImageContents
from warden.image_copy import Place
from warden.known import Known, Verdict
from warden.layer_copy import LayerCopy
from warden.layer_parts import Range
from warden.layers import LayerStore
from warden.ledger import Entry
from warden.names import Digest, ImageId, RepositoryName
from warden.notices import Notice
from warden.policy import Policy
from warden.promotion import KIND, Target
from warden.promotion_events import PromotionDue, promotion_due
from warden.promotion_record import PromotionRecord
from warden.quarantines import Quarantines
from warden.registry import Registry
from warden.release_repositories import ReleaseRepositories
from warden.runtime import Outcome
from warden.upload_progress import UploadProgress

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

TEAM, RELEASE = RepositoryName("team/app"), RepositoryName("release/app")
WHOLE_RUN = 900_000
CONFIG = "application/vnd.oci.image.config.v1+json"
SIGNATURE_CONFIG = "application/vnd.oci.image.config.v1+json"
SIGNATURE_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"


def promoting_policy(*rules: Any, **fields: Any) -> Policy:
    """A policy that promotes v* to release/{name}."""
    return a_policy(*rules, **{"promote__to": "release/{name}", "promote__tags": ["v*"], **fields})


def a_signature(seed: str, subject: str | None = None, *, media_type: str = SIGNATURE_LAYER) -> Built:
    """A signature as cosign makes it: an image's configuration, and a layer that is no file system."""
    config, layer = b"{}", f"signature {seed}".encode()
    content: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": SIGNATURE_CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": media_type, "digest": digest_of(layer), "size": len(layer)}],
    }
    if subject:
        content["subject"] = {"mediaType": content["mediaType"], "digest": subject, "size": 1}
    return Built(json.dumps(content), content["mediaType"], (config, layer))


def put(local: LocalAccount, built: Built, tag: str | None = None, *, repository: str = TEAM) -> Digest:
    """Push anything that was built."""
    store = local.small.ecr.registry.repository(repository)
    store.layers.update({digest_of(blob): blob for blob in built.blobs})
    tagged: dict[str, Any] = {"imageTag": tag} if tag else {}
    local.small.call(
        "PutImage",
        repositoryName=repository,
        imageManifest=built.text,
        imageManifestMediaType=built.media_type,
        **tagged,
    )
    return Digest(built.digest)


def digest_of(blob: bytes) -> str:
    return f"sha256:{sha256(blob).hexdigest()}"


def fill(local: LocalAccount, *tags: str) -> ImageId:
    """An index of two platforms, signed in three ways: as a referrer, by cosign's tag, and on one of its platforms."""
    local.create()
    local.push("amd64")
    local.push("arm64")
    index = local.push("index", *(tags or ("v1.0",)), lists=("amd64", "arm64"))
    signature = put(local, a_signature("referrer", index))
    put(local, a_signature("about the signature", signature))
    put(local, a_signature("of cosign"), f"{index.replace(':', '-')}.sig")
    put(local, a_signature("of a platform", local.digest("arm64")))
    return ImageId(TEAM, index)


def fill_a_little(local: LocalAccount, *tags: str) -> ImageId:
    """An index of one platform, whose signature cosign's tag names, and a note about that."""
    local.create()
    local.push("amd64")
    index = local.push("index", *(tags or ("v1.0",)), lists=("amd64",))
    signature = put(local, a_signature("of cosign"), f"{index.replace(':', '-')}.sig")
    put(local, a_signature("note", signature))
    return ImageId(TEAM, index)


def judge(stack: Stack, image: ImageId, verdict: Verdict = Verdict.PASS) -> None:
    """Remember a verdict on the image."""
    stack.judged.remember(image, Known("app", verdict, {}, revision=1), (), now=NOW)


@cache
def _registry() -> tuple[LocalAccount, "ECRClient"]:
    local = LocalAccount()
    return local, local.wire.client()


def an_empty_registry() -> LocalAccount:
    """The registry at home, as it was made; always the same, since its client takes longer to make than all else."""
    local, _ = _registry()
    local.small = Small(now=NOW)
    local.small.call("RegisterPullTimeUpdateExclusion", principalArn=ROLE.name)
    local.wire.requests.clear()
    local.before_call = lambda _: None
    local._built.clear()
    return local


def client_of(local: LocalAccount) -> "ECRClient":
    """A client of the registry."""
    home, client = _registry()
    return client if local is home else local.wire.client()


class Downloads:
    """What is at the addresses of the registries; `before` sees what is asked for, `spoil` what is given."""

    def __init__(self, *locals_: LocalAccount) -> None:
        self._locals = locals_
        self.spoil: Callable[[bytes], bytes] = lambda part: part
        self.before: Callable[[Range], None] = lambda _: None
        self.asked: list[Range] = []

    def part(self, address: str, wanted: Range) -> bytearray:
        self.asked.append(wanted)
        self.before(wanted)
        key = address.rpartition("/")[2]
        (data,) = (
            one.small.ecr.registry.downloads[key].data
            for one in self._locals
            if key in one.small.ecr.registry.downloads
        )
        return bytearray(self.spoil(data[wanted.first : wanted.last + 1]))


class Places:
    """The local registries as places; clients are made once, since that takes long."""

    def __init__(
        self,
        stack: Stack,
        home: LocalAccount,
        downloads: Downloads,
        others: Mapping[tuple[str, str], LocalAccount] | None = None,
    ) -> None:
        registries = {(HOME.account, HOME.region): home, **(others or {})}
        self._clients = {place: client_of(local) for place, local in registries.items()}
        self._source = LayerStore(self._clients[HOME.account, HOME.region])
        self._downloads = downloads
        self._stack = stack
        self.asked: list[Target] = []

    def at(self, target: Target, *, now: datetime) -> Place:
        self.asked.append(target)
        client = self._clients[target.account, target.region]
        layers = LayerStore(client)
        return Place(
            registry=Registry(client, client),
            contents=ImageContents(client),
            releases=ReleaseRepositories(client),
            layers=layers,
            copy=self._copy_to(target, layers, now),
        )

    def _copy_to(self, target: Target, layers: LayerStore, now: datetime) -> LayerCopy:
        progress = UploadProgress(self._stack.dynamodb, "ledger", registry=f"{target.account}/{target.region}", now=now)
        return LayerCopy(self._source, layers, progress, download=self._downloads.part)


class World:
    """A registry at home, a stack, and the function between them."""

    def __init__(
        self,
        stack: Stack,
        policy: Policy | None = None,
        *,
        others: Mapping[tuple[str, str], LocalAccount] | None = None,
    ) -> None:
        self.stack = stack
        self._ends: list[Callable[[], None]] = []
        self.local = an_empty_registry()
        self.downloads = Downloads(self.local)
        self.places = Places(stack, self.local, self.downloads, others)
        client = client_of(self.local)
        self.function = Promoting(
            home=HOME,
            policy=policy or promoting_policy(),
            registry=Registry(client, client),
            contents=ImageContents(client),
            places=self.places,
            judged=stack.judged,
            quarantines=Quarantines(stack.dynamodb, "ledger"),
            ledger=stack.ledger,
            record=PromotionRecord(HOME, stack.ledger, stack.queue("notices")),
            own=stack.queue("own"),
            prunes=stack.queue("prunes"),
        )

    def passed(self, *tags: str, much: bool = False) -> ImageId:
        """A signed index whose verdict is pass; of two platforms and with more about it, where `much` says so."""
        image = (fill if much else fill_a_little)(self.local, *tags)
        judge(self.stack, image)
        return image

    def run(
        self,
        image: ImageId,
        *,
        event: str = "promotion 1",
        message: str | None = None,
        now: datetime = NOW,
        left: Callable[[], int] = lambda: WHOLE_RUN,
        receives: int = 1,
        **due: Any,
    ) -> Outcome:
        """One message to the function."""
        body = promotion_due(PromotionDue(event, NOW, image, **due), HOME)
        return self.take(body, message=message, now=now, left=left, receives=receives)

    def take(
        self,
        body: str,
        *,
        message: str | None = None,
        now: datetime = NOW,
        left: Callable[[], int] = lambda: WHOLE_RUN,
        receives: int = 1,
    ) -> Outcome:
        """A message as it stands in the queue."""
        return self.function.handle(
            replace(self.stack.message(body, id=message, now=now, receives=receives), left=left)
        )

    def at_end(self, undo: Callable[[], None]) -> None:
        """Do it when the test is over: the next one has the same registry."""
        self._ends.append(undo)

    def end(self) -> None:
        """Undo what the test has done to the registry's answers."""
        while self._ends:
            self._ends.pop()()

    def lines(self, image: ImageId) -> list[Entry]:
        """The image's history."""
        return list(self.stack.ledger.history(str(image)))

    def results(self, image: ImageId) -> list[str]:
        """The results that the image's history tells, oldest first."""
        return [entry.details["result"] for entry in self.lines(image) if entry.kind == KIND]

    def notices(self) -> list[Notice]:
        """What was told since this was asked last."""
        return self.stack.notices()


def contents(local: LocalAccount, repository: str = RELEASE) -> dict[str, tuple[str, ...]]:
    """Digests and tags of what is there."""
    if repository not in local.small.ecr.registry.repositories:
        return {}
    return {name: tuple(sorted(tags)) for name, tags in local.images(repository).items()}


@contextmanager
def a_world(policy: Policy | None = None, **more: Any) -> Iterator[World]:
    with a_stack() as stack:
        world = World(stack, policy, **more)
        try:
            yield world
        finally:
            world.end()
