"""The local chat answers as a Google Chat space does to a webhook."""

import json
from typing import Any

import pytest

from local.chat import Chat
from local.chat.google_chat import LONGEST, too_many
from tests.corpus.notices import KINDS
from tests.unit.chat.posting import post, send, target_of
from warden.channels.google_chat import render

REPLY = "&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"


@pytest.mark.parametrize("kind", list(KINDS))
def test_our_messages_are_taken(chat: Chat, kind: str) -> None:
    payload = render(KINDS[kind])

    status, answer = send(chat, "google_chat", payload)

    (taken,) = chat.messages
    assert (taken.product, taken.channel, taken.payload) == ("google_chat", "security", payload)
    assert (status, answer) == (200, {"name": taken.id, "thread": {"name": taken.thread}})


def threads(chat: Chat, *keys: str | None, query: str) -> list[str]:
    """The threads that messages with these keys come into."""
    found = []
    for key in keys:
        payload = {"text": "x"} | ({"thread": {"threadKey": key}} if key else {})
        found.append(send(chat, "google_chat", payload, query)[1]["thread"]["name"])
    return found


def test_messages_with_one_key_are_one_thread_where_the_query_lets_them_reply(chat: Chat) -> None:
    one, again, other, none, none_again = threads(chat, "a", "a", "b", None, None, query=REPLY)

    assert one == again
    assert len({one, other, none, none_again}) == 4
    assert len(chat.messages) == 5


def test_without_that_every_message_begins_a_thread(chat: Chat) -> None:
    assert len(set(threads(chat, "a", "a", "a", query=""))) == 3


def test_a_message_goes_on_in_a_thread_by_its_name(chat: Chat) -> None:
    (name,) = threads(chat, "a", query=REPLY)

    status, answer = send(chat, "google_chat", {"text": "x", "thread": {"name": name}}, REPLY)

    assert (status, answer["thread"]["name"]) == (200, name)


def test_a_request_that_comes_again_is_one_message(chat: Chat) -> None:
    answers = [send(chat, "google_chat", {"text": "x"}, f"&requestId={name}") for name in ("n-1", "n-1", "n-2")]

    assert answers[0] == answers[1] != answers[2]
    assert len(chat.messages) == 2
    assert chat.refused == []


@pytest.mark.parametrize(
    "payload", [[], {}, {"text": ""}, {"cardsV2": []}, {"text": 7}, {"text": "x", "poem": "y"}, {"cardsV2": ["x"]}]
)
def test_what_is_no_message_is_refused(chat: Chat, payload: Any) -> None:
    status, answer = send(chat, "google_chat", payload)

    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert chat.messages == []


def test_a_message_is_taken_up_to_32000_bytes(chat: Chat) -> None:
    room = LONGEST - len(json.dumps({"text": ""}))

    assert send(chat, "google_chat", {"text": "x" * room})[0] == 200
    assert send(chat, "google_chat", {"text": "x" * (room + 1)})[0] == 400


def test_another_space_and_another_token_are_refused(chat: Chat) -> None:
    target, body = target_of(chat.secrets()["google_chat"]), b'{"text": "x"}'

    assert post(chat, body, target + "x")[0] == 403
    assert post(chat, body, target.replace("/spaces/A", "/spaces/B"))[0] == 404
    assert chat.messages == []


def test_it_is_too_busy_as_google_is(chat: Chat) -> None:
    chat.misbehave(too_many(), path="/v1/spaces")

    status, answer = send(chat, "google_chat", {"text": "x"})

    assert (status, answer["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
