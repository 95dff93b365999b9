"""`warden render`: the exact payloads that an event would post."""

from pathlib import Path

import click

from cli.options import EXISTING, load_json, load_policy, policy_option
from cli.printing import print_json, tell
from warden.policy import ChannelType

CHANNELS = tuple(kind.value for kind in ChannelType)


@click.command("render", short_help="Print what an event would post.")
@click.option("--event", type=EXISTING, required=True, help="An EventBridge event as JSON; - for stdin.")
@click.option("--channel", type=click.Choice(CHANNELS), required=True, help="The kind of channel.")
@click.option("--findings", type=EXISTING, help="The JSON of `aws ecr describe-image-scan-findings`.")
@policy_option
def command(event: Path, channel: str, findings: Path | None, policy_path: Path) -> None:
    """Print the payloads that an EventBridge event would post to a kind of channel, as a JSON list.

    The list is empty where the event would be silent. Nothing is sent, and nothing is asked of AWS: what the event
    alone doesn't say comes from --findings, and what was known of the image before counts as nothing.
    """
    from warden import rehearsal  # noqa: PLC0415

    payloads = rehearsal.payloads(
        load_json(event, "an EventBridge event"),
        load_json(findings, "an answer of DescribeImageScanFindings") if findings else None,
        load_policy(policy_path),
        channel,
    )
    print_json(payloads)
    if not payloads:
        tell("This event posts nothing under this policy.")
