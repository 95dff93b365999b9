"""`warden scan` against the local cloud's registry, which really scans, and against answers that it never gives."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click import Context
from click.testing import CliRunner

from cli import scan as command
from cli.main import commands
from tests.account import Account, a_finding
from tests.builders import digest
from tests.conformance.cloud import DEBIAN, Built, index
from tests.local_account import LocalAccount
from tests.unit.cli.deployed import Clock, Sts
from tests.unit.local.images import put, with_files
from tests.unit.policy.policies import a_file, loaded
from tests.wire import Answer, Wire, error, ok
from warden.errors import Refused, Unavailable
from warden.names import Digest, ImageId, RepositoryName
from warden.policy import Policy

TODAY = date(2026, 11, 23)
CURL = "CVE-2023-38545"
BLOCKS = a_file("  findings: {block_from: CRITICAL, notify_from: HIGH}\n")
EXEMPTED = a_file(
    top=f'exemptions: [{{cve: {CURL}, repositories: ["team/*"], until: 2026-12-31, reason: r, approved_by: alice}}]\n'
)


class Hasty(Clock):
    """A clock for waits of no time at all: each counts as five seconds."""

    def sleep(self, seconds: float) -> None:
        assert seconds == 0
        super().sleep(5)


@dataclass
class Scans:
    """What the command has at hand: a registry at the wire."""

    wire: Wire
    clock: Clock = field(default_factory=Hasty)
    inspector: Any = None

    def scan(
        self, image: str, *, wait: bool = True, policy: str | Policy | None = None, seconds: float = 60
    ) -> command.Result:
        return command.scan(
            image,
            self._connect,
            lambda _: self.wire.client(),
            patience=self.clock.patience(seconds) if wait else None,
            policy=loaded(policy) if isinstance(policy, str) else policy,
            today=TODAY,
            delay=0,
        )

    def _connect(self, service: str) -> Any:
        clients: dict[str, Callable[[], Any]] = {
            "ecr": self.wire.client,
            "sts": Sts,
            "inspector2": lambda: self.inspector,
        }
        return clients[service]()


class Local:
    """The local cloud's registry, whose scans are over after so many looks at them."""

    def __init__(self, looks: int = 3) -> None:
        self.account = LocalAccount()
        self.account.create()
        self.left = looks
        self.account.before_call = self._before
        self.scans = Scans(self.account.wire)

    def _before(self, operation: str) -> None:
        if operation == "DescribeImageScanFindings":
            self.left -= 1
            if self.left == 0:
                self.account.small.pass_time(seconds=1)

    def push(self, built: Built, tag: str | None = "v1") -> ImageId:
        return ImageId(RepositoryName("team/app"), Digest(put(self.account.small, built, tag)))

    def enhanced(self) -> None:
        self.account.small.call(
            "PutRegistryScanningConfiguration",
            scanType="ENHANCED",
            rules=[
                {
                    "scanFrequency": "CONTINUOUS_SCAN",
                    "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}],
                }
            ],
        )


@pytest.fixture
def local() -> Local:
    return Local()


