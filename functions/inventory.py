"""What is in use: ask everybody who may run images of this registry, then let prune look at every repository."""

from dataclasses import dataclass
from datetime import timedelta

from botocore.exceptions import ClientError

from warden import inventory_events, prune_events, text
from warden.errors import Refused, WardenError
from warden.events import Home, NotForUs
from warden.inventories import Inventories
from warden.inventory.accounts import Accounts, why_denied
from warden.inventory.connecting import connected
from warden.inventory.places import parts, prunes_anything, quarantines_unused
from warden.inventory_events import InventoryDue, PartDue
from warden.ledger import Ledger
from warden.once import one_at_a_time
from warden.policy import Policy
from warden.queues import LONGEST_DELAY, Message, Queue
from warden.registry import Registry
from warden.runtime import Deployment, Function, Handle, Outcome
from warden.tallies import Tallies

LONGEST_REASON = 400
BUSY_FOR = timedelta(minutes=11)
"""Longer than the function may run."""
HANDED_OVER_FOR = timedelta(days=7)
"""How long it is remembered that a sweep's repositories were handed to prune: as long as a message lives."""


@dataclass(frozen=True, slots=True)
class InUse:
    """What the function works with; `max_receives` is how often one message is tried."""

    home: Home
    policy: Policy
    registry: Registry
    ledger: Ledger
    tallies: Tallies
    inventories: Inventories
    accounts: Accounts
    own: Queue
    prunes: Queue
    max_receives: int

    def handle(self, message: Message) -> Outcome:
        """One message to begin an inventory, one for each of its parts; the last one to come hands over to prune."""
        match inventory_events.inventory(message.body, self.home):
            case InventoryDue() as event:
                return self._begin(event, message)
            case PartDue() as event:
                return self._ask(event, message)
            case NotForUs(reason):
                return Outcome("NotForUs", reason=reason)

    def _begin(self, event: InventoryDue, message: Message) -> Outcome:
        """What is expected is written down before anybody is asked, so that no part can think itself the last."""
        if not (prunes_anything(self.policy) or quarantines_unused(self.policy)):
            return Outcome("NothingToPrune", event.sweep)
        asked = parts(self.policy, self.home)
        expected = {part.key: part.said(self.home) for part in asked}
        self.inventories.expect(event.sweep, expected, at=event.at, now=message.now)
        self.own.send_all(inventory_events.part_due(event.sweep, part, at=event.at, home=self.home) for part in asked)
        if not asked:
            self._hand_over(event, message)
        return Outcome("InventoryBegun", event.sweep, f"{len(asked)} parts")

    def _ask(self, event: PartDue, message: Message) -> Outcome:
        outcome = Outcome("PartHadCome", event.part.key)
        if not self.inventories.has_come(event.sweep, event.part.key):
            outcome = self._read(event, message)
        if self.inventories.is_complete(event.sweep):
            self._hand_over(event, message)
        return outcome

    def _read(self, event: PartDue, message: Message) -> Outcome:
        """What is in use by one part, written down; or why that can't be known.

        A part that fails is tried again as its message is. Before the message would go to the dead letters, and all
        others would wait for it in vain, the part is given up.
        """
        if message.receives >= self.max_receives:
            return self._give_up(event, message, f"it was not read in {message.receives - 1} tries, each cut off")
        try:
            found = self.accounts.source(event.part).uses(self.home)
            count = self.inventories.store(event.sweep, event.part.key, found, now=message.now)
        except Exception as error:
            why = _why(error)
            if why is None and message.receives < self.max_receives - 1:
                raise
            return self._give_up(event, message, why or _said(error))
        return Outcome("PartRead", event.part.key, f"{count} images in use")

    def _give_up(self, event: PartDue, message: Message, why: str) -> Outcome:
        why = text.clean(why, LONGEST_REASON)
        self.inventories.give_up(event.sweep, event.part.key, why=why, now=message.now)
        return Outcome("PartGivenUp", event.part.key, why)

    def _hand_over(self, event: InventoryDue | PartDue, message: Message) -> None:
        """Let prune look at every repository, once a sweep, whatever the inventory has found."""
        deed = f"inventory#{event.sweep}"

        def once() -> None:
            if not self.ledger.is_done(deed, now=message.now):
                self._fan_out(event, message)
                self.ledger.finish(deed, owner=message.id, now=message.now, lasts=HANDED_OVER_FOR)

        one_at_a_time(self.ledger, f"handing over {deed}", once, owner=message.id, now=message.now, busy_for=BUSY_FOR)

    def _fan_out(self, event: InventoryDue | PartDue, message: Message) -> None:
        self.inventories.conclude(event.sweep, at=event.at)
        if not prunes_anything(self.policy):
            return  # quarantine reads it when it has to
        names = [settings.name for settings in self.registry.listing()]
        self.tallies.begin(f"prune#{event.sweep}", repositories=len(names), now=message.now)
        self.prunes.send_all(
            prune_events.repository_due(event.sweep, name, at=event.at, home=self.home) for name in names
        )
        summary = prune_events.summary_due(event.sweep, at=event.at, home=self.home)
        self.prunes.send(summary, delay=LONGEST_DELAY if names else 0)


def _why(error: Exception) -> str | None:
    """Why no other try would help; None where one may."""
    if isinstance(error, Refused):
        return str(error)
    return why_denied(error) if isinstance(error, ClientError) else None


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, WardenError) else f"{type(error).__name__}: {error}"


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    return InUse(
        home=deployment.home,
        policy=deployment.policy,
        registry=deployment.registry,
        ledger=deployment.ledger,
        tallies=deployment.tallies,
        inventories=Inventories(deployment.dynamodb, deployment["WARDEN_LEDGER"]),
        accounts=connected(deployment.home, deployment.policy.inventory, deployment.registry),
        own=deployment.queue("WARDEN_QUEUE"),
        prunes=deployment.queue("WARDEN_PRUNES"),
        max_receives=int(deployment["WARDEN_MAX_RECEIVES"]),
    ).handle


handler = Function(connect)
