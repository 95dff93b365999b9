"""Reports are read as they were written, and of whatever size they fit into an item of DynamoDB."""

import json
import random
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW, digest
from warden.lifecycle.rules import RuleAction
from warden.names import Digest, RepositoryName, Tag
from warden.policy import Mode
from warden.prune_reports import LARGEST, MOST_LISTED, MOST_TAGS, packed, read, unpacked, written
from warden.pruning import Leaving, PruneReport, PruneResult, Refusal, Spared
from warden.stored_images import StoredImage

APP = RepositoryName("team/app")


def image(seed: str = "image", *tags: str, **facts: Any) -> StoredImage:
    return StoredImage(digest(seed), tuple(map(Tag, tags)), NOW - timedelta(days=40), **{"size": 7, **facts})


def leaving(one: StoredImage, action: RuleAction = RuleAction.EXPIRE, *, by_ecr: bool = True) -> Leaving:
    return Leaving(one, action, "delete pr-* 14 days after the push", "warden.yaml:31 rules[1]", by_ecr=by_ecr)


def a_report(**facts: Any) -> PruneReport:
    return PruneReport(**{"repository": APP, "mode": Mode.ENFORCE, "result": PruneResult.DONE, "images": 40, **facts})


def again(report: PruneReport) -> PruneReport:
    """As it comes back from the ledger."""
    return read(unpacked(packed(written(report))))


FULL = a_report(
    leaving=(leaving(image("a", "v1")), leaving(image("b", pulled_at=NOW), RuleAction.TRANSITION, by_ecr=False)),
    left=(leaving(image("c", is_index=True)), leaving(image("d", subject=digest("c")))),
    refusals=(
        Refusal("too many"),
        Refusal("not known", missing=("ECS: AccessDenied", "Lambda")),
        Refusal("must live", (Spared(image("e", "x"), "in use by ECS", "rule 1"), Spared(image("f"), "tagged"))),
    ),
    leased=1,
    lifted=2,
    marked=3,
    remarks=("rule 1 matches nothing",),
    channels=("platform", "team-a"),
    more=4,
    more_bytes=5,
    protections=("prod-*", "x"),
    idle_protections=("x",),
)


def test_a_report_is_read_as_it_was_written() -> None:
    assert again(FULL) == FULL
    assert again(a_report()) == a_report()


def test_every_field_of_a_report_is_tried() -> None:
    unsaid = a_report()
    same = {field.name for field in fields(PruneReport) if getattr(FULL, field.name) == getattr(unsaid, field.name)}
    assert same == {"repository", "mode", "result", "images"}


def test_a_few_tags_stand_for_all_of_an_image() -> None:
    many = image("many", *(f"t{number}" for number in range(1000)))
    assert again(a_report(leaving=(leaving(many),))).leaving[0].image.tags == ("t0", "t1", "t2")
    assert MOST_TAGS == 3


def test_what_is_not_listed_is_counted_with_its_size() -> None:
    going = tuple(leaving(image(f"image {number}", size=number)) for number in range(MOST_LISTED + 3))
    found = again(a_report(leaving=going, more=10, more_bytes=100))
    assert found.leaving == going[:MOST_LISTED]
    assert (found.more, found.more_bytes) == (13, 100 + 3 * MOST_LISTED + 3)


def test_however_long_tags_are_a_report_fits_into_an_item() -> None:
    """Random tags of 300 characters, which no compression makes smaller than it has to."""
    chance = random.Random(7)  # noqa: S311 - no secret
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._"

    def one(number: int) -> StoredImage:
        return image(f"image {number}", *("".join(chance.choices(letters, k=300)) for _ in range(3)))

    images = [one(number) for number in range(MOST_LISTED)]
    refusals = (Refusal("must live", tuple(Spared(each, "in use by ECS") for each in images)),)
    report = a_report(leaving=tuple(map(leaving, images)), left=tuple(map(leaving, images)), refusals=refusals)
    kept = packed(written(report))
    assert len(kept) <= LARGEST
    found = read(unpacked(kept))
    assert 0 < len(found.leaving) < MOST_LISTED
    assert len(found.leaving) + found.more == MOST_LISTED
    assert sum(each.image.size for each in found.leaving) + found.more_bytes == 7 * MOST_LISTED


def test_what_is_written_is_json() -> None:
    assert read(json.loads(json.dumps(written(FULL)))) == FULL


TEXTS = st.text(max_size=20)
DIGESTS = st.sampled_from([digest(str(number)) for number in range(9)])
TIMES = st.integers(0, 10**7).map(lambda seconds: NOW - timedelta(seconds=seconds))
IMAGES = st.builds(
    StoredImage,
    digest=DIGESTS,
    tags=st.lists(TEXTS.map(Tag), max_size=3).map(tuple),
    pushed_at=TIMES,
    size=st.integers(0, 10**12),
    pulled_at=st.none() | TIMES,
    is_index=st.booleans(),
    subject=st.none() | DIGESTS.map(Digest),
)
LEAVING = st.builds(Leaving, IMAGES, st.sampled_from(RuleAction), TEXTS, TEXTS, by_ecr=st.booleans())
REFUSALS = st.builds(
    Refusal,
    TEXTS,
    st.lists(st.builds(Spared, IMAGES, TEXTS, TEXTS), max_size=3).map(tuple),
    st.lists(TEXTS, max_size=2).map(tuple),
)


@given(
    st.lists(LEAVING, max_size=4).map(tuple),
    st.lists(LEAVING, max_size=4).map(tuple),
    st.lists(REFUSALS, max_size=3).map(tuple),
    st.sampled_from(PruneResult),
    st.sampled_from(Mode),
)
def test_any_report_is_read_as_it_was_written(
    going: tuple[Leaving, ...],
    left: tuple[Leaving, ...],
    refusals: tuple[Refusal, ...],
    result: PruneResult,
    mode: Mode,
) -> None:
    report = replace(a_report(), leaving=going, left=left, refusals=refusals, result=result, mode=mode)
    assert again(report) == report
