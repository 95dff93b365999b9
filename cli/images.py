"""An image as a person names it, REPO@DIGEST or REPO:TAG, and as the registry knows it."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from cli.aws import asking
from cli.options import repository_name
from cli.printing import tell
from warden.errors import Refused
from warden.names import Digest, ImageId, RepositoryName, Tag, is_digest
from warden.text import clean

if TYPE_CHECKING:
    from warden.images import Image
    from warden.registry import Registry

IMAGE = "REPO:TAG|REPO@DIGEST"
"""How the commands call what they take."""
_TAG = re.compile(r"[0-9A-Za-z_][0-9A-Za-z._-]{0,127}")
_LONGEST_SHOWN = 120


@dataclass(frozen=True, slots=True)
class TagName:
    """A tag in a repository: whichever image has it now."""

    repository: RepositoryName
    tag: Tag

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


def read_image(text: str) -> ImageId | TagName:
    """What the text names. Ends the command where it is no image's name."""
    repository, at, digest = text.partition("@")
    if at:
        if not is_digest(digest):
            raise _unreadable(text)
        return ImageId(repository_name(repository), Digest(digest))
    repository, colon, tag = text.partition(":")
    if not colon or not _TAG.fullmatch(tag):
        raise _unreadable(text)
    return TagName(repository_name(repository), Tag(tag))


def read_digest(text: str) -> ImageId:
    """What the text names, by its digest. Ends the command where it does not."""
    named = read_image(text)
    if isinstance(named, TagName):
        raise click.ClickException(
            f"{named}: expected REPO@DIGEST, since the tag may be another image's by now; the notice of its quarantine "
            "names it, and so does the tag quarantine.* where its tags were moved aside"
        )
    return named


def resolve(text: str, registry: "Registry") -> "Image":
    """The image that the text names, as it is now; of a tag it is said which one that is. Ends as `find` does."""
    named = read_image(text)
    found = find(named, registry)
    if isinstance(named, TagName):
        tell(f"{named} is {found.id}.")
    return found


def find(named: ImageId | TagName, registry: "Registry") -> "Image":
    """The image as it is now. Raises Refused where there is none, Unavailable where AWS does not answer."""
    with asking(f"find {named}"):
        found = registry.tagged(named.repository, named.tag) if isinstance(named, TagName) else registry.image(named)
    if found is not None:
        return found
    if isinstance(named, TagName):
        raise Refused(f"no image is tagged {named} now: name it by its digest, {named.repository}@sha256:…")
    raise Refused(f"{named} is not in the registry of this account and region: `warden why` says what became of it")


def _unreadable(text: str) -> click.ClickException:
    return click.ClickException(
        f"'{clean(text, _LONGEST_SHOWN)}': expected REPO:TAG, such as team/app:v1, or REPO@DIGEST, the digest being "
        "sha256: and 64 hexadecimal digits"
    )
