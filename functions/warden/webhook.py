"""One message to one chat webhook: to an allowed host, over TLS, and never anywhere else.

By `http.client`, which botocore has imported already: it follows no redirect, heeds no proxy variable, and lets us
connect to the very address that was checked. urllib3 and requests put the URL in their errors and debug lines; a
webhook's URL is its password, and stands in no error, log line or repr of ours.
"""

import functools
import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Collection, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, cast

from warden.errors import Rejected, Unavailable, Unreachable
from warden.text import clean

DEADLINE = 10.0
"""Seconds for the whole exchange after the name is resolved: connecting, the handshake, the message and the answer."""
LONGEST_WAIT = 900.0
"""Seconds that a Retry-After can make us wait."""
_ANSWER = 4096
"""Bytes of the answer that are read; the rest is not asked for."""

_URL = re.compile(
    r"https://(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/[A-Za-z0-9/._~%:@!$&'()*+,;=?-]*)"
)
"""A URL without a user, a fragment, a blank or a backslash: nothing that two parsers could read in two ways."""
_TAKEN, _REDIRECTS, _THEIR_TROUBLE = range(200, 300), range(300, 400), range(500, 600)
_TOO_BUSY = frozenset({408, 425, 429})
_NO_SUCH_WEBHOOK = frozenset({401, 403, 404, 407, 410})
_REASON = re.compile(r"[a-z]+(?:_[a-z0-9]+)*")
"""How Slack words a refusal: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors"""
_TELLING = 8
"""Characters that a part of a URL's path must have to be worth hiding: a token of Slack's has 24."""
_REFUSALS = {
    "action_prohibited": "an admin of the workspace restricts posting to the channel",
    "channel_is_archived": "the channel was archived",
    "channel_not_found": "the channel was deleted, or the app was removed from it",
    "invalid_token": "the webhook was revoked or its URL is incomplete",
    "no_active_hooks": "the webhook is switched off",
    "no_service": "the webhook was removed, switched off or never existed",
    "no_service_id": "the webhook's URL is incomplete",
    "no_team": "the workspace doesn't exist any more, or the webhook's URL is incomplete",
    "posting_to_general_channel_denied": "only some people may post to this channel",
    "team_disabled": "the workspace is disabled",
    "user_not_found": "the user that the webhook posts to doesn't exist",
}
"""What is wrong with the webhook, rather than with the message, by Slack's word for it."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class _Target(NamedTuple):
    host: str
    port: int
    path: str
    named: bool
    """Whether the allow-list names this very host and port, so that an address of this machine or network will do."""


class _Answer(NamedTuple):
    status: int
    body: str
    headers: Mapping[str, str]


def post(
    url: str,
    body: bytes,
    *,
    allowed_hosts: Collection[str],
    channel: str = "of this notice",
    headers: Mapping[str, str] | None = None,
    deadline: float = DEADLINE,
    most: int = _ANSWER,
) -> str:
    """Post the message (JSON, unless `headers` say otherwise); returns the first `most` bytes of what is answered.

    `allowed_hosts` are `host` (then the port is 443) or `host:port`, or `*.host` for whatever is below it; a private,
    loopback or link-local address is connected to only where the list has that IP address, or localhost, with its port.
    `channel` is what errors call it.

    Raises Rejected where the message was refused for what it is. Raises Unavailable in every other case: the other side
    can't be reached, is too busy (`retry_after` seconds, where it said how long), or the address is one that we won't
    post to, until the channel's secret is mended. A deadline that passes after the message went out is Unavailable as
    well: the message may then come twice, which is better than not at all.
    """
    target = _target(url, channel, allowed_hosts)
    sent = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "ecr-warden", "Connection": "close"}
    try:
        addresses = _resolve(target)
        answer = _exchange(target, addresses, body, sent | dict(headers or {}), time.monotonic() + deadline, most)
    except (OSError, http.client.HTTPException) as error:
        trouble = error
    else:
        _judge(answer, channel, url)
        return answer.body
    # Raised outside of the handler: an error that it caught can hold the request, and with it the URL.
    raise Unreachable(f"channel {channel}: {target.host} can't be reached: {_words(trouble)}")


def _target(url: str, channel: str, allowed_hosts: Collection[str]) -> _Target:
    match = _URL.fullmatch(url)
    if match is None:
        raise Unavailable(
            f"channel {channel}: its secret does not hold a webhook URL: expected https://host/path, with no user, "
            "blank or fragment"
        )
    host, port = match["host"].lower(), int(match["port"] or http.client.HTTPS_PORT)
    named = f"{host}:{port}" in allowed_hosts
    if not named and (port != http.client.HTTPS_PORT or not is_listed(host, allowed_hosts)):
        raise Unavailable(
            f"channel {channel}: its secret holds a URL of a host that we don't post to: expected one of "
            f"{', '.join(sorted(allowed_hosts))}"
        )
    return _Target(host.strip("[]"), port, match["path"], named and _is_local_name(host))


def is_listed(host: str, allowed_hosts: Collection[str]) -> bool:
    """Whether the list names the host, or what it is below of."""
    labels = host.split(".")
    below = any(entry.startswith("*.") and host.endswith(entry[1:]) for entry in allowed_hosts)
    return host in allowed_hosts or (below and all(labels))


def _is_local_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return True


def _resolve(target: _Target) -> list[str]:
    """The addresses that we may connect to; asked for once, so that no second answer differs from the checked one."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    allowed = [address for address in addresses if target.named or is_public(address)]
    if not allowed:
        raise ConnectionRefusedError(0, f"it resolves to {addresses[0]}, an address that is not public")
    return allowed


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet's, also after unwrapping the IPv4 address that it may carry."""
    ip: Address = ipaddress.ip_address(address.partition("%")[0])
    inner = _wrapped(ip) if isinstance(ip, ipaddress.IPv6Address) else None
    return (inner or ip).is_global and not ip.is_multicast and not (inner and inner.is_multicast)


