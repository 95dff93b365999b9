"""Old scans are made anew, each image on its own days, so that a registry is not scanned all on one day.

ECR does not say when an image was scanned without a call for each image, so the days go by the image's digest, which
is spread evenly whenever the images were pushed.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from warden.images import Image
from warden.names import ImageId
from warden.overrides import SIGNATURES
from warden.wildcard import matches

MOST = 500
"""Images of one repository in one sweep.

ECR takes 100,000 basic scans a day, those of pushes included:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
"""
JUST_SCANNED = timedelta(hours=24)
"""After its push ECR does not scan an image again for that long."""
_DIGITS = 16


def is_due(image: ImageId, today: date, every: int) -> bool:
    """Whether the image has its turn today: once in any `every` days in a row."""
    return _number(image) % every == today.toordinal() % every


def due(images: Iterable[Image], every: int, *, now: datetime) -> Iterator[Image]:
    """The images of the registry whose turn it is: what people run by a tag or by an index.

    What an index lists is scanned with that, and a signature can't be scanned.
    """
    today = now.date()
    return (
        image
        for image in images
        if is_due(image.id, today, every) and _is_run(image) and now - image.pushed_at >= JUST_SCANNED
    )


def chosen(images: Iterable[Image], every: int, *, today: date, most: int = MOST) -> tuple[Image, ...]:
    """Of those whose turn it is, as many as one sweep may ask for; where they are more, others in their next turn."""
    waiting = sorted(images, key=lambda image: image.id.digest)
    if len(waiting) <= most:
        return tuple(waiting)
    start = today.toordinal() // every * most % len(waiting)
    return tuple([*waiting, *waiting][start : start + most])


def _is_run(image: Image) -> bool:
    return image.is_index or any(not matches(SIGNATURES, tag) for tag in image.tags)


def _number(image: ImageId) -> int:
    return int(image.digest.partition(":")[2][:_DIGITS], 16)
