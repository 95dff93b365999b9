"""`warden lifecycle`: ECR's lifecycle policies, tried and examined; each of its commands is a module of its name."""

import importlib

import click

COMMANDS = ("simulate", "lint")


class Commands(click.Group):
    """Each command is the `command` of `cli.lifecycle_` and its name: one need not wait for the others' imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order in which one comes to need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"cli.lifecycle_{cmd_name}").command
        return command


@click.command("lifecycle", cls=Commands, short_help="Try and examine ECR's lifecycle policies.")
def command() -> None:
    """Try and examine ECR's own lifecycle policies, whoever wrote them. Nothing is changed."""
