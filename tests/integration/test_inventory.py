"""The inventory function: every part is read once, and prune is handed every repository when all have come."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from inventory import BUSY_FOR, InUse
from tests.account import Account, Stack
from tests.builders import HOME, NOW, a_policy, digest
from tests.running import OURS, Running, lends, refused_by_sts, role_of
from tests.wire import error, ok
from warden import inventory_events, prune_events
from warden.errors import Invalid, Unavailable
from warden.inventories import Inventories
from warden.names import RepositoryName
from warden.policy import Policy
from warden.prune_events import PruneDue, PruneSummaryDue
from warden.usage import Inventory, Use

SWEEP = NOW.isoformat()
DUE = inventory_events.inventory_due(SWEEP, at=NOW, home=HOME)
APP, TOOL = RepositoryName("team/app"), RepositoryName("team/tool")
OTHER = "444455556666"
SHA = digest("app")
MAX_RECEIVES = 10


@pytest.fixture
def running() -> Running:
    """A function whose image is pinned, a job by tag, an account whose role lends itself, and a function that knows."""
    running = Running()
    running.answers["sts.AssumeRole"] = lends
    running.says("ecs.ListClusters", {"clusterArns": []})
    running.says(
        "lambda.ListFunctions",
        {
            "Functions": [
                {
                    "FunctionArn": f"arn:aws:lambda:{HOME.region}:{HOME.account}:function:f:$LATEST",
                    "Version": "$LATEST",
                    "PackageType": "Image",
                }
            ]
        },
        next_is="Marker",
    )
    running.answers["lambda.GetFunction"] = lambda _: ok({"Code": {"ResolvedImageUri": f"{OURS}/team/app@{SHA}"}})
    running.says(
        "batch.DescribeJobDefinitions",
        {
            "jobDefinitions": [
                {"jobDefinitionName": "job", "revision": 1, "containerProperties": {"image": f"{OURS}/team/tool:v1"}}
            ]
        },
    )
    images = json.dumps({"images": [f"{OURS}/team/tool:v2"], "complete": True})
    running.answers["lambda.Invoke"] = lambda _: (200, images)
    return running


@pytest.fixture
def function(account: Account, stack: Stack, running: Running) -> InUse:
    account.create(APP)
    account.create(TOOL)
    return made(account, stack, running)


def protecting(**inventory: Any) -> Policy:
    asked = {"sources": ["lambda", "batch"], "roles": [role_of(OTHER)], "functions": ["what-runs"], **inventory}
    return a_policy(inventory=asked, lifecycle__protect__in_use=True)


def made(account: Account, stack: Stack, running: Running, policy: Policy | None = None) -> InUse:
    policy = policy or protecting()
    return InUse(
        home=HOME,
        policy=policy,
        registry=account.registry,
        ledger=stack.ledger,
        tallies=stack.tallies,
        inventories=Inventories(stack.dynamodb, "ledger"),
        accounts=running.accounts(account.registry, *policy.inventory.roles),
        own=stack.queue("own"),
        prunes=stack.queue("prunes"),
        max_receives=MAX_RECEIVES,
    )


def handed_over(stack: Stack, sweep: str = SWEEP) -> list[str]:
    """The repositories that prune was asked to look at."""
    found = [prune_events.prune(body, HOME) for body in stack.bodies("prunes")]
    assert all(isinstance(one, PruneDue) and (one.sweep, one.at) == (sweep, NOW) for one in found)
    return [one.repository for one in found if isinstance(one, PruneDue)]


def begun(function: InUse, stack: Stack) -> list[str]:
    """The messages of all parts."""
    assert function.handle(stack.message(DUE)).name == "InventoryBegun"
    return stack.bodies("own")


WHOLE = {
    APP: Inventory(
        NOW,
        (Use(APP, SHA, "Lambda function f version $LATEST"), Use(APP, SHA, "Lambda function f version $LATEST")),
    ),
    TOOL: Inventory(
        NOW,
        (
            Use(TOOL, "v1", "Batch job job:1"),
            Use(TOOL, "v1", "Batch job job:1"),
            Use(TOOL, "v2", "function what-runs says so"),
        ),
    ),
}
"""Each twice: as this account and as the other one has it."""


def known(function: InUse, sweep: str = SWEEP) -> dict[str, Inventory | None]:
    return {name: function.inventories.of(sweep, name) for name in (APP, TOOL)}


def test_all_parts_are_read_and_then_prune_looks_at_every_repository(function: InUse, stack: Stack) -> None:
    bodies = begun(function, stack)
    assert len(bodies) == 5
    for body in bodies[:-1]:
        assert function.handle(stack.message(body)).name == "PartRead"
        assert handed_over(stack) == []
        assert function.inventories.latest() is None
    outcome = function.handle(stack.message(bodies[-1]))
    assert (outcome.name, outcome.subject) == ("PartRead", "function/111122223333/eu-central-1/what-runs")
    assert outcome.reason == "1 images in use"
    assert handed_over(stack) == [APP, TOOL]
    assert known(function) == WHOLE
    assert function.inventories.latest() == SWEEP
    assert stack.held_back("prunes") == 1, "the summary waits"
    assert stack.tallies.read(f"prune#{SWEEP}").counts == {"expected": 2, "looked_at": 0}


def test_a_registry_without_repositories_is_summed_up_at_once(account: Account, stack: Stack, running: Running) -> None:
    function = made(account, stack, running, protecting(sources=[], roles=[]))
    (body,) = begun(function, stack)
    function.handle(stack.message(body))
    (summary,) = stack.bodies("prunes")
    assert prune_events.prune(summary, HOME) == PruneSummaryDue(SWEEP, NOW)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_order_and_repetition_do_not_matter(
    account: Account, stack: Stack, running: Running, order: tuple[int, ...]
) -> None:
    account.create(APP)
    account.create(TOOL)
    function = made(account, stack, running, protecting(roles=[]))
    bodies = begun(function, stack)
    for number in (*order, *order):
        function.handle(stack.message(bodies[number]))
        function.handle(stack.message(DUE))
        again = stack.bodies("own")
        assert again == bodies
    assert sorted(handed_over(stack)) == [APP, TOOL]
    app, tool = known(function).values()
    assert app is not None
    assert tool is not None
    assert (app.is_complete, tool.is_complete) == (True, True)
    assert (len(app.uses), len(tool.uses)) == (1, 2)


def test_a_part_that_has_come_is_not_read_again(function: InUse, stack: Stack, running: Running) -> None:
    body, *_ = begun(function, stack)
    function.handle(stack.message(body))
    calls = len(running.calls)
    assert function.handle(stack.message(body)).name == "PartHadCome"
    assert len(running.calls) == calls


def test_where_nothing_is_protected_for_being_in_use_prune_begins_at_once(
    account: Account, stack: Stack, running: Running
) -> None:
    account.create(APP)
    function = made(account, stack, running, a_policy(lifecycle__protect__in_use=False))
    assert begun(function, stack) == []
    assert handed_over(stack) == [APP]
    assert function.inventories.of(SWEEP, APP) == Inventory(NOW)
    assert running.calls == []


def test_where_the_lifecycle_is_off_everywhere_nothing_happens(
    account: Account, stack: Stack, running: Running
) -> None:
    account.create(APP)
    function = made(account, stack, running, a_policy(lifecycle__mode="off", lifecycle__protect__in_use=True))
    assert function.handle(stack.message(DUE)).name == "NothingToPrune"
    assert (stack.bodies("own"), stack.bodies("prunes"), account.calls()) == ([], [], {})


def test_who_is_not_let_in_makes_the_inventory_incomplete_at_once(
    function: InUse, stack: Stack, running: Running
) -> None:
    running.refuses("sts.AssumeRole", refused_by_sts("AccessDenied"))
    running.places["batch.DescribeJobDefinitions", HOME.account, HOME.region] = lambda _: error("AccessDeniedException")
    outcomes = [function.handle(stack.message(body)).name for body in begun(function, stack)]
    assert outcomes == ["PartRead", "PartGivenUp", "PartGivenUp", "PartGivenUp", "PartRead"]
    assert handed_over(stack) == [APP, TOOL], "prune must suspend what it can't vouch for"
    found = known(function)[TOOL]
    assert found is not None
    assert not found.is_complete
    assert [why.partition(":")[0] for why in found.missing] == [
        "Batch",
        "Lambda in 444455556666",
        "Batch in 444455556666",
    ]
    assert "DescribeJobDefinitions is refused: let the role read it" in found.missing[0]
    assert "can't be assumed" in found.missing[1]


def test_a_function_that_does_not_know_all_makes_it_incomplete(function: InUse, stack: Stack, running: Running) -> None:
    running.answers["lambda.Invoke"] = lambda _: (200, '{"images": [], "complete": false}')
    for body in begun(function, stack):
        function.handle(stack.message(body))
    found = known(function)[APP]
    assert found is not None
    assert found.missing == (
        "function what-runs: it says that it does not know of everything: its answer has no `complete: true`",
    )


def test_a_part_that_fails_is_tried_again_and_nobody_goes_on_without_it(
    function: InUse, stack: Stack, running: Running
) -> None:
    running.refuses("batch.DescribeJobDefinitions", error("TooManyRequestsException"))
    failed = []
    for body in begun(function, stack):
        try:
            function.handle(stack.message(body))
        except ClientError as trouble:
            failed.append((body, trouble))
    assert len(failed) == 2
    assert all("TooManyRequests" in str(trouble) for _, trouble in failed)
    assert handed_over(stack) == []
    running.says("batch.DescribeJobDefinitions", {"jobDefinitions": []})
    for body, _ in failed:
        assert function.handle(stack.message(body, receives=2)).name == "PartRead"
    assert handed_over(stack) == [APP, TOOL]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (error("TooManyRequestsException", "Rate \u202eexceeded"), "Batch: ClientError: An error occurred (TooMany"),
        (ok({}), "Batch: AWS's answer to DescribeJobDefinitions lacks"),
    ],
)
def test_the_last_try_gives_the_part_up_so_that_others_need_not_wait_for_ever(
    account: Account, stack: Stack, running: Running, answer: Any, said: str
) -> None:
    account.create(APP)
    function = made(account, stack, running, protecting(sources=["batch"], roles=[], functions=[]))
    running.refuses("batch.DescribeJobDefinitions", answer)
    (body,) = begun(function, stack)
    for receives in range(1, MAX_RECEIVES - 1):
        with pytest.raises(Exception, match="DescribeJobDefinitions"):
            function.handle(stack.message(body, receives=receives))
    outcome = function.handle(stack.message(body, receives=MAX_RECEIVES - 1))
    assert outcome.name == "PartGivenUp"
    assert handed_over(stack) == [APP]
    found = function.inventories.of(SWEEP, APP)
    assert found is not None
    (why,) = found.missing
    assert why.startswith(said.partition("ECR's")[0])
    assert why.isprintable()


def test_a_part_at_which_every_try_dies_is_given_up_without_another(
    account: Account, stack: Stack, running: Running
) -> None:
    account.create(APP)
    function = made(account, stack, running, protecting(sources=["batch"], roles=[], functions=[]))
    (body,) = begun(function, stack)
    assert function.handle(stack.message(body, receives=MAX_RECEIVES)).name == "PartGivenUp"
    assert running.calls == []
    assert handed_over(stack) == [APP]
    found = function.inventories.of(SWEEP, APP)
    assert found is not None
    assert found.missing == ("Batch: it was not read in 9 tries, each cut off",)


def test_the_last_part_of_two_that_come_at_once_hands_over_once(function: InUse, stack: Stack) -> None:
    bodies = begun(function, stack)
    for body in bodies[:-1]:
        function.handle(stack.message(body))
    last = stack.message(bodies[-1], id="one")
    handing_over = f"handing over inventory#{SWEEP}"
    stack.ledger.claim(handing_over, owner="other", now=NOW, busy_for=BUSY_FOR)
    with pytest.raises(Unavailable, match="another message is at it"):
        function.handle(last)
    assert handed_over(stack) == []
    stack.ledger.give_back(handing_over, owner="other", now=NOW)
    assert function.handle(last).name == "PartHadCome"
    assert handed_over(stack) == [APP, TOOL]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        json.dumps(
            {"source": "warden", "account": HOME.account, "region": HOME.region, "detail-type": "Inventory Due"}
        ),
        inventory_events.inventory_due("", at=NOW, home=HOME),
        DUE.replace("Inventory Due", "Inventory Part"),
    ],
)
def test_what_can_t_be_understood_is_invalid(function: InUse, stack: Stack, body: str) -> None:
    with pytest.raises(Invalid):
        function.handle(stack.message(body))


@pytest.mark.parametrize(
    "body",
    [
        DUE.replace('"warden"', '"aws.ecr"'),
        DUE.replace("Inventory Due", "Sweep"),
        DUE.replace(HOME.account, OTHER),
        DUE.replace(HOME.region, "us-east-1"),
    ],
)
def test_what_is_not_for_us_is_dropped(function: InUse, stack: Stack, body: str) -> None:
    assert function.handle(stack.message(body)).name == "NotForUs"
    assert stack.bodies("own") == []


class _Killed(BaseException):
    """The sandbox is gone."""


@contextmanager
def dying_at(call: int, stack: Stack, running: Running) -> Iterator[list[int]]:
    """The sandbox dies right after so many calls of AWS, of whatever service; the calls that were made."""
    made = [0]

    def count(model: Any = None, **_: Any) -> None:
        if model is not None and model.name == "ReceiveMessage":
            return  # that is the test's own
        made[0] += 1
        if made[0] == call:
            raise _Killed

    clients = (stack.dynamodb, stack.sqs)
    for client in clients:
        client.meta.events.register_last("after-call", count, unique_id="die")
    running.before_each = count
    yield made
    running.before_each = lambda: None
    for client in clients:
        client.meta.events.unregister("after-call", unique_id="die")


def to_the_end(function: InUse, stack: Stack, sweep: str) -> None:
    """What the queue does: a message that was not settled comes again, as the same message, when it is visible."""
    waiting = [(f"due {sweep}", inventory_events.inventory_due(sweep, at=NOW, home=HOME), 1)]
    numbers = itertools.count()
    while waiting:
        id, body, receives = waiting.pop(0)
        try:
            function.handle(stack.message(body, id=id, receives=receives))
        except _Killed:
            waiting.append((id, body, receives + 1))
        waiting += [(f"part {sweep} {next(numbers)}", sent, 1) for sent in stack.bodies("own")]


def test_killed_after_any_call_it_ends_the_same(account: Account, stack: Stack, running: Running) -> None:
    account.create(APP)
    account.create(TOOL)
    function = made(account, stack, running, protecting(sources=["batch"], roles=[]))

    def run(call: int) -> tuple[int, dict[str, Inventory | None], set[str], bool]:
        sweep = f"sweep {call}"
        with dying_at(call, stack, running) as calls:
            to_the_end(function, stack, sweep)
        return calls[0], known(function, sweep), set(handed_over(stack, sweep)), function.inventories.latest() == sweep

    calls, *undisturbed = run(0)
    assert undisturbed[1:] == [{APP, TOOL}, True]
    assert calls > 15
    for call in range(1, calls + 1):
        made_in_all, *result = run(call)
        assert made_in_all >= call
        assert result == undisturbed, f"killed at call {call}"
