"""The laws of pruning, on any repository, any use and any standard: what must live lives, and what leaves leaves once.

Every law is tried on every world. `WARDEN_EXAMPLES=100000` tries as many worlds.
"""

import os
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOW, a_policy, digest
from warden.gate import Previewed, judge, over_caps
from warden.lifecycle.evaluation import evaluate
from warden.lifecycle.rules import RuleAction
from warden.lifecycle.shields import leased, unleased
from warden.names import Digest, RepositoryName, Tag
from warden.policy import Caps, LifecycleAction, LifecycleRule, LifecycleStandard, Mode, Per, Protection, Standard
from warden.prune_planning import Known, PrunePlan, plan_pruning
from warden.standards import standard_of
from warden.stored_images import StoredImage
from warden.usage import Inventory, Use

EXAMPLES = settings(
    max_examples=int(os.environ.get("WARDEN_EXAMPLES", "60")), derandomize="WARDEN_EXAMPLES" not in os.environ
)
REPOSITORY = RepositoryName("team/app")
TAGS = ("v1", "v1.2", "v1.3-rc.1", "v2.0", "pr-1", "pr-2", "prod-1", "latest", "keep")
PATTERNS = ("untagged", "any", "v*", "pr-*", "*", "v1*", "latest", "warden.*")
MANY = tuple(digest(f"image {number}") for number in range(9))
BASE = standard_of(a_policy(), REPOSITORY, {})


@st.composite
def repositories(draw: st.DrawFn) -> tuple[StoredImage, ...]:
    """Images that were pushed before what refers to them, as ECR asks; no two have the same tag."""
    count = draw(st.integers(0, len(MANY)))
    free = list(TAGS)
    images: list[StoredImage] = []
    for number in range(count):
        tags = draw(st.lists(st.sampled_from(free), max_size=2, unique=True)) if free else []
        free = [tag for tag in free if tag not in tags]
        earlier = st.sampled_from(images) if images else st.nothing()
        kind = draw(st.sampled_from(("image", "image", "index", "referrer", "tied") if images else ("image",)))
        about = draw(earlier) if kind in {"referrer", "tied"} else None
        lists = draw(st.lists(earlier, min_size=1, max_size=3, unique=True)) if kind == "index" else []
        if kind == "tied" and about is not None:
            tags = [f"sha256-{about.digest.partition(':')[2]}.sig"]
            if any(set(tags) & set(image.tags) for image in images):
                tags = []
        pushed = NOW - timedelta(days=draw(st.integers(0, 60)), seconds=draw(st.integers(0, 3)))
        archived = draw(st.booleans()) and draw(st.booleans()) and kind == "image"
        images.append(
            StoredImage(
                MANY[number],
                tuple(map(Tag, tags)),
                pushed,
                size=draw(st.integers(0, 1000)),
                pulled_at=draw(st.none() | st.just(NOW - timedelta(days=draw(st.integers(0, 60))))),
                archived=archived,
                archived_at=NOW - timedelta(days=draw(st.integers(0, 200))) if archived else None,
                subject=about.digest if about and kind == "referrer" else None,
                children=tuple(image.digest for image in lists),
                is_index=bool(lists),
            )
        )
    return tuple(images)


@st.composite
def rules(draw: st.DrawFn) -> LifecycleRule:
    of = draw(st.sampled_from(PATTERNS))
    kind = draw(st.sampled_from(("after", "keep", "idle", "per")))
    if kind == "after":
        return LifecycleRule(of, after_days=draw(st.integers(1, 40)))
    if kind == "keep":
        return LifecycleRule(of, keep=draw(st.integers(1, 4)))
    if kind == "idle":
        return LifecycleRule(of, not_pulled_days=draw(st.integers(1, 40)))
    return LifecycleRule("v*", keep=draw(st.integers(1, 2)), per=draw(st.sampled_from(Per)))


@st.composite
def standards(draw: st.DrawFn) -> Standard:
    chosen = draw(st.lists(rules(), min_size=1, max_size=4, unique_by=lambda rule: rule.of))
    chosen.sort(key=lambda rule: rule.of == "any")
    action = draw(st.sampled_from(LifecycleAction))
    lifecycle = LifecycleStandard(
        Mode.ENFORCE,
        action,
        tuple(chosen),
        Protection(in_use=True, tags=draw(st.sampled_from(((), ("prod-*",), ("prod-*", "keep"))))),
        Caps(),
        wait_days=draw(st.sampled_from((None, None, 3))) if action is LifecycleAction.DELETE else None,
        delete_archived_days=draw(st.sampled_from((None, 90))),
    )
    return replace(BASE, lifecycle=lifecycle)


@st.composite
def knowledge(draw: st.DrawFn) -> Known:
    images = draw(repositories())
    names: list[str] = [image.digest for image in images] + [tag for image in images for tag in image.tags]
    uses = draw(st.lists(st.sampled_from(names), max_size=3)) if names else []
    some = st.lists(st.sampled_from(images), max_size=3, unique=True) if images else st.just([])
    marked, used, held, kept = draw(some), draw(some), draw(some), draw(some)
    return Known(
        tuple(leased(image) if image in held and not image.archived else image for image in images),
        Inventory(NOW, tuple(Use(REPOSITORY, name, "ECS service web") for name in uses)),
        last_used={image.digest: NOW - timedelta(days=draw(st.integers(0, 20))) for image in used},
        marks={image.digest: NOW - timedelta(days=draw(st.integers(0, 6))) for image in marked},
        put_back={image.digest: "put back by alice" for image in kept[:1]},
    )


