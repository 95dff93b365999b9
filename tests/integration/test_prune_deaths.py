"""A run that is killed after any of its calls to AWS, and comes again, ends as one that was not killed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.account import Stack, a_stack
from tests.builders import NOW, a_policy
from tests.local_account import LocalAccount, inventory, turn
from warden.errors import Unavailable
from warden.names import RepositoryName
from warden.policy import Policy
from warden.prune_reports import read
from warden.prunings import Prunings
from warden.usage import Use

POLICY = a_policy(
    lifecycle__action="delete",
    lifecycle__protect__in_use=True,
    lifecycle__protect__tags=["prod-*"],
    lifecycle__protect__grace=1,
    lifecycle__rules=[
        {"of": "untagged", "after_days": 7},
        {"of": "v*", "keep": 1, "per": "minor"},
        {"of": "pr-*", "after_days": 14},
        {"of": "any", "not_pulled_days": 60},
    ],
)
BEFORE = a_policy(
    lifecycle__action="delete", lifecycle__protect__in_use=True, lifecycle__rules=[{"of": "pr-*", "after_days": 60}]
)
LATER = NOW + timedelta(days=2)


class Killed(BaseException):
    """The sandbox is gone: nothing of ours may catch it."""


@dataclass
class Calls:
    """Counts the calls of a run, and kills it after the one of that number."""

    deadly: int = 0
    made: list[str] = field(default_factory=list)

    def note(self, name: str) -> None:
        self.made.append(name)
        if len(self.made) == self.deadly:
            raise Killed(name)


def watched(local: LocalAccount, stack: Stack, calls: Calls) -> Callable[[], None]:
    """Every call of ECR, DynamoDB and SQS is noted once it was answered; stops when called."""
    answer = local._answer

    def ecr(operation: str, request: Any) -> Any:
        done = answer(operation, request)
        calls.note(operation)
        return done

    def other(model: Any, **_: Any) -> None:
        calls.note(model.name)

    local.wire._answers = ecr
    for client in (stack.dynamodb, stack.sqs):
        client.meta.events.register("after-call", other)

    def stop() -> None:
        local.wire._answers = answer
        for client in (stack.dynamodb, stack.sqs):
            client.meta.events.unregister("after-call", other)

    return stop


@contextmanager
def a_world() -> Iterator[tuple[LocalAccount, Stack]]:
    """Something for every step: leases to put and to lift, indexes, a policy to put, images to delete by ourselves."""
    local = LocalAccount()
    local.create()
    local.push("was running", "pr-9", days=40)
    with a_stack() as stack:
        inventory(stack, used(local, "was running"))
        run(local, stack, policy=BEFORE)
        _fill(local)
        inventory(stack, used(local, "running pull request"), used(local, "index"), now=LATER)
        yield local, stack


def _fill(local: LocalAccount) -> None:
    for seed in ("amd64", "arm64"):
        local.push(seed, days=90)
    local.push("index", "v1.0.0", days=90, lists=("amd64", "arm64"))
    local.push("signature", days=90, subject="index")
    for number in range(3):
        local.push(f"patch {number}", f"v2.1.{number}", days=50 - number)
    local.push("pull request", "pr-7", days=40)
    local.push("running pull request", "pr-8", days=40)
    local.push("idle", "something", days=90, pulled=80)
    local.push("protected", "prod-1", days=90, pulled=80)
    local.push("loose", days=30)


def used(local: LocalAccount, seed: str) -> Use:
    return Use(RepositoryName("team/app"), local.digest(seed), "ECS service prod/web")


def run(local: LocalAccount, stack: Stack, *, policy: Policy = POLICY, receives: int = 1, now: datetime = NOW) -> None:
    message = stack.message(turn(stack), id="the one", receives=receives, now=now)
    local.pruning(stack, policy).handle(message)


def come_again(local: LocalAccount, stack: Stack) -> None:
    """The queue gives the message again, and once more where somebody is at it still."""
    for receives in (2, 3):
        try:
            run(local, stack, receives=receives, now=LATER + timedelta(hours=1))
        except Unavailable:
            local.small.pass_time(seconds=1)
        else:
            return
    raise AssertionError("it does not come to an end")


def end_state(local: LocalAccount, stack: Stack) -> dict[str, Any]:
    prunings = Prunings(stack.dynamodb, "ledger")
    images = {name: sorted(tags) for name, tags in local.images().items()}
    (report,) = map(read, prunings.reports("2"))
    known = [*images, *(local.digest(seed) for seed in local._built)]
    return {
        "images": images,
        "policy": local.policy(),
        "expected or told": sorted(
            {*prunings.expected(RepositoryName("team/app")), *(one.image.digest for one in report.left)}
        ),
        "histories": {
            name: sorted((entry.kind, entry.text) for entry in stack.ledger.history(f"team/app@{name}"))
            for name in known
        },
        "kept": sorted(name for name in known if prunings.manifest(RepositoryName("team/app"), name)),  # type: ignore[arg-type]
        "refusals": report.refusals,
    }


def test_a_run_killed_after_any_call_ends_as_one_that_was_not_killed() -> None:
    with a_world() as (local, stack):
        calls = Calls()
        stop = watched(local, stack, calls)
        run(local, stack, now=LATER)
        stop()
        expected = end_state(local, stack)
    writes = {"PutImage", "BatchDeleteImage", "PutLifecyclePolicy", "StartLifecyclePolicyPreview"}
    assert writes <= set(calls.made), "the world has something for every step"
    for deadly in range(1, len(calls.made) + 1):
        with a_world() as (local, stack):
            mortal = Calls(deadly)
            stop = watched(local, stack, mortal)
            with suppress(Killed):
                run(local, stack, now=LATER)
            stop()
            come_again(local, stack)
            found = end_state(local, stack)
            assert found == expected, f"killed after call {deadly}, {mortal.made[deadly - 1]}"
