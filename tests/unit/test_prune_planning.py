"""The plan of pruning one repository: what leaves by whom, what waits, what is refused. The laws are elsewhere."""

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW, a_policy, digest
from warden.errors import Refused
from warden.lifecycle.rules import RuleAction
from warden.lifecycle.shields import lease_of, leased
from warden.names import RepositoryName, Tag, short
from warden.policy import Standard
from warden.prune_planning import Known, PrunePlan, nothing_planned, plan_pruning, wanted_labels
from warden.pruning import Refusal
from warden.standards import standard_of
from warden.stored_images import StoredImage
from warden.usage import Inventory, Use

APP = RepositoryName("team/app")
OLD = {"of": "any", "after_days": 30}
IDLE = {"of": "any", "not_pulled_days": 30}


def standard(*rules: dict[str, Any], **fields: Any) -> Standard:
    base = {"lifecycle__action": "delete", "lifecycle__protect__in_use": True, "lifecycle__rules": list(rules)}
    return standard_of(a_policy(**{**base, **fields}), APP, {})


def image(seed: str, *tags: str, days: float = 90, lists: tuple[StoredImage, ...] = (), **facts: Any) -> StoredImage:
    children = tuple(one.digest for one in lists)
    pushed = NOW - timedelta(days=days)
    return StoredImage(digest(seed), tuple(map(Tag, tags)), pushed, children=children, is_index=bool(lists), **facts)


def known(*images: StoredImage, uses: tuple[str, ...] = (), missing: tuple[str, ...] = (), **more: Any) -> Known:
    said = tuple(Use(APP, reference, "ECS service web") for reference in uses)
    return Known(images, Inventory(NOW, said, missing), **more)


def planned(about: Known, asked: Standard, labels: Any = None) -> PrunePlan:
    return plan_pruning(about, asked, labels=labels or {}, now=NOW)


def leaving(plan: PrunePlan) -> list[tuple[str, bool]]:
    return [(one.image.digest, one.by_ecr) for one in plan.leaving]


def test_what_leaves_says_by_which_rule_and_where_that_is_written() -> None:
    subject = image("a", "v1")
    signature = image("signature", subject=subject.digest)
    plan = planned(known(subject, signature), standard({"of": "pr-*", "after_days": 7}, OLD))
    assert [(one.rule, one.origin) for one in plan.leaving] == [
        ("delete all images 30 days after the push", "warden.yaml:1 rules[1]"),
        (f"follows {short(subject.digest)}, which it is about", "warden.yaml:1"),
    ]


def test_ecr_acts_within_a_day_so_that_tomorrows_images_are_counted_today() -> None:
    soon, later = image("soon", "v1", days=29.5), image("later", "v2", days=28.5)
    assert leaving(planned(known(soon, later), standard(OLD))) == [(soon.digest, True)]


def test_what_the_warden_takes_itself_it_takes_at_once_or_not() -> None:
    soon, idle = image("soon", "v1", days=29.5), image("idle", "v2", days=30.5)
    assert leaving(planned(known(soon, idle), standard(IDLE))) == [(idle.digest, False)]


@pytest.mark.parametrize(("waited", "leaves"), [(None, False), (0, False), (2.99, False), (3, True)])
def test_what_is_marked_waits_its_days(waited: float | None, leaves: bool) -> None:
    idle = image("idle", "v1")
    marks = {} if waited is None else {idle.digest: NOW - timedelta(days=waited)}
    plan = planned(known(idle, marks=marks), standard(IDLE, lifecycle__wait=3))
    assert leaving(plan) == ([(idle.digest, False)] if leaves else [])
    assert plan.mark == ((idle.digest,) if waited is None else ())
    assert plan.unmark == ()


def test_a_mark_is_taken_back_from_what_is_used_pulled_or_gone() -> None:
    used, pulled, idle = image("used", "v1"), image("pulled", "v2", pulled_at=NOW), image("idle", "v3")
    marks = dict.fromkeys((used.digest, pulled.digest, idle.digest, digest("gone")), NOW - timedelta(days=9))
    plan = planned(known(used, pulled, idle, uses=("v1",), marks=marks), standard(IDLE, lifecycle__wait=3))
    assert set(plan.unmark) == {used.digest, pulled.digest, digest("gone")}
    assert leaving(plan) == [(idle.digest, False)]


def test_what_a_kept_index_lists_is_not_deleted_by_the_warden() -> None:
    inner, loose = image("inner"), image("loose")
    nested = image("nested", lists=(inner,))
    outer = image("outer", "prod-1", lists=(nested,))
    plan = planned(known(inner, nested, outer, loose), standard(IDLE, lifecycle__protect__tags=["prod-*"]))
    assert leaving(plan) == [(loose.digest, False)]


def test_an_index_that_waits_keeps_what_it_lists_even_where_that_has_waited() -> None:
    child = image("child", "c1")
    whole = image("whole", "v1", lists=(child,))
    marks = {child.digest: NOW - timedelta(days=9)}
    plan = planned(known(child, whole, marks=marks), standard(IDLE, lifecycle__wait=3))
    assert leaving(plan) == []
    assert plan.mark == (whole.digest,)


def test_what_ecr_takes_once_the_index_is_gone_counts_for_the_gate() -> None:
    child = image("child")
    whole = image("whole", "v1", lists=(child,))
    rules = ({"of": "untagged", "after_days": 30}, IDLE)
    plan = planned(known(child, whole), standard(*rules))
    assert leaving(plan) == [(child.digest, True), (whole.digest, False)]


