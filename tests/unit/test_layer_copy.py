"""Layers are copied whole or not at all, whatever interrupts it; what is at both ends is in memory here."""

import os
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warden import blobs
from warden.blobs import Begun, Layer, Upload, UploadLost
from warden.errors import Refused, Unavailable
from warden.layer_copy import Copied, LayerCopy, OutOfTime
from warden.layer_parts import AddressExpired, Interrupted, Range, WrongLength
from warden.names import Digest, RepositoryName

APP, RELEASE = RepositoryName("team/app"), RepositoryName("release/app")
PART = 8
EXAMPLES = int(os.environ.get("LAYER_EXAMPLES", "60"))


class Killed(BaseException):
    """The sandbox is gone."""


class Memory:
    """Counts the parts that are there at a time."""

    def __init__(self) -> None:
        self.parts, self.most, self._lock = 0, 0, threading.RLock()

    def add(self, number: int) -> None:
        with self._lock:
            self.parts += number
            self.most = max(self.most, self.parts)


class Part(bytearray):
    """A part that says when it is gone."""

    memory: Memory

    def __del__(self) -> None:
        self.memory.add(-1)


@dataclass
class Source:
    """A repository with layers; `troubles` are how its downloads go wrong, one after the other, None for not at all."""

    contents: dict[Digest, bytes]
    troubles: list[type[Exception] | None] = field(default_factory=list)
    addresses: int = 0
    downloads: list[Range] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)

    def address(self, repository: RepositoryName, layer: Layer) -> str:
        assert repository == APP
        self.addresses += 1
        return f"https://example.com/{self.addresses}/{layer.digest}"

    def download(self, address: str, wanted: Range) -> bytearray:
        if self.troubles and (make := self.troubles.pop(0)):
            raise make("made up for a test")
        self.downloads.append(wanted)
        content = self.contents[Digest(address.rpartition("/")[2])]
        if len(content) != wanted.size:
            raise WrongLength(str(len(content)))
        part = Part(content[wanted.first : wanted.last + 1])
        part.memory = self.memory
        self.memory.add(1)
        return part


@dataclass
class Target:
    """A repository as ECR keeps it: uploads, and layers that were held against their digests."""

    part_size: int = PART
    layers: dict[Digest, bytes] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    taken: int = 0
    """Bytes that were sent and taken."""
    begun: int = 0
    deadly: int = 0
    """The number of the call after which the sandbox is gone."""
    _calls: "count[int]" = field(default_factory=lambda: count(1))
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _adding: threading.Lock = field(default_factory=threading.Lock)

    def missing(self, repository: RepositoryName, layers: Sequence[Layer]) -> tuple[Layer, ...]:
        assert repository == RELEASE
        return tuple(layer for layer in layers if layer.digest not in self.layers)

    def begin(self, repository: RepositoryName, layer: Layer) -> Begun:
        assert (repository, layer.digest in self.layers) == (RELEASE, False)
        self.begun += 1
        id_ = str(next(self._numbers))
        self.uploads[id_] = bytearray()
        self._done()
        return Begun(Upload(id_, 0), self.part_size)

    def add(self, _: RepositoryName, upload: Upload, part: bytearray) -> Upload:
        assert self._adding.acquire(blocking=False), "parts are sent one after the other"
        try:
            data = self._upload(upload)
            if len(data) == upload.next_byte:
                data += part
                self.taken += len(part)
            self._done()
            return Upload(upload.id, len(data))
        finally:
            self._adding.release()

    def finish(self, _: RepositoryName, upload: Upload, layer: Layer) -> None:
        data = bytes(self._upload(upload))
        if layer_of(data) != layer:
            raise Refused("what was sent is not the blob")
        assert layer.digest not in self.layers, "a layer that is there is not sent again"
        self.layers[layer.digest] = data
        del self.uploads[upload.id]
        self._done()

    def _upload(self, upload: Upload) -> bytearray:
        try:
            return self.uploads[upload.id]
        except KeyError:
            raise UploadLost("ECR knows the upload no more") from None

    def _done(self) -> None:
        if next(self._calls) == self.deadly:
            raise Killed


@dataclass
class Progress:
    """What invocations tell one another."""

    kept: dict[Digest, Begun] = field(default_factory=dict)

    def of(self, _: RepositoryName, layer: Layer) -> Begun | None:
        return self.kept.get(layer.digest)

    def keep(self, _: RepositoryName, layer: Layer, begun: Begun) -> None:
        self.kept[layer.digest] = begun

    def forget(self, _: RepositoryName, layer: Layer) -> None:
        self.kept.pop(layer.digest, None)