_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


def _wrapped(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside: `is_global` alone would let 64:ff9b::a9fe:a9fe through to the instance's credentials."""
    if any(ip in network for network in _NAT64):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])


def _exchange(
    target: _Target, addresses: list[str], body: bytes, headers: Mapping[str, str], ends: float, most: int
) -> _Answer:
    connection = _Connection(target, addresses, ends)
    try:
        connection.request("POST", target.path, body, dict(headers))
        response = connection.getresponse()
        text = response.read(most).decode("utf-8", "replace")
        return _Answer(response.status, text, {name.lower(): value for name, value in response.getheaders()})
    finally:
        connection.close()


class _Connection(http.client.HTTPSConnection):
    """Goes to one of the addresses that were checked, while TLS still verifies the host's name."""

    def __init__(self, target: _Target, addresses: list[str], ends: float) -> None:
        super().__init__(target.host, target.port, context=_tls())
        self._addresses = addresses
        self._ends = ends

    def connect(self) -> None:
        """Try the addresses in turn."""
        raw = self._dial()
        raw.settimeout(_left(self._ends))
        timed = cast("_TimedSocket", _tls().wrap_socket(raw, server_hostname=self.host))
        timed.ends = self._ends
        self.sock = timed

    def _dial(self) -> socket.socket:
        *others, last = self._addresses
        for address in others:
            try:
                return socket.create_connection((address, self.port), timeout=_left(self._ends))
            except OSError:
                continue
        return socket.create_connection((last, self.port), timeout=_left(self._ends))


class _TimedSocket(ssl.SSLSocket):
    """A socket whose reads and writes end together: a timeout of its own for each would let a slow drip go on."""

    ends = float("inf")

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        """Read what there is."""
        self.settimeout(_left(self.ends))
        return super().recv_into(*arguments, **options)

    def send(self, *arguments: Any, **options: Any) -> int:
        """Write what fits."""
        self.settimeout(_left(self.ends))
        return super().send(*arguments, **options)


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError(0, "no answer in time")
    return left


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once a sandbox: reading the system's authorities takes longer than a message."""
    context = ssl.create_default_context()
    context.sslsocket_class = _TimedSocket
    return context


def _judge(answer: _Answer, channel: str, url: str) -> None:
    status, reason = answer.status, _reason(answer.body, url)
    said = f"channel {channel}: answered {status}{f' {reason}' if reason else ''}"
    if status in _TAKEN:
        return
    if status in _TOO_BUSY or status in _THEIR_TROUBLE:
        raise Unavailable(f"{said}: try again later", retry_after=_retry_after(answer.headers))
    if status in _REDIRECTS:
        raise Unavailable(f"{said}: redirects are not followed; check the URL in the channel's secret")
    if status in _NO_SUCH_WEBHOOK or reason in _REFUSALS:
        raise Unavailable(f"{said}: {_REFUSALS.get(reason, 'no such webhook')}; check the channel's secret")
    raise Rejected(f"{said}: the message is not one that it takes", reason)


def _reason(body: str, url: str) -> str:
    """The other side's short word for it; nothing else of what it says, which could echo the URL or a part of it."""
    word = body.strip()[:80]
    echoes = word in url or any(part in word for part in url.split("/") if len(part) >= _TELLING)
    return word if _REASON.fullmatch(word) and not echoes else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds; a date counts from the other side's own clock. None where it doesn't say, or not so that it makes sense.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    text = headers.get("retry-after", "")
    try:
        if text.isascii() and text.isdigit():
            seconds = float(text)
        else:
            seconds = (_date(text) - _date(headers.get("date", ""))).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _date(text: str) -> datetime:
    date = parsedate_to_datetime(text)
    if date.tzinfo is None:
        raise ValueError(text)
    return date


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return clean(error.strerror, 200)
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
