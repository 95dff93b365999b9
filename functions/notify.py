"""A notice is due: render it for its channel, and post it once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from warden import notices, webhook
from warden.errors import Invalid, Unavailable, Unreachable
from warden.ledger import Entry, Ledger
from warden.notices import Notice
from warden.once import once
from warden.policy import Channel, Policy
from warden.posting import Posting
from warden.queues import Message
from warden.runtime import Deployment, Function, Handle, Outcome
from warden.threads import Root, Threads

UNREACHED = 60.0
"""Seconds for which a channel that gave no answer is let rest: to wait for it again would hold up the others."""


@dataclass(frozen=True, slots=True)
class Notices:
    """What the function works with; `resting` are the channels that are not posted to before a time."""

    policy: Policy
    ledger: Ledger
    threads: Threads
    posting: Posting
    resting: dict[str, datetime] = field(default_factory=dict)

    def handle(self, message: Message) -> Outcome:
        """Parse, render, post, record."""
        name, notice = notices.from_json(message.body)
        channel = self.policy.channels.get(name)
        if channel is None:
            raise Invalid(f"the policy knows no channel {name!r}: it was taken out after the notice was made")
        self._let_rest(name, message.now)
        posted = once(
            self.ledger,
            f"post#{name}#{notice.id}",
            lambda: self._post(notice, channel, message),
            owner=message.id,
            now=message.now,
        )
        return Outcome("Posted" if posted else "PostedBefore", notice.subject, f"{notice.kind} to {name}")

    def _let_rest(self, name: str, now: datetime) -> None:
        """Raises Unavailable while a channel rests: its notices wait, and those of others go on.

        They wait longer each time, and not just until the rest is over: with dozens of them, most would find it resting
        again, and use up their tries within hours.
        """
        until = self.resting.get(name)
        if until and now < until:
            raise Unavailable(f"channel {name} rests")

    def _post(self, notice: Notice, channel: Channel, message: Message) -> bool:
        root = self.threads.root(channel.name, notice.thread, now=message.now) if notice.thread else None
        try:
            reference = self.posting.deliver(channel, notice, root, now=message.now)
        except Unavailable as trouble:
            rest = UNREACHED if isinstance(trouble, Unreachable) else trouble.retry_after
            if rest:
                self.resting[channel.name] = message.now + timedelta(seconds=rest)
            raise
        if notice.thread and (root is None or reference != root.reference):
            self.threads.begin(channel.name, notice.thread, Root(reference, notice.title), now=message.now)
        text = f"{notice.title}, to {channel.name}"
        entry = Entry(notice.subject, message.now, "announced", text, {"notice": notice.id})
        self.ledger.record(entry, event=f"{notice.id}#{channel.name}")
        return True


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    return Notices(
        policy=deployment.policy,
        ledger=deployment.ledger,
        threads=deployment.threads,
        posting=Posting(deployment.secrets, webhook.post, deployment.publish),
    ).handle


handler = Function(connect)
