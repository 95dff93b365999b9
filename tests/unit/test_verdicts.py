"""The verdict, and what of it is news: laws, and the tables of what a standard leaves aside."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import an_exemption, finding
from warden.findings import Finding, Scan, ScanState
from warden.known import Before, Known, Verdict, known
from warden.names import Severity
from warden.policy import Exemption, FindingsStandard
from warden.verdicts import Judgement, judge

TODAY, LONG_AGO = date(2026, 11, 23), date(2026, 11, 1)
STANDARD = FindingsStandard(Severity.HIGH, Severity.CRITICAL)
NEW_ONLY = replace(STANDARD, new_only=True)

FINDINGS = st.lists(
    st.builds(
        Finding,
        name=st.sampled_from(["CVE-1", "CVE-2", "CVE-3"]),
        severity=st.sampled_from(Severity),
        package=st.sampled_from(["a", "b"]),
        version=st.sampled_from(["1", "2"]),
        exploit=st.booleans(),
        unfixable=st.booleans(),
        unexploited=st.booleans(),
        epss=st.sampled_from([None, 0.001, 0.5]),
    ),
    max_size=8,
)
UNSCANNED = st.builds(Scan, st.just(ScanState.UNSCANNED), st.sampled_from(["failed", "too large"]))
SCANNED = st.builds(Scan, st.just(ScanState.SCANNED), st.just("scanned"), FINDINGS.map(tuple), FINDINGS.map(tuple))
PLATFORMS = st.sampled_from(["", "linux/amd64", "linux/arm64"])
SCANS = st.lists(
    st.builds(lambda scan, platform: replace(scan, platform=platform), SCANNED | UNSCANNED, PLATFORMS), max_size=3
)
STANDARDS = st.builds(
    FindingsStandard,
    notify_from=st.sampled_from(Severity),
    block_from=st.sampled_from(Severity),
    fixable_only=st.booleans(),
    new_only=st.booleans(),
    exploited_only=st.booleans(),
    epss_from=st.sampled_from([None, 0.01, 0.9]),
    fix_within=st.dictionaries(st.sampled_from(Severity), st.integers(1, 90)),
)
EXEMPTIONS = st.lists(
    st.builds(
        lambda cve, package, until: Exemption(**{**an_exemption(cve), "package": package, "until": until}),
        st.sampled_from(["CVE-1", "CVE-2"]),
        st.sampled_from([None, "a"]),
        st.sampled_from(["2026-11-22", "2026-12-31"]),
    ),
    max_size=2,
)


def scan(*found: Finding, platform: str = "", suppressed: tuple[Finding, ...] = ()) -> Scan:
    return Scan(ScanState.SCANNED, "scanned", found, suppressed, platform=platform)


def gap(explanation: str = "the scan failed", platform: str = "linux/arm64") -> Scan:
    return Scan(ScanState.UNSCANNED, explanation, platform=platform)


def before(
    *found: Finding, itself: bool = False, verdict: Verdict = Verdict.NOTIFY, gaps: tuple[Scan, ...] = ()
) -> Before:
    return Before(known("team/app:v1", verdict, found, gaps, before=None, today=LONG_AGO), itself=itself)


BEFORES = st.none() | st.builds(
    lambda found, scans, itself, verdict: before(
        *found, itself=itself, verdict=verdict, gaps=tuple(one for one in scans if one.state is ScanState.UNSCANNED)
    ),
    FINDINGS,
    SCANS,
    st.booleans(),
    st.sampled_from(Verdict),
)


@given(SCANS, STANDARDS, EXEMPTIONS, BEFORES)
def test_news_is_of_what_is_told_and_what_is_told_counts(
    scans: list[Scan], standard: FindingsStandard, accepted: list[Exemption], then: Before | None
) -> None:
    judgement = judge(scans, standard, accepted, today=TODAY, before=then)
    assert set(judgement.news) <= set(judgement.told) <= set(judgement.counting)
    assert set(judgement.gaps) <= set(judgement.unscanned)
    assert judgement.found >= {one.key for one in judgement.counting}
    assert set(judgement.due) <= set(judgement.told)


@given(SCANS, STANDARDS, BEFORES)
def test_what_counts_was_introduced_or_stayed(
    scans: list[Scan], standard: FindingsStandard, then: Before | None
) -> None:
    judgement = judge(scans, standard, today=TODAY, before=then)
    comparison = judgement.comparison
    assert (comparison is None) == (then is None)
    if comparison:
        introduced = {one.key for one in comparison.introduced}
        assert len(introduced) + comparison.stayed == len({one.key for one in judgement.counting})
        assert (comparison.fixed is None) == bool(judgement.unscanned)


@given(SCANS, STANDARDS, EXEMPTIONS, BEFORES)
def test_the_verdict_does_not_depend_on_what_was_before(
    scans: list[Scan], standard: FindingsStandard, accepted: list[Exemption], then: Before | None
) -> None:
    with_it, without = (judge(scans, standard, accepted, today=TODAY, before=one) for one in (then, None))
    assert with_it.verdict is without.verdict
    assert (with_it.told, with_it.counting, with_it.counts) == (without.told, without.counting, without.counts)


@given(SCANS, STANDARDS, EXEMPTIONS, BEFORES)
def test_what_was_remembered_of_a_look_makes_the_same_look_a_repetition_without_news(
    scans: list[Scan], standard: FindingsStandard, accepted: list[Exemption], then: Before | None
) -> None:
    first = judge(scans, standard, accepted, today=TODAY, before=then)
    remembered = Before(first.known("team/app:v2", TODAY), itself=True)
    again = judge(scans, standard, accepted, today=TODAY + timedelta(days=1), before=remembered)
    assert again.is_repetition
    assert not again.is_news
    assert (again.news, again.gaps) == ((), ())


@given(SCANS, STANDARDS)
def test_at_the_first_look_all_that_is_told_is_news(scans: list[Scan], standard: FindingsStandard) -> None:
    judgement = judge(scans, standard, today=TODAY)
    assert judgement.news == judgement.told
    assert judgement.gaps == judgement.unscanned
    assert not judgement.is_repetition


@given(SCANS, STANDARDS)
def test_what_is_left_aside_is_never_what_is_unknown(scans: list[Scan], standard: FindingsStandard) -> None:
    judgement = judge(scans, standard, today=TODAY)
    everything = {one for each in scans for one in each.findings}
    for one in everything - set(judgement.counting):
        surely_improbable = one.epss is not None and standard.epss_from is not None and one.epss < standard.epss_from
        assert (
            (standard.fixable_only and one.unfixable)
            or (standard.exploited_only and one.unexploited)
            or (surely_improbable and not one.exploit)
        )
    aside = judgement.unfixable + judgement.unexploited + judgement.improbable
    assert aside == len(everything) - len(judgement.counting)


@pytest.mark.parametrize(
    ("standard", "changes", "counts"),
    [
        ({"fixable_only": True}, {"unfixable": True}, False),
        ({"fixable_only": True}, {"fixed_in": None}, True),
        ({}, {"unfixable": True}, True),
        ({"exploited_only": True}, {"unexploited": True}, False),
        ({"exploited_only": True}, {}, True),
        ({"exploited_only": True}, {"exploit": True}, True),
        ({}, {"unexploited": True}, True),
        ({"epss_from": 0.1}, {"epss": 0.09}, False),
        ({"epss_from": 0.1}, {"epss": 0.1}, True),
        ({"epss_from": 0.1}, {"epss": None}, True),
        ({"epss_from": 0.1}, {"epss": 0.09, "exploit": True}, True),
        ({"epss_from": 0.0}, {"epss": 0.0}, True),
        ({}, {"epss": 0.0}, True),
    ],
)
def test_what_a_standard_leaves_aside(standard: dict[str, object], changes: dict[str, object], counts: bool) -> None:
    one = replace(finding(severity=Severity.CRITICAL), **changes)  # type: ignore[arg-type]
    judgement = judge([scan(one)], replace(STANDARD, **standard))  # type: ignore[arg-type]
    assert judgement.counting == ((one,) if counts else ())
    assert judgement.verdict is (Verdict.BLOCK if counts else Verdict.PASS)
    assert judgement.counts == {Severity.CRITICAL: 1}, "what is left aside stays countable"


@pytest.mark.parametrize(
    ("notify_from", "block_from", "severity", "verdict"),
    [
        ("HIGH", "CRITICAL", "CRITICAL", Verdict.BLOCK),
        ("HIGH", "CRITICAL", "HIGH", Verdict.NOTIFY),
        ("HIGH", "CRITICAL", "MEDIUM", Verdict.PASS),
        ("CRITICAL", "HIGH", "HIGH", Verdict.BLOCK),
        ("CRITICAL", "HIGH", "MEDIUM", Verdict.PASS),
        ("LOW", "LOW", "LOW", Verdict.BLOCK),
        ("UNDEFINED", "CRITICAL", "UNDEFINED", Verdict.NOTIFY),
        ("INFORMATIONAL", "CRITICAL", "UNDEFINED", Verdict.PASS),
    ],
)
def test_thresholds(notify_from: str, block_from: str, severity: str, verdict: Verdict) -> None:
    standard = FindingsStandard(Severity(notify_from), Severity(block_from))
    judgement = judge([scan(finding(severity=Severity(severity)))], standard)
    assert judgement.verdict is verdict
    assert len(judgement.told) == (verdict is not Verdict.PASS)


OLD, NEW = finding("CVE-1"), finding("CVE-2")


@pytest.mark.parametrize(
    ("standard", "then", "now", "news"),
    [
        (STANDARD, before(OLD), [OLD], [OLD]),
        (STANDARD, before(OLD), [OLD, NEW], [OLD, NEW]),
        (NEW_ONLY, before(OLD), [OLD], []),
        (NEW_ONLY, before(OLD), [OLD, NEW], [NEW]),
        (STANDARD, before(OLD, itself=True), [OLD], []),
        (STANDARD, before(OLD, itself=True), [OLD, NEW], [OLD, NEW]),
        (NEW_ONLY, before(OLD, itself=True), [OLD, NEW], [NEW]),
        (NEW_ONLY, before(replace(OLD, severity=Severity.LOW)), [OLD], [OLD]),
        (NEW_ONLY, before(OLD), [replace(OLD, version="9")], []),
        (NEW_ONLY, None, [OLD, NEW], [OLD, NEW]),
    ],
)
def test_what_is_news(standard: FindingsStandard, then: Before | None, now: list[Finding], news: list[Finding]) -> None:
    assert list(judge([scan(*now)], standard, before=then).news) == news


@pytest.mark.parametrize(
    ("then", "now", "closes"),
    [
        (None, [], False),
        (before(OLD), [], True),
        (before(OLD, itself=True), [], True),
        (before(verdict=Verdict.PASS), [], False),
        (before(OLD, verdict=Verdict.BLOCK), [OLD], False),
    ],
)
def test_that_all_is_well_is_told_where_it_was_not(then: Before | None, now: list[Finding], closes: bool) -> None:
    judgement = judge([scan(*now)], NEW_ONLY, before=then)
    assert (judgement.closes, judgement.is_news) == (closes, closes)


@pytest.mark.parametrize(
    ("standard", "then", "told"),
    [
        (STANDARD, None, True),
        (STANDARD, before(gaps=(gap(),)), True),
        (NEW_ONLY, before(gaps=(gap(),)), False),
        (STANDARD, before(gaps=(gap(),), itself=True), False),
        (STANDARD, before(gaps=(gap("the image is archived"),), itself=True), True),
        (NEW_ONLY, before(gaps=(gap(platform="linux/s390x"),)), True),
    ],
)
def test_what_is_not_scanned_is_told_once(standard: FindingsStandard, then: Before | None, told: bool) -> None:
    judgement = judge([gap()], standard, before=then)
    assert bool(judgement.gaps) is told
    assert judgement.verdict is Verdict.NOTIFY


def test_days_to_fix_count_from_the_day_on_which_it_was_known() -> None:
    standard = replace(STANDARD, fix_within={Severity.HIGH: 30})
    critical = finding("CVE-3", Severity.CRITICAL)
    judgement = judge([scan(OLD, NEW, critical)], standard, today=TODAY, before=before(OLD))
    assert judgement.due == {OLD: LONG_AGO + timedelta(days=30), NEW: TODAY + timedelta(days=30)}


def test_a_finding_that_is_active_on_one_platform_is_not_suppressed_and_a_suppressed_one_is_not_fixed() -> None:
    platforms = [scan(OLD, platform="a"), scan(platform="b", suppressed=(OLD, NEW))]
    judgement = judge(platforms, STANDARD, before=before(OLD, NEW))
    assert judgement.suppressed == 1
    assert judgement.comparison is not None
    assert judgement.comparison.fixed == 0


def test_a_repetition_ends_where_anything_changes() -> None:
    then = before(OLD, itself=True, gaps=(gap(),))
    assert judge([scan(OLD), gap()], STANDARD, before=then).is_repetition
    for changed in (
        [scan(OLD)],
        [scan(OLD, NEW), gap()],
        [scan(replace(OLD, severity=Severity.CRITICAL)), gap()],
        [scan()],
    ):
        assert not judge(changed, STANDARD, before=then).is_repetition


def test_each_change_has_a_fingerprint_of_its_own_though_it_says_the_same() -> None:
    once, twice = (
        judge([scan(OLD)], STANDARD, before=Before(replace(clean(), revision=revision), itself=True))
        for revision in (1, 3)
    )
    assert once.news == twice.news
    assert once.fingerprint != twice.fingerprint


def clean() -> Known:
    return known("team/app:v1", Verdict.PASS, (), (), before=None, today=LONG_AGO)


def test_what_may_still_be_where_nobody_scanned_stays_known() -> None:
    def keys(standard: FindingsStandard, itself: bool) -> set[bytes]:
        judgement: Judgement = judge([gap()], standard, before=before(OLD, itself=itself))
        return set(judgement.known("x", TODAY).findings)

    assert keys(STANDARD, True) == keys(NEW_ONLY, True) == keys(NEW_ONLY, False) == {OLD.key}
    assert keys(STANDARD, False) == set(), "all of it is told at the first look that finds it"