def plan_of(known: Known, standard: Standard) -> PrunePlan:
    return plan_pruning(known, standard, labels={}, now=NOW)


def leaving(plan: PrunePlan) -> set[Digest]:
    return {one.image.digest for one in plan.leaving}


def preview(plan: PrunePlan) -> tuple[Previewed, ...]:
    """What ECR would preview, if it evaluates as we do."""
    taken = evaluate(plan.rendered.rules, plan.images, NOW)
    return tuple(Previewed(one.image.digest, one.action, one.priority) for one in taken)


def is_refused(plan: PrunePlan) -> bool:
    """Whether nothing leaves, by what was known before ECR was asked or by its preview."""
    return bool(plan.refusals or judge(preview(plan), plan.rendered.rules, plan.images, plan.needs, now=NOW))


@dataclass(frozen=True)
class World:
    """What is known of a repository, its standard, the plan that these come to, and another time and other caps."""

    known: Known
    standard: Standard
    days: int
    caps: Caps

    @cached_property
    def plan(self) -> PrunePlan:
        return plan_of(self.known, self.standard)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    caps = Caps(draw(st.integers(0, 100)), draw(st.integers(0, 9)), draw(st.integers(0, 3000)))
    return World(draw(knowledge()), draw(standards()), draw(st.integers(0, 1000)), caps)


def nothing_that_must_live_leaves(world: World) -> None:
    plan = world.plan
    if not is_refused(plan):
        assert not plan.needs.keys() & leaving(plan)
    assert not plan.needs.keys() & {one.image.digest for one in plan.direct}


def leases_are_enough_at_any_time(world: World) -> None:
    """ECR acts by itself, whether or not we look again. Archived images can have no lease: those the gate refuses."""
    known = world.known
    known = replace(known, images=tuple(replace(image, archived=False, archived_at=None) for image in known.images))
    plan = plan_of(known, world.standard)
    taken = {one.image.digest for one in evaluate(plan.rendered.rules, plan.images, NOW + timedelta(days=world.days))}
    assert not taken & plan.needs.keys()
    assert not is_refused(plan)


def what_an_index_lists_stays_as_long_as_the_index(world: World) -> None:
    gone = leaving(world.plan)
    deleted = {one.image.digest for one in world.plan.leaving if one.action is RuleAction.EXPIRE}
    present = {image.digest for image in world.known.images}
    for image in world.known.images:
        if image.digest not in deleted:
            assert not set(image.children) & present & deleted
        if image.digest not in gone:
            assert not set(image.children) & present & gone


def a_lease_never_makes_another_image_leave(world: World) -> None:
    known = world.known
    nobody = replace(
        known,
        images=tuple(map(unleased, known.images)),
        inventory=Inventory(NOW),
        last_used={},
        put_back={},
    )
    assert leaving(world.plan) <= leaving(plan_of(nobody, world.standard))


def once_all_that_leaves_has_left_nothing_more_leaves(world: World) -> None:
    """What the warden takes itself frees what it listed: that leaves the next time, and so on down.

    It takes an image itself that has nothing but a lease which it needs no more, once no index lists it: what follows
    that image leaves with it. And what followed a subject that has left, and was spared as part of an index, stands for
    itself from then on.
    """
    plan, known = world.plan, world.known
    if is_refused(plan):
        return
    for _ in range(len(known.images)):
        known = replace(known, images=_after(plan))
        again = plan_of(known, world.standard)
        gone = leaving(plan)
        if not (plan.direct or again.direct):
            assert not [one for one in again.by_ecr if one.image.subject not in gone]
        assert not again.leases.put
        plan = again
    assert not plan.by_ecr


def _after(plan: PrunePlan) -> tuple[StoredImage, ...]:
    actions = {one.image.digest: one.action for one in plan.leaving}
    return tuple(
        replace(image, archived=True, archived_at=NOW) if image.digest in actions else image
        for image in plan.images
        if actions.get(image.digest) is not RuleAction.EXPIRE
    )


def what_passes_the_caps_is_within_them(world: World) -> None:
    going, caps = [one.image for one in world.plan.leaving], world.caps
    if not over_caps(going, world.known.images, caps, world.standard.origins):
        assert len(going) <= (caps.images or 0)
        assert sum(image.size for image in going if not image.is_index) <= (caps.bytes or 0)
        assert len(going) * 100 < (caps.percent or 0) * len(world.known.images) + 100
        assert caps.percent or not going


def an_inventory_that_is_not_complete_lifts_no_lease_and_is_refused(world: World) -> None:
    known = world.known
    plan = plan_of(replace(known, inventory=replace(known.inventory, missing=("ECS: AccessDenied",))), world.standard)
    assert not plan.leases.lift
    assert bool(plan.refusals) is bool(known.images)


@given(worlds())
@EXAMPLES
def test_the_laws_hold_in_any_world(world: World) -> None:
    nothing_that_must_live_leaves(world)
    leases_are_enough_at_any_time(world)
    what_an_index_lists_stays_as_long_as_the_index(world)
    a_lease_never_makes_another_image_leave(world)
    once_all_that_leaves_has_left_nothing_more_leaves(world)
    what_passes_the_caps_is_within_them(world)
    an_inventory_that_is_not_complete_lifts_no_lease_and_is_refused(world)
