"""One layer on its way from one repository to another: fetched and sent a part at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Protocol

from warden.blobs import Begun, Layer, Upload, UploadLost
from warden.errors import Refused, Unavailable
from warden.layer_parts import AddressExpired, Check, Interrupted, Range, WrongLength
from warden.names import RepositoryName

MARGIN = 60_000
"""Milliseconds that must be left of an invocation for another part to be fetched and sent."""
TRIES = 3
"""How often a part is fetched, ECR may go on elsewhere than where we are, and an upload is begun, until we give up."""

Download = Callable[[str, Range], bytearray]
"""Gets a part from an address (see `warden.layer_downloads.LayerDownloads.part`)."""


class Source(Protocol):
    """Where the layers are (`warden.layers.LayerStore`)."""

    def address(self, repository: RepositoryName, layer: Layer) -> str:
        """Where the layer can be downloaded for a while."""


class Target(Protocol):
    """Where the layers are to be (`warden.layers.LayerStore`)."""

    def missing(self, repository: RepositoryName, layers: Sequence[Layer]) -> tuple[Layer, ...]:
        """Those that are not there."""

    def begin(self, repository: RepositoryName, layer: Layer) -> Begun:
        """Begin an upload."""

    def add(self, repository: RepositoryName, upload: Upload, part: bytearray) -> Upload:
        """Send a part."""

    def finish(self, repository: RepositoryName, upload: Upload, layer: Layer) -> None:
        """End an upload."""


class Progress(Protocol):
    """The uploads that an invocation had to leave (`warden.upload_progress.UploadProgress`)."""

    def of(self, repository: RepositoryName, layer: Layer) -> Begun | None:
        """How far one is."""

    def keep(self, repository: RepositoryName, layer: Layer, begun: Begun) -> None:
        """Remember how far one is."""

    def forget(self, repository: RepositoryName, layer: Layer) -> None:
        """Nothing is left of one."""


class Stopped(Exception):
    """A layer was left at the end of a part, since the time is nearly over or another layer failed."""


@dataclass(slots=True)
class Run:
    """What the layers of one call have in common, and how much of them was sent."""

    source: RepositoryName
    target: RepositoryName
    left: Callable[[], int]
    """Milliseconds that are left of the invocation."""
    layers: int = 0
    bytes: int = 0
    stopped: Event = field(default_factory=Event)
    sending: Lock = field(default_factory=Lock)
    """Held while a part is sent: the SDK makes five copies of it."""

    @property
    def is_over(self) -> bool:
        """Whether no other part may be begun."""
        return self.stopped.is_set() or self.left() < MARGIN


class LayerUpload:
    """Copies single layers; several threads may use it at a time."""

    def __init__(self, source: Source, target: Target, progress: Progress, download: Download) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self._download = download

    def copy(self, layer: Layer, run: Run) -> None:
        """Copy the layer, or the rest of it. Raises Stopped where it was left, how far it is being remembered.

        Where a download can't be had for now that is remembered, too: a large layer doesn't begin anew for it.
        What is remembered is forgotten when the layer is there, and when it failed in a way that no retry mends: the
        next try is then held against the digest from the first byte on.
        """
        if run.is_over:
            raise Stopped
        remembered = self._progress.of(run.target, layer)
        try:
            self._upload(layer, remembered, run)
        except Refused:
            self._progress.forget(run.target, layer)
            raise
        if remembered:
            self._progress.forget(run.target, layer)
        with run.sending:
            run.layers += 1

    def _upload(self, layer: Layer, begun: Begun | None, run: Run) -> None:
        for _ in range(TRIES):
            try:
                self._send(layer, begun or self._target.begin(run.target, layer), run)
            except UploadLost as lost:
                begun, reason = None, str(lost)
            else:
                return
        raise Unavailable(f"the blob {layer} could not be sent to {run.target}: {reason}; tried {TRIES} times")

    def _send(self, layer: Layer, begun: Begun, run: Run) -> None:
        check, fetching = Check(layer), _Fetching(self._source, self._download, layer, run.source)
        upload, elsewhere = begun.upload, 0
        while upload.next_byte < layer.size:
            if run.is_over:
                self._progress.keep(run.target, layer, Begun(upload, begun.part_size))
                raise Stopped
            last = min(upload.next_byte + begun.part_size, layer.size) - 1
            wanted = Range(upload.next_byte, last, layer.size)
            try:
                upload, went_on = self._send_part(fetching, check, upload, wanted, run)
            except UploadLost:
                raise
            except Unavailable:
                self._progress.keep(run.target, layer, Begun(upload, begun.part_size))
                raise
            elsewhere = 0 if went_on else elsewhere + 1
            if elsewhere == TRIES:
                raise UploadLost(f"ECR goes on at byte {upload.next_byte} after other bytes were sent")
        if upload.next_byte > layer.size:
            raise UploadLost(f"the upload has {upload.next_byte} bytes, more than the blob")
        self._target.finish(run.target, upload, layer)

    def _send_part(
        self, fetching: "_Fetching", check: Check, upload: Upload, wanted: Range, run: Run
    ) -> tuple[Upload, bool]:
        """Fetch a part and send it; the upload as it is then, and whether ECR took the part."""
        part = fetching.part(wanted)
        check.take(part, first=wanted.first)
        if wanted.last == wanted.size - 1:
            check.conclude(run.source)
        with run.sending:
            sent = self._target.add(run.target, upload, part)
            took = sent.next_byte == wanted.last + 1
            if took:
                run.bytes += wanted.length
        return sent, took


@dataclass(slots=True)
class _Fetching:
    """The download of one layer, by as many addresses as it takes."""

    source: Source
    download: Download
    layer: Layer
    repository: RepositoryName
    address: str = ""

    def part(self, wanted: Range) -> bytearray:
        """The bytes. Raises Refused where the layer is of another length, or no address is any good."""
        trouble, is_expired = "", False
        for _ in range(TRIES):
            self.address = self.address or self.source.address(self.repository, self.layer)
            try:
                return self.download(self.address, wanted)
            except (AddressExpired, Interrupted) as error:
                self.address, trouble = "", str(error)  # the error itself would hold on to what came of the part
                is_expired = isinstance(error, AddressExpired)
            except WrongLength as error:
                raise self._wrong(error) from None
        what = f"the blob {self.layer} of {self.repository} could not be downloaded: {trouble}; tried {TRIES} times, "
        if is_expired:
            raise Refused(
                f"{what}each with an address that ECR had just given. Pull the image to see whether it can be had, and "
                "promote it again"
            )
        raise Unavailable(f"{what}from byte {wanted.first} on")

    def _wrong(self, error: WrongLength) -> Refused:
        return Refused(
            f"the blob {self.layer} of {self.repository} is {error.found} bytes long, and its manifest says "
            f"{self.layer.size}: it is cut short, or another. Nothing of it was kept; push the image anew and don't "
            "use this one"
        )
