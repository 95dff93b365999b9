"""The command as its users meet it: data on stdout, words on stderr, 0 or 1, and never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click import Context, Option
from click.testing import CliRunner, Result

from cli.main import COMMANDS, commands
from tests.builders import VECTORS
from tests.unit.policy.policies import a_file

PROJECT = Path(__file__).parents[3]


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(commands, arguments, input=stdin)


@pytest.fixture
def policy_file(tmp_path: Path) -> str:
    path = tmp_path / "warden.yaml"
    path.write_text(
        a_file(
            '  lifecycle: {rules: [{expire: untagged, after: 2w}, {keep: 30, of: "v*"}]}\n',
            '  - {match: "team-a/*", findings: {notify_from: CRITICAL}}\n',
        )
    )
    return str(path)


@pytest.fixture
def broken_file(tmp_path: Path) -> str:
    path = tmp_path / "broken.yaml"
    path.write_text(a_file(top="mode: enfroce\nmodes: x\n"))
    return str(path)


def test_help_names_every_command_with_what_it_does() -> None:
    result = run("--help")

    listed = [line.split(maxsplit=1) for line in result.stdout.partition("Commands:\n")[2].splitlines()]
    assert [name for name, _ in listed] == list(COMMANDS)
    assert result.exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_each_of_its_options(name: str) -> None:
    result = run(name, "--help")

    assert result.exit_code == 0
    assert f"Usage: commands {name}" in result.stdout
    command = commands.get_command(Context(commands), name)
    assert command is not None
    assert all(option.help for option in command.params if isinstance(option, Option))


@pytest.mark.parametrize("arguments", [["nope"], ["--nope"], ["explain"], ["render", "--channel", "fax"]])
def test_a_wrong_use_ends_with_1_and_says_what_was_wrong(arguments: list[str]) -> None:
    result = run(*arguments)

    assert result.exit_code == 1
    assert "Error: " in result.stderr
    assert result.stdout == ""


def test_a_valid_policy_ends_with_0_and_leaves_stdout_to_data(policy_file: str) -> None:
    result = run("validate", policy_file)

    assert result.exit_code == 0
    assert result.stdout == ""
    assert "is valid: mode report, 1 rule, fingerprint" in result.stderr


def test_validate_tells_every_problem_of_the_file(broken_file: str) -> None:
    result = run("validate", broken_file)

    assert result.exit_code == 1
    assert f"{broken_file}:2:7: mode: expected one of" in result.stderr
    assert f"{broken_file}:3:1: modes: unknown key; did you mean 'mode'?" in result.stderr


def test_validate_tells_programs_the_same(broken_file: str) -> None:
    result = run("validate", broken_file, "--json")

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [(problem["line"], problem["column"], problem["field"]) for problem in told["problems"]] == [
        (2, 7, "mode"),
        (3, 1, "modes"),
    ]


def test_schema_prints_what_is_committed() -> None:
    assert run("schema").stdout == (PROJECT / "schema" / "warden.schema.json").read_text("utf-8")


def test_explain_shows_each_field_with_the_line_it_comes_from(policy_file: str) -> None:
    lines = run("explain", "team-a/api", "--policy", policy_file).stdout.splitlines()

    assert ["findings.notify_from", "CRITICAL", 'rule "team-a/*", warden.yaml:6'] in [
        [cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines
    ]
    assert any("archive untagged images 14 days after the push" in line for line in lines)


def test_explain_gives_programs_values_origins_and_the_lifecycle_policy(policy_file: str) -> None:
    told = json.loads(run("explain", "other", "--policy", policy_file, "--json").stdout)

    assert told["fields"]["findings.notify_from"] == {"value": "HIGH", "origin": "built-in default"}
    assert [rule["rulePriority"] for rule in told["lifecyclePolicy"]["rules"]] == [1, 2, 3]
    assert told["lifecyclePolicy"]["rules"][0]["selection"]["tagPatternList"] == ["warden.keep-*"]
    assert told["inventory"] == {"sources": ["ecs", "lambda", "eks"], "regions": [], "roles": [], "functions": []}


PRUNING = """\
version: 1
defaults:
  channels: [platform]
  lifecycle:
    action: delete
    wait: 1w
    protect: {tags: ["prod-*"], grace: 14d, pulled_within: 30d}
    rules:
      - {keep: 3, of: "v*", per: minor}
      - {expire: "pr-*", after: 3d, label: "org.acme.ephemeral=true"}
