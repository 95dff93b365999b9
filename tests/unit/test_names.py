"""Names, and the wildcard that ECR means by `*`."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden.names import Severity, is_digest, is_repository_name
from warden.wildcard import matches

TEXT = st.text(alphabet="ab/.*", max_size=8)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("dev-*", "dev-42", True),
        ("dev-*", "dev-", True),
        ("dev-*", "my-dev-42", False),
        ("team-a/*", "team-a/api/worker", True),
        ("team-a/*", "team-a", False),
        ("*", "", True),
        ("a?c", "abc", False),
        ("[ab]", "a", False),
        ("v1.*", "v1x2", False),
        ("*-rc*", "v1-rc2\n", True),
    ],
)
def test_a_star_stands_for_anything_and_nothing_else_is_special(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@given(parts=st.lists(TEXT.map(lambda text: text.replace("*", "")), min_size=1, max_size=5), fill=TEXT)
def test_filling_the_stars_with_anything_matches(parts: list[str], fill: str) -> None:
    assert matches("*".join(parts), fill.join(parts))


@given(pattern=TEXT.map(lambda text: text.replace("*", "")), text=TEXT)
def test_a_pattern_without_a_star_matches_itself_alone(pattern: str, text: str) -> None:
    assert matches(pattern, text) is (pattern == text)


@pytest.mark.parametrize("name", ["ab", "team/app", "a1/b-2/c_3/d.4", "x" * 256])
def test_names_that_ecr_allows(name: str) -> None:
    assert is_repository_name(name)


@pytest.mark.parametrize("name", ["", "a", "Team/app", "team//app", "/app", "app/", "a..b", "a b", "x" * 257, None, 7])
def test_names_that_ecr_refuses(name: object) -> None:
    assert not is_repository_name(name)


@given(st.from_regex(re.compile(r"sha256:[0-9a-f]{64}"), fullmatch=True))
def test_every_sha256_digest_is_one(text: str) -> None:
    assert is_digest(text)
    assert not is_digest(f"{text}\n")


@pytest.mark.parametrize("text", ["", "sha256:", "latest", "sha256:xyz" + "0" * 61, None, "x" * 1000 + ":" + "0" * 64])
def test_what_is_no_digest(text: object) -> None:
    assert not is_digest(text)


def test_severities_are_ordered_worst_first() -> None:
    assert [severity.rank for severity in Severity] == sorted(severity.rank for severity in Severity)
    assert Severity.CRITICAL.reaches(Severity.HIGH)
    assert Severity.HIGH.reaches(Severity.HIGH)
    assert not Severity.MEDIUM.reaches(Severity.HIGH)
    assert not Severity.UNDEFINED.reaches(Severity.INFORMATIONAL)
