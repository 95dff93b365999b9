"""What comes over the wire, what is answered, and what is kept of it; the same for every product."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Post:
    """A request; the names of its headers are in lower case."""

    target: str
    body: bytes
    headers: Mapping[str, str]
    at: datetime

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> Mapping[str, str]:
        """What the query says, the last word on each name."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a post; `remark` is for whoever watches this machine, and is not sent."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that the chat took.

    `id` is the product's name for it, empty where it gives none: the same name is the same message, and the later one
    takes its place. `thread` is the name of the message that it goes on from, or of their thread.
    """

    payload: Json
    at: datetime
    product: str = "slack"
    channel: str = ""
    id: str = ""
    thread: str = ""
    edited: bool = False


Outcome = tuple[Answer, Received | None]
"""The answer, and the message to keep; without one the answer is a refusal."""


class Product(Protocol):
    """A chat product, or another receiver, as far as a warden meets it."""

    @property
    def name(self) -> str:
        """As a policy calls this type of channel."""

    @property
    def target(self) -> str:
        """Where its messages go: the path and the query."""

    def claims(self, path: str) -> bool:
        """Whether a post to that path is for it."""

    def answer(self, post: Post) -> Outcome:
        """What it answers."""

    def addressed(self, post: Post) -> Post:
        """The post with the headers that it asks for."""

    def secret(self, origin: str) -> str:
        """The text of the secret that a channel of this type holds."""


def typed(post: Post) -> Post:
    """The post with its type, which is all that most products ask for."""
    return replace(post, headers={"content-type": "application/json; charset=utf-8"})


def as_json(status: int, body: object, headers: Mapping[str, str] | None = None, *, remark: str = "") -> Answer:
    """An answer in JSON."""
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status, json.dumps(body), kind | dict(headers or {}), remark)


def payload_of(body: bytes) -> Json | None:
    """The JSON object that the body is; None where it is none."""
    try:
        payload = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None