inventory: {sources: [ecs], functions: [nomad-images], regions: [eu-west-1]}
channels: {platform: {type: slack, secret: warden/slack-platform}}
"""


def test_explain_shows_how_old_images_leave_a_line_for_each_rule(tmp_path: Path) -> None:
    path = tmp_path / "warden.yaml"
    path.write_text(PRUNING)

    result = run("explain", "team-a/api", "--policy", str(path))
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in result.stdout.splitlines()]

    assert ["lifecycle.wait", "7d", "warden.yaml:6"] in rows
    assert ["lifecycle.protect.grace", "14d", "warden.yaml:7"] in rows
    assert ["lifecycle.protect.pulled_within", "30d", "warden.yaml:7"] in rows
    assert ["lifecycle.caps.percent", "25%", "built-in default"] in rows
    first = rows.index(
        [
            "lifecycle.rules",
            "delete images tagged v* beyond the newest 3 of each minor version, by the warden itself",
            "warden.yaml:8",
        ]
    )
    assert rows[first + 1] == [
        "delete images tagged pr-* 3 days after the push, where their label is org.acme.ephemeral=true, "
        "by the warden itself"
    ]
    assert "What is in use is asked of ecs, nomad-images; also in eu-west-1." in result.stdout
    assert "ECR gets no lifecycle policy: the warden does itself what the rules say." in result.stderr


def test_explain_asks_nobody_what_is_in_use_where_it_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "warden.yaml"
    path.write_text(PRUNING.replace("protect: {", "protect: {in_use: false, "))

    assert "in use is asked" not in run("explain", "team-a/api", "--policy", str(path)).stdout


CONSEQUENCES = """\
version: 1
mode: enforce
defaults:
  channels: [platform]
  lifecycle: {protect: {in_use: false}}
  quarantine: {by: pull, break_glass: ["arn:aws:iam::111122223333:role/forensics"]}
  empty: {after: 90d}
rules:
  - match: "staging/*"
    promote: {to: "release/{name}", tags: ["v*", "1.10"], rename: "{tag}-checked"}
  - match: "staging/web"
    quarantine: {in_use: true}
