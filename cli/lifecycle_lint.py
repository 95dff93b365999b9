"""`warden lifecycle lint`: what is wrong with lifecycle policies, those that stand or one that is yet to be put."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import plans
from cli.aws import asking, client
from cli.lifecycle_files import load_images, load_policy, read_time
from cli.options import EXISTING, json_option
from cli.printing import LONGEST_CELL, print_json, tell
from cli.stack import Connect, ledger_table
from warden.errors import Invalid, Refused
from warden.lifecycle.linting import lint_text
from warden.lifecycle.remarks import Level, Remark, images_in_words, names
from warden.manifests import MANIFEST_TYPES, listed
from warden.names import Digest, RepositoryName, is_digest
from warden.stored_images import StoredImage
from warden.text import clean
from warden.usage import UNSAID, Use, users
from warden.wildcard import matches

if TYPE_CHECKING:
    from warden.registry import Registry

UsesOf = Callable[[RepositoryName], Sequence[Use]]
MANIFESTS_A_CALL = 100
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html."""
LARGEST_USES = 32 * 1024 * 1024
_COLOURS = {Level.ERROR: "red bold", Level.WARNING: "yellow", Level.NOTE: "bright_black"}
_REFERENCE = re.compile(r"(?:[^/]*[.:][^/]*/)?(?P<name>[^@:]*)(?::(?P<tag>[^@]*))?(?:@(?P<digest>.+))?")


@dataclass(frozen=True, slots=True)
class Linted:
    """What is said of one repository's policy; of one that has none, nothing."""

    repository: str
    has_policy: bool
    images: int = 0
    remarks: tuple[Remark, ...] = ()

    @property
    def is_wrong(self) -> bool:
        """Whether one of the remarks is an error."""
        return any(remark.severity is Level.ERROR for remark in self.remarks)


@click.command("lint", short_help="Find what is wrong with lifecycle policies.")
@click.argument("patterns", metavar="[GLOB]...", nargs=-1)
@click.option(
    "--policy",
    "policy_path",
    type=EXISTING,
    help="A lifecycle policy of ECR's, in place of those that stand; `-` for stdin. Needs --images.",
)
@click.option(
    "--images",
    "images_path",
    type=EXISTING,
    help="The images, as `aws ecr describe-images` prints them. Nothing is asked of AWS then.",
)
@click.option(
    "--in-use",
    "uses_path",
    type=EXISTING,
    help="What runs: a reference of an image a line, as Kubernetes and ECS print them, and who runs it after a space.",
)
@click.option("--now", metavar="ISO8601", help="When: UTC where it names no zone. Now where it is not given.")
@click.option("--stage", help="The deployed stage whose last inventory says what runs.")
@json_option
def command(
    patterns: tuple[str, ...],
    policy_path: Path | None,
    images_path: Path | None,
    uses_path: Path | None,
    now: str | None,
    stage: str | None,
    as_json: bool,
) -> None:
    """Find what is wrong with the lifecycle policies that stand in the account; nothing is changed.

    GLOB is a repository's name, in which * stands for any characters, slashes included; all repositories where none is
    given. That a rule would take what runs can be told only where --stage or --in-use says what runs. Each remark is
    explained in docs/lifecycle-lint.md. Ends with 1 where one is an error, and with 0 otherwise.
    """
    if (policy_path is None) != (images_path is None) or (policy_path and (patterns or stage)):
        raise click.UsageError("--policy FILE and --images FILE go together, without any GLOB and without --stage")
    at = datetime.now(UTC) if now is None else read_time(now)
    if at is None:
        raise click.UsageError(f"--now: expected a time such as 2026-11-23T12:00:00Z, got {clean(str(now), 60)}")
    uses = _load_uses(uses_path) if uses_path else ()
    if policy_path and images_path:
        linted = [_offline(policy_path, images_path, uses, at)]
    else:
        linted = look_at(client, patterns, uses_by(client, uses, stage), at)
    if as_json:
        print_json({"repositories": [_as_json(one) for one in linted]})
    else:
        show(linted)
    if any(one.is_wrong for one in linted):
        raise click.exceptions.Exit(1)


