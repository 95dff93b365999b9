"""What may go wrong while an image is judged: races, deaths, stale answers, and images made to do harm."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from scan_finished import MOST_INDEXES, MOST_LOOKS, FinishedScans
from tests.account import INDEX, Account, Stack, a_finding
from tests.builders import HOME, NOW, a_policy, an_exemption, digest, image_id, scanned
from tests.functions import finished_scans, later
from tests.wire import Answer
from warden import messages, notices
from warden.errors import Unavailable
from warden.known import Verdict
from warden.names import ImageId
from warden.notices import Notice

OLD = timedelta(days=40)
DYNAMODB_ITEM = 400 * 1024
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html."""
SQS_MESSAGE = 1024 * 1024
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html."""
X, Y = a_finding("CVE-2026-1000", "CRITICAL"), a_finding("CVE-2026-2000", "CRITICAL")


def judged(function: FinishedScans, stack: Stack, image: ImageId, *, now: Any = NOW, id: str | None = None) -> str:
    return function.handle(stack.message(scanned(image), now=now, id=id)).name


def named(notice: Notice) -> list[str]:
    return [item[0].text for section in notice.sections for item in section.items]


def facts(notice: Notice) -> Mapping[str, str]:
    return {fact.label: fact.value for fact in notice.facts}


@contextmanager
def after_the_next_scan_is_read(account: Account, do: Callable[[], None]) -> Iterator[None]:
    """What another does between our reading of the scan and whatever we do next; we have read what was before."""
    answer = account._DescribeImageScanFindings
    done: list[bool] = []

    def read(request: Mapping[str, Any]) -> Answer:
        read_before = answer(request)
        if not done:
            done.append(True)
            do()
        return read_before

    account._DescribeImageScanFindings = read  # type: ignore[method-assign]
    yield
    account._DescribeImageScanFindings = answer  # type: ignore[method-assign]
    assert done


@pytest.mark.parametrize("known_before", [True, False])
def test_a_stale_scan_does_not_undo_what_another_consumer_knows_by_now(
    account: Account, stack: Stack, known_before: bool
) -> None:
    image = account.push(age=OLD)
    function = finished_scans(account, stack, a_policy(findings__new_only=True))
    if known_before:
        account.scanned(image, Y)
        judged(function, stack, image)
    account.scanned(image)

    def another() -> None:
        account.scanned(image, X, Y)
        judged(function, stack, image)

    with after_the_next_scan_is_read(account, another):
        judged(function, stack, image)
    later(function, stack, NOW)
    assert [notice.kind for notice in stack.notices()] == ["findings"] * (1 + known_before)
    known = stack.judged.known(image)
    assert known is not None
    assert (known.verdict, len(known.findings)) == (Verdict.BLOCK, 2)


def test_news_that_was_read_before_another_was_done_with_older_news_is_not_dropped(
    account: Account, stack: Stack
) -> None:
    """Both know as much of the image; the one with the older scan is through first."""
    image = account.push(age=OLD)
    account.scanned(image, Y, X)
    function = finished_scans(account, stack, a_policy(findings__new_only=True))

    def another() -> None:
        account.scanned(image, Y)
        judged(function, stack, image)
        account.scanned(image, Y, X)

    with after_the_next_scan_is_read(account, another):
        judged(function, stack, image)
    later(function, stack, NOW)
    told = {name for notice in stack.notices() for name in named(notice)}
    assert told == {"CVE-2026-1000", "CVE-2026-2000"}


def test_an_image_that_others_judge_all_the_time_is_looked_at_later(account: Account, stack: Stack) -> None:
    image = account.push(age=OLD)
    function = finished_scans(account, stack, a_policy(findings__new_only=True))
    answer = account._DescribeImageScanFindings
    others: list[str] = []

    def read(request: Mapping[str, Any]) -> Answer:
        account._DescribeImageScanFindings = answer  # type: ignore[method-assign]
        account.scanned(image, a_finding(f"CVE-2026-{1000 + len(others)}"))
        others.append(judged(function, stack, image))
        account._DescribeImageScanFindings = read  # type: ignore[method-assign]
        account.scanned(image, X)
        return answer(request)

    account._DescribeImageScanFindings = read  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="judged by others"):
        judged(function, stack, image)
    assert others == ["Held"] * MOST_LOOKS
    account._DescribeImageScanFindings = answer  # type: ignore[method-assign]
    assert judged(function, stack, image) == "Held"


def test_news_is_told_though_whoever_began_to_hold_it_died_and_had_nothing_to_tell_later(
    account: Account, stack: Stack
) -> None:
    """It died after it had opened the episode; another message about the same image does the rest."""
    image, other = (account.push(seed, tags=(seed,), age=OLD) for seed in ("v1", "v2"))
    for each in (image, other):
        account.scanned(each, X)
    function = finished_scans(account, stack)
    with dying_at(stack, writing="storm#platform", after=1), pytest.raises(_Killed):
        judged(function, stack, image, id="first")
    soon = NOW + timedelta(minutes=3)
    assert judged(function, stack, image, now=soon, id="second") == "Held"
    assert judged(function, stack, other, now=soon, id="third") == "Held"
    assert judged(function, stack, image, now=NOW + timedelta(minutes=6), id="first") == "JudgedBefore"
    later(function, stack, NOW)
    assert {notice.subject for notice in stack.notices()} == {str(image), str(other)}


class _Killed(BaseException):
    """The sandbox is gone."""


@contextmanager
def dying_at(stack: Stack, *, writing: str, after: int) -> Iterator[None]:
    """The sandbox dies right after it has written an item under that key for so many times."""
    left, key = [after], {"pk": {"S": writing}}.items()
    writes: list[bool] = []

    def remember(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        item = json.loads(params["body"]).get("Item", {}) if model.name == "PutItem" else {}
        writes.append(all(item.get(name) == value for name, value in key))

    def die(**_: Any) -> None:
        left[0] -= writes[-1]
        if writes[-1] and left[0] == 0:
            raise _Killed

    events = stack.dynamodb.meta.events
    events.register_last("before-call", remember, unique_id="remember")
    events.register_last("after-call", die, unique_id="die")
    yield
    events.unregister("before-call", unique_id="remember")
    events.unregister("after-call", unique_id="die")


def test_a_scan_that_fails_for_a_while_makes_nobody_forget_what_was_known(account: Account, stack: Stack) -> None:
    image = account.push(age=OLD)
    function = finished_scans(account, stack, a_policy(findings__new_only=True, findings__fix_within__CRITICAL=7))
    for days, (status, found) in enumerate([("COMPLETE", [X]), ("FAILED", []), ("FAILED", []), ("COMPLETE", [X, Y])]):
        account.scanned(image, *found, status=status)
        judged(function, stack, image, now=NOW + timedelta(days=days))
        later(function, stack, NOW + timedelta(days=days))
    notices = stack.notices()
    assert [notice.kind for notice in notices] == ["findings", "unscanned", "findings"]
    assert named(notices[2]) == ["CVE-2026-2000"]
    known = stack.judged.known(image)
    assert known is not None
    assert sorted(seen.day for seen in known.findings.values()) == [NOW.date(), date(2026, 11, 26)]


def test_a_version_whose_first_scan_failed_is_compared_with_the_one_before_all_the_same(
    account: Account, stack: Stack
) -> None:
    before, image = (account.push(tag, tags=(tag,), age=OLD) for tag in ("v1", "v2"))
    function = finished_scans(account, stack, a_policy(findings__new_only=True))
    account.scanned(before, X)
    judged(function, stack, before)
    for status, found in (("FAILED", []), ("COMPLETE", [X, Y])):
        account.scanned(image, *found, status=status)
        judged(function, stack, image)
    later(function, stack, NOW)
    told = [name for notice in stack.notices() if notice.subject == str(image) for name in named(notice)]
    assert "CVE-2026-2000" in told
    assert "CVE-2026-1000" not in told


def test_what_is_accepted_is_not_said_to_be_fixed(account: Account, stack: Stack) -> None:
    image = account.push(age=OLD)
    account.scanned(image, X)
    for exemptions in ([], [an_exemption("CVE-2026-1000")]):
        function = finished_scans(account, stack, a_policy(exemptions=exemptions))
        judged(function, stack, image)
        later(function, stack, NOW)
    notices = stack.notices()
    assert [notice.kind for notice in notices] == ["findings", "clean"]
    assert "Fixes" not in "".join(span.text for span in notices[1].summary)
    assert [entry.details.get("fixed") for entry in stack.ledger.history(str(image))] == [None, "0"]


def an_index_of(account: Account, entries: Sequence[Mapping[str, Any]], seed: str = "index") -> ImageId:
    manifest = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return account.push(seed, tags=(f"v-{seed}",), manifest=manifest)


def test_an_index_that_says_it_holds_nothing_but_attestations_is_not_clean(account: Account, stack: Stack) -> None:
    entry = {"digest": digest("hidden"), "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    index = an_index_of(account, [{**entry, "platform": {"os": "linux", "architecture": "amd64"}}])
    function = finished_scans(account, stack)
    request = messages.judgement_request(index, id="e", at=NOW, home=HOME)
    assert function.handle(stack.message(request)).name == "Announced"
    (notice,) = stack.notices()
    assert notice.kind == "unscanned"
    assert "lists no image" in "".join(span.text for span in notice.sections[0].items[0])


def test_an_image_that_hundreds_of_indexes_list_is_judged_with_them_one_message_each(
    account: Account, stack: Stack
) -> None:
    """A platform that does not change is listed by each night's index, and its scan concerns them all."""
    image = account.push("arm64", tags=(), age=OLD)
    account.scanned(image, X)
    indexes = [account.push_index(image, seed=f"night-{number}", tags=(f"n{number}",)) for number in range(30)]
    for index in indexes:
        stack.ledger.adopt(index, [image.digest], now=NOW)
    function = finished_scans(account, stack)
    calls = account.calls().total()
    assert judged(function, stack, image) == "PassedOn"
    assert account.calls().total() - calls < MOST_INDEXES
    asked = stack.bodies("own")
    assert len(asked) == 30
    outcomes = [function.handle(stack.message(body)).name for body in asked]
    assert outcomes == ["Announced"] * 30
    assert {notice.subject for notice in stack.notices()} == set(map(str, indexes))


