"""A webhook of a Google Chat space: https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from local.chat import schemas
from local.chat.posts import Answer, Json, Outcome, Post, Received, as_json, payload_of, typed

LONGEST = 32_000
"""Bytes of a message, its cards included."""
SPACE = "AAAALOCAL"
_REPLIES = frozenset({"REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD", "REPLY_MESSAGE_OR_FAIL"})


def too_many() -> Answer:
    """More than one message a second in a space: https://developers.google.com/workspace/chat/limits."""
    return _error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")


@dataclass(frozen=True, slots=True)
class Space:
    """A space with one webhook, with a token that nobody knows."""

    channel: str
    taken: Sequence[Received] = ()
    key: str = field(default_factory=lambda: secrets.token_urlsafe(30), repr=False)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    name: str = "google_chat"

    @property
    def target(self) -> str:
        """The path of its messages, and the query that lets its caller in."""
        return f"/v1/spaces/{SPACE}/messages?{urlencode({'key': self.key, 'token': self.token})}"

    def claims(self, path: str) -> bool:
        """All spaces."""
        return path.startswith("/v1/spaces/")

    def answer(self, post: Post) -> Outcome:
        """Take a message, into a thread where it says so; a request that came before gives the message of then."""
        if post.path != self.target.partition("?")[0]:
            return _error(404, "NOT_FOUND", "Requested entity was not found."), None
        shown = f"{post.query.get('key', '')} {post.query.get('token', '')}"
        if not secrets.compare_digest(shown.encode(), f"{self.key} {self.token}".encode()):
            return _error(403, "PERMISSION_DENIED", "The caller does not have permission"), None
        payload = payload_of(post.body)
        problem = "not a JSON object" if payload is None else _problem(payload, len(post.body))
        if payload is None or problem:
            return _error(400, "INVALID_ARGUMENT", problem), None
        name = f"spaces/{SPACE}/messages/{_name(post.query.get('requestId') or secrets.token_hex(8))}"
        for message in self.taken:
            if (message.product, message.id) == (self.name, name):
                return _created(message), message
        message = Received(payload, post.at, self.name, self.channel, name, _thread(payload, post.query, name))
        return _created(message), message

    def addressed(self, post: Post) -> Post:
        """Its type is enough."""
        return typed(post)

    def secret(self, origin: str) -> str:
        """The URL."""
        return origin + self.target


def _thread(payload: Json, query: Mapping[str, str], name: str) -> str:
    """The thread that the message asks for; its own, where the query doesn't say that it may reply."""
    thread = payload.get("thread") or {}
    asked = thread.get("name") or thread.get("threadKey") if query.get("messageReplyOption") in _REPLIES else None
    if asked and str(asked).startswith(f"spaces/{SPACE}/threads/"):
        return str(asked)
    return f"spaces/{SPACE}/threads/{_name(asked or name)}"


def _name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:11]


def _problem(payload: Json, length: int) -> str:
    if length > LONGEST:
        return f"Message is too long: {length} bytes"
    if not payload.get("text") and not payload.get("cardsV2"):
        return "Message cannot be empty."
    return schemas.problem("google_chat", payload)


def _created(message: Received) -> Answer:
    """To a webhook it says no more than these two names."""
    return as_json(200, {"name": message.id, "thread": {"name": message.thread}})


def _error(status: int, code: str, message: str) -> Answer:
    return as_json(status, {"error": {"code": status, "message": message, "status": code}}, remark=message)
