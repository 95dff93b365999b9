"""What is in use: images that something runs or may start at any time, and whether all who might were asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from warden.names import Digest, RepositoryName
from warden.stored_images import StoredImage


@dataclass(frozen=True, slots=True)
class Use:
    """A reference to one image of this registry, and who has it, in words for people.

    `reference` is a digest or a tag. A use by tag is of whatever image has the tag when it is asked for.
    """

    repository: RepositoryName
    reference: str
    by: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """What was found in use in one repository; `missing` says what could not be read, and then nothing may leave."""

    taken_at: datetime
    uses: tuple[Use, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether everybody who might use an image was asked, and answered in full."""
        return not self.missing


def users(images: Iterable[StoredImage], uses: Iterable[Use]) -> Mapping[Digest, tuple[str, ...]]:
    """Who uses which image, by digest; images that nobody uses are left out."""
    raise NotImplementedError