def test_an_image_with_a_tag_is_judged_itself_though_many_indexes_list_it(account: Account, stack: Stack) -> None:
    image = account.push("arm64", tags=("v1-arm64",))
    account.scanned(image, X)
    for number in range(MOST_INDEXES + 1):
        index = account.push_index(image, seed=f"night-{number}", tags=(f"n{number}",))
        stack.ledger.adopt(index, [image.digest], now=NOW)
    assert judged(finished_scans(account, stack), stack, image) == "PassedOn"
    assert [notice.subject for notice in stack.notices()] == [str(image)]
    assert len(stack.bodies("own")) == MOST_INDEXES + 1


def test_an_image_whose_many_indexes_are_all_gone_is_judged_by_itself(account: Account, stack: Stack) -> None:
    image = account.push("arm64", tags=(), age=OLD)
    account.scanned(image, X)
    for number in range(30):
        stack.ledger.adopt(image_id(f"gone-{number}"), [image.digest], now=NOW)
    assert judged(finished_scans(account, stack), stack, image) == "Held"


def test_four_pieces_of_news_of_two_images_are_no_storm_of_four_images(account: Account, stack: Stack) -> None:
    images = [account.push(tag, tags=(tag,), age=OLD) for tag in ("v1", "v2")]
    function = finished_scans(account, stack, a_policy(findings__new_only=True))
    for found in ([X], [X, Y]):
        for image in images:
            account.scanned(image, *found)
            judged(function, stack, image)
    later(function, stack, NOW)
    assert sorted(notice.title for notice in stack.notices()) == [
        "1 critical in team/app:v1",
        "1 new critical in team/app:v1",
        "1 new critical in team/app:v2",
    ]


