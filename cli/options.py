"""The options that several commands share, and reading what they name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from warden.names import RepositoryName, is_repository_name
from warden.text import clean

if TYPE_CHECKING:
    from warden.policy import Policy

LARGEST_JSON = 32 * 1024 * 1024
"""Bytes; the findings of the worst image are a tenth of it."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

EXISTING = click.Path(path_type=Path)
POLICY = Path("warden.yaml")


def policy_option(command: Decorated) -> Decorated:
    """`--policy FILE`."""
    return click.option(
        "--policy",
        "policy_path",
        type=EXISTING,
        default=Path("warden.yaml"),
        show_default=True,
        help="The policy file.",
    )(command)


def json_option(command: Decorated) -> Decorated:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(command)


def load_policy(path: Path) -> "Policy":
    """The checked policy, as the functions see it. Ends the command with every problem of the file."""
    import policy  # noqa: PLC0415 - pydantic takes a tenth of a second
    from warden.compiled_policy import from_compiled  # noqa: PLC0415

    try:
        return from_compiled(policy.load(path).compiled)
    except policy.PolicyError as error:
        raise click.ClickException(f"the policy can't be used:\n{error}") from None


def load_json(path: Path, what: str) -> dict[str, Any]:
    """The JSON object in a file, `-` for stdin; `what` is what it should hold. Ends the command where it doesn't."""
    try:
        with click.open_file(str(path), "rb") as file:
            data = file.read(LARGEST_JSON + 1)
    except OSError as error:
        raise click.ClickException(f"{path}: {(error.strerror or 'unreadable').lower()}") from None
    if len(data) > LARGEST_JSON:
        raise click.ClickException(f"{path}: expected {what}, got a file of more than {LARGEST_JSON >> 20} MiB")
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        raise click.ClickException(
            f"{path}:{error.lineno}:{error.colno}: expected {what} as JSON, got: {error.msg}"
        ) from None
    except (UnicodeDecodeError, RecursionError):
        raise click.ClickException(f"{path}: expected {what} as JSON, got something else") from None
    if not isinstance(value, dict):
        raise click.ClickException(f"{path}: expected {what}, a JSON object, got a {type(value).__name__}")
    return value


def repository_name(text: str) -> RepositoryName:
    """The name, if ECR would allow it. Ends the command where not."""
    if not is_repository_name(text):
        raise click.ClickException(f"'{clean(text, 80)}' is not a repository's name: expected one such as team-a/api")
    return RepositoryName(text)
