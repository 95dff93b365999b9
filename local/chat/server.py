"""The chat: over https it answers as each product does, over http it shows on a page what it took."""

import json
import tempfile
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qs, urlsplit

from local.chat import certificates, discord, google_chat, hooks, incoming, slack_api, teams
from local.chat.incoming import NO_SERVICE
from local.chat.page import HEADERS, part
from local.chat.posts import Answer, Outcome, Post, Product, Received

__all__ = ["Chat", "Received"]

HOST = "127.0.0.1"
LONGEST_BODY = 1_000_000


class Chat:
    """A channel in each product; a context manager, served by threads of this process.

    `url` is that of Slack's incoming webhook, secret token included, `secrets()` has what the channels of the other
    products need; `ca_bundle` is the file that a client must trust (SSL_CERT_FILE); `page` is the address of the page;
    `messages` is what was taken, oldest first; `refused` are the answers to all else.
    """

    def __init__(self, port: int = 0, *, page_port: int = 0, channel: str = "platform") -> None:
        """Port 0 is any that is free."""
        self.channel = channel
        self.messages: list[Received] = []
        self.refused: list[Answer] = []
        self._changes: list[int] = []
        self._lock = threading.Lock()
        self._misbehaviour: list[tuple[str, Answer]] = []
        self._directory = tempfile.TemporaryDirectory(prefix="chat-")
        context, self.ca_bundle = certificates.make(Path(self._directory.name))
        self._webhook = _Server((HOST, port), _WebhookHandler, self)
        # The handshake is made in the connection's own thread: one that never comes must not hold the others up.
        self._webhook.socket = context.wrap_socket(
            self._webhook.socket, server_side=True, do_handshake_on_connect=False
        )
        self._page = _Server((HOST, page_port), _PageHandler, self)
        receiver = hooks.Receiver()
        self._products: Mapping[str, Product] = {
            product.name: product
            for product in (
                incoming.IncomingWebhook(channel),
                slack_api.WebApi(self.messages),
                teams.Workflow(channel),
                discord.Webhook(channel, self.messages),
                google_chat.Space(channel, self.messages),
                receiver,
            )
        }
        self.webhook_secret = receiver.key
        self.port: int = self._webhook.server_address[1]
        self.origin = f"https://{HOST}:{self.port}"
        self.url = self.secrets()["slack"]
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

    def secrets(self) -> Mapping[str, str]:
        """For each product, the text of the secret that a channel of that type holds."""
        return {name: product.secret(self.origin) for name, product in self._products.items()}

    def misbehave(self, answer: Answer, *, times: int = 1, path: str = "/") -> None:
        """Answer the next posts to paths that begin so, whatever they say, and keep none of them."""
        with self._lock:
            self._misbehaviour.extend([(path, answer)] * times)

    def show(self, payload: dict[str, Any], product: str = "slack", *, at: datetime | None = None) -> Answer | None:
        """Take a payload without a post, as if it came then; returns the refusal, if it would be refused."""
        one = self._products[product]
        given, message = self._take(one.addressed(Post(one.target, json.dumps(payload).encode(), {}, at or now())))
        return given if message is None else None

    def take(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a post; what is taken is kept."""
        named = {name.lower(): value for name, value in (headers or {}).items()}
        return self._take(Post(path, body, named, now()))[0]

    def listing(self, after: int) -> dict[str, Any]:
        """The messages that came or changed since that many changes, for the page."""
        with self._lock:
            changes = self._changes
            messages = [_listed(number, self.messages[number]) for number in sorted(set(changes[after:]))]
            return {"channel": self.channel, "changes": len(changes), "messages": messages}

    def _take(self, post: Post) -> Outcome:
        with self._lock:
            given, message = self._outcome(post)
            if message is None:
                self.refused.append(given)
            else:
                self._keep(message)
        return given, message

    def _outcome(self, post: Post) -> Outcome:
        for number, (path, answer) in enumerate(self._misbehaviour):
            if post.path.startswith(path):
                del self._misbehaviour[number]
                return answer, None
        for product in self._products.values():
            if product.claims(post.path):
                return product.answer(post)
        return NO_SERVICE, None

    def _keep(self, message: Received) -> None:
        same = (number for number, one in enumerate(self.messages) if message.id and _name(one) == _name(message))
        number = next(same, len(self.messages))
        self.messages[number : number + 1] = [message]
        self._changes.append(number)


def now() -> datetime:
    """The time at which a post comes."""
    return datetime.now(UTC)


def _name(message: Received) -> tuple[str, str]:
    return message.product, message.id


def _listed(number: int, message: Received) -> dict[str, Any]:
    return {
        "number": number,
        "product": message.product,
        "channel": message.channel,
        "payload": message.payload,
        "at": message.at.isoformat(),
        "id": message.id,
        "thread": message.thread,
        "edited": message.edited,
    }


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

    def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        length = {} if status == 204 else {"Content-Length": str(len(body))}  # noqa: PLR2004 - which has no body
        for name, value in {**length, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _WebhookHandler(_Handler):
    def do_POST(self) -> None:
        """Take a message, as the product whose path it is does."""
        given = self.chat.take(self.path, self.body(), dict(self.headers.items()))
        self.reply(given.status, given.text.encode(), {"Content-Type": "text/html", **given.headers})


class _PageHandler(_Handler):
    def do_GET(self) -> None:
        """Show the page, its parts, and the messages that it asks for."""
        url = urlsplit(self.path)
        if self.headers.get("Host") != urlsplit(self.chat.page).netloc:
            # Another site's name that resolves to this machine: its scripts must not read the messages.
            self.reply(421, b"this page is at " + self.chat.page.encode(), {"Content-Type": "text/plain"})
        elif url.path == "/messages":
            after = int(parse_qs(url.query).get("after", ["0"])[0])
            listing = json.dumps(self.chat.listing(after)).encode()
            self.reply(200, listing, {"Content-Type": "application/json"})
        else:
            file = part(url.path)
            self.reply(file.status, file.content, {"Content-Type": file.kind, **HEADERS})

    def do_POST(self) -> None:
        """Misbehave on command: `{"status": 429, "text": "busy", "retry_after": 2, "times": 3, "path": "/v1"}`."""
        if self.path != "/misbehave" or self.headers.get_content_type() != "application/json":
            self.reply(404, b"POST JSON to /misbehave", {"Content-Type": "text/plain"})
            return
        order = json.loads(self.body())
        headers = {"Retry-After": str(order["retry_after"])} if "retry_after" in order else {}
        answer = Answer(order["status"], order.get("text", ""), headers)
        self.chat.misbehave(answer, times=order.get("times", 1), path=order.get("path", "/"))
        self.reply(204, b"", {})
