"""Groups of commands that are loaded only when asked for: `warden --help` need not import AWS's library."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """Each command is the `command` of its module; `modules` gives those by name, as one comes to need them."""

    modules: Mapping[str, str]

    def __init__(self, *args: Any, modules: Mapping[str, str], **more: Any) -> None:
        """`modules` are names of modules, by the names of their commands."""
        super().__init__(*args, **more)
        self.modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order in which one comes to need them."""
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, or None where there is none of that name."""
        if cmd_name not in self.modules:
            return None
        command: click.Command = importlib.import_module(self.modules[cmd_name]).command
        return command