@dataclass
class Mounts:
    """ECR mounts so many layers, and then no more."""

    most: int
    target: Target
    contents: dict[Digest, bytes]
    asked: list[Digest] = field(default_factory=list)

    def mount(self, layer: Layer, *, source: RepositoryName, target: RepositoryName) -> bool:
        assert (source, target) == (APP, RELEASE)
        self.asked.append(layer.digest)
        if len(self.asked) > self.most:
            return False
        self.target.layers[layer.digest] = self.contents[layer.digest]
        return True


def layer_of(content: bytes) -> Layer:
    return Layer(Digest(f"sha256:{sha256(content).hexdigest()}"), len(content))


def bytes_of(size: int, seed: int = 0) -> bytes:
    return bytes((seed * 31 + number * 7 + number // 256) % 256 for number in range(size))


def plenty() -> int:
    return 900_000


def until(calls: int) -> Callable[[], int]:
    """So many times there is time left, and then there is none."""
    numbers = count()
    return lambda: 60_000 if next(numbers) < calls else 59_999


@dataclass
class World:
    """Two repositories, and what brings layers from one to the other."""

    contents: list[bytes]
    part_size: int = PART
    troubles: list[type[Exception] | None] = field(default_factory=list)
    mounts: int | None = None

    def __post_init__(self) -> None:
        self.layers = [layer_of(content) for content in self.contents]
        by_digest = {layer.digest: content for layer, content in zip(self.layers, self.contents, strict=True)}
        self.source = Source(dict(by_digest), self.troubles)
        self.target = Target(self.part_size)
        self.progress = Progress()
        self.mount = None if self.mounts is None else Mounts(self.mounts, self.target, by_digest)

    def bring(self, left: Callable[[], int] = plenty, layers: Sequence[Layer] | None = None) -> Copied:
        copy = LayerCopy(self.source, self.target, self.progress, download=self.source.download, mount=self.mount)
        return copy.bring(self.layers if layers is None else layers, source=APP, target=RELEASE, left=left)

    def is_done(self) -> bool:
        return self.target.layers == {layer_of(content).digest: content for content in self.contents}


def distinct(sizes: Sequence[int]) -> list[bytes]:
    return [bytes_of(size, seed) for seed, size in enumerate(sizes)]


# -- what is copied ----------------------------------------------------------------------------------------------------


def test_what_is_missing_is_sent_and_nothing_else() -> None:
    world = World(distinct([20, 8, 3]))
    world.target.layers[world.layers[1].digest] = world.contents[1]

    assert world.bring() == Copied(layers=2, bytes=23)
    assert world.is_done()
    assert world.bring() == Copied()
    assert world.target.taken == 23


def test_a_blob_that_several_manifests_name_is_sent_once() -> None:
    world = World([b"shared"])

    assert world.bring(layers=world.layers * 3) == Copied(layers=1, bytes=6)


def test_no_layers_are_no_work() -> None:
    assert World([]).bring() == Copied()


def test_two_layers_are_on_their_way_at_a_time_and_no_more() -> None:
    world, threads = World(distinct([5, 6, 7, 8])), set[int]()
    together, download = threading.Barrier(2, timeout=30), world.source.download

    def wait_for_the_other(address: str, wanted: Range) -> bytearray:
        threads.add(threading.get_ident())
        together.wait()  # goes on when another download has begun, and breaks where none does
        return download(address, wanted)

    world.source.download = wait_for_the_other  # type: ignore[method-assign]
    world.bring()

    assert world.is_done()
    assert len(threads) == 2


INTERRUPTIONS = st.lists(st.integers(0, 12), max_size=8)
SIZES = st.lists(st.integers(1, 40), max_size=6)


@settings(max_examples=EXAMPLES, deadline=None)
@given(SIZES, st.integers(1, 12), INTERRUPTIONS, st.lists(st.booleans(), max_size=6))
def test_whenever_the_time_runs_out_the_rest_follows_and_no_byte_is_sent_twice(
    sizes: list[int], part_size: int, interruptions: list[int], broken: list[bool]
) -> None:
    contents = list(dict.fromkeys(distinct(sizes)))
    troubles = [Interrupted if one and number % 3 == 0 else None for number, one in enumerate(broken)]
    world = World(contents, part_size, list(troubles))
    copied: list[Copied] = []

    for calls in interruptions:
        try:
            copied.append(world.bring(until(calls)))
        except OutOfTime as left:
            copied.append(left.copied)
    copied.append(world.bring())

    assert world.is_done()
    assert world.progress.kept == {}
    assert world.target.taken == sum(map(len, contents)) == sum(one.bytes for one in copied)
    assert world.target.begun == len(contents) == sum(one.layers for one in copied)
    assert world.source.memory.most <= 2
    assert world.source.memory.parts == 0


@settings(max_examples=EXAMPLES, deadline=None)
@given(SIZES, st.integers(1, 12), st.lists(st.integers(1, 20), max_size=4))
def test_whenever_the_sandbox_dies_the_rest_follows_and_no_finished_layer_is_sent_again(
    sizes: list[int], part_size: int, deaths: list[int]
) -> None:
    world = World(list(dict.fromkeys(distinct(sizes))), part_size)

    for number in deaths:
        world.target._calls, world.target.deadly = count(1), number
        try:
            world.bring()
        except Killed:
            continue
    world.target.deadly = 0
    world.bring()

    assert world.is_done()
    assert world.source.memory.most <= 2


@pytest.mark.parametrize("parts", range(6))
def test_the_next_invocation_goes_on_at_the_byte_that_is_missing(parts: int) -> None:
    world = World([bytes_of(5 * PART - 1)])

    with pytest.raises(OutOfTime, match=r"what was sent is kept, and the rest follows") as stopped:
        world.bring(until(parts))
    again = world.bring()

    sent = max(0, parts - 1) * PART  # the first look is before anything is begun
    assert stopped.value.copied == Copied(bytes=sent)
    assert again == Copied(layers=1, bytes=5 * PART - 1 - sent)
    assert world.is_done()


# -- what goes wrong on the way ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [AddressExpired, Interrupted])
def test_after_a_download_that_failed_another_address_is_asked_for_and_the_same_part_fetched(
    trouble: type[Exception],
) -> None:
    world = World([bytes_of(3 * PART)], troubles=[None, trouble, trouble])

    assert world.bring() == Copied(layers=1, bytes=3 * PART)
    assert world.source.addresses == 3
    assert [part.first for part in world.source.downloads] == [0, PART, 2 * PART]


def test_addresses_that_are_never_any_good_are_refused_and_the_layer_begins_anew_later() -> None:
    world = World([bytes_of(3 * PART)], troubles=[None, *[AddressExpired] * 3])

    with pytest.raises(Refused, match=r"of team/app could not be downloaded: made up for a test; tried 3 times"):
        world.bring()
    assert world.target.layers == {}
    assert world.bring() == Copied(layers=1, bytes=3 * PART)


def test_after_a_connection_that_never_holds_the_rest_is_sent_another_time() -> None:
    world = World([bytes_of(3 * PART)], troubles=[None, *[Interrupted] * 3])

    with pytest.raises(Unavailable, match=f"made up for a test; tried 3 times, from byte {PART} on"):
        world.bring()
    assert world.bring() == Copied(layers=1, bytes=2 * PART)
    assert world.is_done()


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (bytes_of(19), r"of team/app is 19 bytes long, and its manifest says 20: it is cut short, or another"),
        (bytes_of(21), r"of team/app is 21 bytes long, and its manifest says 20: it is cut short, or another"),
        (bytes_of(20, seed=3), r"of team/app is not what its digest says: 20 bytes came, and their digest is sha256:"),
        (bytes_of(19) + b"!", r"push the image anew and don't use this one"),
    ],
)
def test_a_blob_that_is_not_what_its_manifest_says_is_refused_before_ecr_could_keep_it(
    there: bytes, reason: str
) -> None:
    world = World([bytes_of(20)])
    world.source.contents[world.layers[0].digest] = there

    with pytest.raises(Refused, match=reason):
        world.bring()

    assert world.target.layers == {}
    assert world.progress.kept == {}


