"""`warden why` against a ledger in moto's DynamoDB, and images in its ECR."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner
from moto import mock_aws

from cli.aws import client
from cli.main import commands
from cli.why import look_up
from tests.builders import NOW, digest, image_id
from warden.errors import Refused, Unavailable
from warden.ledger import Entry, Ledger

TABLE = "ledger"


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Ledger(dynamodb, TABLE)


def _record(ledger: Ledger, subject: str, kind: str, text: str, minutes: int = 0, **details: str) -> None:
    ledger.record(Entry(subject, NOW + timedelta(minutes=minutes), kind, text, details), event=f"{kind}-{minutes}")


def _kinds(subject: str) -> list[str]:
    _, entries = look_up(subject, client, stage="dev", table=TABLE)
    return [entry.kind for entry in entries]


def test_an_images_history_is_shown_oldest_first(ledger: Ledger) -> None:
    image = image_id()
    _record(ledger, str(image), "announced", "1 critical, to platform", minutes=2)
    _record(ledger, str(image), "pushed", "pushed as v1", minutes=0)
    _record(ledger, str(image_id("other")), "pushed", "pushed as v2")

    assert _kinds(str(image)) == ["pushed", "announced"]


def test_a_repositorys_history_is_its_own(ledger: Ledger) -> None:
    _record(ledger, "team/app", "standard", "scan on push: off → on", rule="warden.yaml:9")
    _record(ledger, str(image_id()), "pushed", "pushed as v1")

    assert _kinds("team/app") == ["standard"]


def test_an_image_of_an_index_is_shown_with_what_was_announced_of_the_index(ledger: Ledger) -> None:
    index, child = image_id("index"), image_id("child")
    ledger.adopt(index, [child.digest], now=NOW)
    _record(ledger, str(child), "scan started", "scan started")
    _record(ledger, str(index), "announced", "1 critical, to platform", minutes=3)

    result = CliRunner().invoke(commands, ["why", str(child), "--table", TABLE])

    assert _kinds(str(child)) == ["scan started", "announced"]
    assert f"of {index}, which lists it" in result.stdout


def test_a_tag_stands_for_the_image_that_has_it_now(ledger: Ledger) -> None:
    ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName="team/app")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {},
        "layers": [],
    }
    pushed = ecr.put_image(repositoryName="team/app", imageManifest=json.dumps(manifest), imageTag="v1")
    _record(ledger, f"team/app@{pushed['image']['imageId']['imageDigest']}", "pushed", "pushed as v1")

    assert _kinds("team/app:v1") == ["pushed"]


def test_a_tag_that_no_image_has_is_told_with_what_to_ask_instead(ledger: Ledger) -> None:
    boto3.client("ecr").create_repository(repositoryName="team/app")

    for subject in ("team/app:v1", "team/other:v1"):
        with pytest.raises(Refused, match=r"no image is tagged team/\w+:v1 now: ask by its digest"):
            look_up(subject, client, stage="dev", table=TABLE)


def test_programs_get_every_particular_as_json(ledger: Ledger) -> None:
    _record(ledger, "team/app", "standard", "scan on push: off → on", rule="warden.yaml:9", result="done")

    result = CliRunner().invoke(commands, ["why", "team/app", "--table", TABLE, "--json"])

    assert json.loads(result.stdout) == [
        {
            "subject": "team/app",
            "at": NOW.isoformat(),
            "kind": "standard",
            "text": "scan on push: off → on",
            "details": {"rule": "warden.yaml:9", "result": "done"},
        }
    ]


def test_text_from_outside_reaches_no_terminal_as_a_command(ledger: Ledger) -> None:
    _record(ledger, "team/app", "standard", "\x1b]0;owned\x07[red]boo\u202e", by="\x9b31m")

    for options in ([], ["--json"]):
        shown = CliRunner().invoke(commands, ["why", "team/app", "--table", TABLE, *options]).stdout
        assert "[red]boo" in shown
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(shown)


def test_nothing_known_is_said_and_is_no_failure(ledger: Ledger) -> None:
    result = CliRunner().invoke(commands, ["why", f"team/app@{digest('x')}", "--table", TABLE])

    assert result.exit_code == 0
    assert result.stdout == ""
    assert "The ledger knows nothing of team/app@sha256:" in result.stderr


@pytest.mark.parametrize("subject", ["Team", "team/app@sha256:12", "team/app@v1", "", "a:b:c/d", "team/app@"])
def test_what_is_neither_image_nor_repository_is_refused(subject: str, ledger: Ledger) -> None:
    result = CliRunner().invoke(commands, ["why", subject, "--table", TABLE])

    assert result.exit_code == 1
    assert "Error: " in result.stderr


def test_a_table_that_is_not_there_is_told_in_words(ledger: Ledger) -> None:
    with pytest.raises(Unavailable, match="can't read the ledger: ResourceNotFoundException"):
        look_up("team/app", client, stage="dev", table="gone")


def _stack_with(outputs: list[dict[str, str]]) -> Any:
    """A connector whose CloudFormation knows one stack; moto's needs packages that nothing else here does."""
    cloudformation = boto3.client("cloudformation")
    stack = {"StackName": "EcrWarden-prod", "CreationTime": NOW, "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    stubber = Stubber(cloudformation)
    stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "EcrWarden-prod"})
    stubber.activate()
    return lambda service: cloudformation if service == "cloudformation" else client(service)


def test_the_table_is_found_by_the_stages_stack(ledger: Ledger) -> None:
    _record(ledger, "team/app", "standard", "scan on push: off → on")
    connect = _stack_with([{"OutputKey": "LedgerTable", "OutputValue": TABLE}])

    _, entries = look_up("team/app", connect, stage="prod")

    assert [entry.kind for entry in entries] == ["standard"]


def test_a_stack_that_names_no_table_is_not_ours(ledger: Ledger) -> None:
    with pytest.raises(Refused, match="stack EcrWarden-prod has no output LedgerTable"):
        look_up("team/app", _stack_with([]), stage="prod")


def test_without_credentials_the_fix_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers credentials that an earlier test had

    result = CliRunner().invoke(commands, ["why", "team/app", "--table", TABLE])

    assert result.exit_code == 1
    assert "there are no AWS credentials; sign in, by `aws sso login`" in result.stderr
