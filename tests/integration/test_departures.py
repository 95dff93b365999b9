"""Images that have left: told by events, or found at the next look; each is written down once, with what took it."""

from typing import Any

import pytest

from tests.account import Stack
from tests.builders import NOW, digest
from tests.local_account import LocalAccount
from warden.departures import Departures
from warden.lifecycle.rules import RuleAction
from warden.names import Digest, RepositoryName
from warden.prune_events import ImagesGone
from warden.pruning import Leaving
from warden.prunings import Prunings
from warden.repository_images import RepositoryImages

APP = RepositoryName("team/app")


class Desk:
    """A registry of one repository, and what looks after its departures."""

    def __init__(self, stack: Stack) -> None:
        self.local = LocalAccount()
        self.local.create()
        self.ledger = stack.ledger
        self.images = RepositoryImages(self.local.wire.client(), stack.dynamodb, "ledger")
        self.prunings = Prunings(stack.dynamodb, "ledger")
        self.departures = Departures(self.images, self.prunings, stack.ledger)

    def expect(self, *digests: Digest, action: RuleAction = RuleAction.EXPIRE) -> None:
        found = self.images.describe(APP, now=NOW)
        assert found is not None
        leaving = (Leaving(one, action, "delete all", "warden.yaml:3") for one in found.images if one.digest in digests)
        self.prunings.expect(APP, leaving, now=NOW)

    def delete(self, one: Digest) -> None:
        self.local.small.call("BatchDeleteImage", repositoryName=APP, imageIds=[{"imageDigest": one}])

    def archive(self, one: Digest) -> None:
        asked: dict[str, Any] = {"imageId": {"imageDigest": one}, "targetStorageClass": "ARCHIVE"}
        self.local.small.call("UpdateImageStorageClass", repositoryName=APP, **asked)

    def look(self, *leaving: Digest) -> list[Digest]:
        """What the next look finds gone; `leaving` is still to leave."""
        found = self.images.describe(APP, now=NOW)
        assert found is not None
        left = self.departures.since_last_look(APP, found.images, frozenset(leaving), event="look", at=NOW)
        return [one.image.digest for one in left]

    def told(self, *digests: Digest, id: str = "event", priority: int | None = None) -> int:
        return self.departures.told(ImagesGone(id, NOW, APP, dict.fromkeys(digests, priority)))

    def texts(self, one: Digest) -> list[str]:
        return [entry.text for entry in self.ledger.history(f"{APP}@{one}")]


@pytest.fixture
def desk(stack: Stack) -> Desk:
    return Desk(stack)


BY_RULE = "deleted by ECR (delete all, warden.yaml:3)"


def test_what_was_to_leave_and_is_gone_has_left_by_its_rule(desk: Desk) -> None:
    gone, still, stays = (desk.local.push(seed, seed) for seed in ("gone", "still", "stays"))
    desk.expect(gone, still, stays)
    desk.delete(gone)
    assert desk.look(still) == [gone]
    assert desk.texts(gone) == [BY_RULE]
    (entry,) = desk.ledger.history(f"{APP}@{gone}")
    assert (entry.kind, entry.details) == ("left", {"rule": "delete all", "origin": "warden.yaml:3"})
    assert desk.prunings.expected(APP).keys() == {gone, still}, "what stays after all is forgotten"


def test_a_second_look_tells_it_again_but_writes_it_once(desk: Desk) -> None:
    """It is told until somebody has told it: then it is forgotten."""
    gone = desk.local.push("gone", "v1")
    desk.expect(gone)
    desk.delete(gone)
    assert desk.look() == desk.look() == [gone]
    assert desk.texts(gone) == [BY_RULE]
    desk.prunings.forget(APP, [gone])
    assert desk.look() == []


def test_an_archived_image_has_left_where_it_was_to_be_archived_and_not_where_it_was_to_be_deleted(desk: Desk) -> None:
    to_archive, to_delete = desk.local.push("one", "v1"), desk.local.push("two", "v2")
    desk.expect(to_archive, action=RuleAction.TRANSITION)
    desk.expect(to_delete)
    desk.archive(to_archive)
    desk.archive(to_delete)
    assert desk.look(to_delete) == [to_archive]
    assert desk.texts(to_archive) == ["archived by ECR (delete all, warden.yaml:3)"]
    assert desk.texts(to_delete) == []


def test_an_event_names_the_rules_priority_where_ecr_says_it(desk: Desk) -> None:
    gone = desk.local.push("gone", "v1")
    desk.expect(gone)
    desk.delete(gone)
    assert desk.told(gone, priority=3) == 1
    assert desk.told(gone, id="another") == 1
    assert desk.look() == [gone]
    assert desk.texts(gone) == ["deleted by ECR, rule 3 (delete all, warden.yaml:3)"]


def test_an_image_that_lost_a_tag_has_not_left(desk: Desk) -> None:
    there, expected = desk.local.push("there", "v1", "v2"), desk.local.push("expected", "v3")
    desk.expect(expected)
    assert desk.told(there, expected) == 0
    assert desk.texts(there) == desk.texts(expected) == []


@pytest.mark.parametrize(
    ("priority", "text"),
    [
        (None, "deleted by a person or a program, by no rule of the policy"),
        (7, "deleted by ECR, rule 7 of a lifecycle policy that is not of the policy"),
    ],
)
def test_what_no_rule_of_ours_took_is_one_line_however_many_tags_it_had(
    desk: Desk, priority: int | None, text: str
) -> None:
    assert desk.told(digest("gone"), id="first tag", priority=priority) == 1
    assert desk.told(digest("gone"), id="second tag", priority=priority) == 1
    assert desk.texts(digest("gone")) == [text]


def test_what_a_person_archives_is_told_as_such(desk: Desk) -> None:
    frozen = desk.local.push("frozen", "v1")
    desk.archive(frozen)
    assert desk.told(frozen) == 1
    assert desk.texts(frozen) == ["archived by a person or a program, by no rule of the policy"]


def test_an_image_that_was_to_be_archived_and_is_deleted_was_deleted_by_no_rule(desk: Desk) -> None:
    gone, silent = desk.local.push("gone", "v1"), desk.local.push("silent", "v2")
    desk.expect(gone, silent, action=RuleAction.TRANSITION)
    desk.archive(gone)
    assert desk.told(gone) == 1
    desk.delete(gone)
    desk.delete(silent)
    assert desk.told(gone, id="later") == 1
    assert desk.texts(gone) == [
        "archived by ECR (delete all, warden.yaml:3)",
        "deleted by a person or a program, by no rule of the policy",
    ]
    assert desk.look() == []
    assert desk.texts(silent) == []
    assert desk.prunings.expected(APP) == {}


def test_an_event_of_nothing_is_nothing(desk: Desk) -> None:
    assert desk.told() == 0