def test_where_one_layer_is_refused_the_other_is_left_and_the_refusal_is_what_is_told() -> None:
    world = World([bytes_of(2), *distinct([400] * 3)])
    world.source.contents[world.layers[0].digest] = b"??"

    with pytest.raises(Refused, match="not what its digest says"):
        world.bring()

    assert len(world.target.layers) <= 1
    world.source.contents[world.layers[0].digest] = world.contents[0]
    world.bring()
    assert world.is_done()
    assert world.target.taken == sum(map(len, world.contents))


def test_an_upload_that_ecr_forgot_is_begun_anew() -> None:
    world = World([bytes_of(30)])
    with pytest.raises(OutOfTime):
        world.bring(until(3))
    world.target.uploads.clear()

    assert world.bring() == Copied(layers=1, bytes=30)
    assert world.is_done()
    assert world.progress.kept == {}


def test_uploads_that_ecr_forgets_again_and_again_are_given_up_for_now() -> None:
    class Forgetful(Target):
        def add(self, repository: RepositoryName, upload: Upload, part: bytearray) -> Upload:
            self.uploads.clear()
            return super().add(repository, upload, part)

    world = World([bytes_of(30)])
    world.target = Forgetful()

    with pytest.raises(Unavailable, match="could not be sent to release/app: ECR knows the upload no more; tried 3"):
        world.bring()
    assert world.target.begun == 3


