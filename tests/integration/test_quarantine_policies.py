"""Pulls denied by a repository's own policy, and allowed again: what somebody else wrote keeps every byte."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import VECTORS, a_policy
from tests.functions import text
from tests.local_account import LocalAccount
from tests.quarantining import BY_PULL, World, a_world, one_stack
from tests.wire import Answer, error
from warden import pull_denial
from warden.known import Verdict
from warden.names import ImageId, RepositoryName
from warden.quarantine_events import Order
from warden.wildcard import matches

POLICIES = sorted((VECTORS / "repository_policies").glob("*.json"))
APP = RepositoryName("team/app")
OURS = '{"Statement":{"Sid":"mine","Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}}'


@pytest.fixture(autouse=True, scope="module")
def shared() -> Iterator[None]:
    with one_stack():
        yield


def set_policy(world: World, text: str, repository: str = "team/app") -> None:
    """As a person does it."""
    world.local.small.call("SetRepositoryPolicy", repositoryName=repository, policyText=text)


def lay_out(value: Any, depth: int = 0) -> str:
    """A policy in ECR's own layout, as the examples of its answers have it."""
    edge = "  " * depth
    if isinstance(value, dict):
        members = (f"{edge}  {json.dumps(name)} : {lay_out(one, depth + 1)}" for name, one in value.items())
        return "{\n" + ",\n".join(members) + f"\n{edge}}}"
    if isinstance(value, list):
        return "[ " + ", ".join(lay_out(one, depth) for one in value) + " ]"
    return json.dumps(value)


def laying_out(local: LocalAccount) -> None:
    """Have the registry give documents back in its own layout, a list of one as the one."""
    answer = local._answer

    def relaid(operation: str, request: Any) -> Answer:
        done = answer(operation, request)
        if operation == "SetRepositoryPolicy" and done[0] == 200:
            repository = local.small.ecr.registry.repository(request["repositoryName"])
            repository.access_policy = lay_out(_short(json.loads(request["policyText"])))
        return done

    local.wire._answers = relaid


def _short(document: dict[str, Any]) -> dict[str, Any]:
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    return {**document, "Statement": [_singles(one) for one in statements]}


def _singles(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _singles(one) for name, one in value.items()}
    return value[0] if isinstance(value, list) and len(value) == 1 else value


@pytest.mark.parametrize(
    ("registry", "policies"),
    [(lambda _: None, POLICIES), (laying_out, POLICIES[::4])],
    ids=["as it was put", "laid out anew"],
)
def test_thirty_real_policies_come_back_to_the_byte(
    world: World, registry: Callable[[LocalAccount], None], policies: list[Path]
) -> None:
    local = world.local
    registry(local)
    for path in policies:
        name = path.stem
        original = path.read_bytes().decode()
        local.create(name)
        local.small.call("SetRepositoryPolicy", repositoryName=name, policyText=original)
        image = world.push("bad", "v1", repository=name)
        assert world.settle(image).name == "Quarantined"
        denied = world.access_policy(name)
        assert denied is not None
        assert pull_denial.ours(denied) is not None
        assert _without_ours(denied) == _statements(original)
        assert world.release(image).name == "Released"
        _, request = next(one for one in reversed(local.wire.requests) if one[0] == "SetRepositoryPolicy")
        assert request["policyText"] == original, path.stem
        if registry is not laying_out:
            assert world.access_policy(name) == original


def _statements(text: str) -> list[Any]:
    statements = json.loads(text)["Statement"]
    return [_singles(one) for one in (statements if isinstance(statements, list) else [statements])]


def _without_ours(text: str) -> list[Any]:
    return [one for one in _statements(text) if one.get("Sid") != pull_denial.SID]


def test_there_are_thirty() -> None:
    assert len(POLICIES) == 30
    assert {path.suffix for path in map(Path, POLICIES)} == {".json"}


