"""What stored images cost: about, and at most.

The prices are those of https://aws.amazon.com/ecr/pricing/ in most regions, in dollars, as others read them there for
us-east-1 and ap-northeast-1 in March 2026
(https://hub.pointfive.co/inefficiencies/ecr-archive-storage-class-used-below-150-tb-threshold). Regions differ, and
those of China are billed in yuan.

The archive is no cheaper until a month's archived images weigh 150 TB. It is what can be undone, not what saves.
"""

from collections.abc import Iterable

from warden.events import Home
from warden.stored_images import StoredImage

STANDARD = 0.10
"""Dollars for a gigabyte and month; the first 150 TB of the archive cost the same."""
ARCHIVE_BEYOND = 0.07
"""Dollars for a gigabyte and month of the archive, beyond the first 150 TB of a month."""
ARCHIVE_AS_STANDARD = 150
"""The terabytes of the archive that cost as much as standard storage."""
RESTORE = 0.03
"""Dollars for a gigabyte that is restored from the archive."""
ARCHIVED_AT_LEAST = 90
"""The days that ECR charges for an archived image, even if it is deleted sooner:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive-image.html."""
_GIGABYTE = 10**9
_CENT = 0.01
_WHOLE = 99.995


def weight(images: Iterable[StoredImage]) -> int:
    """The bytes of the images: an upper bound of what they take up, since ECR keeps a layer that several share once.

    An index counts for nothing: ECR says of it the size of the largest manifest that it lists, which counts by itself.
    """
    return sum(image.size for image in images if not image.is_index)


def a_month(size: int) -> float:
    """Dollars a month for so many bytes: what is saved, at most, where they are deleted.

    >>> a_month(61_300_000_000)
    6.13
    """
    return round(size / _GIGABYTE * STANDARD, 6)


def is_known(home: Home) -> bool:
    """Whether the prices are those of the region: China's are other ones, in yuan."""
    return home.partition != "aws-cn"


def dollars(amount: float) -> str:
    """An amount for people, never rounded to nothing.

    >>> dollars(0), dollars(0.004), dollars(6.131), dollars(1234.5)
    ('$0', 'under $0.01', '$6.13', '$1,234')
    """
    if amount == 0:
        return "$0"
    if amount < _CENT:
        return "under $0.01"
    return f"${amount:,.2f}" if amount < _WHOLE else f"${amount:,.0f}"