channels: {platform: {type: slack, secret: warden/slack-platform}}
"""


def test_explain_shows_what_the_verdict_does(tmp_path: Path) -> None:
    path = tmp_path / "warden.yaml"
    path.write_text(CONSEQUENCES)

    result = run("explain", "staging/api", "--policy", str(path))
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in result.stdout.splitlines()]

    assert ["promote.mode", "enforce", "warden.yaml:2"] in rows
    assert ["promote.to", "release/{name}", 'rule "staging/*", warden.yaml:10'] in rows
    assert ["promote.tags", "v*, 1.10", 'rule "staging/*", warden.yaml:10'] in rows
    assert ["promote.rename", "{tag}-checked", 'rule "staging/*", warden.yaml:10'] in rows
    assert ["promote.region", "not asked", "built-in default"] in rows
    assert ["quarantine.mode", "report", "built-in default"] in rows
    assert ["quarantine.by", "pull", "warden.yaml:6"] in rows
    assert ["quarantine.break_glass", "arn:aws:iam::111122223333:role/forensics", "warden.yaml:6"] in rows
    assert ["quarantine.in_use", "false", "built-in default"] in rows
    assert ["empty.after", "90d", "warden.yaml:7"] in rows
    assert ["empty.mode", "report", "built-in default"] in rows


def test_explain_says_who_is_asked_what_is_in_use_for_quarantine_too(tmp_path: Path) -> None:
    path = tmp_path / "warden.yaml"
    path.write_text(CONSEQUENCES)

    asked = "What is in use is asked of ecs, lambda, eks."
    assert asked in run("explain", "staging/api", "--policy", str(path)).stdout
    assert asked not in run("explain", "staging/web", "--policy", str(path)).stdout


def test_explain_tells_what_a_repositorys_tags_may_not_say(tmp_path: Path) -> None:
    path = tmp_path / "warden.yaml"
    path.write_text(a_file())

    result = run(*("explain", "team-a/api", "--policy", str(path)), *("--tag", "warden:lifecycle.protect.in_use=false"))

    assert "lifecycle.rules                  none" in result.stdout
    assert "what moves or deletes images is the policy's alone" in result.stdout
    assert "No lifecycle policy is asked for." in result.stderr


@pytest.mark.parametrize("tag", ["team", "=a", ""])
def test_explain_takes_tags_as_keys_and_values(policy_file: str, tag: str) -> None:
    result = run("explain", "team-a/api", "--policy", policy_file, "--tag", tag)

    assert result.exit_code == 1
    assert "expected KEY=VALUE" in result.stderr


def test_validate_notes_a_cap_that_lets_nothing_leave(tmp_path: Path) -> None:
    path = tmp_path / "warden.yaml"
    path.write_text(PRUNING.replace("    wait: 1w\n", "    caps: {percent: 0}\n"))

    result = run("validate", str(path))

    assert result.exit_code == 0
    assert "note: warden.yaml:6: lifecycle.caps.percent: 0 means none, so that nothing ever leaves" in result.stderr


def test_explain_refuses_what_is_no_repository_and_shows_it_harmlessly(policy_file: str) -> None:
    result = run("explain", "\x1b[31m[bold]Team\u202e", "--policy", policy_file)

    assert result.exit_code == 1
    assert "is not a repository's name" in result.stderr
    assert not {"\x1b", "\u202e"} & set(result.stderr)


def test_explain_under_a_broken_policy_says_what_is_wrong_with_it(broken_file: str) -> None:
    result = run("explain", "team-a/api", "--policy", broken_file)

    assert result.exit_code == 1
    assert "the policy can't be used" in result.stderr
    assert "did you mean 'enforce'?" in result.stderr


def _event(name: str) -> str:
    return str(VECTORS / "events" / name)


def test_render_prints_what_a_scan_would_post(policy_file: str) -> None:
    result = run(
        *("render", "--event", _event("ecr-image-scan.basic.complete.counts.json"), "--channel", "slack"),
        *("--findings", str(VECTORS / "findings" / "basic.complete.mixed.json"), "--policy", policy_file),
    )

    payloads = json.loads(result.stdout)
    assert len(payloads) == 1
    assert "2 critical" in payloads[0]["text"]


def test_render_prints_an_empty_list_for_an_event_that_is_silent(policy_file: str) -> None:
    event = Path(_event("ecr-image-action.push.tagged.json")).read_text("utf-8")

    result = run("render", "--event", "-", "--channel", "slack", "--policy", policy_file, stdin=event)

    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert "posts nothing" in result.stderr


@pytest.mark.parametrize("channel", ["teams", "discord", "google_chat", "webhook", "sns"])
def test_render_prints_what_each_kind_of_channel_would_get(channel: str, policy_file: str) -> None:
    event = _event("inspector2-finding.ecr.active.critical-exploit-in-use.json")

    result = run("render", "--event", event, "--channel", channel, "--policy", policy_file)

    (payload,) = json.loads(result.stdout)
    assert "CVE-2021-44228" in json.dumps(payload)
    assert "EPSS 94" in json.dumps(payload)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "as JSON, got: Expecting value"),
        ("{", ":1:2: expected an EventBridge event as JSON"),
        ("[]", "a JSON object, got a list"),
        ("[" * 100_000, "as JSON, got something else"),
        ("\udc80", "as JSON, got something else"),
    ],
)
def test_render_says_what_is_wrong_with_an_event(text: str, said: str, tmp_path: Path, policy_file: str) -> None:
    event = tmp_path / "event.json"
    event.write_bytes(text.encode("utf-8", "surrogateescape"))

    result = run("render", "--event", str(event), "--channel", "slack", "--policy", policy_file)

    assert result.exit_code == 1
    assert said in result.stderr


def test_a_missing_file_is_told_without_a_traceback(policy_file: str) -> None:
    result = run("render", "--event", "nowhere.json", "--channel", "slack", "--policy", policy_file)

    assert result.exit_code == 1
    assert "nowhere.json: no such file or directory" in result.stderr


def _modules_of(*arguments: str) -> set[str]:
    """What a fresh process imports to run the command."""
    program = (
        "import sys; from cli.main import commands\n"
        f"try: commands.main({list(arguments)!r})\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    answer = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": f"{PROJECT}:{PROJECT / 'functions'}"},
        cwd=PROJECT,
    )
    return {module.partition(".")[0] for module in answer.stderr.split()}


def test_help_imports_nothing_heavy() -> None:
    assert not {"boto3", "botocore", "pydantic", "yaml", "rich"} & _modules_of("--help")


def test_validating_a_policy_imports_nothing_of_aws() -> None:
    modules = _modules_of("validate")

    assert "pydantic" in modules
    assert not {"boto3", "botocore", "rich"} & modules