def test_a_storm_counts_images_and_not_their_news(account: Account, stack: Stack) -> None:
    images = [account.push(f"a-{n}", repository=f"team/{n:02}", tags=("latest",), age=OLD) for n in range(5)]
    function = finished_scans(account, stack, a_policy(findings__new_only=True))
    for found in ([X], [X, Y]):
        for image in images:
            account.scanned(image, *found)
            judged(function, stack, image)
    later(function, stack, NOW)
    (notice,) = stack.notices()
    assert notice.title in {"CVE-2026-1000 is new in 5 images", "CVE-2026-2000 is new in 5 images"}
    what, where = notice.tables
    assert {row[0]: row[-1] for row in what.rows} == {"CVE-2026-1000": "5", "CVE-2026-2000": "5"}
    assert {row[1] for row in where.rows} == {"1"}


def test_what_was_told_and_is_over_within_one_episode_is_told_in_that_order(account: Account, stack: Stack) -> None:
    image = account.push(age=OLD)
    function = finished_scans(account, stack, a_policy(findings__new_only=True))
    for number in range(3):
        account.scanned(image, *([] if number == 1 else [X]))
        judged(function, stack, image, now=NOW + timedelta(seconds=number))
    later(function, stack, NOW)
    assert [notice.kind for notice in stack.notices()] == ["findings", "clean", "findings"]


