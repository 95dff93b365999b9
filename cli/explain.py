"""`warden explain`: what the policy asks of one repository, and which line asks for it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cli.options import json_option, load_policy, policy_option, repository_name
from cli.printing import print_json, print_table, tell
from warden.policy import InventorySources
from warden.text import clean

RULES = "lifecycle.rules"
BY_ITSELF = ", by the warden itself"
IN_DAYS = ("rescan_after", "fix_within", "wait", "delete_archived_after", "grace", "pulled_within", "after")


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
    from warden.lifecycle.describing import describe  # noqa: PLC0415
    from warden.lifecycle.rendering import is_direct, render  # noqa: PLC0415
    from warden.standards import effective, standard_of  # noqa: PLC0415

    name = repository_name(repository)
    policy = load_policy(policy_path)
    repository_tags = dict(map(_tag, tags))
    found = effective(policy, name, repository_tags)
    fields = found.fields
    whole = standard_of(policy, name, repository_tags)
    standard = whole.lifecycle
    text = render(standard).text
    rendered: dict[str, Any] | None = json.loads(text) if text else None
    if as_json:
        print_json(
            {
                "repository": name,
                "fingerprint": policy.fingerprint,
                "fields": {key: {"value": fields[key].value, "origin": fields[key].origin} for key in sorted(fields)},
                "lifecyclePolicy": rendered,
                "inventory": asdict(policy.inventory),
                "refused": [asdict(refused) for refused in found.refused],
            }
        )
        return
    rules = [
        describe(rule, standard.action) + (BY_ITSELF if is_direct(rule, standard) else "") for rule in standard.rules
    ]
    values = {key: [_show(key, field.value)] for key, field in fields.items() if key != RULES}
    values[RULES] = rules or ["none"]
    rows = [
        ("" if number else key, value, "" if number else fields[key].origin)
        for key in sorted(fields)
        for number, value in enumerate(values[key])
    ]
    print_table(("FIELD", "VALUE", "FROM"), rows)
    if standard.protection.in_use or (whole.quarantine.asks and not whole.quarantine.in_use):
        click.echo(f"\nWhat is in use is asked of {_asked(policy.inventory)}.")
    if found.refused:
        click.echo("\nRefused of the repository's tags:")
        print_table(("TAG", "VALUE", "WHY"), [(one.key, one.value, one.why) for one in found.refused])
    if text:
        click.echo(f"\nLifecycle policy:\n{json.dumps(rendered, indent=2)}")
    elif standard.rules:
        tell("ECR gets no lifecycle policy: the warden does itself what the rules say.")
    else:
        tell("No lifecycle policy is asked for.")


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.ClickException(f"--tag '{clean(text, 80)}': expected KEY=VALUE, such as team=a")
    return key, value


def _show(key: str, value: Any) -> str:
    if value is None or value == "":
        return "not asked"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(value) if " " in "".join(value) else ", ".join(value) or "none"
    return f"{value}{'d' if not set(key.split('.')).isdisjoint(IN_DAYS) else '%' if key.endswith('.percent') else ''}"


def _asked(inventory: InventorySources) -> str:
    """Who is asked what is in use, and where besides here.

    >>> _asked(InventorySources(functions=("nomad-images",), regions=("eu-west-1",)))
    'ecs, lambda, eks, nomad-images; also in eu-west-1'
    """
    asked = ", ".join([*inventory.sources, *inventory.functions])
    elsewhere = ", ".join([*inventory.regions, *inventory.roles])
    return f"{asked}; also in {elsewhere}" if elsewhere else asked
