"""`warden exemptions`: findings that were accepted elsewhere, as exemptions of the policy."""

import importlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cli.options import EXISTING, json_option
from cli.printing import print_json, tell


def _checked(reader: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A click callback that takes what the policy's own reader, `module.name`, takes; None stays None."""
    module, _, name = reader.partition(".")

    def check(_: click.Context, __: click.Parameter, value: Any) -> Any:
        read = getattr(importlib.import_module(f"policy.{module}"), name)  # late: pydantic takes a tenth of a second
        try:
            return tuple(map(read, value)) if isinstance(value, tuple) else value if value is None else read(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return check


@click.group("exemptions", short_help="Bring in findings that were accepted in other tools.")
def command() -> None:
    """Findings that are accepted until a day: the exemptions of the policy."""


@command.command("import", short_help="Turn a Trivy ignore file or an OpenVEX document into exemptions.")
@click.argument("file", type=EXISTING)
@click.option(
    "--repositories",
    multiple=True,
    metavar="GLOB",
    callback=_checked("repository_values.read_repository_pattern"),
    help="In which repositories; may be given several times. An image in ECR that the file names goes before it.",
)
@click.option(
    "--until",
    metavar="DATE",
    callback=_checked("values.read_date"),
    help="The last day of those that have no date of their own. A date in the file goes before it, a later one too.",
)
@click.option(
    "--approved-by", metavar="NAME", callback=_checked("values.read_words"), help="Who accepts them; no file says it."
)
@click.option(
    "--reason", metavar="TEXT", callback=_checked("values.read_words"), help="Why, where the file does not say."
)
@json_option
def import_(
    file: Path,
    repositories: tuple[str, ...],
    until: str | None,
    approved_by: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Print what FILE accepts as exemptions, to be pasted into warden.yaml. `-` reads stdin.

    FILE is Trivy's .trivyignore.yaml or .trivyignore, or an OpenVEX document, of which only statements of the status
    not_affected count. What the file does not say must be said by an option. What can't be said in an exemption, or is
    over, is left out and told.

    Trivy counts a finding again from the start of its date on; the exemption ends the day before.
    """
    from policy import PolicyError  # noqa: PLC0415
    from policy.exemption_imports import Given, as_yaml, import_exemptions  # noqa: PLC0415

    today = datetime.now(UTC).date()
    if until is not None and until < today.isoformat():
        raise click.BadParameter(f"{until} is over", param_hint="--until")
    given = Given(repositories, until, reason, approved_by)
    try:
        imported = import_exemptions(_bytes_of(file), given, file=str(file), today=today)
    except PolicyError as error:
        raise click.ClickException(f"{len(error.problems)} to put right\n{error}") from None
    for note in imported.notes:
        tell(note)
    if as_json:
        print_json({"exemptions": list(imported.exemptions)})
    else:
        click.echo(as_yaml(imported.exemptions), nl=False)
    count = len(imported.exemptions)
    tell(f"{count} {'exemption' if count == 1 else 'exemptions'}: to be read, and put into the policy")


def _bytes_of(path: Path) -> bytes:
    """What the file holds, or the first of it where it is larger than can be read."""
    from policy.source import LARGEST  # noqa: PLC0415

    try:
        with click.open_file(str(path), "rb") as opened:
            data: bytes = opened.read(LARGEST + 1)
    except OSError as error:
        raise click.ClickException(f"{path}: {(error.strerror or 'unreadable').lower()}") from None
    return data
