"""The local chat answers as a Teams workflow does."""

import json
from typing import Any

import pytest

from local.chat import Chat
from local.chat.teams import CARD, LONGEST
from tests.corpus.notices import KINDS
from tests.unit.chat.posting import post, send, target_of
from warden.channels.teams import render

TEXT = {"type": "TextBlock", "text": "hello"}


def message(*body: dict[str, Any], **more: Any) -> dict[str, Any]:
    card = {"type": "AdaptiveCard", "version": "1.5", "body": list(body), **more}
    return {"type": "message", "attachments": [{"contentType": CARD, "contentUrl": None, "content": card}]}


@pytest.mark.parametrize("kind", list(KINDS))
def test_our_cards_are_taken(chat: Chat, kind: str) -> None:
    payload = render(KINDS[kind])

    assert send(chat, "teams", payload) == (202, None)

    (taken,) = chat.messages
    assert (taken.product, taken.channel, taken.payload) == ("teams", "security", payload)


def test_what_teams_adds_to_cards_is_taken(chat: Chat) -> None:
    assert send(chat, "teams", message(TEXT, msteams={"width": "Full"})) == (202, None)


@pytest.mark.parametrize(
    "payload",
    [
        [],
        {},
        {"type": "message", "attachments": []},
        {"type": "message", "attachments": [{"contentType": "text/html", "content": {}}]},
        {"type": "message", "attachments": [{"contentType": CARD, "content": "hello"}]},
        {"type": "message", "attachments": [message()["attachments"][0]] * 2},
        message() | {"type": "event"},
        message({"type": "TextBlock"}),
        message({"type": "Poem", "text": "x"}),
        message(TEXT | {"size": "huge"}),
    ],
)
def test_what_is_no_message_with_a_card_is_refused(chat: Chat, payload: Any) -> None:
    status, answer = send(chat, "teams", payload)

    assert (status, answer["error"]["code"]) == (400, "TriggerInputSchemaMismatch")
    assert chat.messages == []
    assert chat.refused[0].remark


def test_a_message_is_taken_up_to_28_kilobytes(chat: Chat) -> None:
    room = LONGEST - len(json.dumps(message({"type": "TextBlock", "text": ""})))

    assert send(chat, "teams", message({"type": "TextBlock", "text": "x" * room})) == (202, None)
    status, answer = send(chat, "teams", message({"type": "TextBlock", "text": "x" * (room + 1)}))
    assert (status, answer["error"]["code"]) == (413, "RequestEntityTooLarge")


def test_another_workflow_and_another_signature_are_refused(chat: Chat) -> None:
    target, body = target_of(chat.secrets()["teams"]), json.dumps(message(TEXT)).encode()

    assert post(chat, body, target + "x")[0] == 401
    assert post(chat, body, target.partition("?")[0])[0] == 404
    assert post(chat, body, target.replace("/workflows/0", "/workflows/1"))[0] == 404
    assert post(chat, body, target)[0] == 202
    assert len(chat.messages) == 1
