"""Slack by a bot's token: what goes on about the same thing is a reply in the thread of the first message.

When it is over, the first message says so, too.

https://docs.slack.dev/reference/methods/chat.postMessage and https://docs.slack.dev/reference/methods/chat.update
"""

import json
from typing import Any, Protocol

from warden.channels import slack
from warden.errors import Rejected, Unavailable
from warden.notices import Level, Notice, plain
from warden.policy import Channel
from warden.secrets import Credentials
from warden.threads import Root

API = "https://slack.com/api"
HOSTS = frozenset({"slack.com", "slack-gov.com"})
ANSWER = 64 * 1024
"""Bytes: Slack sends the message back with its answer."""
_LATER = frozenset(
    {"rate_limited", "ratelimited", "internal_error", "fatal_error", "request_timeout", "service_unavailable"}
)
_SECRET = frozenset(
    {
        "account_inactive",
        "channel_not_found",
        "ekm_access_denied",
        "invalid_auth",
        "is_archived",
        "missing_scope",
        "no_permission",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
"""What is wrong with the bot or its channel, rather than with the message."""
GONE = frozenset({"thread_not_found", "message_not_found", "cant_update_message", "edit_window_closed"})
"""What is wrong with the first message: it can't be gone on from."""
_LOUD = frozenset({Level.CRITICAL, Level.HIGH, Level.ATTENTION})


class Post(Protocol):
    """Sends a body to an address (see `warden.webhook.post`)."""

    def __call__(
        self,
        url: str,
        body: bytes,
        *,
        channel: str,
        allowed_hosts: frozenset[str],
        headers: dict[str, str] | None = None,
        most: int = 4096,
    ) -> str:
        """What was answered. Raises Rejected where it will never be taken, Unavailable where it may later."""


def deliver(post: Post, channel: Channel, credentials: Credentials, notice: Notice, root: Root | None) -> str:
    """Post the notice; returns what Slack calls the message, or the thread's first one where it is a reply.

    Raises what `post` raises, by Slack's own word in its answer.
    """
    if root is None or not root.reference:
        return _post(post, channel, credentials, notice, {})
    thread = {"thread_ts": root.reference, "reply_broadcast": notice.level in _LOUD}
    try:
        _post(post, channel, credentials, notice, thread)
    except Rejected as rejected:
        if rejected.word not in GONE:
            raise
        return _post(post, channel, credentials, notice, {})
    if notice.level is Level.GOOD:
        _close(post, channel, credentials, notice, root)
    return root.reference


def _post(post: Post, channel: Channel, credentials: Credentials, notice: Notice, thread: dict[str, Any]) -> str:
    try:
        answer = _call(post, channel, credentials, "chat.postMessage", slack.render(notice) | thread)
    except Rejected as rejected:
        if rejected.word not in slack.NOT_TAKEN:
            raise
        answer = _call(post, channel, credentials, "chat.postMessage", slack.render_plainly(notice) | thread)
    return str(answer.get("ts", ""))


def _close(post: Post, channel: Channel, credentials: Credentials, notice: Notice, root: Root) -> None:
    """Let the first message say that it is over; where it can't be changed any more, the reply has said it."""
    over = Notice(
        id=notice.id,
        kind=notice.kind,
        level=Level.GOOD,
        title=f"over: {root.title}",
        subject=notice.subject,
        summary=(plain(f"{notice.title}. The thread has what it was."),),
        links=notice.links,
        footer=notice.footer,
    )
    message = {name: value for name, value in slack.render(over).items() if name in {"text", "blocks"}}
    try:
        _call(post, channel, credentials, "chat.update", message | {"ts": root.reference})
    except Rejected:
        return


def _call(
    post: Post, channel: Channel, credentials: Credentials, method: str, message: dict[str, Any]
) -> dict[str, Any]:
    body = json.dumps(message | {"channel": credentials.channel}, separators=(",", ":")).encode()
    text = post(
        f"{credentials.api or API}/{method}",
        body,
        channel=channel.name,
        allowed_hosts=HOSTS | set(channel.hosts),
        headers={"Authorization": f"Bearer {credentials.token}"},
        most=ANSWER,
    )
    try:
        answer: dict[str, Any] = json.loads(text)
        taken, word = answer["ok"] is True, str(answer.get("error", ""))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unavailable(f"channel {channel.name}: Slack's answer to {method} can't be read") from None
    if taken:
        return answer
    raise _refusal(channel, method, word)


def _refusal(channel: Channel, method: str, word: str) -> Exception:
    word = word if word.isascii() and word.replace("_", "").isalnum() and len(word) <= 80 else "an unknown error"  # noqa: PLR2004
    said = f"channel {channel.name}: Slack answered {word} to {method}"
    if word in _LATER:
        return Unavailable(f"{said}: try again later")
    if word in _SECRET:
        return Unavailable(f"{said}: check the token, its scopes and the channel's id in the channel's secret")
    return Rejected(f"{said}: the message is not one that it takes", word)
