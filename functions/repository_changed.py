"""A repository was made, or its settings changed: bring it back to its standard, and say who had changed it."""

from dataclasses import dataclass

from warden import announcements, events
from warden.enforcement import carry_out
from warden.events import Home, NotForUs
from warden.ledger import Entry, Ledger
from warden.notices import to_json
from warden.planning import plan
from warden.policy import Policy, standard_of
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

    def handle(self, message: Message) -> Outcome:
        """Parse, observe, plan, apply, record."""
        event = events.repository_changed(message.body, self.home)
        if isinstance(event, NotForUs):
            return Outcome("NotForUs", reason=event.reason)
        if event.role and event.role.startswith(self.home.role_arn(self.role_path)):
            return Outcome("OwnWrite", event.repository, event.call)
        observation = self.registry.repository(event.repository)
        if observation is None:
            return Outcome("Gone", event.repository)
        entry = Entry(event.repository, event.at, "changed", f"{event.call} by {event.actor}")
        self.ledger.record(entry, event=event.id)
        standard = standard_of(self.policy, event.repository)
        actions = plan(observation, self.registry.scanning(), standard)
        if not actions:
            return Outcome("Compliant", event.repository, event.call)
        deeds = carry_out(actions, self.registry, self.ledger, event=event.id, at=event.at)
        notice = announcements.drift(event, deeds, self.home)
        if notice:
            self.notices.send_all(to_json(notice, channel=channel) for channel in standard.channels)
        return Outcome("Corrected", event.repository, "; ".join(map(str, deeds)))


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    return ChangedRepositories(
        home=deployment.home,
        role_path=deployment["WARDEN_ROLE_PATH"],
        policy=deployment.policy,
        registry=deployment.registry,
        ledger=deployment.ledger,
        notices=deployment.queue("WARDEN_NOTICES"),
    ).handle


handler = Function(connect)
