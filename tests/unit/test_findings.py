"""Findings in one shape, and the verdict over them."""

from dataclasses import replace
from typing import Any

import botocore.model
import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_policy, finding, vector
from warden.findings import Finding, Scan, ScanState, state_of
from warden.known import Verdict
from warden.names import RepositoryName, Severity
from warden.policy import FindingsStandard
from warden.scan_results import read_basic
from warden.standards import standard_of
from warden.verdicts import judge

STANDARD = standard_of(a_policy(), RepositoryName("team/app"), {}).findings
SCANNED, UNSCANNED = ScanState.SCANNED, ScanState.UNSCANNED

findings_ = st.builds(
    Finding,
    name=st.sampled_from(["CVE-1", "CVE-2", "CVE-3"]),
    severity=st.sampled_from(Severity),
    package=st.sampled_from(["a", "b"]),
    version=st.just("1"),
)
scans_ = st.lists(
    st.builds(
        Scan,
        state=st.just(SCANNED),
        explanation=st.just("scanned"),
        findings=st.lists(findings_).map(tuple),
        platform=st.sampled_from(["linux/amd64", "linux/arm64"]),
    ),
    min_size=1,
    max_size=3,
)
thresholds = st.builds(FindingsStandard, notify_from=st.sampled_from(Severity), block_from=st.sampled_from(Severity))


def scan(*found: Finding, platform: str = "") -> Scan:
    return Scan(SCANNED, "scanned", found, platform=platform)


def test_a_finding_of_basic_scanning_is_read_from_its_attributes() -> None:
    answer = vector("findings/basic.complete.mixed.json")["imageScanFindings"]["findings"][0]
    assert read_basic(answer) == Finding(
        "CVE-2026-20000", Severity.CRITICAL, "libpkg0", "1.0.0-1ubuntu1", fixed_in=None, score=4.6
    )


@pytest.mark.parametrize("key", ["fixed_in_versions", "fixed_in_version", "patched_versions"])
def test_a_fixed_version_is_taken_from_whichever_attribute_has_it(key: str) -> None:
    answer = {"name": "CVE-1", "severity": "LOW", "attributes": [{"key": key, "value": "2.0"}]}
    assert read_basic(answer).fixed_in == "2.0"


@pytest.mark.parametrize(
    ("attributes", "score"),
    [
        ([("CVSS2_SCORE", "5.0"), ("CVSS3_SCORE", "9.8")], 9.8),
        ([("CVSS2_SCORE", "5.0")], 5.0),
        ([("CVSS3_SCORE", "nan"), ("CVSS2_SCORE", "5.0")], 5.0),
        ([("CVSS3_SCORE", "high")], None),
        ([], None),
    ],
)
def test_the_newest_score_that_is_a_number_counts(attributes: list[tuple[str, str]], score: float | None) -> None:
    answer: dict[str, Any] = {"name": "x", "attributes": [{"key": key, "value": value} for key, value in attributes]}
    assert read_basic(answer).score == score


def test_a_severity_that_we_do_not_know_is_undefined_and_a_missing_package_is_said() -> None:
    odd = read_basic({"name": "ELSA-2026-1", "severity": "UNTRIAGED"})
    assert (odd.severity, odd.package, odd.version) == (Severity.UNDEFINED, "unknown package", "unknown version")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("COMPLETE", SCANNED),
        ("ACTIVE", SCANNED),
        ("IN_PROGRESS", ScanState.WAITING),
        ("PENDING", ScanState.WAITING),
        ("FAILED", UNSCANNED),
        ("UNSUPPORTED_IMAGE", UNSCANNED),
        ("SCAN_ELIGIBILITY_EXPIRED", UNSCANNED),
        ("FINDINGS_UNAVAILABLE", UNSCANNED),
        ("LIMIT_EXCEEDED", UNSCANNED),
        ("IMAGE_ARCHIVED", UNSCANNED),
        ("IMAGE_SIZE_EXCEEDED", UNSCANNED),
        ("SOMETHING_OF_NEXT_YEAR", UNSCANNED),
        ("", UNSCANNED),
    ],
)
def test_every_status_means_something_and_an_unknown_one_is_never_clean(status: str, state: ScanState) -> None:
    assert state_of(status)[0] is state


