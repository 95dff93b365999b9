"""The local chat answers as Slack's incoming webhooks do, and shows what it took to nobody but its own page."""

import http.client
import json
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.chat import Chat, teams
from local.chat.incoming import LONGEST, Answer, too_many
from local.chat.page import MODULES, bundle
from tests.corpus.notices import KINDS
from tests.unit.chat.posting import post, send
from warden.channels.slack import render
from warden.notices import plain


def ask(chat: Chat, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """What the page's server answers."""
    connection = http.client.HTTPConnection(urlsplit(chat.page).netloc, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET" if body is None else "POST", path, body, named)
    response = connection.getresponse()
    answered = response.status, response.read(), dict(response.getheaders())
    connection.close()
    return answered


@pytest.mark.parametrize("kind", list(KINDS))
def test_our_messages_are_taken_and_kept_in_order(chat: Chat, kind: str) -> None:
    first, second = render(KINDS[kind]), render(replace(KINDS[kind], summary=(plain("again"),)))

    assert [post(chat, json.dumps(payload).encode())[:2] for payload in (first, second)] == [(200, "ok")] * 2

    assert [message.payload for message in chat.messages] == [first, second]
    assert chat.messages[0].at <= chat.messages[1].at


def rich_text(text: str) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [section(text)]}


def section(text: str) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}


def header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "invalid_payload"),
        (b"{", "invalid_payload"),
        (b"[]", "invalid_payload"),
        (b'"hello"', "invalid_payload"),
        (b"\xff\xfe", "invalid_payload"),
        (b"[" * 100_000, "invalid_payload"),
        (b"{}", "no_text"),
        (b'{"text": "", "blocks": []}', "no_text"),
        (b'{"text": 7}', "invalid_payload"),
        (b'{"text": "x", "channel": "#other"}', "invalid_payload"),
        (b'{"blocks": 7}', "invalid_blocks"),
        (b'{"blocks": [7]}', "invalid_blocks"),
        (b'{"blocks": [{}]}', "invalid_blocks"),
        (b'{"blocks": [{"type": ["header"]}]}', "invalid_blocks"),
        (b'{"blocks": [{"type": "poem"}]}', "invalid_blocks"),
        (json.dumps({"blocks": [header("")]}).encode(), "invalid_blocks"),
        (json.dumps({"blocks": [header("x" * 151)]}).encode(), "invalid_blocks"),
        (json.dumps({"blocks": [header("x") | {"colour": "red"}]}).encode(), "invalid_blocks"),
        (json.dumps({"blocks": [{"type": "divider"}] * 51}).encode(), "invalid_blocks"),
        (json.dumps({"blocks": [rich_text("x" * LONGEST)]}).encode(), "msg_blocks_too_long"),
    ],
)
def test_what_slack_would_refuse_is_refused_in_its_words(chat: Chat, body: bytes, reason: str) -> None:
    assert post(chat, body)[:2] == (400, reason)

    assert chat.messages == []
    assert [answer.text for answer in chat.refused] == [reason]


def test_what_is_at_a_limit_is_taken(chat: Chat) -> None:
    for blocks in ([header("x" * 150)], [{"type": "divider"}] * 50, [rich_text("x" * 3_000)]):
        assert post(chat, json.dumps({"blocks": blocks}).encode())[:2] == (200, "ok")


def test_a_refusal_says_to_whoever_watches_where_the_message_is_wrong(chat: Chat) -> None:
    post(chat, json.dumps({"blocks": [{"type": "divider"}, header("x" * 151)]}).encode())

    assert chat.refused[0].remark.startswith(".blocks[1].text.text: ")


def test_another_token_and_another_hook_are_refused(chat: Chat) -> None:
    path = urlsplit(chat.url).path

    assert post(chat, b'{"text": "x"}', path + "x")[:2] == (403, "invalid_token")
    assert post(chat, b'{"text": "x"}', path.replace("B0", "B9"))[:2] == (404, "no_service")
    assert post(chat, b'{"text": "x"}', "/")[:2] == (404, "no_service")
    assert chat.messages == []


def test_it_misbehaves_as_often_as_it_is_told_to_and_then_no_more(chat: Chat) -> None:
    chat.misbehave(too_many(3), times=2)
    chat.misbehave(Answer(500, "rollup_error"))

    answers = [post(chat, b'{"text": "x"}') for _ in range(4)]

    assert [(status, text) for status, text, _ in answers] == [
        (429, "rate_limited"),
        (429, "rate_limited"),
        (500, "rollup_error"),
        (200, "ok"),
    ]
    assert answers[0][2]["Retry-After"] == "3"
    assert len(chat.messages) == 1


