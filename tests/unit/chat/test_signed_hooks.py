"""The local chat takes signed webhooks, and none that somebody else signed or that was changed on the way."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from local.chat import Chat
from tests.unit.chat.posting import post

BODY = b'{"type": "ecr-warden.findings", "data": {}}'
NAME = "msg_1"


def signed(chat: Chat, body: bytes = BODY, *, name: str = NAME, age: int = 0, key: str | None = None) -> dict[str, str]:
    """The headers of https://www.standardwebhooks.com, made here by the letter of its text."""
    moment = str(int(time.time()) - age)
    secret = base64.b64decode((key or chat.webhook_secret).removeprefix("whsec_"))
    digest = hmac.new(secret, f"{name}.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def test_what_is_signed_is_taken(chat: Chat) -> None:
    assert post(chat, BODY, "/hooks/security", signed(chat))[:2] == (204, "")

    (taken,) = chat.messages
    assert (taken.product, taken.channel, taken.id) == ("webhook", "security", NAME)
    assert taken.payload == json.loads(BODY)


def test_the_secret_says_where_and_with_which_key(chat: Chat) -> None:
    assert json.loads(chat.secrets()["webhook"]) == {
        "url": f"https://127.0.0.1:{chat.port}/hooks/local",
        "key": chat.webhook_secret,
    }
    assert len(base64.b64decode(chat.webhook_secret.removeprefix("whsec_"))) == 32


def test_one_of_several_signatures_is_enough(chat: Chat) -> None:
    old = "whsec_" + base64.b64encode(b"o" * 32).decode()
    headers = signed(chat)
    other = signed(chat, key=old)["webhook-signature"]
    headers["webhook-signature"] = f"v1a,AAAA {other} {headers['webhook-signature']}"

    assert post(chat, BODY, "/hooks/x", headers)[0] == 204


def test_what_comes_again_is_one_message(chat: Chat) -> None:
    for _ in range(2):
        assert post(chat, BODY, "/hooks/x", signed(chat))[0] == 204
    assert post(chat, BODY, "/hooks/x", signed(chat, name="msg_2"))[0] == 204

    assert [message.id for message in chat.messages] == ["msg_1", "msg_2"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-id", None),
        ("webhook-id", "msg_2"),
        ("webhook-timestamp", None),
        ("webhook-timestamp", "soon"),
        ("webhook-timestamp", "9" * 5_000),
        ("webhook-timestamp", "1"),
        ("webhook-signature", None),
        ("webhook-signature", "v1,AAAA"),
        ("webhook-signature", "v1,not base 64!"),
        ("webhook-signature", "v1"),
    ],
)
def test_what_is_not_signed_is_refused(chat: Chat, header: str, value: str | None) -> None:
    headers = signed(chat)
    del headers[header]
    if value is not None:
        headers[header] = value

    assert post(chat, BODY, "/hooks/x", headers)[0] == 401
    assert chat.messages == []
    assert chat.refused[0].remark


def test_another_key_another_body_and_an_old_signature_are_refused(chat: Chat) -> None:
    other = "whsec_" + base64.b64encode(b"o" * 32).decode()

    assert post(chat, BODY, "/hooks/x", signed(chat, key=other))[0] == 401
    assert post(chat, BODY + b" ", "/hooks/x", signed(chat))[0] == 401
    assert post(chat, BODY, "/hooks/x", signed(chat, age=400))[0] == 401
    assert post(chat, BODY, "/hooks/x", signed(chat, age=-400))[0] == 401
    assert post(chat, BODY, "/hooks/x", signed(chat, age=200))[0] == 204


def test_a_body_that_is_no_object_is_refused_though_signed(chat: Chat) -> None:
    for body in (b"[]", b"hello"):
        assert post(chat, body, "/hooks/x", signed(chat, body))[0] == 400
