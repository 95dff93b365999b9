"""What is deployed, as the template says it."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.functions import FUNCTIONS
from infra.iam_table import WITHOUT_ASSET
from infra.specs import FunctionSpec

from .conftest import ACCOUNT, REGION, Synthesised, synthesised

EACH = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
KINDS = (
    "AWS::CloudWatch::Alarm",
    "AWS::DynamoDB::GlobalTable",
    "AWS::ECR::PullTimeUpdateExclusion",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::Scheduler::Schedule",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
)


@pytest.mark.parametrize(
    ("rule", "source", "detail_type", "detail"),
    [
        ("ImagePushed/Rule", "aws.ecr", "ECR Image Action", {"action-type": ["PUSH"], "result": ["SUCCESS"]}),
        (
            "Prune/Rule",
            "aws.ecr",
            "ECR Image Action",
            {"action-type": ["DELETE", "UPDATE_STORAGE_CLASS"], "result": ["SUCCESS"]},
        ),
        (
            "Prune/Rule2",
            "aws.ecr",
            "AWS Service Event via CloudTrail",
            {"eventSource": ["ecr.amazonaws.com"], "eventName": ["PolicyExecutionEvent"]},
        ),
        ("ScanFinished/Rule", "aws.ecr", "ECR Image Scan", None),
        ("ScanFinished/Rule2", "aws.inspector2", "Inspector2 Scan", {"repository-name": [{"exists": True}]}),
        (
            "ScanFinished/Rule3",
            "aws.inspector2",
            "Inspector2 Finding",
            {"resources": {"type": ["AWS_ECR_CONTAINER_IMAGE"]}},
        ),
        (
            "RepositoryChanged/Rule",
            "aws.ecr",
            "AWS API Call via CloudTrail",
            {
                "eventSource": ["ecr.amazonaws.com"],
                "eventName": [
                    "CreateRepository",
                    "PutImageTagMutability",
                    "PutImageScanningConfiguration",
                    "PutLifecyclePolicy",
                    "DeleteLifecyclePolicy",
                    "SetRepositoryPolicy",
                    "DeleteRepositoryPolicy",
                    "TagResource",
                    "UntagResource",
                ],
            },
        ),
    ],
)
def test_a_rule_takes_events_of_this_account_and_region_alone(
    dev: Synthesised, rule: str, source: str, detail_type: str, detail: dict[str, Any] | None
) -> None:
    found, function = dev.properties(rule), rule.partition("/")[0]
    pinned: dict[str, Any] = {
        "account": [ACCOUNT],
        "region": [REGION],
        "source": [source],
        "detail-type": [detail_type],
    }
    assert found["EventPattern"] == pinned | ({"detail": detail} if detail else {})
    (target,) = found["Targets"]
    assert dev.path_of(target["Arn"]) == f"{function}/Queue"
    assert dev.path_of(target["DeadLetterConfig"]["Arn"]) == f"{function}/DeadLetters"
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}


def test_there_is_no_other_rule(dev: Synthesised) -> None:
    assert set(dev.of("AWS::Events::Rule")) == {
        "ImagePushed/Rule",
        "ScanFinished/Rule",
        "ScanFinished/Rule2",
        "ScanFinished/Rule3",
        "RepositoryChanged/Rule",
        "Prune/Rule",
        "Prune/Rule2",
    }


@EACH
def test_a_message_is_tried_long_enough_then_kept_with_its_reason(dev: Synthesised, spec: FunctionSpec) -> None:
    queue, dead = dev.properties(f"{spec.title}/Queue"), dev.properties(f"{spec.title}/DeadLetters")
    assert queue["VisibilityTimeout"] == 6 * dev.properties(f"{spec.title}/Function")["Timeout"]
    assert dev.path_of(queue["RedrivePolicy"]["deadLetterTargetArn"]) == f"{spec.title}/DeadLetters"
    assert queue["RedrivePolicy"]["maxReceiveCount"] == {"notify": 100, "quarantine": 100, "promote": 60}.get(
        spec.name, 10
    )
    assert queue["MessageRetentionPeriod"] < dead["MessageRetentionPeriod"] == 14 * 86_400
    assert "RedrivePolicy" not in dead
    own = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue['QueueName']}"
    assert dead["RedriveAllowPolicy"] == {"redrivePermission": "byQueue", "sourceQueueArns": [own]}


@EACH
def test_a_function_is_fed_by_its_queue_a_batch_at_a_time(dev: Synthesised, spec: FunctionSpec) -> None:
    mappings = dev.of("AWS::Lambda::EventSourceMapping").values()
    (mapping,) = (
        mapping["Properties"]
        for mapping in mappings
        if dev.path_of(mapping["Properties"]["FunctionName"]) == f"{spec.title}/Function"
    )
    assert dev.path_of(mapping["EventSourceArn"]) == f"{spec.title}/Queue"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    alone = {"sweep", "inventory", "prune", "promote", "quarantine"}
    assert mapping["BatchSize"] == (1 if spec.name in alone else 10)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"notify": 2, "prune": 2, "promote": 3}.get(spec.name, 5)}


@EACH
def test_a_function_runs_on_arm64_in_the_asset_with_traces_and_json_logs(dev: Synthesised, spec: FunctionSpec) -> None:
    function = dev.properties(f"{spec.title}/Function")
    assert function["Runtime"] == "python3.14"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == f"{spec.name}.handler"
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert dev.path_of(function["LoggingConfig"]["LogGroup"]) == f"{spec.title}/Logs"
    assert dev.path_of(function["Role"]) == f"{spec.title}/Role"
    assert function["RecursiveLoop"] == ("Allow" if spec.name in {"sweep", "prune", "promote"} else "Terminate")


def test_all_functions_share_one_asset(dev: Synthesised) -> None:
    keys = {function["Properties"]["Code"]["S3Key"] for function in dev.of("AWS::Lambda::Function").values()}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("function", "own"),
    [
        ("Notify", {}),
        (
            "ScanFinished",
            {
                "WARDEN_NOTICES": "Notify/Queue",
                "WARDEN_PROMOTIONS": "Promote/Queue",
                "WARDEN_QUARANTINES": "Quarantine/Queue",
            },
        ),
        ("Promote", {"WARDEN_NOTICES": "Notify/Queue", "WARDEN_PRUNES": "Prune/Queue"}),
        ("Quarantine", {"WARDEN_NOTICES": "Notify/Queue", "WARDEN_PROMOTIONS": "Promote/Queue"}),
        (
            "ImagePushed",
            {
                "WARDEN_JUDGEMENTS": "ScanFinished/Queue",
                "WARDEN_NOTICES": "Notify/Queue",
                "WARDEN_PRUNES": "Prune/Queue",
            },
        ),
        ("Prune", {"WARDEN_NOTICES": "Notify/Queue"}),
        ("Inventory", {"WARDEN_PRUNES": "Prune/Queue"}),
        ("RepositoryChanged", {"WARDEN_NOTICES": "Notify/Queue", "WARDEN_PRUNES": "Prune/Queue"}),
        (
            "Sweep",
            {
                "WARDEN_INVENTORIES": "Inventory/Queue",
                "WARDEN_JUDGEMENTS": "ScanFinished/Queue",
                "WARDEN_NOTICES": "Notify/Queue",
                "WARDEN_PUSHES": "ImagePushed/Queue",
                "WARDEN_QUARANTINES": "Quarantine/Queue",
            },
        ),
    ],
)
def test_a_function_is_told_where_everything_is(dev: Synthesised, function: str, own: dict[str, str]) -> None:
    variables = dev.properties(f"{function}/Function")["Environment"]["Variables"]
    told = {name: value if isinstance(value, str) else dev.path_of(value) for name, value in variables.items()}
    service = dev.properties(f"{function}/Function")["Handler"].removesuffix(".handler")
    assert told == own | {
        "WARDEN_STAGE": "dev",
        "WARDEN_ROLE_PATH": "/ecr-warden/dev/",
        "WARDEN_LEDGER": "Ledger/Table",
        "WARDEN_QUEUE": f"{function}/Queue",
        "WARDEN_DEAD_LETTERS": f"{function}/DeadLetters",
        "WARDEN_MAX_RECEIVES": {"Notify": "100", "Quarantine": "100", "Promote": "60"}.get(function, "10"),
        "POWERTOOLS_SERVICE_NAME": service,
        "POWERTOOLS_METRICS_NAMESPACE": "ECRWarden",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


@EACH
def test_somebody_is_told_of_dead_letters_waiting_errors_and_throttles(prod: Synthesised, spec: FunctionSpec) -> None:
    alarms = {
        path: alarm["Properties"]
        for path, alarm in prod.of("AWS::CloudWatch::Alarm").items()
        if path.startswith(f"{spec.title}/")
    }
    watched = {
        (alarm["Namespace"], alarm["MetricName"], prod.path_of(alarm["Dimensions"][0]["Value"]), alarm["Threshold"])
        for alarm in alarms.values()
    }
    assert watched == {
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", f"{spec.title}/DeadLetters", 1),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", f"{spec.title}/Queue", 3600),
        ("AWS/Lambda", "Errors", f"{spec.title}/Function", 1),
        ("AWS/Lambda", "Throttles", f"{spec.title}/Function", 10),
    }
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [f"arn:aws:sns:{REGION}:{ACCOUNT}:oncall"]
        assert alarm["TreatMissingData"] == "notBreaching"


def test_alarms_go_nowhere_unless_a_topic_is_given(dev: Synthesised) -> None:
    alarms = dev.of("AWS::CloudWatch::Alarm").values()
    assert len(alarms) == 4 * len(FUNCTIONS)
    assert not any("AlarmActions" in alarm["Properties"] for alarm in alarms)


def test_what_the_warden_reads_of_an_image_is_no_pull(dev: Synthesised) -> None:
    exclusions = dev.of("AWS::ECR::PullTimeUpdateExclusion").values()
    excluded = {dev.path_of(exclusion["Properties"]["PrincipalArn"]) for exclusion in exclusions}
    assert excluded == {"ScanFinished/Role", "ImagePushed/Role", "Prune/Role", "Quarantine/Role"}


PROMOTING = """\
version: 1
defaults: {channels: [chat]}
rules:
  - {match: "staging/*", promote: {mode: enforce, to: "release/{name}", tags: ["v*"]}}
