"""`warden scan`: have an image scanned now, wait for the result, and hold it against the policy."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.aws import asking, client
from cli.images import IMAGE, resolve
from cli.options import EXISTING, json_option, load_policy
from cli.patience import Patience
from cli.printing import print_json, print_table, tell
from cli.stack import Connect
from warden.errors import Refused
from warden.exemptions import of_repository
from warden.findings import Finding, Scan, ScanState
from warden.images import Image
from warden.known import Verdict
from warden.names import Severity, short
from warden.policy import Policy
from warden.standards import standard_of
from warden.verdicts import Judgement, judge

if TYPE_CHECKING:
    from cli.scanning import PlatformScan, Scanner

MOST_SHOWN = 20
"""Findings in the table; --json has them all."""
_TIMEOUT = 300
_LONGEST_WAIT = 86_400


@dataclass(frozen=True, slots=True)
class Result:
    """An image with the scans of its platforms, and the verdict where a policy was given."""

    image: Image
    enhanced: bool
    scans: "tuple[PlatformScan, ...]"
    judgement: Judgement | None = None

    @property
    def failures(self) -> tuple[str, ...]:
        """Why the command fails; none where it does not."""
        problems = [f"{_name(each)}: {each.problem}" for each in self.scans if each.problem]
        blocks = self.judgement is not None and self.judgement.verdict is Verdict.BLOCK
        return (*problems, *(["the verdict is block"] if blocks else []))


@click.command("scan", short_help="Have an image scanned, and show what was found.")
@click.argument("image", metavar=IMAGE)
@click.option("--wait", is_flag=True, help="Wait for the result, and show it.")
@click.option("--policy", "policy_path", type=EXISTING, help="Give the verdict by this policy file; implies --wait.")
@click.option(
    "--timeout",
    default=_TIMEOUT,
    show_default=True,
    type=click.IntRange(1, _LONGEST_WAIT),
    metavar="SECONDS",
    help="How long to wait for the result.",
)
@json_option
def command(image: str, wait: bool, policy_path: Path | None, timeout: int, as_json: bool) -> None:
    """Start a scan of an image, of each platform where it is an index, and show what it found.

    ECR's basic scanning scans an image once in 24 hours: within these the last result counts. Under enhanced scanning
    nothing is started, since Amazon Inspector scans by itself: what it knows is shown.

    With --policy the verdict is what the deployed functions would give, by the standard of the repository with the
    exemptions of today. REPO:TAG is the image that has the tag now.

    It ends with 0 when the scan was started or has a result; with 1 when a platform can't be scanned or its scan has
    failed, when there is no result in time, and, with --policy, when the verdict is block.
    """
    policy = load_policy(policy_path) if policy_path else None
    patience = Patience.of(timeout) if wait or policy else None
    once = partial(client, attempts=1)
    show(scan(image, client, once, patience=patience, policy=policy, today=datetime.now(UTC).date()), as_json=as_json)


def scan(
    text: str,
    connect: Connect,
    connect_once: Connect,
    *,
    patience: Patience | None,
    policy: Policy | None,
    today: date,
    delay: float | None = None,
) -> Result:
    """Have the image scanned; the results are waited for where there is patience.

    `delay` are the seconds between two looks. Raises Refused and Unavailable.
    """
    from cli.scanning import DELAY, scanner_of  # noqa: PLC0415 - botocore takes a tenth of a second

    scanner = scanner_of(connect, connect_once, DELAY if delay is None else delay)
    image = resolve(text, scanner.registry)
    if scanner.enhanced:
        tell(
            "The registry has enhanced scanning: Amazon Inspector scans by itself, and what it found is there already."
        )
    scans = scanner.start(image)
    if patience is not None:
        scans = tuple(scanner.wait(each, patience) for each in scans)
    elif scanner.enhanced:
        scans = tuple(map(scanner.look, scans))
    if policy is None:
        return Result(image, scanner.enhanced, scans)
    return _judged(Result(image, scanner.enhanced, scans), policy, scanner, connect, today)


def _judged(result: Result, policy: Policy, scanner: "Scanner", connect: Connect, today: date) -> Result:
    """With the verdict that the deployed functions would give, apart from what is news."""
    from cli.scanning import with_epss  # noqa: PLC0415
    from warden.inspector import Inspector  # noqa: PLC0415

    repository = result.image.id.repository
    with asking(f"read the tags of {repository}"):
        account = connect("sts").get_caller_identity()["Account"]
        tags = scanner.registry.repository_tags(repository, account)
    standard = standard_of(policy, repository, tags or {})
    scans = [(each.image, _scan_of(each)) for each in result.scans]
    if scanner.enhanced and standard.findings.epss_from is not None:
        inspector = Inspector(connect("inspector2"))
        scans = [(image, with_epss(image, scan, inspector)) for image, scan in scans]
    accepted = of_repository(policy.exemptions, repository)
    judgement = judge((scan for _, scan in scans), standard.findings, accepted, today=today)
    return replace(result, judgement=judgement)


def _scan_of(each: "PlatformScan") -> Scan:
    """A platform that ECR won't scan is unscanned, and unknown is never clean."""
    return each.scan or Scan(ScanState.UNSCANNED, each.problem, platform=each.platform)


