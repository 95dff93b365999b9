"""`warden lifecycle`: ECR's lifecycle policies, tried and examined; each of its commands is a module of its name."""

import click

from cli.lazy import LazyGroup

MODULES = {name: f"cli.lifecycle_{name}" for name in ("simulate", "lint")}


@click.command("lifecycle", cls=LazyGroup, modules=MODULES, short_help="Try and examine ECR's lifecycle policies.")
def command() -> None:
    """Try and examine ECR's own lifecycle policies, whoever wrote them. Nothing is changed."""
