"""Parts of layers, from the addresses that ECR gives out.

By botocore's own HTTP client, as `downloads`. The address is a password for an hour and stands in no error; no redirect
is followed. What comes is held against the layer's digest by whoever asks.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetDownloadUrlForLayer.html
https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
"""

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from urllib3.exceptions import HTTPError

from warden.layer_parts import AddressExpired, Interrupted, Range, WrongLength

TIMEOUT = 5
"""Seconds for connecting, and for what is awaited next to arrive."""
DEADLINE = 15.0
"""Seconds for one part: a drip of single bytes ends here, and a megabyte a second is in time."""
CONNECTIONS = 2
_AT_ONCE = 256 * 1024
"""Bytes."""
_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,15})-(\d{1,15})|\*)/(\d{1,15})")


class LayerDownloads:
    """Downloads that share their connections: a layer of thirty parts needs one handshake."""

    def __init__(
        self, *, patience: int = TIMEOUT, deadline: float = DEADLINE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`patience` and `deadline` are seconds, as `clock` counts them."""
        self._session = URLLib3Session(timeout=patience, max_pool_connections=CONNECTIONS)
        self._deadline = deadline
        self._clock = clock

    def part(self, address: str, wanted: Range) -> bytearray:
        """The bytes of that range of a layer.

        Raises WrongLength where the layer is not as long as it should be, AddressExpired where the address is good no
        more, and Interrupted where the bytes did not all come in time.
        """
        ends = self._clock() + self._deadline
        try:
            response = self._session.send(
                AWSRequest("GET", address, headers={"Range": str(wanted)}, stream_output=True).prepare()
            )
            try:
                _check(response, wanted)
                return self._body(response.raw, wanted, ends)
            finally:
                _let_go(response.raw)
        except (BotoCoreError, HTTPError, OSError) as error:  # urllib3's own where an answer stops in the middle
            trouble = type(error).__name__
        raise Interrupted(f"the connection failed: {trouble}")

    def _body(self, raw: Any, wanted: Range, ends: float) -> bytearray:
        """What comes, read into its place: a part is in memory once."""
        part, taken = bytearray(wanted.length), 0
        with memoryview(part) as space:
            while taken < wanted.length:
                if self._clock() > ends:
                    raise Interrupted(f"only {taken} of {wanted.length} bytes came in time")
                piece = raw.read1(min(_AT_ONCE, wanted.length - taken))
                if not piece:
                    raise Interrupted(f"the connection ended after {taken} of {wanted.length} bytes")
                space[taken : taken + len(piece)] = piece
                taken += len(piece)
        if wanted.is_whole and raw.read1(1):
            raise WrongLength(f"more than {wanted.size}")
        return part


def _check(response: Any, wanted: Range) -> None:
    """Whether what follows are the bytes that were asked for."""
    status, said = response.status_code, response.headers.get("Content-Range", "")
    if status == HTTPStatus.PARTIAL_CONTENT:
        _check_range(said, wanted)
    elif status == HTTPStatus.OK:
        _check_whole(response.headers.get("Content-Length"), wanted)
    elif status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        found = _CONTENT_RANGE.fullmatch(said)
        raise WrongLength(found[3] if found else f"less than {wanted.first + 1}")
    elif HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise AddressExpired(f"the address answered {status}")
    else:
        raise Interrupted(f"the address answered {status}")


def _check_range(said: str, wanted: Range) -> None:
    found = _CONTENT_RANGE.fullmatch(said)
    if found is None or found[1] is None:
        raise Interrupted("the answer did not say which bytes it holds")
    if int(found[3]) != wanted.size:
        raise WrongLength(found[3])
    if (int(found[1]), int(found[2])) != (wanted.first, wanted.last):
        raise Interrupted("the answer holds other bytes than those that were asked for")


def _check_whole(length: str | None, wanted: Range) -> None:
    """A 200 is all of the layer, whatever was asked for."""
    if not wanted.is_whole:
        raise Interrupted("the answer is the whole blob, where a part was asked for")
    if length is not None and length.isdecimal() and int(length) != wanted.size:
        raise WrongLength(length)


def _let_go(raw: Any) -> None:
    """A connection whose answer was read to its end is used again; any other is of no use."""
    if raw.length_remaining != 0:
        raw.close()
    raw.release_conn()
