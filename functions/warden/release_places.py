"""Where release repositories are: in our own registry, in another region, or in another account by its role."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from warden.errors import Refused
from warden.events import Home
from warden.image_contents import ImageContents
from warden.image_copy import Place
from warden.layer_copy import LayerCopy
from warden.layers import LayerStore
from warden.lending import Connect, Credentials, Denied
from warden.promotion import Target
from warden.registry import Registry
from warden.release_repositories import ReleaseRepositories

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

LENT_FOR = timedelta(minutes=40)
"""Credentials live for an hour, and an invocation for a quarter of one: what begins with them ends with them."""


class Lender(Protocol):
    """Lends credentials of roles (`warden.lending.Lending`)."""

    def lend(self, role: str) -> Credentials:
        """The credentials of the role, for an hour."""


CopyTo = Callable[[Target, LayerStore, datetime], LayerCopy]
"""Makes what brings layers from our own registry to a target, in an invocation that began then."""


class ReleasePlaces:
    """The registries that images are promoted to; each is connected to when it is first asked for."""

    def __init__(self, home: Home, client: "ECRClient", *, lending: Lender, connect: Connect, copy_to: CopyTo) -> None:
        """`client` is one of our own registry; `connect` makes those of others."""
        self._home = home
        self._client = client
        self._lending = lending
        self._connect = connect
        self._copy_to = copy_to
        self._kept: dict[tuple[str, str], tuple[datetime, ECRClient]] = {}

    def at(self, target: Target, *, now: datetime) -> Place:
        """What is at the target. Raises Refused where its role does not let us in."""
        client = self._client_of(target, now)
        layers = LayerStore(client)
        return Place(
            registry=Registry(client, client),
            contents=ImageContents(client),
            releases=ReleaseRepositories(client),
            layers=layers,
            copy=self._copy_to(target, layers, now),
        )

    def _client_of(self, target: Target, now: datetime) -> "ECRClient":
        if not target.role and target.is_at(self._home):
            return self._client
        key = (target.region, target.role)
        since, client = self._kept.get(key, (now, None))
        if client is None or (target.role and now - since > LENT_FOR):
            lent = self._lend(target) if target.role else None
            client = self._connect("ecr", target.region, lent)
            self._kept[key] = (now, client)
        return client

    def _lend(self, target: Target) -> Credentials:
        try:
            return self._lending.lend(target.role)
        except Denied as denial:
            raise Refused(
                f"{target.role} can't be assumed: let its trust policy name the warden's promote role, or mend "
                f"promote.role in the policy ({denial})"
            ) from None
