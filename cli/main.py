"""`warden`: its commands, loaded only when asked for, and how they end badly without a traceback."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from warden.errors import WardenError
from warden.text import clean

COMMANDS = (
    "validate",
    "schema",
    "explain",
    "plan",
    "apply",
    "render",
    "lifecycle",
    "why",
    "restore",
    "channels",
    "exemptions",
    "doctor",
)
LONGEST_LINE = 600
TRACEBACK = "WARDEN_TRACEBACK"


class Commands(click.Group):
    """Each command is the `command` of the module of its name: `warden --help` need not import AWS's library."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order in which one comes to need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"cli.{cmd_name}").command
        return command

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run, and exit with 0 or 1; click's own 2 for a wrong use is kept for a plan that finds differences."""
        run: Any = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **extra)
        try:
            sys.exit(run(*args, standalone_mode=False, **extra))
        except click.ClickException as error:
            error.show()
        except click.Abort:
            click.echo("stopped", err=True)
        except WardenError as error:
            _complain(str(error))
        except Exception as error:  # a person reads this: no traceback unless asked for
            if TRACEBACK in os.environ:
                raise
            _complain(f"this should not happen: {type(error).__name__}: {error} (set {TRACEBACK}=1 to see where)")
        sys.exit(1)


def _complain(text: str) -> None:
    click.echo(f"Error: {clean(text, LONGEST_LINE)}", err=True)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="ecr-warden", prog_name="warden")
def commands() -> None:
    """Keep an Amazon ECR registry to a written standard.

    The standard is one file, warden.yaml. Data goes to stdout and words for people to stderr; commands end with 0 when
    done and with 1 when something is wrong; plan with 2 where something differs.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Where the installed command starts."""
    commands.main(args=None if arguments is None else list(arguments), prog_name="warden")
    raise AssertionError("click has exited")  # pragma: no cover


if __name__ == "__main__":
    main()
