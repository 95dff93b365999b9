"""Copies layers from one repository to another, so that an image of any size fits into a function.

Two layers are on their way at a time: while a part of one is sent, the next part of the other is fetched. Parts are
sent one after the other, since the SDK makes base64 of a part, and JSON of that: two parts and one request are in
memory at most.
"""

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from warden.blobs import Layer, checked
from warden.errors import Unavailable
from warden.layer_upload import Download, LayerUpload, Progress, Run, Source, Stopped, Target
from warden.names import RepositoryName

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Copied:
    """What was sent: whole layers, and bytes, 0 where everything was there; `mounted` layers needed none."""

    layers: int = 0
    bytes: int = 0
    mounted: int = 0


class OutOfTime(Unavailable):
    """The invocation is nearly over: what was begun is remembered, and the rest is to be asked for again.

    `copied` is what this invocation sent: where that is nothing, asking again may not help.
    """

    def __init__(self, reason: str, copied: Copied) -> None:
        super().__init__(reason)
        self.copied = copied


class Mounting(Protocol):
    """Lets a repository have a layer of another without moving it (`warden.mounting.Mount`)."""

    def mount(self, layer: Layer, *, source: RepositoryName, target: RepositoryName) -> bool:
        """Whether it was done."""


class LayerCopy:
    """Copies layers from one registry to another, or within one."""

    def __init__(
        self, source: Source, target: Target, progress: Progress, *, download: Download, mount: Mounting | None = None
    ) -> None:
        """`mount` is for layers within one registry, of one account and region."""
        self._uploads = LayerUpload(source, target, progress, download)
        self._target = target
        self._mount = mount

    def bring(
        self, layers: Iterable[Layer], *, source: RepositoryName, target: RepositoryName, left: Callable[[], int]
    ) -> Copied:
        """Bring to the target repository what it lacks of these layers of the source repository.

        `left` says how many milliseconds of the invocation are left. A layer is held against its digest as it comes,
        and its upload is ended only if it fits; one that goes on with an earlier invocation's upload is held against
        it by ECR alone, when the upload is ended. Raises Refused, OutOfTime, Unavailable, and what ECR's clients raise;
        layers that were sent by then stay, and are not sent again.
        """
        missing = self._target.missing(target, checked(layers))
        rest = self._not_mounted(missing, source, target)
        run = Run(source, target, left)
        errors = self._copy(rest, run)
        copied = Copied(run.layers, run.bytes, len(missing) - len(rest))
        for error in errors:
            if not isinstance(error, Stopped):
                raise error
        if errors:
            raise OutOfTime(
                f"the time ran out while layers were copied from {source} to {target}: what was sent is kept, and the "
                "rest follows",
                copied,
            )
        return copied

    def _not_mounted(self, layers: Sequence[Layer], source: RepositoryName, target: RepositoryName) -> Sequence[Layer]:
        """Mount what can be; what remains. After the first layer that can't be, none is tried."""
        for number, layer in enumerate(layers):
            if self._mount is None or not self._mount.mount(layer, source=source, target=target):
                return layers[number:]
        return ()

    def _copy(self, layers: Sequence[Layer], run: Run) -> list[BaseException]:
        """Copy them, two at a time; what went wrong."""
        waiting = iter(layers)
        with ThreadPoolExecutor(WORKERS) as pool:
            works = [pool.submit(self._work, waiting, run) for _ in range(min(WORKERS, len(layers)))]
        errors = [error for work in works if (error := work.exception())]
        for error in errors:
            _let_go(error)
        return errors

    def _work(self, waiting: Iterator[Layer], run: Run) -> None:
        """Copy one layer after the other; where one fails, the others are left at the end of their part."""
        while not run.stopped.is_set() and (layer := next(waiting, None)):
            try:
                self._uploads.copy(layer, run)
            except BaseException:
                run.stopped.set()
                raise


def _let_go(error: BaseException | None) -> None:
    """Free what the calls held in which the error arose: a part of a layer, and the request that was made of it."""
    while error:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