@pytest.fixture
def world() -> Iterator[World]:
    with a_world(BY_PULL) as one:
        set_policy(one, OURS)
        yield one


def held(world: World, seed: str = "bad", tag: str = "v1") -> ImageId:
    image = world.push(seed, tag)
    assert world.settle(image).name == "Quarantined"
    return image


def test_the_statement_goes_with_the_last_image_that_needs_it(world: World) -> None:
    one, other = held(world), held(world, "other", "v2")
    assert world.release(one).name == "Released"
    assert "EcrWardenQuarantine" in (world.access_policy() or "")
    assert world.state() == "quarantined"
    notice = world.stack.notices()[-1]
    notes = [fact.value for fact in notice.facts if fact.label == "Note"]
    assert notes == ["pulls stay denied: another image of the repository is in quarantine"]
    assert world.release(other).name == "Released"
    assert world.access_policy() == OURS
    assert world.state() is None


def test_an_image_that_merely_waits_needs_no_statement(world: World) -> None:
    image = held(world)
    waiting = world.push("other", "v2")
    from_then_on = world.quarantines.of(image)
    assert from_then_on is not None
    world.quarantines.hold(
        type(from_then_on)(waiting, from_then_on.how, from_then_on.since, "", "in use", waiting=True)
    )
    world.release(image)
    assert (world.access_policy(), world.state()) == (OURS, None)


def test_what_a_person_changed_meanwhile_stays_as_it_is(world: World) -> None:
    image = held(world)
    theirs = (world.access_policy() or "").replace('"mine"', '"changed"')
    set_policy(world, theirs)
    world.release(image)
    assert world.access_policy() == OURS.replace('"mine"', '"changed"')


def test_what_a_person_added_where_there_was_nothing_stays() -> None:
    with a_world(BY_PULL) as world:
        image = held(world)
        document = json.loads(world.access_policy() or "")
        document["Statement"].append({"Sid": "new", "Effect": "Allow", "Principal": "*", "Action": "ecr:ListImages"})
        set_policy(world, json.dumps(document))
        world.release(image)
        assert [one["Sid"] for one in json.loads(world.access_policy() or "")["Statement"]] == ["new"]


def test_what_a_person_took_away_meanwhile_does_not_come_back(world: World) -> None:
    image = held(world)
    document = json.loads(world.access_policy() or "")
    document["Statement"] = [one for one in document["Statement"] if one["Sid"] == pull_denial.SID]
    set_policy(world, json.dumps(document))
    world.release(image)
    assert world.access_policy() is None


def test_a_statement_that_somebody_took_out_is_put_back_and_told(world: World) -> None:
    image = held(world)
    world.stack.notices()
    set_policy(world, OURS.replace('"mine"', '"later"'))
    assert world.settle(image).name == "Quarantined"
    (notice,) = world.stack.notices()
    assert notice.title == "team/app:v1 is in quarantine again"
    notes = [fact.value for fact in notice.facts if fact.label == "Note"]
    assert notes == ["Somebody had taken the warden's statement out of the repository's policy: it was put back."]
    world.release(image)
    assert world.access_policy() == OURS.replace('"mine"', '"later"')


def test_a_statement_that_somebody_took_out_need_not_be_taken_out_again(world: World) -> None:
    image = held(world)
    set_policy(world, OURS)
    assert world.release(image).name == "Released"
    assert world.access_policy() == OURS


def test_a_policy_with_other_roles_changes_our_statement_alone(world: World) -> None:
    image = held(world)
    world.policy = a_policy(quarantine__by="pull", quarantine__break_glass=["arn:aws:iam::111122223333:role/other"])
    world.stack.notices()
    assert world.settle(image).name == "Quarantined"
    found = pull_denial.ours(world.access_policy())
    assert found is not None
    assert "role/other" in found
    assert "role/forensics" not in found
    (notice,) = world.stack.notices()
    assert notice.title == "team/app:v1 is in quarantine"
    assert "have changed with the policy" in "".join(fact.value for fact in notice.facts)
    world.release(image)
    assert world.access_policy() == OURS


