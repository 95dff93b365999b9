"""What a real deployment needs, judged: facts in, one check each out, with the fix. Pure: nothing is asked here."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from warden.webhook import is_listed

PYTHON = (3, 11)
NODE = 22
"""The oldest release of Node that jsii, which runs CDK's Python, still supports."""
BOOTSTRAP = 6
"""What a stack with file assets asks of the bootstrap stack: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html."""


class Status(StrEnum):
    """Whether a deployment can go on: WARN says yes, but read this."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and what to do where that is not enough."""

    name: str
    status: Status
    found: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Trail:
    """A CloudTrail trail that covers this region; `writes` says whether it records what changes settings."""

    name: str
    logging: bool
    writes: bool


def check_python(version: tuple[int, int, int]) -> Check:
    """The Python that synth runs in."""
    found = ".".join(map(str, version))
    if version[:2] < PYTHON:
        return Check("Python", Status.FAIL, found, f"use Python {PYTHON[0]}.{PYTHON[1]} or newer: `make setup`")
    return Check("Python", Status.OK, found)


def check_node(version: str | None, needed: str) -> Check:
    """Node, which the CDK CLI and jsii run in; `needed` is the CLI's own word for it, such as `>= 18.0.0`."""
    if version is None:
        return Check("Node", Status.FAIL, "not found", "`make setup` installs one from PyPI, or install Node 24")
    major = _major(version)
    if major < _major(needed):
        return Check("Node", Status.FAIL, version, f"the CDK CLI needs {needed}: install Node 24")
    if major < NODE:
        return Check("Node", Status.WARN, version, f"jsii supports Node {NODE} and newer: install Node 24")
    return Check("Node", Status.OK, version)


def check_cdk(installed: str | None, pinned: str) -> Check:
    """The CDK CLI of this project."""
    name = "CDK CLI"
    if installed is None:
        return Check(name, Status.FAIL, "not installed", "run `npm ci`")
    if _major(installed) >= 3:  # noqa: PLR2004 - the trap that is described
        return Check(
            name,
            Status.FAIL,
            installed,
            f"npm's `latest` is older than CDK 2 and can't read its assemblies: {_pin(pinned)}",
        )
    if installed != pinned:
        return Check(name, Status.FAIL, installed, f"another version than this project's: {_pin(pinned)}")
    return Check(name, Status.OK, f"{installed}, as pinned")


def _pin(pinned: str) -> str:
    return f"run `npm ci`, which installs {pinned}, and start it by `npx cdk`"


def check_credentials(account: str, identity: str) -> Check:
    """Who asks AWS."""
    if identity.endswith(":root"):
        fix = "deploy as a role: a root user's key can't be limited"
        return Check("AWS credentials", Status.WARN, f"root user of account {account}", fix)
    return Check("AWS credentials", Status.OK, f"account {account}, as {identity}")


def check_region(region: str | None) -> Check:
    """Where the registry is."""
    if not region:
        return Check("Region", Status.FAIL, "none chosen", "set AWS_REGION, such as AWS_REGION=eu-central-1")
    return Check("Region", Status.OK, region)


def check_bootstrap(version: int | None, account: str, region: str) -> Check:
    """CDK's bootstrap stack; `version` is None where there is none."""
    fix = f"run `npx cdk bootstrap aws://{account}/{region}`"
    if version is None:
        return Check("CDK bootstrap", Status.FAIL, f"not done in {region}", fix)
    if version < BOOTSTRAP:
        return Check("CDK bootstrap", Status.FAIL, f"version {version}; expected {BOOTSTRAP} or newer", fix)
    return Check("CDK bootstrap", Status.OK, f"version {version}")


def check_scanning(kind: str, rules: int) -> Check:
    """The registry's scanning type, and what it means here."""
    if kind == "ENHANCED":
        return Check(
            "Registry scanning",
            Status.WARN,
            "enhanced: Amazon Inspector scans by itself",
            "this version judges basic scans; the results of Inspector are not told yet",
        )
    found = f"basic, {rules} {'rule' if rules == 1 else 'rules'}: the warden starts a scan where none of them does"
    return Check("Registry scanning", Status.OK, found)


def check_webhook(channel: str, secret: str, url: str, allowed: Collection[str]) -> Check:
    """The URL in a channel's secret, which is never shown."""
    name = f"Channel {channel}"
    host = urlsplit(url).netloc.lower().removesuffix(":443")
    if not url.startswith("https://") or not is_listed(host, allowed):
        return Check(
            name,
            Status.FAIL,
            f"secret {secret} holds no URL that may be posted to",
            f"expected https:// and one of {', '.join(sorted(allowed))}; put the right URL in, or the host in `hosts`",
        )
    return Check(name, Status.OK, f"secret {secret} holds an https URL of {host}")


def check_trails(trails: Collection[Trail]) -> Check:
    """Whether changes of settings become events at all.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    """
    name = "CloudTrail"
    able = [trail.name for trail in trails if trail.logging and trail.writes]
    if able:
        return Check(name, Status.OK, f"trail {able[0]} records management events")
    fix = (
        "make a trail that records management events (the first is free): without one, only the daily sweep notices "
        "changed settings"
    )
    if not trails:
        return Check(name, Status.WARN, "no trail covers this region", fix)
    names = ", ".join(sorted(trail.name for trail in trails))
    return Check(name, Status.WARN, f"no trail records what changes settings: {names}", fix)


def _major(version: str) -> int:
    digits = re.search(r"\d+", version)
    return int(digits[0]) if digits else 0
