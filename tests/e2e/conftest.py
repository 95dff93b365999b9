"""One deployed stack for all tests of many events: each keeps to repositories of its own."""

from collections.abc import Iterator

import pytest

from local.chat import Chat
from local.demo.__main__ import deploy, free_port
from local.demo.surroundings import an_account
from tests.e2e.cloud import Cloud

POLICY = """\
version: 1
mode: report
defaults:
  scanning: {{on_push: true}}
  lifecycle: {{mode: off}}       # else the summary of the first sweep's pruning waits a quarter of an hour in its queue
  findings: {{notify_from: HIGH, block_from: CRITICAL}}
  channels: [platform]
rules:
  - match: "single/*"             # what is held back, is held back for each channel by itself
    channels: [single]
channels:
  platform: {{type: slack, secret: warden/slack-platform, hosts: ["127.0.0.1:{port}"]}}
  single:   {{type: slack, secret: warden/slack-platform, hosts: ["127.0.0.1:{port}"]}}
"""


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The local cloud with the stack, and no message yet but the first."""
    with Chat() as chat, an_account(free_port(), chat) as account:
        cloud = Cloud(account, deploy(account, POLICY))
        cloud.message_about("is here")
        yield cloud