def show(result: Result, *, as_json: bool) -> None:
    """Print it. Raises Refused where the scan has failed, or the verdict is block."""
    if as_json:
        print_json(_as_json(result))
    else:
        print_table(("IMAGE", "PLATFORM", "SCAN", "FINDINGS"), map(_row, result.scans))
        if result.judgement is not None:
            _show_verdict(result.judgement)
    if result.failures:
        raise Refused(f"{result.image.id}: {'; '.join(result.failures)}")
    if any(each.is_open for each in result.scans):
        tell("The result comes in some seconds to minutes: --wait waits for it.")


def _show_verdict(judgement: Judgement) -> None:
    click.echo(f"verdict: {judgement.verdict}")
    if judgement.told:
        rows = [_finding_row(finding) for finding in judgement.told[:MOST_SHOWN]]
        print_table(("SEVERITY", "FINDING", "PACKAGE", "VERSION", "FIXED IN"), rows)
    if (more := len(judgement.told) - MOST_SHOWN) > 0:
        tell(f"and {more} more: --json has them all")
    if judgement.exempted:
        tell(f"{len(judgement.exempted)} of the findings are exempted, and do not count.")


def _finding_row(finding: Finding) -> tuple[str, str, str, str, str]:
    shown = finding.shown
    return str(shown.severity), shown.name, shown.package, shown.version, shown.fixed_in or ""


def _row(each: "PlatformScan") -> tuple[str, str, str, str]:
    if each.problem:
        state = each.problem
    elif each.scan is None:
        state = str(each.start)
    else:
        state = f"{each.scan.why} ({each.start})" if each.start else each.scan.why
    return short(each.image.digest), each.platform, state, _in_words(_counts([each])) if _is_scanned(each) else ""


def _name(each: "PlatformScan") -> str:
    return each.platform or short(each.image.digest)


def _is_scanned(each: "PlatformScan") -> bool:
    return each.scan is not None and each.scan.state is ScanState.SCANNED


def _counts(scans: "Iterable[PlatformScan]") -> Mapping[Severity, int]:
    """How many findings there are of each severity, the worst first; each once, however many platforms have it."""
    findings = {finding for each in scans if each.scan for finding in each.scan.findings}
    tally = Counter(finding.severity for finding in findings)
    return {severity: tally[severity] for severity in Severity if tally[severity]}


def _in_words(counts: Mapping[Severity, int]) -> str:
    return ", ".join(f"{count} {severity.lower()}" for severity, count in counts.items()) or "none"


def _as_json(result: Result) -> dict[str, Any]:
    judgement = result.judgement
    return {
        "image": str(result.image.id),
        "enhanced": result.enhanced,
        "scans": [
            {
                "image": str(each.image),
                "platform": each.platform,
                "start": str(each.start) if each.start else None,
                "state": str(each.scan.state) if each.scan else None,
                "explanation": each.problem or (each.scan.why if each.scan else ""),
                "counts": _counts([each]) if _is_scanned(each) else None,
            }
            for each in result.scans
        ],
        "counts": _counts(result.scans) if all(map(_is_scanned, result.scans)) else None,
        "verdict": str(judgement.verdict) if judgement else None,
        "told": _findings(judgement.told) if judgement else None,
        "exempted": len(judgement.exempted) if judgement else None,
    }


def _findings(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "name": finding.name,
            "severity": str(finding.severity),
            "package": finding.package,
            "version": finding.version,
            "fixedIn": finding.fixed_in,
        }
        for finding in findings
    ]
