"""Lifecycle policies and images from files, as `aws ecr` prints them, so that rules can be tried without AWS.

What is cut short is refused: where rules count images, one that is missing makes others stay, and where it is a
repository's that is read as an empty one, anything may seem safe.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from cli.printing import LONGEST_CELL
from warden.manifests import INDEX_TYPES
from warden.names import Digest, Tag, is_digest
from warden.stored_images import StoredImage
from warden.text import clean

LARGEST = 1024 * 1024 * 1024
"""Bytes; a repository holds 100,000 images by default, which is some 50 MB."""

_STATUSES = ("ACTIVE", "ACTIVATING", "ARCHIVED")
"""An image that is ACTIVATING is on its way out of the archive, and counts as out of it.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html
"""
_LONGEST = 60
_IMAGES = "the answer of `aws ecr describe-images`"
_POLICY = "a lifecycle policy"


def load_policy(path: Path) -> str:
    """The text of a lifecycle policy, `-` for stdin: by itself or in the answer of `aws ecr get-lifecycle-policy`.

    Whether it is a policy remains to be seen. Ends the command where the file can't be read.
    """
    text = _text(path, _POLICY)
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return text
    inside = answer.get("lifecyclePolicyText") if isinstance(answer, dict) else None
    return inside if isinstance(inside, str) else text


def load_images(path: Path) -> tuple[StoredImage, ...]:
    """The images of a repository, `-` for stdin, in the file's order. Ends the command where anything is missing.

    The file may hold one answer of DescribeImages, several one after the other, a list of them, or their images alone,
    as a list or one a line. An index may say what it lists in `manifests`. A time without a zone is UTC's.
    """
    found: dict[Digest, StoredImage] = {}
    for place, detail in _details(path, _text(path, _IMAGES)):
        image = _ImageDetail(path, place, detail).read()
        if found.setdefault(image.digest, image) != image:
            _refuse(path, place, f"expected each image once, got {clean(image.digest, _LONGEST)} with two contents")
    return tuple(found.values())


def read_time(value: Any) -> datetime | None:
    """A time as `aws` prints it: seconds since 1970 or ISO 8601, where no zone means UTC; None if it is neither."""
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):  # no such date, or one that has no number
        pass
    return None


def _refuse(path: Path, place: str, text: str) -> NoReturn:
    raise click.ClickException(clean(": ".join(filter(None, (str(path), place, text))), LONGEST_CELL))


def _text(path: Path, what: str) -> str:
    try:
        with click.open_file(str(path), "rb") as file:
            data: bytes = file.read(LARGEST + 1)
    except OSError as error:
        _refuse(path, "", (error.strerror or "unreadable").lower())
    if len(data) > LARGEST:
        _refuse(path, "", f"expected {what}, got a file of more than {LARGEST >> 20} MiB")
    try:
        return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")  # Windows' shells write UTF-16
    except UnicodeDecodeError:
        _refuse(path, "", f"expected {what} as JSON, got something else")


def _details(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    """Each image with its place in the file, whatever the file's form."""
    documents = _documents(path, text)
    if not documents:
        _refuse(path, "", f"expected {_IMAGES}, got nothing")
    alone = len(documents) == 1
    parts: list[tuple[str, Any]] = []
    for number, document in enumerate(documents, start=1):
        where = "" if alone else f"document {number}"
        if isinstance(document, list):
            parts += [(f"{where}[{index}]", part) for index, part in enumerate(document)]
        else:
            parts.append((where, document))
    for place, part in parts:
        yield from _of_part(path, place, part)
    last = parts[-1][1] if parts else {}
    if any(last.get(key) for key in ("nextToken", "NextToken")):
        _refuse(path, "", "expected all pages of the answer, got a nextToken at the end: there are more images")


