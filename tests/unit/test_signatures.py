"""A signed webhook: any Standard Webhooks library takes it, nobody else can make one, and a secret is never shown."""

import base64
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from warden.errors import Invalid, Unavailable
from warden.signatures import sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(bytes(range(32))).decode()
BODY = b'{"type":"ecr-warden.findings","data":{"id":"f-41d9be20c0ff"}}'


def secret_of(size: int) -> str:
    return "whsec_" + base64.b64encode(b"\xa7" * size).decode()


def signed(secret: str, body: bytes = BODY) -> dict[str, str]:
    return sign(secret, id="f-41d9be20c0ff", timestamp=int(time.time()), body=body)


def test_the_signature_is_the_one_of_the_reference_libraries() -> None:
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/python/tests/test_webhooks.py"""
    headers = sign(SECRET, id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}')

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_receiver_with_the_library_takes_what_we_sign() -> None:
    body = '{"title":"1 high finding in tëam/app 🔴"}'.encode()

    assert Webhook(SECRET).verify(body, signed(SECRET, body)) == {"title": "1 high finding in tëam/app 🔴"}


@pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp", "webhook-signature", "secret"])
def test_a_receiver_refuses_what_was_changed_on_the_way(changed: str) -> None:
    headers, body, secret = signed(SECRET), BODY, SECRET
    match changed:
        case "body":
            body = BODY.replace(b"f-41", b"f-42")
        case "webhook-id":
            headers["webhook-id"] += "0"
        case "webhook-timestamp":
            headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
        case "webhook-signature":
            headers["webhook-signature"] = "v1," + base64.b64encode(bytes(32)).decode()
        case "secret":
            secret = OTHER

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_a_message_of_long_ago_is_not_taken_again() -> None:
    headers = sign(SECRET, id="x", timestamp=int(time.time()) - 600, body=BODY)

    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(BODY, headers)


@pytest.mark.parametrize("between", [" ", "\n", "  \t "])
def test_while_a_secret_is_replaced_receivers_of_either_take_the_message(between: str) -> None:
    headers = signed(f"{SECRET}{between}{OTHER}\n")

    assert headers["webhook-signature"].count("v1,") == 2
    assert headers["webhook-signature"].count(" ") == 1
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(40)).verify(BODY, headers)


def test_a_secret_without_its_padding_is_the_same_secret() -> None:
    padded = secret_of(25)

    assert padded.endswith("==")
    assert signed(padded) | {"webhook-timestamp": ""} == signed(padded.rstrip("=")) | {"webhook-timestamp": ""}


@pytest.mark.parametrize(
    ("size", "taken"), [(0, False), (23, False), (24, True), (64, True), (65, False), (6400, False)]
)
def test_a_secret_has_24_to_64_bytes(size: int, taken: bool) -> None:
    if taken:
        Webhook(secret_of(size)).verify(BODY, signed(secret_of(size)))
    else:
        with pytest.raises(Unavailable):
            signed(secret_of(size))


@pytest.mark.parametrize(
    "secret",
    [
        "",
        " \n",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw!",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La-_Sw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwx",
        "whsec_MfKQ9r8GKYqrTwjÜPD8ILPZIo2LaLaSw",
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        f"{SECRET} and",
        f"{SECRET},{OTHER}",
        f"whsec_ {SECRET}",
        '{"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}',
    ],
)
def test_what_is_no_secret_is_refused_with_the_way_to_make_one_and_never_shown(secret: str) -> None:
    with pytest.raises(Unavailable) as refused:
        signed(secret)

    told = str(refused.value)
    assert "24 to 64 random bytes" in told
    assert 'echo "whsec_$(openssl rand -base64 32)"' in told
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    with pytest.raises(Unavailable) as another:
        signed("another")
    assert told == str(another.value)


@pytest.mark.parametrize("id", ["", "a.b", "a b", "a\r\nx: y", "é", "a" * 201, ".", "a\n"])
def test_an_id_that_could_make_two_messages_look_alike_is_refused(id: str) -> None:
    with pytest.raises(Invalid, match="no full stop"):
        sign(SECRET, id=id, timestamp=1, body=BODY)


def test_an_id_of_the_greatest_length_is_signed() -> None:
    assert sign(SECRET, id="a" * 200, timestamp=1, body=BODY)["webhook-id"] == "a" * 200


def test_the_same_message_has_the_same_signature_and_a_later_try_another() -> None:
    first, again, later = (sign(SECRET, id="x", timestamp=at, body=BODY) for at in (1, 1, 2))

    assert first == again
    assert first["webhook-id"] == later["webhook-id"]
    assert first["webhook-signature"] != later["webhook-signature"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=4),
    st.from_regex(r"[A-Za-z0-9_-]{1,200}", fullmatch=True),
    st.integers(0, 2**32),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_every_signature_is_the_librarys(keys: list[bytes], id: str, timestamp: int, text: str) -> None:
    secrets = ["whsec_" + base64.b64encode(key).decode() for key in keys]

    headers = sign(" ".join(secrets), id=id, timestamp=timestamp, body=text.encode())

    moment = datetime.fromtimestamp(timestamp, tz=UTC)
    expected = [Webhook(secret).sign(msg_id=id, timestamp=moment, data=text) for secret in secrets]
    assert headers["webhook-signature"].split(" ") == expected
