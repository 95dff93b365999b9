"""Each kind of channel is posted to in its product's way, and takes it; the products are those of the local chat."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from local.chat import Chat
from local.chat.notices import KINDS
from local.chat.posts import Answer
from notify import Notices
from tests.account import Stack
from tests.builders import a_policy
from warden import webhook
from warden.errors import Rejected, Unavailable
from warden.notices import Level, Notice, Section, bold, code, plain, to_json
from warden.posting import Posting
from warden.secrets import Secrets

PRODUCTS = ("slack", "slack_bot", "teams", "discord", "google_chat", "webhook")
FIRST = Notice(
    "n1",
    "findings",
    Level.CRITICAL,
    "2 critical in team/app:v1",
    "team/app@sha256:0",
    (bold("2 critical"), plain(".")),
    sections=(Section("Fix first", ((code("CVE-2026-1"), plain(" openssl")), (code("CVE-2026-2"), plain(" zlib")))),),
    thread="team/app@sha256:0",
)
SECOND = Notice(
    "n2",
    "findings",
    Level.HIGH,
    "1 new high in team/app:v1",
    "team/app@sha256:0",
    (bold("2 critical · 1 high"), plain(".")),
    sections=(Section("Fix first", ((code("CVE-2026-3"), plain(" curl")),), more=4),),
    thread="team/app@sha256:0",
)
OVER = Notice(
    "n3",
    "clean",
    Level.GOOD,
    "team/app:v2 is clean, after v1",
    "team/app@sha256:1",
    (bold("no findings"), plain(".")),
    thread="team/app@sha256:0",
)


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    with Chat() as chat:
        monkeypatch.setenv("SSL_CERT_FILE", str(chat.ca_bundle))
        webhook._tls.cache_clear()
        yield chat
    webhook._tls.cache_clear()


Deliver = Callable[..., None]


@pytest.fixture
def deliver(chat: Chat, stack: Stack) -> Deliver:
    """Hands a notice to the function, for the channel of a product."""
    client = boto3.client("secretsmanager", region_name="eu-central-1")
    host = f"127.0.0.1:{chat.port}"
    channels = {}
    for product, text in chat.secrets().items():
        client.create_secret(Name=f"warden/{product}", SecretString=text)
        kind = product.removesuffix("_bot")
        channels[product] = {"type": kind, "secret": f"warden/{product}", "hosts": [host]}
    channels["topic"] = {"type": "sns", "topic": "arn:aws:sns:eu-central-1:111122223333:images"}
    begin = datetime.now(UTC)  # a receiver of signed messages has a clock of its own
    posting = Posting(Secrets(client), webhook.post, lambda topic, text: published.append((topic, text)))
    notices = Notices(a_policy(known_channels=channels), stack.ledger, stack.threads, posting)

    def hand_over(product: str, notice: Notice, seconds: int = 0) -> None:
        now = begin + timedelta(seconds=seconds)
        notices.handle(stack.message(to_json(notice, channel=product), now=now))

    return hand_over


published: list[tuple[str, str]] = []


def said(chat: Chat, number: int = -1) -> str:
    return json.dumps(chat.messages[number].payload, ensure_ascii=False)


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_product_takes_every_kind_of_notice(chat: Chat, deliver: Deliver, product: str, kind: str) -> None:
    deliver(product, KINDS[kind])
    assert chat.refused == []
    (message,) = chat.messages
    assert message.product == product


@pytest.mark.parametrize("product", ["slack", "teams", "discord"])
def test_what_knows_no_threads_says_again_in_a_line(chat: Chat, deliver: Deliver, product: str) -> None:
    for notice in (FIRST, SECOND, OVER):
        deliver(product, notice)
    first, second, over = (said(chat, number) for number in range(3))
    assert "Again" not in first
    assert "openssl" in first
    assert "Again: 1 new high in team/app:v1" in second.replace("\\\\", "").replace("\\", "")
    assert "CVE" in second
    assert "and 4 more" in second
    assert "curl" not in second
    assert "Again" not in over


def test_a_bot_of_slack_replies_in_the_thread_and_says_in_the_first_message_that_it_is_over(
    chat: Chat, deliver: Deliver
) -> None:
    for notice in (FIRST, SECOND, OVER):
        deliver("slack_bot", notice)
    root, reply, over = chat.messages
    assert (root.thread, reply.thread, over.thread) == ("", root.id, root.id)
    assert root.edited
    assert "over: 2 critical in team/app:v1" in said(chat, 0)
    assert "curl" in said(chat, 1)
    assert (reply.payload["reply_broadcast"], over.payload["reply_broadcast"]) == (True, False)


def test_google_chat_and_a_receiver_get_all_of_it_with_the_threads_key(chat: Chat, deliver: Deliver) -> None:
    for product in ("google_chat", "webhook"):
        deliver(product, FIRST)
        deliver(product, SECOND)
    assert "curl" in said(chat, 1)
    assert chat.messages[0].thread == chat.messages[1].thread != ""
    assert chat.messages[3].payload["data"]["thread"] == FIRST.thread


def test_a_topic_is_published_to_and_needs_no_secret(chat: Chat, deliver: Deliver) -> None:
    published.clear()
    deliver("topic", FIRST)
    ((topic, text),) = published
    assert topic == "arn:aws:sns:eu-central-1:111122223333:images"
    assert json.loads(text)["source"] == "custom"
    assert chat.messages == []


@pytest.mark.parametrize("product", ["slack", "slack_bot"])
def test_where_slack_takes_no_blocks_the_text_alone_is_posted(chat: Chat, deliver: Deliver, product: str) -> None:
    answer = (
        Answer(400, "invalid_blocks")
        if product == "slack"
        else Answer(200, json.dumps({"ok": False, "error": "invalid_blocks"}))
    )
    chat.misbehave(answer)
    deliver(product, FIRST)
    (message,) = chat.messages
    assert "blocks" not in message.payload
    assert "2 critical in team/app:v1" in message.payload["text"]
    assert "CVE-2026-2 zlib" in message.payload["text"]


@pytest.mark.parametrize(
    ("word", "error", "text"),
    [
        ("rate_limited", Unavailable, "try again later"),
        ("invalid_auth", Unavailable, "check the token"),
        ("not_in_channel", Unavailable, "check the token"),
        ("no_text", Rejected, "not one that it takes"),
        ("<!channel> & co", Rejected, "an unknown error"),
    ],
)
def test_each_word_of_slack_says_whether_the_bot_or_the_message_is_wrong(
    chat: Chat, deliver: Deliver, word: str, error: type[Exception], text: str
) -> None:
    chat.misbehave(Answer(200, json.dumps({"ok": False, "error": word})))
    with pytest.raises(error, match=text) as refusal:
        deliver("slack_bot", FIRST)
    assert "xoxb" not in str(refusal.value)


@pytest.mark.parametrize("body", ["", "ok", "[]", "{}", "[" * 60_000])
def test_an_answer_of_slack_that_cannot_be_read_is_no_success(chat: Chat, deliver: Deliver, body: str) -> None:
    chat.misbehave(Answer(200, body))
    with pytest.raises(Unavailable):
        deliver("slack_bot", FIRST)


def test_a_reply_to_a_message_that_was_deleted_is_a_message_of_its_own(chat: Chat, deliver: Deliver) -> None:
    deliver("slack_bot", FIRST)
    del chat.messages[0]
    deliver("slack_bot", SECOND)
    deliver("slack_bot", OVER)
    second, over = chat.messages
    assert (second.thread, over.thread) == ("", second.id)


def test_a_first_message_that_cannot_be_changed_any_more_leaves_the_reply(chat: Chat, deliver: Deliver) -> None:
    deliver("slack_bot", FIRST)
    closed = Answer(200, json.dumps({"ok": False, "error": "edit_window_closed"}))
    chat.misbehave(closed, path="/api/chat.update")
    deliver("slack_bot", OVER)
    root, over = chat.messages
    assert (root.edited, over.thread) == (False, root.id)


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_product_that_is_busy_is_tried_again_later(chat: Chat, deliver: Deliver, product: str, status: int) -> None:
    chat.misbehave(Answer(status, "", {"Retry-After": "7"}))
    with pytest.raises(Unavailable) as refusal:
        deliver(product, FIRST)
    assert refusal.value.retry_after == 7
    with pytest.raises(Unavailable, match="rests"):
        deliver(product, FIRST, 6)
    deliver(product, FIRST, 7)
    assert len(chat.messages) == 1


def test_a_receiver_that_does_not_believe_the_signature_waits_for_the_right_secret(
    chat: Chat, deliver: Deliver
) -> None:
    client: Any = boto3.client("secretsmanager", region_name="eu-central-1")
    right = client.get_secret_value(SecretId="warden/webhook")["SecretString"]
    wrong = json.loads(right) | {"key": "whsec_" + "A" * 32}
    client.put_secret_value(SecretId="warden/webhook", SecretString=json.dumps(wrong))
    with pytest.raises(Unavailable, match="check the channel's secret"):
        deliver("webhook", FIRST)
    client.put_secret_value(SecretId="warden/webhook", SecretString=right)
    deliver("webhook", FIRST)
    assert len(chat.messages) == 1
