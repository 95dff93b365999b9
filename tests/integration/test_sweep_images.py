"""The sweep goes round the images: old scans are made anew, and what is in quarantine is looked at again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from image_pushed import PushedImages
from tests.account import Account, Stack, a_finding
from tests.builders import HOME, NOW, a_policy, an_exemption, scanned
from tests.functions import SWEEP, finished_scans, run, sweep
from tests.integration.test_image_pushed import judgements, started
from tests.local_account import LocalAccount
from tests.wire import error
from warden import events, messages, quarantine_events, rescans
from warden.known import Verdict
from warden.names import ImageId, RepositoryName
from warden.policy import Policy, QuarantineBy
from warden.quarantine_events import Order, QuarantineDue
from warden.quarantines import Held, Quarantines

OLD = timedelta(days=30)
QUIET: dict[str, Any] = {"tags__mode": "off", "lifecycle__mode": "off"}
WEEKLY = a_policy(scanning__rescan_after=7, **QUIET)


def a_day(account: Account | LocalAccount, stack: Stack, policy: Policy, *, day: int = 0) -> list[str]:
    now = NOW + timedelta(days=day)
    return run(sweep(account, stack, policy), stack, SWEEP.replace("2026-11-23", now.date().isoformat()), now=now)


def asked(stack: Stack) -> list[events.ImagePushed]:
    """What image_pushed was asked for."""
    pushes = [events.image_pushed(body, HOME) for body in stack.bodies("pushes")]
    assert all(isinstance(push, events.ImagePushed) and push.asked for push in pushes)
    return [push for push in pushes if isinstance(push, events.ImagePushed)]


def pushed_images(account: Account, stack: Stack, policy: Policy) -> PushedImages:
    queues = (stack.queue("judgements"), stack.queue("notices"), stack.queue("prunes"))
    return PushedImages(HOME, policy, account.registry, account.image_tags, stack.ledger, *queues)


def day_of(image: ImageId, every: int = 7) -> int:
    """In how many days the image has its turn."""
    return next(day for day in range(every) if rescans.is_due(image, NOW.date() + timedelta(days=day), every))


def ask_anew(account: Account, stack: Stack, image: ImageId, *, now: datetime = NOW, policy: Policy = WEEKLY) -> str:
    body = messages.push_reminder(image, id="rescan", at=now, home=HOME, anew=True)
    return pushed_images(account, stack, policy).handle(stack.message(body, now=now)).name


def test_each_image_is_asked_for_once_a_week(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    images = [account.push(str(number), tags=(f"v{number}",), age=OLD) for number in range(15)]
    account.push("platform", tags=(), age=OLD)
    index = account.push_index(*images[:2], tags=(), seed="index")
    account.images[index.repository, index.digest].pushed_at = NOW - OLD
    found = []
    for day in range(7):
        a_day(account, stack, WEEKLY, day=day)
        found.append(asked(stack))
    assert sorted(str(one.image) for day in found for one in day) == sorted(map(str, [*images, index]))
    assert all(one.anew for day in found for one in day)
    assert sum(map(bool, found)) > 3
    counts = [tally(stack, day)["rescanned"] for day in range(7)]
    assert counts == list(map(len, found))


def tally(stack: Stack, day: int) -> dict[str, int]:
    return dict(stack.tallies.read((NOW + timedelta(days=day)).isoformat()).counts)


@pytest.mark.parametrize(
    ("policy", "scan_type"),
    [
        (a_policy(**QUIET), "BASIC"),
        (a_policy(scanning__rescan_after=7, scanning__mode="off", **QUIET), "BASIC"),
        (WEEKLY, "ENHANCED"),
    ],
    ids=["not asked", "off", "enhanced"],
)
def test_nobody_is_asked_where_no_scan_is_to_be_made_anew(
    account: Account, stack: Stack, policy: Policy, scan_type: str
) -> None:
    account.scanning = {"scanType": scan_type, "rules": []}
    image = account.push(age=OLD)
    a_day(account, stack, policy, day=day_of(image))
    assert asked(stack) == []


def test_old_scans_cost_no_call_to_know(account: Account, stack: Stack) -> None:
    image = account.push(age=OLD)
    account.repositories["team/app"]["imageScanningConfiguration"] = {"scanOnPush": True}
    a_day(account, stack, WEEKLY, day=day_of(image))
    assert account.calls() == {
        "DescribeRepositories": 1,
        "GetRegistryScanningConfiguration": 1,
        "ListTagsForResource": 1,
        "DescribeImages": 1,
    }


def test_a_rule_may_ask_for_it_alone(account: Account, stack: Stack) -> None:
    policy = a_policy(("team/*", {"scanning.rescan_after": 1}), **QUIET)
    account.push("mine", repository="team/app", age=OLD)
    account.push("other", repository="other/app", age=OLD)
    a_day(account, stack, policy)
    assert [one.image.repository for one in asked(stack)] == ["team/app"]


def test_what_is_archived_is_left_alone(stack: Stack) -> None:
    local = LocalAccount()
    local.create(imageScanningConfiguration={"scanOnPush": True})
    digest = local.push("image", "v1", days=30)
    daily = a_policy(scanning__rescan_after=1, **QUIET)
    a_day(local, stack, daily)
    assert len(asked(stack)) == 1
    image = {"imageDigest": digest}
    local.small.call("UpdateImageStorageClass", repositoryName="team/app", imageId=image, targetStorageClass="ARCHIVE")
    a_day(local, stack, daily, day=1)
    assert asked(stack) == []


def test_who_is_reminded_of_is_not_asked_for_twice(account: Account, stack: Stack) -> None:
    account.push(age=timedelta(hours=30))
    a_day(account, stack, a_policy(scanning__rescan_after=1, **QUIET))
    (one,) = asked(stack)
    assert not one.anew
    assert (tally(stack, 0)["reminded"], tally(stack, 0)["rescanned"]) == (1, 0)


def test_of_very_many_only_so_many_are_asked_for_in_one_sweep(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    images = [account.push(str(number), tags=(f"v{number}",), age=OLD) for number in range(5)]
    function = sweep(account, stack, a_policy(scanning__rescan_after=1, **QUIET))
    function = replace(function, rounds=replace(function.rounds, most_rescans=3))
    run(function, stack)
    first = {one.image for one in asked(stack)}
    run(function, stack, SWEEP.replace("23T", "24T"), now=NOW + timedelta(days=1))
    second = {one.image for one in asked(stack)}
    assert (len(first), len(second), first | second) == (3, 3, set(images))


@pytest.mark.parametrize("scan_on_push", [True, False])
def test_a_new_scan_is_started_though_ecr_scans_the_pushes(account: Account, stack: Stack, scan_on_push: bool) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": scan_on_push})
    image = account.push(age=OLD)
    assert ask_anew(account, stack, image) == "ScansStarted"
    assert started(account) == [image.digest]
    assert judgements(stack) == [], "its end is an event of its own"


def test_of_an_index_each_platform_is_scanned_anew(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    platforms = [account.push(seed, tags=(), age=OLD) for seed in ("amd64", "arm64")]
    index = account.push_index(*platforms)
    assert ask_anew(account, stack, index) == "ScansStarted"
    assert started(account) == [platform.digest for platform in platforms]
    assert judgements(stack) == [index]


def test_a_turn_is_not_swallowed_by_the_one_before(account: Account, stack: Stack) -> None:
    image = account.push(age=OLD)
    for day in (0, 7, 14):
        assert ask_anew(account, stack, image, now=NOW + timedelta(days=day)) == "ScansStarted"
    assert started(account) == [image.digest] * 3


def test_a_scan_of_the_same_day_counts_and_is_judged(account: Account, stack: Stack) -> None:
    image = account.push(age=OLD)
    assert ask_anew(account, stack, image) == "ScansStarted"
    assert ask_anew(account, stack, image, now=NOW + timedelta(hours=20)) == "NoScanStarted"
    assert started(account) == [image.digest]
    assert judgements(stack) == [image]


def test_a_scan_that_ecr_has_made_today_counts_and_is_judged(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    image = account.push(age=OLD)
    account.refusals["StartImageScan"] = error("LimitExceededException", "The scan quota per image has been exceeded")
    assert ask_anew(account, stack, image) == "NoScanStarted"
    assert judgements(stack) == [image]


def test_a_wish_that_came_too_late_for_the_policy_starts_nothing(account: Account, stack: Stack) -> None:
    image = account.push(age=OLD)
    off = a_policy(scanning__mode="off", **QUIET)
    assert ask_anew(account, stack, image, policy=off) == "NoScanStarted"
    assert (started(account), judgements(stack)) == ([], [])


BY_TAGS: dict[str, Any] = {"quarantine__by": "tags", "quarantine__mode": "enforce", **QUIET}


def hold(stack: Stack, *images: ImageId) -> None:
    for image in images:
        Quarantines(stack.dynamodb, "ledger").hold(Held(image, QuarantineBy.TAGS, NOW, "", "CVE-2026-1"))


def settled(stack: Stack) -> Sequence[ImageId]:
    """The images that quarantine was asked to look at."""
    due = [quarantine_events.quarantine(body, HOME) for body in stack.bodies("quarantines")]
    assert all(isinstance(one, QuarantineDue) and one.order is Order.SETTLE for one in due)
    return [one.image for one in due if isinstance(one, QuarantineDue)]


def test_who_is_in_quarantine_is_judged_anew_and_who_is_gone_is_settled(account: Account, stack: Stack) -> None:
    held, free = account.push("held", age=OLD), account.push("free", age=OLD)
    gone = ImageId(RepositoryName("team/app"), account.push("gone").digest)
    del account.images["team/app", gone.digest]
    hold(stack, held, gone)
    a_day(account, stack, a_policy(**BY_TAGS))
    assert (judgements(stack), settled(stack)) == ([held], [gone])
    assert free in {image.id for image in account.registry.images(RepositoryName("team/app"))}
    assert account.calls()["DescribeImages"] == 2, "one page by the sweep, and ours"


def test_who_is_archived_is_settled(stack: Stack) -> None:
    local = LocalAccount()
    image = ImageId(local.create(), local.push("image", "v1", days=30))
    by_digest = {"imageDigest": image.digest}
    local.small.call(
        "UpdateImageStorageClass", repositoryName="team/app", imageId=by_digest, targetStorageClass="ARCHIVE"
    )
    hold(stack, image)
    a_day(local, stack, a_policy(**BY_TAGS))
    assert (judgements(stack), settled(stack)) == ([], [image])


def test_each_repository_is_asked_for_its_own(account: Account, stack: Stack) -> None:
    images = [account.push(name, repository=name, age=OLD) for name in ("team/app", "team/other")]
    account.create("team/third")
    hold(stack, *images)
    a_day(account, stack, a_policy(("none/*", {"quarantine.by": "tags"}), **QUIET))
    assert judgements(stack) == images, "any rule is enough: the image may be held by a person's order"
    assert settled(stack) == []


def test_where_no_rule_asks_for_quarantine_nobody_is_asked(account: Account, stack: Stack) -> None:
    hold(stack, account.push(age=OLD))
    a_day(account, stack, a_policy(**QUIET))
    assert (judgements(stack), settled(stack)) == ([], [])


def test_an_exemption_that_is_new_leads_to_the_release(account: Account, stack: Stack) -> None:
    image = account.push(age=OLD)
    account.scanned(image, a_finding("CVE-2026-1", "CRITICAL"))
    strict = a_policy(**BY_TAGS)
    finished_scans(account, stack, strict).handle(stack.message(scanned(image)))
    assert settled(stack) == [image]
    hold(stack, image)
    kind = a_policy(exemptions=[an_exemption("CVE-2026-1")], **BY_TAGS)
    a_day(account, stack, kind)
    (request,) = stack.bodies("judgements")
    finished_scans(account, stack, kind).handle(stack.message(request))
    known = stack.judged.known(image)
    assert known is not None
    assert known.verdict is Verdict.PASS
    assert settled(stack) == [image]
