"""A repository was made, or its settings changed: bring it back to its standard, and say who had changed it."""

from collections import Counter
from dataclasses import dataclass

from warden import drift_notice, events, fights, prune_events
from warden.actions import Action, Deed, Result
from warden.enforcement import KIND, carried_out, carry_out
from warden.events import Home, NotForUs, RepositoryChanged
from warden.ledger import Entry, Ledger
from warden.notices import to_json
from warden.observing import Observed, observe
from warden.planning import plan, plan_lifecycle
from warden.policy import Mode, Policy
from warden.queues import Message, Queue
from warden.registry import Registry
from warden.runtime import Deployment, Function, Handle, Outcome


@dataclass(frozen=True, slots=True)
class ChangedRepositories:
    """What the function works with; `role_path` is the IAM path of the warden's own roles."""

    home: Home
    role_path: str
    policy: Policy
    registry: Registry
    ledger: Ledger
    notices: Queue
    prunes: Queue

    def handle(self, message: Message) -> Outcome:
        """Parse, observe, plan, apply, record, notify."""
        event = events.repository_changed(message.body, self.home)
        if isinstance(event, NotForUs):
            return Outcome("NotForUs", reason=event.reason)
        if event.role and event.role.startswith(self.home.role_arn(self.role_path)):
            return Outcome("OwnWrite", event.repository, event.call)
        observed = observe(self.registry, self.policy, event.repository)
        if observed is None:
            return Outcome("Gone", event.repository)
        entry = Entry(event.repository, event.at, "changed", f"{event.call} by {event.actor}")
        self.ledger.record(entry, event=event.id)
        asked = self._ask_to_prune(event, observed, message)
        actions = plan(observed.observation, observed.standard)
        deeds = self._set_back(actions, event, message)
        if not deeds:
            return Outcome("LifecycleAsked" if asked else "Compliant", event.repository, event.call)
        told = self._tell(event, deeds, observed)
        corrected = any(deed.result is Result.DONE for deed in deeds)
        name = "Corrected" if corrected else "Told" if told else "NothingNew"
        return Outcome(name, event.repository, "; ".join(map(str, deeds)))

    def _ask_to_prune(self, event: RepositoryChanged, observed: Observed, message: Message) -> bool:
        """Whether prune is asked to put the lifecycle policy: it has the gate, and holds back where others fight it."""
        action = plan_lifecycle(observed.observation, observed.standard)
        if action is None or action.mode is not Mode.ENFORCE:
            return False
        if any(one.blocked for one in self._without_fights((action,), event, message)):
            return False
        self.prunes.send(prune_events.repository_due("", event.repository, at=message.now, home=self.home))
        return True

    def _set_back(self, actions: tuple[Action, ...], event: RepositoryChanged, message: Message) -> tuple[Deed, ...]:
        """What was done, with what an earlier try of the same message did and could no longer tell."""
        if actions:
            actions = self._without_fights(actions, event, message)
        deeds = carry_out(actions, self.registry.apply, self.ledger, event=event.id, at=event.at)
        if message.receives > 1:
            return carried_out(event.repository, self.ledger, event=event.id, at=event.at)
        return deeds

    def _without_fights(
        self, actions: tuple[Action, ...], event: RepositoryChanged, message: Message
    ) -> tuple[Action, ...]:
        """The plan without the fields that another keeps changing."""
        recent = self.ledger.history(event.repository, since=message.now - fights.WINDOW)
        set_back = Counter(
            entry.details["field"]
            for entry in recent
            if entry.kind == KIND and entry.details["result"] == Result.DONE and entry.details["event"] != event.id
        )
        for field in fights.lost(actions, set_back):
            until = message.now + fights.TRUCE
            why = fights.why(event.actor, until)
            self.ledger.stand_back(event.repository, field, why=why, now=message.now, until=until)
        return fights.stand_back(actions, self.ledger.held_back(event.repository, now=message.now))

    def _tell(self, event: RepositoryChanged, deeds: tuple[Deed, ...], observed: Observed) -> bool:
        notice = drift_notice.drift(event, deeds, self.home)
        if notice:
            self.notices.send_all(to_json(notice, channel=channel) for channel in observed.standard.channels)
        return notice is not None


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    return ChangedRepositories(
        home=deployment.home,
        role_path=deployment["WARDEN_ROLE_PATH"],
        policy=deployment.policy,
        registry=deployment.registry,
        ledger=deployment.ledger,
        notices=deployment.queue("WARDEN_NOTICES"),
        prunes=deployment.queue("WARDEN_PRUNES"),
    ).handle


handler = Function(connect)
