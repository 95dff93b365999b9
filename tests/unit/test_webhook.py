"""Posting to a webhook: to an allowed host and nowhere else, within its deadline, and without a word of its URL."""

import json
import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import trustme

from local.chat import Chat, certificates
from local.chat.incoming import Answer, too_many
from warden import webhook
from warden.channels.slack import HOSTS as SLACK_HOSTS
from warden.errors import Rejected, Unavailable, WardenError

SECRET = "canary0token0of0the0webhook"
BODY = json.dumps({"text": "hello"}).encode()
SLACK = f"https://hooks.slack.com/services/T0/B0/{SECRET}"


class Server:
    """A TLS server on this machine that does with each connection what it is told to; its addresses are counted."""

    def __init__(self, context: ssl.SSLContext, script: Callable[[ssl.SSLSocket], None]) -> None:
        self._context = context
        self._script = script
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.done = threading.Event()
        self.host = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.url = f"https://{self.host}/services/T0/B0/{SECRET}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.done.set()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            try:
                with closing(self._context.wrap_socket(plain, server_side=True)) as connection:
                    self._script(connection)
            except OSError:
                continue


Serve = Callable[[Callable[[ssl.SSLSocket], None]], Server]


def answering(head: str, body: str = "") -> Callable[[ssl.SSLSocket], None]:
    """A script that reads a request and answers it."""

    def script(connection: ssl.SSLSocket) -> None:
        request = b""
        while b"hello" not in request:
            request += connection.recv(65_536)
        connection.sendall(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    return script


@pytest.fixture(autouse=True)
def fresh_tls() -> Iterator[None]:
    webhook._tls.cache_clear()
    yield
    webhook._tls.cache_clear()


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    with Chat() as chat:
        monkeypatch.setenv("SSL_CERT_FILE", str(chat.ca_bundle))
        yield chat


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Serve:
    context, bundle = certificates.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    return lambda script: Server(context, script)


def post(url: str, *hosts: str, deadline: float = 5.0, headers: dict[str, str] | None = None) -> None:
    webhook.post(url, BODY, channel="platform", allowed_hosts=hosts, deadline=deadline, headers=headers)


def failure(url: str, *hosts: str, deadline: float = 5.0) -> WardenError:
    """The error that a post ends with, after looking for the URL in everything that could be logged of it."""
    with pytest.raises((Rejected, Unavailable)) as caught:
        post(url, *hosts, deadline=deadline)
    error = caught.value
    told = [str(error), repr(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
    assert not any(SECRET in text for text in told)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert str(error).startswith("channel platform: ")
    return error


def test_a_message_that_is_taken_has_arrived(chat: Chat) -> None:
    post(chat.url, f"127.0.0.1:{chat.port}")

    assert [message.payload for message in chat.messages] == [{"text": "hello"}]


def test_the_request_is_one_that_slack_understands(serve: Serve) -> None:
    requests: list[bytes] = []

    def script(connection: ssl.SSLSocket) -> None:
        requests.append(connection.recv(65_536))
        while not requests[0].endswith(BODY):
            requests[0] += connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serve(script) as server:
        post(server.url, server.host, headers={"Webhook-Id": "n-1"})
        head, _, body = requests[0].partition(b"\r\n\r\n")

    lines = head.decode().split("\r\n")
    assert lines[0] == f"POST /services/T0/B0/{SECRET} HTTP/1.1"
    assert f"Host: {server.host}" in lines
    assert "Content-Type: application/json; charset=utf-8" in lines
    assert f"Content-Length: {len(BODY)}" in lines
    assert "Webhook-Id: n-1" in lines
    assert body == BODY


@pytest.mark.parametrize(
    ("status", "reason", "kind", "words"),
    [
        (400, "invalid_payload", Rejected, "not one that it takes"),
        (400, "invalid_blocks", Rejected, "not one that it takes"),
        (400, "invalid_blocks_format", Rejected, "not one that it takes"),
        (400, "msg_blocks_too_long", Rejected, "not one that it takes"),
        (400, "no_text", Rejected, "not one that it takes"),
        (400, "too_many_attachments", Rejected, "not one that it takes"),
        (413, "", Rejected, "not one that it takes"),
        (400, "user_not_found", Unavailable, "check the channel's secret"),
        (400, "no_team", Unavailable, "check the channel's secret"),
        (401, "", Unavailable, "check the channel's secret"),
        (403, "invalid_token", Unavailable, "revoked"),
        (403, "action_prohibited", Unavailable, "admin"),
        (403, "posting_to_general_channel_denied", Unavailable, "some people"),
        (403, "team_disabled", Unavailable, "disabled"),
        (404, "channel_not_found", Unavailable, "deleted"),
        (404, "no_service", Unavailable, "removed"),
        (404, "no_active_hooks", Unavailable, "switched off"),
        (404, "<html>not found</html>", Unavailable, "no such webhook"),
        (410, "channel_is_archived", Unavailable, "archived"),
        (408, "", Unavailable, "try again later"),
        (429, "rate_limited", Unavailable, "try again later"),
        (500, "rollup_error", Unavailable, "try again later"),
        (503, "", Unavailable, "try again later"),
    ],
)
def test_each_refusal_says_whether_the_message_or_the_webhook_is_wrong(
    chat: Chat, status: int, reason: str, kind: type[WardenError], words: str
) -> None:
    chat.misbehave(Answer(status, reason))

    error = failure(chat.url, f"127.0.0.1:{chat.port}")

    assert type(error) is kind
    assert words in str(error)
    assert f"answered {status}" in str(error)
    assert (f"{status} {reason}:" in str(error)) is ("_" in reason)
    assert chat.messages == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ("Retry-After: 30", 30),
        ("Retry-After: 0", 0),
        ("Retry-After: 999999999999999999999", 900),
        ("Retry-After: -5", None),
        ("Retry-After: soon", None),
        ("Retry-After: \u00b2", None),
        ("X: y", None),
        ("Date: Mon, 23 Nov 2026 14:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 14:01:30 GMT", 90),
        ("Date: Mon, 23 Nov 2026 14:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 13:00:00 GMT", 0),
        ("Date: Mon, 23 Nov 2026 14:00:00 GMT\r\nRetry-After: Tue, 24 Nov 2026 14:00:00 GMT", 900),
        ("Retry-After: Mon, 23 Nov 2026 14:01:30 GMT", None),
        ("Date: Mon, 23 Nov 2026 14:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 14:01:30", None),
    ],
)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_wait_that_is_asked_for_is_passed_on(serve: Serve, status: str, headers: str, seconds: float | None) -> None:
    with serve(answering(f"{status}\r\n{headers}")) as server:
        error = failure(server.url, server.host)

    assert isinstance(error, Unavailable)
    assert error.retry_after == seconds


def test_rate_limits_of_the_chat_are_passed_on(chat: Chat) -> None:
    chat.misbehave(too_many(7), times=2)

    for _ in range(2):
        error = failure(chat.url, f"127.0.0.1:{chat.port}")
        assert isinstance(error, Unavailable)
        assert error.retry_after == 7
    post(chat.url, f"127.0.0.1:{chat.port}")
    assert len(chat.messages) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(serve: Serve, status: int) -> None:
    with (
        serve(answering("200 OK", "ok")) as elsewhere,
        serve(answering(f"{status} Moved\r\nLocation: {elsewhere.url}")) as server,
    ):
        error = failure(server.url, server.host, elsewhere.host)

    assert isinstance(error, Unavailable)
    assert "redirects are not followed" in str(error)
    assert elsewhere.connections == 0


def test_no_proxy_is_used(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    post(chat.url, f"127.0.0.1:{chat.port}")

    assert len(chat.messages) == 1


@pytest.mark.parametrize(
    "echo", [SECRET, f"no such token {SECRET}", f"/services/T0/B0/{SECRET}", "services", f"x_{SECRET}\n"]
)
def test_an_answer_that_echoes_the_url_is_not_repeated(serve: Serve, echo: str) -> None:
    for status in ("400 Bad Request", "403 Forbidden", "500 Oops"):
        with serve(answering(status, echo)) as server:
            assert echo.strip() not in str(failure(server.url, server.host))


UNTRUSTED: list[tuple[str, str]] = [
    ("http", f"http://hooks.slack.com/services/{SECRET}"),
    ("no scheme", f"//hooks.slack.com/services/{SECRET}"),
    ("file", f"file:///etc/{SECRET}"),
    ("gopher", f"gopher://hooks.slack.com/{SECRET}"),
    ("data", f"data:text/plain,{SECRET}"),
    ("no host", f"https:///{SECRET}"),
    ("no path", "https://hooks.slack.com"),
    ("nothing", ""),
    ("a word", SECRET),
    ("user", f"https://user@hooks.slack.com/{SECRET}"),
    ("host as user", f"https://hooks.slack.com@169.254.169.254/{SECRET}"),
    ("password", f"https://hooks.slack.com:443@evil.example/{SECRET}"),
    ("other port", f"https://hooks.slack.com:8443/{SECRET}"),
    ("port 80", f"https://hooks.slack.com:80/{SECRET}"),
    ("port 0443", f"https://hooks.slack.com:0443/{SECRET}"),
    ("suffix", f"https://hooks.slack.com.evil.example/{SECRET}"),
    ("prefix", f"https://evilhooks.slack.com/{SECRET}"),
    ("trailing dot", f"https://hooks.slack.com./{SECRET}"),
    ("encoded dot", f"https://hooks.slack.com%2eevil.example/{SECRET}"),
    ("backslash", f"https://hooks.slack.com\\@evil.example/{SECRET}"),
    ("in the path", f"https://evil.example/hooks.slack.com/{SECRET}"),
    ("in the fragment", f"https://evil.example/#@hooks.slack.com/{SECRET}"),
    ("fragment", f"https://hooks.slack.com/{SECRET}#x"),
    ("look-alike", f"https://ho\u043eks.slack.com/{SECRET}"),
    ("full width", f"https://hooks\uff0eslack.com/{SECRET}"),
    ("new line", f"https://hooks.slack.com/{SECRET}\r\nHost: evil.example"),
    ("last new line", f"https://hooks.slack.com/{SECRET}\n"),
    ("blank before", f" https://hooks.slack.com/{SECRET}"),
    ("blank inside", f"https://hooks.slack.com /{SECRET}"),
    ("null", f"https://hooks.slack.com/\x00{SECRET}"),
    ("credentials of the instance", f"https://169.254.169.254/{SECRET}"),
    ("credentials of the task", f"https://169.254.170.2/{SECRET}"),
    ("credentials by IPv6", f"https://[fd00:ec2::254]/{SECRET}"),
    ("loopback", f"https://127.0.0.1/{SECRET}"),
    ("short loopback", f"https://127.1/{SECRET}"),
    ("number", f"https://2130706433/{SECRET}"),
    ("hexadecimal", f"https://0x7f000001/{SECRET}"),
    ("octal", f"https://0177.0.0.1/{SECRET}"),
    ("IPv6 loopback", f"https://[::1]/{SECRET}"),
    ("mapped", f"https://[::ffff:169.254.169.254]/{SECRET}"),
    ("localhost", f"https://localhost/{SECRET}"),
    ("runtime", f"https://localhost:9001/{SECRET}"),
    ("somebody else's", f"https://evil.example/{SECRET}"),
    ("long", "https://hooks.slack.com:" + "4" * 10_000 + f"/{SECRET}"),
]


@pytest.mark.parametrize("url", [url for _, url in UNTRUSTED], ids=[name for name, _ in UNTRUSTED])
def test_a_url_that_is_not_one_of_an_allowed_host_is_not_even_looked_up(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("it was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(socket, "create_connection", fail)

    error = failure(url, *SLACK_HOSTS)

    assert isinstance(error, Unavailable)
    assert "its secret" in str(error)


PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "0.0.0.0",  # noqa: S104 - looked at, not bound to
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "2001:0:4136:e378:8000:63bf:5601:5601",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_allowed_name_that_leads_into_a_private_network_is_not_followed(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []
    resolve_to(monkeypatch, [address])
    monkeypatch.setattr(socket, "create_connection", lambda to, **_: connected.append(to))

    error = failure(SLACK, *SLACK_HOSTS)

    assert isinstance(error, Unavailable)
    assert "not public" in str(error)
    assert connected == []
    assert not webhook.is_public(address)


@pytest.mark.parametrize(
    ("host", "listed"),
    [
        ("a.logic.azure.com", True),
        ("prod-12.westeurope.logic.azure.com", True),
        ("logic.azure.com", False),
        ("evillogic.azure.com", False),
        (".logic.azure.com", False),
        ("a..logic.azure.com", False),
        ("a.logic.azure.com.evil.example", False),
        ("hooks.example.com", True),
    ],
)
def test_a_host_is_listed_by_its_name_or_by_what_it_is_below(host: str, listed: bool) -> None:
    assert webhook.is_listed(host, {"*.logic.azure.com", "hooks.example.com"}) is listed


@pytest.mark.parametrize("address", ["3.5.140.2", "2600:1f00::1", "64:ff9b::305:8c02", "::ffff:3.5.140.2"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert webhook.is_public(address)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["10.0.0.1", "3.5.140.2"], ["169.254.169.254"]])
    resolve_to(monkeypatch, answers)
    connected: list[tuple[str, int]] = []

    def connect(to: tuple[str, int], **_: Any) -> socket.socket:
        connected.append(to)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", connect)

    error = failure(SLACK, *SLACK_HOSTS)

    assert connected == [("3.5.140.2", 443)]
    assert next(answers) == ["169.254.169.254"]
    assert "hooks.slack.com can't be reached: Connection refused" in str(error)


def test_the_next_address_is_tried_where_the_first_does_not_answer(serve: Serve) -> None:
    with serve(answering("200 OK", "ok")) as server:
        port = server.host.partition(":")[2]
        connection = webhook._Connection(
            webhook._Target("127.0.0.1", int(port), "/", True), ["127.0.0.2", "127.0.0.1"], time.monotonic() + 5
        )
        connection.connect()
        connection.close()


def test_a_name_that_is_allowed_with_its_port_may_still_not_lead_into_a_private_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve_to(monkeypatch, ["10.0.0.1"])

    assert "not public" in str(failure(f"https://chat.example:8443/{SECRET}", "chat.example:8443"))


def test_a_local_address_needs_its_port_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not public" in str(failure(f"https://127.0.0.1/{SECRET}", "127.0.0.1"))
    assert "we don't post to" in str(failure(f"https://127.0.0.1:4801/{SECRET}", "127.0.0.1"))
    assert "we don't post to" in str(failure(f"https://localhost:4801/{SECRET}", "127.0.0.1:4801"))


def test_localhost_with_its_port_in_the_list_is_posted_to(chat: Chat) -> None:
    post(chat.url.replace("127.0.0.1", "LOCALHOST"), f"localhost:{chat.port}")

    assert len(chat.messages) == 1


def test_a_name_that_does_not_resolve_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert "Name or service not known" in str(failure(SLACK, *SLACK_HOSTS))


def test_a_certificate_that_nobody_vouches_for_is_not_believed(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    error = failure(chat.url.rpartition("/")[0] + f"/{SECRET}", f"127.0.0.1:{chat.port}")

    assert isinstance(error, Unavailable)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert not chat.messages and not chat.refused


def test_a_certificate_of_another_host_is_not_believed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("evil.example").configure_cert(context)

    with Server(context, answering("200 OK", "ok")) as server:
        assert "CERTIFICATE_VERIFY_FAILED" in str(failure(server.url, server.host))


def test_an_answer_that_drips_ends_with_the_deadline(serve: Serve) -> None:
    def script(connection: ssl.SSLSocket) -> None:
        while not server.done.wait(0.05):
            connection.sendall(b"H")

    with serve(script) as server:
        began = time.monotonic()
        error = failure(server.url, server.host, deadline=0.5)
        assert time.monotonic() - began < 3

    assert isinstance(error, Unavailable)
    assert "no answer in time" in str(error)


def test_a_server_that_never_answers_ends_with_the_deadline(serve: Serve) -> None:
    def script(_: ssl.SSLSocket) -> None:
        server.done.wait()

    with serve(script) as server:
        error = failure(server.url, server.host, deadline=0.3)

    assert isinstance(error, Unavailable)
    assert "no answer in time" in str(error)


def test_a_handshake_that_never_comes_ends_with_the_deadline(serve: Serve) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        assert isinstance(failure(f"https://{host}/{SECRET}", host, deadline=0.3), Unavailable)


def test_of_an_endless_answer_only_the_beginning_is_read(serve: Serve) -> None:
    def script(connection: ssl.SSLSocket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.done.is_set():
            connection.sendall(b"x" * 65_536)

    with serve(script) as server:
        post(server.url, server.host)


@pytest.mark.parametrize("words", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 banana\r\n\r\n", b"HTTP/9\r\n\r\n"])
def test_an_answer_that_is_not_http_is_unavailable(serve: Serve, words: bytes) -> None:
    def script(connection: ssl.SSLSocket) -> None:
        connection.recv(65_536)
        connection.sendall(words)

    with serve(script) as server:
        error = failure(server.url, server.host)

    assert isinstance(error, Unavailable)
    assert "can't be reached" in str(error)


def test_nothing_is_logged_of_the_url_at_any_level(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    chat.misbehave(Answer(500, "oops"))

    failure(chat.url, f"127.0.0.1:{chat.port}")
    post(chat.url, f"127.0.0.1:{chat.port}")

    assert chat.url.rpartition("/")[2] not in caplog.text


def resolve_to(monkeypatch: pytest.MonkeyPatch, answers: list[str] | Iterator[list[str]]) -> None:
    """Have the name server answer so."""

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        addresses = answers if isinstance(answers, list) else next(answers)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
