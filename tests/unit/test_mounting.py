"""Mounting, by a real server on this machine in the place of ECR's registry API."""

import base64
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.wire import Answer, Wire, error, ok
from warden.blobs import Layer
from warden.errors import Unavailable
from warden.mounting import Mount
from warden.names import Digest, RepositoryName

APP, RELEASE = RepositoryName("team/app"), RepositoryName("release/app")
LAYER = Layer(Digest("sha256:" + "a" * 64), 3)
ASKED = f"POST /v2/release/app/blobs/uploads/?mount=sha256%3A{'a' * 64}&from=team%2Fapp"
TOKEN = base64.b64encode(b"AWS:a password").decode()


@dataclass
class Front:
    """The registry API: what it answers, and what it was asked, with which credentials."""

    status: int = 201
    location: str = "/v2/release/app/blobs/uploads/17"
    asked: list[str] = field(default_factory=list)
    credentials: set[str | None] = field(default_factory=set)
    url: str = ""

    def wire(self, place: str | None = None) -> Wire:
        login = {"authorizationToken": TOKEN, "expiresAt": 1, "proxyEndpoint": place or self.url}
        return Wire(lambda *_: ok({"authorizationData": [login]}))


@contextmanager
def a_front(**answers: Any) -> Iterator[Front]:
    front = Front(**answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            front.asked.append(f"{self.command} {self.path}")
            front.credentials.add(self.headers["Authorization"])
            self.send_response(front.status)
            self.send_header("Location", front.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_DELETE = do_POST  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        front.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield front
        server.shutdown()


def test_a_layer_is_mounted_by_the_registry_api_with_the_token_that_ecr_gives() -> None:
    with a_front() as front:
        wire = front.wire()
        mount = Mount(wire.client())

        assert mount.mount(LAYER, source=APP, target=RELEASE)
        assert mount.mount(LAYER, source=APP, target=RELEASE)

    assert front.asked == [ASKED, ASKED]
    assert front.credentials == {f"Basic {TOKEN}"}
    assert wire.operations() == ["GetAuthorizationToken"]


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 405, 500])
def test_any_other_answer_is_a_no_and_the_next_try_asks_for_a_new_token(status: int) -> None:
    with a_front(status=status) as front:
        wire = front.wire()
        mount = Mount(wire.client())

        assert not mount.mount(LAYER, source=APP, target=RELEASE)
        assert not mount.mount(LAYER, source=APP, target=RELEASE)

    assert front.asked == [ASKED, ASKED]
    assert wire.operations() == ["GetAuthorizationToken", "GetAuthorizationToken"]


def test_an_upload_that_was_begun_instead_is_ended() -> None:
    with a_front(status=202) as front:
        assert not Mount(front.wire().client()).mount(LAYER, source=APP, target=RELEASE)

    assert front.asked == [ASKED, "DELETE /v2/release/app/blobs/uploads/17"]


@pytest.mark.parametrize("location", ["http://example.invalid/x", "https://127.0.0.1/x", ""])
def test_the_token_goes_nowhere_else(location: str) -> None:
    with a_front(status=202, location=location) as front:
        assert not Mount(front.wire().client()).mount(LAYER, source=APP, target=RELEASE)

    assert front.asked == [ASKED]


@pytest.mark.parametrize("place", ["http://example.invalid", "ftp://127.0.0.1", "file:///etc", "127.0.0.1"])
def test_no_token_is_sent_unencrypted_but_to_this_machine(place: str) -> None:
    with a_front() as front:
        assert not Mount(front.wire(place).client()).mount(LAYER, source=APP, target=RELEASE)

    assert front.asked == []


def test_where_nobody_answers_nothing_is_mounted() -> None:
    with a_front() as front:
        pass

    assert not Mount(front.wire().client(), patience=1).mount(LAYER, source=APP, target=RELEASE)


def test_without_a_token_nothing_is_mounted() -> None:
    denied = Wire(lambda *_: error("AccessDeniedException"))

    assert not Mount(denied.client()).mount(LAYER, source=APP, target=RELEASE)


@pytest.mark.parametrize("answer", [{}, {"authorizationData": []}])
def test_an_answer_that_was_cut_short_is_no_token(answer: Mapping[str, Any]) -> None:
    def cut(*_: Any) -> Answer:
        return ok(answer)

    with pytest.raises(Unavailable, match="GetAuthorizationToken lacks"):
        Mount(Wire(cut).client()).mount(LAYER, source=APP, target=RELEASE)
