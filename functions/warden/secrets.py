"""Where channels post to, out of Secrets Manager; it goes nowhere but to the request that needs it."""

import json
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from warden.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEPT = timedelta(minutes=5)
"""How long a value is used before it is read again, so that a new address is taken up without a deployment."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a channel's secret holds: the `url` of a webhook, and the `key` that signs what goes to it.

    Or the `token` of a Slack bot, the id of the `channel` that it posts to, and the address of the `api` where it is
    not Slack's own. None of it stands in the repr.
    """

    url: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    channel: str = field(default="", repr=False)
    api: str = field(default="", repr=False)


class Secrets:
    """What channels need to post, by the name of their secret."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        """`client` is a Secrets Manager client."""
        self._client = client
        self._known: dict[str, tuple[Credentials, datetime]] = {}

    def credentials(self, secret: str, *, now: datetime) -> Credentials:
        """What the secret holds: its whole text is a webhook's https address, or a JSON object of the fields.

        Raises Unavailable where it holds neither an address nor a token, so that the notice waits until somebody mends
        it. No error shows any of the secret's text.
        """
        known = self._known.get(secret)
        if known and now - known[1] < KEPT:
            return known[0]
        found = _read(secret, self._text(secret))
        self._known[secret] = (found, now)
        return found

    def forget(self, secret: str) -> None:
        """Read it again next time: the address did not work."""
        self._known.pop(secret, None)

    def _text(self, secret: str) -> str:
        try:
            answer = self._client.get_secret_value(SecretId=secret)
        except self._client.exceptions.ResourceNotFoundException:
            raise Unavailable(
                f"the secret {secret} does not exist: make it, with the channel's webhook URL as its text, "
                f"by `aws secretsmanager create-secret --name {secret} --secret-string file://webhook-url.txt`"
            ) from None
        text = answer.get("SecretString")
        if text is None:
            raise Unavailable(f"the secret {secret} is binary: expected the channel's webhook URL as text")
        return text.strip()


def _read(secret: str, text: str) -> Credentials:
    values = {"url": text}
    if text.startswith("{"):
        try:
            values = dict(json.loads(text))
        except (ValueError, RecursionError):
            values = {}
    known = {each.name for each in fields(Credentials)}
    found = Credentials(**{name: value for name, value in values.items() if name in known and isinstance(value, str)})
    if found.token and found.channel:
        return found
    if not found.url.startswith("https://"):
        raise Unavailable(
            f"the secret {secret} does not hold a webhook URL: expected one line that starts with https://, "
            'or {"url": "https://..."}, or for a bot of Slack {"token": "xoxb-...", "channel": "C..."}'
        )
    return found
