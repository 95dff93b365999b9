"""Two hundred repositories in twelve kinds of drift, on the local cloud: one sweep mends them, the next only reads."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.chat import Chat
from local.demo.__main__ import deploy, free_port
from local.demo.surroundings import ACCOUNT, BUILD, STAGE, Account, an_account, eventually
from warden.lifecycle.words import same

pytestmark = pytest.mark.e2e

POLICY = """\
version: 1
mode: enforce
defaults:
  tags: {{immutability: IMMUTABLE_WITH_EXCLUSION, exclude: ["latest"]}}
  scanning: {{on_push: true}}
  lifecycle: {{mode: enforce, action: archive, rules: [{{expire: untagged, after: 7d}}]}}
  access: {{mode: enforce, forbid_public: true, accounts: ["444455556666"]}}
  channels: [platform]
channels:
  platform: {{type: slack, secret: warden/slack-platform, hosts: ["127.0.0.1:{port}"]}}
"""
COUNT = 200
PATIENCE = 300.0
LIFECYCLE = "lifecycle policy"
"""The field of lifecycle policies, which the prune function alone puts, after a preview."""
LATEST, SIGNATURES = "latest", "sha256-*"
OTHER_SPELLING = """{"rules": [ {"selection": {"countNumber": 7, "tagStatus": "untagged", "countUnit": "days",
  "countType": "sinceImagePushed"}, "rulePriority": 40,
  "action": {"targetStorageClass": "archive", "type": "transition"}}]}"""
DELETING = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3},
                "action": {"type": "expire"},
            }
        ]
    }
)


def statement(principal: Any, sid: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": ["ecr:BatchGetImage"]}


PUBLIC = statement("*", "public")
STRANGER = statement({"AWS": "999988887777"}, "stranger")
MIXED = statement({"AWS": ["444455556666", "999988887777"]}, "mixed")
PARTNER = statement({"AWS": "444455556666"}, "partner")

Kind = tuple[str, tuple[str, ...], bool, str | None, list[dict[str, Any]]]
GOOD: Kind = ("IMMUTABLE_WITH_EXCLUSION", (LATEST, SIGNATURES), True, OTHER_SPELLING, [])
KINDS: Mapping[str, Kind] = {
    "careless": ("MUTABLE", (), False, None, []),
    "an exclusion is missing": ("IMMUTABLE_WITH_EXCLUSION", ("dev-*", LATEST), *GOOD[2:]),
    "only some tags stay": ("MUTABLE_WITH_EXCLUSION", ("v*",), *GOOD[2:]),
    "signatures can't be written": ("IMMUTABLE", (), *GOOD[2:]),
    "tags move": ("MUTABLE", (), *GOOD[2:]),
    "not scanned": (*GOOD[:2], False, OTHER_SPELLING, []),
    "no lifecycle policy": (*GOOD[:3], None, []),
    "another lifecycle policy": (*GOOD[:3], DELETING, []),
    "public": (*GOOD[:4], [PUBLIC]),
    "a stranger": (*GOOD[:4], [STRANGER, PARTNER]),
    "a stranger among friends": (*GOOD[:4], [MIXED]),
    "everything at once": ("MUTABLE_WITH_EXCLUSION", ("v*",), False, DELETING, [PUBLIC, STRANGER, PARTNER]),
}
LEFT: Mapping[str, list[dict[str, Any]]] = {
    "a stranger": [PARTNER],
    "a stranger among friends": [statement({"AWS": "444455556666"}, "mixed")],
    "everything at once": [PARTNER],
}


def kind_of(number: int) -> str:
    return list(KINDS)[number % len(KINDS)]


def name_of(number: int) -> str:
    return f"team-{number % 7}/app-{number:03}"


class Cloud:
    """The account with the deployed stack."""

    def __init__(self, account: Account, outputs: Mapping[str, str]) -> None:
        self.account = account
        self.ecr: Any = account.ecr
        self.outputs = outputs

    def sweep(self) -> int:
        """Ask for a sweep; the number of calls before it."""
        before = len(self.account.all_calls())
        body = json.dumps({"source": "warden", "detail-type": "Sweep", "time": datetime.now(UTC).isoformat()})
        self.account.sqs.send_message(QueueUrl=self.outputs["SweepQueue"], MessageBody=body)
        return before

    def by(self, function: str, since: int) -> list[dict[str, str]]:
        return [call for call in self.account.all_calls(since) if function in call["caller"]]

    def policy_of(self, name: str) -> list[dict[str, Any]]:
        try:
            statements: list[dict[str, Any]] = json.loads(
                self.ecr.get_repository_policy(repositoryName=name)["policyText"]
            )["Statement"]
        except self.ecr.exceptions.RepositoryPolicyNotFoundException:
            return []
        return statements

    def differences(self) -> list[str]:
        """What is still wrong, read from the registry and compared without the planner."""
        pages = self.ecr.get_paginator("describe_repositories").paginate()
        settings = {one["repositoryName"]: one for page in pages for one in page["repositories"]}
        assert len(settings) == COUNT
        return [f"{name} ({kind_of(n)})" for n in range(COUNT) if not self.complies(settings[name := name_of(n)], n)]

    def complies(self, settings: Mapping[str, Any], number: int) -> bool:
        name, kind = settings["repositoryName"], kind_of(number)
        filters = {one["filter"] for one in settings.get("imageTagMutabilityExclusionFilters", ())}
        kept = {"dev-*"} if kind == "an exclusion is missing" else set()
        try:
            lifecycle = self.ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
        except self.ecr.exceptions.LifecyclePolicyNotFoundException:
            return False
        return (
            settings["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
            and filters == {LATEST, SIGNATURES} | kept
            and settings["imageScanningConfiguration"]["scanOnPush"]
            and same(lifecycle, OTHER_SPELLING)
            and self.policy_of(name) == LEFT.get(kind, [])
        )

    def warden(self, *arguments: str) -> tuple[int, Any]:
        """The command as a person runs it: its exit code, and its JSON."""
        code, said = self.account.warden(*arguments, "--json")
        return code, json.loads(said)


def make(ecr: Any, number: int) -> None:
    immutability, filters, scans, lifecycle, statements = KINDS[kind_of(number)]
    name = name_of(number)
    request: dict[str, Any] = {
        "repositoryName": name,
        "imageTagMutability": immutability,
        "imageScanningConfiguration": {"scanOnPush": scans},
    }
    if filters:
        request["imageTagMutabilityExclusionFilters"] = [{"filterType": "WILDCARD", "filter": one} for one in filters]
    ecr.create_repository(**request)
    if lifecycle:
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=lifecycle)
    if statements:
        text = json.dumps({"Version": "2012-10-17", "Statement": statements})
        ecr.set_repository_policy(repositoryName=name, policyText=text)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Chat() as chat, an_account(free_port(), chat) as account:
        for number in range(COUNT):
            make(account.ecr, number)
        yield Cloud(account, deploy(account, POLICY))


def wait_for(look: Callable[[], Any], what: str) -> None:
    assert eventually(look, PATIENCE), what


def is_write(call: Mapping[str, str]) -> bool:
    return not call["operation"].startswith(("Describe", "Get", "List", "BatchGet"))


def test_one_sweep_brings_all_to_the_standard(cloud: Cloud) -> None:
    """The schedule fires as soon as it is there."""
    wait_for(lambda: any("is here" in json.dumps(one.payload) for one in cloud.account.chat.messages), "no hello")
    wait_for(lambda: cloud.differences() == [], "not all were brought to the standard")
    writes = Counter(call["operation"] for call in cloud.by("Sweep", 0) if is_write(call))
    pruned = Counter(call["operation"] for call in cloud.by("Prune", 0) if is_write(call))
    wrong = Counter(kind_of(number) for number in range(COUNT))
    everything = wrong["careless"] + wrong["everything at once"]
    assert writes == {
        "PutImageTagMutability": everything + sum(wrong[kind] for kind in list(KINDS)[1:5]),
        "PutImageScanningConfiguration": everything + wrong["not scanned"],
        "SetRepositoryPolicy": wrong["a stranger"] + wrong["a stranger among friends"] + wrong["everything at once"],
        "DeleteRepositoryPolicy": wrong["public"],
    }, "each difference is one write, and what only looks different is none"
    policies = everything + wrong["no lifecycle policy"] + wrong["another lifecycle policy"]
    assert pruned == {"StartLifecyclePolicyPreview": policies, "PutLifecyclePolicy": policies}


def test_a_second_sweep_reads_the_least_that_can_be_read_and_writes_nothing(cloud: Cloud) -> None:
    """ECR answers for tags, lifecycle, access and images one repository at a time; for the rest, once a sweep."""
    before = cloud.sweep()
    wait_for(lambda: Counter(c["operation"] for c in cloud.by("Sweep", before))["DescribeImages"] == COUNT, "too few")
    wait_for(lambda: Counter(c["operation"] for c in cloud.by("Prune", before))["DescribeImages"] == COUNT, "too few")
    calls = Counter(call["operation"] for call in cloud.by("Sweep", before))
    print("\n".join(f"{operation}: {count}" for operation, count in sorted(calls.items())))
    assert calls == {
        "DescribeRepositories": 1,
        "GetRegistryScanningConfiguration": 1,
        "ListTagsForResource": COUNT,
        "GetRepositoryPolicy": COUNT,
        "DescribeImages": COUNT,
    }
    assert Counter(call["operation"] for call in cloud.by("Prune", before)) == dict.fromkeys(
        ("DescribeRepositories", "ListTagsForResource", "GetLifecyclePolicy", "DescribeImages"), COUNT
    ), "a policy that stands and takes nothing is not previewed again"


def test_drift_is_mended_by_its_event_alone_and_our_own_write_is_no_drift(cloud: Cloud) -> None:
    name, before = name_of(0), len(cloud.account.all_calls())
    cloud.ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="MUTABLE")
    wait_for(lambda: cloud.differences() == [], "not mended")
    text = json.dumps({"Version": "2012-10-17", "Statement": [PUBLIC]})
    cloud.ecr.set_repository_policy(repositoryName=name, policyText=text)
    wait_for(lambda: cloud.differences() == [], "not mended")
    told = "settings of team-0/app-000 were set back"
    wait_for(lambda: sum(told in json.dumps(one.payload) for one in cloud.account.chat.messages) == 2, "not told")
    wait_for(lambda: len([c for c in cloud.by("RepositoryChanged", before) if is_write(c)]) >= 2, "no writes")
    calls = cloud.by("RepositoryChanged", before)
    assert [call["operation"] for call in calls if is_write(call)] == [
        "PutImageTagMutability",
        "DeleteRepositoryPolicy",
    ]
    assert Counter(call["operation"] for call in calls)["DescribeRepositories"] == 2, (
        "our own two writes were not looked at"
    )
    assert not [call for call in cloud.by("Sweep", before) if is_write(call)]


def test_what_plan_shows_is_what_apply_does_and_what_the_ledger_says(cloud: Cloud) -> None:
    drift = [
        lambda name: cloud.ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="MUTABLE"),
        lambda name: cloud.ecr.put_image_scanning_configuration(
            repositoryName=name, imageScanningConfiguration={"scanOnPush": False}
        ),
        lambda name: cloud.ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=DELETING),
        lambda name: cloud.ecr.set_repository_policy(
            repositoryName=name, policyText=json.dumps({"Version": "2012-10-17", "Statement": [PUBLIC, MIXED]})
        ),
    ]
    names = [name_of(number) for number in range(20, 32)]
    cloud.account.drop_events("AWS API Call via CloudTrail", len(names) * 2)
    for number, name in enumerate(names):
        drift[number % 4](name)
        drift[(number + 1) % 4](name)
    policy: list[str] = ["--policy", str(Path(BUILD / "warden.yaml"))]
    code, plan = cloud.warden("plan", *policy)
    assert (code, plan["repositories"], len(plan["actions"])) == (2, COUNT, len(names) * 2)
    code, _ = cloud.warden("plan", "team-0/app-000", *policy)
    assert code == 0

    code, applied = cloud.warden("apply", "--yes", "--stage", STAGE, *policy)
    assert code == 0
    assert [{key: deed[key] for key in plan["actions"][0]} for deed in applied["deeds"]] == plan["actions"]
    at_once = [action for action in plan["actions"] if action["field"] != LIFECYCLE]
    handed_over = [deed["result"] for deed in applied["deeds"] if deed["field"] == LIFECYCLE]
    assert handed_over == ["for the prune function"] * (len(plan["actions"]) - len(at_once))
    ledger = []
    for name in sorted({action["repository"] for action in plan["actions"]}):
        _, entries = cloud.warden("why", name, "--stage", STAGE)
        ledger += [entry for entry in entries if entry["details"].get("event", "").startswith("apply")]
    fields = ("kind", "field", "before", "after", "rule")
    assert sorted([entry["subject"], *(entry["details"][field] for field in fields)] for entry in ledger) == sorted(
        [action["repository"], *(action[field] for field in fields)] for action in at_once
    )
    assert {entry["details"]["result"] for entry in ledger} == {"done"}
    assert all(ACCOUNT in entry["details"]["by"] for entry in ledger)
    wait_for(lambda: cloud.warden("plan", *policy)[0] == 0, "the prune function has not put the policies")
    _, plan = cloud.warden("plan", *policy)
    assert plan["actions"] == []
