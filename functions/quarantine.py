"""An image blocks: it is put in quarantine where the standard says so, and released when its verdict changes.

Its tags are moved aside, or pulls from its repository are denied; not while it is in use, unless the standard says so.
"""

from dataclasses import dataclass
from datetime import timedelta

from warden import quarantine_events
from warden.events import Home, NotForUs
from warden.inventories import Inventories
from warden.judged_images import JudgedImages
from warden.ledger import Ledger
from warden.once import one_at_a_time
from warden.policy import Policy
from warden.quarantine_enforcement import STATE, QuarantineEnforcement
from warden.quarantine_events import QuarantineDue
from warden.quarantine_planning import Case, decide
from warden.quarantine_records import QuarantineRecords, Result
from warden.quarantine_turns import QuarantineTurns
from warden.quarantines import Quarantines
from warden.queues import Message
from warden.registry import Registry
from warden.repository_images import RepositoryImages
from warden.repository_writes import RepositoryWrites
from warden.runtime import Deployment, Function, Handle, Outcome
from warden.standards import standard_of

BUSY_FOR = timedelta(minutes=6)
"""Longer than the function may run."""


@dataclass(frozen=True, slots=True)
class Quarantining:
    """What the function works with."""

    home: Home
    policy: Policy
    registry: Registry
    images: RepositoryImages
    judged: JudgedImages
    quarantines: Quarantines
    turns: QuarantineTurns
    records: QuarantineRecords
    ledger: Ledger

    def handle(self, message: Message) -> Outcome:
        """Nobody else is at the repository at the same time: several images share its policy and its state."""
        due = quarantine_events.quarantine(message.body, self.home)
        if isinstance(due, NotForUs):
            return Outcome("NotForUs", reason=due.reason)
        return one_at_a_time(
            self.ledger,
            f"quarantine#{due.image.repository}",
            lambda: self._look(due, message),
            owner=message.id,
            now=message.now,
            busy_for=BUSY_FOR,
        )

    def _look(self, due: QuarantineDue, message: Message) -> Outcome:
        """Observe, plan, apply, record."""
        before = self.records.result(due)
        if before not in {"", Result.BEGUN}:
            self.turns.finish(due)
            return Outcome("DoneBefore", str(due.image), before)
        tags = self.registry.repository_tags(due.image.repository, self.home.account) or {}
        case = Case(
            due=due,
            standard=standard_of(self.policy, due.image.repository, tags),
            image=next(self.images.again(due.image.repository, [due.image.digest]), None),
            known=self.judged.known(due.image),
            held=self.quarantines.of(due.image),
            released=self.quarantines.released(due.image),
            begun=before == Result.BEGUN,
        )
        name, why = self.turns.take(case, decide(case), message, state=tags.get(STATE))
        return Outcome(name, str(due.image), why)


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    table, ledger = deployment["WARDEN_LEDGER"], deployment.ledger
    images, quarantines = (
        RepositoryImages(deployment.ecr, deployment.dynamodb, table),
        Quarantines(deployment.dynamodb, table),
    )
    records = QuarantineRecords(deployment.home, ledger, deployment.queue("WARDEN_NOTICES"))
    enforcement = QuarantineEnforcement(
        home=deployment.home,
        role_path=deployment["WARDEN_ROLE_PATH"],
        registry=deployment.registry,
        image_tags=deployment.image_tags,
        writes=RepositoryWrites(deployment.ecr, deployment.home.account),
        quarantines=quarantines,
        ledger=ledger,
    )
    inventories = Inventories(deployment.dynamodb, table)
    return Quarantining(
        home=deployment.home,
        policy=deployment.policy,
        registry=deployment.registry,
        images=images,
        judged=deployment.judged_images,
        quarantines=quarantines,
        turns=QuarantineTurns(
            images, inventories, quarantines, enforcement, records, ledger, deployment.queue("WARDEN_PROMOTIONS")
        ),
        records=records,
        ledger=ledger,
    ).handle


handler = Function(connect)
