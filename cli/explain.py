"""`warden explain`: what the policy asks of one repository, and which line asks for it."""

import json
from pathlib import Path
from typing import Any

import click

from cli.options import json_option, load_policy, policy_option, repository_name
from cli.printing import print_json, print_table, tell


@click.command("explain", short_help="Show the standard of a repository.")
@click.argument("repository", metavar="REPO")
@policy_option
@json_option
def command(repository: str, policy_path: Path, as_json: bool) -> None:
    """Show the standard of REPO: each field with the place in the policy that it comes from.

    Shows the lifecycle policy, too, as ECR would get it. Nothing is asked of AWS: the repository need not exist.
    """
    from warden import lifecycle  # noqa: PLC0415
    from warden.policy import effective_fields, standard_of  # noqa: PLC0415

    name = repository_name(repository)
    policy = load_policy(policy_path)
    fields = effective_fields(policy, name)
    text = lifecycle.render(standard_of(policy, name).lifecycle)
    rendered: dict[str, Any] | None = json.loads(text) if text else None
    if as_json:
        print_json(
            {
                "repository": name,
                "fingerprint": policy.fingerprint,
                "fields": {key: {"value": fields[key].value, "origin": fields[key].origin} for key in sorted(fields)},
                "lifecyclePolicy": rendered,
            }
        )
        return
    rows = [(key, _show(fields[key].value, rendered, key), fields[key].origin) for key in sorted(fields)]
    print_table(("FIELD", "VALUE", "FROM"), rows)
    if text:
        click.echo(f"\nLifecycle policy:\n{json.dumps(rendered, indent=2)}")
    else:
        tell("No lifecycle policy is asked for.")


def _show(value: Any, rendered: dict[str, Any] | None, key: str) -> str:
    if key == "lifecycle.rules":
        return "; ".join(rule["description"] for rule in rendered["rules"]) if rendered else "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value)