def shown(result: command.Result, capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> tuple[str, str, str]:
    """What is on stdout and on stderr, and why the command fails."""
    capsys.readouterr()
    refusal = ""
    try:
        command.show(result, as_json=as_json)
    except Refused as refused:
        refusal = str(refused)
    out, err = capsys.readouterr()
    return out, err, refusal


def rows(out: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in out.splitlines()]


def test_a_scan_is_started_and_waited_for_by_botocores_waiter(local: Local, capsys: pytest.CaptureFixture[str]) -> None:
    image = local.push(with_files(DEBIAN))

    result = local.scans.scan("team/app:v1")

    out, err, refusal = shown(result, capsys)
    assert rows(out)[1] == [image.digest[:19], "scanned (scan started)", "1 critical"]
    assert (err, refusal) == ("", "")
    operations = local.account.wire.operations()
    assert operations.count("StartImageScan") == 1
    assert operations[-4:] == ["DescribeImageScanFindings"] * 4, "three by the waiter, and one that reads all"
    assert [request.get("maxResults") for _, request in local.account.wire.requests[-4:]] == [1, 1, 1, 500]
    assert local.scans.clock.slept == []


def test_who_does_not_wait_is_told_that_the_result_is_to_come(local: Local, capsys: pytest.CaptureFixture[str]) -> None:
    image = local.push(with_files(DEBIAN))

    out, err, refusal = shown(local.scans.scan(str(image), wait=False), capsys)

    assert rows(out)[1] == [image.digest[:19], "scan started"]
    assert "--wait waits for it" in err
    assert refusal == ""
    assert "DescribeImageScanFindings" not in local.account.wire.operations()


def test_what_was_scanned_today_counts_and_is_not_tried_again(local: Local, capsys: pytest.CaptureFixture[str]) -> None:
    local.push(with_files(DEBIAN))
    local.scans.scan("team/app:v1")
    local.account.wire.requests.clear()

    out, _, refusal = shown(local.scans.scan("team/app:v1"), capsys)

    assert "scanned within the last 24 hours: that result counts" in out
    assert "1 critical" in out
    assert refusal == ""
    assert local.account.wire.operations().count("StartImageScan") == 1


def test_of_an_index_each_platform_is_scanned_and_each_finding_counts_once(
    local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    children = [with_files(DEBIAN), with_files({**DEBIAN, "other": "file"})]
    for child in children:
        local.push(child, None)
    image = local.push(index(children))
    local.left = 8

    result = local.scans.scan("team/app:v1")

    out, _, refusal = shown(result, capsys)
    assert [row[1:] for row in rows(out)[1:]] == [
        ["linux/amd64", "scanned (scan started)", "1 critical"],
        ["linux/arm64", "scanned (scan started)", "1 critical"],
    ]
    assert refusal == ""
    told = json.loads(shown(result, capsys, as_json=True)[0])
    assert told["image"] == str(image)
    assert told["counts"] == {"CRITICAL": 1}
    assert [each["counts"] for each in told["scans"]] == [{"CRITICAL": 1}] * 2


def test_a_scan_that_fails_fails_the_command_with_the_scanners_words(
    local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    image = local.push(with_files({"usr/bin/app": "a program"}))

    out, _, refusal = shown(local.scans.scan("team/app:v1"), capsys)

    assert "the scan failed (UnsupportedImageError" in out
    assert refusal.startswith(f"{image}: {image.digest[:19]}: the scan failed (UnsupportedImageError")


@pytest.mark.parametrize(
    ("policy", "verdict", "refusal"),
    [
        (BLOCKS, "block", "the verdict is block"),
        (a_file("  findings: {block_from: CRITICAL, fixable_only: true}\n"), "block", "the verdict is block"),
        (EXEMPTED, "pass", ""),
        (a_file(rules='  - {match: "other/*", findings: {block_from: HIGH}}\n'), "block", "the verdict is block"),
    ],
)
def test_the_verdict_is_that_of_the_policy_with_its_exemptions(
    policy: str, verdict: str, refusal: str, local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    image = local.push(with_files(DEBIAN))

    result = local.scans.scan("team/app:v1", policy=policy)

    out, err, said = shown(result, capsys)
    assert f"verdict: {verdict}\n" in out
    assert said == (f"{image}: {refusal}" if refusal else "")
    assert ("1 of the findings are exempted" in err) is (verdict == "pass")
    assert ([row for row in rows(out) if CURL in row] != []) is (verdict == "block")
    told = json.loads(shown(result, capsys, as_json=True)[0])
    assert (told["verdict"], told["exempted"]) == (verdict, int(verdict == "pass"))
    assert [each["name"] for each in told["told"]] == ([CURL] if verdict == "block" else [])


def test_a_platform_that_is_not_scanned_makes_the_verdict_notify_and_the_command_fail(
    local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    local.push(with_files({"usr/bin/app": "a program"}))

    out, _, refusal = shown(local.scans.scan("team/app:v1", policy=BLOCKS), capsys)

    assert "verdict: notify\n" in out
    assert "the scan failed" in refusal


def test_tags_of_the_repository_tighten_the_verdict_as_they_do_for_the_functions(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    image = account.push()
    account.scanned(image, a_finding(severity="HIGH"))
    account.tags["team/app"] = {"warden:findings.block_from": "HIGH"}

    result = Scans(account.wire).scan(str(image), policy=BLOCKS)

    assert shown(result, capsys)[2] == f"{image}: the verdict is block"


def test_under_enhanced_scanning_nothing_is_started_and_what_is_there_is_shown(
    local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    local.enhanced()
    image = local.push(with_files(DEBIAN))
    local.account.small.pass_time(seconds=1)

    for wait in (False, True):
        result = local.scans.scan("team/app:v1", wait=wait)
        assert "Amazon Inspector scans by itself" in capsys.readouterr().err
        out, err, refusal = shown(result, capsys)
        assert rows(out)[1] == [image.digest[:19], "scanned", "1 critical"]
        assert (err, refusal) == ("", "")
    assert "StartImageScan" not in local.account.wire.operations()


def test_under_enhanced_scanning_no_waiter_looks_in_vain_for_an_end_that_it_does_not_know(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    image = account.push()
    account.scanning = {"scanType": "ENHANCED", "rules": []}
    account.scanned(image, status="PENDING")
    scans = Scans(account.wire)

    out, err, refusal = shown(scans.scan(str(image), wait=False), capsys)
    assert "the scan is not finished" in out
    assert ("--wait waits for it" in err, refusal) == (True, "")

    scans.clock.then = lambda seconds: account.scanned(image, status="ACTIVE") if seconds > 12 else None
    account.wire.requests.clear()
    result = scans.scan(str(image))
    assert shown(result, capsys)[2] == ""
    assert account.calls()["DescribeImageScanFindings"] == 4, "one in five seconds, and none by the waiter"


def test_what_inspector_has_never_seen_is_not_called_clean(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    image = account.push()
    account.scanning = {"scanType": "ENHANCED", "rules": []}

    assert "no scan of it is known" in shown(Scans(account.wire).scan(str(image), wait=False), capsys)[2]
    with pytest.raises(Unavailable, match="no scan of it is known: nothing came in time"):
        Scans(account.wire).scan(str(image))


class InProgress(Account):
    """A registry whose scans go through those answers, look by look, the last for ever."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.looks = list(answers)

    def _DescribeImageScanFindings(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802 - as ECR has it
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def status(word: str, *findings: Mapping[str, Any]) -> Answer:
    return ok({"imageScanStatus": {"status": word}, "imageScanFindings": {"findings": list(findings)}})


RUNNING, UNKNOWN = status("IN_PROGRESS"), error("ScanNotFoundException")


@pytest.mark.parametrize(
    "answers",
    [
        [UNKNOWN, UNKNOWN, status("COMPLETE", a_finding())],
        [UNKNOWN, RUNNING, RUNNING, status("COMPLETE", a_finding())],
        [*[RUNNING] * 20, status("COMPLETE", a_finding())],
        [status("PENDING"), RUNNING, status("COMPLETE", a_finding())],
    ],
)
def test_a_scan_that_is_not_known_at_once_or_takes_long_is_waited_for(
    answers: Sequence[Answer], capsys: pytest.CaptureFixture[str]
) -> None:
    account = InProgress(*answers)
    image = account.push()

    result = Scans(account.wire).scan(str(image))

    assert "1 high" in shown(result, capsys)[0]


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("FAILED", "the scan failed"),
        ("UNSUPPORTED_IMAGE", "the scanner does not support this image"),
        ("SCAN_ELIGIBILITY_EXPIRED", "too old to be scanned again"),
        ("SOMETHING_NEW", "a scan status that we don't know, SOMETHING_NEW"),
    ],
)
def test_an_end_that_the_waiter_does_not_know_is_seen_soon_all_the_same(
    end: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    account = InProgress(RUNNING, status(end))
    image = account.push()

    assert said in shown(Scans(account.wire).scan(str(image), seconds=10_000), capsys)[2]
    assert account.calls()["DescribeImageScanFindings"] <= 7, "the waiter alone would look 60 times"


def test_a_scan_that_does_not_end_in_time_is_told_and_is_not_looked_at_for_ever() -> None:
    account = InProgress(RUNNING)
    image = account.push()

    with pytest.raises(Unavailable, match=r"the scan is not finished: nothing came in time; .* longer --timeout"):
        Scans(account.wire).scan(str(image), seconds=20)
    assert account.calls()["DescribeImageScanFindings"] == 5 * 7, "in each of five looks six by the waiter, and one"


def test_an_image_that_goes_meanwhile_is_told() -> None:
    account = InProgress(error("ImageNotFoundException"))
    image = account.push()
    with pytest.raises(Refused, match="was deleted while its scan was waited for"):
        Scans(account.wire).scan(str(image))
    account.scanning = {"scanType": "ENHANCED", "rules": []}
    with pytest.raises(Refused, match="is gone"):
        Scans(account.wire).scan(str(image), wait=False)


def test_an_answer_that_was_cut_short_is_no_clean_scan() -> None:
    account = InProgress(ok({"imageScanStatus": {"status": "COMPLETE"}}))
    image = account.push()
    with pytest.raises(Unavailable, match="nothing is concluded from it"):
        Scans(account.wire).scan(str(image))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("UnsupportedImageTypeException", "not of a type that ECR scans"),
        ("ImageArchivedException", "archived images are not scanned"),
        ("ImageNotFoundException", "gone before its scan"),
    ],
)
@pytest.mark.parametrize("wait", [True, False])
def test_what_ecr_does_not_scan_fails_and_is_not_waited_for(
    code: str, said: str, wait: bool, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    image = account.push()
    account.refusals["StartImageScan"] = error(code)

    result = Scans(account.wire).scan(str(image), wait=wait, policy=BLOCKS if wait else None)

    out, _, refusal = shown(result, capsys)
    assert said in out
    assert said in refusal
    assert account.calls()["DescribeImageScanFindings"] == 0
    assert ("verdict: notify" in out) is wait


def test_what_ecr_refuses_for_good_is_told_in_its_words(account: Account) -> None:
    image = account.push()
    account.refusals["StartImageScan"] = error("ValidationException", "This feature is disabled")
    with pytest.raises(Refused, match=r"ECR does not scan .*This feature is disabled"):
        Scans(account.wire).scan(str(image))


@pytest.mark.parametrize(
    "operation", ["GetRegistryScanningConfiguration", "BatchGetImage", "StartImageScan", "DescribeImageScanFindings"]
)
def test_without_a_right_the_right_is_named(operation: str, account: Account) -> None:
    image = account.push()
    account.refusals[operation] = error("AccessDeniedException", f"not authorized to perform: ecr:{operation}")
    with pytest.raises(Unavailable, match=f"have no right to: not authorized to perform: ecr:{operation}"):
        Scans(account.wire).scan(str(image))


def _attestation(account: Account) -> ImageId:
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest("config")}
    layer = {"mediaType": "application/vnd.in-toto+json", "digest": digest("layer")}
    return account.push(
        manifest={
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config,
            "layers": [layer],
        }
    )


def _artifact(account: Account) -> ImageId:
    config = {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest("config")}
    media_type = "application/vnd.oci.image.manifest.v1+json"
    return account.push(manifest={"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": []})


def _empty_index(account: Account) -> ImageId:
    media_type = "application/vnd.oci.image.index.v1+json"
    return account.push(manifest={"schemaVersion": 2, "mediaType": media_type, "manifests": []})


@pytest.mark.parametrize(
    ("push", "said"),
    [
        (_attestation, "is an attestation: there is nothing in it that ECR scans"),
        (_artifact, "is an artifact: there is nothing in it that ECR scans"),
        (_empty_index, "is an index that lists no image which ECR could scan"),
    ],
)
def test_what_holds_nothing_to_scan_is_refused(push: Callable[[Account], ImageId], said: str, account: Account) -> None:
    image = push(account)
    with pytest.raises(Refused, match=said):
        Scans(account.wire).scan(str(image))
    assert account.calls()["StartImageScan"] == 0


def test_an_image_that_goes_between_two_questions_is_gone(account: Account) -> None:
    image = account.push()
    account.refusals["BatchGetImage"] = ok({"images": [], "failures": [{"failureCode": "ImageNotFound"}]})
    with pytest.raises(Refused, match="is gone"):
        Scans(account.wire).scan(str(image))


def test_a_scan_is_asked_for_without_the_sdks_retries(account: Account) -> None:
    """They take LimitExceededException for throttling."""
    image = account.push()
    account.refusals["StartImageScan"] = error("LimitExceededException")
    account.scanned(image)

    command.scan(
        str(image),
        lambda service: account.wire.client(attempts=3) if service == "ecr" else None,
        lambda _: account.wire.client(attempts=1),
        patience=None,
        policy=None,
        today=TODAY,
    )

    assert account.calls()["StartImageScan"] == 1


def _enhanced_finding(name: str, severity: str = "CRITICAL") -> dict[str, Any]:
    return {
        "severity": severity,
        "status": "ACTIVE",
        "title": name,
        "packageVulnerabilityDetails": {
            "vulnerabilityId": name,
            "vulnerablePackages": [{"name": "openssl", "version": "3.0.14"}],
        },
    }


def test_where_the_policy_asks_for_the_epss_inspector_is_asked_as_the_functions_ask_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = {"enhancedFindings": [_enhanced_finding("CVE-2026-1"), _enhanced_finding("CVE-2026-2")]}
    account = InProgress(ok({"imageScanStatus": {"status": "ACTIVE"}, "imageScanFindings": found}))
    account.scanning = {"scanType": "ENHANCED", "rules": []}
    image = account.push()
    inspector = boto3.client("inspector2")
    stubbed = Stubber(inspector)
    scored = [
        {"packageVulnerabilityDetails": {"vulnerabilityId": name, "source": "NVD"}, "epss": {"score": score}}
        for name, score in [("CVE-2026-1", 0.01), ("CVE-2026-2", 0.9)]
    ]
    rest = {
        "awsAccountId": "111122223333",
        "description": "d",
        "findingArn": "arn:aws:inspector2:eu-central-1:111122223333:finding/1",
        "firstObservedAt": 0,
        "lastObservedAt": 0,
        "remediation": {},
        "resources": [{"id": "1", "type": "AWS_ECR_CONTAINER_IMAGE"}],
        "severity": "CRITICAL",
        "status": "ACTIVE",
        "type": "PACKAGE_VULNERABILITY",
    }
    stubbed.add_response("list_findings", {"findings": [{**rest, **one} for one in scored]})
    policy = a_file("  findings: {block_from: CRITICAL, epss_from: 0.5}\n")

    with stubbed:
        result = Scans(account.wire, inspector=inspector).scan(str(image), policy=policy)

    told = json.loads(shown(result, capsys, as_json=True)[0])
    assert [each["name"] for each in told["told"]] == ["CVE-2026-2"], "an improbable one is left aside"
    assert told["counts"] == {"CRITICAL": 2}


def test_many_findings_are_shown_as_far_as_a_screen_goes(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    image = account.push()
    account.scanned(image, *(a_finding(f"CVE-2026-{number}") for number in range(1000, 1025)))

    result = Scans(account.wire).scan(str(image), policy=BLOCKS)

    out, err, _ = shown(result, capsys)
    assert out.count("CVE-2026-") == 20
    assert "and 5 more: --json has them all" in err
    assert len(json.loads(shown(result, capsys, as_json=True)[0])["told"]) == 25


def test_text_from_a_manifest_or_a_finding_reaches_no_terminal_as_a_command(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    child = account.push("child", tags=())
    evil = "\x1b[2J\u202e"
    image = account.push(
        "index",
        manifest={
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [
                {
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "digest": child.digest,
                    "platform": {"os": evil, "architecture": "amd64"},
                }
            ],
        },
    )
    account.scanned(child, a_finding(f"CVE-{evil}", severity="CRITICAL", package_name=evil))

    result = Scans(account.wire).scan(str(image), policy=BLOCKS)

    for as_json in (False, True):
        out, err, _ = shown(result, capsys, as_json=as_json)
        assert not {"\x1b", "\u202e"} & set(out + err)


@pytest.mark.parametrize(
    "arguments", [["team/app"], ["team/app:v1", "--timeout", "0"], ["team/app:v1", "--policy", "no"]]
)
def test_what_can_not_be_read_is_told_before_anything_is_asked(arguments: list[str]) -> None:
    result = CliRunner().invoke(commands, ["scan", *arguments, "--wait"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error: " in result.stderr


def test_help_says_what_each_ending_means() -> None:
    read = commands.get_command(Context(commands), "scan")
    assert read is not None
    said = " ".join(CliRunner().invoke(commands, ["scan", "--help"]).stdout.split())
    assert "once in 24 hours" in said
    assert "with 1 when a platform can't be scanned or its scan has failed" in said
    assert "when the verdict is block" in said