def test_leases_are_given_by_need_and_lifted_without() -> None:
    runs, was = image("runs", "v1"), leased(image("was", "v2"))
    plan = planned(known(runs, was, uses=("v1",)), standard(OLD))
    assert plan.leased == {runs.digest}
    assert plan.leases.lift == ((was, lease_of(was.digest)),)
    assert plan.used == {runs.digest}
    assert leaving(plan) == [(was.digest, True)]


def test_no_lease_is_lifted_as_long_as_somebody_was_not_heard() -> None:
    was = leased(image("was", "v2"))
    plan = planned(known(was, leased(image("bare")), missing=("ECS: AccessDenied",)), standard(OLD))
    assert (plan.leases.lift, plan.leases.bare) == ((), ())
    assert [refusal.missing for refusal in plan.refusals] == [("ECS: AccessDenied",)]


def test_what_has_nothing_but_its_lease_counts_as_untagged_and_leaves_by_the_warden() -> None:
    bare, young = leased(image("bare")), leased(image("young", days=1))
    plan = planned(known(bare, young), standard({"of": "untagged", "after_days": 30}))
    assert leaving(plan) == [(bare.digest, False)]
    assert plan.direct[0].rule == "delete untagged images 30 days after the push"


def test_an_image_that_a_lease_would_push_out_of_a_count_is_spared_too() -> None:
    """Its lease makes the running image one more of those that a rule on all tags keeps."""
    runs, other = image("runs", days=10), image("other", "v1", days=20)
    plan = planned(
        known(runs, other, uses=(runs.digest,)), standard({"of": "untagged", "after_days": 5}, {"of": "*", "keep": 1})
    )
    assert plan.leased == {runs.digest, other.digest}
    assert leaving(plan) == []
    assert other.digest not in plan.needs


def test_no_inventory_matters_where_use_is_not_asked_for() -> None:
    asked = standard(OLD, lifecycle__protect__in_use=False)
    plan = planned(known(image("a", "v1"), missing=("ECS",), uses=("v1",)), asked)
    assert plan.refusals == ()
    assert plan.used == frozenset()


def test_an_empty_repository_needs_no_inventory() -> None:
    assert planned(known(missing=("ECS",)), standard(OLD)).refusals == ()


def test_an_index_that_can_not_be_read_is_refused_by_name() -> None:
    whole = StoredImage(digest("whole"), (), NOW, archived=True, is_index=True)
    (refusal,) = planned(known(whole, unread=(whole.digest,)), standard(OLD)).refusals
    assert refusal.why == "indexes can't be read, so that what they list is not known"
    assert [one.image for one in refusal.images] == [whole]


def test_an_archived_image_in_use_is_refused_since_it_can_have_no_lease() -> None:
    frozen = image("frozen", "v1", archived=True, archived_at=NOW - timedelta(days=100))
    asked = standard(OLD, lifecycle__delete_archived_after=90)
    (refusal,) = planned(known(frozen, uses=("v1",)), asked).refusals
    assert refusal.why == "images that must live would leave"
    assert [(one.image, one.why) for one in refusal.images] == [(frozen, "in use by ECS service web")]


def test_an_image_that_can_have_no_more_tags_is_refused() -> None:
    full = image("full", *(f"t{number}" for number in range(1000)))
    whys = [refusal.why for refusal in planned(known(full, uses=("t7",)), standard(OLD)).refusals]
    assert whys == ["images that must live would leave", "images that must live can't get a lease"]


LABELLED = {"of": "pr-*", "after_days": 30, "label": "temporary=tr*"}


def test_only_the_labels_of_what_the_rule_would_take_are_wanted() -> None:
    old, young, other = image("old", "pr-1"), image("young", "pr-2", days=3), image("other", "v1")
    about = known(old, young, other, leased(image("leased", "pr-3")))
    assert [one.digest for one in wanted_labels(about, standard(LABELLED), NOW)] == [old.digest]
    assert wanted_labels(about, standard(OLD), NOW) == ()


@pytest.mark.parametrize(
    ("labels", "leaves"),
    [
        ({}, False),
        ({digest("old"): None}, False),
        ({digest("old"): {}}, False),
        ({digest("old"): {"temporary": "no"}}, False),
        ({digest("old"): {"Temporary": "true"}}, False),
        ({digest("old"): {"temporary": "true"}}, True),
    ],
)
def test_an_image_whose_label_is_not_known_is_never_taken(labels: Any, leaves: bool) -> None:
    old = image("old", "pr-1")
    plan = planned(known(old), standard(LABELLED, OLD), labels)
    assert leaving(plan) == ([(old.digest, False)] if leaves else [])


def test_a_standard_that_ecr_can_not_be_told_is_refused_and_nothing_is_planned() -> None:
    asked = standard(*({"of": f"{number}-*", "after_days": 30} for number in range(51)))
    old = image("old", "1-1")
    with pytest.raises(Refused, match="ECR takes 50 rules") as refused:
        planned(known(old), asked)
    about = known(old, marks={old.digest: NOW})
    plan = nothing_planned(about, Refusal(str(refused.value)))
    assert not (plan.leaving or plan.mark or plan.leases.put or plan.leases.lift)
    assert plan.unmark == (old.digest,)
    assert plan.rendered.text is None
    assert [refusal.why for refusal in plan.refusals] == [str(refused.value)]


def test_where_everything_waits_ecr_has_nothing_to_do() -> None:
    old = image("old", "v1")
    plan = planned(known(old, uses=("v1",)), standard(OLD, lifecycle__wait=3))
    assert plan.leases.put == ()
    assert leaving(plan) == []
    assert plan.mark == ()


def test_what_is_archived_leaves_by_being_archived() -> None:
    old = image("old", "v1")
    plan = planned(known(old), standard(OLD, lifecycle__action="archive"))
    assert [one.action for one in plan.leaving] == [RuleAction.TRANSITION]
