"""The cases of `tests/corpus/scans` as a whole: each status, severity and feature has one, and each says its source."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, get_args

import pytest
from mypy_boto3_ecr.literals import ScanStatusType

from tests.corpus.scan_cases import COMPOSED, Case, Outcome, cases, outcome
from warden.names import Severity
from warden.tag_lines import places

CASES = cases()
OUTCOMES = {case.name: outcome(case) for case in CASES}
FEWEST, FEWEST_RECORDED = 48, 20

COVERED: Mapping[str, Callable[[Case, Outcome], object]] = {
    "basic scanning": lambda case, _: any("findings" in (page.get("imageScanFindings") or {}) for page in flat(case)),
    "enhanced scanning": lambda _, came: any(scan.enhanced for scan in came.scans),
    "enhanced scanning that is complete": lambda case, came: (
        statuses(case) == {"COMPLETE"} and any(scan.enhanced for scan in came.scans)
    ),
    "a status that we don't know": lambda case, _: statuses(case) - set(get_args(ScanStatusType)),
    "UNTRIAGED": lambda case, _: "UNTRIAGED" in severities(case),
    "the same vulnerability in many packages": lambda _, came: most_alike(came) > 1,
    "many pages": lambda case, _: any(len(pages) > 2 for pages in case.pages),
    "1,200 findings": lambda _, came: came.judgement and len(came.judgement.counting) == 1_200,
    "fixable only, and something is not": lambda _, came: came.judgement and came.judgement.unfixable,
    "fix available": lambda case, _: {"YES", "NO", "PARTIAL", None} <= said(case, "fixAvailable"),
    "exploited only, and something is not": lambda _, came: came.judgement and came.judgement.unexploited,
    "exploit available": lambda case, _: {"YES", "NO", None} <= said(case, "exploitAvailable"),
    "EPSS, and something is improbable": lambda _, came: came.judgement and came.judgement.improbable,
    "EPSS of some": lambda case, came: "epss" in case.told and any(found.epss is None for found in findings(came)),
    "an improbable known exploit": lambda case, came: any(
        found.exploit and (found.epss or 1) < 0.1 and "epss_from: 10%" in case.told["policy"] for found in told(came)
    ),
    "exempted": lambda _, came: came.judgement and came.judgement.exempted,
    "exempted on the last day": lambda case, came: any(
        one.exemption.until == case.told["today"] for one in (came.judgement.exempted if came.judgement else ())
    ),
    "lapsed yesterday": lambda _, came: any(
        one.exemption.until == "2026-11-22" for one in (came.judgement.lapsed if came.judgement else ())
    ),
    "exempted by package": lambda _, came: any(
        one.exemption.package for one in (came.judgement.exempted if came.judgement else ())
    ),
    "an exemption of others": lambda case, came: (
        "exemptions" in case.told and came.judgement and not came.judgement.exempted and not came.judgement.lapsed
    ),
    "suppressed": lambda _, came: came.judgement and came.judgement.suppressed,
    "closed": lambda case, _: "CLOSED" in said(case, "status"),
    "in use": lambda _, came: came.judgement and came.judgement.in_use > 1,
    "due": lambda case, came: any(day > case.today for day in dues(came)),
    "due today": lambda case, came: case.today in dues(came),
    "overdue": lambda case, came: any(day < case.today for day in dues(came)),
    "nothing new": lambda case, came: "before" in case.told and told(came) and not came.notice,
    "some new": lambda _, came: came.judgement and 0 < len(came.judgement.news) < len(came.judgement.told),
    "rated anew": lambda _, came: came.before and any(found.key in came.before.known.findings for found in news(came)),
    "the first of its line": lambda case, came: "before" not in case.told and came.notice,
    "all fixed": lambda _, came: came.notice and came.notice.kind == "clean" and not findings(came),
    "fixed, but part was not scanned": lambda case, _: case.expected.get("compared", {}).get("fixed") == "unknown",
    "the one before was not scanned": lambda _, came: came.before and came.before.known.gaps,
    "an index": lambda case, _: len(case.pages) > 1,
    "an index of which a part was not scanned": lambda _, came: (
        came.judgement and 0 < len(came.judgement.unscanned) < len(came.scans)
    ),
    "no score": lambda _, came: any(found.score is None for found in told(came)),
    "CVSS 2, 3 and 4": lambda case, _: {"CVSS2_SCORE", "CVSS3_SCORE", "CVSS4_SCORE"} <= attributes(case),
    "an epoch": lambda _, came: any(":" in found.version for found in findings(came)),
    "GHSA": lambda _, came: any(found.name.startswith("GHSA-") for found in told(came)),
    "ELSA and ALAS": lambda _, came: {"ELSA", "ALAS2"} <= {found.name.partition("-")[0] for found in told(came)},
    "a hostile package": lambda _, came: any("<!channel>" in found.package for found in told(came)),
    "no package": lambda _, came: any(found.package == "unknown package" for found in told(came)),
    "no findings": lambda _, came: not findings(came) and came.judgement and not came.judgement.unscanned,
    "no tag": lambda case, came: not case.image.tags and came.notice,
    "a fixed version": lambda _, came: any(found.fixed_in for found in told(came)),
    "the kind of a package": lambda _, came: any(found.kind for found in told(came)),
}


def flat(case: Case) -> list[Any]:
    return [page for pages in case.pages for page in pages]


def statuses(case: Case) -> set[str]:
    return {page["imageScanStatus"]["status"] for page in flat(case)}


def enhanced_findings(case: Case) -> list[Any]:
    return [found for page in flat(case) for found in (page.get("imageScanFindings") or {}).get("enhancedFindings", [])]


def said(case: Case, key: str) -> set[str | None]:
    return {found.get(key) for found in enhanced_findings(case)}


def severities(case: Case) -> set[str]:
    basic = [found for page in flat(case) for found in (page.get("imageScanFindings") or {}).get("findings", [])]
    return {found.get("severity", "") for found in basic + enhanced_findings(case)}


def attributes(case: Case) -> set[str]:
    basic = [found for page in flat(case) for found in (page.get("imageScanFindings") or {}).get("findings", [])]
    return {attribute["key"] for found in basic for attribute in found.get("attributes", [])}


def findings(came: Outcome) -> list[Any]:
    return [found for scan in came.scans for found in scan.findings]


def told(came: Outcome) -> tuple[Any, ...]:
    return came.judgement.told if came.judgement else ()


def news(came: Outcome) -> tuple[Any, ...]:
    return came.judgement.news if came.judgement else ()


def dues(came: Outcome) -> set[Any]:
    return set(came.judgement.due.values()) if came.judgement else set()


def most_alike(came: Outcome) -> int:
    return max(Counter(found.name for found in findings(came)).values(), default=0)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= FEWEST
    assert len([case for case in CASES if case.told["source"] != COMPOSED]) >= FEWEST_RECORDED


@pytest.mark.parametrize("feature", COVERED)
def test_each_feature_has_a_case(feature: str) -> None:
    assert [case.name for case in CASES if COVERED[feature](case, OUTCOMES[case.name])]


@pytest.mark.parametrize("status", get_args(ScanStatusType))
def test_each_status_of_a_scan_has_a_case(status: str) -> None:
    assert [case.name for case in CASES if status in statuses(case)]


@pytest.mark.parametrize("severity", Severity)
def test_each_severity_is_told_somewhere(severity: Severity) -> None:
    assert [case.name for case in CASES if any(found.severity is severity for found in told(OUTCOMES[case.name]))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_says_where_it_comes_from(case: Case) -> None:
    assert case.told["source"] == COMPOSED or case.told["source"].startswith("https://")
    assert case.told.keys() <= {
        "about", "source", "cut", "image", "today", "policy", "exemptions", "epss", "before", "platforms", "expected",
    }  # fmt: skip


@pytest.mark.parametrize("case", [case for case in CASES if "before" in case.told], ids=lambda case: case.name)
def test_the_image_before_is_one_that_the_warden_would_find(case: Case) -> None:
    before = {place.line: place.order for place in places(case.image_before)}
    mine = [place for place in places(case.image) if place.line in before]
    assert case.image_before == case.image or any(before[place.line] < place.order for place in mine)
