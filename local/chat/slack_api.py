"""Slack's Web API, as far as a bot needs it that posts, replies and edits.

https://docs.slack.dev/reference/methods/chat.postMessage, https://docs.slack.dev/reference/methods/chat.update. Every
refusal is answered by 200 and `"ok": false`, but for the one of too many requests.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from local.chat.incoming import refusal
from local.chat.posts import Answer, Json, Outcome, Post, Received, as_json, payload_of

NAME = "slack_bot"
CHANNEL = "C0LOCAL"
LONGEST_TEXT = 40_000
"""Characters of `text`: https://docs.slack.dev/reference/methods/chat.postMessage#truncating."""
_ADDRESS = frozenset({"channel", "ts", "thread_ts", "reply_broadcast"})
_WORDS = {"invalid_payload": "invalid_arguments"}


def too_many(retry_after: int) -> Answer:
    """The rate limit: https://docs.slack.dev/apis/web-api/rate-limits."""
    return as_json(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(retry_after)})


@dataclass(frozen=True, slots=True)
class WebApi:
    """A workspace with one channel, of which the bot is a member."""

    taken: Sequence[Received] = ()
    token: str = field(default_factory=lambda: f"xoxb-{secrets.token_hex(12)}", repr=False)
    name: str = NAME
    target: str = "/api/chat.postMessage"

    def claims(self, path: str) -> bool:
        """All methods."""
        return path.startswith("/api/chat.")

    def answer(self, post: Post) -> Outcome:
        """Post a message or a reply, or change one."""
        bearer = post.headers.get("authorization", "").removeprefix("Bearer ")
        if not bearer:
            return _refused("not_authed")
        if not secrets.compare_digest(bearer.encode(), self.token.encode()):
            return _refused("invalid_auth")
        if not post.headers.get("content-type", "").startswith("application/json"):
            return _refused("invalid_post_type")
        payload = payload_of(post.body)
        if payload is None:
            return _refused("invalid_json")
        ours = [message for message in self.taken if message.product == self.name]
        match post.path:
            case self.target:
                return _posted(payload, ours, post.at)
            case "/api/chat.update":
                return _updated(payload, ours)
        return _refused("unknown_method")

    def addressed(self, post: Post) -> Post:
        """With the token, and the type that goes with it."""
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json; charset=utf-8"}
        return replace(post, headers=headers)

    def secret(self, origin: str) -> str:
        """The token, the channel and where the API is."""
        return json.dumps({"token": self.token, "channel": CHANNEL, "api": f"{origin}/api"})


def _posted(payload: Json, ours: Sequence[Received], at: datetime) -> Outcome:
    # Slack cuts a text that is too long rather than refuse it.
    text = payload.get("text")
    refused = _wrong(payload | {"text": text[:LONGEST_TEXT]} if isinstance(text, str) else payload)
    if refused:
        return refused
    thread = str(payload.get("thread_ts") or "")
    if thread and thread not in {message.id for message in ours if not message.thread}:
        return _refused("thread_not_found")
    # As in Slack, a message's name is the time at which it came; two of one moment differ in their fraction.
    name = f"{int(at.timestamp())}.{len(ours):06d}"
    return _taken(Received(payload, at, NAME, CHANNEL, name, thread))


def _updated(payload: Json, ours: Sequence[Received]) -> Outcome:
    if len(str(payload.get("text", ""))) > LONGEST_TEXT:
        return _refused("msg_too_long")
    refused = _wrong(payload)
    if refused:
        return refused
    for message in ours:
        if message.id == payload.get("ts"):
            return _taken(replace(message, payload=payload, edited=True))
    return _refused("message_not_found")


def _wrong(payload: Json) -> Outcome | None:
    if payload.get("channel") != CHANNEL:
        return _refused("channel_not_found")
    given = refusal({name: value for name, value in payload.items() if name not in _ADDRESS})
    return _refused(_WORDS.get(given.text, given.text), given.remark) if given else None


def _taken(message: Received) -> Outcome:
    body = {"ok": True, "channel": message.channel, "ts": message.id}
    return as_json(200, body), message


def _refused(error: str, remark: str = "") -> Outcome:
    return as_json(200, {"ok": False, "error": error}, remark=remark or error), None
