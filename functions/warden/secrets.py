"""The addresses of channels, out of Secrets Manager; they go nowhere but to the request that needs them."""

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from warden.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEPT = timedelta(minutes=5)
"""How long a value is used before it is read again, so that a new address is taken up without a deployment."""


class Secrets:
    """Webhook addresses by the name of their secret."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        """`client` is a Secrets Manager client."""
        self._client = client
        self._known: dict[str, tuple[str, datetime]] = {}

    def webhook(self, secret: str, *, now: datetime) -> str:
        """The https address in the secret: its whole text, or the `url` of a JSON object.

        Raises Unavailable where there is none, so that the notice waits until somebody mends it. No error shows any of
        the secret's text.
        """
        known = self._known.get(secret)
        if known and now - known[1] < KEPT:
            return known[0]
        address = _address(secret, self._read(secret))
        self._known[secret] = (address, now)
        return address

    def forget(self, secret: str) -> None:
        """Read it again next time: the address did not work."""
        self._known.pop(secret, None)

    def _read(self, secret: str) -> str:
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


def _address(secret: str, text: str) -> str:
    if text.startswith("{"):
        try:
            text = str(json.loads(text).get("url", ""))
        except ValueError:
            text = ""
    if not text.startswith("https://"):
        raise Unavailable(
            f"the secret {secret} does not hold a webhook URL: expected one line that starts with https://, "
            'or {"url": "https://..."}'
        )
    return text
