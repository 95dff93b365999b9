"""Repositories that nobody needs: the sweep tells of them, and deletes them where the policy enforces it."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.account import Stack
from tests.builders import HOME, NOW, a_policy, image_id
from tests.functions import SWEEP, run, sweep, text
from tests.integration.test_prune_deaths import Calls, Killed, watched
from tests.local_account import LocalAccount
from tests.wire import Wire, error, ok
from warden import messages
from warden.actions import Action, ActionKind
from warden.empty_repositories import MOST
from warden.errors import Refused, Unavailable
from warden.ledger import Entry
from warden.names import RepositoryName
from warden.notices import Level, from_json
from warden.policy import Mode, Policy, QuarantineBy
from warden.prunings import Prunings
from warden.quarantines import Held, Quarantines
from warden.registry import Registry
from warden.vacancies import Vacancies

APP = RepositoryName("team/app")
OLD = 200
TEXT = (
    '{"Version":"2012-10-17","Statement":[{"Sid":"x","Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}'
)
LIFECYCLE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3},
                "action": {"type": "expire"},
            }
        ]
    }
)


def the_policy(*rules: Any, empty__mode: str = "enforce", **fields: Any) -> Policy:
    """Whatever else could differ is left alone."""
    quiet = {"tags__mode": "off", "scanning__mode": "off", "lifecycle__mode": "off"}
    return a_policy(*rules, **{**quiet, "empty__mode": empty__mode, "empty__after": 90, **fields})


def create(local: LocalAccount, name: str = APP, *, days: float = OLD, **settings: Any) -> RepositoryName:
    """A repository of that age."""
    made = local.create(name, **settings)
    local.small.ecr.registry.repository(made).created_at = NOW - timedelta(days=days)
    return made


@pytest.fixture
def local() -> LocalAccount:
    return LocalAccount()


def there(local: LocalAccount) -> list[str]:
    return sorted(local.small.ecr.registry.repositories)


def a_day(local: LocalAccount, stack: Stack, policy: Policy | None = None, *, day: int = 0) -> list[str]:
    now = NOW + timedelta(days=day)
    start = SWEEP.replace("2026-11-23", now.date().isoformat())
    return run(sweep(local, stack, policy or the_policy()), stack, start, now=now)


def test_an_empty_repository_is_deleted_told_and_can_be_made_again(local: LocalAccount, stack: Stack) -> None:
    create(
        local,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "dev-*"}],
        imageScanningConfiguration={"scanOnPush": True},
        tags=[{"Key": "team", "Value": "a"}],
    )
    local.small.call("SetRepositoryPolicy", repositoryName=APP, policyText=TEXT)
    local.small.call("PutLifecyclePolicy", repositoryName=APP, lifecyclePolicyText=LIFECYCLE)
    before = described(local)
    a_day(local, stack)
    assert there(local) == []
    (notice,) = stack.notices()
    assert "team/app · made 07 May 2026, no image → deleted" in text(notice)
    (entry,) = stack.ledger.history(APP)
    assert (entry.details["result"], entry.details["rule"]) == ("done", "warden.yaml:1")
    original = json.loads(entry.details["original"])
    local.small.call("CreateRepository", **original["create"])
    local.small.call("SetRepositoryPolicy", repositoryName=APP, policyText=original["policyText"])
    local.small.call("PutLifecyclePolicy", repositoryName=APP, lifecyclePolicyText=original["lifecyclePolicyText"])
    assert described(local) == before


TEAM = {"team-a": {"type": "teams", "secret": "warden/teams-team-a"}}


@pytest.mark.parametrize(
    ("channels", "told"),
    [(["platform"], []), (["team-a"], ["team-a"]), (["platform", "team-a"], ["team-a"])],
)
def test_those_whose_repository_it_was_are_told_where_the_summary_does_not_go(
    local: LocalAccount, stack: Stack, channels: list[str], told: list[str]
) -> None:
    create(local, tags=[{"Key": "team", "Value": "a"}])
    rule: tuple[Any, Any] = ({"tags": {"team": "a"}}, {"channels": channels})
    a_day(local, stack, the_policy(rule, known_channels=TEAM))
    sent = [from_json(body) for body in stack.bodies("notices")]
    assert [channel for channel, notice in sent if notice.subject == APP] == told
    assert [channel for channel, notice in sent if notice.kind == "hello"] == ["platform"]
    for _, notice in sent:
        if notice.subject == APP:
            assert notice.title == "empty repository team/app was deleted"
            assert text(notice).splitlines() == [
                "team/app: made 07 May 2026, no image. Nobody needs it: it has no image, and nobody has pushed there, "
                "used one, or changed it.",
                "Needed after all? warden why team/app has all that it takes to make it again. A rule with "
                "empty: {mode: off} spares it then.",
            ]


def described(local: LocalAccount) -> list[Any]:
    """All that can be set, and asked for."""
    (one,) = local.small.call("DescribeRepositories", repositoryNames=[APP])["repositories"]
    return [
        {key: value for key, value in one.items() if key != "createdAt"},
        local.small.call("ListTagsForResource", resourceArn=one["repositoryArn"]),
        local.small.call("GetRepositoryPolicy", repositoryName=APP),
        local.small.call("GetLifecyclePolicy", repositoryName=APP)["lifecyclePolicyText"],
    ]


def test_it_is_looked_at_twice_and_never_forced(local: LocalAccount, stack: Stack) -> None:
    create(local)
    a_day(local, stack)
    assert [operation for operation in local.wire.operations() if operation != "GetRegistryScanningConfiguration"] == [
        "DescribeRepositories",
        "ListTagsForResource",
        "ListImages",
        "DescribeRepositories",
        "ListTagsForResource",
        "DescribeRepositories",
        "GetLifecyclePolicy",
        "GetRepositoryPolicy",
        "ListImages",
        "DeleteRepository",
    ]
    assert [request for operation, request in local.wire.requests if operation == "DeleteRepository"] == [
        {"repositoryName": APP}
    ]


def test_in_report_mode_it_is_told_once_and_stays(local: LocalAccount, stack: Stack) -> None:
    create(local)
    for day in range(3):
        a_day(local, stack, the_policy(empty__mode="report"), day=day)
    assert there(local) == [APP]
    assert local.writes() == []
    hello, notice = stack.notices()
    assert hello.level is Level.HELLO
    assert "team/app · made 07 May 2026, no image → deleted (would be done)" in text(hello)
    assert notice.title == "1 repository that nobody needs"


@pytest.mark.parametrize(
    "policy", [the_policy(empty__mode="off"), the_policy(empty__after=None)], ids=["off", "no time"]
)
def test_where_nobody_asks_nothing_more_is_read(local: LocalAccount, stack: Stack, policy: Policy) -> None:
    create(local)
    a_day(local, stack, policy)
    assert there(local) == [APP]
    assert sorted(local.wire.operations()) == [
        "DescribeImages",
        "DescribeRepositories",
        "GetRegistryScanningConfiguration",
        "ListTagsForResource",
    ]


@pytest.mark.parametrize("archived", [False, True])
def test_a_repository_with_any_image_stays_and_costs_one_call_more(
    local: LocalAccount, stack: Stack, archived: bool
) -> None:
    create(local)
    digest = local.push("image", days=OLD)
    if archived:
        local.small.call(
            "UpdateImageStorageClass",
            repositoryName=APP,
            imageId={"imageDigest": digest},
            targetStorageClass="ARCHIVE",
        )
    a_day(local, stack)
    assert there(local) == [APP]
    assert local.wire.operations().count("ListImages") == 1
    assert local.writes() == []


def test_one_that_was_emptied_of_late_has_its_time_from_then_on(local: LocalAccount, stack: Stack) -> None:
    create(local)
    digest = local.push("image", "v1")
    a_day(local, stack)
    local.small.call("BatchDeleteImage", repositoryName=APP, imageIds=[{"imageDigest": digest}])
    a_day(local, stack, day=89)
    assert there(local) == [APP]
    a_day(local, stack, day=91)
    assert there(local) == []


def hold(stack: Stack) -> None:
    held = Held(image_id(), QuarantineBy.TAGS, NOW, "", "CVE-2026-1")
    Quarantines(stack.dynamodb, "ledger").hold(held)


def was_in_use(stack: Stack) -> None:
    Prunings(stack.dynamodb, "ledger").used(APP, [image_id().digest], now=NOW - timedelta(days=80))


def was_changed(stack: Stack) -> None:
    entry = Entry(APP, NOW - timedelta(days=80), "changed", "PutLifecyclePolicy by alice")
    stack.ledger.record(entry, event="e")


SIGNS: dict[str, Callable[[Stack], None]] = {
    "an image is in quarantine": hold,
    "an image was in use": was_in_use,
    "somebody has changed it": was_changed,
}


@pytest.mark.parametrize("happened", SIGNS.values(), ids=SIGNS)
def test_one_that_shows_a_sign_of_life_stays(
    local: LocalAccount, stack: Stack, happened: Callable[[Stack], None]
) -> None:
    create(local)
    happened(stack)
    a_day(local, stack)
    assert there(local) == [APP]


@pytest.mark.parametrize("kind", ["standard", "not pruned", "announced"])
def test_what_the_warden_writes_itself_is_no_sign_of_life(local: LocalAccount, stack: Stack, kind: str) -> None:
    create(local)
    stack.ledger.record(Entry(APP, NOW - timedelta(days=1), kind, "as every day"), event="e")
    a_day(local, stack)
    assert there(local) == []


def test_one_that_was_brought_to_its_standard_each_day_goes_all_the_same(local: LocalAccount, stack: Stack) -> None:
    create(local, days=85)
    for day in range(7):
        a_day(local, stack, the_policy(tags__mode="report"), day=day)
    assert there(local) == []


def test_the_stack_of_cloudformation_is_named(local: LocalAccount, stack: Stack) -> None:
    create(local)
    # Nobody but AWS may give such a tag.
    local.small.ecr.registry.repository(APP).tags["aws:cloudformation:stack-name"] = "shop"
    a_day(local, stack)
    assert there(local) == [APP]
    (hello,) = stack.notices()
    assert "needs a person: CloudFormation made it: delete it in its stack shop" in text(hello)


def test_so_many_go_in_one_sweep_and_the_rest_in_the_next(local: LocalAccount, stack: Stack) -> None:
    for number in range(MOST + 3):
        create(local, f"old/app-{number:02}")
    a_day(local, stack)
    assert len(there(local)) == 3
    (hello,) = stack.notices()
    assert "Nobody needs 13: 10 were deleted, 3 wait for the next sweep." in text(hello)
    assert hello.sections[0].more == 3
    a_day(local, stack, day=1)
    assert there(local) == []
    (notice,) = stack.notices()
    assert "3 were deleted." in text(notice)


def test_two_sweeps_on_one_day_have_their_own_places(local: LocalAccount, stack: Stack) -> None:
    stack.tallies.begin("s", repositories=3, now=NOW)
    taken = [stack.tallies.take_place("s", name, most=2) for name in ("a", "b", "c", "a", "b")]
    assert taken == [True, True, False, True, True]
    assert stack.tallies.take_place("t", "c", most=2)
    assert stack.tallies.read("s").counts == {"expected": 3, "looked_at": 0}


def before(local: LocalAccount, operation: str, number: int, do: Callable[[], object]) -> None:
    """Do something right before the call of that number."""
    seen: list[str] = []

    def look(name: str) -> None:
        seen.append(name)
        if name == operation and seen.count(operation) == number:
            do()

    local.before_call = look


@pytest.mark.parametrize(("operation", "number"), [("ListImages", 1), ("ListImages", 2)])
def test_a_push_before_the_last_look_is_seen(local: LocalAccount, stack: Stack, operation: str, number: int) -> None:
    create(local)
    before(local, operation, number, lambda: local.push("image", "v1"))
    a_day(local, stack)
    assert there(local) == [APP]
    assert local.writes() == []


def test_a_push_after_the_last_look_makes_ecr_refuse(local: LocalAccount, stack: Stack) -> None:
    create(local)
    before(local, "DeleteRepository", 1, lambda: local.push("image", "v1"))
    a_day(local, stack)
    assert there(local) == [APP]
    (hello,) = stack.notices()
    assert "refused by ECR: ECR keeps team/app" in text(hello)
    assert "none was deleted" in text(hello)
    assert stack.tallies.read("2026-11-23T12:00:00+00:00").counts["refused"] == 0


def test_one_that_was_made_anew_meanwhile_stays(local: LocalAccount, stack: Stack) -> None:
    create(local)

    def anew() -> None:
        local.small.ecr.registry.repository(APP).created_at = NOW

    before(local, "DescribeRepositories", 2, anew)
    a_day(local, stack)
    assert there(local) == [APP]
    assert local.writes() == []


@pytest.mark.parametrize(
    ("operation", "number"),
    [("ListImages", 1), ("DescribeRepositories", 2), ("DescribeRepositories", 3), ("ListImages", 2)],
)
def test_one_that_went_meanwhile_is_no_trouble(local: LocalAccount, stack: Stack, operation: str, number: int) -> None:
    create(local)
    before(local, operation, number, local.small.ecr.registry.repositories.clear)
    function = sweep(local, stack, the_policy())
    function.handle(stack.message(SWEEP))
    (body,) = stack.bodies("own")
    with suppress(ClientError):  # its images can't be read: the message comes again
        function.handle(stack.message(body, id="one"))
    function.handle(stack.message(body, id="one", receives=2))
    assert stack.tallies.read("2026-11-23T12:00:00+00:00").counts["looked_at"] == 1
    assert local.writes() == []


def test_one_that_went_right_before_is_as_good_as_deleted(local: LocalAccount, stack: Stack) -> None:
    create(local)
    before(local, "DeleteRepository", 1, local.small.ecr.registry.repositories.clear)
    a_day(local, stack)
    assert "1 was deleted" in text(stack.notices()[0])


@dataclass
class Turn:
    """An old repository whose turn it is, in a sweep of its own."""

    local: LocalAccount
    stack: Stack
    policy: Policy
    number: int = 0

    def __post_init__(self) -> None:
        create(self.local, self.name)
        start = SWEEP.replace("12:00:00", f"12:{self.number:02}:00")
        self.sweep = datetime.fromisoformat(json.loads(start)["time"].replace("Z", "+00:00")).isoformat()
        self.function = sweep(self.local, self.stack, self.policy)
        self.function.handle(self.stack.message(start))
        (self.body,) = [body for body in self.stack.bodies("own") if self.name in body]

    @property
    def name(self) -> str:
        return f"old/app-{self.number:02}"

    def take(self, receives: int = 1) -> None:
        later = NOW + timedelta(hours=receives)
        self.function.handle(self.stack.message(self.body, id=self.name, receives=receives, now=later))

    def end(self) -> dict[str, Any]:
        counts, lines = self.stack.tallies.read(self.sweep)
        return {
            "there": there(self.local),
            "counts": {name: count for name, count in counts.items() if count},
            "lines": list(lines.values()),
            "history": [(entry.text, entry.details["kind"]) for entry in self.stack.ledger.history(self.name)],
            "told": {notice.title.replace(self.name, "it") for notice in self.stack.notices()},
        }


def test_killed_after_any_call_it_ends_as_if_it_were_not(stack: Stack) -> None:
    policy = the_policy(("old/*", {"channels": ["team-a"]}), tags__mode="enforce", known_channels=TEAM)
    whole, calls = Turn(LocalAccount(), stack, policy), Calls()
    stop = watched(whole.local, stack, calls)
    whole.take()
    stop()
    expected = whole.end()
    deleted = "empty repository: made 07 May 2026, no image → deleted"
    assert (expected["there"], expected["lines"]) == ([], [(deleted,)])
    assert expected["counts"] == {"expected": 1, "looked_at": 1, "deleted": 1}
    assert expected["history"] == [(deleted, "delete repository")]
    assert expected["told"] == {"empty repository it was deleted"}
    assert len(calls.made) > 20
    for deadly, name in enumerate(calls.made, 1):
        turn = Turn(LocalAccount(), stack, policy, number=deadly)
        stop = watched(turn.local, stack, Calls(deadly))
        with pytest.raises(Killed):
            turn.take()
        stop()
        turn.take(receives=2)
        assert turn.end() == expected, name


def test_a_deletion_that_was_begun_and_not_done_is_not_told_as_done(local: LocalAccount, stack: Stack) -> None:
    turn = Turn(local, stack, the_policy())

    def die(name: str) -> None:
        if name == "DeleteRepository":
            raise Killed(name)

    local.before_call = die
    with pytest.raises(Killed):
        turn.take()
    local.before_call = lambda _: None
    local.push("image", "v1", repository=turn.name)
    turn.take(receives=2)
    assert (turn.end()["there"], turn.end()["lines"]) == ([turn.name], [])
    assert "deleted" not in turn.end()["counts"]


def test_one_that_waits_is_told_so_by_a_later_try_too(local: LocalAccount, stack: Stack) -> None:
    turn = Turn(local, stack, the_policy())
    for number in range(MOST):
        assert stack.tallies.take_place(turn.sweep, f"x/{number}", most=MOST)
    turn.take(receives=2)
    ((line,),) = turn.end()["lines"]
    assert line.endswith("(waits for the next sweep: no more than 10 are deleted in one)")
    assert (turn.end()["there"], turn.end()["counts"]["waiting"]) == ([turn.name], 1)


def test_a_message_of_an_earlier_version_deletes_nothing(local: LocalAccount, stack: Stack) -> None:
    create(local)
    settings = {
        "name": APP,
        "account": HOME.account,
        "immutability": "MUTABLE",
        "exclusions": [],
        "scan_on_push": True,
        "encryption": "AES256",
    }
    listed = {"settings": settings, "enhanced": False, "scanned": True}
    stack.tallies.begin("s", repositories=1, now=NOW)
    body = messages.repository_due("s", APP, listed, at=NOW, home=HOME)
    sweep(local, stack, the_policy()).handle(stack.message(body))
    assert there(local) == [APP]


DELETION = Action(
    kind=ActionKind.DELETE_REPOSITORY,
    repository=APP,
    field="empty repository",
    before="",
    after="deleted",
    reason="",
    origin="",
    mode=Mode.ENFORCE,
)


def vacancies(wire: Wire, stack: Stack) -> Vacancies:
    return Vacancies(wire.client(), Registry(wire.client(), wire.client()), stack.dynamodb, "ledger")


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"imageIds": []}, False),
        ({"imageIds": [{"imageDigest": image_id().digest}]}, True),
        ({"imageIds": [], "nextToken": "more"}, True),
    ],
)
def test_a_page_that_is_empty_but_not_the_last_is_not_taken_for_none(
    stack: Stack, answer: dict[str, Any], found: bool
) -> None:
    assert vacancies(Wire(lambda *_: ok(answer)), stack).has_images(APP) is found


def test_an_answer_that_was_cut_short_is_not_taken_for_none(stack: Stack) -> None:
    wire = Wire(lambda *_: ok({}))
    with pytest.raises(Unavailable, match="ListImages"):
        vacancies(wire, stack).has_images(APP)
    with pytest.raises(Unavailable, match="DescribeRepositories"):
        vacancies(wire, stack).as_made(APP, {})


@pytest.mark.parametrize("code", ["RepositoryNotEmptyException", "KmsException", "InvalidParameterException"])
def test_what_ecr_refuses_for_good_is_refused(stack: Stack, code: str) -> None:
    with pytest.raises(Refused, match="ECR keeps team/app: made up"):
        vacancies(Wire(lambda *_: error(code)), stack).delete(DELETION)


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "ServerException"])
def test_what_may_work_later_is_raised(stack: Stack, code: str) -> None:
    with pytest.raises(ClientError, match=code):
        vacancies(Wire(lambda *_: error(code)), stack).delete(DELETION)


def test_nothing_but_the_sweep_can_delete_a_repository(local: LocalAccount) -> None:
    with pytest.raises(Refused, match="that is for the sweep to do"):
        Registry(local.wire.client(), local.wire.client()).apply(DELETION)
    assert local.wire.requests == []


def test_the_memory_of_images_outlives_the_longest_time_that_is_asked_for(stack: Stack) -> None:
    wire = Wire(lambda *_: ok({}))
    vacancies(wire, stack).note_images(APP, now=NOW, after=timedelta(days=1000))
    (item,) = stack.dynamodb.scan(TableName="ledger")["Items"]
    assert datetime.fromtimestamp(int(item["expires_at"]["N"]), NOW.tzinfo) >= NOW + timedelta(days=1000)
    assert vacancies(wire, stack).had_images(APP) == NOW