channels: {chat: {type: slack, secret: warden/slack-platform}}
"""


def test_what_is_read_to_be_promoted_is_no_pull_either(tmp_path: Path) -> None:
    (tmp_path / "warden.yaml").write_text(PROMOTING)
    stack = synthesised(tmp_path / "out", policy=str(tmp_path / "warden.yaml"), **WITHOUT_ASSET)
    exclusions = stack.of("AWS::ECR::PullTimeUpdateExclusion").values()
    excluded = {stack.path_of(exclusion["Properties"]["PrincipalArn"]) for exclusion in exclusions}
    assert "Promote/Role" in excluded


def test_the_sweep_begins_at_deployment_and_then_daily(dev: Synthesised) -> None:
    schedule = dev.properties("DailySweep/Schedule")
    assert schedule["ScheduleExpression"] == "rate(24 hours)"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert "StartDate" not in schedule
    target = schedule["Target"]
    assert dev.path_of(target["Arn"]) == "Sweep/Queue"
    assert dev.path_of(target["DeadLetterConfig"]["Arn"]) == "Sweep/DeadLetters"
    assert json.loads(target["Input"]) == {
        "source": "warden",
        "detail-type": "Sweep",
        "time": "<aws.scheduler.scheduled-time>",
    }
    assert dev.path_of(target["RoleArn"]) == "DailySweep/Role"


def test_the_first_sweep_finds_its_function_ready(dev: Synthesised) -> None:
    waits = dev.of("AWS::Scheduler::Schedule")["DailySweep/Schedule"]["DependsOn"]
    ready = {dev.path_of({"Ref": name}) for name in waits}
    assert {"Sweep/Function", "Sweep/Permissions", "Sweep/Queue", "DailySweep/Permissions"} <= ready
    assert any(path.startswith("Sweep/Function/SqsEventSource") for path in ready)


def test_the_ledger_can_be_restored_and_forgets_by_itself(dev: Synthesised) -> None:
    table = dev.properties("Ledger/Table")
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    (replica,) = table["Replicas"]
    assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_nothing_of_dev_outlives_the_stack(dev: Synthesised) -> None:
    kept = [path for kind in KINDS for path, r in dev.of(kind).items() if r.get("DeletionPolicy", "Delete") != "Delete"]
    assert kept == []
    assert not dev.termination_protection
    assert dev.properties("Ledger/Table")["Replicas"][0]["DeletionProtectionEnabled"] is False


def test_of_prod_the_ledger_alone_outlives_the_stack_and_both_are_protected(prod: Synthesised) -> None:
    kept = [
        path for kind in KINDS for path, r in prod.of(kind).items() if r.get("DeletionPolicy", "Delete") != "Delete"
    ]
    assert kept == ["Ledger/Table"]
    assert prod.termination_protection
    assert prod.properties("Ledger/Table")["Replicas"][0]["DeletionProtectionEnabled"] is True


def test_there_are_resources_of_these_kinds_and_no_others(dev: Synthesised) -> None:
    assert {resource["Type"] for resource in dev.template["Resources"].values()} == set(KINDS)


@pytest.mark.parametrize(("stage", "days"), [("dev", 30), ("prod", 365)])
def test_logs_end(stage: str, days: int, request: pytest.FixtureRequest) -> None:
    stack: Synthesised = request.getfixturevalue(stage)
    groups = stack.of("AWS::Logs::LogGroup")
    assert {group["Properties"]["RetentionInDays"] for group in groups.values()} == {days}


def test_two_stages_share_no_name(dev: Synthesised, prod: Synthesised) -> None:
    def names(stack: Synthesised) -> set[str]:
        return {queue["Properties"]["QueueName"] for queue in stack.of("AWS::SQS::Queue").values()}

    assert len(names(dev)) == len(names(prod)) == 2 * len(FUNCTIONS)
    assert not names(dev) & names(prod)


def test_others_find_ledger_queues_and_functions_by_the_outputs(dev: Synthesised) -> None:
    outputs = {name: dev.path_of(output["Value"]) for name, output in dev.template["Outputs"].items()}
    expected = {"LedgerTable": "Ledger/Table"}
    for spec in FUNCTIONS:
        expected |= {f"{spec.title}{part}": f"{spec.title}/{part}" for part in ("Queue", "DeadLetters", "Function")}
    assert outputs == expected


def test_no_address_of_chat_and_no_secrets_value_is_in_the_template(dev: Synthesised) -> None:
    text = dev.template_file.read_text()
    assert "hooks.slack.com" not in text
    assert "{{resolve:" not in text
