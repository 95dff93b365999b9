"""The local chat answers as Slack's Web API does to a bot that posts, replies and edits."""

import json
from typing import Any

import pytest

from local.chat import Chat
from local.chat.slack_api import CHANNEL, LONGEST_TEXT, too_many
from tests.unit.chat.posting import post, target_of
from warden.channels.slack import render
from warden.notices import Level, Notice, plain

NOTICE = Notice("id-1", "findings", Level.HIGH, "1 high finding", "team/app:v1", (plain("See below."),))


def call(chat: Chat, method: str, payload: Any, *, token: str | None = None, kind: str = "application/json") -> Any:
    """What the method answers, with the bot's own token unless another is given."""
    secret = json.loads(chat.secrets()["slack_bot"])
    headers = {"Authorization": f"Bearer {secret['token'] if token is None else token}", "Content-Type": kind}
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    status, text, _ = post(chat, body, f"{target_of(secret['api'])}/{method}", headers)
    assert status == 200
    return json.loads(text)


def say(chat: Chat, text: str, **more: Any) -> str:
    """Post a message; its name."""
    answer = call(chat, "chat.postMessage", {"channel": CHANNEL, "text": text, **more})
    assert answer.keys() == {"ok", "channel", "ts"}
    assert answer["ok"] is True
    return str(answer["ts"])


def test_the_secret_is_a_token_a_channel_and_where_the_api_is(chat: Chat) -> None:
    secret = json.loads(chat.secrets()["slack_bot"])

    assert secret.pop("token").startswith("xoxb-")
    assert secret == {"channel": "C0LOCAL", "api": f"https://127.0.0.1:{chat.port}/api"}


def test_a_message_is_kept_under_the_name_that_it_was_given(chat: Chat) -> None:
    names = [say(chat, "one"), say(chat, "two", blocks=render(NOTICE)["blocks"], unfurl_links=False)]

    assert len(set(names)) == 2
    assert [message.id for message in chat.messages] == names
    assert [message.payload["text"] for message in chat.messages] == ["one", "two"]
    assert {(message.product, message.channel) for message in chat.messages} == {("slack_bot", CHANNEL)}


def test_a_reply_stands_under_its_parent(chat: Chat) -> None:
    parent = say(chat, "found")

    reply = say(chat, "fixed", thread_ts=parent, reply_broadcast=True)

    assert [(message.id, message.thread) for message in chat.messages] == [(parent, ""), (reply, parent)]
    assert chat.messages[1].payload["reply_broadcast"] is True


def test_there_is_no_reply_to_a_reply_nor_to_nothing(chat: Chat) -> None:
    reply = say(chat, "fixed", thread_ts=say(chat, "found"))

    for thread in (reply, "1732000000.000100"):
        payload = {"channel": CHANNEL, "text": "x", "thread_ts": thread}
        assert call(chat, "chat.postMessage", payload) == {"ok": False, "error": "thread_not_found"}
    assert len(chat.messages) == 2


def test_an_edited_message_stands_where_it_stood(chat: Chat) -> None:
    first = say(chat, "found")
    reply = say(chat, "working on it", thread_ts=first)

    for name, text in ((first, "found, and fixed"), (reply, "done")):
        answer = call(chat, "chat.update", {"channel": CHANNEL, "ts": name, "text": text})
        assert answer == {"ok": True, "channel": CHANNEL, "ts": name}

    assert [message.payload["text"] for message in chat.messages] == ["found, and fixed", "done"]
    assert [message.thread for message in chat.messages] == ["", first]
    assert all(message.edited for message in chat.messages)
    assert [message["number"] for message in chat.listing(2)["messages"]] == [0, 1]
    assert [message["number"] for message in chat.listing(3)["messages"]] == [1]


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        ({"text": "x"}, "channel_not_found"),
        ({"channel": "C0OTHER", "text": "x"}, "channel_not_found"),
        ({"channel": CHANNEL}, "no_text"),
        ({"channel": CHANNEL, "text": 7}, "invalid_arguments"),
        ({"channel": CHANNEL, "text": "x", "colour": "red"}, "invalid_arguments"),
        ({"channel": CHANNEL, "blocks": [{"type": "poem"}]}, "invalid_blocks"),
        ({"channel": CHANNEL, "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"channel": CHANNEL, "blocks": [{"type": "markdown", "text": "x" * 12_000}] * 2}, "msg_blocks_too_long"),
    ],
)
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
def test_what_slack_would_refuse_is_refused_in_its_words(chat: Chat, payload: Any, error: str, method: str) -> None:
    assert call(chat, method, payload) == {"ok": False, "error": error}

    assert chat.messages == []
    assert len(chat.refused) == 1


def test_a_text_that_is_too_long_is_cut_when_posted_and_refused_when_edited(chat: Chat) -> None:
    name = say(chat, "x" * (LONGEST_TEXT + 1))

    update = {"channel": CHANNEL, "ts": name, "text": "y" * (LONGEST_TEXT + 1)}
    assert call(chat, "chat.update", update) == {"ok": False, "error": "msg_too_long"}
    assert call(chat, "chat.update", update | {"text": "y" * LONGEST_TEXT})["ok"] is True


def test_only_a_message_of_the_bot_can_be_edited(chat: Chat) -> None:
    post(chat, b'{"text": "of the webhook"}')

    for name in ("", "1732000000.000000"):
        payload = {"channel": CHANNEL, "ts": name, "text": "x"}
        assert call(chat, "chat.update", payload) == {"ok": False, "error": "message_not_found"}


def test_a_bot_can_be_shown_too(chat: Chat) -> None:
    assert chat.show({"channel": CHANNEL, "text": "x"}, "slack_bot") is None
    assert chat.messages[0].channel == CHANNEL


def test_who_has_not_the_token_is_not_let_in(chat: Chat) -> None:
    payload = {"channel": CHANNEL, "text": "x"}

    assert call(chat, "chat.postMessage", payload, token="")["error"] == "not_authed"
    assert call(chat, "chat.postMessage", payload, token="xoxb-guessed")["error"] == "invalid_auth"
    assert call(chat, "chat.postMessage", payload, kind="text/plain")["error"] == "invalid_post_type"
    assert call(chat, "chat.delete", payload)["error"] == "unknown_method"
    assert chat.messages == []


def test_it_is_too_busy_as_slack_is(chat: Chat) -> None:
    chat.misbehave(too_many(4), path="/api/chat.")

    status, text, headers = post(chat, b"{}", "/api/chat.postMessage")

    assert (status, json.loads(text), headers["Retry-After"]) == (429, {"ok": False, "error": "ratelimited"}, "4")
