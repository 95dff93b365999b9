"""`warden schema`: the policy's JSON Schema."""

import click


@click.command("schema", short_help="Print the policy's JSON Schema.")
def command() -> None:
    """Print the JSON Schema of the policy, for editors and other tools.

    The file schema/warden.schema.json holds it, and the first line of warden.yaml tells editors so.
    """
    from policy import schema  # noqa: PLC0415 - pydantic takes a tenth of a second

    click.echo(schema.as_text(), nl=False)
