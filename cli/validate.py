"""`warden validate`: is this a policy, and if not, what must be changed where."""

from pathlib import Path

import click

from cli.options import EXISTING, POLICY, json_option
from cli.printing import print_json, tell


@click.command("validate", short_help="Check a policy.")
@click.argument("file", type=EXISTING, default=POLICY)
@json_option
def command(file: Path, as_json: bool) -> None:
    """Check the policy in FILE (warden.yaml where none is given).

    Every problem is told at once, each with its line, its column, its field and what was expected. Nothing is asked of
    AWS.
    """
    import policy  # noqa: PLC0415 - pydantic takes a tenth of a second

    try:
        loaded = policy.load(file)
    except policy.PolicyError as error:
        if not as_json:
            raise click.ClickException(f"{len(error.problems)} to put right\n{error}") from None
        problems = [
            {"line": found.place.line, "column": found.place.column, "field": found.field, "problem": found.text}
            for found in error.problems
        ]
        print_json({"valid": False, "problems": problems})
        raise click.exceptions.Exit(1) from None
    compiled = loaded.compiled
    if as_json:
        print_json({"valid": True, "fingerprint": compiled["fingerprint"], "notes": list(loaded.notes)})
    for note in loaded.notes:
        tell(f"note: {note}")
    rules = len(compiled["rules"])
    tell(
        f"{file} is valid: mode {compiled['mode']}, {rules} {'rule' if rules == 1 else 'rules'}, "
        f"fingerprint {compiled['fingerprint']}"
    )
