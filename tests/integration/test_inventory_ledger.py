"""The inventories of sweeps in the ledger's table."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.account import Stack, unprocessed
from tests.builders import NOW, digest
from warden.batch_writes import TRIES
from warden.errors import Unavailable
from warden.inventories import KEPT_FOR, Inventories
from warden.inventory.asking import Unseen
from warden.names import RepositoryName
from warden.usage import Inventory, Use

SWEEP = "2026-11-23T12:00:00+00:00"
APP, OTHER = RepositoryName("team/app"), RepositoryName("team/app2")
ECS, LAMBDA = "ecs/111122223333/eu-central-1", "lambda/111122223333/eu-central-1"
NAMES = {ECS: "ECS", LAMBDA: "Lambda"}


@pytest.fixture
def inventories(stack: Stack) -> Inventories:
    return Inventories(stack.dynamodb, "ledger")


def test_a_part_tells_who_uses_what_by_repository(inventories: Inventories) -> None:
    inventories.expect(SWEEP, NAMES, at=NOW, now=NOW)
    sha = digest("app")
    uses = [Use(APP, "v1", "task 1"), Use(APP, sha, "task 1"), Use(OTHER, "v2", "task 2"), Use(APP, "v1", "task 1")]
    assert inventories.store(SWEEP, ECS, uses, now=NOW) == 3
    assert inventories.store(SWEEP, LAMBDA, [Use(APP, "v1", "function")], now=NOW) == 1
    found = inventories.of(SWEEP, APP)
    assert found is not None
    assert set(found.uses) == {Use(APP, "v1", "task 1"), Use(APP, sha, "task 1"), Use(APP, "v1", "function")}
    assert (found.taken_at, found.missing) == (NOW, ())
    assert inventories.of(SWEEP, OTHER) == Inventory(NOW, (Use(OTHER, "v2", "task 2"),))
    assert inventories.of(SWEEP, RepositoryName("unused")) == Inventory(NOW)


def test_many_who_use_one_image_are_counted_and_a_few_named(inventories: Inventories) -> None:
    inventories.expect(SWEEP, {ECS: "ECS"}, at=NOW, now=NOW)
    inventories.store(SWEEP, ECS, (Use(APP, "v1", f"task {number}") for number in range(1000)), now=NOW)
    found = inventories.of(SWEEP, APP)
    assert found is not None
    assert found.uses == (Use(APP, "v1", "task 0, task 1, task 2 and 997 more"),)


def test_an_inventory_nobody_began_or_that_is_over_is_none(inventories: Inventories) -> None:
    assert inventories.of(SWEEP, APP) is None
    assert not inventories.is_complete(SWEEP)
    inventories.store(SWEEP, ECS, [Use(APP, "v1", "task")], now=NOW)
    assert inventories.of(SWEEP, APP) is None
    assert not inventories.is_complete(SWEEP)


def test_it_is_complete_when_all_parts_have_come_in_whatever_order(inventories: Inventories) -> None:
    inventories.store(SWEEP, LAMBDA, [], now=NOW)
    inventories.expect(SWEEP, NAMES, at=NOW, now=NOW)
    assert not inventories.is_complete(SWEEP)
    assert (inventories.has_come(SWEEP, LAMBDA), inventories.has_come(SWEEP, ECS)) == (True, False)
    unready = inventories.of(SWEEP, APP)
    assert unready is not None
    assert unready.missing == ("ECS has not answered yet",)
    inventories.store(SWEEP, ECS, [], now=NOW)
    assert inventories.is_complete(SWEEP)
    assert inventories.of(SWEEP, APP) == Inventory(NOW)


def test_one_without_parts_is_complete_at_once(inventories: Inventories) -> None:
    inventories.expect(SWEEP, {}, at=NOW, now=NOW)
    assert inventories.is_complete(SWEEP)
    assert inventories.of(SWEEP, APP) == Inventory(NOW)


def test_a_part_that_was_given_up_is_missing_in_every_repository(inventories: Inventories) -> None:
    inventories.expect(SWEEP, NAMES, at=NOW, now=NOW)
    inventories.give_up(SWEEP, ECS, why="ListClusters is refused", now=NOW)
    inventories.store(SWEEP, LAMBDA, [Use(APP, "v1", "function")], now=NOW)
    assert inventories.is_complete(SWEEP), "whoever waits need not wait any longer"
    for name in (APP, OTHER):
        found = inventories.of(SWEEP, name)
        assert found is not None
        assert found.missing == ("ECS: ListClusters is refused",)
        assert not found.is_complete


def test_a_repository_that_somebody_can_t_see_into_is_missing_alone(inventories: Inventories) -> None:
    inventories.expect(SWEEP, {ECS: "ECS"}, at=NOW, now=NOW)
    inventories.store(SWEEP, ECS, [Unseen(APP, "not scanned"), Use(APP, "v1", "task")], now=NOW)
    assert inventories.of(SWEEP, APP) == Inventory(NOW, (Use(APP, "v1", "task"),), ("not scanned",))
    assert inventories.of(SWEEP, OTHER) == Inventory(NOW)


def test_more_than_one_call_and_one_page_hold_every_image(inventories: Inventories, stack: Stack) -> None:
    written: list[int] = []

    def count(params: Any, model: Any, **_: Any) -> None:
        if model.name == "BatchWriteItem":
            written.append(len(json.loads(params["body"])["RequestItems"]["ledger"]))

    stack.dynamodb.meta.events.register("before-call.dynamodb", count)
    inventories.expect(SWEEP, {ECS: "ECS"}, at=NOW, now=NOW)
    uses = [Use(APP, f"v{number}", f"{'x' * 20_000}{number}") for number in range(60)]
    assert inventories.store(SWEEP, ECS, uses, now=NOW) == len(uses)
    assert written == [25, 25, 10]
    found = inventories.of(SWEEP, APP)
    assert found is not None
    assert set(found.uses) == set(uses), "of more than a megabyte Query needs more than one page"


def test_what_dynamodb_did_not_take_is_written_again(inventories: Inventories, stack: Stack) -> None:
    asked = unprocessed(stack, 2)
    inventories.expect(SWEEP, {ECS: "ECS"}, at=NOW, now=NOW)
    inventories.store(SWEEP, ECS, [Use(APP, f"v{number}", "task") for number in range(3)], now=NOW)
    assert asked == [3, 1, 1]
    assert inventories.is_complete(SWEEP)


def test_what_dynamodb_does_not_take_in_the_end_leaves_the_part_to_be_read_again(
    inventories: Inventories, stack: Stack
) -> None:
    asked = unprocessed(stack, 100)
    inventories.expect(SWEEP, {ECS: "ECS"}, at=NOW, now=NOW)
    with pytest.raises(Unavailable, match="DynamoDB left 1 of 1 items"):
        inventories.store(SWEEP, ECS, [Use(APP, "v1", "task")], now=NOW)
    assert len(asked) == TRIES
    assert not inventories.has_come(SWEEP, ECS)


def test_the_latest_is_that_of_the_latest_sweep_whichever_is_concluded_last(inventories: Inventories) -> None:
    assert inventories.latest() is None
    inventories.conclude("monday", at=NOW)
    assert inventories.latest() == "monday"
    inventories.conclude("tuesday", at=NOW + timedelta(days=1))
    inventories.conclude("monday", at=NOW)
    inventories.conclude("tuesday", at=NOW + timedelta(days=1))
    assert inventories.latest() == "tuesday"


def test_all_but_the_pointer_to_the_latest_expires(inventories: Inventories, stack: Stack) -> None:
    inventories.expect(SWEEP, NAMES, at=NOW, now=NOW)
    inventories.store(SWEEP, ECS, [Use(APP, "v1", "task"), Unseen(OTHER, "not scanned")], now=NOW)
    inventories.give_up(SWEEP, LAMBDA, why="refused", now=NOW)
    inventories.conclude(SWEEP, at=NOW)
    items = stack.dynamodb.scan(TableName="ledger")["Items"]
    ends = {item["pk"]["S"] + " " + item["sk"]["S"]: item.get("expires_at") for item in items}
    assert len(ends) == 6
    assert ends.pop("inventory latest") is None
    assert {end["N"] for end in ends.values() if end} == {str(int((NOW + KEPT_FOR).timestamp()))}
