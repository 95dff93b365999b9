"""The page on what a person needs says neither more nor less than what the commands call."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from cli.promote import promote
from cli.quarantine import quarantine
from cli.release import release
from cli.scan import scan
from cli.stack import Connect
from tests.account import Account, Stack
from tests.builders import NOW
from tests.unit.cli.deployed import Clock, Deployed, Sts, asked
from tests.unit.policy.policies import a_file, loaded
from warden.errors import Unavailable
from warden.names import ImageId, RepositoryName

DOUBLES = {"sts": "sts:GetCallerIdentity", "cloudformation": "cloudformation:DescribeStacks"}
"""What the doubles do, which have no hooks."""
PAGE = Path(__file__).parents[3] / "docs" / "commands.md"


def said() -> Mapping[str, set[str]]:
    """The actions of each command, as the page's table has them."""
    actions: dict[str, set[str]] = defaultdict(set)
    command = ""
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith(("| `warden", "| | ")):
            first, second = line.split("|")[1:3]
            command = first.strip(" `") or command
            actions[command] |= set(re.findall(r"`(\w+:\w+)`", second))
    return actions


class Recorded:
    """The actions that clients call, by the hooks of the real ones and by the names of the doubles' methods."""

    def __init__(self, connect: Connect) -> None:
        self.actions: set[str] = set()
        self._connect = connect

    def connect(self, service: str) -> Any:
        client = self._connect(service)
        if service in DOUBLES:
            self.actions.add(DOUBLES[service])
        else:
            client.meta.events.register(f"before-parameter-build.{service}", self._call)
        return client

    def _call(self, model: Any, **_: Any) -> None:
        self.actions.add(f"{model.service_model.signing_name}:{model.name}")


@pytest.fixture
def ordered(stack: Stack) -> tuple[Deployed, ImageId]:
    deployed = Deployed(stack)
    return deployed, ImageId(RepositoryName("team/app"), deployed.registry.push("v1", "v1"))


@pytest.mark.parametrize("give", [promote, quarantine, release])
def test_an_order_calls_what_the_page_says(give: Any, ordered: tuple[Deployed, ImageId]) -> None:
    deployed, image = ordered
    recorded = Recorded(deployed.connect)
    more = {"anyway": False} if give is promote else {}

    with pytest.raises(Unavailable, match="the order was sent"):
        give(str(image), asked(), recorded.connect, id="1", at=NOW, patience=Clock().patience(0), **more)

    assert recorded.actions == said()[f"warden {give.__name__}"]


def test_a_scan_calls_what_the_page_says(account: Account) -> None:
    image = account.push()
    account.scanned(image)
    inspector = boto3.client("inspector2")
    stubbed = Stubber(inspector)
    stubbed.add_response("list_findings", {"findings": []}, {"filterCriteria": ANY, "maxResults": ANY})
    clients: dict[str, Callable[[], Any]] = {"ecr": account.wire.client, "inspector2": lambda: inspector, "sts": Sts}
    recorded = Recorded(lambda service: clients[service]())
    policy = loaded(a_file("  findings: {epss_from: 0.5}\n"))

    for scan_type in ("BASIC", "ENHANCED"):
        account.scanning = {"scanType": scan_type, "rules": []}
        with stubbed:
            scan(
                str(image),
                recorded.connect,
                recorded.connect,
                patience=Clock().patience(0),
                policy=policy,
                today=NOW.date(),
                delay=0,
            )

    assert recorded.actions == said()["warden scan"]
