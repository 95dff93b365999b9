"""`warden channels`: a test card arrives where the policy says, and what is wrong is said without the secret."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from cli.main import commands
from local.chat import Chat
from warden import webhook

TOPIC = "arn:aws:sns:eu-central-1:123456789012:images"
POLICY = """\
version: 1
defaults: {{channels: [chat]}}
channels:
  chat: {{type: slack, secret: warden/slack, hosts: ["127.0.0.1:{port}"]}}
  cards: {{type: teams, secret: warden/teams, hosts: ["127.0.0.1:{port}"]}}
  receiver: {{type: webhook, secret: warden/webhook, hosts: ["127.0.0.1:{port}"]}}
  topic: {{type: sns, topic: "{topic}"}}
"""


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Chat]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with Chat() as chat, mock_aws():
        monkeypatch.setenv("SSL_CERT_FILE", str(chat.ca_bundle))
        webhook._tls.cache_clear()
        client = boto3.client("secretsmanager")
        for product in ("slack", "teams", "webhook"):
            client.create_secret(Name=f"warden/{product}", SecretString=chat.secrets()[product])
        (tmp_path / "warden.yaml").write_text(POLICY.format(port=chat.port, topic=TOPIC))
        yield chat
    webhook._tls.cache_clear()


def run(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(commands, ["channels", *words, "--policy", str(tmp_path / "warden.yaml")])


@pytest.mark.parametrize(("name", "product"), [("chat", "slack"), ("cards", "teams"), ("receiver", "webhook")])
def test_a_test_card_arrives_each_time(chat: Chat, tmp_path: Path, name: str, product: str) -> None:
    for _ in range(2):
        result = run(tmp_path, "test", name)
        assert (result.exit_code, result.stdout) == (0, "")
        assert f"Channel {name} took a test card" in result.stderr
    assert [message.product for message in chat.messages] == [product] * 2


def test_a_topic_is_published_to(chat: Chat, tmp_path: Path) -> None:
    assert run(tmp_path, "test", "topic").exit_code == 1, "there is no such topic yet"
    boto3.client("sns").create_topic(Name="images")
    assert run(tmp_path, "test", "topic").exit_code == 0


def test_an_unknown_channel_is_named_with_those_that_there_are(chat: Chat, tmp_path: Path) -> None:
    result = run(tmp_path, "test", "nowhere")
    assert result.exit_code == 1
    assert "no channel is called 'nowhere': expected one of cards, chat, receiver, topic" in result.stderr


def test_a_secret_that_does_not_work_is_told_and_not_shown(chat: Chat, tmp_path: Path) -> None:
    url = chat.url[:-6] + "hunter"
    boto3.client("secretsmanager").put_secret_value(SecretId="warden/slack", SecretString=url)
    result = run(tmp_path, "test", "chat")
    assert result.exit_code == 1
    assert "check the channel's secret" in result.stderr
    assert "hunter" not in result.output


def test_the_channels_are_listed(chat: Chat, tmp_path: Path) -> None:
    assert run(tmp_path, "list").stdout.splitlines() == [
        "chat\tslack\twarden/slack",
        "cards\tteams\twarden/teams",
        "receiver\twebhook\twarden/webhook",
        f"topic\tsns\t{TOPIC}",
    ]
