"""`warden doctor`: each thing that a deployment needs, found or missing, with its fix."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from cli.account import BOOTSTRAP_VERSION, Account
from cli.doctor import examine
from cli.machine import Machine
from cli.main import commands
from cli.prerequisites import Check, Status, Trail, check_node, check_webhook
from tests.unit.policy.policies import a_file
from warden.errors import Unavailable
from warden.secrets import Credentials

WEBHOOK = "https://hooks.slack.com/services/T00/B00/hunter2"
TRAIL = Trail("all", logging=True, writes=True)


@dataclass(frozen=True)
class AMachine:
    """A machine on which everything is right, but for what a test says."""

    python: tuple[int, int, int] = (3, 14, 0)
    node_version: str | None = "v24.19.0"
    installed: str | None = "2.1148.1"

    def node(self) -> str | None:
        return self.node_version

    def node_needed(self) -> str:
        return ">= 18.0.0"

    def cdk_installed(self) -> str | None:
        return self.installed

    def cdk_pinned(self) -> str:
        return "2.1148.1"


@dataclass(frozen=True)
class AnAccount:
    """An account in which everything is right, but for what a test says; an Unavailable is raised where it stands."""

    chosen_region: str | None = "eu-central-1"
    who: tuple[str, str] | Unavailable = ("111122223333", "arn:aws:sts::111122223333:assumed-role/Admin/alice")
    bootstrap: int | Unavailable | None = 30
    scan_type: tuple[str, int] | Unavailable = ("BASIC", 1)
    url: str | Unavailable = WEBHOOK
    found_trails: tuple[Trail, ...] | Unavailable = (TRAIL,)

    def region(self) -> str | None:
        return self.chosen_region

    def identity(self) -> tuple[str, str]:
        return _given(self.who)

    def bootstrap_version(self) -> int | None:
        return _given(self.bootstrap)

    def scanning(self) -> tuple[str, int]:
        return _given(self.scan_type)

    def credentials(self, secret: str) -> Credentials:
        assert secret == "warden/slack-platform"
        return Credentials(url=_given(self.url))

    def trails(self) -> tuple[Trail, ...]:
        return _given(self.found_trails)


T = TypeVar("T")


def _given(value: T | Unavailable) -> T:
    if isinstance(value, Unavailable):
        raise value
    return value


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "warden.yaml"
    path.write_text(a_file())
    return path


def _checks(path: Path, machine: AMachine = AMachine(), account: AnAccount = AnAccount()) -> dict[str, Check]:
    return {check.name: check for check in examine(machine, account, path)}


def test_where_everything_is_right_every_check_says_so(policy_file: Path) -> None:
    checks = _checks(policy_file)

    assert list(checks) == [
        "Python",
        "Node",
        "CDK CLI",
        "Policy",
        "Region",
        "AWS credentials",
        "CDK bootstrap",
        "Registry scanning",
        "Channel platform",
        "CloudTrail",
    ]
    assert {check.status for check in checks.values()} == {Status.OK}


@pytest.mark.parametrize(
    ("changes", "name", "status", "fix"),
    [
        ({"python": (3, 10, 9)}, "Python", "fail", "use Python 3.11"),
        ({"node_version": None}, "Node", "fail", "make setup"),
        ({"node_version": "v16.20.0"}, "Node", "fail", "needs >= 18.0.0"),
        ({"node_version": "v20.20.2"}, "Node", "warn", "jsii supports Node 22"),
        ({"installed": None}, "CDK CLI", "fail", "npm ci"),
        ({"installed": "3.0.0"}, "CDK CLI", "fail", "npm's `latest`"),
        ({"installed": "2.1000.0"}, "CDK CLI", "fail", "installs 2.1148.1"),
    ],
)
def test_what_the_machine_lacks_is_told_with_its_fix(
    changes: dict[str, object], name: str, status: str, fix: str, policy_file: Path
) -> None:
    check = _checks(policy_file, replace(AMachine(), **changes))[name]  # type: ignore[arg-type]

    assert check.status == status
    assert fix in check.fix


REFUSED = Unavailable("can't ask: these credentials have no right to: ssm:GetParameter")


@pytest.mark.parametrize(
    ("changes", "name", "status", "said"),
    [
        ({"chosen_region": None}, "Region", "fail", "set AWS_REGION"),
        ({"who": ("111122223333", "arn:aws:iam::111122223333:root")}, "AWS credentials", "warn", "deploy as a role"),
        ({"who": REFUSED}, "AWS credentials", "fail", "checks of the account were left out"),
        ({"bootstrap": None}, "CDK bootstrap", "fail", "npx cdk bootstrap aws://111122223333/eu-central-1"),
        ({"bootstrap": 5}, "CDK bootstrap", "fail", "npx cdk bootstrap aws://111122223333/eu-central-1"),
        ({"bootstrap": REFUSED}, "CDK bootstrap", "fail", "no right to: ssm:GetParameter"),
        ({"scan_type": ("ENHANCED", 2)}, "Registry scanning", "warn", "the results of Inspector are not told yet"),
        ({"url": "http://hooks.slack.com/services/hunter2"}, "Channel platform", "fail", "expected https://"),
        ({"url": "https://evil.example/hunter2"}, "Channel platform", "fail", "hooks.slack.com"),
        ({"url": "https://hooks.slack.com@evil.example/hunter2"}, "Channel platform", "fail", "hooks.slack.com"),
        ({"url": Unavailable("the secret does not exist")}, "Channel platform", "fail", "does not exist"),
        ({"found_trails": ()}, "CloudTrail", "warn", "make a trail"),
        ({"found_trails": (replace(TRAIL, logging=False),)}, "CloudTrail", "warn", "make a trail"),
        ({"found_trails": (replace(TRAIL, writes=False),)}, "CloudTrail", "warn", "make a trail"),
        ({"found_trails": REFUSED}, "CloudTrail", "warn", "no right to"),
    ],
)
def test_what_the_account_lacks_is_told_with_its_fix(
    changes: dict[str, object], name: str, status: str, said: str, policy_file: Path
) -> None:
    check = _checks(policy_file, account=replace(AnAccount(), **changes))[name]  # type: ignore[arg-type]

    assert check.status == status
    assert said in f"{check.found} {check.fix}"
    assert "hunter2" not in f"{check.found} {check.fix}"


def test_without_credentials_the_account_is_not_asked_further(policy_file: Path) -> None:
    checks = _checks(policy_file, account=AnAccount(who=REFUSED, bootstrap=REFUSED))

    assert "CDK bootstrap" not in checks


def test_a_broken_policy_fails_and_the_rest_is_checked_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "warden.yaml"
    path.write_text("version: 2\n")

    checks = _checks(path)

    assert checks["Policy"].status is Status.FAIL
    assert "1:1: the key 'channels' is missing" in checks["Policy"].found
    assert checks["CloudTrail"].status is Status.OK


def test_a_relays_host_counts_where_the_policy_allows_it() -> None:
    check = check_webhook("platform", "warden/s", "https://127.0.0.1:8443/x", {"127.0.0.1:8443"})

    assert check.status is Status.OK


def test_the_versions_of_this_project_are_what_its_own_deployment_needs() -> None:
    machine = Machine()

    assert machine.cdk_installed() == machine.cdk_pinned() != "none"
    assert check_node(machine.node(), machine.node_needed()).status is Status.OK


def test_a_project_without_its_packages_is_seen_as_such(tmp_path: Path) -> None:
    machine = Machine(tmp_path, search=str(tmp_path))

    assert (machine.node(), machine.cdk_installed()) == (None, None)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield Account()


def test_an_empty_account_lacks_what_a_deployment_needs(account: Account) -> None:
    assert account.identity()[0] == "123456789012"
    assert account.bootstrap_version() is None
    assert account.scanning() == ("BASIC", 0)
    assert account.trails() == ()
    with pytest.raises(Unavailable, match="the secret warden/slack-platform does not exist"):
        account.credentials("warden/slack-platform")


def test_the_bootstrap_version_is_read_where_cdk_keeps_it(account: Account) -> None:
    boto3.client("ssm").put_parameter(Name=BOOTSTRAP_VERSION, Value="28", Type="String")

    assert account.bootstrap_version() == 28


def test_a_webhook_is_read_as_the_notify_function_reads_it(account: Account) -> None:
    boto3.client("secretsmanager").create_secret(Name="warden/s", SecretString=json.dumps({"url": WEBHOOK}))

    assert account.credentials("warden/s") == Credentials(url=WEBHOOK)


@pytest.mark.parametrize(
    ("selectors", "writes"),
    [
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]}, True),
        ({"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]}, False),
        ({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": False}]}, False),
        (
            {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]},
            True,
        ),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]}, False),
    ],
    ids=str,
)
def test_a_trail_is_judged_by_what_it_records(selectors: dict[str, object], writes: bool, account: Account) -> None:
    boto3.client("s3").create_bucket(Bucket="trails", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    cloudtrail: Any = boto3.client("cloudtrail")  # type: ignore[call-overload,unused-ignore]
    cloudtrail.create_trail(Name="all", S3BucketName="trails", IsMultiRegionTrail=True)
    cloudtrail.put_event_selectors(TrailName="all", **selectors)

    assert account.trails() == (Trail("all", logging=False, writes=writes),)

    cloudtrail.start_logging(Name="all")
    assert account.trails() == (Trail("all", logging=True, writes=writes),)


def test_the_command_ends_with_1_and_the_fixes_where_something_fails(account: Account, policy_file: Path) -> None:
    result = CliRunner().invoke(commands, ["doctor", "--policy", str(policy_file)])

    assert result.exit_code == 1
    assert "fail  CDK bootstrap" in result.stdout
    assert "npx cdk bootstrap aws://123456789012/eu-central-1" in result.stdout
    assert "checks failed" in result.stderr


def test_the_command_ends_with_0_where_nothing_fails_and_shows_no_secret(account: Account, policy_file: Path) -> None:
    boto3.client("ssm").put_parameter(Name=BOOTSTRAP_VERSION, Value="28", Type="String")
    boto3.client("secretsmanager").create_secret(Name="warden/slack-platform", SecretString=WEBHOOK)

    result = CliRunner().invoke(commands, ["doctor", "--policy", str(policy_file), "--json"])

    told = {check["name"]: check for check in json.loads(result.stdout)}
    assert result.exit_code == 0
    assert told["Channel platform"]["status"] == "ok"
    assert told["CloudTrail"]["status"] == "warn"
    assert "hunter2" not in result.output
