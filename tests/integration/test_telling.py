"""Only what is new is told, to those it concerns; what concerns many images is told once."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scan_finished import FinishedScans
from tests.account import CONFIG, IMAGE, Account, Stack, a_finding
from tests.builders import HOME, NOW, a_policy, finding_changed, inspected, scanned, vector
from tests.functions import RememberingQueue, finished_scans, later
from tests.wire import ok
from warden import messages
from warden.errors import Unavailable
from warden.names import ImageId
from warden.notices import Level, Notice

OLD = timedelta(days=40)


def judged(account: Account, stack: Stack, image: ImageId, function: FinishedScans | None = None, **fields: Any) -> str:
    function = function or finished_scans(account, stack, a_policy(**{"findings__new_only": True, **fields}))
    return function.handle(stack.message(scanned(image))).name


def summary(notice: Notice) -> str:
    return "".join(span.text for span in notice.summary)


def named(notice: Notice) -> list[str]:
    return [item[0].text for section in notice.sections for item in section.items]


def facts(notice: Notice) -> Mapping[str, str]:
    return {fact.label: fact.value for fact in notice.facts}


def test_of_the_next_version_only_what_is_new_is_told(account: Account, stack: Stack) -> None:
    before = account.push("one", tags=("v1.4.1",), age=timedelta(hours=2))
    image = account.push("two", tags=("v1.4.2",))
    known = [a_finding(f"CVE-2026-{1000 + number}") for number in range(40)]
    fixed = [a_finding(f"CVE-2026-{2000 + number}", "LOW") for number in range(12)]
    new = [a_finding(f"CVE-2026-{3000 + number}", "CRITICAL") for number in range(3)]
    account.scanned(before, *known, *fixed)
    account.scanned(image, *known, *new)
    judged(account, stack, before)
    stack.bodies("notices")
    assert judged(account, stack, image) == "Announced"
    (notice,) = stack.notices()
    assert notice.title == "3 new critical in team/app:v1.4.2"
    assert "Since v1.4.1: introduced 3, fixed 12, 40 known." in summary(notice)
    assert named(notice) == ["CVE-2026-3000", "CVE-2026-3001", "CVE-2026-3002"]
    (entry,) = stack.ledger.history(str(image))
    assert {name: entry.details[name] for name in ("since", "introduced", "fixed", "known")} == {
        "since": "team/app:v1.4.1",
        "introduced": "3",
        "fixed": "12",
        "known": "40",
    }
    assert entry.details["because"] == (
        "3 findings from critical on (warden.yaml:1); 43 findings from high on (warden.yaml:1)"
    )


def test_nothing_new_is_nothing_to_tell_and_still_no_pass(account: Account, stack: Stack) -> None:
    images = [account.push(tag, tags=(tag,)) for tag in ("v1", "v2")]
    for image in images:
        account.scanned(image, a_finding("CVE-2026-1", "CRITICAL"))
    assert [judged(account, stack, image) for image in images] == ["Announced", "NothingNew"]
    assert len(stack.notices()) == 1
    (entry,) = stack.ledger.history(str(images[1]))
    assert entry.text == "verdict block: 1 critical"


def test_an_image_that_was_pushed_before_the_warden_came_is_compared_with_too(account: Account, stack: Stack) -> None:
    before = account.push("one", tags=("v1.4.1",), age=OLD)
    account.push("other", tags=("v2.0.0",), age=OLD)
    image = account.push("two", tags=("v1.4.2",))
    account.scanned(before, a_finding("CVE-2026-1"))
    account.scanned(image, a_finding("CVE-2026-1"), a_finding("CVE-2026-2"))
    judged(account, stack, image)
    (notice,) = stack.notices()
    assert notice.title == "1 new high in team/app:v1.4.2"
    assert "Since v1.4.1: introduced 1, fixed 0, 1 known." in summary(notice)


@pytest.mark.parametrize("tags", [("latest",), ("main-41d9be2",), ("nightly-20261123",)])
def test_the_first_of_its_line_has_nothing_to_be_compared_with(
    account: Account, stack: Stack, tags: tuple[str, ...]
) -> None:
    other = account.push("one", tags=("v1",), age=OLD)
    image = account.push("two", tags=tags)
    for each in (other, image):
        account.scanned(each, a_finding("CVE-2026-1"))
    judged(account, stack, image)
    (notice,) = stack.notices()
    assert notice.title == f"1 high in team/app:{tags[0]}"
    assert "Since" not in summary(notice)


def test_a_tag_that_moves_is_a_line_by_itself(account: Account, stack: Stack) -> None:
    first = account.push("one", tags=("latest",), age=timedelta(minutes=50))
    account.scanned(first, a_finding("CVE-2026-1"))
    judged(account, stack, first)
    account.images["team/app", first.digest].tags = []
    second = account.push("two", tags=("latest",))
    account.scanned(second, a_finding("CVE-2026-1"), a_finding("CVE-2026-2", "CRITICAL"))
    judged(account, stack, second)
    titles = [notice.title for notice in stack.notices()]
    assert titles == ["1 high in team/app:latest", "1 new critical in team/app:latest"]


def test_what_was_told_and_is_over_is_told_in_its_thread(account: Account, stack: Stack) -> None:
    first, second, third = (account.push(tag, tags=(tag,)) for tag in ("v1", "v2", "v3"))
    account.scanned(first, a_finding("CVE-2026-1"), a_finding("CVE-2026-2"))
    for image in (second, third):
        account.scanned(image, a_finding("CVE-2026-3", "LOW"))
    assert [judged(account, stack, image) for image in (first, second, third)] == ["Announced", "Announced", "Passed"]
    dirty, clean = stack.notices()
    assert (clean.level, clean.kind) == (Level.GOOD, "clean")
    assert clean.title == "team/app:v2 passes, after v1"
    assert summary(clean) == "1 low. Fixes 2 findings of team/app:v1; verdict pass."
    assert clean.thread == dirty.thread == str(first)


def test_a_finding_that_became_worse_is_new(account: Account, stack: Stack) -> None:
    image = account.push()
    function = finished_scans(account, stack, a_policy(findings__new_only=True))
    for severity in ("HIGH", "CRITICAL", "HIGH"):
        account.scanned(image, a_finding("CVE-2026-1", severity))
        judged(account, stack, image, function)
        later(function, stack, NOW)
    assert [notice.title for notice in stack.notices()] == [
        "1 high in team/app:v1",
        "1 new critical in team/app:v1",
    ]


def test_what_comes_and_goes_is_told_each_time_that_it_comes_and_goes(account: Account, stack: Stack) -> None:
    image = account.push()
    function = finished_scans(account, stack, a_policy(findings__new_only=True))
    for number in range(4):
        account.scanned(image, *([] if number % 2 else [a_finding("CVE-2026-1")]))
        for _ in range(2):
            judged(account, stack, image, function)
        later(function, stack, NOW)
    assert [notice.kind for notice in stack.notices()] == ["findings", "clean", "findings", "clean"]


def test_a_finding_is_due_from_the_day_on_which_it_was_known_in_the_line(account: Account, stack: Stack) -> None:
    fields: dict[str, Any] = {"findings__fix_within__HIGH": 30, "findings__new_only": False}
    for number, days in ((1, 0), (2, 10), (3, 40)):
        image = account.push(f"v{number}", tags=(f"v{number}",), age=-timedelta(days=days))
        account.scanned(image, a_finding("CVE-2026-1"))
        function = finished_scans(account, stack, a_policy(**fields))
        function.handle(stack.message(scanned(image), now=NOW + timedelta(days=days)))
    said = [facts(notice)["Fix by"] for notice in stack.notices()]
    assert said == ["23 Dec 2026", "23 Dec 2026", "1 finding is overdue, the first was due 23 Dec 2026"]


def test_an_owner_is_known_by_a_label_of_the_image(account: Account, stack: Stack) -> None:
    owners = [{"label": "org.opencontainers.image.source", "value": "https://github.com/acme/*", "channels": ["acme"]}]
    policy = a_policy(owners=owners)
    label = {"org.opencontainers.image.source": "https://github.com/acme/app"}
    for seed, labels in (("a", label), ("b", {}), ("c", None)):
        image = labelled(account, seed, labels)
        account.scanned(image, a_finding())
        finished_scans(account, stack, policy).handle(stack.message(scanned(image)))
    sent = [json.loads(body) for body in stack.bodies("notices")]
    assert [(body["channel"], _owner(body)) for body in sent] == [
        ("acme", "https://github.com/acme/app (org.opencontainers.image.source, warden.yaml:40)"),
        ("platform", "not known: the image's labels match none of the policy's owners, so the default channel is told"),
        ("platform", "not known: the image's labels could not be read, so the default channel is told"),
    ]


def test_a_label_does_not_outdo_a_rule(account: Account, stack: Stack) -> None:
    owners = [{"label": "owner", "value": "*", "channels": ["acme"]}]
    policy = a_policy(("team/*", {"channels": ["team"]}), owners=owners)
    image = labelled(account, "a", {"owner": "acme"})
    account.scanned(image, a_finding())
    finished_scans(account, stack, policy).handle(stack.message(scanned(image)))
    (body,) = stack.bodies("notices")
    assert json.loads(body)["channel"] == "team"
    assert account.calls()["GetDownloadUrlForLayer"] == 0


def labelled(account: Account, seed: str, labels: dict[str, str] | None) -> ImageId:
    """An image with labels in its configuration; with None, one whose configuration is gone."""
    configuration = json.dumps({"config": {"Labels": labels}, "seed": seed}).encode()
    digest = account.put_blob(configuration)
    if labels is None:
        del account.blobs[digest]
    config = {"mediaType": CONFIG, "digest": digest, "size": len(configuration)}
    manifest = {"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": []}
    return account.push(seed, tags=(f"v-{seed}",), manifest=manifest)


def _owner(body: Mapping[str, Any]) -> str:
    return str(next(fact["value"] for fact in body["notice"]["facts"] if fact["label"] == "Owner"))


def many_images(account: Account, stack: Stack, count: int = 60) -> tuple[FinishedScans, list[ImageId]]:
    """As many images that were judged and are known to be clean."""
    function = finished_scans(account, stack, a_policy(findings__new_only=True))
    images = [
        account.push(f"image-{number}", repository=f"team/app-{number % 25}", tags=(f"v{number}",), age=OLD)
        for number in range(count)
    ]
    for image in images:
        account.scanned(image)
        assert function.handle(stack.message(inspected(image))).name == "Passed"
    return function, images


def test_a_vulnerability_that_is_new_in_many_images_makes_one_message(account: Account, stack: Stack) -> None:
    function, images = many_images(account, stack)
    for image in images:
        account.scanned(image, a_finding("CVE-2026-1000", "CRITICAL", fixed_in_version="3.0.15"))
        function.handle(stack.message(finding_changed(image)))
    outcomes = later(function, stack, NOW)
    assert outcomes.count("Held") == 60
    assert outcomes.count("ToldHeld") == 1
    (notice,) = stack.notices()
    assert notice.title == "CVE-2026-1000 is new in 60 images"
    what, where = notice.tables
    assert what.rows == (("CVE-2026-1000", "critical", "openssl", "3.0.15", "60"),)
    assert (len(where.rows), where.more) == (10, 15)
    assert "60 images in 25 repositories" in summary(notice)


def test_few_images_are_told_one_by_one(account: Account, stack: Stack) -> None:
    function, images = many_images(account, stack, 3)
    for image in images:
        account.scanned(image, a_finding("CVE-2026-1000", "CRITICAL"))
        judged(account, stack, image, function)
    later(function, stack, NOW)
    assert sorted(notice.title for notice in stack.notices()) == [
        f"1 new critical in team/app-{number}:v{number}" for number in range(3)
    ]


def test_what_is_over_in_many_images_is_one_message_too(account: Account, stack: Stack) -> None:
    function, images = many_images(account, stack, 8)
    for found in ([a_finding("CVE-2026-1000", "CRITICAL")], []):
        for image in images:
            account.scanned(image, *found)
            judged(account, stack, image, function)
        later(function, stack, NOW)
    titles = [notice.title for notice in stack.notices()]
    assert titles == ["CVE-2026-1000 is new in 8 images", "8 images pass again"]


def test_news_that_comes_after_the_last_look_is_not_lost(account: Account, stack: Stack) -> None:
    """Written before the episode is closed and read after it, or the other way round: it is told once."""
    function, images = many_images(account, stack, 6)
    held = function.telling.held
    for number, image in enumerate(images):
        account.scanned(image, a_finding("CVE-2026-1000", "CRITICAL"))
        if number == 5:  # everybody else was told meanwhile, in the middle of this one's work
            closing: Any = _Closing(held, function, stack)
            function = replace(function, telling=replace(function.telling, held=closing))
        judged(account, stack, image, function)
    later(function, stack, NOW)
    notices = stack.notices()
    assert [notice.kind for notice in notices] == ["storm", "findings"]
    assert notices[0].title == "CVE-2026-1000 is new in 5 images"
    assert notices[1].title == "1 new critical in team/app-5:v5"


class _Closing:
    """Held news whose episode is closed between the moment in which it was found open and the writing of the news."""

    def __init__(self, held: Any, function: FinishedScans, stack: Stack) -> None:
        self._held, self._function, self._stack = held, function, stack

    def __getattr__(self, name: str) -> Any:
        return getattr(self._held, name)

    def join(self, channel: str, news: Any, **options: Any) -> Any:
        later(self._function, self._stack, NOW)
        options["now"] = NOW  # as it was read before
        episode = self._stack.held._client.scan(TableName="ledger")
        (closed,) = [item for item in episode["Items"] if item["sk"]["S"] == "closed"]
        name = closed["pk"]["S"].removeprefix(f"storm#{channel}#")
        self._held._open = lambda *_: name
        return self._held.join(channel, news, **options)


CALLS = 24
"""More than the work needs: the last of the deaths below never comes."""


@pytest.mark.parametrize("after", range(1, CALLS + 1))
def test_killed_after_any_call_the_news_is_told_once(account: Account, stack: Stack, after: int) -> None:
    """Each call to DynamoDB and SQS in turn is the last one of its sandbox; the message then comes again."""
    image = account.push(age=OLD)
    account.scanned(image, a_finding("CVE-2026-1", "CRITICAL"))
    function = finished_scans(account, stack)
    death = _Death(stack, after)
    assert isinstance(function.own, RememberingQueue)
    _until_done(function, stack.message(scanned(image), id="a"), death)
    while function.own.late:
        body, delay = function.own.late.pop(0)
        _until_done(function, stack.message(body, now=NOW + timedelta(seconds=delay)), death)
    died, death.left = death.left <= 0, 0
    assert died == (after < CALLS)
    assert len({notice.id for notice in stack.notices()}) == 1


def _until_done(function: FinishedScans, message: Any, death: "_Death") -> None:
    while True:
        try:
            function.handle(message)
        except _Killed:
            message = replace(message, receives=message.receives + 1)
        except Unavailable:
            message = replace(message, now=message.now + timedelta(minutes=3))
        else:
            return


class _Killed(BaseException):
    """The sandbox is gone."""


class _Death:
    """Comes once, after so many answers."""

    def __init__(self, stack: Stack, after: int) -> None:
        self.left = after
        for client in (stack.dynamodb, stack.sqs):
            client.meta.events.register_last("after-call", self._count)

    def _count(self, **_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise _Killed


def test_epss_is_asked_for_where_the_policy_wants_it_and_what_is_unlikely_is_left_aside(
    account: Account, stack: Stack
) -> None:
    image = account.push()
    account.refusals["DescribeImageScanFindings"] = ok(vector("findings/enhanced.active.mixed.json"))
    asked: list[ImageId] = []

    class Inspector:
        def epss(self, image: ImageId) -> dict[str, float]:
            asked.append(image)
            return dict.fromkeys(names, 0.01)

    names = [
        finding["packageVulnerabilityDetails"]["vulnerabilityId"]
        for finding in vector("findings/enhanced.active.mixed.json")["imageScanFindings"]["enhancedFindings"]
    ]
    policy = a_policy(findings__epss_from=0.1)
    function = finished_scans(account, stack, policy, inspector=Inspector())  # type: ignore[arg-type]
    function.handle(stack.message(inspected(image)))
    assert asked == [image]
    (notice,) = stack.notices()
    assert "left aside" in " ".join(facts(notice))
    assert "EPSS 1%" in "".join(span.text for section in notice.sections for item in section.items for span in item)


def test_a_request_for_held_news_is_only_ours_to_make(account: Account, stack: Stack) -> None:
    function = finished_scans(account, stack)
    body = messages.held_news_due("platform", "x", seen=1, at=NOW, home=HOME)
    assert function.handle(stack.message(body)).name == "ToldHeld"
    assert function.handle(stack.message(body.replace('"warden"', '"aws.ecr"'))).name == "NotForUs"
