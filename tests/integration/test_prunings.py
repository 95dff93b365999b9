"""What the ledger knows of pruning, in moto's DynamoDB; what DynamoDB did not take is sent again."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.account import Stack, unprocessed
from tests.builders import NOW, digest
from warden.batch_writes import TRIES
from warden.errors import Unavailable
from warden.ledger import KEPT
from warden.lifecycle.rules import RuleAction
from warden.names import RepositoryName, Tag
from warden.pruning import Leaving
from warden.prunings import LARGEST_MANIFEST, UNKNOWN_LABELS_KEPT, Expected, Prunings
from warden.stored_images import StoredImage

APP, OTHER = RepositoryName("team/app"), RepositoryName("team/other")


@pytest.fixture
def prunings(stack: Stack) -> Prunings:
    return Prunings(stack.dynamodb, "ledger")


def leaving(
    seed: str, *tags: str, action: RuleAction = RuleAction.EXPIRE, by_ecr: bool = True, **facts: Any
) -> Leaving:
    image = StoredImage(digest(seed), tuple(map(Tag, tags)), NOW, **{"size": 7, **facts})
    return Leaving(image, action, f"rule of {seed}", "warden.yaml:1 rules[0]", by_ecr=by_ecr)


def expires(stack: Stack, key: str) -> list[datetime]:
    """When DynamoDB may drop the items under that key."""
    items = stack.dynamodb.query(
        TableName="ledger", KeyConditionExpression="pk = :key", ExpressionAttributeValues={":key": {"S": key}}
    )["Items"]
    return [datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC) for item in items]


def test_what_is_about_to_leave_is_known_by_digest_with_its_rule(prunings: Prunings, stack: Stack) -> None:
    one = leaving("a", "v1", "v2")
    two = leaving("b", action=RuleAction.TRANSITION, by_ecr=False, is_index=True)
    prunings.expect(APP, (one, two), now=NOW)
    assert prunings.expected(APP) == {
        digest("a"): Expected(
            digest("a"), RuleAction.EXPIRE, "rule of a", one.origin, True, (Tag("v1"), Tag("v2")), size=7
        ),
        digest("b"): Expected(digest("b"), RuleAction.TRANSITION, "rule of b", one.origin, False, (), size=0),
    }
    assert prunings.expected_of(APP, digest("a")) == prunings.expected(APP)[digest("a")]
    assert prunings.expected_of(APP, digest("c")) is None
    assert prunings.expected(OTHER) == {}
    assert expires(stack, "leaving#team/app") == [NOW + KEPT] * 2


def test_of_a_thousand_tags_a_hundred_are_remembered(prunings: Prunings) -> None:
    prunings.expect(APP, [leaving("a", *(f"{number}-{'x' * 290}" for number in range(1000)))], now=NOW)
    assert len(prunings.expected(APP)[digest("a")].tags) == 100


def test_what_is_recorded_stays_so_until_it_is_expected_anew(prunings: Prunings) -> None:
    prunings.expect(APP, [leaving("a")], now=NOW)
    prunings.note_recorded(APP, digest("a"))
    assert prunings.expected(APP)[digest("a")].recorded
    prunings.expect(APP, [leaving("a")], now=NOW)
    assert not prunings.expected(APP)[digest("a")].recorded


def test_what_is_forgotten_is_unknown(prunings: Prunings) -> None:
    prunings.expect(APP, [leaving("a"), leaving("b")], now=NOW)
    prunings.forget(APP, [digest("a"), digest("never known")])
    assert prunings.expected(APP).keys() == {digest("b")}


@pytest.mark.parametrize("kind", ["use", "mark"])
def test_dates_are_kept_by_image_to_the_second(kind: str, prunings: Prunings, stack: Stack) -> None:
    put, read = {"use": (prunings.used, prunings.last_used), "mark": (prunings.mark, prunings.marks)}[kind]
    put(APP, [digest("a"), digest("b")], now=NOW)
    put(APP, [digest("b")], now=NOW + timedelta(days=1))
    put(OTHER, [digest("c")], now=NOW)
    assert read(APP) == {digest("a"): NOW, digest("b"): NOW + timedelta(days=1)}
    assert set(expires(stack, f"{'used' if kind == 'use' else kind}#team/app")) == {
        NOW + KEPT,
        NOW + timedelta(days=1) + KEPT,
    }


def test_marks_are_taken_back(prunings: Prunings) -> None:
    prunings.mark(APP, [digest("a"), digest("b")], now=NOW)
    prunings.unmark(APP, [digest("a")])
    assert prunings.marks(APP).keys() == {digest("b")}


def test_what_was_put_back_is_kept_until_then_and_not_longer(prunings: Prunings) -> None:
    until = NOW + timedelta(days=30)
    prunings.put_back(APP, digest("a"), by="alice", until=until)
    prunings.put_back(APP, digest("b"), by="bob", until=until)
    prunings.give_up(APP, digest("b"))
    assert prunings.kept_back(APP, now=until - timedelta(seconds=1)) == {
        digest("a"): "put back by alice until 23 Dec 2026"
    }
    assert prunings.kept_back(APP, now=until) == {}, "DynamoDB drops it some day later"


def test_the_policy_that_we_put_last_is_ours(prunings: Prunings) -> None:
    assert prunings.our_policies(APP) == ()
    prunings.remember_policies(APP, ["one"])
    prunings.remember_policies(APP, ["two", "one"])
    assert (prunings.our_policies(APP), prunings.our_policies(OTHER)) == (("two", "one"), ())


def test_a_manifest_is_kept_for_a_while_with_the_tags_that_the_image_had(prunings: Prunings, stack: Stack) -> None:
    text = json.dumps({"layers": ["ä" * 1000] * 1000})
    prunings.keep_manifest(APP, digest("a"), text, ("v1", "v2"), now=NOW)
    assert prunings.manifest(APP, digest("a")) == (text, ("v1", "v2"))
    assert prunings.manifest(APP, digest("b")) is None
    assert prunings.manifest(OTHER, digest("a")) is None
    assert expires(stack, f"manifest#team/app@{digest('a')}") == [NOW + timedelta(days=90)]


def test_a_manifest_that_no_item_holds_is_not_kept(prunings: Prunings) -> None:
    noise = random.Random(7).randbytes(LARGEST_MANIFEST).hex()  # noqa: S311 - no secret
    prunings.keep_manifest(APP, digest("a"), noise + noise[:2000], (), now=NOW)
    assert prunings.manifest(APP, digest("a")) is None
    prunings.keep_manifest(APP, digest("b"), noise[:500_000], (), now=NOW)
    assert prunings.manifest(APP, digest("b")) is not None


def test_labels_are_remembered_and_unknown_ones_for_a_week(prunings: Prunings) -> None:
    prunings.remember_labels(APP, digest("a"), {"team": "x", "k" * 257: "y"}, now=NOW)
    prunings.remember_labels(APP, digest("b"), {}, now=NOW)
    prunings.remember_labels(APP, digest("c"), None, now=NOW)
    assert prunings.labels(APP, now=NOW) == {digest("a"): {"team": "x"}, digest("b"): {}, digest("c"): None}
    assert prunings.labels(APP, now=NOW + UNKNOWN_LABELS_KEPT).keys() == {digest("a"), digest("b")}
    assert prunings.labels(OTHER, now=NOW) == {}


def test_the_largest_labels_that_are_read_fit_into_an_item(prunings: Prunings) -> None:
    most = {f"{number:03}" + "ä" * 253: "語" * 256 for number in range(100)}
    prunings.remember_labels(APP, digest("a"), most, now=NOW)
    assert prunings.labels(APP, now=NOW) == {digest("a"): most}


def test_reports_of_a_sweep_are_kept_by_repository(prunings: Prunings, stack: Stack) -> None:
    prunings.save_report("s1", APP, {"images": 1}, now=NOW)
    prunings.save_report("s1", APP, {"images": 2}, now=NOW)
    prunings.save_report("s1", OTHER, {"why": "ä"}, now=NOW)
    prunings.save_report("s2", APP, {}, now=NOW)
    assert prunings.reports("s1") == [{"images": 2}, {"why": "ä"}]
    assert expires(stack, "pruned#s1") == [NOW + timedelta(days=7)] * 2


def test_what_dynamodb_did_not_take_is_written_again(prunings: Prunings, stack: Stack) -> None:
    asked = unprocessed(stack, 2)
    prunings.mark(APP, [digest(str(number)) for number in range(3)], now=NOW)
    assert asked == [3, 1, 1]
    assert prunings.marks(APP).keys() == {digest(str(number)) for number in range(3)}


Write = Callable[[Prunings], None]


@pytest.mark.parametrize(
    "write",
    [
        lambda prunings: prunings.mark(APP, [digest("a")], now=NOW),
        lambda prunings: prunings.unmark(APP, [digest("a")]),
        lambda prunings: prunings.expect(APP, [leaving("a")], now=NOW),
        lambda prunings: prunings.forget(APP, [digest("a")]),
    ],
)
def test_what_dynamodb_does_not_take_in_the_end_is_for_another_try(
    write: Write, prunings: Prunings, stack: Stack
) -> None:
    asked = unprocessed(stack, 100)
    with pytest.raises(Unavailable, match="DynamoDB left 1 of 1 items"):
        write(prunings)
    assert len(asked) == TRIES


def test_no_more_than_25_are_written_in_a_call(prunings: Prunings, stack: Stack) -> None:
    asked = unprocessed(stack, 0)
    every = [digest(str(number)) for number in range(60)]
    prunings.mark(APP, every, now=NOW)
    assert asked == [25, 25, 10]
    assert prunings.marks(APP).keys() == set(every)
    prunings.unmark(APP, every)
    assert prunings.marks(APP) == {}
    prunings.mark(APP, [], now=NOW)
    assert asked == [25, 25, 10] * 2
