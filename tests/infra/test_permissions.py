"""What the template lets each function do."""

from pathlib import Path
from typing import Any

import pytest

from infra.functions import FUNCTIONS
from infra.iam_table import WITHOUT_ASSET

from .conftest import ACCOUNT, REGION, Synthesised, synthesised

REPOSITORIES = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*"
STANDARD = {
    "ecr:GetRegistryScanningConfiguration": ["*"],
    "ecr:DescribeRepositories": [REPOSITORIES],
    "ecr:GetLifecyclePolicy": [REPOSITORIES],
    "ecr:GetRepositoryPolicy": [REPOSITORIES],
    "ecr:ListTagsForResource": [REPOSITORIES],
    "ecr:PutImageTagMutability": [REPOSITORIES],
    "ecr:PutImageScanningConfiguration": [REPOSITORIES],
}


def grants(stack: Synthesised, function: str) -> dict[str, list[str]]:
    """Every action that a function's role allows, with the paths or ARNs that it is allowed on."""
    allowed: dict[str, list[str]] = {}
    document = stack.properties(f"{function}/Permissions")["PolicyDocument"]
    for statement in document["Statement"]:
        assert set(statement) == {"Sid", "Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        for action in actions:
            on = allowed.setdefault(action, [])
            on.extend(r if isinstance(r, str) else stack.path_of(r) for r in resources)
    return {action: sorted(on) for action, on in allowed.items()}


def who_uses(*regions: str) -> dict[str, dict[str, list[str]]]:
    """What each source takes that is asked in these regions."""

    def on(service: str, *resources: str) -> list[str]:
        return sorted(f"arn:aws:{service}:{region}:{ACCOUNT}:{name}" for region in regions for name in resources)

    details = on("ecs", "service/*", "service-revision/*", "task/*")
    return {
        "ecs": {
            "ecs:ListClusters": ["*"],
            "ecs:ListServices": ["*"],
            "ecs:ListTasks": ["*"],
            "ecs:DescribeTaskDefinition": ["*"],
            "ecs:DescribeServices": details,
            "ecs:DescribeServiceRevisions": details,
            "ecs:DescribeTasks": details,
        },
        "lambda": {"lambda:ListFunctions": ["*"], "lambda:GetFunction": on("lambda", "function:*")},
        "eks": {
            "eks:ListClusters": ["*"],
            "inspector2:ListCoverage": ["*"],
            "ecr:GetRegistryScanningConfiguration": ["*"],
        },
        "batch": {"batch:DescribeJobDefinitions": ["*"]},
        "app_runner": {
            "apprunner:ListServices": ["*"],
            "apprunner:DescribeService": on("apprunner", "service/*"),
        },
    }


AT_HOME = who_uses(REGION)


def of_every_function(function: str) -> dict[str, list[str]]:
    return {
        "logs:CreateLogStream": [f"{function}/Logs"],
        "logs:PutLogEvents": [f"{function}/Logs"],
        "xray:PutTraceSegments": ["*"],
        "xray:PutTelemetryRecords": ["*"],
        "sqs:ReceiveMessage": [f"{function}/Queue"],
        "sqs:DeleteMessage": [f"{function}/Queue"],
        "sqs:GetQueueAttributes": [f"{function}/Queue"],
        "sqs:ChangeMessageVisibility": [f"{function}/Queue"],
        "dynamodb:PutItem": ["Ledger/Table"],
    }


def sends(function: str, *others: str) -> dict[str, list[str]]:
    return {"sqs:SendMessage": sorted([f"{function}/DeadLetters", *(f"{other}/Queue" for other in others)])}


@pytest.mark.parametrize(
    ("function", "own"),
    [
        (
            "Notify",
            sends("Notify")
            | {
                "dynamodb:GetItem": ["Ledger/Table"],
                "secretsmanager:GetSecretValue": [
                    f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:warden/slack-platform-??????"
                ],
            },
        ),
        (
            "ImagePushed",
            sends("ImagePushed", "ScanFinished", "Notify", "Prune")
            | {
                "ecr:DescribeImages": [REPOSITORIES],
                "ecr:ListTagsForResource": [REPOSITORIES],
                "dynamodb:GetItem": ["Ledger/Table"],
                "dynamodb:Query": ["Ledger/Table"],
                "ecr:GetRegistryScanningConfiguration": ["*"],
                "ecr:DescribeRepositories": [REPOSITORIES],
                "ecr:BatchGetImage": [REPOSITORIES],
                "ecr:StartImageScan": [REPOSITORIES],
            },
        ),
        (
            "ScanFinished",
            sends("ScanFinished", "Notify", "ScanFinished", "Promote", "Quarantine")
            | {
                "ecr:DescribeImages": [REPOSITORIES],
                "ecr:BatchGetImage": [REPOSITORIES],
                "ecr:DescribeImageScanFindings": [REPOSITORIES],
                "ecr:ListTagsForResource": [REPOSITORIES],
                "dynamodb:GetItem": ["Ledger/Table"],
                "dynamodb:Query": ["Ledger/Table"],
            },
        ),
        (
            "Promote",
            sends("Promote", "Notify", "Prune", "Promote")
            | {
                "ecr:DescribeImages": [REPOSITORIES],
                "ecr:ListTagsForResource": [REPOSITORIES],
                "dynamodb:GetItem": ["Ledger/Table"],
                "dynamodb:DeleteItem": ["Ledger/Table"],
                "dynamodb:Query": ["Ledger/Table"],
            },
        ),
        (
            "Quarantine",
            sends("Quarantine", "Notify", "Promote")
            | {
                "ecr:DescribeImages": [REPOSITORIES],
                "ecr:BatchGetImage": [REPOSITORIES],
                "ecr:GetRepositoryPolicy": [REPOSITORIES],
                "ecr:ListTagsForResource": [REPOSITORIES],
                "dynamodb:GetItem": ["Ledger/Table"],
                "dynamodb:DeleteItem": ["Ledger/Table"],
                "dynamodb:Query": ["Ledger/Table"],
            },
        ),
        (
            "Prune",
            sends("Prune", "Notify", "Prune")
            | {
                "ecr:DescribeRepositories": [REPOSITORIES],
                "ecr:GetLifecyclePolicy": [REPOSITORIES],
                "ecr:ListTagsForResource": [REPOSITORIES],
                "ecr:DescribeImages": [REPOSITORIES],
                "ecr:BatchGetImage": [REPOSITORIES],
                "ecr:StartLifecyclePolicyPreview": [REPOSITORIES],
                "ecr:GetLifecyclePolicyPreview": [REPOSITORIES],
                "dynamodb:GetItem": ["Ledger/Table"],
                "dynamodb:UpdateItem": ["Ledger/Table"],
                "dynamodb:Query": ["Ledger/Table"],
                "dynamodb:BatchWriteItem": ["Ledger/Table"],
            },
        ),
        (
            "Inventory",
            sends("Inventory", "Prune", "Inventory")
            | AT_HOME["ecs"]
            | AT_HOME["lambda"]
            | AT_HOME["eks"]
            | {
                "ecr:DescribeRepositories": [REPOSITORIES],
                "dynamodb:GetItem": ["Ledger/Table"],
                "dynamodb:UpdateItem": ["Ledger/Table"],
                "dynamodb:Query": ["Ledger/Table"],
                "dynamodb:BatchWriteItem": ["Ledger/Table"],
            },
        ),
        (
            "RepositoryChanged",
            sends("RepositoryChanged", "Notify", "Prune") | STANDARD | {"dynamodb:Query": ["Ledger/Table"]},
        ),
        (
            "Sweep",
            sends("Sweep", "Notify", "ImagePushed", "ScanFinished", "Sweep", "Inventory", "Quarantine")
            | STANDARD
            | {
                "ecr:DescribeImages": [REPOSITORIES],
                "dynamodb:GetItem": ["Ledger/Table"],
                "dynamodb:Query": ["Ledger/Table"],
                "dynamodb:UpdateItem": ["Ledger/Table"],
            },
        ),
    ],
)
def test_a_function_may_do_this_and_nothing_else(dev: Synthesised, function: str, own: dict[str, list[str]]) -> None:
    assert grants(dev, function) == of_every_function(function) | own


@pytest.mark.parametrize(
    ("fields", "function", "sid"),
    [
        ({"tags.moves": "put_back"}, "image_pushed", "PutTagsBack"),
        ({"access.mode": "enforce"}, "repository_changed", "CloseAccess"),
        ({"access.mode": "enforce"}, "sweep", "CloseAccess"),
        ({"empty.mode": "enforce"}, "sweep", "DeleteEmpty"),
        ({"empty.after": 90}, "sweep", "LookForImages"),
        ({"promote.mode": "enforce", "promote.to": "release/{name}"}, "promote", "Release"),
        ({"promote.mode": "enforce", "promote.to": "release/{name}"}, "promote", "ReadContents"),
        ({"promote.mode": "enforce", "promote.to": "release/{name}"}, "promote", "MountLayers"),
        ({"quarantine.mode": "enforce"}, "quarantine", "MoveTagsAside"),
        ({"quarantine.mode": "enforce"}, "quarantine", "DenyPulls"),
        ({"quarantine.mode": "enforce"}, "quarantine", "TellState"),
        ({"lifecycle.mode": "enforce"}, "prune", "Prune"),
        ({"lifecycle.rules": [{"of": "v*", "keep": 3, "label": "team=a"}]}, "prune", "ReadLabels"),
    ],
)
def test_what_could_do_harm_is_granted_only_where_the_policy_asks_for_it(
    fields: dict[str, Any], function: str, sid: str
) -> None:
    (spec,) = (spec for spec in FUNCTIONS if spec.name == function)
    harmless: dict[str, Any] = {
        "tags.moves": ["tell", ""],
        "access.mode": ["report", ""],
        "lifecycle.mode": ["report", ""],
        "promote.mode": ["report", ""],
        "promote.to": [None, ""],
        "promote.region": ["", ""],
        "promote.role": ["", ""],
        "quarantine.mode": ["report", ""],
        "quarantine.by": [None, ""],
        "empty.mode": ["report", ""],
        "empty.after": [None, ""],
        "lifecycle.rules": [[{"of": "v*", "keep": 3, "label": None}], ""],
    }
    in_defaults = {"defaults": harmless | {name: [value, ""] for name, value in fields.items()}, "rules": []}
    in_a_rule = {"defaults": harmless, "rules": [{"fields": {name: [value, ""] for name, value in fields.items()}}]}
    assert sid not in {permission.sid for permission in spec.under({"defaults": harmless, "rules": []}).ecr}
    for compiled in (in_defaults, in_a_rule):
        assert sid in {permission.sid for permission in spec.under(compiled).ecr}


def test_only_our_own_roles_have_permissions_and_none_is_managed(dev: Synthesised) -> None:
    roles = dev.of("AWS::IAM::Role")
    assert set(roles) == {*(f"{spec.title}/Role" for spec in FUNCTIONS), "DailySweep/Role"}
    for path, role in roles.items():
        assert role["Properties"]["Path"] == "/ecr-warden/dev/", path
        assert not {"ManagedPolicyArns", "Policies", "RoleName"} & role["Properties"].keys(), path
    for policy in dev.of("AWS::IAM::Policy").values():
        assert len(policy["Properties"]["Roles"]) == 1


def test_the_schedule_may_send_to_the_sweep_and_nothing_else(dev: Synthesised) -> None:
    assert grants(dev, "DailySweep") == {"sqs:SendMessage": ["Sweep/DeadLetters", "Sweep/Queue"]}
    (trust,) = dev.properties("DailySweep/Role")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


ALL_KINDS = f"""\
version: 1
defaults: {{channels: [chat], findings: {{epss_from: 10%}}}}
owners:
  - {{label: org.opencontainers.image.source, value: "https://github.com/acme/*", channels: [topic]}}
channels:
  chat: {{type: teams, secret: warden/teams}}
  topic: {{type: sns, topic: "arn:aws:sns:{REGION}:{ACCOUNT}:images"}}
"""


def test_a_policy_with_topics_owners_and_epss_is_given_just_what_these_need(tmp_path: Path) -> None:
    (tmp_path / "warden.yaml").write_text(ALL_KINDS)
    stack = synthesised(tmp_path / "out", policy=str(tmp_path / "warden.yaml"), **WITHOUT_ASSET)
    notify, scan_finished = grants(stack, "Notify"), grants(stack, "ScanFinished")
    assert notify["sns:Publish"] == [f"arn:aws:sns:{REGION}:{ACCOUNT}:images"]
    assert notify["secretsmanager:GetSecretValue"] == [
        f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:warden/teams-??????"
    ]
    assert scan_finished["ecr:GetDownloadUrlForLayer"] == [REPOSITORIES]
    assert scan_finished["inspector2:ListFindings"] == ["*"]


OTHERS_ROLE = "arn:aws:iam::444455556666:role/ecr-warden-inventory"
ASKING = f"""\
version: 1
defaults:
  channels: [chat]
  lifecycle: {{mode: enforce, rules: [{{expire: untagged, after: 14d}}], protect: {{in_use: true}}}}
inventory:
  sources: [SOURCES]
  regions: [us-east-1]
  roles: ["{OTHERS_ROLE}"]
  functions: [what-runs]
channels:
  chat: {{type: teams, secret: warden/teams}}
"""


@pytest.mark.parametrize("sources", [("ecs", "lambda"), tuple(AT_HOME)], ids=["two", "all"])
def test_inventory_may_ask_those_whom_the_policy_names_and_nobody_else(
    tmp_path: Path, sources: tuple[str, ...]
) -> None:
    (tmp_path / "warden.yaml").write_text(ASKING.replace("SOURCES", ", ".join(sources)))
    stack = synthesised(tmp_path / "out", policy=str(tmp_path / "warden.yaml"), **WITHOUT_ASSET)
    others = {action: on for action, on in grants(stack, "Inventory").items() if not action.startswith(OURS)}
    expected = {
        "ecr:DescribeRepositories": [REPOSITORIES],
        "sts:AssumeRole": [OTHERS_ROLE],
        "lambda:InvokeFunction": [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:what-runs"],
    }
    for source in sources:
        expected |= who_uses(REGION, "us-east-1")[source]
    assert others == expected
    pruning = grants(stack, "Prune")
    for action in ("PutLifecyclePolicy", "PutImage", "BatchDeleteImage", "UpdateImageStorageClass"):
        assert pruning[f"ecr:{action}"] == [REPOSITORIES]
    assert "ecr:GetDownloadUrlForLayer" not in pruning


OURS = ("logs:", "xray:", "sqs:", "dynamodb:")
"""What every function may do."""


RELEASE_ROLE = "arn:aws:iam::444455556666:role/ecr-warden-promotion"
CONSEQUENCES = f"""\
version: 1
mode: enforce
defaults: {{channels: [chat], lifecycle: {{protect: {{in_use: false}}}}, quarantine: {{mode: enforce, by: tags}}}}
rules:
  - {{match: "staging/*", promote: {{to: "release/{{name}}", tags: ["v*"]}}}}
  - {{match: "abroad/*", promote: {{to: "abroad/{{name}}", tags: ["v*"], region: us-east-1}}}}
  - {{match: "partners/*", promote: {{to: "ours/{{name}}", tags: ["v*"], role: "{RELEASE_ROLE}"}}}}
channels:
  chat: {{type: teams, secret: warden/teams}}
"""
TO_RELEASE = (
    *("CreateRepository", "TagResource", "DescribeRepositories", "BatchCheckLayerAvailability"),
    *("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"),
)
IN_QUARANTINE = (
    *("PutImage", "BatchDeleteImage", "SetRepositoryPolicy", "DeleteRepositoryPolicy"),
    *("TagResource", "UntagResource"),
)


def test_promote_writes_to_release_repositories_and_quarantine_wherever_an_image_may_block(tmp_path: Path) -> None:
    (tmp_path / "warden.yaml").write_text(CONSEQUENCES)
    stack = synthesised(tmp_path / "out", policy=str(tmp_path / "warden.yaml"), **WITHOUT_ASSET)
    promoting, quarantining = grants(stack, "Promote"), grants(stack, "Quarantine")
    there = sorted(
        f"arn:aws:ecr:{region}:{ACCOUNT}:repository/{name}"
        for region, name in ((REGION, "release/*"), ("us-east-1", "release/*"), ("us-east-1", "abroad/*"))
    )
    for action in TO_RELEASE:
        assert promoting[f"ecr:{action}"] == there, action
    assert promoting["ecr:DescribeImages"] == sorted([REPOSITORIES, *there])
    assert promoting["ecr:BatchGetImage"] == promoting["ecr:GetDownloadUrlForLayer"] == [REPOSITORIES]
    assert promoting["ecr:GetAuthorizationToken"] == ["*"]
    assert promoting["sts:AssumeRole"] == [RELEASE_ROLE]
    for action in IN_QUARANTINE:
        assert quarantining[f"ecr:{action}"] == [REPOSITORIES], action


def test_quarantine_has_what_is_in_use_asked_though_nothing_is_pruned(tmp_path: Path) -> None:
    (tmp_path / "warden.yaml").write_text(CONSEQUENCES)
    stack = synthesised(tmp_path / "out", policy=str(tmp_path / "warden.yaml"), **WITHOUT_ASSET)
    assert {"ecs:ListTasks", "lambda:ListFunctions", "eks:ListClusters"} <= grants(stack, "Inventory").keys()
    (tmp_path / "warden.yaml").write_text(CONSEQUENCES.replace(", quarantine: {mode: enforce, by: tags}", ""))
    without = synthesised(tmp_path / "without", policy=str(tmp_path / "warden.yaml"), **WITHOUT_ASSET)
    assert not {"ecs:ListTasks", "lambda:ListFunctions", "eks:ListClusters"} & grants(without, "Inventory").keys()
