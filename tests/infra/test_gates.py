"""What reviewers' tools say of the template, and that our answers to them still hold."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.application import synthesise
from infra.iam_table import WITHOUT_ASSET

from .conftest import HERE, Synthesised

ACKNOWLEDGED = "aws:cdk:acknowledged-rules"


def acknowledgements(stack: Synthesised) -> dict[tuple[str, str], str]:
    """The reason of each acknowledgement, by rule and the construct that it was made on."""
    metadata = next(stack.assembly.glob("*.metadata.json"))
    return {
        (rule, path): reason
        for path, entries in json.loads(metadata.read_text()).items()
        for entry in entries
        if entry["type"] == ACKNOWLEDGED
        for rule, reason in entry["data"].items()
    }


def findings(directory: Path) -> set[tuple[str, str]]:
    """Every finding of a synthesis without acknowledgements, by rule and construct."""
    with pytest.raises(RuntimeError):
        synthesise(directory, **HERE, **WITHOUT_ASSET, acknowledged="false")
    report = json.loads((directory / "validation-report.json").read_text())
    return {
        (violation["ruleName"], "/" + construct["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }


def test_every_finding_is_acknowledged_and_every_acknowledgement_has_one(dev: Synthesised, tmp_path: Path) -> None:
    made, found = acknowledgements(dev), findings(tmp_path)

    def answers(acknowledgement: tuple[str, str], finding: tuple[str, str]) -> bool:
        return acknowledgement[0].endswith(finding[0]) and f"{finding[1]}/".startswith(f"{acknowledgement[1]}/")

    assert made, "the test reads the metadata wrongly"
    assert [finding for finding in found if not any(answers(one, finding) for one in made)] == []
    assert [one for one in made if not any(answers(one, finding) for finding in found)] == []
    assert all(len(reason.split()) > 3 for reason in made.values())


def test_synth_is_clean(dev: Synthesised) -> None:
    report = json.loads((dev.assembly / "validation-report.json").read_text())
    assert report["pluginReports"] == []


def test_cfn_lint_finds_nothing(dev: Synthesised, prod: Synthesised) -> None:
    command = Path(sys.executable).with_name("cfn-lint")
    # W3005: CDK writes dependencies that a reference implies already.
    options = ["-i", "W3005", "--regions", "us-east-1", "eu-central-1", "-t"]
    done = subprocess.run(  # noqa: S603 - our own
        [command, *options, dev.template_file, prod.template_file], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
