"""What is to be done about an image: by its verdict, its standard, and what persons said."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOW, a_policy, digest, finding, image_id
from warden.held_images import Held, Moved, Released
from warden.known import Known, Verdict, known
from warden.lifecycle.shields import lease_of
from warden.names import Digest, Severity, Tag
from warden.policy import QuarantineBy
from warden.quarantine_events import Order, QuarantineDue
from warden.quarantine_planning import Case, Step, aside, decide, movable, why_in_use
from warden.standards import standard_of
from warden.stored_images import StoredImage
from warden.usage import Inventory, Use

IMAGE = StoredImage(digest("image"), (Tag("v1"),), NOW)
ARCHIVED = replace(IMAGE, archived=True)
GAP = b"12345678"


def judged(verdict: Verdict = Verdict.BLOCK, *names: str, gaps: frozenset[bytes] = frozenset()) -> Known:
    """What is known of an image, by its critical findings."""
    found = [finding(name, Severity.CRITICAL) for name in names or ("CVE-2026-1",) if verdict is Verdict.BLOCK]
    now = known("team/app:v1", verdict, found, (), before=None, today=NOW.date())
    return replace(now, gaps=gaps)


def held(by: str = "", how: QuarantineBy = QuarantineBy.TAGS, **changes: Any) -> Held:
    moved = (Moved(Tag("v1"), Tag("quarantine.v1")),) if how is QuarantineBy.TAGS else ()
    return replace(Held(image_id(), how, NOW, by, "", moved), **changes)


def released(*names: str) -> Released:
    return Released("alice", "not reachable", judged(Verdict.BLOCK, *names).findings)


def case(
    order: Order = Order.SETTLE,
    *,
    by: str | None = "tags",
    mode: str = "enforce",
    image: StoredImage | None = IMAGE,
    verdict: Known | None = None,
    hold: Held | None = None,
    release: Released | None = None,
) -> Case:
    policy = a_policy(quarantine__by=by, quarantine__mode=mode)
    due = QuarantineDue("event", NOW, image_id(), order, "bob", "a test")
    return Case(due, standard_of(policy, image_id().repository, {}), image, verdict, hold, release)


PASS, BLOCK = judged(Verdict.PASS), judged()
WAITING = held(waiting=True, moved=())
BY_PULL = held(how=QuarantineBy.PULL)

SETTLED: list[tuple[str, dict[str, Any], Step]] = [
    ("it blocks", {"verdict": BLOCK}, Step.QUARANTINE),
    ("it blocks in report mode", {"verdict": BLOCK, "mode": "report"}, Step.QUARANTINE),
    ("it blocks, and the standard says nothing", {"verdict": BLOCK, "by": None}, Step.NOTHING),
    ("it blocks, and the mode is off", {"verdict": BLOCK, "mode": "off"}, Step.NOTHING),
    ("it passes", {"verdict": PASS}, Step.NOTHING),
    ("it was never judged", {}, Step.NOTHING),
    ("it is held and passes", {"verdict": PASS, "hold": held()}, Step.RELEASE),
    ("it is held and does not block", {"verdict": judged(Verdict.NOTIFY), "hold": held()}, Step.RELEASE),
    ("it is held and blocks", {"verdict": BLOCK, "hold": held()}, Step.QUARANTINE),
    ("it is held, and no verdict is known", {"hold": held()}, Step.QUARANTINE),
    ("it is held, passes, and nothing is asked", {"verdict": PASS, "hold": held(), "mode": "off"}, Step.NOTHING),
    ("a person's passes", {"verdict": PASS, "hold": held("alice")}, Step.QUARANTINE),
    ("a person's was never judged", {"hold": held("alice")}, Step.QUARANTINE),
    (
        "a part was not scanned this time",
        {"verdict": judged(Verdict.PASS, gaps=frozenset({GAP})), "hold": held()},
        Step.QUARANTINE,
    ),
    (
        "a part was never scanned",
        {"verdict": judged(Verdict.NOTIFY, gaps=frozenset({GAP})), "hold": held(gaps=frozenset({GAP}))},
        Step.RELEASE,
    ),
    ("it waits and blocks", {"verdict": BLOCK, "hold": WAITING}, Step.QUARANTINE),
    ("it waits and passes", {"verdict": PASS, "hold": WAITING}, Step.FORGET),
    ("it waits and was never judged", {"hold": WAITING}, Step.NOTHING),
    ("it waits with a tag moved, and passes", {"verdict": PASS, "hold": held(waiting=True)}, Step.RELEASE),
    ("a person has released it", {"verdict": BLOCK, "release": released("CVE-2026-1")}, Step.NOTHING),
    (
        "a person has released it while it waited",
        {"verdict": BLOCK, "release": released("CVE-2026-1"), "hold": WAITING},
        Step.FORGET,
    ),
    (
        "a person has released it before it got worse",
        {"verdict": judged(Verdict.BLOCK, "CVE-2026-1", "CVE-2026-2"), "release": released("CVE-2026-1")},
        Step.QUARANTINE,
    ),
    (
        "a person has released it, and it got better",
        {"verdict": BLOCK, "release": released("CVE-2026-1", "CVE-2026-2")},
        Step.NOTHING,
    ),
    (
        "one has released it and another ordered it",
        {"verdict": BLOCK, "release": released("CVE-2026-1"), "hold": held("alice")},
        Step.QUARANTINE,
    ),
    ("it is gone", {"image": None}, Step.NOTHING),
    ("it is gone and was held", {"image": None, "hold": held()}, Step.RELEASE),
    ("a person's is gone", {"image": None, "hold": held("alice")}, Step.RELEASE),
    ("it is gone and waited", {"image": None, "hold": WAITING}, Step.FORGET),
    ("it is gone and waited with a tag moved", {"image": None, "hold": held(waiting=True)}, Step.FORGET),
    ("it is archived", {"image": ARCHIVED, "verdict": BLOCK}, Step.NOTHING),
    ("it is archived and its tags are aside", {"image": ARCHIVED, "verdict": BLOCK, "hold": held()}, Step.NOTHING),
    ("it is archived and pulls are denied", {"image": ARCHIVED, "verdict": BLOCK, "hold": BY_PULL}, Step.RELEASE),
    (
        "it is gone, pulls are denied, and the mode is off",
        {"image": None, "hold": BY_PULL, "mode": "off"},
        Step.NOTHING,
    ),
]


@pytest.mark.parametrize(("given", "step"), [row[1:] for row in SETTLED], ids=[row[0] for row in SETTLED])
def test_by_its_verdict(given: dict[str, Any], step: Step) -> None:
    assert decide(case(**given)).step is step


ORDERED: list[tuple[str, Order, dict[str, Any], Step, str]] = [
    ("a passing image", Order.QUARANTINE, {"verdict": PASS}, Step.QUARANTINE, "a test"),
    ("one that is gone", Order.QUARANTINE, {"image": None}, Step.REFUSE, "the image is gone"),
    ("an archived one", Order.QUARANTINE, {"image": ARCHIVED}, Step.REFUSE, "it is archived"),
    ("without a policy", Order.QUARANTINE, {"by": None}, Step.REFUSE, "set quarantine.by to tags or pull"),
    (
        "switched off",
        Order.QUARANTINE,
        {"mode": "off"},
        Step.REFUSE,
        "quarantine.mode is off for this repository (warden.yaml:1)",
    ),
    ("what is in none", Order.RELEASE, {"verdict": BLOCK}, Step.NOTHING, "it is in no quarantine"),
    ("what waits", Order.RELEASE, {"verdict": BLOCK, "hold": WAITING}, Step.FORGET, "not in quarantine yet"),
    ("what blocks", Order.RELEASE, {"verdict": BLOCK, "hold": held()}, Step.RELEASE, "a test"),
    ("another's order", Order.RELEASE, {"hold": held("alice")}, Step.RELEASE, "a test"),
    ("what is gone", Order.RELEASE, {"image": None, "hold": held()}, Step.RELEASE, "a test"),
    ("what is archived", Order.RELEASE, {"image": ARCHIVED, "hold": held()}, Step.REFUSE, "restore it first"),
    ("archived, by pulls", Order.RELEASE, {"image": ARCHIVED, "hold": BY_PULL}, Step.RELEASE, "a test"),
    ("release, switched off", Order.RELEASE, {"hold": held(), "mode": "off"}, Step.REFUSE, "quarantine.mode is off"),
]


@pytest.mark.parametrize(
    ("order", "given", "step", "why"), [row[1:] for row in ORDERED], ids=[row[0] for row in ORDERED]
)
def test_by_a_persons_order(order: Order, given: dict[str, Any], step: Step, why: str) -> None:
    decision = decide(case(order, **given))
    assert decision.step is step
    assert why in decision.why


def test_the_verdict_is_told_with_what_decided_it() -> None:
    assert decide(case(verdict=BLOCK)).why == "its verdict is block: 1 finding from critical on"


def test_that_a_persons_quarantine_stays_is_said() -> None:
    decision = decide(case(verdict=PASS, hold=held("alice")))
    assert (decision.why, decision.remark) == (
        "a person ordered it, and a person only can release it",
        "its verdict is pass",
    )


def test_a_policy_that_changes_its_ways_changes_only_what_comes_after() -> None:
    assert case(by="pull", hold=held()).how is QuarantineBy.TAGS
    assert case(by="pull", hold=WAITING).how is QuarantineBy.PULL
    assert case(by=None).how is None


def test_leases_signatures_and_what_is_aside_already_are_not_moved() -> None:
    tags = [
        Tag(tag) for tag in ("v1", lease_of(IMAGE.digest), "sha256-abc.sig", "quarantine.v0", "moved-v2-ab", "latest")
    ]
    assert movable(tags) == ("v1", "moved-v2-ab", "latest")


TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True).map(Tag)


@settings(deadline=None, max_examples=60)
@given(TAGS, TAGS, st.none() | st.just(digest("image")))
def test_the_tag_that_stands_for_another_fits_and_is_its_own(one: Tag, other: Tag, of: Digest | None) -> None:
    assert len(aside(one, of)) <= 128
    assert aside(one, of).startswith("quarantine.")
    assert aside(one, of) == aside(one, of)
    if one != other:
        assert aside(one, of) != aside(other, of)


def test_long_tags_that_begin_alike_stay_two() -> None:
    one, other = Tag("x" * 127 + "a"), Tag("x" * 127 + "b")
    assert len({aside(one), aside(other), aside(one, digest("1")), aside(one, digest("2"))}) == 4


INDEX = StoredImage(digest("index"), (Tag("v2"),), NOW, is_index=True, children=(digest("image"),))
OUTER = StoredImage(digest("outer"), (), NOW, is_index=True, children=(digest("index"), digest("nowhere")))
OTHER = StoredImage(digest("other"), (Tag("v3"),), NOW)
IMAGES = (IMAGE, INDEX, OUTER, OTHER)


@pytest.mark.parametrize(
    ("image", "reference", "why"),
    [
        (IMAGE, IMAGE.digest, "it is in use by ECS web"),
        (IMAGE, "v1", "it is in use by ECS web"),
        (IMAGE, "v2", f"it is in use by ECS web, by way of {INDEX.digest[:19]}"),
        (IMAGE, OUTER.digest, f"it is in use by ECS web, by way of {OUTER.digest[:19]}"),
        (INDEX, IMAGE.digest, f"it is in use by ECS web, by way of {IMAGE.digest[:19]}"),
        (OUTER, "v1", f"it is in use by ECS web, by way of {IMAGE.digest[:19]}"),
        (IMAGE, "v3", ""),
        (OTHER, "v1", ""),
    ],
)
def test_an_image_is_in_use_with_what_lists_it_and_what_it_lists(image: StoredImage, reference: str, why: str) -> None:
    inventory = Inventory(NOW, (Use(image_id().repository, reference, "ECS web"),))
    assert why_in_use(image, IMAGES, inventory, leased=()) == why


def test_several_users_are_counted() -> None:
    uses = tuple(Use(image_id().repository, "v1", by) for by in ("ECS web", "Lambda \x1b[31mred"))
    assert why_in_use(IMAGE, IMAGES, Inventory(NOW, uses), leased=()) == "it is in use by ECS web and 1 more"


@pytest.mark.parametrize("leased", [IMAGE.digest, INDEX.digest])
def test_a_lease_says_that_it_was_in_use_lately(leased: Digest) -> None:
    assert "has a lease, warden.keep-" in why_in_use(IMAGE, IMAGES, Inventory(NOW), leased={leased})


def test_unknown_is_never_unused() -> None:
    inventory = Inventory(NOW, missing=("ECS in eu-west-1: access denied", "EKS"))
    why = why_in_use(IMAGE, IMAGES, inventory, leased=())
    assert why == "it is not known whether it is in use: ECS in eu-west-1: access denied (and 1 more)"