def test_it_misbehaves_on_command_from_elsewhere(chat: Chat) -> None:
    order = json.dumps({"status": 429, "text": "rate_limited", "retry_after": 2, "times": 1})

    assert ask(chat, "/misbehave", order, Content_Type="application/json")[0] == 204

    status, text, headers = post(chat, b'{"text": "x"}')
    assert (status, text, headers["Retry-After"]) == (429, "rate_limited", "2")


def test_it_misbehaves_in_one_product_and_not_in_the_others(chat: Chat) -> None:
    chat.misbehave(teams.too_many(7), path="/workflows")

    assert post(chat, b'{"text": "x"}')[0] == 200
    assert send(chat, "teams", {})[0] == 429
    assert send(chat, "teams", {})[0] == 400


def test_it_misbehaves_in_one_product_on_command_from_elsewhere(chat: Chat) -> None:
    order = json.dumps({"status": 503, "path": "/api/webhooks"})

    ask(chat, "/misbehave", order, Content_Type="application/json")

    assert post(chat, b'{"text": "x"}')[0] == 200
    assert send(chat, "discord", {"content": "x"}) == (503, None)
    assert send(chat, "discord", {"content": "x"}) == (204, None)


def test_the_secrets_are_those_of_every_product_and_of_this_chat_alone(chat: Chat) -> None:
    with Chat() as other:
        ours, theirs = chat.secrets(), other.secrets()

    assert list(ours) == ["slack", "slack_bot", "teams", "discord", "google_chat", "webhook"]
    assert not set(ours.values()) & set(theirs.values())
    assert all(f"https://127.0.0.1:{chat.port}/" in secret for secret in ours.values())
    assert ours["slack"] == chat.url
    assert json.loads(ours["webhook"])["key"] == chat.webhook_secret


def test_what_is_shown_is_as_if_it_had_come_then(chat: Chat) -> None:
    then = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)

    assert chat.show({"text": "x"}, at=then) is None
    assert chat.show({"text": "x"}, "webhook", at=then) is None

    assert [message.at for message in chat.messages] == [then, then]
    refusal = chat.show({}, "teams")
    assert refusal is not None
    assert refusal.status == 400
    assert chat.refused == [refusal]


def test_a_form_of_another_site_can_command_nothing(chat: Chat) -> None:
    order = json.dumps({"status": 500})

    assert ask(chat, "/misbehave", order, Content_Type="text/plain")[0] == 404
    assert post(chat, b'{"text": "x"}')[0] == 200


def test_only_those_who_trust_its_authority_can_post(chat: Chat) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", chat.port, context=ssl.create_default_context())

    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("POST", urlsplit(chat.url).path, b"{}")


def test_the_file_of_authorities_holds_the_public_ones_too(chat: Chat) -> None:
    context = ssl.create_default_context(cafile=str(chat.ca_bundle))

    assert len(context.get_ca_certs()) > 100


def test_the_page_asks_for_the_messages_it_does_not_have(chat: Chat) -> None:
    for text in ("one", "two", "three"):
        post(chat, json.dumps({"text": text}).encode())

    status, body, _ = ask(chat, "/messages?after=1")

    listing = json.loads(body)
    assert status == 200
    assert listing["channel"] == "security"
    assert listing["changes"] == 3
    assert [message["payload"]["text"] for message in listing["messages"]] == ["two", "three"]
    assert [message["number"] for message in listing["messages"]] == [1, 2]


def test_another_sites_name_for_this_machine_is_told_nothing(chat: Chat) -> None:
    post(chat, b'{"text": "a secret"}')

    status, body, _ = ask(chat, "/messages", Host="evil.example")

    assert status == 421
    assert b"secret" not in body


def test_the_page_may_run_nothing_but_its_own_script(chat: Chat) -> None:
    status, body, headers = ask(chat, "/")

    assert status == 200
    assert b"<script" in body
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy


def test_there_is_nothing_else_to_be_had(chat: Chat) -> None:
    for path in ("/server.py", "/../server.py", "/page.jsx", "/messages/x"):
        assert ask(chat, path)[0] == 404


def test_the_chat_leaves_nothing_behind() -> None:
    with Chat() as chat:
        bundle_file = chat.ca_bundle
        assert bundle_file.exists()

    assert not bundle_file.exists()
    with pytest.raises(ConnectionRefusedError):
        ask(chat, "/")


@pytest.mark.skipif(not MODULES.exists(), reason="no node_modules: `make setup` brings them")
def test_the_page_is_bundled_and_served(chat: Chat) -> None:
    script = ask(chat, "/page.js")
    style = ask(chat, "/page.css")

    assert (script[0], script[2]["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert b"rich_text_section" in script[1]
    assert b"AdaptiveCard" in script[1]
    assert style[0] == 200
    before = (bundle() / "page.js").stat().st_mtime_ns
    assert (bundle() / "page.js").stat().st_mtime_ns == before
