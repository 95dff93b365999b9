"""Parts of a layer: which bytes they are, how their download may fail, and whether together they are the layer."""

import hashlib
from dataclasses import dataclass

from warden.blobs import Layer
from warden.errors import Refused, WardenError


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes of a layer, from `first` to `last`, of `size` altogether.

    >>> str(Range(0, 9, 100))
    'bytes=0-9'
    """

    first: int
    last: int
    size: int

    def __str__(self) -> str:
        return f"bytes={self.first}-{self.last}"

    @property
    def length(self) -> int:
        """How many bytes it is."""
        return self.last - self.first + 1

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the layer."""
        return self.length == self.size


class AddressExpired(WardenError):
    """The address of a layer is good no more; another is to be had from ECR."""


class Interrupted(WardenError):
    """Not all of a part came; it may by another try."""


class WrongLength(WardenError):
    """The layer is not as long as its manifest says; `found` says how long it is."""

    def __init__(self, found: str) -> None:
        super().__init__(f"the layer is {found} bytes long")
        self.found = found


class Check:
    """Holds the parts of a layer against its digest, as they come.

    A hash can't be taken along to another invocation, so an upload that goes on where an earlier one stopped is held
    against the digest by ECR alone, in CompleteLayerUpload.
    """

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._hash = hashlib.sha256()
        self._hashed = 0

    def take(self, part: bytes | bytearray, *, first: int) -> None:
        """The next part, which begins at the layer's byte `first`; a part that came before may come again."""
        if first <= self._hashed < first + len(part):
            with memoryview(part) as bytes_:
                self._hash.update(bytes_[self._hashed - first :])
            self._hashed = first + len(part)

    def conclude(self, where: str) -> None:
        """Raises Refused where every byte was seen, and together they are not the layer."""
        found = f"sha256:{self._hash.hexdigest()}"
        if self._hashed == self._layer.size and found != self._layer.digest:
            raise Refused(
                f"the blob {self._layer} of {where} is not what its digest says: {self._layer.size} bytes came, and "
                f"their digest is {found}. Nothing of it was kept; push the image anew and don't use this one"
            )
