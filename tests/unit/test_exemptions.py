"""What was accepted does not count until its last day is over, and is never forgotten."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import an_exemption, finding
from warden import exemptions
from warden.findings import Finding, Scan, ScanState
from warden.known import Verdict
from warden.names import RepositoryName, Severity
from warden.policy import Exemption, FindingsStandard
from warden.verdicts import judge

STANDARD = FindingsStandard(notify_from=Severity.HIGH, block_from=Severity.CRITICAL)
APP = RepositoryName("team/app")
TODAY = date(2026, 11, 23)


def exemption(cve: str = "CVE-2026-1", **changes: object) -> Exemption:
    written = an_exemption(cve, **changes)
    return Exemption(**{**written, "repositories": tuple(written["repositories"])})


def scan(*found: Finding) -> Scan:
    return Scan(ScanState.SCANNED, "scanned", found)


@pytest.mark.parametrize(
    ("until", "verdict"),
    [("2026-12-14", Verdict.PASS), ("2026-11-23", Verdict.PASS), ("2026-11-22", Verdict.BLOCK)],
)
def test_an_exemption_counts_to_the_end_of_its_last_day(until: str, verdict: Verdict) -> None:
    critical = finding("CVE-2026-1", Severity.CRITICAL)
    judgement = judge([scan(critical)], STANDARD, [exemption(until=until)], today=TODAY)
    assert judgement.verdict is verdict
    assert judgement.counts == {Severity.CRITICAL: 1}, "what is accepted stays countable"
    over = verdict is Verdict.BLOCK
    assert [one.finding for one in (judgement.lapsed if over else judgement.exempted)] == [critical]
    assert (judgement.exempted == ()) is over


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, 0),
        ({"cve": "cve-2026-1"}, 0),
        ({"cve": "CVE-2026-2"}, 1),
        ({"cve": "CVE-2026-11"}, 1),
        ({"package": "openssl"}, 0),
        ({"package": "openss"}, 1),
    ],
)
def test_only_the_very_finding_is_accepted(changes: dict[str, str], told: int) -> None:
    found = finding("CVE-2026-1", Severity.HIGH, package="openssl")
    assert len(judge([scan(found)], STANDARD, [exemption(**changes)], today=TODAY).told) == told


@pytest.mark.parametrize(("pattern", "mine"), [("team/*", True), ("*", True), ("team", False), ("other/*", False)])
def test_only_in_its_repositories(pattern: str, mine: bool) -> None:
    assert bool(exemptions.of_repository([exemption(repositories=[pattern])], APP)) is mine


def test_of_several_the_one_that_lasts_longest_counts() -> None:
    several = [exemption(until=until) for until in ("2026-11-01", "2027-01-31", "2026-12-14")]
    mine = exemptions.of_repository(several, APP)
    judgement = judge([scan(finding("CVE-2026-1", Severity.HIGH))], STANDARD, mine, today=TODAY)
    assert [one.exemption.until for one in judgement.exempted] == ["2027-01-31"]


@pytest.mark.parametrize(
    ("until", "soon"),
    [("2026-11-22", False), ("2026-11-23", True), ("2026-12-07", True), ("2026-12-08", False)],
)
def test_it_is_told_two_weeks_before(until: str, soon: bool) -> None:
    assert bool(exemptions.lapsing([exemption(until=until)], TODAY)) is soon


def test_what_was_told_before_it_was_accepted_is_news_again_when_that_is_over() -> None:
    found = [scan(finding("CVE-2026-1", Severity.HIGH))]
    before = judge(found, STANDARD, today=TODAY)
    after = judge(found, STANDARD, [exemption(until="2026-11-22")], today=TODAY)
    assert before.told == after.told
    assert before.fingerprint != after.fingerprint


def test_only_what_surely_has_no_fix_is_left_aside() -> None:
    fixable_only = FindingsStandard(Severity.HIGH, Severity.CRITICAL, fixable_only=True)
    unfixable, unknown, fixable = (
        Finding(name, Severity.CRITICAL, "a", "1", fixed_in=fixed_in, unfixable=surely)
        for name, fixed_in, surely in (("CVE-1", None, True), ("CVE-2", None, False), ("CVE-3", "2", False))
    )
    judgement = judge([scan(unfixable, unknown, fixable)], fixable_only)
    assert ([one.name for one in judgement.told], judgement.unfixable) == (["CVE-2", "CVE-3"], 1)
    assert judge([scan(unfixable)], fixable_only).verdict is Verdict.PASS
    assert judge([scan(unfixable)], STANDARD).verdict is Verdict.BLOCK


FOUND = st.lists(
    st.builds(
        Finding,
        name=st.sampled_from(["CVE-2026-1", "CVE-2026-2", "CVE-2026-3"]),
        severity=st.sampled_from(Severity),
        package=st.sampled_from(["openssl", "zlib"]),
        version=st.just("1"),
        unfixable=st.booleans(),
    ),
    max_size=6,
)
EXEMPTIONS = st.lists(
    st.builds(
        exemption,
        st.sampled_from(["CVE-2026-1", "CVE-2026-2"]),
        package=st.sampled_from([None, "openssl"]),
        until=st.sampled_from(["2026-11-22", "2026-11-23", "2027-01-31"]),
    ),
    max_size=4,
)


@given(FOUND, EXEMPTIONS, st.booleans())
def test_every_finding_is_told_or_accounted_for(
    found: list[Finding], accepted: list[Exemption], fixable_only: bool
) -> None:
    standard = FindingsStandard(Severity.UNDEFINED, Severity.CRITICAL, fixable_only=fixable_only)
    mine = exemptions.of_repository(accepted, APP)
    judgement = judge([scan(*found)], standard, mine, today=TODAY)
    aside = {one.finding for one in judgement.exempted}
    assert aside.isdisjoint(judgement.told)
    assert len(judgement.told) + len(aside) + judgement.unfixable == len(set(found)) == sum(judgement.counts.values())
    assert {one.finding for one in judgement.lapsed} <= set(judgement.told)
    without = judge([scan(*found)], standard, today=TODAY)
    assert set(judgement.told) <= set(without.told)
