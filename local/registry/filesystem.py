"""What an image's layers put where, as far as a scan wants to know, and no more than is safe to read.

Nothing is written to disk, so that a name can't lead anywhere; links are not followed; sizes are bounded.
https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
"""

import gzip
import io
import posixpath
import re
import tarfile
import zlib
from collections.abc import Iterable, Sequence
from typing import Protocol

from local.registry.store import Unscannable

try:
    from compression import zstd  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # before Python 3.14
    zstd = None

MOST_BYTES = 512 * 2**20
"""Bytes of one layer, decompressed."""
MOST_MEMBERS = 200_000
LARGEST_FILE = 32 * 2**20

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"


_BROKEN = (
    *(tarfile.TarError, zlib.error, OSError, EOFError, ValueError, ArithmeticError, LookupError),
    *([zstd.ZstdError] if zstd else []),
)
"""What reading an archive of anything may end in."""


class TooLarge(Exception):
    """More than a scan reads."""


def read(layers: Sequence[bytes], wanted: re.Pattern[str]) -> dict[str, bytes] | None:
    """The files whose whole path matches, as the topmost layer has them; None where no layer is an archive at all.

    Raises Unscannable where an archive can't be read, or is too large.
    """
    files: dict[str, bytes] = {}
    if not any(map(_is_archive, layers)):
        return None
    for layer in layers:
        try:
            added, removed = _read_layer(layer, wanted)
        except TooLarge as error:
            raise Unscannable(f"UnsupportedImageError: A layer is too large to be scanned: {error}.") from error
        except _BROKEN as error:
            raise Unscannable("UnsupportedImageError: A layer can not be read.") from error
        _remove(files, removed)
        files |= added
    return files


def _is_archive(layer: bytes) -> bool:
    if layer.startswith((_GZIP, _ZSTD)):
        return True
    try:
        tarfile.TarInfo.frombuf(layer[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
        return True  # an archive of nothing
    except tarfile.HeaderError:
        return False
    return True


def _read_layer(layer: bytes, wanted: re.Pattern[str]) -> tuple[dict[str, bytes], list[str]]:
    """The wanted files of a layer, and the paths of lower layers that it hides; a directory's ends with a slash."""
    added: dict[str, bytes] = {}
    removed: list[str] = []
    with tarfile.open(fileobj=_Bounded(_decompressed(layer)), mode="r|") as archive:  # type: ignore[call-overload]
        for number, member in enumerate(archive):
            if number >= MOST_MEMBERS:
                raise TooLarge(f"more than {MOST_MEMBERS} files")
            path = posixpath.normpath(member.name).lstrip("/")
            folder, name = posixpath.split(path)
            if name == _OPAQUE:
                removed.append(f"{folder}/")
            elif name.startswith(_WHITEOUT):
                removed.append(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
            elif member.isfile() and wanted.fullmatch(path):
                added[path] = _content(archive, member)
    return added, removed


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > LARGEST_FILE:
        raise TooLarge(f"{member.name} has more than {LARGEST_FILE} bytes")
    file = archive.extractfile(member)
    return file.read(LARGEST_FILE) if file else b""


def _remove(files: dict[str, bytes], removed: Iterable[str]) -> None:
    for path in removed:
        folder = path if path.endswith("/") else f"{path}/"
        for known in [each for each in files if each == path or each.startswith(folder) or folder == "/"]:
            del files[known]


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _decompressed(layer: bytes) -> _Readable:
    if layer.startswith(_GZIP):
        return gzip.GzipFile(fileobj=io.BytesIO(layer))
    if not layer.startswith(_ZSTD):
        return io.BytesIO(layer)
    if zstd is None:
        raise Unscannable("UnsupportedImageError: Layers in zstd need Python 3.14 to be read.")
    opened: _Readable = zstd.ZstdFile(io.BytesIO(layer))
    return opened


class _Bounded:
    """A file that gives no more than MOST_BYTES: a small layer may hold a petabyte of zeros."""

    def __init__(self, file: _Readable) -> None:
        self._file = file
        self._left = MOST_BYTES

    def read(self, size: int) -> bytes:
        """Read what there is. Raises TooLarge."""
        data = self._file.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge(f"more than {MOST_BYTES} bytes")
        return data
