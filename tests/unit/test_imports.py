"""A cold start pays for each import, so what no handler calls must not be there."""

import pytest

from benchmarks.imports import HANDLERS, forbidden, imported


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_imports_nothing_that_is_not_for_lambda(handler: str) -> None:
    modules = imported(f"import {handler}")
    assert "warden.runtime" in modules
    assert forbidden(modules) == []


def test_the_check_can_fail() -> None:
    assert forbidden(imported("import rich.table")) == ["rich"]


def test_only_notify_carries_the_chat() -> None:
    for handler in HANDLERS:
        assert ("warden.webhook" in imported(f"import {handler}")) is (handler == "notify")
