"""The local chat answers as Discord's webhooks do."""

import json
from typing import Any

import pytest

from local.chat import Chat
from local.chat.discord import too_many
from tests.corpus.notices import KINDS
from tests.unit.chat.posting import post, send, target_of
from warden.channels.discord import render


@pytest.mark.parametrize("kind", list(KINDS))
def test_our_messages_are_taken(chat: Chat, kind: str) -> None:
    payload = render(KINDS[kind])

    assert send(chat, "discord", payload) == (204, None)

    (taken,) = chat.messages
    assert (taken.product, taken.channel, taken.payload) == ("discord", "security", payload)


def test_a_message_that_is_waited_for_has_a_name(chat: Chat) -> None:
    answers = [send(chat, "discord", {"content": text}, "?wait=true") for text in ("one", "two")]

    assert [(status, answer["content"]) for status, answer in answers] == [(200, "one"), (200, "two")]
    assert [answer["id"] for _, answer in answers] == [message.id for message in chat.messages]
    assert len({message.id for message in chat.messages}) == 2


def embeds(**embed: Any) -> dict[str, Any]:
    return {"embeds": [embed]}


FIELD = {"name": "x", "value": "y"}


@pytest.mark.parametrize(
    "payload",
    [
        {"content": "x" * 2_000},
        {"embeds": [{"title": "x"}] * 10},
        embeds(title="x" * 256, description="x" * 4_096),
        embeds(fields=[FIELD] * 25),
        embeds(fields=[{"name": "x" * 256, "value": "y" * 1_024}]),
        embeds(footer={"text": "x" * 2_048}),
        embeds(description="x" * 4_096, footer={"text": "x" * 1_904}),
    ],
)
def test_what_is_at_a_limit_is_taken(chat: Chat, payload: dict[str, Any]) -> None:
    assert send(chat, "discord", payload) == (204, None)


@pytest.mark.parametrize(
    ("payload", "where", "code"),
    [
        ({"content": "x" * 2_001}, "content", "BASE_TYPE_MAX_LENGTH"),
        ({"content": 7}, "content", "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": "x"}, "embeds", "LIST_TYPE_CONVERT"),
        ({"embeds": ["x"]}, "embeds", "LIST_TYPE_CONVERT"),
        ({"embeds": [{"title": "x"}] * 11}, "embeds", "BASE_TYPE_MAX_LENGTH"),
        (embeds(fields=7), "embeds.0.fields", "BASE_TYPE_MAX_LENGTH"),
        (embeds(fields=["x"]), "embeds.0.fields.0", "MODEL_TYPE_CONVERT"),
        (embeds(title="x" * 257), "embeds.0.title", "BASE_TYPE_MAX_LENGTH"),
        (embeds(description="x" * 4_097), "embeds.0.description", "BASE_TYPE_MAX_LENGTH"),
        (embeds(fields=[FIELD] * 26), "embeds.0.fields", "BASE_TYPE_MAX_LENGTH"),
        (embeds(fields=[FIELD, FIELD | {"value": "x" * 1_025}]), "embeds.0.fields.1.value", "BASE_TYPE_MAX_LENGTH"),
        (embeds(footer={"text": "x" * 2_049}), "embeds.0.footer.text", "BASE_TYPE_MAX_LENGTH"),
        (embeds(description="x" * 4_096, footer={"text": "x" * 1_905}), "embeds", "MAX_EMBED_SIZE_EXCEEDED"),
        (embeds(title="x", poem="y"), "embeds.0", "MODEL_TYPE_CONVERT"),
    ],
)
def test_what_discord_would_refuse_is_refused_with_where_it_is_wrong(
    chat: Chat, payload: Any, where: str, code: str
) -> None:
    status, answer = send(chat, "discord", payload)

    assert (status, answer["code"], answer["message"]) == (400, 50035, "Invalid Form Body")
    errors = answer["errors"]
    for name in where.split("."):
        errors = errors[name]
    assert errors["_errors"][0]["code"] == code
    assert chat.messages == []
    assert chat.refused[0].remark.startswith(f"{where}: ")


@pytest.mark.parametrize(("payload", "code"), [([], 50109), ({}, 50006), ({"content": "", "embeds": []}, 50006)])
def test_what_is_no_message_is_refused(chat: Chat, payload: Any, code: int) -> None:
    status, answer = send(chat, "discord", payload)

    assert (status, answer["code"]) == (400, code)


def test_another_webhook_and_another_token_are_refused(chat: Chat) -> None:
    target, body = target_of(chat.secrets()["discord"]), b'{"content": "x"}'

    assert post(chat, body, target + "x")[0] == 401
    assert post(chat, body, target.replace("/webhooks/1", "/webhooks/2"))[0] == 404
    assert post(chat, body, "/api/webhooks/1")[0] == 404
    assert chat.messages == []


def test_it_is_too_busy_as_discord_is(chat: Chat) -> None:
    chat.misbehave(too_many(0.25), path="/api/webhooks")

    status, text, headers = post(chat, b"{}", target_of(chat.secrets()["discord"]))

    assert status == 429
    assert json.loads(text)["retry_after"] == 0.25
    assert headers["Retry-After"] == "1"
