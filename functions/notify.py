"""A notice is due: render it for its channel, and post it once."""

import json
from dataclasses import dataclass
from typing import Protocol

from warden import notices, webhook
from warden.channels import slack
from warden.errors import Invalid, Unavailable
from warden.ledger import Entry, Ledger
from warden.notices import Notice
from warden.once import once
from warden.policy import Channel, Policy
from warden.queues import Message
from warden.runtime import Deployment, Function, Handle, Outcome
from warden.secrets import Secrets


class Post(Protocol):
    """Sends a body to an address (see `warden.webhook.post`)."""

    def __call__(self, url: str, body: bytes, *, channel: str, allowed_hosts: frozenset[str]) -> None:
        """Raises Invalid where the channel will never take it, Unavailable where it may later."""


@dataclass(frozen=True, slots=True)
class Notices:
    """What the function works with."""

    policy: Policy
    ledger: Ledger
    secrets: Secrets
    post: Post

    def handle(self, message: Message) -> Outcome:
        """Parse, render, post, record."""
        name, notice = notices.from_json(message.body)
        channel = self.policy.channels.get(name)
        if channel is None:
            raise Invalid(f"the policy knows no channel {name!r}: it was taken out after the notice was made")
        posted = once(
            self.ledger,
            f"post#{name}#{notice.id}",
            lambda: self._post(notice, channel, message),
            owner=message.id,
            now=message.now,
        )
        return Outcome("Posted" if posted else "PostedBefore", notice.subject, f"{notice.kind} to {name}")

    def _post(self, notice: Notice, channel: Channel, message: Message) -> bool:
        body = json.dumps(slack.render(notice), separators=(",", ":")).encode()
        url = self.secrets.webhook(channel.secret, now=message.now)
        try:
            self.post(url, body, channel=channel.name, allowed_hosts=slack.HOSTS | set(channel.hosts))
        except (Invalid, Unavailable):
            self.secrets.forget(channel.secret)  # if the address is what is wrong, the next try reads the mended one
            raise
        text = f"{notice.title}, to {channel.name}"
        entry = Entry(notice.subject, message.now, "announced", text, {"notice": notice.id})
        self.ledger.record(entry, event=f"{notice.id}#{channel.name}")
        return True


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    return Notices(
        policy=deployment.policy, ledger=deployment.ledger, secrets=deployment.secrets, post=webhook.post
    ).handle


handler = Function(connect)
