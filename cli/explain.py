"""`warden explain`: what the policy asks of one repository, and which line asks for it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cli.options import json_option, load_policy, policy_option, repository_name
from cli.printing import print_json, print_table, tell
from warden.text import clean


@click.command("explain", short_help="Show the standard of a repository.")
@click.argument("repository", metavar="REPO")
@click.option(
    "--tag", "tags", metavar="KEY=VALUE", multiple=True, help="A tag that the repository has; may be repeated."
)
@policy_option
@json_option
def command(repository: str, tags: tuple[str, ...], policy_path: Path, as_json: bool) -> None:
    """Show the standard of REPO: each field with the place in the policy that it comes from.

    Shows the lifecycle policy, too, as ECR would get it, and what the repository's tags asked for and did not get.
    Nothing is asked of AWS: the repository need not exist, and its tags are those that --tag gives.
    """
    from warden import lifecycle  # noqa: PLC0415
    from warden.standards import effective, standard_of  # noqa: PLC0415

    name = repository_name(repository)
    policy = load_policy(policy_path)
    repository_tags = dict(map(_tag, tags))
    found = effective(policy, name, repository_tags)
    fields = found.fields
    standard = standard_of(policy, name, repository_tags).lifecycle
    text = lifecycle.render(standard)
    rendered: dict[str, Any] | None = json.loads(text) if text else None
    if as_json:
        print_json(
            {
                "repository": name,
                "fingerprint": policy.fingerprint,
                "fields": {key: {"value": fields[key].value, "origin": fields[key].origin} for key in sorted(fields)},
                "lifecyclePolicy": rendered,
                "refused": [asdict(refused) for refused in found.refused],
            }
        )
        return
    words = {"lifecycle.rules": [lifecycle.describe(rule, standard.action) for rule in standard.rules]}
    rows = [(key, _show(words.get(key, fields[key].value)), fields[key].origin) for key in sorted(fields)]
    print_table(("FIELD", "VALUE", "FROM"), rows)
    if found.refused:
        click.echo("\nRefused of the repository's tags:")
        print_table(("TAG", "VALUE", "WHY"), [(one.key, one.value, one.why) for one in found.refused])
    if text:
        click.echo(f"\nLifecycle policy:\n{json.dumps(rendered, indent=2)}")
    else:
        tell("No lifecycle policy is asked for.")


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.ClickException(f"--tag '{clean(text, 80)}': expected KEY=VALUE, such as team=a")
    return key, value


def _show(value: Any) -> str:
    if value is None:
        return "not asked"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(value) if " " in "".join(value) else ", ".join(value) or "none"
    return str(value)
