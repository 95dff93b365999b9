"""Posting a notice to a channel, in the way of its product. A product that the policy does not name is not imported."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from warden.channels import product
from warden.errors import Rejected, Unavailable
from warden.notices import Notice, follow_up
from warden.policy import Channel, ChannelType
from warden.secrets import Credentials, Secrets
from warden.slack_bot import Post
from warden.threads import Root

Render = Callable[[Notice], dict[str, Any]]
_OPTIONS = {
    # Without it Discord answers before it knows whether the message was kept.
    ChannelType.DISCORD: "wait=true",
    # Without it Chat pays no heed to the thread's key.
    ChannelType.GOOGLE_CHAT: "messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD",
}
_THREADED = frozenset({ChannelType.GOOGLE_CHAT})
"""Products that find the thread by its key, by webhook too."""
Publish = Callable[[str, str], None]
"""Publishes a text to an SNS topic, by its ARN."""


class Posting:
    """Posts to channels of all kinds."""

    def __init__(self, secrets: Secrets, post: Post, publish: Publish) -> None:
        """`secrets` know where to, `post` sends to a webhook, `publish` to a topic."""
        self._secrets = secrets
        self._post = post
        self._publish = publish

    def deliver(self, channel: Channel, notice: Notice, root: Root | None, *, now: datetime) -> str:
        """Post the notice, as what follows on `root` where the channel had that before; returns what it is called.

        Raises Rejected where the product won't ever take it, and Unavailable where it may later.
        """
        if channel.type is ChannelType.SNS:
            return self._to_topic(channel, notice)
        credentials = self._secrets.credentials(channel.secret, now=now)
        try:
            return self._to_webhook(channel, credentials, notice, root, now)
        except (Rejected, Unavailable):
            # If the address is what is wrong, the next try reads the mended one.
            self._secrets.forget(channel.secret)
            raise

    def _to_webhook(
        self, channel: Channel, credentials: Credentials, notice: Notice, root: Root | None, now: datetime
    ) -> str:
        if channel.type is ChannelType.SLACK and credentials.token:
            from warden import slack_bot  # noqa: PLC0415

            return slack_bot.deliver(self._post, channel, credentials, notice, root)
        if channel.type is ChannelType.WEBHOOK:
            self._to_receiver(channel, credentials, notice, now)
        elif channel.type is ChannelType.SLACK:
            self._to_slack(channel, credentials, follow_up(notice) if root else notice)
        else:
            shown = follow_up(notice) if root and channel.type not in _THREADED else notice
            self._send(channel, _with(credentials.url, _OPTIONS.get(channel.type)), shown)
        return ""

    def _to_slack(self, channel: Channel, credentials: Credentials, notice: Notice) -> None:
        from warden.channels import slack  # noqa: PLC0415

        try:
            self._send(channel, credentials.url, notice)
        except Rejected as rejected:
            if rejected.word not in slack.NOT_TAKEN:
                raise
            self._send(channel, credentials.url, notice, slack.render_plainly)

    def _to_receiver(self, channel: Channel, credentials: Credentials, notice: Notice, now: datetime) -> None:
        """A webhook of anybody's, which can tell by the signature that the message is ours."""
        from warden import signatures  # noqa: PLC0415

        body = _body(product(channel.type).render(notice))
        signed = signatures.sign(credentials.key, id=notice.id, timestamp=int(now.timestamp()), body=body)
        self._post(credentials.url, body, channel=channel.name, allowed_hosts=frozenset(channel.hosts), headers=signed)

    def _to_topic(self, channel: Channel, notice: Notice) -> str:
        self._publish(channel.topic, json.dumps(product(channel.type).render(notice)))
        return ""

    def _send(self, channel: Channel, url: str, notice: Notice, render: Render | None = None) -> None:
        chosen = product(channel.type)
        body = _body((render or chosen.render)(notice))
        self._post(url, body, channel=channel.name, allowed_hosts=chosen.HOSTS | set(channel.hosts))


def _body(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def _with(url: str, option: str | None) -> str:
    """The address with a further option, if there is one.

    >>> _with("https://a.example/x", "wait=true"), _with("https://a.example/x?key=1", "wait=true")
    ('https://a.example/x?wait=true', 'https://a.example/x?key=1&wait=true')
    """
    return f"{url}{'&' if '?' in url else '?'}{option}" if option else url