@pytest.mark.parametrize("order", [Order.SETTLE, Order.QUARANTINE, Order.RELEASE])
def test_a_statement_of_our_name_that_we_have_not_written_is_a_persons_to_look_at(world: World, order: Order) -> None:
    image = held(world) if order is Order.RELEASE else world.push("bad", "v1")
    theirs = pull_denial.put(OURS, '{"Sid":"EcrWardenQuarantine","Effect":"Deny","Principal":"*","Action":"ecr:*"}')
    set_policy(world, theirs)
    outcome = world.settle(image) if order is Order.SETTLE else world.order(order, image)
    assert outcome.name == "Refused"
    assert "that the warden has not written so: a person must look at it" in outcome.reason
    assert world.access_policy() == theirs
    assert world.history(image)[0].details["result"] == "refused"
    title = world.titles()[-1]
    assert title == f"team/app:v1 was not {'released from' if order is Order.RELEASE else 'put in'} quarantine"


def test_a_policy_that_can_not_be_read_is_a_persons_to_look_at(world: World) -> None:
    world.local.small.ecr.registry.repository("team/app").access_policy = '{"Statement": ['
    image = world.push("bad", "v1")
    assert "can't be read" in world.settle(image).reason
    assert world.access_policy() == '{"Statement": ['


def test_a_policy_without_room_for_our_statement_is_told(world: World) -> None:
    set_policy(world, OURS.replace("mine", "m" * 10_000))
    image = world.push("bad", "v1")
    assert "ECR takes 10,240: make it shorter" in world.settle(image).reason
    assert "Refused: with the statement that denies pulls" in text(world.stack.notices()[0])


@pytest.mark.parametrize("order", [Order.SETTLE, Order.QUARANTINE])
@pytest.mark.parametrize("waits", [True, False])
def test_what_ecr_refuses_for_good_is_told_and_leaves_nothing_held(world: World, order: Order, *, waits: bool) -> None:
    image = world.push("bad", "v1")
    before = world.quarantines.of(image)
    refuse(world, "SetRepositoryPolicy")
    if waits:
        world.settle(image)
        before = world.quarantines.of(image)
    outcome = world.settle(image) if order is Order.SETTLE else world.order(order, image)
    assert outcome.name == "Refused"
    assert outcome.reason == "the policy of team/app was not set: made up for a test"
    assert set(world.results(image)) == {"refused"}
    assert world.state() is None
    now = world.quarantines.of(image)
    assert now == before if order is Order.QUARANTINE else now is not None and now.waiting
    assert len(world.titles()) == (2 if waits and order is Order.QUARANTINE else 1)


def refuse(world: World, operation: str) -> None:
    """Have ECR refuse an operation for a reason that stays."""
    answer = world.local.wire._answers

    def refusing(name: str, request: Any) -> Answer:
        return error("InvalidParameterException") if matches(operation, name) else answer(name, request)

    world.local.wire._answers = refusing


def test_a_release_that_ecr_refuses_is_told_and_can_be_asked_for_again(world: World) -> None:
    image = held(world)
    world.stack.notices()
    answers = world.local.wire._answers
    refuse(world, "*RepositoryPolicy")
    world.judge(image, Verdict.PASS)
    world.local.wire._answers = lambda name, request: (
        error("InvalidParameterException") if name == "SetRepositoryPolicy" else answers(name, request)
    )
    assert world.settle(image).name == "Refused"
    (notice,) = world.stack.notices()
    assert notice.title == "team/app:v1 was not released from quarantine"
    assert f"warden release {image} --reason TEXT" in text(notice)
    assert world.results(image)[-1] == "refused"
    world.local.wire._answers = answers
    assert world.settle(image).name == "Released"
    assert world.access_policy() == OURS
