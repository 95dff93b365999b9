"""Parts of layers, from a real server on this machine that behaves as badly as one can."""

import socket

import pytest

from tests.unit.test_downloads import SECRET, Answer, body, raw, serving
from warden.errors import WardenError
from warden.layer_downloads import LayerDownloads
from warden.layer_parts import AddressExpired, Interrupted, Range, WrongLength

MIDDLE = Range(10, 19, 100)
WHOLE = Range(0, 9, 10)


def part(content: bytes, says: str = "bytes 10-19/100", status: str = "206 Partial Content") -> Answer:
    return body(content, f"Content-Range: {says}", status=status)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (part(b"0123456789"), MIDDLE),
        (part(b"0123456789", "bytes 90-99/100"), Range(90, 99, 100)),
        (part(b"0123456789", "bytes 0-9/10"), WHOLE),
        (body(b"0123456789"), WHOLE),
        (raw(b"HTTP/1.1 200 OK\r\n\r\n0123456789"), WHOLE),
    ],
)
def test_the_bytes_that_were_asked_for_are_taken(answer: Answer, wanted: Range) -> None:
    with serving(answer) as url:
        assert LayerDownloads().part(url, wanted) == b"0123456789"


def test_a_large_part_is_read_into_its_place() -> None:
    content = bytes(range(256)) * 8192
    with serving(part(content, f"bytes 0-{len(content) - 1}/99999999")) as url:
        assert LayerDownloads().part(url, Range(0, len(content) - 1, 99_999_999)) == content


@pytest.mark.parametrize(
    ("answer", "wanted", "error", "reason"),
    [
        (part(b"0" * 10, "bytes 10-19/99"), MIDDLE, WrongLength, "99 bytes long"),
        (part(b"0" * 10, "bytes 10-19/101"), MIDDLE, WrongLength, "101 bytes long"),
        (part(b"", "bytes */7", "416 Range Not Satisfiable"), MIDDLE, WrongLength, "is 7 bytes long"),
        (body(b"", status="416 Range Not Satisfiable"), MIDDLE, WrongLength, "is less than 11 bytes long"),
        (body(b"0" * 9), WHOLE, WrongLength, "is 9 bytes long"),
        (body(b"0" * 11), WHOLE, WrongLength, "is 11 bytes long"),
        (raw(b"HTTP/1.1 200 OK\r\n\r\n" + b"0" * 11), WHOLE, WrongLength, "is more than 10 bytes long"),
        (body(b"0" * 100), MIDDLE, Interrupted, "the answer is the whole blob"),
        (part(b"0" * 10, "bytes 20-29/100"), MIDDLE, Interrupted, "other bytes than those that were asked for"),
        (part(b"0" * 10, "bytes 10-19/*"), MIDDLE, Interrupted, "did not say which bytes it holds"),
        (body(b"0" * 10, status="206 Partial Content"), MIDDLE, Interrupted, "did not say which bytes"),
        (part(b"0" * 10, "bytes */100"), MIDDLE, Interrupted, "did not say which bytes it holds"),
        (part(b"0" * 3), MIDDLE, Interrupted, "ended after 3 of 10 bytes"),
        (
            raw(b"HTTP/1.1 206 OK\r\nContent-Length: 10\r\nContent-Range: bytes 10-19/100\r\n\r\n01"),
            MIDDLE,
            Interrupted,
            "the connection",
        ),
        (body(b"<Error/>", status="403 Forbidden"), MIDDLE, AddressExpired, "the address answered 403"),
        (body(b"<Error/>", status="404 Not Found"), MIDDLE, AddressExpired, "the address answered 404"),
        (body(b"", status="503 Slow Down"), MIDDLE, Interrupted, "the address answered 503"),
        (body(b"", "Location: http://127.0.0.1:1/", status="302 Found"), MIDDLE, Interrupted, "answered 302"),
        (raw(b"nonsense\r\n\r\n"), MIDDLE, Interrupted, "the connection failed"),
        (raw(b""), MIDDLE, Interrupted, "the connection failed"),
    ],
)
def test_what_else_comes_is_said_and_the_address_is_not(
    answer: Answer, wanted: Range, error: type[WardenError], reason: str
) -> None:
    with serving(answer) as url, pytest.raises(error, match=reason) as caught:
        LayerDownloads(patience=1).part(url, wanted)

    assert SECRET not in str(caught.value)


def test_where_nobody_answers_it_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(Interrupted, match="the connection failed: EndpointConnectionError"):
        LayerDownloads().part(f"http://127.0.0.1:{port}/{SECRET}", MIDDLE)


def test_a_drip_of_bytes_ends_in_time() -> None:
    drip = raw(b"HTTP/1.1 206 OK\r\nContent-Length: 10\r\nContent-Range: bytes 10-19/100\r\n\r\n0123")
    clock = iter([0.0, 15.0, 15.1])

    with serving(drip) as url, pytest.raises(Interrupted, match=r"only 4 of 10 bytes came in time"):
        LayerDownloads(clock=lambda: next(clock)).part(url, MIDDLE)
