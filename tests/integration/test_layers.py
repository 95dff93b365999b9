"""Layers go from one repository to another by ECR's API and real downloads, over the local cloud's own registry."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.exceptions import ClientError

from local.registry import layer_downloads
from local.registry.docker_v2 import DockerRegistry
from local.registry.http import HttpRequest, Reply
from tests.account import Stack, a_stack
from tests.builders import NOW
from tests.local_account import LocalAccount
from tests.wire import Answer, Wire, error, ok
from warden.blobs import Begun, Layer, Upload, UploadLost
from warden.errors import Refused, Unavailable
from warden.layer_copy import Copied, LayerCopy, OutOfTime
from warden.layer_downloads import LayerDownloads
from warden.layers import LayerStore
from warden.mounting import Mount
from warden.names import Digest, RepositoryName
from warden.upload_progress import KEPT, UploadProgress

APP, RELEASE = RepositoryName("team/app"), RepositoryName("release/app")
PART = 10 * 2**20
LARGE = random.Random(7).randbytes(2 * PART + 12_345)  # noqa: S311 - bytes that can't be made smaller, the same each time
SMALL = b"a small layer"


def layer(content: bytes) -> Layer:
    return Layer(Digest(f"sha256:{sha256(content).hexdigest()}"), len(content))


@dataclass
class World:
    """One registry with two repositories, reached by its API, its download addresses and its registry API."""

    local: LocalAccount
    stack: Stack

    def __post_init__(self) -> None:
        self.client = self.local.wire.client()
        self.store = LayerStore(self.client)
        self.local.create(APP)
        self.local.create(RELEASE)

    def layers(self, repository: str) -> dict[str, bytes]:
        return self.local.small.ecr.registry.repository(repository).layers

    def push(self, *contents: bytes) -> list[Layer]:
        self.layers(APP).update({layer(content).digest: content for content in contents})
        return [layer(content) for content in contents]

    def progress(self, **later: int) -> UploadProgress:
        return UploadProgress(self.stack.dynamodb, "ledger", registry="one", now=NOW + timedelta(**later))

    def bring(
        self, layers: Sequence[Layer], *, mounting: bool = False, left: Callable[[], int] | None = None
    ) -> Copied:
        copy = LayerCopy(
            self.store,
            self.store,
            self.progress(),
            download=LayerDownloads().part,
            mount=Mount(self.client) if mounting else None,
        )
        return copy.bring(layers, source=APP, target=RELEASE, left=left or (lambda: 900_000))

    def spoil(self, layer: Layer, how: str, count: int = 1) -> None:
        layer_downloads.spoil(self.local.small.ecr.registry, {"digest": layer.digest, "how": how, "count": count})

    def calls(self, operation: str) -> int:
        return sum(call.operation == operation for call in self.local.small.ecr.calls)


@contextmanager
def a_front(local: LocalAccount) -> Iterator[str]:
    """What answers for the registry besides its API; downloads and the registry API, on this machine."""
    registry, docker = local.small.ecr.registry, DockerRegistry(local.small.ecr)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = HttpRequest(self.command, parts.path, dict(parse_qsl(parts.query)), headers, b"")
            self._send(
                docker.handle(request)
                if parts.path.startswith("/v2/")
                else layer_downloads.reply(registry, parts.path.rpartition("/")[2], headers.get("range", ""))
            )

        do_POST = do_DELETE = do_GET  # noqa: N815 - as the library calls them

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with a_stack() as stack:
        yield stack


@pytest.fixture
def world(stack: Stack) -> Iterator[World]:
    local = LocalAccount()
    with a_front(local) as url:
        local.small.ecr.registry.url = url
        yield World(local, stack)


# -- whole copies ------------------------------------------------------------------------------------------------------


def test_layers_arrive_byte_for_byte_and_a_second_time_nothing_is_sent(world: World) -> None:
    layers = world.push(LARGE, SMALL)

    assert world.bring(layers) == Copied(layers=2, bytes=len(LARGE) + len(SMALL))
    assert world.layers(RELEASE) == world.layers(APP)
    sent = world.calls("UploadLayerPart")

    assert world.bring(layers) == Copied()
    assert (sent, world.calls("UploadLayerPart")) == (4, 4)


def test_what_an_invocation_left_is_gone_on_with_by_the_next(world: World) -> None:
    layers = world.push(LARGE)
    times = iter([900_000, 900_000, 10_000])

    with pytest.raises(OutOfTime) as stopped:
        world.bring(layers, left=lambda: next(times))
    again = world.bring(layers)

    assert (stopped.value.copied, again) == (Copied(bytes=PART), Copied(layers=1, bytes=len(LARGE) - PART))
    assert world.layers(RELEASE) == world.layers(APP)
    assert world.calls("InitiateLayerUpload") == 1
    assert world.progress().of(RELEASE, layers[0]) is None


def test_an_answer_that_got_lost_does_no_harm(world: World) -> None:
    (large,) = world.push(LARGE)
    begun = world.store.begin(RELEASE, large)
    part = bytearray(LARGE[:PART])

    once = world.store.add(RELEASE, begun.upload, part)
    as_the_sdk_repeats_it = world.store.add(RELEASE, begun.upload, part)

    assert begun == Begun(Upload(begun.upload.id, 0), PART)
    assert once == Upload(begun.upload.id, PART)
    assert as_the_sdk_repeats_it == once


@pytest.mark.parametrize("mounting", [False, True])
def test_where_the_account_does_not_mount_layers_are_copied(world: World, mounting: bool) -> None:
    assert world.bring(world.push(SMALL), mounting=mounting) == Copied(layers=1, bytes=len(SMALL))


def test_where_the_account_mounts_layers_no_byte_is_sent(world: World) -> None:
    world.local.small.call("PutAccountSetting", name="BLOB_MOUNTING", value="ENABLED")

    assert world.bring(world.push(b"one", SMALL), mounting=True) == Copied(mounted=2)
    assert world.layers(RELEASE) == world.layers(APP)
    assert (world.calls("MountLayer"), world.calls("UploadLayerPart")) == (2, 0)


# -- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("truncated", "is 6 bytes long, and its manifest says 13"),
        ("corrupted", "is not what its digest says"),
        ("substituted", "is not what its digest says"),
    ],
)
def test_a_blob_that_is_not_what_it_should_be_is_refused_and_not_kept(world: World, how: str, reason: str) -> None:
    (small,) = world.push(SMALL)
    world.spoil(small, how)

    with pytest.raises(Refused, match=reason):
        world.bring([small])

    assert world.layers(RELEASE) == {}
    assert world.calls("CompleteLayerUpload") == 0


def test_an_address_that_expires_is_asked_for_again_and_one_that_always_has_is_refused(world: World) -> None:
    one, other = world.push(SMALL, b"another")
    world.spoil(one, "expired", 2)
    world.spoil(other, "expired", 3)

    assert world.bring([one]) == Copied(layers=1, bytes=len(SMALL))
    with pytest.raises(Refused, match=r"could not be downloaded: the address answered 403; tried 3 times"):
        world.bring([other])


def test_an_address_expires_after_an_hour(world: World) -> None:
    (small,) = world.push(SMALL)
    address = world.store.address(APP, small)
    world.local.small.pass_time(minutes=61)

    registry = world.local.small.ecr.registry
    assert layer_downloads.reply(registry, address.rpartition("/")[2]).status == 403


def test_a_layer_that_the_source_does_not_have_is_refused(world: World) -> None:
    with pytest.raises(
        Refused, match=r"team/app does not have the blob sha256:\w+ that its image is made of\. ECR says"
    ):
        world.bring([layer(SMALL)])


# -- what ECR says to each call ----------------------------------------------------------------------------------------


def answering(answer: Answer) -> LayerStore:
    return LayerStore(Wire(lambda *_: answer).client())


STORED = layer(SMALL)


@pytest.mark.parametrize(
    "code", ["LayersNotFoundException", "LayerInaccessibleException", "RepositoryNotFoundException"]
)
def test_what_can_not_be_downloaded_any_more_is_refused(code: str) -> None:
    with pytest.raises(Refused, match=r"ECR says: made up for a test\. Push the image anew, or restore it"):
        answering(error(code)).address(APP, STORED)


@pytest.mark.parametrize(
    "code",
    ["InvalidLayerException", "LayerPartTooSmallException", "EmptyUploadException", "RepositoryNotFoundException"],
)
def test_an_upload_that_can_not_be_ended_is_refused(code: str) -> None:
    with pytest.raises(Refused, match=r"release/app.*ECR says: made up for a test"):
        answering(error(code)).finish(RELEASE, Upload("1", 3), STORED)


@pytest.mark.parametrize("code", ["LimitExceededException", "RepositoryNotFoundException", "KmsException"])
def test_a_part_that_ecr_will_never_take_is_refused(code: str) -> None:
    with pytest.raises(Refused, match=r"release/app.*ECR says: made up for a test"):
        answering(error(code)).add(RELEASE, Upload("0" * 8 + "-0000-4000-8000-" + "0" * 12, 0), bytearray(b"x"))


@pytest.mark.parametrize("code", ["RepositoryNotFoundException", "KmsException"])
def test_an_upload_that_can_not_be_begun_is_refused(code: str) -> None:
    with pytest.raises(Refused, match=r"release/app.*ECR says: made up for a test"):
        answering(error(code)).begin(RELEASE, STORED)


def test_a_right_that_is_missing_is_said_by_ecr_itself() -> None:
    denied = answering(error("AccessDeniedException"))
    upload = Upload("0" * 8 + "-0000-4000-8000-" + "0" * 12, 0)
    calls: list[Callable[[], object]] = [
        lambda: denied.missing(RELEASE, [STORED]),
        lambda: denied.address(APP, STORED),
        lambda: denied.begin(RELEASE, STORED),
        lambda: denied.add(RELEASE, upload, bytearray(b"x")),
        lambda: denied.finish(RELEASE, upload, STORED),
    ]
    for call in calls:
        with pytest.raises(ClientError, match="AccessDeniedException"):
            call()


def test_a_layer_that_is_there_already_is_as_good_as_sent() -> None:
    answering(error("LayerAlreadyExistsException")).finish(RELEASE, Upload("1", 3), STORED)


@pytest.mark.parametrize(("state", "lost"), [("AVAILABLE", False), ("UNAVAILABLE", True)])
def test_an_upload_that_is_unknown_at_its_end_was_ended_if_the_layer_is_there(state: str, lost: bool) -> None:
    def answers(operation: str, _: Any) -> Answer:
        if operation == "CompleteLayerUpload":
            return error("UploadNotFoundException")
        return ok({"layers": [{"layerDigest": STORED.digest, "layerAvailability": state}], "failures": []})

    store = LayerStore(Wire(answers).client())
    if lost:
        with pytest.raises(UploadLost, match="knows the upload of"):
            store.finish(RELEASE, Upload("1", 3), STORED)
    else:
        store.finish(RELEASE, Upload("1", 3), STORED)


UPLOAD = Upload("00000000-0000-4000-8000-000000000000", 100)


@pytest.mark.parametrize(("last", "goes_on"), [(49, 50), (0, 1), (109, 110)])
def test_an_upload_goes_on_at_the_byte_that_ecr_names(last: int, goes_on: int) -> None:
    said = 400, f'{{"__type": "InvalidLayerPartException", "message": "no", "lastValidByteReceived": {last}}}'

    assert answering(said).add(RELEASE, UPLOAD, bytearray(10)) == Upload(UPLOAD.id, goes_on)


@pytest.mark.parametrize("code", ["InvalidLayerPartException", "UploadNotFoundException"])
def test_an_upload_whose_next_byte_is_unknown_is_lost(code: str) -> None:
    with pytest.raises(UploadLost):
        answering(error(code)).add(RELEASE, UPLOAD, bytearray(10))


def test_many_layers_are_asked_for_a_hundred_at_a_time(world: World) -> None:
    layers = world.push(*(str(number).encode() for number in range(201)))
    there = {str(one.digest): world.layers(APP)[one.digest] for one in layers[::2]}
    world.layers(RELEASE).update(there)

    assert world.store.missing(RELEASE, layers + layers[:1]) == tuple(layers[1::2])
    assert world.calls("BatchCheckLayerAvailability") == 3


def test_no_layers_are_no_call(world: World) -> None:
    assert world.store.missing(RELEASE, []) == ()
    assert world.calls("BatchCheckLayerAvailability") == 0


def test_what_is_archived_at_the_target_is_not_there() -> None:
    archived = ok({"layers": [{"layerDigest": STORED.digest, "layerAvailability": "ARCHIVED"}], "failures": []})

    assert answering(archived).missing(RELEASE, [STORED]) == (STORED,)


def test_a_digest_that_ecr_does_not_know_is_refused() -> None:
    failure = {"layerDigest": "md5:\u202e0", "failureCode": "InvalidLayerDigest", "failureReason": "no such\nalgorithm"}

    with pytest.raises(Refused, match="release/app has the blob md5:\ufffd0: no such algorithm"):
        answering(ok({"layers": [], "failures": [failure]})).missing(RELEASE, [STORED])


@pytest.mark.parametrize("body", [{}, {"failures": []}, {"layers": [], "failures": []}])
def test_an_answer_that_was_cut_short_says_nothing_of_a_layer(body: dict[str, Any]) -> None:
    with pytest.raises(Unavailable, match="BatchCheckLayerAvailability lacks"):
        answering(ok(body)).missing(RELEASE, [STORED])


def test_other_answers_that_were_cut_short_are_none() -> None:
    cut = answering(ok({}))
    calls: dict[str, Callable[[], object]] = {
        "GetDownloadUrlForLayer": lambda: cut.address(APP, STORED),
        "InitiateLayerUpload": lambda: cut.begin(RELEASE, STORED),
        "UploadLayerPart": lambda: cut.add(RELEASE, UPLOAD, bytearray(1)),
    }
    for operation, call in calls.items():
        with pytest.raises(Unavailable, match=f"{operation} lacks"):
            call()


# -- what one invocation tells the next --------------------------------------------------------------------------------


def test_how_far_an_upload_is_is_remembered_for_some_hours(world: World) -> None:
    small, large = world.push(SMALL, LARGE)
    begun = Begun(Upload("an id", 50), PART)
    world.progress().keep(RELEASE, small, begun)

    hours = KEPT // timedelta(hours=1)
    assert world.progress(hours=hours - 1).of(RELEASE, small) == begun
    assert world.progress(hours=hours).of(RELEASE, small) is None
    assert world.progress().of(APP, small) is None
    assert world.progress().of(RELEASE, large) is None
    elsewhere = UploadProgress(world.stack.dynamodb, "ledger", registry="another", now=NOW)
    assert elsewhere.of(RELEASE, small) is None

    world.progress().forget(RELEASE, small)
    assert world.progress().of(RELEASE, small) is None
