"""What is remembered of an image: when each finding was first known, and how bad it was."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import finding
from warden.findings import Finding, Scan, ScanState
from warden.known import MOST_KNOWN, Before, Known, Seen, Verdict, compare, known, unpacked
from warden.names import Severity

TODAY, LONG_AGO = date(2026, 11, 23), date(2026, 1, 5)
KEYS = st.binary(min_size=8, max_size=8)
KNOWN = st.builds(
    Known,
    name=st.text(max_size=20),
    verdict=st.sampled_from(Verdict),
    findings=st.dictionaries(
        KEYS,
        st.builds(Seen, st.dates(date(1970, 1, 1), date(2149, 6, 6)), st.integers(0, len(Severity) - 1)),
        max_size=20,
    ),
    gaps=st.frozensets(KEYS, max_size=5),
    revision=st.integers(0, 10**6),
)
FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(["CVE-1", "CVE-2", "CVE-3"]),
        st.sampled_from(Severity),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["1", "2"]),
    ),
    max_size=8,
)


def of(*found: Finding, day: date = LONG_AGO, gaps: tuple[Scan, ...] = ()) -> Known:
    return known("team/app:v1", Verdict.NOTIFY, found, gaps, before=None, today=day)


def gap(platform: str = "linux/arm64") -> Scan:
    return Scan(ScanState.UNSCANNED, "the scan failed", platform=platform)


@given(KNOWN)
def test_what_is_packed_is_unpacked_as_it_was(one: Known) -> None:
    assert unpacked(one.name, one.verdict, *one.packed(), one.revision, one.thread) == one


@pytest.mark.parametrize("day", [date.min, date(1969, 12, 31)])
def test_a_day_before_all_days_is_the_first_one(day: date) -> None:
    findings, gaps = of(finding(), day=day).packed()
    assert unpacked("", "pass", findings, gaps, 1, "").since(finding(), TODAY) == date(1970, 1, 1)


def test_the_worst_are_kept_and_fit_into_an_item() -> None:
    severities = [Severity.LOW] * MOST_KNOWN + [Severity.CRITICAL] * 500
    one = of(*(finding(f"CVE-{number}", severity) for number, severity in enumerate(severities)))
    packed, gaps = one.packed()
    assert len(packed) + len(gaps) < 350_000
    kept = unpacked(one.name, one.verdict, packed, gaps, 1, "").findings
    assert len(kept) == MOST_KNOWN
    assert sum(seen.rank == Severity.CRITICAL.rank for seen in kept.values()) == 500
    assert kept.items() <= one.findings.items()


def test_of_the_same_findings_the_same_ones_are_kept_whatever_their_order() -> None:
    found = [finding(f"CVE-{number}", Severity.LOW) for number in range(MOST_KNOWN + 50)]
    assert of(*found).packed() == of(*reversed(found)).packed()


def test_the_first_day_of_a_finding_is_kept_from_image_to_image() -> None:
    first = of(finding("CVE-1"))
    for itself in (True, False):
        now = known(
            "team/app:v2",
            Verdict.NOTIFY,
            [finding("CVE-1", Severity.LOW, version="9"), finding("CVE-2")],
            (),
            before=Before(first, itself=itself),
            today=TODAY,
        )
        assert now.since(finding("CVE-1"), date.max) == LONG_AGO
        assert now.since(finding("CVE-2"), date.max) == TODAY


def test_what_nobody_knows_of_is_known_from_today_on() -> None:
    assert of().since(finding(), TODAY) == TODAY


@pytest.mark.parametrize(("itself", "revision"), [(True, 8), (False, 1)])
def test_each_change_of_what_is_known_of_an_image_is_counted(itself: bool, revision: int) -> None:
    before = Before(replace(of(), revision=7), itself=itself)
    assert known("", Verdict.PASS, (), (), before=before, today=TODAY).revision == revision


def test_of_a_package_in_two_versions_the_worse_one_is_remembered() -> None:
    one = of(finding(severity=Severity.CRITICAL, version="1"), finding(severity=Severity.LOW, version="2"))
    assert [seen.rank for seen in one.findings.values()] == [Severity.CRITICAL.rank]


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (Severity.HIGH, Severity.HIGH, True),
        (Severity.HIGH, Severity.LOW, True),
        (Severity.HIGH, Severity.CRITICAL, False),
        (Severity.UNDEFINED, Severity.INFORMATIONAL, False),
    ],
)
def test_what_has_become_worse_is_not_known(then: Severity, now: Severity, told: bool) -> None:
    assert of(finding(severity=then)).tells(finding(severity=now)) is told


LIKE = of(finding("CVE-1"), finding("CVE-2"), gaps=(gap(),))


@pytest.mark.parametrize(
    ("other", "like"),
    [
        (LIKE, True),
        (replace(LIKE, name="team/app:v2", revision=99), True),
        (of(finding("CVE-2"), finding("CVE-1", version="9"), gaps=(gap(),), day=TODAY), True),
        (replace(LIKE, verdict=Verdict.BLOCK), False),
        (of(finding("CVE-1"), finding("CVE-2")), False),
        (of(finding("CVE-1"), finding("CVE-2"), gaps=(gap("linux/s390x"),)), False),
        (of(finding("CVE-1"), gaps=(gap(),)), False),
        (of(finding("CVE-1"), finding("CVE-3"), gaps=(gap(),)), False),
        (of(finding("CVE-1"), finding("CVE-2", Severity.LOW), gaps=(gap(),)), False),
    ],
)
def test_only_what_nobody_would_want_to_hear_of_makes_no_difference(other: Known, like: bool) -> None:
    assert LIKE.is_like(other) is like
    assert other.is_like(LIKE) is like


@given(KNOWN)
def test_everything_is_like_itself(one: Known) -> None:
    assert one.is_like(unpacked(one.name, one.verdict, *one.packed(), one.revision, one.thread))


def test_what_was_known_of_a_platform_that_is_not_scanned_stays_known() -> None:
    before = Before(of(finding("CVE-1"), finding("CVE-2")), itself=True)
    found = {finding("CVE-2").key, finding("CVE-3").key}
    now = known("", Verdict.NOTIFY, [finding("CVE-3")], [gap()], before=before, today=TODAY, found=found)
    assert now.findings.keys() == {finding("CVE-1").key, finding("CVE-3").key}, "CVE-2 is there and was accepted"
    assert now.since(finding("CVE-1"), TODAY) == LONG_AGO


def test_where_everything_was_scanned_what_is_gone_is_forgotten() -> None:
    before = Before(of(finding("CVE-1")), itself=True)
    assert known("", Verdict.PASS, (), (), before=before, today=TODAY).findings == {}


@given(FINDINGS, FINDINGS)
def test_a_comparison_accounts_for_every_finding(then: list[Finding], now: list[Finding]) -> None:
    comparison = compare(now, Before(of(*then), itself=False), whole=True)
    keys, known_keys = {one.key for one in now}, {one.key for one in then}
    introduced = {one.key for one in comparison.introduced}
    assert len(introduced) + comparison.stayed == len(keys)
    assert keys - known_keys <= introduced
    assert comparison.fixed == len(known_keys - keys)
    assert sum(comparison.severities.values()) == len(comparison.introduced)
    assert list(comparison.severities) == sorted(comparison.severities, key=lambda severity: severity.rank)


@given(FINDINGS)
def test_the_same_again_is_nothing_new(found: list[Finding]) -> None:
    comparison = compare(found, Before(of(*found), itself=True), whole=True)
    assert (comparison.introduced, comparison.fixed) == ((), 0)


def test_what_is_there_and_does_not_count_is_not_fixed_and_of_a_part_nothing_is_said() -> None:
    before = Before(of(finding("CVE-1"), finding("CVE-2")), itself=True)
    assert compare([], before, whole=True, found={finding("CVE-1").key}).fixed == 1
    assert compare([], before, whole=False).fixed is None


@given(st.integers(0, 65_535))
def test_days_are_kept_for_more_than_a_century(days: int) -> None:
    day = date(1970, 1, 1) + timedelta(days=days)
    findings, gaps = of(finding(), day=day).packed()
    assert unpacked("", "pass", findings, gaps, 1, "").since(finding(), TODAY) == day
