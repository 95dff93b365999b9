"""Whether an image is promoted, to where, and under which tags."""

from typing import Any

import pytest

from tests.builders import HOME, NOW, a_policy, digest, image_id
from warden.errors import Refused
from warden.images import Image
from warden.known import Verdict
from warden.names import RepositoryName, Tag
from warden.policy import Mode, Promotion
from warden.promotion import Case, Plan, Stop, Tagging, Target, conflict, plan_promotion, tag_there, target_of
from warden.promotion_events import PromotionDue, promotion, promotion_due
from warden.standards import standard_of

IMAGE = image_id()
ROLE = "arn:aws:iam::444455556666:role/ecr-warden-promotion"


def a_case(
    *tags: str,
    verdict: Verdict | None = Verdict.PASS,
    held: bool = False,
    due: dict[str, Any] | None = None,
    gone: bool = False,
    **fields: Any,
) -> Case:
    policy = a_policy(**{"promote__to": "release/{name}", "promote__tags": ["v*"], **fields})
    image = None if gone else Image(IMAGE, tuple(map(Tag, tags or ("v1",))), NOW)
    return Case(
        PromotionDue("event", NOW, IMAGE, **(due or {})),
        image,
        standard_of(policy, IMAGE.repository, {}),
        verdict,
        held,
    )


def planned(*tags: str, **more: Any) -> Plan:
    plan = plan_promotion(a_case(*tags, **more), HOME)
    assert isinstance(plan, Plan)
    return plan


def test_what_passes_goes_to_the_repository_of_its_last_name_under_its_own_tags() -> None:
    plan = planned("v2", "dev-1", "v1")
    assert plan.target == Target(RepositoryName("release/app"), HOME.account, HOME.region)
    assert plan.tags == (Tagging(Tag("v1"), Tag("v1")), Tagging(Tag("v2"), Tag("v2")))
    assert plan.at_target.digest == IMAGE.digest
    assert (plan.rule, plan.channels, plan.mode) == ("warden.yaml:1", ("platform",), Mode.ENFORCE)


PERSON = {"by": "arn:aws:iam::111122223333:user/alice", "reason": "hotfix"}


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        (a_case(gone=True), "Gone"),
        (a_case(promote__to=None), "NotPromoted"),
        (a_case(promote__mode="off"), "NotPromoted"),
        (a_case(held=True), "Quarantined"),
        (a_case(held=True, due={**PERSON, "anyway": True}), "Quarantined"),
        (a_case(verdict=None), "NotJudged"),
        (a_case(verdict=None, due={**PERSON, "anyway": True}), "NotJudged"),
        (a_case(verdict=Verdict.NOTIFY), "NotPassed"),
        (a_case(verdict=Verdict.NOTIFY, due=PERSON), "NotPassed"),
        (a_case(verdict=Verdict.BLOCK), "NotPassed"),
        (a_case(verdict=Verdict.BLOCK, due={**PERSON, "anyway": True}), "NotPassed"),
        (a_case("dev-1"), "NoTag"),
        (a_case("quarantine.v1", "warden.keep-41d9be20c0ff41d9be20c0ff", promote__tags=["*"]), "NoTag"),
    ],
)
def test_an_image_stays_where_it_is(case: Case, outcome: str) -> None:
    stop = plan_promotion(case, HOME)
    assert isinstance(stop, Stop)
    assert stop.outcome == outcome
    assert stop.why


def test_a_repository_that_is_gone_has_no_standard_and_nothing_to_promote() -> None:
    case = Case(PromotionDue("event", NOW, IMAGE), Image(IMAGE, (Tag("v1"),), NOW), None, Verdict.PASS, is_held=False)
    assert plan_promotion(case, HOME) == Stop("Gone", "the image is gone")


def test_a_person_may_promote_what_is_only_to_be_notified_of() -> None:
    assert planned(verdict=Verdict.NOTIFY, due={**PERSON, "anyway": True}).tags


