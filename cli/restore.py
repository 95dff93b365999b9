"""`warden restore`: put an image back that was archived, is marked to be deleted, or is deleted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from cli.aws import asking, client
from cli.options import repository_name
from cli.stack import Connect, ledger_table
from warden.errors import Refused
from warden.manifests import listed
from warden.names import Digest, ImageId, is_digest
from warden.text import clean

if TYPE_CHECKING:
    from warden.ledger import Ledger
    from warden.prunings import Prunings

KEPT_DAYS = 30


@click.command("restore", short_help="Put an image back that was archived, marked or deleted.")
@click.argument("image", metavar="REPO@DIGEST")
@click.option(
    "--days",
    default=KEPT_DAYS,
    show_default=True,
    type=click.IntRange(1, 3650),
    help="How long no rule may take it again.",
)
@click.option("--stage", default="dev", show_default=True, help="The deployed stage whose ledger is used.")
@click.option("--table", help="The ledger's table; found by the stage's stack where none is given.")
def command(image: str, days: int, stage: str, table: str | None) -> None:
    """Put an image back, and keep it from the rules for some days.

    An archived image comes back from the archive, which takes ECR up to 20 minutes. A mark is taken back. A deleted
    image is put again by its manifest, which the ledger keeps for 90 days, with the tags that it had and that are free,
    and an index with what it lists: that works as long as ECR still has its layers, by way of other images.
    """
    click.echo(restore(_image(image), client, now=datetime.now(UTC), days=days, stage=stage, table=table))


def restore(
    image: ImageId, connect: Connect, *, now: datetime, days: int, stage: str = "dev", table: str | None = None
) -> str:
    """What was done, in a line for people. Raises Refused where nothing can be, Unavailable where AWS won't answer."""
    desk = _desk(connect, table or ledger_table(stage, connect))
    with asking(f"put {image} back"):
        by = clean(str(connect("sts").get_caller_identity()["Arn"]), 200)
        # First of all it is kept: what comes back must not be taken before the next line.
        desk.prunings.put_back(image.repository, image.digest, by=by, until=now + timedelta(days=days))
        with _forgotten_if_refused(desk, image):
            done = desk.bring_back(image)
        desk.prunings.unmark(image.repository, [image.digest])
        desk.record(image, f"{done} by {by}; no rule takes it for {days} days", now=now)
    return f"{image}: {done}. No rule takes it for {days} days."


@contextmanager
def _forgotten_if_refused(desk: "_Desk", image: ImageId) -> Iterator[None]:
    try:
        yield
    except Refused:
        desk.prunings.give_up(image.repository, image.digest)
        raise


@dataclass(frozen=True, slots=True)
class _Desk:
    """What an image is brought back with."""

    ecr: Any
    prunings: "Prunings"
    ledger: "Ledger"

    def bring_back(self, image: ImageId) -> str:
        """Whatever it takes. Raises Refused."""
        found = self._describe(image)
        if found is None:
            return self._put_again(image)
        if found.get("imageStatus") == "ACTIVATING":
            return "on its way back from the archive already"
        if found.get("imageStatus") == "ARCHIVED":
            self.ecr.update_image_storage_class(
                repositoryName=image.repository, imageId={"imageDigest": image.digest}, targetStorageClass="STANDARD"
            )
            return "restored from the archive"
        if image.digest in self.prunings.marks(image.repository):
            return "not marked any more"
        return "there, and not about to leave"

    def _describe(self, image: ImageId) -> dict[str, Any] | None:
        missing = (self.ecr.exceptions.ImageNotFoundException, self.ecr.exceptions.RepositoryNotFoundException)
        try:
            answer = self.ecr.describe_images(repositoryName=image.repository, imageIds=[{"imageDigest": image.digest}])
        except missing:
            return None
        try:
            found: dict[str, Any] = answer["imageDetails"][0]
        except (KeyError, IndexError):
            raise Refused(f"ECR's answer about {image} was cut short: ask again") from None
        return found

    def _put_again(self, image: ImageId) -> str:
        kept = self.prunings.manifest(image.repository, image.digest)
        if kept is None:
            raise Refused(
                f"{image} is not there, and the ledger has no manifest of it: those of images that the warden deleted "
                "are kept for 90 days; what ECR's own rules deleted can't be brought back"
            )
        manifest, tags = kept
        for part in listed(manifest):  # ECR takes an index only where all that it lists is there
            child = ImageId(image.repository, part)
            if self.prunings.manifest(child.repository, part) and self._describe(child) is None:
                self._put_again(child)
        self._put(image, manifest, None)
        back = [tag for tag in tags if self._put(image, manifest, tag)]
        return "put again" + (f" as {', '.join(back)}" if back else ", without a tag")

    def _put(self, image: ImageId, manifest: str, tag: str | None) -> bool:
        """Whether it has the tag now; a tag that another image has by now stays there."""
        if tag is not None and self._is_taken(image, tag):
            return False
        refusals = self.ecr.exceptions
        try:
            self.ecr.put_image(
                repositoryName=image.repository,
                imageManifest=manifest,
                imageDigest=image.digest,
                **({} if tag is None else {"imageTag": tag}),
            )
        except (refusals.ImageAlreadyExistsException, refusals.ImageTagAlreadyExistsException):
            return False
        except (refusals.LayersNotFoundException, refusals.ReferencedImagesNotFoundException) as gone:
            said = clean(gone.response["Error"]["Message"], 200)
            raise Refused(f"{image} can't be put again, since parts of it are gone for good: {said}") from None
        return True

    def _is_taken(self, image: ImageId, tag: str) -> bool:
        try:
            self.ecr.describe_images(repositoryName=image.repository, imageIds=[{"imageTag": tag}])
        except self.ecr.exceptions.ImageNotFoundException:
            return False
        return True

    def record(self, image: ImageId, text: str, *, now: datetime) -> None:
        """Write it into the image's history."""
        from warden.ledger import Entry  # noqa: PLC0415

        self.ledger.record(Entry(str(image), now, "restored", text), event=f"restore {now.isoformat()}")


def _desk(connect: Connect, table: str) -> _Desk:
    from warden.ledger import Ledger  # noqa: PLC0415 - botocore takes a tenth of a second
    from warden.prunings import Prunings  # noqa: PLC0415

    dynamodb = connect("dynamodb")
    return _Desk(connect("ecr"), Prunings(dynamodb, table), Ledger(dynamodb, table))


def _image(text: str) -> ImageId:
    repository, at, digest = text.partition("@")
    if not at or not is_digest(digest):
        raise click.ClickException(
            f"'{clean(text, 120)}': expected REPO@DIGEST, the digest being sha256: and 64 hexadecimal digits; "
            "`warden why REPO` says which images have left"
        )
    return ImageId(repository_name(repository), Digest(digest))
