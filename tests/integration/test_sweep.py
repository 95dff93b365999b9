"""The sweep brings every repository to its standard, and finds what events missed."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from image_pushed import PushedImages
from tests.account import Account, Stack, a_finding
from tests.builders import HOME, NOW, a_policy, an_exemption, api_call, digest, push, scanned
from tests.functions import REPORT, SWEEP, finished_scans, run, sweep, text
from warden import events, inventory_events, messages
from warden.inventory_events import InventoryDue
from warden.names import ImageId, RepositoryName
from warden.notices import Level


def test_the_sweep_keeps_the_truce_and_enforces_after_it(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    stack.ledger.stand_back(
        RepositoryName("team/app"), "tag immutability", why="a fight", now=NOW, until=NOW + timedelta(hours=24)
    )
    run(sweep(account, stack), stack)
    assert account.repositories["team/app"]["imageTagMutability"] == "MUTABLE"
    run(sweep(account, stack), stack, SWEEP.replace("23T", "24T"), now=NOW + timedelta(hours=24))
    assert account.repositories["team/app"]["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"


def test_a_sweep_looks_at_every_repository_and_says_hello_once(account: Account, stack: Stack) -> None:
    for number in range(25):
        account.create(f"team/app-{number:02}")
    outcomes = run(sweep(account, stack), stack)
    assert outcomes.count("LookedAt") == 25
    assert outcomes[-1] == "SummedUp"
    assert all(settings["imageTagMutability"] != "MUTABLE" for settings in account.repositories.values())
    (hello,) = stack.notices()
    assert (hello.level, hello.title) == (Level.HELLO, "ECR Warden is here")
    assert "Looked at 25 repositories: 0 meet the standard, 25 differ; 50 settings were changed." in text(hello)
    first, *others = hello.sections[0].items
    assert len(others) == 1
    assert "".join(span.text for span in first).endswith("and 22 more")
    assert "25 repositories: team/app-00, team/app-01, team/app-02 and 22 more" in text(hello)


def test_a_first_sweep_in_report_mode_says_what_would_be_done_and_does_nothing(account: Account, stack: Stack) -> None:
    account.create()
    run(sweep(account, stack, a_policy(**REPORT)), stack)
    assert account.writes() == []
    (hello,) = stack.notices()
    assert hello.level is Level.HELLO
    assert "1 differs; nothing was changed" in text(hello)
    assert "mode: enforce" in text(hello)


def test_a_second_sweep_with_nothing_new_is_silent_and_writes_nothing(account: Account, stack: Stack) -> None:
    account.create()
    function = sweep(account, stack)
    run(function, stack)
    stack.notices()
    account.wire.requests.clear()
    outcomes = run(function, stack, SWEEP.replace("23T", "24T"), now=NOW + timedelta(days=1))
    assert "NothingToSay" in outcomes
    assert (account.writes(), stack.notices()) == ([], [])


def test_in_report_mode_the_same_difference_is_told_once(account: Account, stack: Stack) -> None:
    account.create()
    function = sweep(account, stack, a_policy(**REPORT))
    for day in ("23T", "24T", "25T"):
        run(function, stack, SWEEP.replace("23T", day), now=NOW + timedelta(days=int(day[:2]) - 23))
    assert [notice.kind for notice in stack.notices()] == ["hello", "sweep"]


def test_an_empty_registry_gets_its_hello_too(account: Account, stack: Stack) -> None:
    assert run(sweep(account, stack), stack) == ["SweepBegun", "SummedUp"]
    assert "Looked at 0 repositories" in text(stack.notices()[0])


def test_a_sweep_that_is_due_twice_is_swept_once(account: Account, stack: Stack) -> None:
    account.create()
    function = sweep(account, stack)
    outcomes = [function.handle(stack.message(SWEEP)).name for _ in range(2)]
    assert outcomes == ["SweepBegun", "SweepBegunBefore"]
    assert len(stack.bodies("own")) == 1


@pytest.mark.parametrize("repositories", [0, 3])
def test_a_sweep_asks_once_what_is_in_use_for_prune_to_go_by(repositories: int, account: Account, stack: Stack) -> None:
    for number in range(repositories):
        account.create(f"team/app-{number}")
    function = sweep(account, stack)
    for _ in range(2):
        function.handle(stack.message(SWEEP))
    at = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    (asked,) = stack.bodies("inventories")
    assert inventory_events.inventory(asked, HOME) == InventoryDue(at.isoformat(), at)


def test_the_sweep_puts_no_lifecycle_policy_itself(account: Account, stack: Stack) -> None:
    account.create()
    run(sweep(account, stack), stack)
    assert account.writes(), "everything else that differs is set right"
    assert account.lifecycle_policies == {}


def test_a_summary_waits_for_the_last_repository_and_not_for_ever(account: Account, stack: Stack) -> None:
    account.create()
    function = sweep(account, stack)
    function.handle(stack.message(SWEEP))
    due = messages.summary_due("2026-11-23T12:00:00+00:00", at=NOW, home=HOME)
    assert function.handle(stack.message(due)).name == "SummaryPostponed"
    assert function.handle(stack.message(due, now=NOW + timedelta(hours=7))).name == "SummedUp"
    assert "1 could not be looked at" in text(stack.notices()[0])


def test_a_push_whose_event_was_lost_is_found_by_the_sweep(account: Account, stack: Stack) -> None:
    image = account.push(age=timedelta(hours=3))
    run(sweep(account, stack), stack)
    (reminder,) = stack.bodies("pushes")
    pushed = events.image_pushed(reminder, HOME)
    assert isinstance(pushed, events.ImagePushed)
    assert (pushed.image, pushed.asked) == (image, True)


def test_an_image_with_a_verdict_or_of_long_ago_is_not_reminded_of(account: Account, stack: Stack) -> None:
    judged = account.push("judged")
    account.push("old", age=timedelta(days=3))
    account.scanned(judged, a_finding())
    finished_scans(account, stack).handle(stack.message(messages.judgement_request(judged, id="e", at=NOW, home=HOME)))
    run(sweep(account, stack), stack)
    assert stack.bodies("pushes") == []


def test_of_a_lost_index_the_index_is_reminded_of_first(account: Account, stack: Stack) -> None:
    platform = account.push("amd64", tags=())
    index = account.push_index(platform)
    run(sweep(account, stack), stack)
    (reminder,) = stack.bodies("pushes")
    assert index.digest in reminder
    assert stack.held_back("pushes") == 1
    queues = (stack.queue("judgements"), stack.queue("notices"), stack.queue("prunes"))
    PushedImages(HOME, a_policy(), account.registry, account.image_tags, stack.ledger, *queues).handle(
        stack.message(push(index))
    )
    again = sweep(account, stack)
    run(again, stack, SWEEP.replace("23T", "24T"))
    assert [body for body in stack.bodies("pushes") if platform.digest in body] == []


def test_a_repository_that_went_during_the_sweep_is_counted(account: Account, stack: Stack) -> None:
    account.create()
    function = sweep(account, stack)
    function.handle(stack.message(SWEEP))
    account.repositories.clear()
    for body in stack.bodies("own"):
        function.handle(stack.message(body))
    assert stack.tallies.read("2026-11-23T12:00:00+00:00").counts["looked_at"] == 1


def test_images_of_exemptions_that_are_over_are_judged_again(account: Account, stack: Stack) -> None:
    image = account.push()
    for day in ("2026-11-15", "2026-11-16", "2026-11-22", "2026-11-23"):
        stack.ledger.remember_lapse(ImageId(image.repository, digest(day)), day)
    sweep(account, stack).handle(stack.message(SWEEP))
    asked = stack.bodies("judgements")
    assert len(asked) == 2
    assert all(digest(day) in "".join(asked) for day in ("2026-11-16", "2026-11-22"))
    next_day = stack.message(SWEEP.replace("23T", "24T"), now=NOW + timedelta(days=1))
    sweep(account, stack).handle(next_day)
    (once_more,) = stack.bodies("judgements")
    assert digest("2026-11-23") in once_more


def test_an_exemption_that_nothing_has_used_for_two_weeks_is_told(account: Account, stack: Stack) -> None:
    used, unused = an_exemption("CVE-2026-1", until="2027-06-30"), an_exemption("CVE-2026-2", until="2027-06-30")
    over = an_exemption("CVE-2026-3", until="2026-11-01")
    policy = a_policy(exemptions=[used, unused, over])
    run(sweep(account, stack, policy), stack)
    stack.bodies("notices")
    image = account.push("image", repository="team/app")
    account.scanned(image, a_finding("CVE-2026-1"))
    finished_scans(account, stack, policy).handle(stack.message(scanned(image)))
    for days in (13, 14, 15):
        day = NOW + timedelta(days=days)
        start = SWEEP.replace("2026-11-23", day.date().isoformat())
        run(sweep(account, stack, policy), stack, start, now=day)
    (notice,) = [notice for notice in stack.notices() if notice.title == "exemptions that nothing uses"]
    (section,) = notice.sections
    assert section.title == "Exemptions that nothing uses: take them out"
    assert "".join(span.text for span in section.items[0]) == (
        "CVE-2026-2 · last day 30 Jun 2027 · alice: not reachable · warden.yaml:30"
    )


def test_exemptions_that_are_soon_over_are_told_once(account: Account, stack: Stack) -> None:
    policy = a_policy(exemptions=[an_exemption(until="2026-12-01", package="openssl"), an_exemption("CVE-2026-2")])
    function = sweep(account, stack, policy)
    run(function, stack)
    assert "CVE-2026-1 in openssl · last day 01 Dec 2026 · alice: not reachable · warden.yaml:30" in text(
        stack.notices()[0]
    )
    for day in (24, 25):
        run(function, stack, SWEEP.replace("23T", f"{day}T"), now=NOW + timedelta(days=day - 23))
    (notice,) = stack.notices()
    assert (notice.level, notice.title) == (Level.ATTENTION, "exemptions are soon over")


def test_the_sweep_drops_what_is_not_its_own(account: Account, stack: Stack) -> None:
    assert sweep(account, stack).handle(stack.message(api_call("CreateRepository", "a/b"))).name == "NotForUs"


def test_a_fan_out_that_died_is_taken_up_again_and_counts_nothing_twice(account: Account, stack: Stack) -> None:
    for number in range(25):
        account.create(f"team/app-{number:02}")
    calls = count(1)

    def lose_the_second(**_: Any) -> None:
        if next(calls) == 2:
            raise EndpointConnectionError(endpoint_url="sqs")

    stack.sqs.meta.events.register("before-call.sqs.SendMessageBatch", lose_the_second)
    function = sweep(account, stack)
    with pytest.raises(EndpointConnectionError):
        function.handle(stack.message(SWEEP, id="one"))
    first = stack.bodies("own")
    assert len(first) == 10
    assert function.handle(stack.message(SWEEP, id="one", receives=2)).name == "SweepBegun"
    for body in [*first, *stack.bodies("own")]:
        function.handle(stack.message(body))
    assert {"expected": 25, "looked_at": 25, "changed": 50}.items() <= tally(stack).items()
    assert len(account.writes()) == 50


def test_two_sweeps_at_once_leave_every_repository_at_its_standard(account: Account, stack: Stack) -> None:
    for number in range(12):
        account.create(f"team/app-{number:02}")
    function = sweep(account, stack)
    later = SWEEP.replace("12:00", "12:01")
    for start in (SWEEP, later):
        function.handle(stack.message(start))
    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(lambda body: function.handle(stack.message(body)).name, stack.bodies("own")))
    assert outcomes == ["LookedAt"] * 24
    run(function, stack)
    assert (tally(stack)["looked_at"], tally(stack, later)["looked_at"]) == (12, 12)
    assert [notice.kind for notice in stack.notices()].count("hello") == 1
    account.wire.requests.clear()
    run(function, stack, SWEEP.replace("23T", "24T"))
    assert account.writes() == []


def tally(stack: Stack, start: str = SWEEP) -> dict[str, int]:
    begun = datetime.fromisoformat(json.loads(start)["time"].replace("Z", "+00:00"))
    return dict(stack.tallies.read(begun.isoformat()).counts)
