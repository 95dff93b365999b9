from infra import iam_table
from infra.functions import FUNCTIONS


def test_the_page_of_permissions_is_that_of_the_template() -> None:
    page = iam_table.page(iam_table.template())
    assert page == iam_table.PAGE.read_text(), "write it anew: python -m infra.iam_table"
    assert all(f"\n## {spec.title}\n" in page for spec in FUNCTIONS)
