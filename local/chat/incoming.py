"""What Slack answers to a message that is posted to an incoming webhook.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError, best_match

SCHEMA = Path(__file__).parents[2] / "schema" / "slack" / "message.schema.json"
LONGEST = 13_200
"""Characters of the blocks together; more is refused: https://github.com/slackapi/bolt-js/issues/2509."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a post; `remark` is for whoever watches this machine, and is not sent."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""


TAKEN = Answer(200, "ok")


def too_many(retry_after: int) -> Answer:
    """Slack's rate limit, about one message a second: https://docs.slack.dev/apis/web-api/rate-limits."""
    return Answer(429, "rate_limited", {"Retry-After": str(retry_after)})


def answer(body: bytes) -> tuple[Answer, dict[str, Any]]:
    """The answer to a body, and the payload that it carries: empty unless the answer is that it was taken."""
    try:
        payload = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return Answer(400, "invalid_payload", remark=str(error)), {}
    if not isinstance(payload, dict):
        return Answer(400, "invalid_payload", remark="not a JSON object"), {}
    refusal = _refusal(payload)
    return (refusal, {}) if refusal else (TAKEN, payload)


def _refusal(payload: dict[str, Any]) -> Answer | None:
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
