"""`warden release`: take an image out of quarantine."""

import uuid
from datetime import UTC, datetime
from typing import Any

import click

from cli.aws import client
from cli.images import read_digest
from cli.orders import Asked, order_options
from cli.patience import Patience
from cli.quarantine import TIMEOUT, give
from cli.stack import Connect
from warden import quarantine_events


@click.command("release", short_help="Take an image out of quarantine.")
@click.argument("image", metavar="REPO@DIGEST")
@order_options(TIMEOUT)
def command(image: str, **asked: Any) -> None:
    """Take an image out of quarantine: its tags come back, or pulls from its repository are allowed again.

    A tag that another image has by now stays there, and is told of. Pulls stay denied as long as another image of the
    repository is in quarantine. An image that is gone from the registry may be released too.

    It ends with 0 when the image is released, was in no quarantine, or would be released in report mode; with 1 when it
    is refused or not over in time: `warden why` says what became of it.
    """
    said = Asked(**asked)
    release(
        image,
        said,
        client,
        id=f"release {uuid.uuid4()}",
        at=datetime.now(UTC),
        patience=Patience.of(said.timeout),
    )


def release(image: str, asked: Asked, connect: Connect, *, id: str, at: datetime, patience: Patience) -> None:
    """Order it, and say what has become of it. Raises Refused and Unavailable."""
    give(quarantine_events.Order.RELEASE, read_digest(image), asked, connect, id=id, at=at, patience=patience)
