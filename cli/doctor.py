"""`warden doctor`: can this machine and this account deploy ECR Warden, and if not, what is to be done."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Protocol

import click

from cli.options import json_option, policy_option
from cli.prerequisites import (
    Check,
    Status,
    Trail,
    check_bootstrap,
    check_cdk,
    check_credentials,
    check_node,
    check_python,
    check_region,
    check_scanning,
    check_trails,
    check_webhook,
)
from cli.printing import print_json, print_table, tell
from warden.channels import product
from warden.compiled_policy import from_compiled
from warden.errors import Unavailable
from warden.policy import Channel, ChannelType, Policy
from warden.secrets import Credentials


class Machine(Protocol):
    """See `cli.machine`."""

    @property
    def python(self) -> tuple[int, int, int]: ...  # noqa: D102
    def node(self) -> str | None: ...  # noqa: D102
    def node_needed(self) -> str: ...  # noqa: D102
    def cdk_installed(self) -> str | None: ...  # noqa: D102
    def cdk_pinned(self) -> str: ...  # noqa: D102


class Account(Protocol):
    """See `cli.account`."""

    def region(self) -> str | None: ...  # noqa: D102
    def identity(self) -> tuple[str, str]: ...  # noqa: D102
    def bootstrap_version(self) -> int | None: ...  # noqa: D102
    def scanning(self) -> tuple[str, int]: ...  # noqa: D102
    def credentials(self, secret: str) -> Credentials: ...  # noqa: D102
    def trails(self) -> tuple[Trail, ...]: ...  # noqa: D102


@click.command("doctor", short_help="Check what a deployment needs.")
@policy_option
@json_option
def command(policy_path: Path, as_json: bool) -> None:
    """Check what deploying to a real account needs, and say the fix for what is missing.

    Looks at this machine (Python, Node, the CDK CLI), at the policy, and at the AWS account that the environment
    chooses: credentials, region, CDK bootstrap, the registry's scanning, the channels' secrets, CloudTrail. Changes
    nothing, and shows no secret. Ends with 1 if anything fails.
    """
    from cli.account import Account as RealAccount  # noqa: PLC0415
    from cli.machine import Machine as RealMachine  # noqa: PLC0415

    checks = list(examine(RealMachine(), RealAccount(), policy_path))
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        rows = [(check.status, check.name, " → ".join(filter(None, (check.found, check.fix)))) for check in checks]
        print_table(("", "CHECK", "FOUND"), rows)
    if failed := sum(check.status is Status.FAIL for check in checks):
        tell(f"{failed} of {len(checks)} checks failed: put them right, and run `warden doctor` again.")
        raise click.exceptions.Exit(1)


def examine(machine: Machine, account: Account, policy_path: Path) -> Iterator[Check]:
    """Every check in the order in which one would put things right; none depends on another's success."""
    yield check_python(machine.python)
    yield check_node(machine.node(), machine.node_needed())
    yield check_cdk(machine.cdk_installed(), machine.cdk_pinned())
    policy, check = _policy(policy_path)
    yield check
    yield check_region(region := account.region())
    try:
        number, identity = account.identity()
    except Unavailable as trouble:
        yield Check("AWS credentials", Status.FAIL, str(trouble), "the checks of the account were left out")
        return
    yield check_credentials(number, identity)
    yield _asked("CDK bootstrap", lambda: check_bootstrap(account.bootstrap_version(), number, region or "REGION"))
    yield _asked("Registry scanning", lambda: check_scanning(*account.scanning()))
    yield from _channels(account, policy)
    yield _asked("CloudTrail", lambda: check_trails(account.trails()), otherwise=Status.WARN)


def _asked(name: str, check: Callable[[], Check], *, otherwise: Status = Status.FAIL) -> Check:
    try:
        return check()
    except Unavailable as trouble:
        return Check(name, otherwise, str(trouble))


def _policy(path: Path) -> tuple[Policy | None, Check]:
    import policy  # noqa: PLC0415 - pydantic takes a tenth of a second

    try:
        loaded = from_compiled(policy.load(path).compiled)
    except policy.PolicyError as error:
        first = str(error.problems[0])
        found = f"{len(error.problems)} to put right, the first {error.file}:{first}"
        return None, Check("Policy", Status.FAIL, found, "run `warden validate`")
    return loaded, Check("Policy", Status.OK, f"{path} is valid, mode {loaded.mode}, fingerprint {loaded.fingerprint}")


def _channels(account: Account, policy: Policy | None) -> Iterator[Check]:
    for channel in policy.channels.values() if policy else ():
        if channel.type is not ChannelType.SNS:  # a topic has no secret, and only the deployment shows that it is there
            yield _asked(f"Channel {channel.name}", partial(_channel, account, channel))


def _channel(account: Account, channel: Channel) -> Check:
    found = account.credentials(channel.secret)
    if found.token:
        return Check(f"Channel {channel.name}", Status.OK, f"secret {channel.secret} holds a bot's token and a channel")
    allowed = product(channel.type).HOSTS | set(channel.hosts)
    return check_webhook(channel.name, channel.secret, found.url, allowed)
