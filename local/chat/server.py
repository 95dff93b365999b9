"""The chat: a webhook over https that answers as Slack does, and a page over http that shows what it took."""

import json
import secrets
import tempfile
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qs, urlsplit

from local.chat import certificates
from local.chat.incoming import TAKEN, Answer, answer
from local.chat.page import HEADERS, part

HOST = "127.0.0.1"
TEAM, SERVICE = "T0WARDEN0", "B0LOCAL00"
LONGEST_BODY = 1_000_000


@dataclass(frozen=True, slots=True)
class Received:
    """A message that the chat took."""

    payload: dict[str, Any]
    at: datetime


class Chat:
    """A channel with one incoming webhook; a context manager, served by threads of this process.

    `url` is the webhook's, secret token included; `ca_bundle` is the file that a client must trust (SSL_CERT_FILE);
    `page` is the address of the page; `messages` is what was taken, oldest first; `refused` are the answers that
    weren't Slack's "ok".
    """

    def __init__(self, port: int = 0, *, page_port: int = 0, channel: str = "platform") -> None:
        """Port 0 is any that is free."""
        self.channel = channel
        self.messages: list[Received] = []
        self.refused: list[Answer] = []
        self._lock = threading.Lock()
        self._misbehaviour: deque[Answer] = deque()
        self._directory = tempfile.TemporaryDirectory(prefix="chat-")
        context, self.ca_bundle = certificates.make(Path(self._directory.name))
        self._webhook = _Server((HOST, port), _WebhookHandler, self)
        # The handshake is made in the connection's own thread: one that never comes must not hold the others up.
        self._webhook.socket = context.wrap_socket(
            self._webhook.socket, server_side=True, do_handshake_on_connect=False
        )
        self._page = _Server((HOST, page_port), _PageHandler, self)
        self._token = secrets.token_urlsafe(18)
        self.port: int = self._webhook.server_address[1]
        self.url = f"https://{HOST}:{self.port}/services/{TEAM}/{SERVICE}/{self._token}"
        self.page = f"http://{HOST}:{self._page.server_address[1]}/"

    def __enter__(self) -> Self:
        """Start answering."""
        for server in (self._webhook, self._page):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, and leave nothing behind."""
        for server in (self._webhook, self._page):
            server.shutdown()
            server.server_close()
        self._directory.cleanup()

    def misbehave(self, answer: Answer, *, times: int = 1) -> None:
        """Answer the next posts so, whatever they say, and keep none of them."""
        with self._lock:
            self._misbehaviour.extend([answer] * times)

    def show(self, payload: dict[str, Any]) -> Answer | None:
        """Take a payload without a post; returns the refusal, if it would be refused."""
        given = self.take(urlsplit(self.url).path, json.dumps(payload).encode())
        return None if given == TAKEN else given

    def take(self, path: str, body: bytes) -> Answer:
        """The answer to a post; what is answered "ok" is kept."""
        given, payload = self._answer(path, body)
        with self._lock:
            if given == TAKEN:
                self.messages.append(Received(payload, datetime.now(UTC)))
            else:
                self.refused.append(given)
        return given

    def listing(self, after: int) -> dict[str, Any]:
        """The messages from that number on, for the page."""
        with self._lock:
            newer = self.messages[after:]
        messages = [
            {"text": message.payload.get("text"), "blocks": message.payload.get("blocks"), "at": message.at.isoformat()}
            for message in newer
        ]
        return {"channel": self.channel, "messages": messages}

    def _answer(self, path: str, body: bytes) -> tuple[Answer, dict[str, Any]]:
        with self._lock:
            if self._misbehaviour:
                return self._misbehaviour.popleft(), {}
        match path.split("/"):
            case ["", "services", team, service, token] if (team, service) == (TEAM, SERVICE):
                if not secrets.compare_digest(token.encode(), self._token.encode()):
                    return Answer(403, "invalid_token"), {}
                return answer(body)
        return Answer(404, "no_service"), {}


class _Server(ThreadingHTTPServer):
    """Threads that end with the process; a handler finds its chat here."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], chat: Chat) -> None:
        super().__init__(address, handler)
        self.chat = chat

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or doesn't believe our certificate, is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    @property
    def chat(self) -> Chat:
        return cast("_Server", self.server).chat

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the path of a webhook is its password."""

    def body(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(min(length, LONGEST_BODY))

    def reply(self, status: int, kind: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _WebhookHandler(_Handler):
    def do_POST(self) -> None:
        """Take a message, as hooks.slack.com does."""
        given = self.chat.take(self.path, self.body())
        self.reply(given.status, "text/html", given.text.encode(), given.headers)


class _PageHandler(_Handler):
    def do_GET(self) -> None:
        """Show the page, its parts, and the messages that it asks for."""
        url = urlsplit(self.path)
        if self.headers.get("Host") != urlsplit(self.chat.page).netloc:
            # Another site's name that resolves to this machine: its scripts must not read the messages.
            self.reply(421, "text/plain", b"this page is at " + self.chat.page.encode())
        elif url.path == "/messages":
            after = int(parse_qs(url.query).get("after", ["0"])[0])
            self.reply(200, "application/json", json.dumps(self.chat.listing(after)).encode())
        else:
            file = part(url.path)
            self.reply(file.status, file.kind, file.content, HEADERS)

    def do_POST(self) -> None:
        """Misbehave on command: `{"status": 429, "text": "rate_limited", "retry_after": 2, "times": 3}`."""
        if self.path != "/misbehave" or self.headers.get_content_type() != "application/json":
            self.reply(404, "text/plain", b"POST JSON to /misbehave")
            return
        order = json.loads(self.body())
        headers = {"Retry-After": str(order["retry_after"])} if "retry_after" in order else {}
        self.chat.misbehave(Answer(order["status"], order.get("text", ""), headers), times=order.get("times", 1))
        self.reply(204, "text/plain", b"")
