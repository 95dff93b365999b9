"""A notice is posted once, waits while its channel is broken, and never shows where it was posted to."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from notify import Notices
from tests.account import Stack
from tests.builders import NOW, a_policy
from warden.errors import Invalid, Unavailable, Unreachable
from warden.notices import Level, Notice, bold, plain, to_json
from warden.posting import Posting
from warden.secrets import KEPT, Secrets

URL = "https://hooks.slack.com/services/T000/B000/not-a-real-token"


@dataclass
class Chat:
    """The far end of a webhook: takes messages, or raises what it is told to."""

    refusals: list[Exception] = field(default_factory=list)
    posts: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    allowed: frozenset[str] = frozenset()

    def __call__(
        self,
        url: str,
        body: bytes,
        *,
        channel: str,
        allowed_hosts: frozenset[str],
        **_: Any,
    ) -> str:
        self.allowed = allowed_hosts
        if self.refusals:
            raise self.refusals.pop(0)
        self.posts.append((url, json.loads(body), channel))
        return "ok"


def notice(id: str = "n1") -> Notice:
    return Notice(
        id, "findings", Level.HIGH, "1 high in team/app:v1", "team/app@sha256:0", (bold("1 high"), plain("."))
    )


def secret(text: str | None = URL) -> None:
    client = boto3.client("secretsmanager", region_name="eu-central-1")
    value: dict[str, Any] = {"SecretBinary": b"x"} if text is None else {"SecretString": text}
    try:
        client.create_secret(Name="warden/slack-platform", **value)
    except client.exceptions.ResourceExistsException:
        client.put_secret_value(SecretId="warden/slack-platform", **value)


def function(stack: Stack, chat: Chat) -> Notices:
    secrets = Secrets(boto3.client("secretsmanager", region_name="eu-central-1"))
    return Notices(a_policy(), stack.ledger, stack.threads, Posting(secrets, chat, publish=no_topic))


def no_topic(topic: str, text: str) -> None:
    raise AssertionError(f"published to {topic}: {text}")


def body(id: str = "n1", channel: str = "platform") -> str:
    return to_json(notice(id), channel=channel)


@pytest.mark.parametrize("text", [URL, f"{URL}\n", json.dumps({"url": URL})])
def test_a_notice_is_posted_to_the_address_in_the_secret(stack: Stack, text: str) -> None:
    secret(text)
    chat = Chat()
    assert function(stack, chat).handle(stack.message(body())).name == "Posted"
    ((url, payload, channel),) = chat.posts
    assert (url, channel) == (URL, "platform")
    assert "1 high in team/app:v1" in json.dumps(payload["blocks"])
    assert chat.allowed == {"hooks.slack.com", "hooks.slack-gov.com"}


def test_the_same_notice_is_posted_once_however_often_it_comes(stack: Stack) -> None:
    secret()
    chat = Chat()
    notices = function(stack, chat)
    outcomes = [notices.handle(stack.message(body())).name for _ in range(5)]
    assert (outcomes, len(chat.posts)) == (["Posted", *["PostedBefore"] * 4], 1)


def test_another_notice_is_posted_too(stack: Stack) -> None:
    secret()
    chat = Chat()
    notices = function(stack, chat)
    for id in ("n1", "n2"):
        notices.handle(stack.message(body(id)))
    assert len(chat.posts) == 2


def test_what_was_announced_is_in_the_ledger_without_the_address(stack: Stack) -> None:
    secret()
    function(stack, Chat()).handle(stack.message(body()))
    (entry,) = stack.ledger.history("team/app@sha256:0")
    assert entry.text == "1 high in team/app:v1, to platform"
    items = stack.dynamodb.scan(TableName="ledger")["Items"]
    assert "not-a-real-token" not in json.dumps(items)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not hold a webhook URL"),
        ("http://hooks.slack.com/services/T000/B000/not-a-real-token", "does not hold a webhook URL"),
        ("xoxb-not-a-real-token", "does not hold a webhook URL"),
        ('{"webhook": "https://hooks.slack.com/not-a-real-token"}', "does not hold a webhook URL"),
        ('{"url": not-a-real-token}', "does not hold a webhook URL"),
        ('{"url": 7}', "does not hold a webhook URL"),
        (None, "is binary"),
    ],
)
def test_a_malformed_secret_is_one_clear_error_and_the_notice_waits(
    stack: Stack, text: str | None, reason: str
) -> None:
    secret(text or " ") if text is not None else secret(None)
    with pytest.raises(Unavailable, match=reason) as refusal:
        function(stack, Chat()).handle(stack.message(body()))
    assert "warden/slack-platform" in str(refusal.value)
    assert "not-a-real-token" not in str(refusal.value)


def test_a_missing_secret_says_how_to_make_it(stack: Stack) -> None:
    with pytest.raises(Unavailable, match="aws secretsmanager create-secret --name warden/slack-platform"):
        function(stack, Chat()).handle(stack.message(body()))


def test_a_notice_that_waited_is_posted_when_the_secret_is_mended(stack: Stack) -> None:
    chat = Chat()
    notices = function(stack, chat)
    with pytest.raises(Unavailable):
        notices.handle(stack.message(body()))
    secret()
    assert notices.handle(stack.message(body())).name == "Posted"


def test_a_secret_is_read_once_in_five_minutes_and_again_when_it_did_not_work(stack: Stack) -> None:
    secret()
    chat = Chat()
    notices = function(stack, chat)
    notices.handle(stack.message(body("n1")))
    secret(URL + "-2")
    notices.handle(stack.message(body("n2")))
    assert [url for url, _, _ in chat.posts] == [URL, URL]
    chat.refusals = [Unavailable("no such webhook; check the channel's secret")]
    with pytest.raises(Unavailable):
        notices.handle(stack.message(body("n3")))
    notices.handle(stack.message(body("n3")))
    assert chat.posts[-1][0] == URL + "-2"
    secret(URL + "-3")
    notices.handle(stack.message(body("n4"), now=NOW + KEPT))
    assert chat.posts[-1][0] == URL + "-3"


def test_a_busy_channel_says_how_long_and_another_copy_may_go_on(stack: Stack) -> None:
    secret()
    chat = Chat([Unavailable("429", retry_after=30)])
    notices = function(stack, chat)
    with pytest.raises(Unavailable) as refusal:
        notices.handle(stack.message(body(), id="a"))
    assert refusal.value.retry_after == 30
    with pytest.raises(Unavailable, match="rests") as refusal:
        notices.handle(stack.message(body(), id="b", now=NOW + timedelta(seconds=10)))
    assert refusal.value.retry_after is None, "a further wait for each try, as for anything else that fails"
    assert notices.handle(stack.message(body(), id="b", now=NOW + timedelta(seconds=30))).name == "Posted"


def test_while_one_channel_is_down_the_others_go_on_and_nothing_is_lost(stack: Stack) -> None:
    """For an hour it gives no answer: each sandbox waits for that once a minute, and not for every notice."""
    secret()
    chat = Chat()
    policy = a_policy(known_channels={"other": {"type": "slack", "secret": "warden/slack-platform"}})
    notices = replace(function(stack, chat), policy=policy)
    waiting = [stack.message(body(f"n{number}")) for number in range(20)]
    asked = 0
    for second in range(0, 3601, 20):
        now = NOW + timedelta(seconds=second)
        for number, message in list(enumerate(waiting)):
            down = second < 3600
            chat.refusals = [Unreachable("no answer in time")] if down else []
            try:
                notices.handle(replace(message, now=now))
                waiting.remove(message)
            except Unavailable:
                asked += down and not chat.refusals
            if down and number == 0:
                chat.refusals = []
                other = stack.message(body(f"other-{second}", "other"), now=now)
                assert notices.handle(other).name == "Posted"
    assert waiting == []
    assert asked == 60
    assert sum(channel == "platform" for _, _, channel in chat.posts) == 20


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"channel": "platform"}', '{"channel": "platform", "notice": {}}'])
def test_what_is_no_notice_is_refused(stack: Stack, text: str) -> None:
    with pytest.raises(Invalid, match="not a notice of ours"):
        function(stack, Chat()).handle(stack.message(text))


def test_a_channel_that_was_taken_out_is_refused_by_its_name(stack: Stack) -> None:
    with pytest.raises(Invalid, match="no channel 'gone'"):
        function(stack, Chat()).handle(stack.message(body(channel="gone")))
