"""`app.py`, as the CDK command runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = Path("warden.yaml")


def run(directory: Path, **context: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "CDK_OUTDIR": str(directory),
        "CDK_CONTEXT_JSON": json.dumps({"aws:cdk:bundling-stacks": [], **context}),
        "CDK_DEFAULT_ACCOUNT": "444455556666",
        "CDK_DEFAULT_REGION": "us-east-1",
    }
    return subprocess.run([sys.executable, "app.py"], env=environment, capture_output=True, text=True, check=False)


def test_an_invalid_policy_ends_synth_with_its_place_and_nothing_is_written(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    lines = GOOD.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, start=1) if "immutability:" in text)
    bad.write_text(GOOD.read_text().replace("immutability: IMMUTABLE_WITH_EXCLUSION", "immutability: FIRM"))

    done = run(tmp_path / "out", policy=str(bad))

    assert done.returncode == 1
    assert f"bad.yaml:{line}:" in done.stderr
    assert "IMMUTABLE_WITH_EXCLUSION" in done.stderr, "it says what was expected"
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("out/*.template.json"))


@pytest.mark.parametrize("context", [{"policy": "no-such-file.yaml"}, {"stage": "Prod"}])
def test_what_was_given_wrongly_is_said_in_one_message(tmp_path: Path, context: dict[str, str]) -> None:
    done = run(tmp_path, **context)
    assert done.returncode == 1
    assert next(iter(context.values())) in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.template.json"))


def test_stage_is_context_and_account_and_region_are_those_of_the_credentials(tmp_path: Path) -> None:
    done = run(tmp_path, stage="team-a")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    template = json.loads((tmp_path / "EcrWarden-team-a.template.json").read_text())
    rules = [
        r["Properties"]["EventPattern"] for r in template["Resources"].values() if r["Type"] == "AWS::Events::Rule"
    ]
    assert len(rules) == 7
    assert all(rule["account"] == ["444455556666"] and rule["region"] == ["us-east-1"] for rule in rules)
