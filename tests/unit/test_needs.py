"""What must live: what is used, protected, put back or pulled lately, and everything that those consist of."""

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW, digest
from warden.names import Digest, Tag, short
from warden.needs import must_live, tied_to
from warden.policy import Protection
from warden.stored_images import StoredImage

IN_USE = Protection(in_use=True, tags=())
NOTHING = Protection(in_use=False, tags=())


def image(seed: str, *tags: str, lists: tuple[StoredImage, ...] = (), **facts: Any) -> StoredImage:
    children = tuple(one.digest for one in lists)
    pushed = NOW - timedelta(days=90)
    return StoredImage(digest(seed), tuple(map(Tag, tags)), pushed, children=children, is_index=bool(lists), **facts)


def needed(*images: StoredImage, protection: Protection = IN_USE, **known: Any) -> dict[Digest, str]:
    facts: dict[str, Any] = {"users": {}, "last_used": {}, "put_back": {}, **known}
    return must_live(images, protection, **facts, now=NOW)


def tied(seed: str, subject: StoredImage, ending: str = ".sig") -> StoredImage:
    return image(seed, f"sha256-{subject.digest.partition(':')[2]}{ending}")


APP, OTHER = image("app", "v1", "prod-1"), image("other", "v2")


def test_nothing_is_needed_that_nobody_needs() -> None:
    assert needed(APP, OTHER) == {}


@pytest.mark.parametrize(
    ("users", "why"),
    [
        (("ECS service prod/web",), "in use by ECS service prod/web"),
        (("ECS service prod/web", "Lambda function a", "pod"), "in use by ECS service prod/web and 2 more"),
        (("web\x1b[31m\u202e" + "x" * 200,), None),
    ],
)
def test_what_is_in_use_says_by_whom_and_shows_no_hostile_name(users: tuple[str, ...], why: str | None) -> None:
    found = needed(APP, OTHER, users={APP.digest: users})
    assert found.keys() == {APP.digest}
    assert why is None or found[APP.digest] == why
    assert found[APP.digest].isprintable()
    assert len(found[APP.digest]) < 160


def test_where_use_is_not_asked_for_it_protects_nothing() -> None:
    known = {"users": {APP.digest: ("ECS",)}, "last_used": {APP.digest: NOW}}
    assert needed(APP, protection=NOTHING, **known) == {}


@pytest.mark.parametrize(("days", "lives"), [(0, True), (6.9, True), (7, True), (7.001, False)])
def test_what_was_in_use_lives_for_the_grace_period(days: float, lives: bool) -> None:
    found = needed(APP, last_used={APP.digest: NOW - timedelta(days=days)})
    assert (APP.digest in found) is lives
    assert not lives or "less than 7 days ago" in found[APP.digest]


def test_a_protected_tag_says_which_pattern_protects_it() -> None:
    found = needed(APP, OTHER, protection=Protection(in_use=False, tags=("nothing-*", "prod-*")))
    assert found == {APP.digest: "tagged prod-1, which prod-* protects"}


def test_what_a_person_put_back_lives_whatever_the_standard_protects() -> None:
    back = "put back by alice until 23 Dec 2026"
    assert needed(APP, protection=NOTHING, put_back={APP.digest: back}) == {APP.digest: back}


@pytest.mark.parametrize(
    ("within", "pulled", "lives"),
    [(None, 0.0, False), (30, None, False), (30, 29.9, True), (30, 30, True), (30, 30.001, False)],
)
def test_what_was_pulled_lately_lives_where_the_standard_says_so(
    within: int | None, pulled: float | None, lives: bool
) -> None:
    at = None if pulled is None else NOW - timedelta(days=pulled)
    protection = Protection(in_use=False, tags=(), pulled_within_days=within)
    assert (digest("pulled") in needed(image("pulled", pulled_at=at), protection=protection)) is lives


def test_an_index_needs_all_that_it_lists_down_to_the_last() -> None:
    leaf, gone = image("leaf"), image("gone")
    inner = image("inner", lists=(leaf, gone))
    outer = image("outer", lists=(inner,))
    found = needed(leaf, inner, outer, OTHER, users={outer.digest: ("ECS",)})
    assert found == {
        outer.digest: "in use by ECS",
        inner.digest: f"listed by {short(outer.digest)}, which is in use by ECS",
        leaf.digest: f"listed by {short(outer.digest)}, which is in use by ECS",
    }


def test_what_an_index_lists_does_not_keep_the_index() -> None:
    child = image("child")
    assert needed(child, image("index", lists=(child,)), users={child.digest: ("ECS",)}).keys() == {child.digest}


def test_signatures_of_what_lives_live_whether_new_or_old_and_their_signatures_too() -> None:
    attached = image("attached", subject=APP.digest)
    old, older = tied("old", APP), tied("older", APP, "")
    of_old = image("of old", subject=old.digest)
    found = needed(APP, attached, old, older, of_old, tied("of other", OTHER), users={APP.digest: ("ECS",)})
    assert found.keys() == {one.digest for one in (APP, attached, old, older, of_old)}
    assert found[of_old.digest] == f"about {short(APP.digest)}, which is in use by ECS"


def test_an_artifact_that_must_live_keeps_its_subject_since_ecr_takes_it_with_that() -> None:
    sbom = image("sbom", "prod-sbom", subject=OTHER.digest)
    found = needed(OTHER, sbom, protection=Protection(in_use=False, tags=("prod-*",)))
    assert found.keys() == {OTHER.digest, sbom.digest}
    assert found[OTHER.digest].startswith("the subject of")


def test_what_is_listed_and_used_by_itself_says_what_it_is_used_by() -> None:
    child = image("child")
    whole = image("whole", lists=(child,))
    found = needed(child, whole, users={whole.digest: ("ECS",), child.digest: ("Lambda",)})
    assert found[child.digest] == "in use by Lambda"


def test_circles_come_to_an_end() -> None:
    one, two = image("one", subject=digest("two")), image("two", subject=digest("one"))
    assert needed(one, two, users={one.digest: ("ECS",)}).keys() == {one.digest, two.digest}


@pytest.mark.parametrize(
    ("tag", "is_tied"),
    [
        ("sha256-" + "ab" * 32, True),
        ("sha256-" + "ab" * 32 + ".sig", True),
        ("sha256-" + "ab" * 32 + ".att.2", True),
        ("sha256-" + "ab" * 31, False),
        ("sha256-" + "ab" * 32 + "x", False),
        ("sha256-" + "AB" * 32, False),
        ("xsha256-" + "ab" * 32, False),
    ],
)
def test_which_tags_tie_an_image_to_another(tag: str, is_tied: bool) -> None:
    assert tied_to(image("a", "v1", tag)) == ("sha256:" + "ab" * 32 if is_tied else None)
    assert tied_to(image("a", tag, subject=APP.digest)) == APP.digest
