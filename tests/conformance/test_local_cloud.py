"""The local cloud around the registry: events, queues, functions with their roles, schedules, controls."""

import io
import json
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from mypy_boto3_ecr import ECRClient

from tests.conformance.cloud import DEBIAN, Cloud, manifest, push

pytestmark = pytest.mark.local_only

ACCOUNT = "111122223333"
ROOT = Path(__file__).parents[2]
PATIENCE = 20
"""Seconds until something counts as not coming."""
HANDLER = """
import json, os, urllib.request

def handler(event, context):
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        print(json.dumps({"warden-test": body, "receives": record["attributes"]["ApproximateReceiveCount"]}))
        if "poison" in record["body"]:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
"""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that events end in."""

    sqs: Any
    url: str
    arn: str

    def wait_for(self, wanted: Callable[[Any], bool]) -> Any:
        """The first message that is wanted; those before it are taken away."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            for message in self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=1).get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                body = json.loads(message["Body"])
                if wanted(body):
                    return body
        raise AssertionError("nothing came")


def _a_queue(cloud: Cloud, **attributes: str) -> Queue:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}", Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return Queue(sqs, url, arn)


@pytest.fixture
def events(cloud: Cloud) -> Iterator[Queue]:
    """A queue that every event of ECR goes to."""
    queue, bus, name = _a_queue(cloud), cloud.client("events"), f"rule-{uuid.uuid4().hex[:8]}"
    bus.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.ecr"], "account": [ACCOUNT]}))
    bus.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue.arn}])
    yield queue
    bus.remove_targets(Rule=name, Ids=["queue"])
    bus.delete_rule(Name=name)


def _is(detail_type: str, **detail: str) -> Callable[[Any], bool]:
    wanted = {name.replace("_", "-"): value for name, value in detail.items()}
    return lambda event: (
        event["detail-type"] == detail_type
        and wanted.items() <= {k: str(v) for k, v in event["detail"].items()}.items()
    )


def _a_role(cloud: Cloud, *actions: str, path: str = "/ecr-warden/test/") -> tuple[str, Any]:
    """A role that Lambda assumes and that may do those actions; its ARN, and a session of it."""
    iam, name = cloud.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com", "AWS": ACCOUNT},
        "Action": "sts:AssumeRole",
    }
    arn = iam.create_role(
        RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    allowed = {
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": f"arn:aws:ecr:eu-central-1:{ACCOUNT}:repository/*",
    }
    iam.put_role_policy(
        RoleName=name,
        PolicyName="allowed",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    session = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return arn, session


def _as(cloud: Cloud, session: Any) -> ECRClient:
    client: ECRClient = boto3.client(
        "ecr",
        endpoint_url=cloud.url,
        region_name="eu-central-1",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    return client


def test_a_push_and_its_scan_are_told(events: Queue, ecr: ECRClient, create: Callable[..., str]) -> None:
    repository = create(imageScanningConfiguration={"scanOnPush": True})

    digest = push(ecr, repository, manifest("debian", files=DEBIAN), "v1")

    pushed = events.wait_for(_is("ECR Image Action", image_digest=digest))
    assert pushed["detail"]["image-tag"] == "v1"
    scanned = events.wait_for(_is("ECR Image Scan", image_digest=digest))
    assert scanned["detail"]["finding-severity-counts"] == {"CRITICAL": 1}
    assert scanned["resources"] == [f"arn:aws:ecr:eu-central-1:{ACCOUNT}:repository/{repository}"]


def test_lost_events_are_lost_and_the_next_is_not(events: Queue, cloud: Cloud, ecr: ECRClient, repository: str) -> None:
    order = json.dumps({"detail-type": "ECR Image Action", "count": 1})
    requests.post(f"{cloud.url}/_warden/events/drop", data=order, timeout=10).raise_for_status()
    push(ecr, repository, manifest("lost"), "lost")
    push(ecr, repository, manifest("told"), "told")

    event = events.wait_for(lambda event: event["detail-type"] == "ECR Image Action")

    assert event["detail"]["image-tag"] == "told"


def test_a_change_by_a_role_is_told_with_the_role(events: Queue, cloud: Cloud, repository: str) -> None:
    arn, session = _a_role(cloud, "ecr:PutImageTagMutability")

    _as(cloud, session).put_image_tag_mutability(repositoryName=repository, imageTagMutability="IMMUTABLE")

    event = events.wait_for(_is("AWS API Call via CloudTrail", eventName="PutImageTagMutability"))
    identity = event["detail"]["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == arn
    assert "/ecr-warden/test/" in arn


def test_a_role_may_do_what_its_policy_allows_and_nothing_else(cloud: Cloud, repository: str) -> None:
    arn, session = _a_role(cloud, "ecr:DescribeImages")
    client = _as(cloud, session)
    before = len(requests.get(f"{cloud.url}/_warden/calls", timeout=10).json())

    client.describe_images(repositoryName=repository)
    with pytest.raises(client.exceptions.ClientError, match=r"AccessDeniedException.*ecr:ListImages"):
        client.list_images(repositoryName=repository)

    calls = requests.get(f"{cloud.url}/_warden/calls?since={before}", timeout=10).json()
    assert [(each["operation"], each["caller"], each["outcome"]) for each in calls] == [
        ("DescribeImages", arn, "ok"),
        ("ListImages", arn, "AccessDeniedException"),
    ]


def test_a_lifecycle_policy_runs_when_it_is_told(cloud: Cloud, ecr: ECRClient, repository: str) -> None:
    selection = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7}
    rule = {"rulePriority": 1, "description": "soon", "selection": selection, "action": {"type": "expire"}}
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=json.dumps({"rules": [rule]}))
    old = push(ecr, repository, manifest("old"))
    push(ecr, repository, manifest("new"), "v1")
    run = f"{cloud.url}/_warden/lifecycle/{repository}"

    now = requests.post(run, timeout=10).json()
    later = requests.post(run, json={"now": "2999-01-01T00:00:00+00:00"}, timeout=10).json()

    assert now["imageIds"] == []
    assert later["imageIds"] == [{"imageDigest": old}]


def test_a_failed_record_ends_in_the_dead_letters_and_a_schedule_fires_at_once(cloud: Cloud) -> None:
    dead = _a_queue(cloud)
    redrive = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2}
    queue = _a_queue(cloud, VisibilityTimeout="1", RedrivePolicy=json.dumps(redrive))
    arn, _ = _a_role(cloud, "ecr:DescribeImages")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("module.py", HANDLER)
    functions, name = cloud.client("lambda"), f"fn-{uuid.uuid4().hex[:8]}"
    functions.create_function(
        FunctionName=name,
        Runtime="python3.14",
        Architectures=["arm64"],
        Role=arn,
        Handler="module.handler",
        Code={"ZipFile": package.getvalue()},
        Timeout=1,
    )
    functions.create_event_source_mapping(
        EventSourceArn=queue.arn,
        FunctionName=name,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 2},
    )
    scheduler = cloud.client("scheduler")
    sweep = {"source": "poison", "time": "<aws.scheduler.scheduled-time>"}
    target = {"Arn": queue.arn, "RoleArn": arn, "Input": json.dumps(sweep)}

    scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(24 hours)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )
    event = dead.wait_for(lambda body: body["source"] == "poison")

    assert event["time"].startswith("20")
    assert event["time"].endswith("Z")


def test_a_port_that_is_taken_is_said_so(cloud: Cloud) -> None:
    command = [sys.executable, "-m", "local.cloud", "--port", str(cloud.port), "--quiet"]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Address already in use" in ended.stderr