def test_every_status_that_botocore_knows_has_words_of_its_own() -> None:
    model = botocore.session.get_session().get_service_model("ecr")
    shape = model.shape_for("ScanStatus")
    assert isinstance(shape, botocore.model.StringShape)
    assert shape.enum
    for status in shape.enum:
        assert "don't know" not in state_of(status)[1]


@pytest.mark.parametrize(
    ("severities", "verdict"),
    [
        ([], Verdict.PASS),
        ([Severity.MEDIUM, Severity.LOW], Verdict.PASS),
        ([Severity.HIGH], Verdict.NOTIFY),
        ([Severity.HIGH, Severity.CRITICAL], Verdict.BLOCK),
        ([Severity.UNDEFINED], Verdict.PASS),
    ],
)
def test_the_worst_finding_decides_the_verdict(severities: list[Severity], verdict: Verdict) -> None:
    found = [finding(f"CVE-{number}", severity) for number, severity in enumerate(severities)]
    assert judge([scan(*found)], STANDARD).verdict is verdict


def test_a_platform_that_was_not_scanned_is_never_clean() -> None:
    judgement = judge([scan(), Scan(UNSCANNED, "the scan failed", platform="linux/arm64")], STANDARD)
    assert judgement.verdict is Verdict.NOTIFY
    assert [unscanned.platform for unscanned in judgement.unscanned] == ["linux/arm64"]


def test_the_same_finding_on_two_platforms_counts_once() -> None:
    both = [scan(finding(), platform="linux/amd64"), scan(finding(), platform="linux/arm64")]
    assert judge(both, STANDARD).counts == {Severity.HIGH: 1}


def test_what_is_told_is_worst_first_then_by_score() -> None:
    low, high = finding("CVE-1", score=7.0), finding("CVE-2", score=8.9)
    worst = finding("CVE-3", Severity.CRITICAL, score=None)
    assert judge([scan(low, high, worst)], STANDARD).told == (worst, high, low)


def test_twelve_hundred_findings_are_counted_exactly() -> None:
    found = [finding(f"CVE-2026-{number}", list(Severity)[number % 6]) for number in range(1200)]
    assert judge([scan(*found)], STANDARD).counts == dict.fromkeys(Severity, 200)


@given(scans_, thresholds)
def test_counts_add_up_and_what_is_told_reaches_a_threshold(scans: list[Scan], standard: FindingsStandard) -> None:
    judgement = judge(scans, standard)
    distinct = {found for scan in scans for found in scan.findings}
    assert sum(judgement.counts.values()) == len(distinct)
    reaching = {
        found
        for found in distinct
        if found.severity.reaches(standard.notify_from) or found.severity.reaches(standard.block_from)
    }
    assert set(judgement.told) == reaching
    assert (judgement.verdict is Verdict.PASS) == (not reaching)


@given(scans_, st.randoms())
def test_the_fingerprint_does_not_depend_on_order(scans: list[Scan], random: Any) -> None:
    shuffled = [replace(scan, findings=tuple(random.sample(scan.findings, len(scan.findings)))) for scan in scans]
    random.shuffle(shuffled)
    assert judge(scans, STANDARD).fingerprint == judge(shuffled, STANDARD).fingerprint


def test_new_news_has_a_new_fingerprint() -> None:
    judgements = [
        judge([scan()], STANDARD),
        judge([scan(finding())], STANDARD),
        judge([scan(finding(), finding("CVE-2"))], STANDARD),
        judge([scan(finding(severity=Severity.CRITICAL))], STANDARD),
        judge([Scan(UNSCANNED, "the scan failed")], STANDARD),
        judge([Scan(UNSCANNED, "the image is archived")], STANDARD),
    ]
    assert len({judgement.fingerprint for judgement in judgements}) == len(judgements)


def test_what_stays_below_the_threshold_is_no_news() -> None:
    quiet = judge([scan()], STANDARD), judge([scan(finding(severity=Severity.LOW))], STANDARD)
    assert quiet[0].fingerprint == quiet[1].fingerprint
