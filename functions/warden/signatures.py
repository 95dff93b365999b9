"""Signs what goes to a webhook, so that its receiver can tell that it is ours, whole and new.

The symmetric scheme of Standard Webhooks 1.0.0, which has ready-made libraries for receivers in a dozen languages:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
"""

import base64
import binascii
import hashlib
import hmac
import re

from warden.errors import Invalid, Unavailable

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""Without a full stop, which divides what is signed: with one, two messages could have the same signature."""


def sign(secret: str, *, id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers that go with the body, which must then be sent as it is, byte for byte.

    `id` is the same however often the message is tried, so that a receiver takes it once; `timestamp` is the time of
    this try, in seconds since 1970. Where `secret` holds several, with white space between, the message is signed with
    each of them, so that a receiver can go from an old one to a new one at any moment in between.

    Raises Unavailable where the secret is none, so that the notice waits until somebody mends it; no part of a secret
    is ever shown. Raises Invalid where the id can't be signed safely.

    >>> secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    >>> sign(secret, id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}')[
    ...     "webhook-signature"
    ... ]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    if not _ID.fullmatch(id):
        raise Invalid("the id of a signed message: expected 1 to 200 letters, digits, _ or -, and no full stop")
    signed = f"{id}.{timestamp}.".encode() + body
    signatures = (hmac.digest(key, signed, hashlib.sha256) for key in _keys(secret))
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures),
    }


def _keys(secret: str) -> list[bytes]:
    words = secret.split()
    keys = [_key(word) for word in words]
    if not keys or None in keys:
        # Raised here and not where it was noticed: an error that is being handled can hold what it was about.
        raise Unavailable(
            f"the secret that signs this webhook is not one: expected {PREFIX} and then {SHORTEST} to {LONGEST} random "
            "bytes in base64, or several of those with a space between. Make one by "
            f'`echo "{PREFIX}$(openssl rand -base64 32)"` and give it to the receiver too'
        )
    return [key for key in keys if key is not None]


def _key(word: str) -> bytes | None:
    """The bytes of one secret; like the reference libraries, it doesn't insist on the padding."""
    if not word.startswith(PREFIX):
        return None
    text = word[len(PREFIX) :].rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if SHORTEST <= len(key) <= LONGEST else None
