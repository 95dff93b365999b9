"""Any receiver of signed webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md."""

import base64
import binascii
import hmac
import json
import re
import secrets
from dataclasses import dataclass, field, replace

from local.chat.posts import Answer, Outcome, Post, Received, payload_of

PREFIX = "whsec_"
_MOMENT = re.compile(r"[0-9]{1,12}")
TOLERANCE = 300
"""Seconds by which a signature may be older or newer than now, so that it can't be played again later."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One that knows the key of whoever posts to it."""

    key: str = field(default_factory=lambda: PREFIX + base64.b64encode(secrets.token_bytes(32)).decode(), repr=False)
    name: str = "webhook"
    target: str = "/hooks/local"

    def claims(self, path: str) -> bool:
        """Hooks of any name."""
        return path.startswith("/hooks/")

    def answer(self, post: Post) -> Outcome:
        """Take what is signed."""
        problem = self._problem(post)
        if problem:
            return Answer(401, "", remark=problem), None
        payload = payload_of(post.body)
        if payload is None:
            return Answer(400, "", remark="not a JSON object"), None
        channel = post.path.removeprefix("/hooks/")
        return Answer(204, ""), Received(payload, post.at, self.name, channel, post.headers["webhook-id"])

    def addressed(self, post: Post) -> Post:
        """With the three headers that sign it."""
        name, moment = f"msg_{secrets.token_hex(8)}", str(int(post.at.timestamp()))
        signature = base64.b64encode(self._signature(name, moment, post.body)).decode()
        headers = {"webhook-id": name, "webhook-timestamp": moment, "webhook-signature": f"v1,{signature}"}
        return replace(post, headers=headers)

    def secret(self, origin: str) -> str:
        """The URL and the key."""
        return json.dumps({"url": origin + self.target, "key": self.key})

    def _problem(self, post: Post) -> str:
        name, moment = (post.headers.get(f"webhook-{part}", "") for part in ("id", "timestamp"))
        if not name:
            return "no webhook-id"
        if not _MOMENT.fullmatch(moment) or abs(int(moment) - post.at.timestamp()) > TOLERANCE:
            return f"webhook-timestamp is {moment!r}"
        expected = self._signature(name, moment, post.body)
        offered = post.headers.get("webhook-signature", "").split(" ")
        if not any(hmac.compare_digest(expected, _decoded(one)) for one in offered if one.startswith("v1,")):
            return "no signature in webhook-signature fits"
        return ""

    def _signature(self, name: str, moment: str, body: bytes) -> bytes:
        key = base64.b64decode(self.key.removeprefix(PREFIX))
        return hmac.digest(key, b".".join((name.encode(), moment.encode(), body)), "sha256")


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature.removeprefix("v1,"), validate=True)
    except (binascii.Error, ValueError):
        return b""