@pytest.mark.parametrize(
    ("tag", "rename", "there"),
    [
        ("v1", "{tag}", "v1"),
        ("v1", "{tag}-checked", "v1-checked"),
        ("v1", "{tag}-{tag}", "v1-v1"),
        ("v1." * 40, "{tag}", "v1." * 40),
        ("a" * 128, "{tag}", "a" * 128),
    ],
)
def test_tags_are_mapped_by_the_template(tag: str, rename: str, there: str) -> None:
    assert tag_there(Tag(tag), Promotion(Mode.ENFORCE, "release/{name}", ("*",), rename)) == there


@pytest.mark.parametrize(
    ("tag", "rename"),
    [("a" * 129, "{tag}"), ("a" * 125, "{tag}-ok!"), ("v1", "-{tag}"), ("v1\n", "{tag}"), ("", "{tag}")],
)
def test_a_tag_that_no_registry_takes_is_refused_with_what_to_do(tag: str, rename: str) -> None:
    with pytest.raises(Refused, match=r"promote\.rename"):
        tag_there(Tag(tag), Promotion(Mode.ENFORCE, "release/{name}", ("*",), rename))


def test_too_many_tags_are_refused() -> None:
    with pytest.raises(Refused, match="101 tags"):
        plan_promotion(a_case(*(f"v{number}" for number in range(101))), HOME)


@pytest.mark.parametrize(
    ("promotion_", "target"),
    [
        (Promotion(Mode.ENFORCE, "prod/{name}", ()), Target(RepositoryName("prod/app"), HOME.account, HOME.region)),
        (Promotion(Mode.ENFORCE, "golden", ()), Target(RepositoryName("golden"), HOME.account, HOME.region)),
        (
            Promotion(Mode.ENFORCE, "{name}", (), region="eu-west-1"),
            Target(RepositoryName("app"), HOME.account, "eu-west-1"),
        ),
        (
            Promotion(Mode.ENFORCE, "team/{name}", (), role=ROLE),
            Target(RepositoryName("team/app"), "444455556666", HOME.region, ROLE),
        ),
    ],
)
def test_the_target_is_where_the_policy_says(promotion_: Promotion, target: Target) -> None:
    assert target_of(RepositoryName("team/app"), promotion_, HOME) == target


@pytest.mark.parametrize(
    ("to", "said"), [("team/{name}", "promoted to itself"), ("Release/{name}", "no name of a repository")]
)
def test_a_target_that_can_be_none_is_refused(to: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        target_of(RepositoryName("team/app"), Promotion(Mode.ENFORCE, to, ()), HOME)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (Target(RepositoryName("release/app"), HOME.account, HOME.region), "release/app"),
        (Target(RepositoryName("release/app"), HOME.account, "eu-west-1"), "release/app (eu-west-1)"),
        (Target(RepositoryName("a"), "444455556666", "eu-west-1", ROLE), "a (eu-west-1, account 444455556666)"),
        (Target(RepositoryName("a"), "444455556666", HOME.region, ROLE), "a (account 444455556666)"),
    ],
)
def test_a_target_is_named_with_its_place_where_that_is_another(target: Target, shown: str) -> None:
    assert target.shown(HOME) == shown


def test_a_tag_that_another_image_has_there_is_a_conflict_that_names_both() -> None:
    plan = planned()
    other = digest("other")
    assert conflict(plan, [(Tag("v1"), None), (Tag("v2"), IMAGE.digest)]) is None
    said = conflict(plan, [(Tag(f"v{number}"), other) for number in range(5)])
    assert said is not None
    assert other in said
    assert "release/app" in said
    assert "and 2 more" in said
    only = conflict(plan, [(Tag("v1"), other)])
    assert only is not None
    assert "more" not in only


@pytest.mark.parametrize(
    "due",
    [
        PromotionDue("event", NOW, IMAGE),
        PromotionDue("event", NOW, IMAGE, idle=3),
        PromotionDue("event", NOW, IMAGE, "arn:aws:iam::111122223333:user/alice", "hotfix", anyway=True, idle=1),
    ],
)
def test_a_request_says_the_same_after_its_queue(due: PromotionDue) -> None:
    assert promotion(promotion_due(due, HOME), HOME) == due
