"""Which repositories two patterns share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.overlap import covers, example
from tests.unit.policy.policies import UNHURRIED
from warden.names import is_repository_name
from warden.wildcard import matches

PATTERNS = st.text("ab/-*", min_size=1, max_size=8)
NAMES = st.text("ab/-", min_size=2, max_size=8).filter(is_repository_name)


@pytest.mark.parametrize(
    ("one", "other"), [("team-a/*", "team-b/*"), ("team/*", "team"), ("*-api", "*-web"), ("*", "team//*"), ("*", "A")]
)
def test_patterns_that_share_no_legal_name_have_no_example(one: str, other: str) -> None:
    assert example(one, other) is None


@pytest.mark.parametrize(
    ("one", "other", "unless", "name"),
    [
        ("*", "*", [], "app"),
        ("team-a/*", "*", [], "team-a/app"),
        ("team-a/*", "*-api", [], "team-a/app-api"),
        ("team-a/x", "*", [], "team-a/x"),
        ("*/x", "team-a/*", ["team-a/x"], "team-a/app/x"),
        ("*/x", "team-a/*", ["team-a/*"], None),
    ],
)
def test_an_example_matches_both_and_no_excluded_pattern(
    one: str, other: str, unless: list[str], name: str | None
) -> None:
    assert example(one, other, unless=unless) == name


def test_an_example_may_have_to_be_more_than_a_match() -> None:
    assert example("*/x", "team-*", such=lambda name: "app" not in name) == "team-zq9/x"
    assert example("team-a/*", "*", such=lambda name: name.startswith("team-b")) is None


def test_patterns_of_many_wildcards_take_no_time() -> None:
    assert example("*a" * 100, "*b" * 100) is None
    assert example("*" * 200, "*" * 200) is not None


@UNHURRIED
@given(PATTERNS, PATTERNS, st.lists(PATTERNS, max_size=2))
def test_an_example_is_always_true(one: str, other: str, unless: list[str]) -> None:
    name = example(one, other, unless=unless)

    if name is not None:
        assert matches(one, name)
        assert matches(other, name)
        assert not any(matches(pattern, name) for pattern in unless)


@UNHURRIED
@given(PATTERNS, PATTERNS, NAMES)
def test_a_name_that_matches_both_means_that_there_is_an_example(one: str, other: str, name: str) -> None:
    if matches(one, name) and matches(other, name):
        assert example(one, other) is not None


@UNHURRIED
@given(PATTERNS, PATTERNS, NAMES)
def test_what_a_pattern_covers_it_matches(outer: str, inner: str, name: str) -> None:
    if covers(outer, inner) and matches(inner, name):
        assert matches(outer, name)
