"""Quarantine needs to know what is in use, also where nothing is ever pruned."""

from typing import Any

import pytest

from infra.grants import asks_who_uses, protects_used, quarantines_unused
from inventory import InUse
from prune import Pruning
from tests.account import Stack, a_stack
from tests.builders import HOME, NOW, a_policy, image_id
from tests.local_account import LocalAccount, turn
from warden import inventory_events
from warden.errors import Refused
from warden.inventories import Inventories
from warden.inventory.places import Part, parts
from warden.inventory.places import quarantines_unused as asked_for
from warden.names import RepositoryName
from warden.policy import Policy, QuarantineBy
from warden.prune_reports import read
from warden.prunings import Prunings
from warden.registry import Registry
from warden.usage import Inventory, Use

APP = RepositoryName("team/app")
ONE_ASKS = (("team/app", {"quarantine.by": "tags"}),)


@pytest.mark.parametrize(
    ("policy", "asks"),
    [
        (a_policy(), False),
        (a_policy(quarantine__by="tags"), True),
        (a_policy(quarantine__by="pull", quarantine__mode="report"), True),
        (a_policy(quarantine__by="tags", quarantine__mode="off"), False),
        (a_policy(*ONE_ASKS), True),
        (a_policy(("a/*", {"quarantine.mode": "report"}), quarantine__by="tags", quarantine__mode="off"), True),
        (a_policy(("team/app", {"quarantine.in_use": True}), quarantine__by="tags"), True),
    ],
)
def test_who_uses_what_is_asked_where_quarantine_spares_what_is_used(policy: Policy, *, asks: bool) -> None:
    assert bool(parts(policy, HOME)) is asks
    assert asked_for(policy) is asks
    compiled = _compiled(policy)
    assert protects_used(compiled) is quarantines_unused(compiled) is asks
    assert asks_who_uses("ecs")(compiled) is asks


def _compiled(policy: Policy) -> dict[str, Any]:
    """As much of the compiled policy as grants are given by."""
    layers = [policy.defaults, *(rule.fields for rule in policy.rules)]
    written = [{name: [field.value, field.origin] for name, field in layer.items()} for layer in layers]
    rules = [{"fields": layer} for layer in written[1:]]
    return {"defaults": written[0], "rules": rules, "inventory": {"sources": list(policy.inventory.sources)}}


class OneUse:
    """Everybody answers that one image is in use."""

    def source(self, _: Part) -> "OneUse":
        return self

    def uses(self, _: Any) -> list[Use]:
        return [Use(APP, "v1", "ECS service prod/web")]


class NoAnswer(OneUse):
    def uses(self, _: Any) -> list[Use]:
        raise Refused("access denied")


def in_use(stack: Stack, policy: Policy, accounts: Any) -> InUse:
    client = LocalAccount().wire.client()
    return InUse(
        home=HOME,
        policy=policy,
        registry=Registry(client, client),
        ledger=stack.ledger,
        tallies=stack.tallies,
        inventories=Inventories(stack.dynamodb, "ledger"),
        accounts=accounts,
        own=stack.queue("own"),
        prunes=stack.queue("prunes"),
        max_receives=10,
    )


@pytest.mark.parametrize(("accounts", "known"), [(OneUse(), True), (NoAnswer(), False)])
def test_an_inventory_is_taken_where_nothing_is_pruned_and_prune_is_not_troubled(accounts: Any, *, known: bool) -> None:
    policy = a_policy(*ONE_ASKS, lifecycle__mode="off", inventory={"sources": ["ecs"]})
    with a_stack() as stack:
        function = in_use(stack, policy, accounts)
        due = inventory_events.inventory_due("sweep", at=NOW, home=HOME)
        assert function.handle(stack.message(due)).name == "InventoryBegun"
        for body in stack.bodies("own"):
            function.handle(stack.message(body))
        found = function.inventories.fresh(APP, now=NOW)
        assert found.is_complete is known
        assert bool(found.uses) is known
        assert stack.bodies("prunes") == []


def test_no_inventory_is_taken_where_nobody_asks() -> None:
    with a_stack() as stack:
        due = inventory_events.inventory_due("sweep", at=NOW, home=HOME)
        function = in_use(stack, a_policy(lifecycle__mode="off"), OneUse())
        assert function.handle(stack.message(due)).name == "NothingToPrune"


def test_the_protection_of_quarantine_is_never_called_idle() -> None:
    policy = a_policy(quarantine__by=QuarantineBy.TAGS, lifecycle__protect__tags=["prod-*"], lifecycle__action="delete")
    with a_stack() as stack:
        local = LocalAccount()
        local.create()
        local.push("loose", days=30)
        inventories = Inventories(stack.dynamodb, "ledger")
        inventories.expect("1", {}, at=NOW, now=NOW)
        inventories.conclude("1", at=NOW)
        pruning: Pruning = local.pruning(stack, policy)
        pruning.handle(stack.message(turn(stack)))
        (report,) = map(read, Prunings(stack.dynamodb, "ledger").reports("1"))
        assert report.protections == ("prod-*", "quarantine.*")
        assert report.idle_protections == ("prod-*",)


def test_an_inventory_that_was_never_taken_is_not_known() -> None:
    with a_stack() as stack:
        found = Inventories(stack.dynamodb, "ledger").fresh(image_id().repository, now=NOW)
        assert found == Inventory(NOW, missing=("no inventory was taken yet: it is, with the next sweep",))