def _documents(path: Path, text: str) -> Sequence[Any]:
    """The JSON values that stand one after the other."""
    decoder = json.JSONDecoder()
    documents: list[Any] = []
    at, end = _skip_space(text, 0), len(text)
    while at < end:
        try:
            document, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            _refuse(path, place, f"expected {_IMAGES} as JSON, got: {error.msg}")
        except (ValueError, RecursionError):
            _refuse(path, "", f"expected {_IMAGES}, got JSON that can't be read")
        documents.append(document)
        at = _skip_space(text, at)
    return documents


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _of_part(path: Path, place: str, part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict) and "imageDetails" in part:
        details = part["imageDetails"]
        if not isinstance(details, list):
            _refuse(path, f"{place}.imageDetails".lstrip("."), f"expected a list, got {_shown(details)}")
        for index, detail in enumerate(details):
            yield f"{place}.imageDetails[{index}]".lstrip("."), detail
    elif isinstance(part, dict) and "imageDigest" in part:
        yield place, part
    else:
        got = f"an object without imageDetails, with {', '.join(part) or 'nothing'}" if isinstance(part, dict) else ""
        _refuse(path, place, f"expected {_IMAGES}, which has imageDetails, got {got or _shown(part)}")


class _ImageDetail:
    """One image of the answer, at its place in the file."""

    def __init__(self, path: Path, place: str, content: Any) -> None:
        self._path, self._place = path, place
        if not isinstance(content, dict):
            _refuse(path, place, f"expected an image, got {_shown(content)}")
        self._content = content

    def read(self) -> StoredImage:
        """The image; what is not there may be null too."""
        digest = self._digest("imageDigest")
        pushed_at = self._time("imagePushedAt")
        if digest is None or pushed_at is None:
            missing = "imageDigest" if digest is None else "imagePushedAt"
            self._refuse(missing, "a digest" if digest is None else "a time", "nothing")
        status = self._content.get("imageStatus")
        if status is not None and status not in _STATUSES:
            self._refuse("imageStatus", " or ".join(_STATUSES), _shown(status))
        return StoredImage(
            digest=digest,
            tags=tuple(Tag(tag) for tag in self._list("imageTags")),
            pushed_at=pushed_at,
            size=self._size(),
            pulled_at=self._time("lastRecordedPullTime"),
            archived=status == "ARCHIVED",
            archived_at=self._time("lastArchivedAt"),
            activated_at=self._time("lastActivatedAt"),
            subject=self._digest("subjectManifestDigest"),
            children=self._children(),
            is_index=self._content.get("imageManifestMediaType") in INDEX_TYPES,
        )

    def _refuse(self, key: str, expected: str, got: str) -> NoReturn:
        _refuse(self._path, f"{self._place}.{key}".lstrip("."), f"expected {expected}, got {got}")

    def _digest(self, key: str) -> Digest | None:
        value = self._content.get(key)
        if value is None:
            return None
        if not is_digest(value):
            self._refuse(key, "a digest such as sha256:…", _shown(value))
        return Digest(value)

    def _time(self, key: str) -> datetime | None:
        value = self._content.get(key)
        if value is None:
            return None
        time = read_time(value)
        if time is None:
            self._refuse(key, "a time, in seconds since 1970 or as ISO 8601", _shown(value))
        return time

    def _size(self) -> int:
        value = self._content.get("imageSizeInBytes")
        if value is None:
            return 0
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self._refuse("imageSizeInBytes", "a number of bytes", _shown(value))
        return value

    def _list(self, key: str) -> Sequence[str]:
        value = self._content.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self._refuse(key, "a list", _shown(value))
        for index, item in enumerate(value):
            if not isinstance(item, str) or not item:
                self._refuse(f"{key}[{index}]", "a string that is not empty", _shown(item))
        return value

    def _children(self) -> tuple[Digest, ...]:
        """What an index lists: digests, or descriptors as the index itself has them."""
        value = self._content.get("manifests")
        if value is None:
            return ()
        if not isinstance(value, list):
            self._refuse("manifests", "a list of digests", _shown(value))
        digests: list[Digest] = []
        for index, item in enumerate(value):
            digest = item.get("digest") if isinstance(item, dict) else item
            if not is_digest(digest):
                self._refuse(f"manifests[{index}]", "a digest such as sha256:…", _shown(item))
            digests.append(Digest(digest))
        return tuple(digests)


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return clean(json.dumps(value, ensure_ascii=False), _LONGEST)
