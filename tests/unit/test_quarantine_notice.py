"""What is said of quarantine: what happened, who pulls now gets what, and what to do."""

from typing import Any

import pytest

from tests.builders import HOME, NOW, image_id
from tests.functions import text
from warden import quarantine_notice
from warden.names import Tag
from warden.notices import Level, Notice
from warden.policy import QuarantineBy
from warden.quarantine_notice import MOST_TAGS, News

HOSTILE = "v1\u202e\x1b[31m\n@channel"


def news(**changes: Any) -> News:
    facts: dict[str, Any] = {
        "image": image_id(),
        "event": "scan 1",
        "at": NOW,
        "how": QuarantineBy.TAGS,
        "tags": (Tag("latest"), Tag("v1")),
        "why": "its verdict is block",
        "rule": "warden.yaml:9",
        "moved": ((Tag("v1"), Tag("quarantine.v1")),),
    }
    return News(**{**facts, **changes})


def all_of(one: News) -> list[Notice]:
    return [
        quarantine_notice.quarantined(one, HOME),
        quarantine_notice.quarantined(one, HOME, again=True),
        quarantine_notice.released(one, HOME),
        quarantine_notice.would_be(one, HOME, release=True),
        quarantine_notice.would_be(one, HOME, release=False),
        quarantine_notice.refused(one, HOME, release=True),
        quarantine_notice.refused(one, HOME, release=False),
        quarantine_notice.stays(one, HOME),
    ]


def shown(notice: Notice) -> str:
    return "\n".join([notice.title, text(notice), *(f"{fact.label}: {fact.value}" for fact in notice.facts)])


def test_an_image_is_called_by_its_tag_and_else_by_its_digest() -> None:
    assert news().name == "team/app:v1"
    assert news(tags=(Tag("latest"),)).name == "team/app:latest"
    assert news(tags=()).name == f"team/app@{image_id().digest[:19]}"


@pytest.mark.parametrize(
    ("notice", "title", "level"),
    [
        (0, "team/app:v1 is in quarantine", Level.ATTENTION),
        (1, "team/app:v1 is in quarantine again", Level.ATTENTION),
        (2, "team/app:v1 is released from quarantine", Level.CHANGE),
        (3, "team/app:v1 would be released from quarantine", Level.CHANGE),
        (4, "team/app:v1 would be put in quarantine", Level.CHANGE),
        (5, "team/app:v1 was not released from quarantine", Level.ATTENTION),
        (6, "team/app:v1 was not put in quarantine", Level.ATTENTION),
        (7, "team/app:v1 stays in quarantine", Level.CHANGE),
    ],
)
def test_each_says_what_happened_as_loud_as_it_matters(notice: int, title: str, level: Level) -> None:
    one = all_of(news())[notice]
    assert (one.title, one.level, one.kind) == (title, level, "quarantine")
    assert one.thread == one.subject == str(image_id())
    assert one.next_step or notice == 2


def test_the_same_news_has_the_same_id_and_another_day_another() -> None:
    ids = [notice.id for notice in all_of(news())]
    assert ids == [notice.id for notice in all_of(news())]
    assert len(set(ids)) == 5, "quarantined, released, would be, refused, stays"
    assert not set(ids) & {notice.id for notice in all_of(news(event="scan 2"))}


def test_what_a_person_ordered_says_who_and_that_a_person_only_can_release_it() -> None:
    said = shown(quarantine_notice.quarantined(news(by="arn:…:user/alice: an incident"), HOME))
    assert "By: arn:…:user/alice: an incident" in said
    assert f"A person only can release it: warden release {image_id()} --reason TEXT" in said
    assert "exempt" not in said.lower()


def test_a_verdicts_quarantine_names_the_three_ways_out() -> None:
    said = shown(quarantine_notice.quarantined(news(), HOME))
    assert "Build it anew" in said
    assert "Exempt what was found in warden.yaml" in said
    assert "warden release" in said


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (QuarantineBy.TAGS, "manifest unknown: Requested image not found; its digest still works"),
        (QuarantineBy.PULL, "AccessDeniedException: … with an explicit deny in a resource-based policy"),
    ],
)
def test_who_pulls_now_is_told_what_they_get(how: QuarantineBy, expected: str) -> None:
    said = shown(quarantine_notice.quarantined(news(how=how), HOME))
    assert expected in said
    assert "What runs keeps running, and the image is kept." in said


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "It has its tags again."),
        ({"how": QuarantineBy.PULL}, "It does not keep pulls from team/app denied any more."),
        (
            {"kept": ((Tag("v2"), Tag("quarantine.v2")),)},
            "It has those of its tags again that no other image has by now.",
        ),
        ({"moved": ()}, "It was taken out of quarantine."),
    ],
)
def test_a_release_says_what_it_changed(changes: dict[str, Any], expected: str) -> None:
    assert expected in shown(quarantine_notice.released(news(**changes), HOME))


def test_many_tags_are_counted() -> None:
    moved = tuple((Tag(f"v{n}"), Tag(f"quarantine.v{n}")) for n in range(40))
    (section,) = quarantine_notice.quarantined(news(moved=moved), HOME).sections
    assert (len(section.items), section.more) == (MOST_TAGS, 30)


def test_hostile_text_is_shown_and_does_nothing() -> None:
    one = news(
        tags=(Tag(HOSTILE),),
        why=HOSTILE,
        by=HOSTILE,
        remark=HOSTILE,
        moved=((Tag(HOSTILE), Tag(HOSTILE)),),
        kept=((Tag(HOSTILE), Tag(HOSTILE)),),
    )
    for notice in all_of(one):
        for line in shown(notice).split("\n"):
            assert not {"\u202e", "\x1b"} & set(line)
            assert not line.startswith("@channel")
