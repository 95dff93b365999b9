"""`warden restore` at the command: what it takes, what it says, and what it says no to. What it does is elsewhere."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner
from moto import mock_aws

from cli.main import commands
from cli.restore import restore
from tests.account import INDEX, Stack, a_stack
from tests.builders import NOW, digest, image_id
from tests.wire import Answer, Wire, error, ok
from warden.errors import Refused, Unavailable
from warden.ledger import Ledger
from warden.prunings import Prunings

TABLE = "ledger"
IMAGE = image_id()


class Sts:
    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:sts::111122223333:assumed-role/Admin/\x1b[31malice"}


class Registry:
    """ECR as the test says it, operation by operation."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.wire = Wire(self._answer)

    def _answer(self, operation: str, _: Mapping[str, Any]) -> Answer:
        return self.answers[operation]

    def restore(self, stack: Stack, days: int = 30) -> str:
        clients: dict[str, Any] = {"ecr": self.wire.client(), "dynamodb": stack.dynamodb, "sts": Sts()}
        return restore(IMAGE, clients.__getitem__, now=NOW, days=days, table=TABLE)


def there(**detail: Any) -> Answer:
    return ok({"imageDetails": [{"imageDigest": IMAGE.digest, "imagePushedAt": NOW.timestamp(), **detail}]})


GONE = error("ImageNotFoundException")


def kept_back(stack: Stack) -> dict[Any, str]:
    return Prunings(stack.dynamodb, TABLE).kept_back(IMAGE.repository, now=NOW)


@pytest.fixture
def account() -> Iterator[Any]:
    """An account in moto, with the ledger's table and one image."""
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        ecr = boto3.client("ecr")
        ecr.create_repository(repositoryName="team/app")
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {}}
        text = json.dumps({**manifest, "layers": []})
        yield ecr.put_image(repositoryName="team/app", imageManifest=text, imageTag="v1")["image"]["imageId"]


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(commands, ["restore", *arguments])


def test_what_was_done_is_one_line_and_in_the_images_history(account: Any) -> None:
    image = f"team/app@{account['imageDigest']}"
    result = invoke(image, "--table", TABLE, "--days", "7")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{image}: there, and not about to leave. No rule takes it for 7 days.\n"
    (entry,) = Ledger(boto3.client("dynamodb"), TABLE).history(image)
    assert entry.kind == "restored"
    assert "no rule takes it for 7 days" in entry.text


@pytest.mark.parametrize(
    "subject",
    ["team/app", "team/app:v1", "team/app@", "team/app@v1", "team/app@sha256:12", "", "@", "\x1b[31m@sha256:1"],
)
def test_anything_but_an_image_by_its_digest_is_refused_with_what_is_expected(subject: str) -> None:
    result = invoke(subject, "--table", TABLE)
    assert result.exit_code == 1
    assert "expected REPO@DIGEST" in result.stderr
    assert "\x1b" not in result.stderr


def test_a_name_that_no_repository_has_is_refused() -> None:
    result = invoke(f"Team/App@{digest('a')}", "--table", TABLE)
    assert result.exit_code == 1
    assert "is not a repository's name" in result.stderr


@pytest.mark.parametrize("days", ["0", "-1", "3651", "soon", "1.5"])
def test_days_are_a_number_from_one_to_ten_years(days: str) -> None:
    result = invoke(str(IMAGE), "--days", days, "--table", TABLE)
    assert result.exit_code == 1, "2 is for a plan that finds differences"
    assert "--days" in result.stderr


def test_help_says_what_comes_back_and_for_how_long() -> None:
    said = " ".join(invoke("--help").stdout.split())
    assert "takes ECR up to 20 minutes" in said
    assert "[default: 30; 1<=x<=3650]" in said


@pytest.mark.parametrize(
    ("status", "said", "operations"),
    [
        ("ACTIVE", "there, and not about to leave", ["DescribeImages"]),
        ("ACTIVATING", "on its way back from the archive already", ["DescribeImages"]),
        ("ARCHIVED", "restored from the archive", ["DescribeImages", "UpdateImageStorageClass"]),
    ],
)
def test_what_is_there_is_brought_back_as_far_as_it_takes(status: str, said: str, operations: list[str]) -> None:
    registry = Registry(DescribeImages=there(imageStatus=status), UpdateImageStorageClass=ok({}))
    with a_stack() as stack:
        assert registry.restore(stack) == f"{IMAGE}: {said}. No rule takes it for 30 days."
        assert registry.wire.operations() == operations
        (why,) = kept_back(stack).values()
        assert why.startswith("put back by arn:aws:sts::111122223333:assumed-role/Admin/")
        assert why.endswith(f"until {NOW + timedelta(days=30):%d %b %Y}")
        assert why.isprintable(), "a name from outside reaches no terminal as a command"


