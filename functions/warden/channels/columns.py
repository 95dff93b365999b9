"""A table in letters of one width, for products that have no tables, or none that can be relied on."""

from warden.notices import Table
from warden.text import clip_middle

_GAP = "  "
_NARROWEST = 3
_MOST_COLUMNS = 6


def aligned(table: Table, rows: int, width: int) -> str:
    """The headings and the first `rows` rows, a line each of at most `width` characters; empty where there is no row.

    A column is as wide as its widest text; where all of them together are too wide, the widest is cut first. Numbers
    stand at the right of their column.

    >>> print(aligned(Table("", ("image", "count"), (("team/app:v1", "12"), ("b:2", "3"))), 2, 40))
    image        count
    team/app:v1     12
    b:2              3
    """
    cells = [[clip_middle(cell, width) for cell in row[:_MOST_COLUMNS]] for row in (table.columns, *table.rows[:rows])]
    columns = min(len(row) for row in cells)
    if rows < 1 or not columns or len(cells) == 1:
        return ""
    widths = [max(len(row[column]) for row in cells) for column in range(columns)]
    numbers = [all(_is_number(row[column]) for row in cells[1:]) for column in range(columns)]
    while sum(widths) + len(_GAP) * (columns - 1) > width and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    lines = (_GAP.join(_placed(*cell) for cell in zip(row, widths, numbers, strict=False)).rstrip() for row in cells)
    return "\n".join(line or "-" for line in lines)


def _placed(cell: str, size: int, is_number: bool) -> str:
    shown = clip_middle(cell, size)
    return shown.rjust(size) if is_number else shown.ljust(size)


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").isdigit()
