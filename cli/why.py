"""`warden why`: everything that the ledger knows of an image or a repository."""

from dataclasses import asdict
from datetime import UTC

import click

from cli.aws import asking, client
from cli.options import json_option, repository_name
from cli.printing import print_json, print_table, tell
from cli.stack import Connect, ledger_table
from warden.errors import Refused
from warden.ledger import Entry, Ledger
from warden.names import Digest, ImageId, RepositoryName, is_digest
from warden.text import clean


@click.command("why", short_help="Show what is known of an image or repository, and why.")
@click.argument("subject", metavar="REPO[@DIGEST|:TAG]")
@click.option("--stage", default="dev", show_default=True, help="The deployed stage whose ledger is read.")
@click.option("--table", help="The ledger's table; found by the stage's stack where none is given.")
@json_option
def command(subject: str, stage: str, table: str | None, as_json: bool) -> None:
    """Show everything that the ledger knows of an image or a repository, oldest first.

    REPO@DIGEST is an image; REPO:TAG is the image that has the tag now; REPO is the repository itself: what was changed
    in its settings, and which rule of the policy asked for it.
    """
    about, entries = look_up(subject, client, stage=stage, table=table)
    if as_json:
        print_json([{**asdict(entry), "at": entry.at.isoformat()} for entry in entries])
    elif entries:
        print_table(("WHEN", "WHAT", "TOLD", "PARTICULARS"), [_row(entry, about) for entry in entries])
    if not entries:
        tell(f"The ledger knows nothing of {about}: nothing was seen of it while this stage was deployed.")


def look_up(subject: str, connect: Connect, *, stage: str, table: str | None = None) -> tuple[str, list[Entry]]:
    """What the subject is called in the ledger, and its history, oldest first.

    `connect` makes the client of a service. Raises Refused where there is no such image or table, Unavailable where AWS
    does not answer.
    """
    about = _subject(subject, connect)
    ledger = Ledger(connect("dynamodb"), table or ledger_table(stage, connect))
    with asking("read the ledger"):
        return str(about), _entries(ledger, about)


def _subject(text: str, connect: Connect) -> ImageId | RepositoryName:
    repository, at, digest = text.partition("@")
    if at:
        if not is_digest(digest):
            raise click.ClickException(
                f"'{clean(digest, 80)}' is not a digest: expected sha256: and 64 hexadecimal digits"
            )
        return ImageId(repository_name(repository), Digest(digest))
    repository, colon, tag = text.partition(":")
    name = repository_name(repository)
    return _tagged(name, tag, connect) if colon else name


def _tagged(repository: RepositoryName, tag: str, connect: Connect) -> ImageId:
    registry = connect("ecr")
    with asking(f"find {repository}:{tag}"):
        try:
            answer = registry.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
        except (registry.exceptions.ImageNotFoundException, registry.exceptions.RepositoryNotFoundException):
            raise Refused(
                f"no image is tagged {repository}:{tag} now: ask by its digest, {repository}@sha256:…, or for the "
                f"repository, {repository}"
            ) from None
    try:
        return ImageId(repository, Digest(answer["imageDetails"][0]["imageDigest"]))
    except (KeyError, IndexError):
        raise Refused(f"ECR's answer about {repository}:{tag} was cut short: ask again") from None


def _entries(ledger: Ledger, about: ImageId | RepositoryName) -> list[Entry]:
    """An image's own history, and that of the indexes that list it: they are what is announced."""
    subjects = [str(about)]
    if isinstance(about, ImageId):
        subjects += map(str, ledger.indexes_of(about))
    return sorted((entry for subject in subjects for entry in ledger.history(subject)), key=lambda entry: entry.at)


def _row(entry: Entry, about: str) -> tuple[str, str, str, str]:
    particulars = [f"{name} {value}" for name, value in sorted(entry.details.items())]
    if entry.subject != about:
        particulars.insert(0, f"of {entry.subject}, which lists it")
    when = entry.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return when, entry.kind, entry.text, " · ".join(particulars)