@pytest.mark.parametrize("missing", [GONE, error("RepositoryNotFoundException")])
def test_what_ecrs_own_rules_deleted_can_not_come_back_and_that_is_said(missing: Answer, stack: Stack) -> None:
    with pytest.raises(Refused, match="what ECR's own rules deleted can't be brought back"):
        Registry(DescribeImages=missing).restore(stack)
    assert kept_back(stack) == {}


@pytest.mark.parametrize("answer", [ok({}), ok({"imageDetails": []})])
def test_an_answer_that_was_cut_short_is_no_absence(answer: Answer, stack: Stack) -> None:
    with pytest.raises(Refused, match="was cut short: ask again"):
        Registry(DescribeImages=answer).restore(stack)


def test_without_the_right_nothing_is_said_to_be_done(stack: Stack) -> None:
    registry = Registry(
        DescribeImages=there(imageStatus="ARCHIVED"), UpdateImageStorageClass=error("AccessDeniedException", "not you")
    )
    with pytest.raises(Unavailable, match="no right to: not you"):
        registry.restore(stack)
    assert stack.ledger.history(str(IMAGE)) == ()
    assert kept_back(stack), "another try finds it kept"


@pytest.mark.parametrize("code", ["LayersNotFoundException", "ReferencedImagesNotFoundException"])
def test_what_has_lost_a_part_is_told_so_in_plain_text(code: str, stack: Stack) -> None:
    Prunings(stack.dynamodb, TABLE).keep_manifest(IMAGE.repository, IMAGE.digest, "{}", ("v1",), now=NOW)
    registry = Registry(DescribeImages=GONE, PutImage=error(code, "sha256:1 \x1b[31m is gone"))
    with pytest.raises(Refused, match="parts of it are gone for good: sha256:1") as refused:
        registry.restore(stack)
    assert str(refused.value).isprintable()
    assert kept_back(stack) == {}


def test_an_image_that_had_no_tags_comes_back_without(stack: Stack) -> None:
    Prunings(stack.dynamodb, TABLE).keep_manifest(IMAGE.repository, IMAGE.digest, "{}", (), now=NOW)
    assert "put again, without a tag" in Registry(DescribeImages=GONE, PutImage=ok({})).restore(stack)


def test_a_tag_that_another_took_meanwhile_is_left_to_it(stack: Stack) -> None:
    Prunings(stack.dynamodb, TABLE).keep_manifest(IMAGE.repository, IMAGE.digest, "{}", ("v1",), now=NOW)
    registry = Registry(DescribeImages=GONE, PutImage=error("ImageTagAlreadyExistsException"))
    assert "put again, without a tag" in registry.restore(stack)


def test_an_index_whose_parts_nobody_kept_is_put_as_it_is(stack: Stack) -> None:
    """Its parts may be there still."""
    text = json.dumps({"mediaType": INDEX, "manifests": [{"digest": digest("child")}]})
    Prunings(stack.dynamodb, TABLE).keep_manifest(IMAGE.repository, IMAGE.digest, text, (), now=NOW)
    registry = Registry(DescribeImages=GONE, PutImage=ok({}))
    assert "put again" in registry.restore(stack)
    assert registry.wire.operations() == ["DescribeImages", "PutImage"]


def test_a_stage_that_is_not_deployed_is_told() -> None:
    cloudformation = boto3.client("cloudformation")
    stubbed = Stubber(cloudformation)
    stubbed.add_client_error("describe_stacks", "ValidationError", "Stack with id EcrWarden-nowhere does not exist")
    with stubbed, pytest.raises(Unavailable, match="can't find the ledger of stack EcrWarden-nowhere; --table names"):
        restore(IMAGE, {"cloudformation": cloudformation}.__getitem__, now=NOW, days=30, stage="nowhere")
