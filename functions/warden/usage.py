"""What is in use: images that something runs or may start at any time, and whether all who might were asked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from warden.events import Home
from warden.names import Digest, RepositoryName, is_digest, is_repository_name
from warden.stored_images import StoredImage

UNSAID = "latest"
"""The tag of a reference that names neither tag nor digest."""
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HOST = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\."
    r"(?:amazonaws\.(?:com|com\.cn|eu)|on\.aws|on\.amazonwebservices\.(?:com\.cn|eu))(?::443)?"
)
"""A private registry's names, the dual-stack ones too, in all partitions that anybody can have an account in.

https://docs.aws.amazon.com/general/latest/gr/ecr.html and
https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html
"""
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,299}")
"""300 characters: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageIdentifier.html."""


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


def read_reference(image: str, home: Home, by: str) -> Use | None:
    """The image of this registry that a reference names, as ECS, Lambda and Kubernetes write it; None for any other.

    Where it has a tag and a digest, the digest counts, as it does for whoever pulls it. What no registry would accept
    as a reference can't be pulled, and so is no use of anything.

    >>> home = Home("111122223333", "eu-central-1")
    >>> read_reference("111122223333.dkr.ecr.eu-central-1.amazonaws.com/app:v1", home, "ECS")
    Use(repository='app', reference='v1', by='ECS')
    """
    host, slash, path = _SCHEME.sub("", image.strip(), count=1).partition("/")
    place = _HOST.fullmatch(host.lower())
    if not slash or place is None or (place["account"], place["region"]) != (home.account, home.region):
        return None
    tagged, at, digest = path.partition("@")
    name, colon, tag = tagged.partition(":")
    reference = digest.lower() if at else tag if colon else UNSAID
    if not is_repository_name(name) or not (is_digest(reference) if at else _TAG.fullmatch(reference)):
        return None
    return Use(RepositoryName(name), reference, by)


def users(images: Iterable[StoredImage], uses: Iterable[Use]) -> Mapping[Digest, tuple[str, ...]]:
    """Who uses which image of one repository, by digest; images that nobody uses are left out.

    An index that is used stands for itself here: what it lists is for whoever knows the whole repository.
    """
    by_reference: dict[str, dict[str, None]] = {}
    for use in uses:
        by_reference.setdefault(use.reference, {})[use.by] = None
    found: dict[Digest, tuple[str, ...]] = {}
    for image in images:
        used = (by_reference[name] for name in (image.digest, *image.tags) if name in by_reference)
        if by := tuple(dict.fromkeys(one for group in used for one in group)):
            found[image.digest] = by
    return found
