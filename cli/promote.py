"""`warden promote`: a person orders that an image is copied to its release repository."""

import uuid
from datetime import UTC, datetime
from typing import Any

import click

from cli import orders
from cli.aws import client
from cli.images import IMAGE, resolve
from cli.orders import Asked, order_options
from cli.patience import Patience
from cli.plans import registry_of
from cli.stack import Connect
from warden.promotion_events import PromotionDue, promotion_due

TIMEOUT = 900
"""Seconds: a promotion may fill the function's whole time, and go on in another invocation."""


@click.command("promote", short_help="Copy an image to its release repository.")
@click.argument("image", metavar=IMAGE)
@click.option(
    "--anyway",
    is_flag=True,
    help="Also where the verdict is notify; never what blocks, has no verdict or is in quarantine.",
)
@order_options(TIMEOUT)
def command(image: str, anyway: bool, **asked: Any) -> None:
    """Copy an image to the release repository that its standard names, by the deployed promote function.

    The policy must ask for promotion (`promote`) of a tag that the image has; nothing there is overwritten. REPO:TAG is
    the image that has the tag now: its digest is what is ordered. The command follows the ledger until the image is
    promoted, or refused.

    It ends with 0 when the image is promoted, was so before, or would be in report mode; with 1 when it is refused or
    not over in time: `warden why` says what became of it.
    """
    said = Asked(**asked)
    promote(
        image,
        said,
        client,
        anyway=anyway,
        id=f"promotion {uuid.uuid4()}",
        at=datetime.now(UTC),
        patience=Patience.of(said.timeout),
    )


def promote(
    image: str, asked: Asked, connect: Connect, *, anyway: bool, id: str, at: datetime, patience: Patience
) -> None:
    """Order it, and say what has become of it. Raises Refused and Unavailable."""
    found = resolve(image, registry_of(connect))
    orders.carry_out(
        orders.PROMOTE,
        found.id,
        lambda order, home: promotion_due(
            PromotionDue(order.id, order.at, order.image, order.by, order.reason, anyway=anyway), home
        ),
        asked,
        connect,
        id=id,
        at=at,
        patience=patience,
    )
