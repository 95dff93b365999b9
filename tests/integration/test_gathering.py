"""Amazon Inspector tells of each finding by an event of its own: an image is looked at once for all of them."""

from datetime import timedelta
from typing import Any

from scan_finished import GATHERED_FOR, MOST_WINDOWS, FinishedScans
from tests.account import Account, Stack
from tests.builders import HOME, NOW, a_policy, finding_changed, image_id, inspected, vector
from tests.functions import finished_scans
from tests.wire import ok
from warden import messages

FINDINGS = vector("findings/enhanced.active.mixed.json")


def function(account: Account, stack: Stack, **fields: Any) -> FinishedScans:
    return finished_scans(account, stack, a_policy(**fields))


def asked_for(window: int, image: Any) -> str:
    return messages.judgement_request(image, id=f"window {window}", at=NOW, home=HOME, window=window)


def window_at(at: Any) -> int:
    return int(at.timestamp() // GATHERED_FOR.total_seconds())


def test_three_hundred_findings_at_once_make_one_look_and_one_message(account: Account, stack: Stack) -> None:
    image = account.push()
    account.refusals["DescribeImageScanFindings"] = ok(FINDINGS)
    judged = function(account, stack)
    outcomes = [
        judged.handle(stack.message(finding_changed(image, id=f"event-{number}"))).name for number in range(300)
    ]
    assert (outcomes[0], set(outcomes[1:])) == ("GatheringBegun", {"Gathered"})
    assert account.calls() == {}
    assert stack.held_back("own") == 1
    later = stack.message(asked_for(window_at(NOW), image), now=NOW + GATHERED_FOR)
    assert judged.handle(later).name == "Announced"
    (notice,) = stack.notices()
    assert notice.title == "2 critical, 1 high in team/app:v1"
    facts = {fact.label: fact.value for fact in notice.facts}
    assert facts["Running in"] == "3 tasks and pods"
    assert account.calls()["DescribeImageScanFindings"] == 1


def test_a_stream_of_findings_is_waited_for_but_not_for_ever(account: Account, stack: Stack) -> None:
    image = account.push()
    account.refusals["DescribeImageScanFindings"] = ok(FINDINGS)
    judged = function(account, stack)
    first = window_at(NOW)
    outcomes = []
    for step in range(MOST_WINDOWS):
        at = NOW + step * GATHERED_FOR
        judged.handle(stack.message(finding_changed(image, id=f"event-{step}"), now=at))
        judged.handle(stack.message(finding_changed(image, id=f"more-{step}"), now=at + GATHERED_FOR))
        asked = stack.message(asked_for(first + step, image), now=at + GATHERED_FOR + timedelta(seconds=1))
        outcomes.append(judged.handle(asked).name)
    assert outcomes.count("Announced") == 1
    assert outcomes.count("StillGathering") == MOST_WINDOWS - 1


def test_the_end_of_the_first_scan_is_told_at_once_and_its_findings_no_second_time(
    account: Account, stack: Stack
) -> None:
    image = account.push()
    account.refusals["DescribeImageScanFindings"] = ok(FINDINGS)
    judged = function(account, stack)
    judged.handle(stack.message(finding_changed(image)))
    assert judged.handle(stack.message(inspected(image))).name == "Announced"
    later = stack.message(asked_for(window_at(NOW), image), now=NOW + GATHERED_FOR)
    assert judged.handle(later).name == "JudgedBefore"
    assert len(stack.notices()) == 1


def test_each_image_is_gathered_by_itself(account: Account, stack: Stack) -> None:
    judged = function(account, stack)
    outcomes = [judged.handle(stack.message(finding_changed(image_id(seed)))).name for seed in ("a", "b")]
    assert outcomes == ["GatheringBegun", "GatheringBegun"]


def test_a_window_of_somebody_elses_making_means_nothing(account: Account, stack: Stack) -> None:
    image = account.push()
    account.refusals["DescribeImageScanFindings"] = ok(FINDINGS)
    body = asked_for(window_at(NOW), image).replace('"source":"warden"', '"source":"aws.ecr"')
    assert function(account, stack).handle(stack.message(body)).name == "Announced"
