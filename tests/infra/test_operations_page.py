"""The page of operations: as many as the design has, each used, and as it is generated."""

from tests.operations import PAGE, ROWS, page, users


def test_the_page_is_as_it_is_generated() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.operations"


def test_there_are_29_operations_and_both_waiters() -> None:
    waiters = [row for row in ROWS if row.waits]

    assert (len(ROWS) - len(waiters), len(waiters)) == (29, 2)
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_each_operation_is_in_the_code_of_a_function() -> None:
    assert [row.name for row in ROWS if not users(row)] == []