def test_an_image_that_is_tagged_after_its_verdict_has_its_place_in_the_line(account: Account, stack: Stack) -> None:
    """It was built as `main-41d9be2`, judged, and released as `v1.4.2`."""
    function = finished_scans(account, stack)
    first = account.push("one", tags=("v1.4.1",), age=timedelta(minutes=30))
    released = account.push("two", tags=("main-41d9be2",), age=timedelta(minutes=20))
    image = account.push("three", tags=("v1.4.3",))
    for each, found in ((first, [X]), (released, [X, Y]), (image, [X, Y])):
        account.scanned(each, *found)
    for each in (first, released):
        judged(function, stack, each)
    account.images["team/app", released.digest].tags.append("v1.4.2")
    request = messages.judgement_request(released, id="push", at=NOW, home=HOME)
    assert function.handle(stack.message(request)).name == "JudgedBefore"
    judged(function, stack, image)
    (entry,) = stack.ledger.history(str(image))
    assert entry.details["introduced"] == "0"


def hostile(number: int) -> dict[str, Any]:
    """A finding whose every text is as long as ECR lets it be, of characters that JSON writes as twelve."""
    text = f"{number:03}" + "\U0001f4a3" * 1020
    return a_finding(text, "CRITICAL", package_name=text, package_version=text, fixed_in_version=text)


def test_news_of_whatever_words_can_be_held_and_sent(account: Account, stack: Stack) -> None:
    image = account.push(age=OLD)
    account.scanned(image, *map(hostile, range(60)))
    function = finished_scans(account, stack, a_policy(channels=["platform", "team"]))
    assert judged(function, stack, image) == "Held"
    assert largest_item(stack) < DYNAMODB_ITEM
    later(function, stack, NOW)
    bodies = stack.bodies("notices")
    assert len(bodies) == 2
    assert sum(map(len, bodies)) < SQS_MESSAGE / 5, "ten of them are sent in one call"
    _, notice = notices.from_json(bodies[0])
    assert (len(notice.sections[0].items), notice.sections[0].more) == (10, 50)


