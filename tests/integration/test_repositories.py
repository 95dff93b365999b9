"""Repositories are brought to their standard: by events at once, by the sweep whatever was missed."""

import json
from datetime import timedelta
from typing import Any

import pytest

from image_pushed import PushedImages
from repository_changed import ChangedRepositories
from scan_finished import FinishedScans
from sweep import Sweep
from tests.account import Account, Stack, a_finding
from tests.builders import HOME, NOW, a_policy, api_call, push
from tests.wire import error
from warden import events
from warden.ledger import Ledger
from warden.names import RepositoryName
from warden.notices import Level, Notice
from warden.policy import Policy

ROLE_PATH = "/ecr-warden/dev/"
REPORT = {"tags__mode": "report", "scanning__mode": "report", "lifecycle__mode": "report", "mode": "report"}
SWEEP = '{"source":"warden","detail-type":"Sweep","time":"2026-11-23T12:00:00Z"}'


def changed(account: Account, stack: Stack, policy: Policy | None = None) -> ChangedRepositories:
    notices = stack.queue("notices")
    return ChangedRepositories(HOME, ROLE_PATH, policy or a_policy(), account.registry, stack.ledger, notices)


def sweep(account: Account, stack: Stack, policy: Policy | None = None) -> Sweep:
    queues = {name: stack.queue(name) for name in ("own", "notices", "pushes")}
    return Sweep(HOME, policy or a_policy(), account.registry, stack.ledger, stack.tallies, **queues)


def run(function: Sweep, stack: Stack, start: str = SWEEP, *, now: Any = NOW) -> list[str]:
    """Run a sweep to its end, as its queue would, what is held back included."""
    outcomes = []
    waiting = [start]
    while waiting:
        outcomes += [function.handle(stack.message(body, now=now)).name for body in waiting]
        waiting = stack.bodies("own")
    return outcomes


def text(notice: Notice) -> str:
    lines = [notice.summary, *(item for section in notice.sections for item in section.items), notice.next_step]
    return "\n".join("".join(span.text for span in line) for line in lines)


