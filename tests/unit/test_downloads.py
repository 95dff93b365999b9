"""Small downloads, from a real server on this machine that behaves as badly as one can."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest

from warden.downloads import download
from warden.errors import Unavailable

SECRET = "X-Amz-Signature=5ec4e7"
Answer = Callable[[socket.socket], None]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """The address of a server that answers every request so."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += self.request.recv(65536)
            server.asked.append(asked)
            try:
                answer(self.request)
            except OSError:
                return  # they have hung up

    class Server(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        asked: list[bytes] = []  # noqa: RUF012 - one a server

    with Server(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/layer?{SECRET}"
        server.shutdown()


def body(content: bytes, *headers: str, status: str = "200 OK") -> Answer:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + content)


def raw(answer: bytes) -> Answer:
    def send(connection: socket.socket) -> None:
        connection.sendall(answer)

    return send


@pytest.mark.parametrize("size", [0, 1, 65_536, 200_000])
def test_what_is_there_is_taken_whole(size: int) -> None:
    with serving(body(b"x" * size)) as url:
        assert download(url, 200_000) == b"x" * size


def test_what_is_as_large_as_allowed_is_taken_and_a_byte_more_is_not() -> None:
    with serving(body(b"x" * 1000)) as url:
        assert download(url, 1000) == b"x" * 1000
        assert download(url, 999) is None


def test_an_endless_answer_ends_at_the_limit() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    with serving(endless) as url:
        assert download(url, 1_000_000) is None


def test_chunks_are_put_together() -> None:
    chunks = b"5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n"
    with serving(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)) as url:
        assert download(url, 100) == b"hello world"


def test_nothing_is_unpacked() -> None:
    """A bomb stays as small as it came, and the digest is of what came."""
    packed = gzip.compress(b"0" * 10_000_000)
    with serving(body(packed, "Content-Encoding: gzip")) as url:
        assert download(url, 100_000) == packed


def test_a_drip_ends_at_the_deadline() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(100_000):
            connection.sendall(b"x")
            threading.Event().wait(0.02)

    began = time.monotonic()
    with serving(drip) as url, pytest.raises(Unavailable, match="did not end in time"):
        download(url, 200_000, deadline=0.3)
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize(
    "status", ["403 Forbidden", "404 Not Found", "500 Internal Server Error", "206 Partial Content", "204 No Content"]
)
def test_any_other_answer_is_none(status: str) -> None:
    with serving(body(b"", status=status)) as url, pytest.raises(Unavailable, match=status[:3]) as refusal:
        download(url, 100)
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect"])
def test_a_redirect_is_not_followed(status: str) -> None:
    asked: list[str] = []

    def elsewhere(connection: socket.socket) -> None:
        asked.append("elsewhere")
        body(b"stolen")(connection)

    with (
        serving(elsewhere) as other,
        serving(body(b"", f"Location: {other}", status=status)) as url,
        pytest.raises(Unavailable, match=status[:3]),
    ):
        download(url, 100)
    assert asked == []


BROKEN = {
    "cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
    "nothing": b"",
    "no http": b"SSH-2.0-OpenSSH_9.9\r\n",
    "chunks of nothing": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_breaks_off_is_none(answer: bytes) -> None:
    with serving(raw(answer)) as url, pytest.raises(Unavailable, match=r"failed|broke off") as refusal:
        download(url, 100)
    assert SECRET not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None, "a traceback would show the address"


def test_an_answer_that_stops_is_none() -> None:
    def stop(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        connection.recv(1)

    with serving(stop) as url, pytest.raises(Unavailable, match="failed") as refusal:
        download(url, 100, patience=1)
    assert SECRET not in str(refusal.value)


def test_a_host_that_takes_no_connection_is_none() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unavailable, match="failed") as refusal:
        download(f"http://127.0.0.1:{port}/layer?{SECRET}", 100)
    assert SECRET not in str(refusal.value)
    assert refusal.value.__context__ is None


def test_no_proxy_gets_to_see_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(body(b"direct")) as url, serving(body(b"by proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("HTTP_PROXY", proxy)
        assert download(url, 100) == b"direct"