def test_a_storm_of_whatever_words_can_be_sent(account: Account, stack: Stack) -> None:
    function = finished_scans(account, stack)
    for number in range(5):
        image = account.push(f"a-{number}", repository=f"team/{number}", age=OLD)
        account.scanned(image, *map(hostile, range(20)))
        judged(function, stack, image)
    later(function, stack, NOW)
    (body,) = stack.bodies("notices")
    assert len(body) < SQS_MESSAGE / 5


def test_an_index_of_a_hundred_platforms_none_of_which_is_scanned_makes_one_message_that_can_be_sent(
    account: Account, stack: Stack
) -> None:
    names = ["\U0001f4a3" * 64 + str(number) for number in range(100)]
    platforms = [account.push(f"p-{number}", tags=()) for number in range(100)]
    for image in platforms:
        stack.ledger.give_up_scanning(image, why="\U0001f4a3" * 2000, now=NOW)
    entries = [
        {"digest": image.digest, "platform": {"os": name, "architecture": "amd64"}}
        for image, name in zip(platforms, names, strict=True)
    ]
    index = an_index_of(account, entries)
    account.images["team/app", index.digest].pushed_at = NOW - OLD
    function = finished_scans(account, stack)
    request = messages.judgement_request(index, id="e", at=NOW, home=HOME)
    assert function.handle(stack.message(request)).name == "Held"
    assert largest_item(stack) < DYNAMODB_ITEM
    later(function, stack, NOW)
    (notice,) = stack.notices()
    (section,) = notice.sections
    assert len(section.items) + section.more == 100


def test_more_findings_than_can_be_remembered_are_judged_and_told_once(account: Account, stack: Stack) -> None:
    image = account.push()
    found = [a_finding(f"CVE-2026-{number}", "CRITICAL" if number < 100 else "LOW") for number in range(31_000)]
    account.scanned(image, *found, pages=62)
    function = finished_scans(account, stack)
    assert judged(function, stack, image) == "Announced"
    assert largest_item(stack) < DYNAMODB_ITEM
    judged(function, stack, image)
    assert len(stack.notices()) == 1


def test_an_image_of_a_thousand_tags_costs_few_calls(account: Account, stack: Stack) -> None:
    image = account.push(
        tags=tuple(f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}x" for n in range(1000))
    )
    account.scanned(image, X)
    calls: list[str] = []
    stack.dynamodb.meta.events.register_last("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    assert judged(finished_scans(account, stack), stack, image) == "Announced"
    assert len(calls) < 60


def test_a_storm_of_hundreds_is_marked_as_told_in_few_writes(account: Account, stack: Stack) -> None:
    """A write for each image would outlast the function, and the rest would be told a second time."""
    function = finished_scans(account, stack)
    image = account.push(age=OLD)
    account.scanned(image, X)
    judged(function, stack, image)
    body, _ = function.own.late[0]  # type: ignore[attr-defined]
    episode = json.loads(body)["detail"]["episode"]
    (news,) = stack.held.waiting("platform", episode)
    for number in range(100):
        one = replace(news, id=f"news-{number}", name=f"team/app:v{number}")
        stack.held.join("platform", one, owner="x", now=NOW)
    calls: list[str] = []
    stack.dynamodb.meta.events.register_last("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    assert later(function, stack, NOW)[-1] == "ToldHeld"
    assert calls.count("PutItem") < 12
    assert stack.held.waiting("platform", episode) == ()
    assert len(stack.notices()) == 1


def largest_item(stack: Stack) -> int:
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName="ledger")
    return max(_size(item) for page in pages for item in page["Items"])


def _size(value: Any) -> int:
    """As DynamoDB counts: names and values in UTF-8, binary as it is."""
    if isinstance(value, Mapping):
        return sum(len(str(name)) + _size(part) for name, part in value.items())
    if isinstance(value, list):
        return sum(map(_size, value))
    return len(value) if isinstance(value, bytes) else len(str(value).encode())
