"""`warden channels`: whether what is posted arrives."""

from datetime import UTC, datetime
from pathlib import Path

import click

from cli.aws import asking, client
from cli.options import load_policy, policy_option
from cli.printing import tell
from warden.notices import Fact, Level, Notice, code, notice_id, plain
from warden.policy import Channel
from warden.posting import Posting
from warden.secrets import Secrets


@click.group("channels", short_help="Try the channels of the policy.")
def command() -> None:
    """The channels that notices go to."""


@command.command("list", short_help="List the channels.")
@policy_option
def list_(policy_path: Path) -> None:
    """List the channels of the policy: name, kind, and where the secret or topic is."""
    for channel in load_policy(policy_path).channels.values():
        click.echo(f"{channel.name}\t{channel.type}\t{channel.secret or channel.topic}")


@command.command("test", short_help="Post a test card to a channel.")
@click.argument("name")
@policy_option
def test(name: str, policy_path: Path) -> None:
    """Post a test card to the channel NAME, as the notify function would, with the secret that it would read.

    Ends with 1 and the reason where the product does not take it. Teams and Discord may take a message and show none:
    look.
    """
    from warden import webhook  # noqa: PLC0415 - TLS is set up when it is imported

    policy = load_policy(policy_path)
    channel = policy.channels.get(name)
    if channel is None:
        known = ", ".join(sorted(policy.channels))
        raise click.ClickException(f"no channel is called '{name}': expected one of {known}")
    posting = Posting(Secrets(client("secretsmanager")), webhook.post, _publish)
    with asking(f"post to channel {name}"):
        posting.deliver(channel, card(channel, policy.fingerprint, now := datetime.now(UTC)), None, now=now)
    tell(f"Channel {name} took a test card: see that it is there.")


def card(channel: Channel, fingerprint: str, now: datetime) -> Notice:
    """The test card; each one is another message."""
    return Notice(
        id=notice_id("test", channel.name, now.isoformat()),
        kind="test",
        level=Level.HELLO,
        title=f"this is a test of channel {channel.name}",
        subject="registry",
        summary=(plain("If you can read this, ECR Warden's notices arrive here. Nothing was scanned or changed."),),
        facts=(Fact("Kind", channel.type), Fact("Policy", fingerprint)),
        next_step=(
            plain("Nothing. Notices of real images end with a line such as "),
            code("warden why REPOSITORY@DIGEST"),
        ),
        footer="warden channels test",
        at=now.isoformat(),
    )


def _publish(topic: str, text: str) -> None:
    client("sns").publish(TopicArn=topic, Message=text)