def _offline(policy_path: Path, images_path: Path, uses: Iterable[Use], now: datetime) -> Linted:
    """One policy on the images of a file; what is in use counts whatever repository it names."""
    images = load_images(images_path)
    text = load_policy(policy_path)
    return Linted(str(policy_path), True, len(images), lint_text(text, images, users=users(images, uses), now=now))


def uses_by(connect: Connect, uses: Iterable[Use], stage: str | None) -> UsesOf:
    """What is in use in a repository, by the file and by the last inventory of the stage."""
    by_repository: dict[str, list[Use]] = {}
    for use in uses:
        by_repository.setdefault(use.repository, []).append(use)
    inventory = _inventory(connect, stage) if stage else lambda _: ()
    return lambda name: (*by_repository.get(name, ()), *inventory(name))


def _inventory(connect: Connect, stage: str) -> UsesOf:
    """What a deployed stage has found in use in a repository; what could not be read is told, once."""
    from warden.inventories import Inventories  # noqa: PLC0415

    inventories = Inventories(connect("dynamodb"), ledger_table(stage, connect))
    with asking("read the inventory"):
        sweep = inventories.latest()
    if sweep is None:
        raise Refused(f"stage {stage} has no inventory yet: it is made at the next sweep")
    missing: set[str] = set()

    def uses_of(name: RepositoryName) -> Sequence[Use]:
        found = inventories.of(sweep, name)
        for why in [] if found is None else set(found.missing) - missing:
            missing.add(why)
            tell(f"What runs is not wholly known: {why}.")
        return () if found is None else found.uses

    return uses_of


def look_at(connect: Connect, patterns: Sequence[str], uses_of: UsesOf, now: datetime) -> list[Linted]:
    """Each repository that matches any of the patterns, by name; all where there is none.

    `connect` makes the client of a service. Raises Unavailable where AWS does not answer.
    """
    from warden.pacing import Pace  # noqa: PLC0415
    from warden.registry import Registry  # noqa: PLC0415 - botocore takes a tenth of a second

    ecr = Pace(time.monotonic, time.sleep).hold(connect("ecr"))
    registry = Registry(ecr, ecr)
    with asking("list the repositories"):
        listing = sorted(settings.name for settings in registry.listing())
    found = [name for name in listing if not patterns or any(matches(pattern, name) for pattern in patterns)]
    for pattern in patterns:
        if not any(matches(pattern, name) for name in found):
            tell(f"No repository matches {pattern}.")

    def look(name: RepositoryName) -> Linted:
        return _one(registry, ecr, name, uses_of, now)

    with asking("read the repositories"), ThreadPoolExecutor(plans.AT_ONCE) as threads:
        return list(plans.progress(threads.map(look, found), len(found), "reading"))


def _one(registry: "Registry", ecr: Any, name: RepositoryName, uses_of: UsesOf, now: datetime) -> Linted:
    text = registry.lifecycle_policy(name)
    if text is None:
        return Linted(name, False)
    try:
        images = tuple(_images(ecr, name))
    except ecr.exceptions.RepositoryNotFoundException:
        return Linted(name, False)  # it went in between
    return Linted(name, True, len(images), lint_text(text, images, users=users(images, uses_of(name)), now=now))


def _images(ecr: Any, repository: RepositoryName) -> Iterator[StoredImage]:
    """All images, archived ones too, with what indexes list where that can be read."""
    from warden import answers  # noqa: PLC0415
    from warden.repository_images import IMAGES_A_PAGE, stored_image  # noqa: PLC0415

    pages = ecr.get_paginator("describe_images").paginate(
        repositoryName=repository, filter={"imageStatus": "ANY"}, PaginationConfig={"PageSize": IMAGES_A_PAGE}
    )
    indexes: list[StoredImage] = []
    for page in pages:
        with answers.whole("DescribeImages"):
            images = [stored_image(detail) for detail in page["imageDetails"]]
        # An archived image can't be read.
        indexes += [image for image in images if image.is_index and not image.archived]
        yield from (image for image in images if not image.is_index or image.archived)
    rest = iter(indexes)
    while batch := list(islice(rest, MANIFESTS_A_CALL)):
        lists = _lists(ecr, repository, [image.digest for image in batch])
        yield from (replace(image, children=lists.get(image.digest, ())) for image in batch)


