"""A webhook of Discord: https://discord.com/developers/docs/resources/webhook#execute-webhook."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.chat import schemas
from local.chat.posts import Answer, Json, Outcome, Post, Received, as_json, payload_of, typed

WEBHOOK = "1300000000000000001"
LONGEST_CONTENT = 2_000
MOST_EMBEDS = 10
LONGEST_EMBEDS = 6_000
"""Characters of all embeds: https://discord.com/developers/docs/resources/message#embed-object-embed-limits."""
MOST_FIELDS = 25
_LIMITS = {"title": 256, "description": 4_096, "footer.text": 2_048, "author.name": 256}
_FIELD_LIMITS = {"name": 256, "value": 1_024}


def too_many(retry_after: float) -> Answer:
    """The rate limit: https://discord.com/developers/docs/topics/rate-limits."""
    body = {"message": "You are being rate limited.", "retry_after": retry_after, "global": False}
    headers = {
        "Retry-After": str(max(1, round(retry_after))),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset-After": str(retry_after),
    }
    return as_json(429, body, headers)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook of one channel, with a token that nobody knows."""

    channel: str
    taken: Sequence[Received] = ()
    token: str = field(default_factory=lambda: secrets.token_urlsafe(51), repr=False)
    name: str = "discord"

    @property
    def target(self) -> str:
        """Where it is posted to."""
        return f"/api/webhooks/{WEBHOOK}/{self.token}"

    def claims(self, path: str) -> bool:
        """All webhooks."""
        return path.startswith("/api/webhooks/")

    def answer(self, post: Post) -> Outcome:
        """Take a message; its name comes back where it is waited for."""
        *_, webhook, token = post.path.split("/")
        if webhook != WEBHOOK:
            return as_json(404, {"message": "Unknown Webhook", "code": 10015}), None
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            return as_json(401, {"message": "Invalid Webhook Token", "code": 50027}), None
        payload = payload_of(post.body)
        if payload is None:
            return as_json(400, {"message": "The request body contains invalid JSON.", "code": 50109}), None
        if not payload.get("content") and not payload.get("embeds"):
            return as_json(400, {"message": "Cannot send an empty message", "code": 50006}), None
        problem = next(_problems(payload), None) or _schema_problem(payload)
        if problem is not None:
            return _invalid(*problem), None
        message = Received(payload, post.at, self.name, self.channel, str(int(WEBHOOK) + 1 + len(self.taken)))
        waited = post.query.get("wait") == "true"
        return _shown(message) if waited else Answer(204, ""), message

    def addressed(self, post: Post) -> Post:
        """Its type is enough."""
        return typed(post)

    def secret(self, origin: str) -> str:
        """The URL."""
        return origin + self.target


def _shown(message: Received) -> Answer:
    return as_json(200, message.payload | {"id": message.id, "webhook_id": WEBHOOK, "type": 0})


def _problems(payload: Json) -> Iterator[tuple[str, str, str]]:
    """Where a limit is broken, with Discord's code and words for it."""
    yield from _too_long("content", payload.get("content"), LONGEST_CONTENT)
    embeds = payload.get("embeds") or []
    if isinstance(embeds, list) and all(isinstance(embed, dict) for embed in embeds):
        yield from _embed_problems(embeds)
    else:
        yield "embeds", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType"


def _embed_problems(embeds: list[Json]) -> Iterator[tuple[str, str, str]]:
    yield from _too_long("embeds", embeds, MOST_EMBEDS)
    for number, embed in enumerate(embeds):
        yield from _too_long(f"embeds.{number}.fields", embed.get("fields"), MOST_FIELDS)
        for name, limit in _LIMITS.items():
            yield from _too_long(f"embeds.{number}.{name}", _at(embed, name), limit)
        for position, one in enumerate(embed.get("fields") or []):
            for name, limit in _FIELD_LIMITS.items():
                yield from _too_long(f"embeds.{number}.fields.{position}.{name}", _at(one, name), limit)
    if sum(map(_length, embeds)) > LONGEST_EMBEDS:
        yield "embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {LONGEST_EMBEDS}"


def _too_long(where: str, value: Any, limit: int) -> Iterator[tuple[str, str, str]]:
    if value is not None and (not isinstance(value, str | list) or len(value) > limit):
        yield where, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length."


def _length(embed: Json) -> int:
    texts = [_at(embed, name) for name in _LIMITS]
    texts += [_at(one, name) for one in embed.get("fields") or [] for name in _FIELD_LIMITS]
    return sum(len(text) for text in texts if isinstance(text, str))


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _schema_problem(payload: Json) -> tuple[str, str, str] | None:
    where, _, what = schemas.problem("discord", payload).partition(": ")
    return (where.replace("[", ".").replace("]", "").strip("."), "MODEL_TYPE_CONVERT", what) if what else None


def _invalid(where: str, code: str, message: str) -> Answer:
    errors: Json = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(where.split(".")):
        errors = {name: errors}
    body = {"message": "Invalid Form Body", "code": 50035, "errors": errors}
    return as_json(400, body, remark=f"{where}: {message}")
