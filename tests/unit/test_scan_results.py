"""Basic and enhanced scanning answer in two shapes, which become one."""

from typing import Any

import pytest

from tests.builders import vector
from warden.findings import Finding, ScanState
from warden.names import Severity
from warden.policy import FindingsStandard
from warden.scan_results import read_enhanced, scan_of
from warden.verdicts import judge

HIGH = FindingsStandard(notify_from=Severity.HIGH, block_from=Severity.CRITICAL)


def enhanced(**changes: Any) -> dict[str, Any]:
    """One finding, as the API reference shows it."""
    (answer,) = vector("findings/enhanced.active.api-reference.json")["imageScanFindings"]["enhancedFindings"]
    return {**answer, **changes}


def a_page(*answers: dict[str, Any], status: str = "ACTIVE") -> dict[str, Any]:
    return {"imageScanStatus": {"status": status}, "imageScanFindings": {"enhancedFindings": list(answers)}}


def package(**changes: Any) -> dict[str, Any]:
    details = enhanced()["packageVulnerabilityDetails"]
    return {**details, "vulnerablePackages": [{**details["vulnerablePackages"][0], **changes}]}


def test_the_finding_of_the_api_reference_is_read() -> None:
    assert scan_of([vector("findings/enhanced.active.api-reference.json")]).findings == (
        Finding(
            "CVE-2022-49043",
            Severity.HIGH,
            "libxml2",
            "2.9.14+dfsg-1.3~deb12u1",
            score=8.1,
            unfixable=True,
            unexploited=True,
        ),
    )


def test_a_vulnerability_in_two_packages_is_two_findings() -> None:
    one = package()["vulnerablePackages"][0]
    details = {**package(), "vulnerablePackages": [one, {**one, "name": "libxml2-dev"}, one]}
    scan = scan_of([a_page(enhanced(packageVulnerabilityDetails=details))])
    assert [finding.package for finding in scan.findings] == ["libxml2", "libxml2-dev"]


@pytest.mark.parametrize(
    ("manager", "kind"),
    [("OS", ""), ("", ""), ("NODEPKG", "npm"), ("JAR", "Java"), ("CARGO", "cargo"), ("SOMETHING_NEW", "something_new")],
)
def test_the_package_manager_is_told_where_it_is_not_the_systems(manager: str, kind: str) -> None:
    (finding,) = read_enhanced(enhanced(packageVulnerabilityDetails=package(packageManager=manager)))
    assert finding.kind == kind


@pytest.mark.parametrize(
    ("said", "fixed_in"), [("NotAvailable", None), ("", None), ("0:2.0.0", "2.0.0"), ("1:2.0.0", "1:2.0.0")]
)
def test_only_a_version_is_a_fix(said: str, fixed_in: str | None) -> None:
    (finding,) = read_enhanced(enhanced(packageVulnerabilityDetails=package(fixedInVersion=said)))
    assert finding.fixed_in == fixed_in


@pytest.mark.parametrize(
    ("changes", "severity", "score"),
    [
        ({"severity": "UNTRIAGED"}, Severity.UNDEFINED, 8.1),
        ({"severity": "SOMETHING_NEW"}, Severity.UNDEFINED, 8.1),
        ({"score": None}, Severity.HIGH, None),
        ({"score": "nan"}, Severity.HIGH, None),
    ],
)
def test_what_is_not_known_is_not_made_up(changes: dict[str, Any], severity: Severity, score: float | None) -> None:
    (finding,) = read_enhanced(enhanced(**changes))
    assert (finding.severity, finding.score) == (severity, score)


def test_a_finding_without_a_package_is_told_by_its_title() -> None:
    (finding,) = read_enhanced({"title": "something new", "severity": "HIGH"})
    assert (finding.name, finding.package, finding.version) == ("something new", "unknown package", "unknown version")


@pytest.mark.parametrize(
    ("status", "active", "suppressed"),
    [("ACTIVE", 1, 0), ("SUPPRESSED", 0, 1), ("CLOSED", 0, 0), ("SOMETHING_NEW", 1, 0), (None, 1, 0)],
)
def test_what_inspector_closed_is_over_and_what_it_suppressed_is_counted(
    status: str | None, active: int, suppressed: int
) -> None:
    scan = scan_of([a_page(enhanced(status=status))])
    assert (len(scan.findings), len(scan.suppressed)) == (active, suppressed)
    assert judge([scan], HIGH).suppressed == suppressed
    assert bool(judge([scan], HIGH).told) == bool(active)


def test_how_many_run_the_image_is_told() -> None:
    scan = scan_of([vector("findings/enhanced.active.mixed.json")])
    assert (scan.in_use, judge([scan, scan], HIGH).in_use) == (3, 6)


def test_a_known_exploit_goes_before_a_higher_score() -> None:
    pages = [a_page(enhanced(score=9.9), enhanced(score=7.0, exploitAvailable="YES", title="x"))]
    told = judge([scan_of(pages)], HIGH).told
    assert [(finding.exploit, finding.score) for finding in told] == [(True, 7.0), (False, 9.9)]


def test_pages_of_both_kinds_add_up() -> None:
    pages = [vector(f"findings/enhanced.active.page{number}-of-2.json") for number in (1, 2)]
    answers = [answer for page in pages for answer in page["imageScanFindings"]["enhancedFindings"]]
    assert len(scan_of(pages).findings) == len(answers) > 0
    assert len(scan_of(vector(f"findings/basic.complete.page{number}-of-3.json") for number in (1, 2, 3)).findings) > 2


@pytest.mark.parametrize("status", ["PENDING", "IN_PROGRESS", "SCAN_ELIGIBILITY_EXPIRED", "SOMETHING_NEW"])
def test_findings_mean_nothing_before_the_scan_is_over(status: str) -> None:
    scan = scan_of([a_page(enhanced(), status=status)])
    assert scan.state is not ScanState.SCANNED
    assert scan.findings == ()


def test_a_page_without_findings_is_no_clean_one() -> None:
    with pytest.raises(KeyError, match="findings"):
        scan_of([{"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": {}}])
