"""Which parts an inventory has, and where each of them is read: here, in other regions, in other accounts."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from tests.account import Account
from tests.builders import HOME, a_policy
from tests.running import OURS, Running, lends, refused_by_sts, role_of
from tests.wire import error, ok
from warden.errors import Invalid
from warden.events import Home
from warden.inventory.accounts import why_denied
from warden.inventory.asking import Incomplete
from warden.inventory.connecting import connected
from warden.inventory.places import OWN_FUNCTION, Part, parts, prunes_anything, read_part
from warden.policy import InventorySources, Policy, Source
from warden.usage import Use

OTHER = "444455556666"


@pytest.fixture
def running() -> Running:
    running = Running()
    running.answers["sts.AssumeRole"] = lends
    return running


def protecting(**inventory: Any) -> Policy:
    return a_policy(inventory=inventory, lifecycle__protect__in_use=True)


def asked(**inventory: Any) -> list[str]:
    return [part.key for part in parts(protecting(**inventory), HOME)]


def test_at_home_each_source_is_a_part() -> None:
    assert asked(sources=["ecs", "lambda", "eks", "batch", "app_runner"]) == [
        "ecs/111122223333/eu-central-1",
        "lambda/111122223333/eu-central-1",
        "eks/111122223333/eu-central-1",
        "batch/111122223333/eu-central-1",
        "app_runner/111122223333/eu-central-1",
    ]


def test_each_source_is_asked_in_every_region_of_every_account_and_own_functions_at_home() -> None:
    found = asked(sources=["ecs"], regions=["us-east-1"], roles=[role_of(OTHER)], functions=["what-runs"])
    assert found == [
        "ecs/111122223333/eu-central-1",
        "ecs/111122223333/us-east-1",
        "ecs/444455556666/eu-central-1",
        "ecs/444455556666/us-east-1",
        "function/111122223333/eu-central-1/what-runs",
    ]


def test_a_place_that_is_named_twice_is_asked_once() -> None:
    assert asked(sources=["ecs"], regions=[HOME.region], roles=[role_of(HOME.account)]) == [
        "ecs/111122223333/eu-central-1"
    ]


def test_eks_elsewhere_is_asked_whether_it_is_there_unless_own_functions_answer_for_it() -> None:
    assert asked(sources=["eks"], regions=["us-east-1"]) == [
        "eks/111122223333/eu-central-1",
        "eks/111122223333/us-east-1",
    ]
    assert asked(sources=["eks"], regions=["us-east-1"], functions=["pods"]) == [
        "eks/111122223333/eu-central-1",
        "function/111122223333/eu-central-1/pods",
    ]


def test_nobody_is_asked_where_nothing_is_protected_for_being_in_use() -> None:
    assert parts(a_policy(lifecycle__protect__in_use=False), HOME) == ()
    rule = ("team/*", {"lifecycle.protect.in_use": True})
    assert len(parts(a_policy(rule, lifecycle__protect__in_use=False), HOME)) == 2


@pytest.mark.parametrize(
    ("default", "rule", "prunes"),
    [("off", "off", False), ("report", "off", True), ("off", "enforce", True), ("enforce", "enforce", True)],
)
def test_pruning_is_off_where_every_layer_says_so(default: str, rule: str, prunes: bool) -> None:
    assert prunes_anything(a_policy(("team/*", {"lifecycle.mode": rule}), lifecycle__mode=default)) is prunes


texts = st.text(min_size=1).filter(lambda text: "/" not in text)


@given(st.sampled_from(list(Source)), texts, texts)
def test_a_part_is_read_as_it_was_written(kind: Source, account: str, region: str) -> None:
    part = Part(kind, account, region)
    assert read_part(part.key) == part


@given(st.text(min_size=1))
def test_a_function_may_have_any_name(name: str) -> None:
    part = Part(OWN_FUNCTION, HOME.account, HOME.region, name)
    assert read_part(part.key) == part


@pytest.mark.parametrize("key", ["", "ecs", "ecs/1", "ecs/1/2/3", "ecs//eu", "vm/1/2", "function/1/2", "function/1/2/"])
def test_what_is_no_part_is_refused(key: str) -> None:
    with pytest.raises(Invalid, match="expected KIND/ACCOUNT/REGION"):
        read_part(key)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Part("ecs", HOME.account, HOME.region), "ECS"),
        (Part("lambda", HOME.account, "us-east-1"), "Lambda in us-east-1"),
        (Part("batch", OTHER, HOME.region), "Batch in 444455556666"),
        (Part("eks", OTHER, "us-east-1"), "EKS in 444455556666 us-east-1"),
        (Part("function", HOME.account, HOME.region, "what\u202eruns"), "function what�runs"),
    ],
)
def test_people_are_told_where_it_is_seen_from_home(part: Part, said: str) -> None:
    assert part.said(HOME) == said


def clusters(running: Running, account: Account, part: Part, *roles: str) -> list[Any]:
    return list(running.accounts(account.registry, *roles).source(part).uses(HOME))


def test_home_is_asked_with_our_own_credentials(running: Running, account: Account) -> None:
    running.says("ecs.ListClusters", {"clusterArns": []})
    clusters(running, account, Part("ecs", HOME.account, HOME.region))
    clusters(running, account, Part("ecs", HOME.account, "us-east-1"))
    assert [call[:3] for call in running.calls] == [
        ("ecs.ListClusters", HOME.account, HOME.region),
        ("ecs.ListClusters", HOME.account, "us-east-1"),
    ]


def test_another_account_is_asked_with_the_role_that_it_lends(running: Running, account: Account) -> None:
    running.says("ecs.ListClusters", {"clusterArns": []})
    roles = (role_of("777788889999"), role_of(OTHER))
    clusters(running, account, Part("ecs", OTHER, "us-east-1"), *roles)
    assert [call[:3] for call in running.calls] == [
        ("sts.AssumeRole", HOME.account, HOME.region),
        ("ecs.ListClusters", OTHER, "us-east-1"),
    ]
    (request,) = running.asked("sts.AssumeRole")
    assert request == {"RoleArn": role_of(OTHER), "RoleSessionName": "ecr-warden"}


def test_a_role_that_does_not_let_us_in_is_named_with_what_to_do(running: Running, account: Account) -> None:
    running.refuses("sts.AssumeRole", refused_by_sts("AccessDenied", "not authorized to perform: sts:AssumeRole"))
    with pytest.raises(Incomplete, match=f"{role_of(OTHER)} can't be assumed: let its trust policy name"):
        clusters(running, account, Part("ecs", OTHER, HOME.region), role_of(OTHER))
    running.refuses("sts.AssumeRole", refused_by_sts("Throttling"))
    with pytest.raises(ClientError, match="Throttling"):
        clusters(running, account, Part("ecs", OTHER, HOME.region), role_of(OTHER))


def test_a_part_of_an_account_that_the_policy_no_longer_names_is_incomplete(running: Running, account: Account) -> None:
    with pytest.raises(Incomplete, match="names no role of account 444455556666 any more"):
        clusters(running, account, Part("ecs", OTHER, HOME.region))


@pytest.mark.parametrize(
    ("part", "operation", "answer"),
    [
        (Part("lambda", HOME.account, HOME.region), "lambda.ListFunctions", {"Functions": []}),
        (Part("batch", HOME.account, HOME.region), "batch.DescribeJobDefinitions", {"jobDefinitions": []}),
        (Part("app_runner", HOME.account, HOME.region), "apprunner.ListServices", {"ServiceSummaryList": []}),
        (Part("eks", HOME.account, HOME.region), "eks.ListClusters", {"clusters": []}),
        (Part("eks", HOME.account, "us-east-1"), "eks.ListClusters", {"clusters": []}),
        (
            Part("function", HOME.account, HOME.region, "what-runs"),
            "lambda.Invoke",
            {"images": [f"{OURS}/app:v1"], "complete": True},
        ),
    ],
)
def test_each_part_asks_its_own_service(
    running: Running, account: Account, part: Part, operation: str, answer: dict[str, Any]
) -> None:
    running.answers[operation] = lambda _: ok(answer)
    found = clusters(running, account, part)
    assert running.operations() == [operation]
    assert len(found) == (part.kind == "function")


def test_where_there_is_no_app_runner_nobody_is_asked(running: Running, account: Account) -> None:
    assert clusters(running, account, Part("app_runner", OTHER, "eu-north-1"), role_of(OTHER)) == []
    assert running.operations() == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnrecognizedClientException", "OptInRequired"])
def test_a_refusal_says_what_to_do(running: Running, code: str) -> None:
    running.refuses("ecs.ListClusters", error(code, "no identity-based policy allows it"))
    with pytest.raises(ClientError) as refusal:
        running.client("ecs").list_clusters()
    said = why_denied(refusal.value)
    assert said is not None
    assert "ListClusters is refused: let the role read it, or take it out of `inventory`" in said
    assert "no identity-based policy allows it" in said


@pytest.mark.parametrize("code", ["ThrottlingException", "ServerException", "ExpiredTokenException"])
def test_what_may_pass_is_no_refusal(running: Running, code: str) -> None:
    running.refuses("ecs.ListClusters", error(code))
    with pytest.raises(ClientError) as refusal:
        running.client("ecs").list_clusters()
    assert why_denied(refusal.value) is None


def test_by_motos_own_answers_ecs_tells_what_runs_here_and_in_another_account(account: Account) -> None:
    """Against moto's own answers: clusters, services and their task definitions; STS lends the other account's."""
    with mock_aws(config={"core": {"passthrough": {"services": ["ecr"]}}}):
        home = Home(boto3.client("sts").get_caller_identity()["Account"], HOME.region)
        accounts = connected(home, InventorySources(roles=(role_of(OTHER),)), account.registry)
        lent = boto3.client("sts").assume_role(RoleArn=role_of(OTHER), RoleSessionName="test")["Credentials"]
        keys = {
            "aws_access_key_id": lent["AccessKeyId"],
            "aws_secret_access_key": lent["SecretAccessKey"],
            "aws_session_token": lent["SessionToken"],
        }
        for where, tag in (({}, "here"), (keys, "there")):
            make: Any = boto3.client
            ecs = make("ecs", **where)
            ecs.create_cluster(clusterName="prod")
            image = f"{home.account}.dkr.ecr.{home.region}.amazonaws.com/app:{tag}"
            container = {"name": "web", "image": image, "memory": 128}
            ecs.register_task_definition(family="web", containerDefinitions=[container])
            for count in range(12):
                ecs.create_service(cluster="prod", serviceName=f"web-{count}", taskDefinition="web", desiredCount=1)
        for number, tag in ((home.account, "here"), (OTHER, "there")):
            found = list(accounts.source(Part("ecs", number, home.region)).uses(home))
            assert all(isinstance(use, Use) and use.reference == tag for use in found)
            assert len({use.by for use in found if isinstance(use, Use)}) == 12
        assert list(accounts.source(Part("batch", home.account, home.region)).uses(home)) == []
        assert list(accounts.source(Part("app_runner", home.account, "eu-north-1")).uses(home)) == []
