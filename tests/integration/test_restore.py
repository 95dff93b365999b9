"""`warden restore`: what was archived, marked or deleted comes back, and no rule takes it again for a while."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cli.restore import restore
from tests.account import Stack
from tests.builders import NOW, a_policy
from tests.local_account import LocalAccount, inventory, turn
from warden.errors import Refused
from warden.names import Digest, ImageId, RepositoryName
from warden.policy import Policy

IDLE = [{"of": "any", "not_pulled_days": 30}]


class Sts:
    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:sts::111122223333:assumed-role/Admin/alice"}


@pytest.fixture
def local() -> LocalAccount:
    local = LocalAccount()
    local.create()
    return local


def asked(**fields: Any) -> Policy:
    return a_policy(**{"lifecycle__action": "delete", "lifecycle__protect__in_use": True, **fields})


def connected(local: LocalAccount, stack: Stack) -> Callable[[str], Any]:
    clients = {"ecr": local.wire.client(), "dynamodb": stack.dynamodb, "sts": Sts()}
    return lambda service: clients[service]


def put_back(local: LocalAccount, stack: Stack, digest: Digest) -> str:
    image = ImageId(RepositoryName("team/app"), digest)
    return restore(image, connected(local, stack), now=NOW, days=30, table="ledger")


def prune(local: LocalAccount, stack: Stack, policy: Policy) -> None:
    inventory(stack)
    local.pruning(stack, policy).handle(stack.message(turn(stack)))


def test_an_archived_image_comes_back_and_is_not_archived_again(local: LocalAccount, stack: Stack) -> None:
    old = local.push("a", "v1", days=90)
    policy = asked(lifecycle__action="archive", lifecycle__rules=[{"of": "any", "after_days": 30}])
    prune(local, stack, policy)
    local.run_lifecycle()
    assert local.archived() == {old}
    assert "restored from the archive" in put_back(local, stack, old)
    prune(local, stack, policy)
    local.small.pass_time(days=60)
    local.run_lifecycle()
    assert local.archived() == set()


def test_a_deleted_image_is_put_again_with_its_tags_and_stays(local: LocalAccount, stack: Stack) -> None:
    idle = local.push("a", "v1", "stable", days=90)
    prune(local, stack, asked(lifecycle__rules=IDLE))
    assert local.images() == {}
    said = put_back(local, stack, idle)
    assert "put again as v1, stable" in said
    prune(local, stack, asked(lifecycle__rules=IDLE))
    assert set(local.images()) == {idle}
    assert [entry.kind for entry in stack.ledger.history(f"team/app@{idle}")] == ["left", "restored"]


def test_a_tag_that_another_image_has_by_now_stays_there(local: LocalAccount, stack: Stack) -> None:
    idle = local.push("a", "v1", "stable", days=90)
    prune(local, stack, asked(lifecycle__rules=IDLE))
    other = local.push("b", "stable")
    put_back(local, stack, idle)
    assert local.images() == {idle: ("v1",), other: ("stable",)}


def test_an_index_comes_back_with_all_that_it_lists(local: LocalAccount, stack: Stack) -> None:
    parts = {local.push(seed, days=90) for seed in ("amd64", "arm64")}
    whole = local.push("index", "v1", days=90, lists=("amd64", "arm64"))
    for _ in range(2):  # what an index lists goes by the same turn, or by the next
        prune(local, stack, asked(lifecycle__rules=IDLE))
    assert local.images() == {}
    assert "put again as v1" in put_back(local, stack, whole)
    assert set(local.images()) == {whole, *parts}
    prune(local, stack, asked(lifecycle__rules=IDLE))
    assert set(local.images()) == {whole, *parts}


def test_a_marked_image_is_not_deleted(local: LocalAccount, stack: Stack) -> None:
    marked = local.push("a", "v1", days=90)
    policy = asked(lifecycle__rules=IDLE, lifecycle__wait=3)
    prune(local, stack, policy)
    assert "not marked any more" in put_back(local, stack, marked)
    inventory(stack, now=NOW + timedelta(days=4))
    local.pruning(stack, policy).handle(stack.message(turn(stack), now=NOW + timedelta(days=4)))
    assert set(local.images()) == {marked}


def test_what_the_ledger_does_not_know_is_refused_with_what_there_is_to_know(local: LocalAccount, stack: Stack) -> None:
    gone = local.push("a", "v1", days=90)
    local.small.call("BatchDeleteImage", repositoryName="team/app", imageIds=[{"imageDigest": gone}])
    with pytest.raises(Refused, match="no manifest of it"):
        put_back(local, stack, gone)


def test_an_image_whose_layers_are_gone_can_not_come_back_and_is_not_kept(local: LocalAccount, stack: Stack) -> None:
    idle = local.push("a", "v1", days=90)
    prune(local, stack, asked(lifecycle__rules=IDLE))
    local.small.ecr.registry.repository("team/app").layers.clear()
    with pytest.raises(Refused, match="gone for good"):
        put_back(local, stack, idle)
    assert local.pruning(stack, asked()).prunings.kept_back(RepositoryName("team/app"), now=NOW) == {}
