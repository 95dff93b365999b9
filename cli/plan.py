"""`warden plan`: what would change in the account, and why."""

from pathlib import Path

import click

from cli import plans
from cli.aws import client
from cli.options import json_option, load_policy, policy_option
from cli.printing import print_json, tell

DIFFERENCES = 2


@click.command("plan", short_help="Show what would change in the account.")
@click.argument("patterns", metavar="[GLOB]...", nargs=-1)
@policy_option
@json_option
def command(patterns: tuple[str, ...], policy_path: Path, as_json: bool) -> None:
    """Show what would bring the repositories to their standard; nothing is changed.

    GLOB is a repository's name, in which * stands for any characters, slashes included; all repositories where none is
    given. + is put where nothing was, ~ is changed, - is taken away. Ends with 0 where nothing differs and with 2 where
    something does.
    """
    policy = load_policy(policy_path)
    found = plans.gather(plans.registry_of(client), policy, patterns)
    for pattern in found.unmatched:
        tell(f"No repository matches {pattern}.")
    if as_json:
        print_json(
            {
                "fingerprint": policy.fingerprint,
                "repositories": found.looked_at,
                "actions": [plans.as_json(action) for action in found.actions],
            }
        )
    else:
        plans.show(found)
    if found.actions:
        raise click.exceptions.Exit(DIFFERENCES)
