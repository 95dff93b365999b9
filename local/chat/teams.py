"""A Teams workflow that posts to a channel when a webhook request is received.

https://learn.microsoft.com/connectors/teams/#microsoft-teams-webhook. It answers 202 before the card is shown, and
says nothing more.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from local.chat import schemas
from local.chat.posts import Answer, Json, Outcome, Post, Received, as_json, payload_of, typed

LONGEST = 28_672
"""Bytes of a message: https://learn.microsoft.com/microsoftteams/limits-specifications-teams."""
CARD = "application/vnd.microsoft.card.adaptive"
TAKEN = Answer(202, "")
WORKFLOW = "0c0ffee00c0ffee00c0ffee00c0ffee0"


def too_many(retry_after: int) -> Answer:
    """More than about four requests a second."""
    return _error(429, "WorkflowRunThrottled", "try again later", {"Retry-After": str(retry_after)})


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow, with a signature that nobody knows."""

    channel: str
    signature: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    name: str = "teams"

    @property
    def target(self) -> str:
        """The path of the trigger, and the query that lets its caller in."""
        query = {"api-version": "1", "sp": "/triggers/manual/run", "sv": "1.0", "sig": self.signature}
        return f"/workflows/{WORKFLOW}/triggers/manual/paths/invoke?{urlencode(query)}"

    def claims(self, path: str) -> bool:
        """All workflows."""
        return path.startswith("/workflows/")

    def answer(self, post: Post) -> Outcome:
        """Take a message with one card."""
        if post.path != self.target.partition("?")[0] or "api-version" not in post.query:
            return _error(404, "WorkflowNotFound", "the workflow could not be found"), None
        if not secrets.compare_digest(post.query.get("sig", "").encode(), self.signature.encode()):
            return _error(401, "DirectApiInvalidAuthorizationScheme", "the signature is not valid"), None
        if len(post.body) > LONGEST:
            return _error(413, "RequestEntityTooLarge", f"{len(post.body)} bytes"), None
        payload = payload_of(post.body)
        problem = "not a JSON object" if payload is None else _problem(payload)
        if payload is None or problem:
            return _error(400, "TriggerInputSchemaMismatch", problem), None
        return TAKEN, Received(payload, post.at, self.name, self.channel)

    def addressed(self, post: Post) -> Post:
        """Its type is enough."""
        return typed(post)

    def secret(self, origin: str) -> str:
        """The URL."""
        return origin + self.target


def _problem(payload: Json) -> str:
    match payload:
        case {"type": "message", "attachments": [{"contentType": kind, "content": dict(card)}]} if kind == CARD:
            # Microsoft's schema of cards doesn't know what Teams adds to them.
            return schemas.problem("teams", {name: value for name, value in card.items() if name != "msteams"})
    return "not a message with one Adaptive Card"


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return as_json(status, {"error": {"code": code, "message": message}}, headers, remark=message)
