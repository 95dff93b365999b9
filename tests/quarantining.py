"""The quarantine function over the local cloud's registry, and what a test says of its images."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from moto.backends import get_backend

from quarantine import Quarantining
from tests.account import Stack, a_stack
from tests.builders import HOME, NOW, a_policy, finding
from tests.functions import ROLE_PATH
from tests.local_account import LocalAccount, inventory
from warden.image_tags import ImageTags
from warden.inventories import Inventories
from warden.known import Known, Verdict, known
from warden.ledger import Entry
from warden.names import ImageId, RepositoryName, Severity
from warden.policy import Policy
from warden.quarantine_enforcement import QuarantineEnforcement
from warden.quarantine_events import Order, QuarantineDue, quarantine_due
from warden.quarantine_records import KIND, QuarantineRecords
from warden.quarantine_turns import QuarantineTurns
from warden.quarantines import Quarantines
from warden.registry import Registry
from warden.repository_images import RepositoryImages
from warden.repository_writes import RepositoryWrites
from warden.runtime import Outcome

BY_TAGS = a_policy(quarantine__by="tags")
BY_PULL = a_policy(quarantine__by="pull", quarantine__break_glass=["arn:aws:iam::111122223333:role/forensics"])
ALICE = "arn:aws:iam::111122223333:user/alice"


class World:
    """A registry, a ledger, and the function; the repository is team/app unless another is named."""

    def __init__(self, local: LocalAccount, stack: Stack, policy: Policy = BY_TAGS) -> None:
        self.local, self.stack, self.policy = local, stack, policy
        self.quarantines = Quarantines(stack.dynamodb, "ledger")
        self._numbers = count(1)
        self._client = local.wire.client()

    @property
    def function(self) -> Quarantining:
        client, stack = self._client, self.stack
        registry, images = Registry(client, client), RepositoryImages(client, stack.dynamodb, "ledger")
        records = QuarantineRecords(HOME, stack.ledger, stack.queue("notices"))
        enforcement = QuarantineEnforcement(
            home=HOME,
            role_path=ROLE_PATH,
            registry=registry,
            image_tags=ImageTags(client, registry),
            writes=RepositoryWrites(client, HOME.account),
            quarantines=self.quarantines,
            ledger=stack.ledger,
        )
        inventories = Inventories(stack.dynamodb, "ledger")
        promoting = stack.queue("promotions")
        turns = QuarantineTurns(images, inventories, self.quarantines, enforcement, records, stack.ledger, promoting)
        return Quarantining(
            home=HOME,
            policy=self.policy,
            registry=registry,
            images=images,
            judged=stack.judged,
            quarantines=self.quarantines,
            turns=turns,
            records=records,
            ledger=stack.ledger,
        )

    def push(self, seed: str, *tags: str, verdict: Verdict | None = Verdict.BLOCK, **about: Any) -> ImageId:
        """Push an image that was judged since."""
        digest = self.local.push(seed, *tags, **about)
        image = ImageId(RepositoryName(about.get("repository", "team/app")), digest)
        if verdict:
            self.judge(image, verdict)
        return image

    def judge(self, image: ImageId, verdict: Verdict, *findings: str, gaps: frozenset[bytes] = frozenset()) -> Known:
        """Give a verdict on the image, by critical findings of these names."""
        names = findings or (("CVE-2026-1",) if verdict is Verdict.BLOCK else ())
        found = [finding(name, Severity.CRITICAL) for name in names]
        before = self.stack.judged.known(image)
        now = known(f"{image.repository}:v1", verdict, found, (), before=None, today=NOW.date())
        revision = before.revision + 1 if before else 1
        judged = Known(now.name, verdict, now.findings, gaps, revision)
        self.stack.judged.remember(image, judged, (), now=NOW)
        return judged

    def settle(self, image: ImageId, *, id: str = "", now: datetime = NOW, **delivery: Any) -> Outcome:
        return self.deliver(QuarantineDue(id or f"scan {next(self._numbers)}", now, image), now=now, **delivery)

    def order(
        self, order: Order, image: ImageId, *, by: str = ALICE, reason: str = "to be sure", id: str = "", **more: Any
    ) -> Outcome:
        due = QuarantineDue(id or f"order {next(self._numbers)}", NOW, image, order, by, reason)
        return self.deliver(due, **more)

    def release(self, image: ImageId, **more: Any) -> Outcome:
        return self.order(Order.RELEASE, image, **more)

    def deliver(self, due: QuarantineDue, *, now: datetime = NOW, **delivery: Any) -> Outcome:
        return self.function.handle(self.stack.message(quarantine_due(due, HOME), now=now, **delivery))

    def tags(self, image: ImageId) -> list[str]:
        return sorted(self.local.small.ecr.registry.repository(image.repository).images[image.digest].tags)

    def access_policy(self, repository: str = "team/app") -> str | None:
        return self.local.small.ecr.registry.repository(repository).access_policy

    def state(self, repository: str = "team/app") -> str | None:
        return self.local.small.ecr.registry.repository(repository).tags.get("warden:state")

    def history(self, image: ImageId) -> list[Entry]:
        return [entry for entry in self.stack.ledger.history(str(image)) if entry.kind == KIND]

    def results(self, image: ImageId) -> list[str]:
        return [entry.details["result"] for entry in self.history(image)]

    def titles(self) -> list[str]:
        return [notice.title for notice in self.stack.notices()]

    def nobody_uses_anything(self, now: datetime = NOW) -> None:
        inventory(self.stack, now=now)


@contextmanager
def one_stack() -> Iterator[None]:
    """Have the worlds that follow use one stack, emptied for each: to make another takes longer than most tests."""
    with a_stack() as stack:
        _SHARED.append(stack)
        yield
        _SHARED.clear()


_SHARED: list[Stack] = []
_MOTOS_ACCOUNT = "123456789012"


@contextmanager
def a_world(policy: Policy = BY_TAGS, *, unused: bool = True) -> Iterator[World]:
    """An empty repository; `unused` says that an inventory was taken, and that it found nothing in use."""
    with nullcontext(_emptied(_SHARED[0])) if _SHARED else a_stack() as stack:
        world = World(LocalAccount(), stack, policy)
        world.local.create()
        if unused:
            world.nobody_uses_anything()
        yield world


def _emptied(stack: Stack) -> Stack:
    get_backend("dynamodb")[_MOTOS_ACCOUNT][HOME.region].tables["ledger"].items.clear()
    stack.sqs.delete_queue(QueueUrl=stack.url("notices"))
    del stack._urls["notices"]
    stack.url("notices")
    return stack


def days(number: float) -> timedelta:
    return timedelta(days=number)
