"""Scan results, recorded and composed: each leads to the verdict, the counts and the message that were agreed on."""

import html
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.corpus.rewrite_scans import rewritten
from tests.corpus.scan_cases import FOLDER, Case, actual, cases, outcome
from warden.channels import product
from warden.channels.links import is_ours
from warden.notices import Notice, from_json, to_json
from warden.policy import ChannelType
from warden.text import clean

CASES = cases()
NAMES = [case.name for case in CASES]
OUTCOMES = {case.name: outcome(case) for case in CASES}

each_case = pytest.mark.parametrize("case", CASES, ids=NAMES)


def notice_of(case: Case) -> Notice:
    """The notice of a case that is not silent."""
    notice = OUTCOMES[case.name].notice
    assert notice is not None
    return notice


TOLD = [case for case in CASES if OUTCOMES[case.name].notice]
each_told_case = pytest.mark.parametrize("case", TOLD, ids=[case.name for case in TOLD])


@each_case
def test_what_comes_of_a_scan_is_what_was_agreed_on(case: Case) -> None:
    """After a change that is meant: `python -m tests.corpus.rewrite_scans`, and read what git says."""
    assert actual(case) == case.expected


# Counted once more, from the answers alone: nothing here goes through `warden`.

RANKS = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED"]
SCANNED = {"COMPLETE", "ACTIVE"}


def found_in(answer: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Name, severity, package and version of each active finding on a page."""
    for finding in answer["imageScanFindings"].get("findings", []):
        said = {attribute["key"]: attribute["value"] for attribute in finding.get("attributes", [])}
        package = said.get("package_name", "unknown package"), said.get("package_version", "unknown version")
        yield finding["name"], finding.get("severity", ""), *package
    for finding in answer["imageScanFindings"].get("enhancedFindings", []):
        if finding.get("status") not in {"CLOSED", "SUPPRESSED"}:
            details = finding.get("packageVulnerabilityDetails", {})
            for package in details.get("vulnerablePackages", [{}]):
                version = str(package.get("version")), str(package.get("release")), str(package.get("epoch"))
                name = details.get("vulnerabilityId") or finding["title"]
                yield name, finding["severity"], str(package.get("name")), " ".join(version)


def scanned_pages(case: Case) -> list[Any]:
    """The pages of all platforms that were scanned to the end."""
    whole = [pages for pages in case.pages if all(page["imageScanStatus"]["status"] in SCANNED for page in pages)]
    return [page for pages in whole for page in pages]


def counted(case: Case) -> dict[str, int]:
    """How many findings there are of each severity; one that several platforms have is one."""
    found = {finding for page in scanned_pages(case) for finding in found_in(page)}
    counts = Counter(severity if severity in RANKS else "UNDEFINED" for _, severity, _, _ in found)
    return {severity: counts[severity] for severity in RANKS if counts[severity]}


@each_case
def test_every_finding_is_counted_exactly_once(case: Case) -> None:
    assert case.expected.get("waiting") or counted(case) == case.expected.get("counts", {})


@each_case
def test_amazons_own_counts_are_those_of_the_answer(case: Case) -> None:
    """A finding of enhanced scanning is one to Amazon, in however many packages it is."""
    for page in scanned_pages(case):
        part = page["imageScanFindings"]
        findings = part.get("findings", []) + part.get("enhancedFindings", [])
        counts = part.get("findingSeverityCounts")
        if counts and len(findings) == sum(counts.values()):
            assert Counter(finding.get("severity", "UNDEFINED") for finding in findings) == counts


PLAIN = [
    case
    for case in CASES
    if not case.expected.get("waiting")
    and "exemptions" not in case.told
    and all(
        line.startswith(("notify_from", "block_from", "new_only"))
        for line in case.told.get("policy", "").split("\n")
        if line
    )
]


@pytest.mark.parametrize("case", PLAIN, ids=[case.name for case in PLAIN])
def test_the_verdict_is_that_of_the_worst_finding(case: Case) -> None:
    asked = {"notify_from": "HIGH", "block_from": "CRITICAL", **(yaml.safe_load(case.told.get("policy", "{}")) or {})}
    ranks = [RANKS.index(severity) for severity in counted(case)]
    gaps = any(page["imageScanStatus"]["status"] not in SCANNED for pages in case.pages for page in pages)
    notify = gaps or any(rank <= RANKS.index(asked["notify_from"]) for rank in ranks)
    blocks = any(rank <= RANKS.index(asked["block_from"]) for rank in ranks)
    assert case.expected["verdict"] == ("block" if blocks else "notify" if notify else "pass")
    told = sum(
        count for severity, count in counted(case).items() if RANKS.index(severity) <= RANKS.index(asked["notify_from"])
    )
    judgement = OUTCOMES[case.name].judgement
    assert judgement is not None
    assert len(judgement.told) == told


# The messages.


def letters(payload: Any) -> str:
    """All texts of a payload, without the escapes of its product: backslashes, code spans, zero-width characters."""
    text = html.unescape(json.dumps(payload, ensure_ascii=False))
    return re.sub(r"[\\`\u200b\u2060]", "", text)


@each_told_case
@pytest.mark.parametrize("channel", ChannelType)
def test_every_product_shows_the_title(case: Case, channel: ChannelType) -> None:
    assert clean(notice_of(case).title, 150) in letters(product(channel).render(notice_of(case)))


@each_told_case
def test_a_notice_survives_its_queue(case: Case) -> None:
    assert from_json(to_json(notice_of(case), channel="platform")) == ("platform", notice_of(case))


@each_told_case
def test_no_link_leads_elsewhere(case: Case) -> None:
    notice = notice_of(case)
    lines = [
        notice.summary,
        notice.next_step,
        notice.links,
        *(item for section in notice.sections for item in section.items),
    ]
    assert [span.url for line in lines for span in line if span.url and not is_ours(span.url)] == []


@each_told_case
def test_a_title_counts_what_is_told_now(case: Case) -> None:
    """The figures of the title add up to the news; those of the list and of `more` do as well."""
    judgement, notice = OUTCOMES[case.name].judgement, notice_of(case)
    assert judgement is not None
    first = notice.title.partition(" in ")[0]
    if notice.kind == "findings":
        assert sum(map(int, re.findall(r"(\d+) (?:new )?[a-z]+", first))) == len(judgement.news)
        assert len(notice.sections[0].items) + notice.sections[0].more == len(judgement.news)
    else:
        assert not re.search(r"\d+ (?:new )?(?:critical|high|medium|low)", notice.title)


@each_told_case
def test_what_is_unknown_is_never_called_clean(case: Case) -> None:
    judgement = OUTCOMES[case.name].judgement
    assert judgement is not None
    if judgement.unscanned or judgement.counts or judgement.suppressed:
        assert "clean" not in notice_of(case).title


def test_the_rewriter_changes_only_what_is_expected() -> None:
    case = CASES[0]
    text = (FOLDER / f"{case.name}.yaml").read_text("utf-8")
    spoilt = text.partition("\nexpected:")[0] + "\nexpected: {verdict: wrong}\n"
    assert rewritten(spoilt, case) == rewritten(text, case) == text
