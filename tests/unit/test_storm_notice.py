"""One message for many images: what it counts, what it names, and how short it stays."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import HOME, NOW
from tests.functions import text
from warden import notices
from warden.names import Severity
from warden.news import NewFinding, News, from_json, to_json
from warden.notices import Level, Notice
from warden.storm_notice import FEWEST, MOST_ROWS, storm

LOG4J = NewFinding("CVE-2026-21044", "CRITICAL", "log4j-core", "2.17.1")
OPENSSL = NewFinding("CVE-2026-30117", "HIGH", "openssl", None)


def news(number: int, *findings: NewFinding, **changes: Any) -> News:
    said: dict[str, Any] = {
        "id": f"{number:020}",
        "kind": "findings",
        "repository": f"team/app-{number % 3}",
        "name": f"team/app-{number % 3}:v{number}",
        "in_use": 0,
        "findings": findings,
        "why": (),
        "notice": "{}",
        "at": NOW.isoformat(),
    }
    return News(**{**said, **changes})


def of(*told: News) -> Notice:
    return storm(told, HOME, now=NOW)


def rows(notice: Notice, title: str) -> tuple[tuple[str, ...], ...]:
    return next(table.rows for table in notice.tables if table.title == title)


def test_what_nearly_all_have_is_the_title_and_the_thread() -> None:
    notice = of(*(news(number, LOG4J, *([OPENSSL] if number < 3 else [])) for number in range(10)))
    assert notice.title == "CVE-2026-21044 is new in 10 images"
    assert (notice.kind, notice.level, notice.thread) == ("storm", Level.CRITICAL, "storm CVE-2026-21044")
    assert notice.links[0].url == "https://nvd.nist.gov/vuln/detail/CVE-2026-21044"
    assert "10 images in 3 repositories" in text(notice)
    assert "Update log4j-core to 2.17.1" in text(notice)
    assert rows(notice, "What is new") == (
        ("CVE-2026-21044", "critical", "log4j-core", "2.17.1", "10"),
        ("CVE-2026-30117", "high", "openssl", "no fix", "3"),
    )


@pytest.mark.parametrize(("having", "named"), [(8, True), (7, False)])
def test_only_what_four_of_five_have_is_named(having: int, named: bool) -> None:
    told = [news(number, LOG4J if number < having else OPENSSL) for number in range(10)]
    assert of(*told).title == ("CVE-2026-21044 is new in 10 images" if named else "new findings in 10 images")
    assert bool(of(*told).thread) is named


def test_a_name_that_is_no_identifier_is_neither_title_nor_link() -> None:
    odd = NewFinding("{images} <!channel>", "CRITICAL", "a", None)
    notice = of(*(news(number, odd) for number in range(5)))
    assert notice.title == "new findings in 5 images"
    assert all(span.url is None or span.url.startswith("https://") for span in notice.links)
    assert len(notice.links) == 1


def test_what_is_worst_comes_first_then_what_most_images_have() -> None:
    many = NewFinding("CVE-2026-1111", "HIGH", "zlib", "2")
    notice = of(news(0, OPENSSL, many), news(1, many), news(2, many, LOG4J), news(3, many))
    assert [row[0] for row in rows(notice, "What is new")] == ["CVE-2026-21044", "CVE-2026-1111", "CVE-2026-30117"]


@pytest.mark.parametrize(
    ("worst", "level"), [("CRITICAL", Level.CRITICAL), ("HIGH", Level.HIGH), ("UNDEFINED", Level.HIGH)]
)
def test_it_is_as_loud_as_its_worst_finding(worst: str, level: Level) -> None:
    assert of(*(news(number, replace(OPENSSL, severity=worst)) for number in range(4))).level is level


def test_repositories_whose_images_run_come_first() -> None:
    told = [news(number, LOG4J, in_use=2 if number == 2 else 0) for number in range(7)]
    notice = of(*told)
    assert rows(notice, "Where") == (
        ("team/app-2", "2", "1", "v5"),
        ("team/app-0", "3", "0", "v6"),
        ("team/app-1", "2", "0", "v4"),
    )
    assert "1 of the images is running" in text(notice)


def test_that_no_image_is_known_to_run_is_said() -> None:
    assert "none of the images is known to run" in text(of(*(news(number, LOG4J) for number in range(4))))


def test_what_does_not_fit_is_counted() -> None:
    told = [
        news(
            number,
            *(NewFinding(f"CVE-2026-{1000 + number + other}", "HIGH", "a", None) for other in range(5)),
            repository=f"team/{number:03}",
            name=f"team/{number:03}:v1",
        )
        for number in range(1200)
    ]
    what, where = of(*told).tables
    assert (len(what.rows), what.more) == (MOST_ROWS, 1204 - MOST_ROWS)
    assert (len(where.rows), where.more) == (MOST_ROWS, 1200 - MOST_ROWS)
    assert of(*told).title == "new findings in 1,200 images"


def test_an_image_counts_once_however_much_news_there_is_of_it() -> None:
    told = [news(number, LOG4J) for number in range(4)]
    more = [replace(one, id=f"later-{one.id}", findings=(OPENSSL,), in_use=3) for one in told]
    notice = of(*told, *more)
    assert "4 images in 3 repositories" in text(notice)
    assert {row[0]: row[-1] for row in rows(notice, "What is new")} == {"CVE-2026-21044": "4", "CVE-2026-30117": "4"}
    assert "4 of the images are running" in text(notice), "the last look counts"


def test_that_many_could_not_be_scanned_is_said_with_the_reasons() -> None:
    told = [
        news(number, kind="unscanned", why=("it is archived", "the scan failed")[: 1 + number % 2])
        for number in range(6)
    ]
    notice = of(*told)
    assert (notice.kind, notice.level) == ("storm-unscanned", Level.ATTENTION)
    assert notice.title == "6 images could not be scanned"
    assert "unscanned, not clean" in text(notice)
    said = text(notice) + str(notice.tables)
    assert said.index("it is archived") < said.index("the scan failed"), "the one of most images first"


def test_that_many_are_over_is_good_news() -> None:
    notice = of(*(news(number, kind="clean") for number in range(5)))
    assert (notice.kind, notice.level, notice.thread) == ("storm-clean", Level.GOOD, "")
    assert "5 images in 3 repositories" in text(notice)


NEWS = st.lists(
    st.builds(
        news,
        st.integers(0, 10**6),
        st.builds(
            NewFinding, st.text(max_size=30), st.sampled_from([*Severity]).map(str), st.text(max_size=9), st.none()
        ),
        in_use=st.integers(0, 3),
    ),
    min_size=FEWEST,
    max_size=30,
    unique_by=lambda one: one.id,
)


@given(NEWS, st.randoms())
def test_the_same_news_make_the_same_notice_whatever_came_first(told: list[News], random: Any) -> None:
    shuffled = random.sample(told, len(told))
    assert of(*told).id == of(*shuffled).id
    assert of(*told).tables[0].rows == of(*shuffled).tables[0].rows
    assert of(*told[1:]).id != of(*told).id


@given(NEWS)
def test_a_notice_goes_through_its_queue_unchanged(told: list[News]) -> None:
    notice = of(*told)
    assert notices.from_json(notices.to_json(notice, channel="x")) == ("x", notice)


@given(NEWS)
def test_news_is_read_as_it_was_written(told: list[News]) -> None:
    assert [from_json(to_json(one)) for one in told] == told