def _lists(ecr: Any, repository: RepositoryName, digests: Sequence[Digest]) -> Mapping[Digest, tuple[Digest, ...]]:
    from warden import answers  # noqa: PLC0415

    answer = ecr.batch_get_image(
        repositoryName=repository,
        imageIds=[{"imageDigest": digest} for digest in digests],
        acceptedMediaTypes=list(MANIFEST_TYPES),
    )
    with answers.whole("BatchGetImage"):
        texts = {Digest(image["imageId"]["imageDigest"]): image["imageManifest"] for image in answer["images"]}
    return {digest: _listed(text) for digest, text in texts.items()}


def _listed(text: str) -> tuple[Digest, ...]:
    try:
        return listed(text)
    except Invalid:
        return ()


def _load_uses(path: Path) -> tuple[Use, ...]:
    """What runs, from a file of references."""
    try:
        with click.open_file(str(path), "r", encoding="utf-8") as file:
            lines = file.read(LARGEST_USES).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: expected references of images as text, got {error}") from None
    return tuple(_use(path, number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _use(path: Path, number: int, line: str) -> Use:
    reference, _, by = line.strip().partition(" ")
    by = by.strip() or str(path)
    if is_digest(reference):
        return Use(RepositoryName(""), reference, by)
    found = _REFERENCE.fullmatch(reference)
    if found is None or not found["name"]:
        raise click.ClickException(
            f"{path}:{number}: expected a reference such as team/app:v1, got {clean(reference, 80)}"
        )
    return Use(RepositoryName(found["name"]), found["digest"] or found["tag"] or UNSAID, by)


def _as_json(linted: Linted) -> dict[str, Any]:
    """What is said of one repository, for programs."""
    return {
        "repository": linted.repository,
        "hasPolicy": linted.has_policy,
        "images": linted.images,
        "remarks": [
            {
                "code": str(remark.code),
                "severity": str(remark.severity),
                "rulePriority": remark.priority,
                "text": remark.text,
                "count": remark.count,
                "examples": [{"imageDigest": image.digest, "imageTags": list(image.tags)} for image in remark.images],
            }
            for remark in linted.remarks
        ],
    }


def show(linted: Sequence[Linted]) -> None:
    """The remarks on stdout, repository by repository: coloured on a terminal, plain in a pipe."""
    for one in linted:
        if one.remarks:
            click.echo(click.style(clean(one.repository, LONGEST_CELL), bold=True))
            for remark in one.remarks:
                _show(remark)
            click.echo("")
    click.echo(summary(linted))


def _show(remark: Remark) -> None:
    where = "the policy" if remark.priority is None else f"rule {remark.priority}"
    colour, *bold = _COLOURS[remark.severity].split()
    mark = click.style(f"  {remark.severity}", fg=colour, bold=bool(bold))
    click.echo(f"{mark}  {where}: {remark.text}  {click.style(remark.code, fg='bright_black')}")
    if remark.images:
        about = f"      {images_in_words(remark.count)}: {names(remark.images, remark.count)}"
        click.echo(click.style(about, fg="bright_black"))


def summary(linted: Sequence[Linted]) -> str:
    """All in one line."""
    levels = [remark.severity for one in linted for remark in one.remarks]
    policies = sum(one.has_policy for one in linted)
    told = [f"{levels.count(level)} {level}{'' if levels.count(level) == 1 else 's'}" for level in Level]
    return f"{policies} of {len(linted)} repositories have a lifecycle policy: {', '.join(told)}."
