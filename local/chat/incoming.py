"""Slack's incoming webhooks: what is answered to a message that is posted to one.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

import functools
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError, best_match

from local.chat.posts import Answer, Outcome, Post, Received, typed

__all__ = ["LONGEST", "NO_SERVICE", "TAKEN", "Answer", "IncomingWebhook", "answer", "refusal", "too_many"]

SCHEMA = Path(__file__).parents[2] / "schema" / "slack" / "message.schema.json"
TEAM, SERVICE = "T0WARDEN0", "B0LOCAL00"
LONGEST = 13_200
"""Characters of the blocks together; more is refused: https://github.com/slackapi/bolt-js/issues/2509."""


TAKEN = Answer(200, "ok")
NO_SERVICE = Answer(404, "no_service")


def too_many(retry_after: int) -> Answer:
    """Slack's rate limit, about one message a second: https://docs.slack.dev/apis/web-api/rate-limits."""
    return Answer(429, "rate_limited", {"Retry-After": str(retry_after)})


@dataclass(frozen=True, slots=True)
class IncomingWebhook:
    """A webhook of one channel, with a token that nobody knows."""

    channel: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    name: str = "slack"

    @property
    def target(self) -> str:
        """Where it is posted to."""
        return f"/services/{TEAM}/{SERVICE}/{self.token}"

    def claims(self, path: str) -> bool:
        """All paths of hooks.slack.com."""
        return path.startswith("/services/")

    def answer(self, post: Post) -> Outcome:
        """Take a message."""
        match post.path.split("/"):
            case ["", "services", team, service, token] if (team, service) == (TEAM, SERVICE):
                if not secrets.compare_digest(token.encode(), self.token.encode()):
                    return Answer(403, "invalid_token"), None
                given, payload = answer(post.body)
                return given, Received(payload, post.at, self.name, self.channel) if given == TAKEN else None
        return NO_SERVICE, None

    def addressed(self, post: Post) -> Post:
        """Its type is enough."""
        return typed(post)

    def secret(self, origin: str) -> str:
        """The URL."""
        return origin + self.target


def answer(body: bytes) -> tuple[Answer, dict[str, Any]]:
    """The answer to a body, and the payload that it carries: empty unless the answer is that it was taken."""
    try:
        payload = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return Answer(400, "invalid_payload", remark=str(error)), {}
    if not isinstance(payload, dict):
        return Answer(400, "invalid_payload", remark="not a JSON object"), {}
    given = refusal(payload)
    return (given, {}) if given else (TAKEN, payload)


def refusal(payload: dict[str, Any]) -> Answer | None:
    """Why Slack won't have such a message."""
    if not payload.get("text") and not payload.get("blocks"):
        return Answer(400, "no_text")
    problem = next(_problems(payload), None)
    if problem is not None:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem.absolute_path)
        text = "invalid_blocks" if where.startswith(".blocks") else "invalid_payload"
        return Answer(400, text, remark=f"{where or 'message'}: {problem.message[:300]}")
    length = len(json.dumps(payload.get("blocks", []), ensure_ascii=False))
    if length > LONGEST:
        return Answer(400, "msg_blocks_too_long", remark=f"{length} characters")
    return None


def _problems(payload: dict[str, Any]) -> Iterator[ValidationError]:
    """Where the payload breaks the schema. Each block is held against the schema of its own type, not of all of them.

    The error is then about the block that was meant.
    """
    message, blocks = _validators()
    yield from message.iter_errors(payload)
    for number, block in enumerate(payload.get("blocks", [])):
        kind = block.get("type") if isinstance(block, dict) else None
        validator = blocks.get(kind) if isinstance(kind, str) else None
        unknown = ValidationError(f"unknown type of block {kind!r}")
        problem = best_match(validator.iter_errors(block)) if validator else unknown
        if problem is not None:
            problem.path.extendleft((number, "blocks"))
            yield problem


@functools.cache
def _validators() -> tuple[Draft7Validator, dict[str, Draft7Validator]]:
    """Of the message but for its blocks, and of each type of block."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    definitions = schema["definitions"]
    blocks = {}
    for reference in definitions["KnownBlock"]["anyOf"]:
        definition = definitions[reference["$ref"].removeprefix("#/definitions/")]
        properties = definition.get("properties") or definition["anyOf"][0]["properties"]
        blocks[properties["type"]["const"]] = Draft7Validator(reference | {"definitions": definitions})
    definitions["Message"]["properties"]["blocks"]["items"] = {}
    return Draft7Validator(schema), blocks
