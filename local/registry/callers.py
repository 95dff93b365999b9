"""Who calls the registry, and the 12-hour tokens by which a registry client speaks for them."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

TOKEN_LIFE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal as CloudTrail tells of it."""

    kind: Literal["AssumedRole", "IAMUser", "Root"]
    arn: str
    principal_id: str
    access_key: str
    role: str | None = None
    """ARN of the role, with its path, of an assumed role."""

    @property
    def name(self) -> str:
        """What the call log shows: the role, or whoever it is."""
        return self.role or self.arn


Authorize = Callable[[Caller, str, str], None]
"""Lets the caller do the action, like `ecr:PutImage`, on the resource, an ARN or `*`; or raises EcrError."""


@dataclass(slots=True)
class Tokens:
    """Authorization tokens that were given out.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
    """

    _given: dict[str, tuple[Caller, datetime]] = field(default_factory=dict)

    def issue(self, caller: Caller, now: datetime) -> tuple[str, datetime]:
        """A token, as GetAuthorizationToken gives it (`AWS:password` in base64), and when it ends."""
        password, ends = secrets.token_urlsafe(96), now + TOKEN_LIFE
        self._given[password] = caller, ends
        return base64.b64encode(f"AWS:{password}".encode()).decode(), ends

    def holder(self, credentials: str, now: datetime) -> Caller | None:
        """Whom the value of a Basic `Authorization` header speaks for; None for nobody, or not any more."""
        scheme, _, encoded = credentials.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        caller, ends = self._given.get(password, (None, now))
        return caller if scheme.lower() == "basic" and user == "AWS" and now < ends else None
