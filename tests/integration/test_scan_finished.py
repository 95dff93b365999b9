"""A finished scan leads to one verdict and at most one message."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scan_finished import FinishedScans
from tests.account import Account, Stack, a_finding
from tests.builders import HOME, NOW, a_policy, an_exemption, image_id, scanned
from tests.functions import finished_scans, later
from tests.wire import error, ok
from warden import messages
from warden.channels import slack
from warden.errors import Unavailable
from warden.names import ImageId
from warden.notices import Level, Notice


def function(account: Account, stack: Stack, **fields: Any) -> FinishedScans:
    return finished_scans(account, stack, a_policy(**fields))


def words(notice: Notice) -> str:
    lines = [notice.summary, *(item for section in notice.sections for item in section.items), notice.next_step]
    return "\n".join("".join(span.text for span in line) for line in lines)


def test_findings_that_reach_the_threshold_are_announced(account: Account, stack: Stack) -> None:
    image = account.push(tags=("v1.2",))
    account.scanned(
        image,
        a_finding("CVE-2026-1", "HIGH", package_name="zlib"),
        a_finding("CVE-2026-2000", "CRITICAL", fixed_in_versions="3.0.15", CVSS3_SCORE="9.8"),
        a_finding("CVE-2026-3", "LOW"),
    )
    outcome = function(account, stack).handle(stack.message(scanned(image)))
    assert outcome.name == "Announced"
    (notice,) = stack.notices()
    assert (notice.level, notice.title) == (Level.CRITICAL, "1 critical, 1 high in team/app:v1.2")
    assert notice.subject == str(image)
    assert "1 critical · 1 high · 1 low. Verdict block, from critical on, by warden.yaml:1." in words(notice)
    first, second = notice.sections[0].items
    assert "".join(span.text for span in first) == "CVE-2026-2000  critical · CVSS 9.8 · openssl 3.0.14 → 3.0.15"
    assert first[0].url == "https://nvd.nist.gov/vuln/detail/CVE-2026-2000"
    assert "no fix stated" in "".join(span.text for span in second)
    assert "Update openssl" in words(notice)
    assert notice.links[0].url == (
        "https://eu-central-1.console.aws.amazon.com/ecr/repositories/private/111122223333/team/app/_/image/"
        f"{image.digest}/details?region=eu-central-1"
    )
    (entry,) = stack.ledger.history(str(image))
    assert entry.text == "verdict block: 1 critical · 1 high · 1 low"


def test_a_clean_image_is_recorded_and_silent(account: Account, stack: Stack) -> None:
    image = account.push()
    account.scanned(image, a_finding("CVE-2026-1", "MEDIUM"))
    assert function(account, stack).handle(stack.message(scanned(image))).name == "Passed"
    assert stack.notices() == []
    assert [entry.text for entry in stack.ledger.history(str(image))] == ["verdict pass: 1 medium"]
    assert stack.ledger.is_done(f"judged#{image}", now=NOW)


@pytest.mark.parametrize(
    ("status", "words_"),
    [
        ("FAILED", "the scan failed"),
        ("UNSUPPORTED_IMAGE", "does not support this image"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
    ],
)
def test_a_scan_that_did_not_happen_is_said_and_never_clean(
    account: Account, stack: Stack, status: str, words_: str
) -> None:
    image = account.push()
    account.scanned(image, status=status)
    function(account, stack).handle(stack.message(scanned(image, "FAILED")))
    (notice,) = stack.notices()
    assert (notice.level, notice.kind) == (Level.ATTENTION, "unscanned")
    assert "unscanned, not clean" in words(notice)
    assert words_ in words(notice)


def test_an_events_word_is_not_taken_for_the_truth(account: Account, stack: Stack) -> None:
    """The event says COMPLETE; ECR says that it is still at it."""
    image = account.push()
    account.scanned(image, status="IN_PROGRESS")
    assert function(account, stack).handle(stack.message(scanned(image))).name == "Waiting"
    assert (stack.notices(), stack.ledger.history(str(image))) == ([], ())


def test_the_same_scan_is_announced_once(account: Account, stack: Stack) -> None:
    image = account.push()
    account.scanned(image, a_finding())
    finished = function(account, stack)
    outcomes = [finished.handle(stack.message(scanned(image))).name for _ in range(5)]
    assert outcomes == ["Announced", *["JudgedBefore"] * 4]
    assert len(stack.notices()) == 1


def test_two_copies_at_once_are_announced_once(account: Account, stack: Stack) -> None:
    image = account.push()
    account.scanned(image, a_finding())
    finished = function(account, stack)

    def deliver(number: int) -> str:
        try:
            return finished.handle(stack.message(scanned(image), id=str(number))).name
        except Unavailable:
            return "later"

    with ThreadPoolExecutor(2) as threads:
        assert "Announced" in list(threads.map(deliver, range(2)))
    assert len(stack.notices()) == 1


def test_something_new_is_announced_again(account: Account, stack: Stack) -> None:
    image = account.push()
    finished = function(account, stack)
    for names in (["CVE-2026-1"], ["CVE-2026-1", "CVE-2026-2"]):
        account.scanned(image, *map(a_finding, names))
        finished.handle(stack.message(scanned(image)))
    later(finished, stack, NOW)
    first, second = stack.notices()
    assert first.id != second.id
    assert first.thread == second.thread == str(image)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_multi_platform_push_makes_one_message_when_its_last_scan_is_over(
    account: Account, stack: Stack, order: tuple[int, int]
) -> None:
    platforms = [account.push("amd64", tags=()), account.push("arm64", tags=())]
    index = account.push_index(*platforms, tags=("v2",))
    stack.ledger.adopt(index, [image.digest for image in platforms], now=NOW)
    finished = function(account, stack)
    for platform in platforms:
        account.scanned(platform, status="IN_PROGRESS")
    outcomes = []
    for number in order:
        account.scanned(platforms[number], a_finding())
        outcomes.append(finished.handle(stack.message(scanned(platforms[number]))).name)
    assert outcomes == ["Waiting", "Announced"]
    (notice,) = stack.notices()
    assert (notice.title, notice.subject) == ("1 high in team/app:v2", str(index))
    facts = {fact.label: fact.value for fact in notice.facts}
    assert facts["Platforms"] == "linux/amd64, linux/arm64"


def test_an_untagged_image_waits_for_the_index_that_may_follow(account: Account, stack: Stack) -> None:
    image = account.push(tags=(), age=timedelta(seconds=10))
    account.scanned(image, a_finding())
    assert function(account, stack).handle(stack.message(scanned(image))).name == "Postponed"
    assert (stack.notices(), stack.held_back("own")) == ([], 1)


def test_an_untagged_image_that_no_index_lists_is_announced_by_its_digest(account: Account, stack: Stack) -> None:
    image = account.push(tags=(), age=timedelta(seconds=61))
    account.scanned(image, a_finding())
    assert function(account, stack).handle(stack.message(scanned(image))).name == "Announced"
    assert stack.notices()[0].title == f"1 high in team/app@{image.digest[:19]}"


def test_an_index_that_was_deleted_does_not_hide_its_images(account: Account, stack: Stack) -> None:
    image = account.push(tags=())
    stack.ledger.adopt(image_id("gone"), [image.digest], now=NOW)
    account.scanned(image, a_finding())
    assert function(account, stack).handle(stack.message(scanned(image))).name == "Announced"
    assert stack.notices()[0].subject == str(image)


def test_a_tagged_platform_image_is_told_for_itself_and_for_its_index(account: Account, stack: Stack) -> None:
    image = account.push("amd64", tags=("v1-amd64",))
    index = account.push_index(image, tags=("v1",))
    stack.ledger.adopt(index, [image.digest], now=NOW)
    account.scanned(image, a_finding())
    function(account, stack).handle(stack.message(scanned(image)))
    assert {notice.subject for notice in stack.notices()} == {str(image), str(index)}


def test_a_platform_that_ecr_refused_to_scan_is_told_with_the_others(account: Account, stack: Stack) -> None:
    amd, windows = account.push("amd64", tags=()), account.push("windows", tags=())
    index = account.push_index(amd, windows)
    account.scanned(amd)
    finished = function(account, stack)
    request = messages.judgement_request(index, id="e", at=NOW, home=HOME)
    assert finished.handle(stack.message(request)).name == "Waiting"
    stack.ledger.give_up_scanning(windows, why="not of a type that ECR scans", now=NOW)
    assert finished.handle(stack.message(request)).name == "Announced"
    assert "linux/arm64  not of a type that ECR scans" in words(stack.notices()[0])


def test_twelve_hundred_findings_on_three_pages_are_counted_exactly(account: Account, stack: Stack) -> None:
    image = account.push()
    severities = ["CRITICAL"] * 100 + ["HIGH"] * 400 + ["MEDIUM"] * 700
    found = [a_finding(f"CVE-2026-{number}", severity) for number, severity in enumerate(severities)]
    account.scanned(image, *found, pages=3)
    function(account, stack).handle(stack.message(scanned(image)))
    (notice,) = stack.notices()
    assert notice.title == "100 critical, 400 high in team/app:v1"
    assert "100 critical · 400 high · 700 medium" in words(notice)
    assert (len(notice.sections[0].items), notice.sections[0].more) == (10, 490)
    blocks = slack.render(notice)["blocks"]
    assert len(blocks) <= 50
    assert len(json.dumps(blocks)) <= 12_000


def test_every_channel_of_the_standard_is_told(account: Account, stack: Stack) -> None:
    image = account.push()
    account.scanned(image, a_finding())
    function(account, stack, channels=["platform", "team"]).handle(stack.message(scanned(image)))
    assert len(stack.bodies("notices")) == 2


def test_a_gone_image_is_left_alone(account: Account, stack: Stack) -> None:
    account.create()
    ghost: ImageId = image_id("ghost")
    assert function(account, stack).handle(stack.message(scanned(ghost))).name == "Gone"
    assert stack.notices() == []


def test_an_image_that_vanishes_while_it_is_read_is_gone(account: Account, stack: Stack) -> None:
    image = account.push()
    account.refusals["DescribeImageScanFindings"] = error("ImageNotFoundException")
    assert function(account, stack).handle(stack.message(scanned(image))).name == "Gone"


def test_an_index_that_vanishes_while_it_is_read_is_gone(account: Account, stack: Stack) -> None:
    index = account.push_index(account.push("amd64"))
    account.refusals["BatchGetImage"] = ok({"images": [], "failures": [{"failureCode": "ImageNotFound"}]})
    request = messages.judgement_request(index, id="e", at=NOW, home=HOME)
    assert function(account, stack).handle(stack.message(request)).name == "Gone"


def test_an_event_that_is_not_for_us_costs_no_call(account: Account, stack: Stack) -> None:
    body = scanned(image_id(), account="999988887777")
    assert function(account, stack).handle(stack.message(body)).name == "NotForUs"
    assert account.calls() == {}


def test_what_is_accepted_is_silent_and_remembered_until_it_counts_again(account: Account, stack: Stack) -> None:
    image = account.push()
    account.scanned(image, a_finding("CVE-2026-1", "HIGH"))
    judged = function(account, stack, exemptions=[an_exemption(until="2026-11-30")])
    assert judged.handle(stack.message(scanned(image))).name == "Passed"
    (entry,) = stack.ledger.history(str(image))
    assert entry.details["exempted"] == "CVE-2026-1 in openssl by warden.yaml:30"
    assert stack.ledger.lapsed("2026-11-30") == (image,)

    request = messages.judgement_request(image, id="lapse", at=NOW, home=HOME)
    for _ in range(2):
        judged.handle(stack.message(request, now=NOW + timedelta(days=8)))
    later(judged, stack, NOW + timedelta(days=8))
    (notice,) = stack.notices()
    assert {fact.label: fact.value for fact in notice.facts}["No longer accepted"] == "CVE-2026-1 since 01 Dec 2026"


def test_of_some_that_are_accepted_the_others_are_told(account: Account, stack: Stack) -> None:
    image = account.push()
    account.scanned(image, a_finding("CVE-2026-1", "CRITICAL"), a_finding("CVE-2026-2", "HIGH"))
    function(account, stack, exemptions=[an_exemption()]).handle(stack.message(scanned(image)))
    (notice,) = stack.notices()
    assert notice.title == "1 high in team/app:v1"
    assert {fact.label: fact.value for fact in notice.facts}["Accepted"] == "CVE-2026-1 until 14 Dec 2026"


def test_a_notice_that_could_not_be_sent_is_sent_by_the_next_try(account: Account, stack: Stack) -> None:
    image = account.push()
    account.scanned(image, a_finding())
    broken = function(account, stack)
    broken = replace(broken, telling=replace(broken.telling, notices=stack.queue("gone")))
    stack.sqs.delete_queue(QueueUrl=stack.url("gone"))
    with pytest.raises(Exception, match="NonExistentQueue"):
        broken.handle(stack.message(scanned(image), id="a"))
    assert function(account, stack).handle(stack.message(scanned(image), id="b")).name == "Announced"
