"""`warden quarantine`: a person orders that an image is kept from being deployed, whatever its verdict is."""

import uuid
from datetime import UTC, datetime
from typing import Any

import click

from cli import orders
from cli.aws import client
from cli.images import IMAGE, resolve
from cli.orders import Asked, Order, order_options
from cli.patience import Patience
from cli.plans import registry_of
from cli.stack import Connect
from warden import quarantine_events
from warden.events import Home
from warden.names import ImageId
from warden.quarantine_events import QuarantineDue, quarantine_due

TIMEOUT = 120
"""Seconds."""


@click.command("quarantine", short_help="Keep an image from being deployed.")
@click.argument("image", metavar=IMAGE)
@order_options(TIMEOUT)
def command(image: str, **asked: Any) -> None:
    """Put an image in quarantine, as its standard says: by its tags, or by denying pulls from its repository.

    The policy must say how (`quarantine.by`); an image in use is refused unless it says `quarantine.in_use`. What a
    person puts in quarantine is released by a person only: `warden release`. REPO:TAG is the image that has the tag
    now: its digest is what is ordered.

    It ends with 0 when the image is in quarantine, was so before, or would be in report mode; with 1 when it is
    refused or not over in time: `warden why` says what became of it.
    """
    said = Asked(**asked)
    quarantine(
        image,
        said,
        client,
        id=f"quarantine {uuid.uuid4()}",
        at=datetime.now(UTC),
        patience=Patience.of(said.timeout),
    )


def quarantine(image: str, asked: Asked, connect: Connect, *, id: str, at: datetime, patience: Patience) -> None:
    """Order it, and say what has become of it. Raises Refused and Unavailable."""
    found = resolve(image, registry_of(connect))
    give(quarantine_events.Order.QUARANTINE, found.id, asked, connect, id=id, at=at, patience=patience)


def give(
    what: quarantine_events.Order,
    image: ImageId,
    asked: Asked,
    connect: Connect,
    *,
    id: str,
    at: datetime,
    patience: Patience,
) -> None:
    """Give the quarantine function an order, and say what has become of it. Raises Refused and Unavailable."""

    def message(order: Order, home: Home) -> str:
        return quarantine_due(QuarantineDue(order.id, order.at, order.image, what, order.by, order.reason), home)

    orders.carry_out(orders.QUARANTINE, image, message, asked, connect, id=id, at=at, patience=patience)
