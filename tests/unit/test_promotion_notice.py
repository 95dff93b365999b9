"""What is told of promotions."""

import pytest

from tests.builders import HOME, NOW, image_id
from tests.corpus.hostile import strings
from warden.names import RepositoryName, Tag, short
from warden.notices import Level, Notice
from warden.policy import Mode
from warden.promotion import Plan, Tagging, Target
from warden.promotion_notice import Moved, Told, promoted, refused, would_be

IMAGE = image_id()
SENT = Moved(bytes=314_572_800, layers=3, mounted=1)


def a_plan(*tags: tuple[str, str], target: Target | None = None) -> Plan:
    at_home = Target(RepositoryName("release/app"), HOME.account, HOME.region)
    pairs = tuple(Tagging(Tag(here), Tag(there)) for here, there in tags or (("v1", "v1"),))
    return Plan(IMAGE, target or at_home, pairs, Mode.ENFORCE, "warden.yaml:12", ("platform",))


def facts(notice: Notice) -> dict[str, str]:
    return {fact.label: fact.value for fact in notice.facts}


def words(notice: Notice) -> str:
    lines = [notice.summary, *(item for section in notice.sections for item in section.items), notice.next_step]
    return "\n".join("".join(span.text for span in line) for line in lines)


def test_a_promotion_says_what_went_where_by_which_rule_and_what_to_do_next() -> None:
    notice = promoted(a_plan(), SENT, Told("event", NOW), HOME)
    assert (notice.level, notice.title) == (Level.CHANGE, "team/app:v1 was promoted to release/app")
    assert facts(notice) == {
        "From": "team/app",
        "To": "release/app",
        "Sent": "3 layers, 315 MB, 1 was mounted",
        "Rule": "warden.yaml:12",
        "Digest": short(IMAGE.digest),
    }
    assert IMAGE.digest in words(notice)
    assert notice.sections == ()


def test_who_asked_and_what_is_odd_is_told() -> None:
    moved = Moved(0, 0, 0, about=2, taken=tuple(Tag(f"sha256-{number}.sig") for number in range(5)), left=1)
    found = facts(promoted(a_plan(), moved, Told("event", NOW, "alice", "hotfix"), HOME))
    assert (found["By"], found["Reason"], found["Sent"]) == ("alice", "hotfix", "no layer was sent")
    assert "2 signatures, SBOMs or attestations went along" in found["Note"]
    assert "sha256-2.sig and 2 more" in found["Note"]
    assert "1 left out" in found["Note"]


def test_tags_that_get_another_name_are_listed() -> None:
    notice = promoted(a_plan(("v1", "v1-ok"), ("v2", "v2")), SENT, Told("event", NOW), HOME)
    assert "v1 → v1-ok" in words(notice)
    many = promoted(a_plan(*((f"v{n}", f"v{n}") for n in range(12))), SENT, Told("event", NOW), HOME)
    assert many.sections[0].more == 2


def test_another_place_is_named_and_the_link_leads_where_we_may_look() -> None:
    there = Target(RepositoryName("release/app"), "444455556666", "eu-west-1", "role")
    notice = promoted(a_plan(target=there), SENT, Told("event", NOW), HOME)
    assert "release/app:v1 in eu-west-1, account 444455556666 is the same image" in words(notice)
    assert "team/app" in (notice.links[0].url or "")
    at_home = promoted(a_plan(), SENT, Told("event", NOW), HOME)
    assert "release/app" in (at_home.links[0].url or "")


def test_in_report_mode_it_says_that_nothing_was_changed() -> None:
    notice = would_be(a_plan(), Told("event", NOW), HOME)
    assert "Nothing was changed" in words(notice)
    assert "promote: {mode: enforce}" in words(notice)


@pytest.mark.parametrize("plan", [a_plan(), None])
def test_a_refusal_says_why_and_how_to_go_on(plan: Plan | None) -> None:
    notice = refused(IMAGE, plan, "another image has the tag", Told("event", NOW), HOME)
    assert notice.level is Level.ATTENTION
    assert "another image has the tag" in words(notice)
    assert f"warden promote {IMAGE}" in words(notice)
    assert notice.id != refused(IMAGE, plan, "something else", Told("event", NOW), HOME).id


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        (Moved(0, 0, 0), "no layer was sent"),
        (Moved(0, 0, 2), "no layer was sent, 2 were mounted"),
        (Moved(10, 1, 0), "1 layer, 10 B"),
        (Moved(10, 2, 1), "2 layers, 10 B, 1 was mounted"),
    ],
)
def test_what_was_sent_is_said_in_words(moved: Moved, said: str) -> None:
    assert str(moved) == said


@pytest.mark.parametrize("text", strings())
def test_what_a_stranger_wrote_is_shown_as_text_that_can_be_seen(text: str) -> None:
    told = Told("event", NOW, text, text)
    for notice in (
        promoted(a_plan((text, text)), SENT, told, HOME),
        would_be(a_plan((text, text)), told, HOME),
        refused(IMAGE, a_plan((text, text)), text, told, HOME),
    ):
        shown = "\n".join([notice.title, *facts(notice).values(), words(notice)])
        assert all(character.isprintable() or character == "\n" for character in shown)
