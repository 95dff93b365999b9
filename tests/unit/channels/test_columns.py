"""A table in letters of one width keeps its columns, whatever stands in them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.corpus.hostile_notices import STRINGS
from warden.channels.columns import aligned
from warden.notices import Table

ROWS = (("payments/api", "1,204", "high"), ("web", "7", "critical"))
TABLE = Table("Where", ("Repository", "Images", "Worst"), ROWS)


def test_columns_are_as_wide_as_their_widest_text_and_numbers_stand_at_the_right() -> None:
    assert aligned(TABLE, 2, 60).splitlines() == [
        "Repository    Images  Worst",
        "payments/api   1,204  high",
        "web                7  critical",
    ]


def test_where_it_is_too_wide_the_widest_column_is_cut_in_its_middle() -> None:
    table = Table("", ("Repository", "Images"), (("team/with/a/long/path/application", "7"),))
    assert aligned(table, 1, 26).splitlines() == ["Repository          Images", "team/w…application       7"]


@pytest.mark.parametrize(
    ("table", "rows"),
    [(TABLE, 0), (Table("", ("a",), ()), 5), (Table("", (), (("x",),)), 1), (Table("", ("a",), ((),)), 1)],
)
def test_a_table_without_a_cell_is_nothing(table: Table, rows: int) -> None:
    assert aligned(table, rows, 40) == ""


def test_only_so_many_rows_are_shown_and_rows_that_are_too_short_cut_the_columns() -> None:
    assert len(aligned(TABLE, 1, 60).splitlines()) == 2
    assert aligned(Table("", ("a", "b"), (("1", "2"), ("3",))), 2, 60).splitlines() == ["a", "1", "3"]


def test_a_row_of_nothing_is_still_a_row() -> None:
    assert aligned(Table("", ("a", "b"), (("", ""), ("x", "y"))), 2, 60).splitlines()[1] == "-"


@pytest.mark.parametrize("width", [12, 40, 76])
def test_no_hostile_string_makes_a_line_longer_or_another_line(width: int) -> None:
    for text in STRINGS:
        lines = aligned(Table(text, (text, "x"), ((text, text), ("1", text))), 2, width).splitlines()
        assert len(lines) == 3
        assert max(map(len, lines)) <= width


_cells = st.one_of(st.sampled_from(STRINGS), st.text(max_size=60))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(_cells, min_size=1, max_size=6).map(tuple), min_size=2, max_size=8), st.integers(30, 90))
def test_any_table_is_as_many_lines_as_it_has_rows(rows: list[tuple[str, ...]], width: int) -> None:
    columns, *body = rows
    lines = aligned(Table("", columns, tuple(body)), len(body), width).splitlines()
    assert len(lines) == len(rows)
    assert max(map(len, lines)) <= width
