"""A push leads to exactly the scans that it needs."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from image_pushed import PushedImages
from tests.account import Account, Stack
from tests.builders import HOME, NOW, a_policy, digest, event, image_id, push, vector
from tests.wire import error
from warden import events, messages
from warden.errors import Invalid, Refused, Unavailable
from warden.events import ScanFinished
from warden.ledger import Entry
from warden.lifecycle.shields import LEASED, lease_of
from warden.names import ImageId


def function(account: Account, stack: Stack, **fields: Any) -> PushedImages:
    queues = (stack.queue("judgements"), stack.queue("notices"), stack.queue("prunes"))
    return PushedImages(HOME, a_policy(**fields), account.registry, account.image_tags, stack.ledger, *queues)


def started(account: Account) -> list[str]:
    return [request["imageId"]["imageDigest"] for operation, request in account.writes() if operation[:5] == "Start"]


def judgements(stack: Stack) -> list[ImageId]:
    asked = [events.scan_finished(body, HOME) for body in stack.bodies("judgements")]
    assert all(isinstance(request, ScanFinished) and request.asked for request in asked)
    return [request.image for request in asked if isinstance(request, ScanFinished)]


@pytest.mark.parametrize("tag", ["v1", None, ""])
def test_a_pushed_image_is_scanned_tagged_or_not(account: Account, stack: Stack, tag: str | None) -> None:
    image = account.push(tags=())
    outcome = function(account, stack).handle(stack.message(push(image, tag)))
    assert outcome.name == "ScansStarted"
    assert started(account) == [image.digest]
    assert judgements(stack) == []
    assert [entry.kind for entry in stack.ledger.history(str(image))] == ["pushed", "scan"]


def test_one_push_costs_six_calls(account: Account, stack: Stack) -> None:
    function(account, stack).handle(stack.message(push(account.push())))
    assert account.calls() == {
        "BatchGetImage": 1,
        "DescribeImages": 1,
        "DescribeRepositories": 1,
        "ListTagsForResource": 1,
        "GetRegistryScanningConfiguration": 1,
        "StartImageScan": 1,
    }


def test_a_lease_is_our_own_write_and_leads_to_nothing(account: Account, stack: Stack) -> None:
    """It comes with each image that is deployed and old: no scan, no move of a tag, no line of history, no call."""
    image = account.push(tags=("v1", lease_of(digest("image"))))
    stack.ledger.record(Entry(str(image), NOW, LEASED, "kept from lifecycle rules"), event="prune 1")
    outcome = function(account, stack).handle(stack.message(push(image, lease_of(image.digest))))
    assert outcome.name == "OwnWrite"
    assert account.wire.requests == []
    assert [entry.kind for entry in stack.ledger.history(str(image))] == [LEASED]
    assert not (stack.notices() or judgements(stack) or stack.held_back("prunes"))


@pytest.mark.parametrize("named_after", ["image", "another"])
def test_who_pushes_with_the_name_of_a_lease_is_scanned_and_leases_are_looked_at_once_a_minute(
    account: Account, stack: Stack, named_after: str
) -> None:
    """The name can be worked out by anybody, and in a repository with mutable tags a push takes it from its image."""
    tag = lease_of(digest(named_after))
    image = account.push(tags=(tag,))
    handler = function(account, stack)
    for second in (0, 20):
        handler.handle(stack.message(push(image, tag), now=NOW + timedelta(seconds=second)))
    assert started(account) == [image.digest]
    assert stack.held_back("prunes") == 1
    handler.handle(stack.message(push(image, tag), now=NOW + timedelta(minutes=1)))
    assert stack.held_back("prunes") == 2


def test_the_platforms_of_an_index_are_scanned_and_the_index_is_not(account: Account, stack: Stack) -> None:
    amd, arm = account.push("amd64", tags=()), account.push("arm64", tags=())
    index = account.push_index(amd, arm)
    function(account, stack).handle(stack.message(push(index)))
    assert started(account) == [amd.digest, arm.digest]
    assert stack.ledger.indexes_of(amd) == stack.ledger.indexes_of(arm) == (index,)
    assert judgements(stack) == [index]


@pytest.mark.parametrize(
    "manifest",
    [
        "oci-manifest.attestation.artifact-with-subject.json",
        "oci-manifest.attestation.legacy.json",
        "oci-manifest.helm-chart.json",
        "oci-manifest.sigstore-referrer.json",
    ],
)
def test_what_can_not_be_scanned_is_skipped(account: Account, stack: Stack, manifest: str) -> None:
    image = account.push(manifest=vector(f"manifests/{manifest}"))
    outcome = function(account, stack).handle(stack.message(push(image)))
    assert (outcome.name, started(account), judgements(stack)) == ("NotScannable", [], [])


def test_the_same_push_five_times_starts_one_scan(account: Account, stack: Stack) -> None:
    image = account.push()
    pushed = function(account, stack)
    for _ in range(5):
        pushed.handle(stack.message(push(image)))
    assert started(account) == [image.digest]


def test_two_copies_at_once_start_one_scan(account: Account, stack: Stack) -> None:
    image = account.push()
    pushed = function(account, stack)

    def deliver(number: int) -> str:
        try:
            return pushed.handle(stack.message(push(image), id=str(number))).name
        except Unavailable:
            return "later"

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(deliver, range(2)))
    assert started(account) == [image.digest]
    assert "ScansStarted" in outcomes


def test_a_push_after_a_day_is_scanned_again(account: Account, stack: Stack) -> None:
    image = account.push()
    pushed = function(account, stack)
    for days in (0, 1):
        pushed.handle(stack.message(push(image), now=NOW + timedelta(days=days)))
    assert started(account) == [image.digest] * 2


def test_a_limit_means_that_the_result_is_there_already(account: Account, stack: Stack) -> None:
    image = account.push()
    account.refusals["StartImageScan"] = error("LimitExceededException")
    function(account, stack).handle(stack.message(push(image)))
    assert judgements(stack) == [image]


@pytest.mark.parametrize("code", ["UnsupportedImageTypeException", "ImageArchivedException"])
def test_what_ecr_will_never_scan_is_remembered_and_judged(account: Account, stack: Stack, code: str) -> None:
    image = account.push()
    account.refusals["StartImageScan"] = error(code)
    function(account, stack).handle(stack.message(push(image)))
    assert stack.ledger.why_unscanned(image)
    assert judgements(stack) == [image]


def test_an_image_that_was_deleted_meanwhile_may_come_back(account: Account, stack: Stack) -> None:
    image = account.push()
    account.refusals["StartImageScan"] = error("ImageNotFoundException")
    pushed = function(account, stack)
    pushed.handle(stack.message(push(image)))
    del account.refusals["StartImageScan"]
    pushed.handle(stack.message(push(image)))
    assert started(account) == [image.digest] * 2


def test_throttling_gives_the_scan_back_for_the_next_try(account: Account, stack: Stack) -> None:
    image = account.push()
    account.refusals["StartImageScan"] = error("ThrottlingException")
    pushed = function(account, stack)
    with pytest.raises(Exception, match="ThrottlingException"):
        pushed.handle(stack.message(push(image), id="a"))
    del account.refusals["StartImageScan"]
    assert pushed.handle(stack.message(push(image), id="b")).name == "ScansStarted"


def test_a_disabled_feature_is_refused_with_the_reason(account: Account, stack: Stack) -> None:
    account.refusals["StartImageScan"] = error("ValidationException", "This feature is disabled")
    with pytest.raises(Refused, match="This feature is disabled"):
        function(account, stack).handle(stack.message(push(account.push())))


@pytest.mark.parametrize(
    ("settings", "scanning"),
    [
        ({"imageScanningConfiguration": {"scanOnPush": True}}, {"scanType": "BASIC", "rules": []}),
        ({}, {"scanType": "ENHANCED", "rules": []}),
    ],
)
def test_where_ecr_scans_by_itself_no_scan_is_started(
    account: Account, stack: Stack, settings: Mapping[str, Any], scanning: Mapping[str, Any]
) -> None:
    account.create(**settings)
    account.scanning = dict(scanning)
    outcome = function(account, stack).handle(stack.message(push(account.push())))
    assert (outcome.name, started(account), judgements(stack)) == ("NoScanStarted", [], [])
    assert outcome.reason


def test_a_reminder_asks_for_a_judgement_even_where_ecr_scans_by_itself(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    image = account.push()
    reminder = messages.push_reminder(image, id="reminder", at=NOW, home=HOME)
    function(account, stack).handle(stack.message(reminder))
    assert judgements(stack) == [image]
    assert stack.ledger.history(str(image)) == ()


def test_a_reminder_asks_for_a_judgement_under_enhanced_scanning_too(account: Account, stack: Stack) -> None:
    """Inspector's events may be lost like any other, and for an image that it can't scan none ever comes."""
    account.create()
    account.scanning = {"scanType": "ENHANCED", "rules": []}
    image = account.push()
    reminder = messages.push_reminder(image, id="reminder", at=NOW, home=HOME)
    function(account, stack).handle(stack.message(reminder))
    assert judgements(stack) == [image]
    assert started(account) == []


def test_the_policy_may_ask_for_no_scans(account: Account, stack: Stack) -> None:
    outcome = function(account, stack, scanning__on_push=False).handle(stack.message(push(account.push())))
    assert (started(account), outcome.reason) == ([], "the policy asks for no scans (warden.yaml:1)")


@pytest.mark.parametrize("gone", ["image", "repository"])
def test_an_event_is_a_hint_and_what_is_gone_is_left_alone(account: Account, stack: Stack, gone: str) -> None:
    if gone == "image":
        account.create()
    outcome = function(account, stack).handle(stack.message(push(image_id())))
    assert (outcome.name, account.writes()) == ("Gone", [])


def test_an_event_that_is_not_for_us_costs_no_call(account: Account, stack: Stack) -> None:
    body = event("ECR Image Action", {"action-type": "DELETE", "result": "SUCCESS"})
    outcome = function(account, stack).handle(stack.message(body))
    assert (outcome.name, account.calls()) == ("NotForUs", {})


def test_a_malformed_event_is_refused(account: Account, stack: Stack) -> None:
    with pytest.raises(Invalid):
        function(account, stack).handle(stack.message('{"source": "aws.ecr"}'))


def test_a_hostile_index_is_refused_before_it_costs_anything(account: Account, stack: Stack) -> None:
    entries = [{"digest": digest(str(number))} for number in range(2000)]
    index = account.push(manifest={"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries})
    with pytest.raises(Refused, match="more than 100"):
        function(account, stack).handle(stack.message(push(index)))
    assert started(account) == []


def test_a_sandbox_killed_after_the_scan_was_started_ends_in_a_judgement(account: Account, stack: Stack) -> None:
    image = account.push()
    stack.ledger.claim(f"scan#{image}", owner="a", now=NOW, busy_for=timedelta(minutes=2))
    account.refusals["StartImageScan"] = error("LimitExceededException")  # the first life had started it
    function(account, stack).handle(stack.message(push(image), id="a", receives=2))
    assert judgements(stack) == [image]
