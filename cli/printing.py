"""How the command speaks: JSON for programs; for people tables, coloured on a terminal and plain lines in a pipe.

What comes from a registry may hold anything. It is printed as rich Text, never as markup, after what can't be
seen was taken out; JSON is printed in ASCII, so a terminal gets no character that it would obey.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from warden.text import clean

LONGEST_CELL = 2000
STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}
"""Words that have a colour; the colour never stands alone."""


def print_json(value: Any) -> None:
    """A value on stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on stdout."""
    cells = [[clean(cell, LONGEST_CELL) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_on_a_terminal(headings, cells)
        return
    lines = [list(headings), *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _print_on_a_terminal(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - not needed for JSON, for --help, or in a pipe
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell, style=STYLES.get(cell, ""), overflow="fold") for cell in row))
    Console(highlight=False).print(table)


def tell(text: str) -> None:
    """A line for people, on stderr."""
    click.echo(clean(text, LONGEST_CELL), err=True)
