"""A notice crosses a queue unchanged, and is what a person would want to read."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import HOME, NOW, a_policy, finding, image_id, observation
from warden import drift_notice, sweep_notice, verdict_notice
from warden.actions import Deed, Result
from warden.events import Home, RepositoryChanged
from warden.findings import Finding, Scan, ScanState
from warden.images import Image
from warden.names import RepositoryName, Severity, Tag
from warden.notices import Fact, Level, Line, Notice, Section, Span, Style, Table, from_json, to_json
from warden.planning import plan, plan_lifecycle
from warden.standards import standard_of
from warden.verdicts import judge

APP = RepositoryName("team/app")
STANDARD = standard_of(a_policy(), APP, {})
spans = st.builds(Span, text=st.text(), style=st.sampled_from(Style), url=st.none() | st.text())
lines = st.lists(spans, max_size=3).map(tuple)
notices = st.builds(
    Notice,
    id=st.text(),
    kind=st.text(),
    level=st.sampled_from(Level),
    title=st.text(),
    subject=st.text(),
    summary=lines,
    sections=st.lists(
        st.builds(Section, title=st.text(), items=st.lists(lines, max_size=2).map(tuple), more=st.integers(0)),
        max_size=2,
    ).map(tuple),
    facts=st.lists(st.builds(Fact, label=st.text(), value=st.text()), max_size=2).map(tuple),
    next_step=lines,
    links=lines,
    footer=st.text(),
    tables=st.lists(
        st.builds(
            Table,
            title=st.text(),
            columns=st.tuples(st.text(), st.text()),
            rows=st.lists(st.tuples(st.text(), st.text()), max_size=2).map(tuple),
            more=st.integers(0),
        ),
        max_size=1,
    ).map(tuple),
    thread=st.text(),
    at=st.text(),
)


@given(notices)
def test_a_notice_crosses_the_queue_unchanged(notice: Notice) -> None:
    body = to_json(notice, channel="platform")
    assert from_json(body) == ("platform", notice)
    assert body.isascii()


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def image(*tags: str) -> Image:
    return Image(image_id(), tuple(map(Tag, tags)), datetime(2026, 11, 23, 11, 58, tzinfo=UTC))


def judged(*found: Finding, tags: tuple[str, ...] = ("v1",), home: Home = HOME) -> Notice:
    judgement = judge([Scan(ScanState.SCANNED, "scanned", found)], STANDARD.findings)
    return verdict_notice.judged(image(*tags), (), judgement, STANDARD, home, now=NOW)


@pytest.mark.parametrize(
    ("tags", "name"),
    [(("v1",), "team/app:v1"), (("latest", "v2"), "team/app:v2"), (("latest",), "team/app:latest")],
)
def test_an_image_is_called_by_the_tag_that_says_most(tags: tuple[str, ...], name: str) -> None:
    assert judged(finding(), tags=tags).title == f"1 high in {name}"


def test_only_ten_findings_and_five_tags_are_listed_and_the_rest_is_counted() -> None:
    found = [finding(f"CVE-2026-{1000 + number}") for number in range(13)]
    notice = judged(*found, tags=tuple(f"v{number}" for number in range(7)))
    assert (len(notice.sections[0].items), notice.sections[0].more) == (10, 3)
    assert {fact.label: fact.value for fact in notice.facts}["Tags"] == "v0, v1, v2, v3, v4 and 2 more"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("CVE-2021-44228", "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"),
        ("GHSA-jfh8-c2jp-5v3q", "https://github.com/advisories/GHSA-jfh8-c2jp-5v3q"),
        ("ELSA-2026-1", None),
        ("CVE-2021-44228/../../evil", None),
        ("CVE-2021-44228\n", None),
        ("https://evil.example/CVE-2021-44228", None),
    ],
)
def test_only_identifiers_that_we_know_become_links(name: str, url: str | None) -> None:
    first = judged(finding(name)).sections[0].items[0][0]
    assert (first.text.strip(), first.url) == (name.strip(), url)


@pytest.mark.parametrize(
    ("found", "step"),
    [
        ([finding()], "Update openssl, rebuild, and push under a new tag."),
        (
            [finding(fixed_in=None)],
            "The scanner states no fix: rebuild on a newer base image, or take the packages out.",
        ),
        (
            [finding(f"CVE-2026-{number}", package=f"p{number}", score=9 - number) for number in range(5)],
            "Update p0, p1, p2 and 2 more packages, rebuild, and push under a new tag.",
        ),
    ],
)
def test_the_next_step_is_one_that_helps(found: list[Finding], step: str) -> None:
    assert text(judged(*found).next_step) == step


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "eu-central-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_the_console_is_that_of_the_partition(region: str, host: str) -> None:
    url = judged(finding(), home=Home("111122223333", region)).links[0].url
    assert url
    assert url.startswith(f"https://{host}/ecr/repositories/private/111122223333/team/app/_/image/sha256:")


def test_the_same_news_has_the_same_id_and_other_news_another() -> None:
    assert judged(finding()).id == judged(finding(), tags=("v1", "latest")).id
    assert judged(finding()).id != judged(finding("CVE-2026-2")).id


def test_a_critical_finding_is_louder_than_a_high_one() -> None:
    assert judged(finding(severity=Severity.CRITICAL)).level is Level.CRITICAL
    assert judged(finding()).level is Level.HIGH


def deeds(result: Result) -> tuple[Deed, ...]:
    """Of a plan, with a lifecycle policy as the prune function puts it."""
    lifecycle_policy = plan_lifecycle(observation(), STANDARD)
    actions = (*plan(observation(), STANDARD), *([lifecycle_policy] if lifecycle_policy else []))
    return tuple(Deed(action, result, "because" if result is Result.REFUSED else "") for action in actions)


def change(call: str = "PutImageTagMutability") -> RepositoryChanged:
    return RepositoryChanged("e", NOW, APP, call, "alice", None)


@pytest.mark.parametrize(
    ("result", "level", "title"),
    [
        (Result.DONE, Level.CHANGE, "settings of team/app were set back"),
        (Result.REPORTED, Level.CHANGE, "team/app leaves its standard"),
        (Result.BLOCKED, Level.ATTENTION, "settings of team/app need a person"),
        (Result.REFUSED, Level.ATTENTION, "settings of team/app need a person"),
    ],
)
def test_a_drift_is_told_for_what_came_of_it(result: Result, level: Level, title: str) -> None:
    notice = drift_notice.drift(change("TagResource"), deeds(result), HOME)
    assert notice is not None
    assert (notice.level, notice.title) == (level, title)
    assert len(notice.sections[0].items) == 3


def test_a_drift_of_which_a_part_was_set_back_says_so_and_shows_the_rest() -> None:
    done, *reported = *deeds(Result.DONE)[:1], *deeds(Result.REPORTED)[1:]
    notice = drift_notice.drift(change("TagResource"), (done, *reported), HOME)
    assert notice is not None
    assert notice.title == "settings of team/app were set back"
    assert [text(line).endswith("would be done") for line in notice.sections[0].items] == [False, True, True]


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        ("PutImageTagMutability", ["tag immutability"]),
        ("PutImageScanningConfiguration", ["scan on push"]),
        ("PutLifecyclePolicy", ["lifecycle policy"]),
        ("DeleteLifecyclePolicy", ["lifecycle policy"]),
        ("SetRepositoryPolicy", []),
        ("DeleteRepositoryPolicy", []),
        ("TagResource", ["tag immutability", "scan on push", "lifecycle policy"]),
        ("UntagResource", ["tag immutability", "scan on push", "lifecycle policy"]),
    ],
)
@pytest.mark.parametrize("result", [Result.REPORTED, Result.BLOCKED])
def test_what_a_change_did_not_touch_is_no_news(call: str, fields: list[str], result: Result) -> None:
    notice = drift_notice.drift(change(call), deeds(result), HOME)
    told = [text(line).partition("  ")[0] for line in notice.sections[0].items] if notice else []
    assert told == fields


@pytest.mark.parametrize("result", [Result.DONE, Result.REFUSED])
def test_what_was_done_is_told_whatever_was_changed(result: Result) -> None:
    notice = drift_notice.drift(change("SetRepositoryPolicy"), deeds(result), HOME)
    assert notice is not None
    assert len(notice.sections[0].items) == 3


@pytest.mark.parametrize(("result", "told"), [(Result.DONE, False), (Result.REPORTED, False), (Result.REFUSED, True)])
def test_the_birth_of_a_repository_is_told_only_where_it_went_wrong(result: Result, told: bool) -> None:
    assert (drift_notice.drift(change("CreateRepository"), deeds(result), HOME) is not None) is told


def test_a_sweep_that_changed_things_is_news_and_a_standing_difference_is_not() -> None:
    lines_ = {"team/app": ("scan on push: off → on",)}

    def swept(sweep: str, changed: int) -> Notice:
        tally = {"expected": 1, "looked_at": 1, "changed": changed}
        return sweep_notice.swept(sweep, tally, lines_, a_policy(), HOME, first=False)

    assert swept("monday", 0).id == swept("tuesday", 0).id
    assert swept("monday", 1).id != swept("tuesday", 1).id


def test_a_sweep_with_something_blocked_asks_for_a_person() -> None:
    tally = {"expected": 2, "looked_at": 2, "blocked": 1, "compliant": 1}
    notice = sweep_notice.swept("s", tally, {"team/app": ("x: y → z",)}, a_policy(), HOME, first=False)
    assert notice.level is Level.ATTENTION
    assert replace(notice, id="") != notice
