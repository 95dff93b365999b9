"""Posts to the chat as a client makes them: over https, to one that its authority vouches for."""

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from local.chat import Chat

JSON = {"Content-Type": "application/json"}


def post(
    chat: Chat, body: bytes, path: str | None = None, headers: Mapping[str, str] = JSON
) -> tuple[int, str, dict[str, str]]:
    """What is answered: the status, the text and the headers. Without a path it goes to Slack's incoming webhook."""
    context = ssl.create_default_context(cafile=str(chat.ca_bundle))
    connection = http.client.HTTPSConnection("127.0.0.1", chat.port, context=context, timeout=10)
    connection.request("POST", path or urlsplit(chat.url).path, body, dict(headers))
    response = connection.getresponse()
    answered = response.status, response.read().decode(), dict(response.getheaders())
    connection.close()
    return answered


def send(chat: Chat, product: str, payload: Any, query: str = "") -> tuple[int, Any]:
    """Post a payload to the URL that is a product's secret; the answer's status, and its JSON where it has any."""
    target = target_of(chat.secrets()[product]) + query
    status, text, _ = post(chat, json.dumps(payload).encode(), target)
    return status, json.loads(text) if text else None


def target_of(url: str) -> str:
    """The path and the query of a URL."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
