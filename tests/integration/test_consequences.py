"""After a verdict, whoever promotes or puts in quarantine is asked to look; whoever has nothing to do is left alone."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from scan_finished import FinishedScans
from tests.account import Account, Stack, a_finding
from tests.builders import HOME, NOW, a_policy, event, image_id, scanned
from tests.functions import finished_scans
from warden.held_images import Held
from warden.names import ImageId
from warden.policy import QuarantineBy
from warden.promotion_events import PromotionDue, promotion
from warden.quarantine_events import Order, QuarantineDue, quarantine
from warden.quarantines import Quarantines

PROMOTE = {"promote__to": "release/{name}", "promote__tags": ["v*"]}
QUARANTINE = {"quarantine__by": "tags"}
BOTH = PROMOTE | QUARANTINE
EVENT_ID = "13cde686-328b-6117-af20-0e5566167482"


def function(account: Account, stack: Stack, **fields: Any) -> FinishedScans:
    return finished_scans(account, stack, a_policy(**fields))


def asked(stack: Stack) -> tuple[list[ImageId], list[ImageId]]:
    """The images that promote was asked to look at since the last time, and those that quarantine was."""
    promotions = [promotion(body, HOME) for body in stack.bodies("promotions")]
    quarantines = [quarantine(body, HOME) for body in stack.bodies("quarantines")]
    assert all(isinstance(due, PromotionDue) and not (due.by or due.anyway) for due in promotions)
    assert all(isinstance(due, QuarantineDue) and due.order is Order.SETTLE for due in quarantines)
    return (
        [due.image for due in promotions if isinstance(due, PromotionDue)],
        [due.image for due in quarantines if isinstance(due, QuarantineDue)],
    )


def hold(stack: Stack, image: ImageId) -> None:
    Quarantines(stack.dynamodb, "ledger").hold(Held(image, QuarantineBy.TAGS, NOW, "", "it blocked"))


@pytest.mark.parametrize(
    ("severity", "fields", "promoted", "quarantined"),
    [
        ("MEDIUM", BOTH, True, False),
        ("HIGH", BOTH, False, False),
        ("CRITICAL", BOTH, False, True),
        ("MEDIUM", QUARANTINE, False, False),
        ("MEDIUM", BOTH | {"promote__mode": "report"}, True, False),
        ("MEDIUM", BOTH | {"promote__mode": "off"}, False, False),
        ("MEDIUM", BOTH | {"promote__tags": ["release-*"]}, False, False),
        ("MEDIUM", BOTH | {"promote__tags": ["release-*", "v1"]}, True, False),
        ("CRITICAL", PROMOTE, False, False),
        ("CRITICAL", BOTH | {"quarantine__by": "pull"}, False, True),
        ("CRITICAL", BOTH | {"quarantine__mode": "report"}, False, True),
        ("CRITICAL", BOTH | {"quarantine__mode": "off"}, False, False),
        ("MEDIUM", {}, False, False),
        ("CRITICAL", {}, False, False),
    ],
)
def test_who_is_asked_after_a_verdict(
    account: Account, stack: Stack, severity: str, fields: dict[str, Any], promoted: bool, quarantined: bool
) -> None:
    """Medium findings pass, high ones are told, critical ones block."""
    image = account.push(tags=("v1",))
    account.scanned(image, a_finding("CVE-2026-1", severity))
    function(account, stack, **fields).handle(stack.message(scanned(image)))
    assert asked(stack) == ([image] * promoted, [image] * quarantined)


def test_the_messages_name_the_event_that_led_to_them(account: Account, stack: Stack) -> None:
    """So that a person can follow one push through the ledger, and a copy of the event is known as one."""
    finished = function(account, stack, **BOTH)
    for seed, severity in (("good", "LOW"), ("bad", "CRITICAL")):
        account.scanned(account.push(seed, tags=(f"v-{seed}",)), a_finding("CVE-2026-1", severity))
        finished.handle(stack.message(scanned(image_id(seed))))
    (promoted,) = (promotion(body, HOME) for body in stack.bodies("promotions"))
    (quarantined,) = (quarantine(body, HOME) for body in stack.bodies("quarantines"))
    assert promoted == PromotionDue(f"promotion {EVENT_ID}", NOW, image_id("good"))
    assert quarantined == QuarantineDue(f"quarantine {EVENT_ID}", NOW, image_id("bad"))


def test_a_scan_that_did_not_happen_promotes_nothing(account: Account, stack: Stack) -> None:
    """Unknown is never clean."""
    image = account.push()
    account.scanned(image, status="UNSUPPORTED_IMAGE")
    function(account, stack, **BOTH).handle(stack.message(scanned(image)))
    assert asked(stack) == ([], [])


def test_a_scan_that_is_not_over_asks_nobody(account: Account, stack: Stack) -> None:
    image = account.push()
    account.scanned(image, status="IN_PROGRESS")
    assert function(account, stack, **BOTH).handle(stack.message(scanned(image))).name == "Waiting"
    assert asked(stack) == ([], [])


@pytest.mark.parametrize(("severity", "promoted"), [("LOW", True), ("HIGH", False), ("CRITICAL", False)])
def test_an_image_in_quarantine_is_looked_at_whatever_its_verdict(
    account: Account, stack: Stack, severity: str, promoted: bool
) -> None:
    """What blocks no more is to be let go."""
    image = account.push()
    hold(stack, image)
    account.scanned(image, a_finding("CVE-2026-1", severity))
    function(account, stack, **BOTH).handle(stack.message(scanned(image)))
    assert asked(stack) == ([image] * promoted, [image])


@pytest.mark.parametrize(("severity", "which"), [("LOW", 0), ("CRITICAL", 1)])
def test_they_are_asked_again_where_the_verdict_is_the_same(
    account: Account, stack: Stack, severity: str, which: int
) -> None:
    """A push of a tag to a judged image, a daily sweep, a lost message: all end in a repetition."""
    image = account.push()
    account.scanned(image, a_finding("CVE-2026-1", severity))
    finished = function(account, stack, **BOTH)
    finished.handle(stack.message(scanned(image)))
    assert asked(stack)[which] == [image]
    assert finished.handle(stack.message(scanned(image))).name == "JudgedBefore"
    assert asked(stack)[which] == [image]
    assert asked(stack) == ([], [])


def test_a_tag_that_comes_later_is_promoted_with_the_verdict_that_is_known(account: Account, stack: Stack) -> None:
    image = account.push(tags=("build-17",))
    account.scanned(image)
    finished = function(account, stack, **BOTH)
    finished.handle(stack.message(scanned(image)))
    assert asked(stack) == ([], [])
    account.images[image.repository, image.digest].tags.append("v1")
    finished.handle(stack.message(scanned(image)))
    assert asked(stack) == ([image], [])


def test_a_verdict_that_changes_asks_the_other(account: Account, stack: Stack) -> None:
    """A CVE that is published later makes an image block that was promoted."""
    image = account.push()
    account.scanned(image)
    finished = function(account, stack, **BOTH)
    finished.handle(stack.message(scanned(image)))
    assert asked(stack) == ([image], [])
    account.scanned(image, a_finding("CVE-2026-1", "CRITICAL"))
    finished.handle(stack.message(scanned(image)))
    assert asked(stack) == ([], [image])


@pytest.mark.parametrize(("severity", "queue"), [("LOW", "promotions"), ("CRITICAL", "quarantines")])
def test_who_dies_between_remembering_and_asking_asks_when_the_message_comes_again(
    account: Account, stack: Stack, severity: str, queue: str
) -> None:
    image = account.push()
    account.scanned(image, a_finding("CVE-2026-1", severity))
    finished = function(account, stack, **BOTH)
    stack.sqs.delete_queue(QueueUrl=stack.url(queue))
    message = stack.message(scanned(image))
    with pytest.raises(ClientError, match="NonExistentQueue"):
        finished.handle(message)
    known = stack.judged.known(image)
    assert known is not None
    stack.sqs.create_queue(QueueName=queue)
    assert finished.handle(message).name == "JudgedBefore"
    assert stack.judged.known(image) == known
    assert asked(stack) == (([image], []) if queue == "promotions" else ([], [image]))


def test_an_index_is_promoted_and_not_what_it_lists(account: Account, stack: Stack) -> None:
    platforms = [account.push("amd64", tags=()), account.push("arm64", tags=())]
    index = account.push_index(*platforms, tags=("v2",))
    stack.ledger.adopt(index, [image.digest for image in platforms], now=NOW)
    for platform in platforms:
        account.scanned(platform)
    function(account, stack, **BOTH).handle(stack.message(scanned(platforms[0])))
    assert asked(stack) == ([index], [])


def test_a_platform_with_a_tag_of_its_own_and_its_index_are_each_followed(account: Account, stack: Stack) -> None:
    platform = account.push("amd64", tags=("v2-amd64",))
    index = account.push_index(platform, tags=("v2",))
    stack.ledger.adopt(index, [platform.digest], now=NOW)
    account.scanned(platform, a_finding("CVE-2026-1", "CRITICAL"))
    function(account, stack, **BOTH).handle(stack.message(scanned(platform)))
    assert asked(stack) == ([], [platform, index])


def test_an_image_that_is_gone_asks_nobody(account: Account, stack: Stack) -> None:
    account.push("other")
    assert function(account, stack, **BOTH).handle(stack.message(scanned(image_id("gone")))).name == "Gone"
    assert asked(stack) == ([], [])


def test_what_an_event_claims_is_no_order(account: Account, stack: Stack) -> None:
    """Whoever may put events on the bus can ask for a look, and for nothing else."""
    image = account.push()
    account.scanned(image, a_finding("CVE-2026-1", "CRITICAL"))
    detail = {
        "scan-status": "COMPLETE",
        "repository-name": image.repository,
        "image-digest": image.digest,
        "image-tags": ["v1"],
        "finding-severity-counts": {},
        "by": "mallory",
        "anyway": True,
        "order": "release",
    }
    function(account, stack, **BOTH).handle(stack.message(event("ECR Image Scan", detail)))
    assert asked(stack) == ([], [image])
