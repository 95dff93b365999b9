"""`warden`: its commands, loaded only when asked for, and how they end badly without a traceback."""

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from cli.lazy import LazyGroup
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
    "scan",
    "promote",
    "quarantine",
    "release",
    "restore",
    "channels",
    "exemptions",
    "doctor",
)
LONGEST_LINE = 600
TRACEBACK = "WARDEN_TRACEBACK"


class Commands(LazyGroup):
    """The commands, and how they end."""

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


@click.command(
    cls=Commands,
    modules={name: f"cli.{name}" for name in COMMANDS},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
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