def test_a_new_repository_takes_its_standard_and_nobody_is_disturbed(account: Account, stack: Stack) -> None:
    account.create()
    outcome = changed(account, stack).handle(stack.message(api_call("CreateRepository", "team/app")))
    assert outcome.name == "Corrected"
    settings = account.repositories["team/app"]
    assert settings["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    filters = [filter_["filter"] for filter_ in settings["imageTagMutabilityExclusionFilters"]]
    assert filters == ["latest", "sha256-*"]
    assert settings["imageScanningConfiguration"] == {"scanOnPush": True}
    assert json.loads(account.lifecycle_policies["team/app"])["rules"]
    assert stack.notices() == []


def test_drift_is_set_back_and_told_with_who_did_it(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    changed(account, stack).handle(stack.message(api_call("PutImageTagMutability", "team/app")))
    (notice,) = stack.notices()
    assert (notice.level, notice.title) == (Level.CHANGE, "settings of team/app were set back")
    assert "PutImageTagMutability by arn:aws:sts::111122223333:assumed-role/Admin/alice" in text(notice)
    assert "tag immutability  MUTABLE → IMMUTABLE except latest, sha256-*" in text(notice)


def test_everything_that_was_done_is_in_the_ledger_with_its_rule(account: Account, stack: Stack) -> None:
    account.create()
    changed(account, stack).handle(stack.message(api_call("CreateRepository", "team/app")))
    first, *deeds = stack.ledger.history("team/app")
    assert first.text == "CreateRepository by arn:aws:sts::111122223333:assumed-role/Admin/alice"
    assert {entry.text.partition(":")[0] for entry in deeds} == {"tag immutability", "scan on push", "lifecycle policy"}
    assert {(entry.details["result"], entry.details["rule"]) for entry in deeds} == {("done", "warden.yaml:1")}
    scan = next(entry for entry in deeds if entry.details["kind"] == "set scan on push")
    assert (scan.details["field"], scan.details["before"], scan.details["after"]) == ("scan on push", "off", "on")


def test_report_mode_tells_and_changes_nothing(account: Account, stack: Stack) -> None:
    account.create()
    policy = a_policy(**REPORT)
    changed(account, stack, policy).handle(stack.message(api_call("PutImageTagMutability", "team/app")))
    assert account.writes() == []
    (notice,) = stack.notices()
    assert "would be done" in text(notice)
    assert "report mode" in text(notice)
    assert {entry.details.get("result") for entry in stack.ledger.history("team/app")} == {None, "would be done"}


def test_a_compliant_repository_costs_four_reads_and_no_write(account: Account, stack: Stack) -> None:
    account.create()
    function = changed(account, stack)
    for _ in range(2):
        account.wire.requests.clear()
        outcome = function.handle(stack.message(api_call("PutLifecyclePolicy", "team/app")))
    assert outcome.name == "Compliant"
    assert account.calls() == {
        "DescribeRepositories": 1,
        "GetLifecyclePolicy": 1,
        "GetRegistryScanningConfiguration": 1,
        "ListTagsForResource": 1,
    }


def test_our_own_writes_are_known_by_their_role(account: Account, stack: Stack) -> None:
    own = api_call("PutLifecyclePolicy", "team/app", role="arn:aws:iam::111122223333:role/ecr-warden/dev/sweep")
    outcome = changed(account, stack).handle(stack.message(own))
    assert (outcome.name, account.calls()) == ("OwnWrite", {})


@pytest.mark.parametrize(
    "role",
    [
        "arn:aws:iam::111122223333:role/ecr-warden/prod/sweep",
        "arn:aws:iam::999988887777:role/ecr-warden/dev/sweep",
        "arn:aws:iam::111122223333:role/mine/ecr-warden/dev/sweep",
    ],
)
def test_a_role_that_only_looks_like_ours_is_not(account: Account, stack: Stack, role: str) -> None:
    account.create()
    body = api_call("PutImageTagMutability", "team/app", role=role)
    assert changed(account, stack).handle(stack.message(body)).name == "Corrected"


def test_filters_that_are_there_are_merged_and_never_wiped(account: Account, stack: Stack) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "nightly-*"}]
    account.create(imageTagMutability="IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=filters)
    changed(account, stack).handle(stack.message(api_call("PutImageTagMutability", "team/app")))
    kept = account.repositories["team/app"]["imageTagMutabilityExclusionFilters"]
    assert {filter_["filter"] for filter_ in kept} == {"nightly-*", "latest", "sha256-*"}


def test_too_many_filters_need_a_person_and_nothing_is_dropped(account: Account, stack: Stack) -> None:
    filters = [{"filterType": "WILDCARD", "filter": f"branch-{letter}-*"} for letter in "abcd"]
    account.create(imageTagMutability="IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=filters)
    changed(account, stack).handle(stack.message(api_call("PutImageTagMutability", "team/app")))
    assert "PutImageTagMutability" not in account.calls()
    (notice,) = stack.notices()
    assert notice.level is Level.ATTENTION
    assert "6 exclusion filters would be needed and ECR allows 5" in text(notice)


def test_what_ecr_refuses_is_told_and_does_not_stop_the_rest(account: Account, stack: Stack) -> None:
    account.create()
    account.refusals["PutImageTagMutability"] = error("InvalidParameterException", "filter is odd")
    changed(account, stack).handle(stack.message(api_call("CreateRepository", "team/app")))
    assert "PutLifecyclePolicy" in account.calls()
    (notice,) = stack.notices()
    assert notice.level is Level.ATTENTION
    assert "refused by ECR: ECR refused to set tag immutability of team/app: filter is odd" in text(notice)


def test_a_throttled_write_comes_again(account: Account, stack: Stack) -> None:
    account.create()
    account.refusals["PutImageTagMutability"] = error("ThrottlingException")
    function = changed(account, stack)
    body = api_call("CreateRepository", "team/app")
    with pytest.raises(Exception, match="ThrottlingException"):
        function.handle(stack.message(body, id="a"))
    del account.refusals["PutImageTagMutability"]
    assert function.handle(stack.message(body, id="a", receives=2)).name == "Corrected"


def test_a_fight_ends_with_a_person_who_is_asked_once(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    function = changed(account, stack)
    outcomes = []
    for flip in range(5):
        account.repositories["team/app"]["imageTagMutability"] = "MUTABLE"
        at = NOW + timedelta(minutes=5 * flip)
        body = api_call("PutImageTagMutability", "team/app", id=f"flip-{flip}", time=at.isoformat())
        outcomes.append(function.handle(stack.message(body, now=at)).name)
    assert outcomes == ["Corrected", "Corrected", "Told", "Told", "Told"]
    assert account.repositories["team/app"]["imageTagMutability"] == "MUTABLE"
    notices = stack.notices()
    assert [notice.level for notice in notices] == [Level.CHANGE] * 2 + [Level.ATTENTION] * 3
    assert len({notice.id for notice in notices[2:]}) == 1, "the same news, which is posted once"
    assert "tag immutability was changed 3 times within an hour, the last time by arn:aws:sts" in text(notices[2])


def test_a_fight_over_one_field_leaves_the_others_enforced(account: Account, stack: Stack) -> None:
    account.create()
    function = changed(account, stack)
    for flip in range(4):
        settings = account.repositories["team/app"]
        settings.update(imageTagMutability="MUTABLE", imageScanningConfiguration={"scanOnPush": flip < 3})
        at = NOW + timedelta(minutes=flip)
        body = api_call("PutImageTagMutability", "team/app", id=f"flip-{flip}", time=at.isoformat())
        function.handle(stack.message(body, now=at))
    assert account.repositories["team/app"]["imageScanningConfiguration"] == {"scanOnPush": True}
    assert account.repositories["team/app"]["imageTagMutability"] == "MUTABLE"


def test_changes_that_are_rare_are_set_back_each_time(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    function = changed(account, stack)
    for flip in range(5):
        account.repositories["team/app"]["imageTagMutability"] = "MUTABLE"
        at = NOW + timedelta(minutes=40 * flip)
        body = api_call("PutImageTagMutability", "team/app", id=f"flip-{flip}", time=at.isoformat())
        assert function.handle(stack.message(body, now=at)).name == "Corrected"


def test_the_sweep_keeps_the_truce_and_enforces_after_it(account: Account, stack: Stack) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    stack.ledger.stand_back(
        RepositoryName("team/app"), "tag immutability", why="a fight", now=NOW, until=NOW + timedelta(hours=24)
    )
    run(sweep(account, stack), stack)
    assert account.repositories["team/app"]["imageTagMutability"] == "MUTABLE"
    run(sweep(account, stack), stack, SWEEP.replace("23T", "24T"), now=NOW + timedelta(hours=24))
    assert account.repositories["team/app"]["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"


@pytest.mark.parametrize("dies_before", ["the record", "the notice"])
def test_what_was_done_is_told_even_if_the_sandbox_died_first(account: Account, stack: Stack, dies_before: str) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    body = api_call("PutImageTagMutability", "team/app")
    notices: Any = _Broken() if dies_before == "the notice" else stack.queue("notices")
    ledger: Any = _Dies(stack.ledger, after=3) if dies_before == "the record" else stack.ledger
    dying = ChangedRepositories(HOME, ROLE_PATH, a_policy(), account.registry, ledger, notices)
    with pytest.raises(Killed):
        dying.handle(stack.message(body, id="a"))
    outcome = changed(account, stack).handle(stack.message(body, id="a", receives=2))
    assert outcome.name == "Corrected"
    (notice,) = stack.notices()
    assert "tag immutability  MUTABLE → IMMUTABLE except latest, sha256-*" in text(notice)


class Killed(Exception):
    """The sandbox is gone."""


class _Broken:
    def send_all(self, _: Any) -> None:
        raise Killed


class _Dies:
    """A ledger whose sandbox is killed at its nth record."""

    def __init__(self, ledger: Ledger, *, after: int) -> None:
        self._ledger = ledger
        self._left = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def record(self, *arguments: Any, **named: Any) -> None:
        self._left -= 1
        if not self._left:
            raise Killed
        self._ledger.record(*arguments, **named)


PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage", "Sid": "open"}
OWN = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "ecr:BatchGetImage", "Sid": "own"}


@pytest.mark.parametrize(("statements", "left"), [([PUBLIC], None), ([PUBLIC, OWN], [OWN])])
def test_an_open_repository_is_closed_and_the_old_policy_kept(
    account: Account, stack: Stack, statements: list[Any], left: list[Any] | None
) -> None:
    account.create(imageScanningConfiguration={"scanOnPush": True})
    original = json.dumps({"Version": "2012-10-17", "Statement": statements})
    account.access_policies["team/app"] = original
    policy = a_policy(access__forbid_public=True)
    changed(account, stack, policy).handle(stack.message(api_call("SetRepositoryPolicy", "team/app")))
    now = account.access_policies.get("team/app")
    assert (json.loads(now)["Statement"] if now else None) == left
    first = next(entry for entry in stack.ledger.history("team/app") if "repository policy" in str(entry.details))
    assert first.details["original"] == original


def test_a_repository_that_is_gone_or_an_event_for_others_is_left_alone(account: Account, stack: Stack) -> None:
    function = changed(account, stack)
    assert function.handle(stack.message(api_call("CreateRepository", "team/app"))).name == "Gone"
    body = api_call("CreateRepository", "team/app", errorCode="AccessDenied")
    assert function.handle(stack.message(body)).name == "NotForUs"


def test_a_sweep_looks_at_every_repository_and_says_hello_once(account: Account, stack: Stack) -> None:
    for number in range(25):
        account.create(f"team/app-{number:02}")
    outcomes = run(sweep(account, stack), stack)
    assert outcomes.count("LookedAt") == 25
    assert outcomes[-1] == "SummedUp"
    assert all(settings["imageTagMutability"] != "MUTABLE" for settings in account.repositories.values())
    (hello,) = stack.notices()
    assert (hello.level, hello.title) == (Level.HELLO, "ECR Warden is here")
    assert "Looked at 25 repositories: 0 meet the standard, 25 differ; 75 settings were changed." in text(hello)
    first, *others = hello.sections[0].items
    assert len(others) == 2
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


def test_a_summary_waits_for_the_last_repository_and_not_for_ever(account: Account, stack: Stack) -> None:
    account.create()
    function = sweep(account, stack)
    function.handle(stack.message(SWEEP))
    due = events.summary_due("2026-11-23T12:00:00+00:00", at=NOW, home=HOME)
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
    queues = {"notices": stack.queue("notices"), "own": stack.queue("own")}
    finished = FinishedScans(HOME, a_policy(), account.registry, stack.ledger, **queues)
    finished.handle(stack.message(events.judgement_request(judged, id="e", at=NOW, home=HOME)))
    run(sweep(account, stack), stack)
    assert stack.bodies("pushes") == []


def test_of_a_lost_index_the_index_is_reminded_of_first(account: Account, stack: Stack) -> None:
    platform = account.push("amd64", tags=())
    index = account.push_index(platform)
    run(sweep(account, stack), stack)
    (reminder,) = stack.bodies("pushes")
    assert index.digest in reminder
    assert stack.held_back("pushes") == 1
    queues = (stack.queue("judgements"), stack.queue("notices"))
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


def test_the_sweep_drops_what_is_not_its_own(account: Account, stack: Stack) -> None:
    assert sweep(account, stack).handle(stack.message(api_call("CreateRepository", "a/b"))).name == "NotForUs"