def test_an_upload_goes_on_where_ecr_is_whatever_was_remembered() -> None:
    world = World([bytes_of(30)])
    with pytest.raises(OutOfTime):
        world.bring(until(3))
    stale = Begun(Upload("1", PART), PART)
    world.progress.kept[world.layers[0].digest] = stale

    assert world.bring().layers == 1
    assert world.is_done()


def test_bytes_that_ecr_never_takes_end_in_another_upload() -> None:
    class Stubborn(Target):
        def add(self, repository: RepositoryName, upload: Upload, part: bytearray) -> Upload:
            return super().add(repository, upload, part) if upload.id == "2" else Upload(upload.id, 3)

    world = World([bytes_of(30)])
    world.target = Stubborn()

    assert world.bring().layers == 1
    assert (world.is_done(), world.target.begun) == (True, 2)


def test_an_upload_with_more_bytes_than_the_blob_is_another_ones() -> None:
    world = World([bytes_of(30)])
    world.progress.kept[world.layers[0].digest] = Begun(Upload("old", 31), PART)

    assert world.bring() == Copied(layers=1, bytes=30)


def test_what_ecr_itself_refuses_to_put_together_is_forgotten() -> None:
    world = World([bytes_of(30)])
    with pytest.raises(OutOfTime):
        world.bring(until(3))
    world.target.uploads["1"][0] ^= 1  # what an earlier invocation sent was wrong; this one can't see that

    with pytest.raises(Refused, match="what was sent is not the blob"):
        world.bring()
    assert world.progress.kept == {}
    assert world.bring() == Copied(layers=1, bytes=30)


# -- mounting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mounts", range(4))
def test_what_ecr_mounts_is_not_sent_and_after_its_first_no_it_is_not_asked_again(mounts: int) -> None:
    world = World(distinct([10, 20, 30]), mounts=mounts)

    assert world.bring() == Copied(layers=3 - mounts, bytes=sum([10, 20, 30][mounts:]), mounted=mounts)
    assert world.is_done()
    assert world.mount is not None
    assert len(world.mount.asked) == min(3, mounts + 1)


# -- what is refused before anything is sent ---------------------------------------------------------------------------

GOOD = layer_of(b"good")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Layer(Digest("sha512:" + "a" * 128), 3), "has no sha256 digest, and ECR keeps no other"),
        (Layer(Digest("sha256:" + "A" * 64), 3), "has no sha256 digest"),
        (Layer(Digest("sha256:\u202eabc"), 3), "the blob sha256:�abc has no sha256 digest"),
        (Layer(GOOD.digest, 0), "is 0 bytes long, says its manifest: ECR takes no blob of less than one byte"),
        (Layer(GOOD.digest, -5), "is -5 bytes long, says its manifest"),
        (Layer(GOOD.digest, blobs.MOST_BYTES + 1), r"54525952001 bytes long, and ECR takes 54525952000 \(52,000 MiB\)"),
        (Layer(GOOD.digest, 5), "is 4 bytes long in one manifest and 5 in another"),
    ],
)
def test_what_no_registry_could_keep_is_refused_before_anything_is_sent(bad: Layer, reason: str) -> None:
    world = World([b"good"])

    with pytest.raises(Refused, match=reason):
        world.bring(layers=[GOOD, bad])
    assert world.target.begun == 0


MIB = 2**20


@pytest.mark.parametrize(
    ("size", "offered", "expected"),
    [
        (1, 10 * MIB, 10 * MIB),
        (100 * MIB, 1, blobs.LEAST_PART),
        (100 * MIB, 999 * MIB, blobs.LARGEST_PART),
        (42_000 * MIB, 10 * MIB, 10 * MIB),
        (blobs.MOST_BYTES, 20 * MIB, 20 * MIB),
    ],
)
def test_parts_are_as_large_as_ecr_offers_within_its_own_limits(size: int, offered: int, expected: int) -> None:
    assert blobs.part_size_for(Layer(GOOD.digest, size), offered) == expected


def test_more_parts_than_ecr_takes_are_refused() -> None:
    reason = re.escape("would be 4201 parts of 10485760 bytes, and ECR takes 4200 at most")
    with pytest.raises(Refused, match=reason):
        blobs.part_size_for(Layer(GOOD.digest, 42_000 * MIB + 1), 10 * MIB)
