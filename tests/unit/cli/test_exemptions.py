"""`warden exemptions import` as its users meet it: YAML or JSON on stdout, what was left out on stderr."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from cli.main import commands
from policy.source import LARGEST
from tests.builders import VECTORS
from tests.unit.policy.policies import a_file

SAMPLES = VECTORS / "exemptions"
OPTIONS = ("--repositories", "team/*", "--until", "2999-12-31", "--approved-by", "alice", "--reason", "not reachable")


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(commands, ["exemptions", *arguments], input=stdin)


@pytest.mark.parametrize("name", ["trivyignore.yaml", "trivyignore", "openvex.json"])
def test_what_is_printed_makes_a_policy_that_validate_takes(name: str, tmp_path: Path) -> None:
    result = run("import", str(SAMPLES / name), *OPTIONS)
    policy = tmp_path / "warden.yaml"
    policy.write_text(a_file(top=result.stdout), "utf-8")

    assert result.exit_code == 0
    assert CliRunner().invoke(commands, ["validate", str(policy)]).exit_code == 0
    assert f"{SAMPLES / name}:" in result.stderr
    assert "to be read, and put into the policy" in result.stderr


def test_programs_are_told_the_same_as_json() -> None:
    file = str(SAMPLES / "openvex.json")

    as_yaml, as_json = run("import", file, *OPTIONS), run("import", file, *OPTIONS, "--json")

    assert json.loads(as_json.stdout) == yaml.safe_load(as_yaml.stdout)
    assert as_json.stderr == as_yaml.stderr


def test_a_file_may_come_from_stdin_and_repositories_be_given_several_times() -> None:
    result = run("import", "-", *OPTIONS, "--repositories", "app", stdin="CVE-2026-1234\n")

    assert yaml.safe_load(result.stdout)["exemptions"][0]["repositories"] == ["team/*", "app"]
    assert result.stderr == "1 exemption: to be read, and put into the policy\n"


def test_what_is_not_said_is_an_error_with_the_line_and_the_option_and_prints_nothing() -> None:
    result = run("import", str(SAMPLES / "trivyignore"), "--until", "2999-12-31", "--repositories", "*")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"3 to put right\n{SAMPLES / 'trivyignore'}:2:1: CVE-2026-14618: the file does not say" in result.stderr
    assert "give --approved-by NAME" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--until", "soon"], "expected a date such as 2027-01-31, got 'soon'"),
        (["--until", "2020-01-01"], "2020-01-01 is over"),
        (["--repositories", "Team/*"], "did you mean 'team/*'?"),
        (["--approved-by", " "], "expected a line of at most 300 characters"),
        (["--reason", "a\x1bb"], "expected a line of at most 300 characters"),
        (["--reason", "x" * 301], "expected a line of at most 300 characters"),
    ],
)
def test_a_wrong_option_is_told_as_the_policy_would_tell_it(arguments: list[str], said: str) -> None:
    result = run("import", str(SAMPLES / "trivyignore"), *arguments)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"Invalid value for {arguments[0]}" in result.stderr.replace("'--", "--")
    assert said in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x00", "left out: expected an identifier"),
        (b"vulnerabilities: \x00", "control character"),
        (b"{" * 100, "expected"),
        (b"- \x1b[31m", "control character"),
        (b"#" * (LARGEST + 1), "expected a file of at most 512 KiB"),
    ],
)
def test_a_hostile_file_is_told_in_words_without_a_traceback(data: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)

    result = run("import", str(file), *OPTIONS)

    assert said in result.stderr
    assert not {"\x00", "\x1b"} & set(result.stderr)
    assert "this should not happen" not in result.stderr
    assert isinstance(result.exception, SystemExit | None)


def test_a_missing_file_is_told() -> None:
    result = run("import", "nowhere.yaml", *OPTIONS)

    assert result.exit_code == 1
    assert "nowhere.yaml: no such file or directory" in result.stderr


def test_the_help_says_which_date_wins() -> None:
    told = " ".join(run("import", "--help").stdout.split())

    assert "A date in the file goes before it, a later one too." in told
    assert "the exemption ends the day before" in told
