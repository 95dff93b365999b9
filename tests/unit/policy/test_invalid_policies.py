"""Every policy of the corpus is refused, with each problem's line, column, field and remedy."""

from pathlib import Path

import pytest

import policy
from policy.source import LARGEST

CORPUS = Path(__file__).parent / "invalid"
POLICIES = sorted(CORPUS.glob("*.yaml"))


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_an_invalid_policy_is_told_line_field_and_remedy(path: Path) -> None:
    expected = path.with_suffix(".expected").read_text("utf-8").splitlines()

    with pytest.raises(policy.PolicyError) as refusal:
        policy.load(path)

    assert str(refusal.value).splitlines() == [f"{path}:{line}" for line in expected]


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_no_error_shows_what_may_be_a_secret(path: Path) -> None:
    with pytest.raises(policy.PolicyError) as refusal:
        policy.load(path)

    assert "hunter2" not in str(refusal.value)


def test_the_corpus_is_large_and_each_of_its_policies_has_its_errors_beside_it() -> None:
    assert len(POLICIES) >= 100
    assert {path.stem for path in POLICIES} == {path.stem for path in CORPUS.glob("*.expected")}


def test_a_file_too_large_to_be_a_policy_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "warden.yaml"
    path.write_text("#" * (LARGEST + 1))

    with pytest.raises(policy.PolicyError, match="expected a policy of at most 512 KiB"):
        policy.load(path)


def test_a_file_that_does_not_exist_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(policy.PolicyError, match="expected a policy file, got: no such file or directory"):
        policy.load(tmp_path / "warden.yaml")


def test_a_directory_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(policy.PolicyError, match="expected a policy file, got: is a directory"):
        policy.load(tmp_path)


def test_an_error_shows_hostile_text_harmlessly(tmp_path: Path) -> None:
    path = tmp_path / "warden.yaml"
    path.write_text('version: 1\n"\\e[31m\\u202Emode": report\n')

    with pytest.raises(policy.PolicyError) as refusal:
        policy.load(path)

    assert "mode" in str(refusal.value)
    assert all(character.isprintable() for line in str(refusal.value).splitlines() for character in line)
