"""A repository goes only if it is old, empty, and nothing at all speaks for it."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import HOME, NOW, a_policy, observation
from warden import listings
from warden.actions import Action, ActionKind, Deed, Result
from warden.empty_repositories import FIELD, MOST, Signs, is_release, plan_empty
from warden.errors import Invalid
from warden.names import RepositoryName
from warden.notices import Level, Notice
from warden.observations import RegistryScanning, RepositorySettings
from warden.policy import Mode, Policy
from warden.standards import standard_of
from warden.sweep_notice import swept

OLD = NOW - timedelta(days=200)
EMPTY: dict[str, Any] = {"empty__mode": "enforce", "empty__after": 90}
MODES = st.sampled_from(["enforce", "report", "off"])
AGES = st.one_of(st.none(), st.integers(0, 400))


def planned(policy: Policy | None = None, signs: Signs | None = None, **changes: Any) -> Action | None:
    policy = policy or a_policy(**EMPTY)
    seen = observation(**{"created_at": OLD, **changes})
    return plan_empty(seen, standard_of(policy, seen.name, seen.tags), signs or Signs(), policy, now=NOW)


def test_an_old_repository_that_is_empty_is_deleted_by_the_rule_that_says_so() -> None:
    action = planned()
    assert action is not None
    assert (action.kind, action.mode, action.destroys) == (ActionKind.DELETE_REPOSITORY, Mode.ENFORCE, True)
    assert (action.origin, action.blocked) == ("warden.yaml:1", "")
    assert str(Deed(action, Result.DONE)) == "empty repository: made 07 May 2026, no image → deleted"


NEEDED: dict[str, dict[str, Any]] = {
    "of unknown age": {"created_at": None},
    "not old enough": {"created_at": NOW - timedelta(days=90) + timedelta(seconds=1)},
    "with an image in quarantine": {"signs": Signs(held=True)},
    "with a sign of late": {"signs": Signs((OLD, NOW - timedelta(days=89)))},
    "not asked about": {"policy": a_policy(empty__mode="enforce", empty__after=None)},
    "off": {"policy": a_policy(empty__mode="off", empty__after=90)},
    "in a rule that spares it": {"policy": a_policy(("team/*", {"empty.mode": "off"}), **EMPTY)},
    "a release repository": {"policy": a_policy(promote__to="team/{name}", **EMPTY)},
    "a rule's release repository": {"policy": a_policy(("x/*", {"promote.to": "team/app"}), **EMPTY)},
}


@pytest.mark.parametrize("change", NEEDED.values(), ids=NEEDED)
def test_a_repository_is_needed(change: dict[str, Any]) -> None:
    assert planned(**change) is None


def test_the_age_counts_to_the_second() -> None:
    assert planned(created_at=NOW - timedelta(days=90)) is not None


def test_what_was_seen_before_the_time_does_not_count() -> None:
    assert planned(signs=Signs((OLD, NOW - timedelta(days=90)))) is not None


def test_what_cloudformation_has_made_is_told_and_never_deleted() -> None:
    action = planned(tags={"aws:cloudformation:stack-name": "shop\x1b[31m-stack"})
    assert action is not None
    assert action.blocked.startswith("CloudFormation made it: delete it in its stack shop")
    assert "\x1b" not in action.blocked


def test_a_tag_of_the_repository_can_switch_nothing_on() -> None:
    report = a_policy(empty__mode="report", empty__after=90)
    action = planned(report, tags={"warden:empty.mode": "enforce", "warden:empty.after": "1d"})
    assert action is not None
    assert action.mode is Mode.REPORT


@settings(deadline=None, max_examples=60)
@given(
    mode=MODES,
    after=st.one_of(st.none(), st.integers(7, 365)),
    age=AGES,
    seen=st.lists(st.integers(0, 400), max_size=4),
    held=st.booleans(),
)
def test_whatever_speaks_for_a_repository_is_enough(
    mode: str, after: int | None, age: int | None, seen: list[int], held: bool
) -> None:
    created = None if age is None else NOW - timedelta(days=age)
    signs = Signs(tuple(NOW - timedelta(days=days) for days in seen), held=held)
    action = planned(a_policy(empty__mode=mode, empty__after=after), signs, created_at=created)
    unneeded = (
        mode != "off"
        and after is not None
        and age is not None
        and age >= after
        and all(days >= after for days in seen)
        and not held
    )
    assert (action is not None) is unneeded


@pytest.mark.parametrize(
    ("fields", "name", "waits"),
    [
        ({"promote.to": "release/{name}"}, "release/web", True),
        ({"promote.to": "release/{name}"}, "released/web", False),
        ({"promote.to": "release/web"}, "release/web", True),
        ({"promote.to": "{name}", "promote.role": "arn:aws:iam::444455556666:role/x"}, "web", False),
        ({"promote.to": "release/{name}", "promote.region": "eu-west-1"}, "release/web", False),
        ({"promote.to": None}, "release/web", False),
        ({}, "release/web", False),
    ],
)
def test_a_release_repository_waits_for_its_first_image(fields: dict[str, Any], name: str, waits: bool) -> None:
    assert is_release(RepositoryName(name), a_policy(("staging/*", fields))) is waits


def test_the_listing_says_when_a_repository_was_made() -> None:
    settings = RepositorySettings(
        RepositoryName("team/app"), HOME.account, "MUTABLE", (), False, "AES256", created_at=OLD
    )
    listed = listings.written(settings, RegistryScanning(enhanced=False))
    assert listings.read(settings.name, listed)[0] == settings


def test_a_listing_of_an_earlier_version_says_no_time() -> None:
    settings = RepositorySettings(RepositoryName("team/app"), HOME.account, "MUTABLE", (), False, "AES256")
    listed = listings.written(settings, RegistryScanning(enhanced=False))
    del listed["settings"]["created_at"]
    assert listings.read(settings.name, listed)[0].created_at is None


@pytest.mark.parametrize("broken", ["yesterday", 5, {"settings": []}])
def test_a_listing_that_says_nonsense_is_refused(broken: Any) -> None:
    settings = RepositorySettings(RepositoryName("team/app"), HOME.account, "MUTABLE", (), False, "AES256")
    listed = listings.written(settings, RegistryScanning(enhanced=False))
    listed["settings"]["created_at"] = broken
    with pytest.raises(Invalid, match="team/app"):
        listings.read(settings.name, listed if not isinstance(broken, dict) else broken)


LINE = f"{FIELD}: made 07 May 2026, no image → deleted"


def told(lines: Mapping[str, tuple[str, ...]], *, first: bool = False, **counts: int) -> Notice:
    tally = {"expected": 20, "looked_at": 20, "compliant": 20 - len(lines), **counts}
    return swept("monday", tally, lines, a_policy(mode="report"), HOME, first=first)


def spoken(notice: Notice) -> str:
    lines = [notice.summary, *(item for section in notice.sections for item in section.items), notice.next_step]
    return "\n".join("".join(span.text for span in line) for line in lines)


def test_a_deleted_repository_is_named_with_when_it_was_made() -> None:
    notice = told({"old/app": (LINE,)}, deleted=1)
    assert (notice.level, notice.title) == (Level.CHANGE, "1 repository that nobody needs")
    assert spoken(notice).splitlines() == [
        "Looked at 20 repositories: 19 meet the standard. Nobody needs 1: 1 was deleted.",
        "old/app · made 07 May 2026, no image → deleted",
        "See warden why REPOSITORY for what was done and which rule asked for it.",
    ]


def test_what_would_be_deleted_is_told_with_how_to_have_it_done() -> None:
    notice = told({"old/app": (f"{LINE} (would be done)",), "old/b": (f"{LINE} (would be done)",)}, would_delete=2)
    assert "Nobody needs 2: 2 would be deleted." in spoken(notice)
    assert "Set mode: enforce in the policy's empty section" in spoken(notice)


def test_what_waits_stands_after_what_was_deleted() -> None:
    waiting = f"{LINE} (waits for the next sweep: no more than {MOST} are deleted in one)"
    lines = {f"a/{number}": (waiting,) for number in range(4)} | {f"b/{number}": (LINE,) for number in range(MOST)}
    notice = told(lines, deleted=MOST, waiting=4)
    (section,) = notice.sections
    assert [item[0].text for item in section.items] == [f"b/{number}" for number in range(MOST)]
    assert section.more == 4
    assert "Nobody needs 14: 10 were deleted, 4 wait for the next sweep." in spoken(notice)


def test_what_a_person_must_do_is_said_as_such() -> None:
    blocked = f"{LINE} (needs a person: CloudFormation made it: delete it in its stack shop)"
    notice = told({"old/app": (blocked,)}, blocked=1)
    assert (notice.level, notice.title) == (Level.ATTENTION, "repositories need a person")
    assert "Nobody needs 1: none was deleted." in spoken(notice)


def test_settings_and_empty_repositories_are_counted_apart() -> None:
    change = "scan on push: off → on"
    notice = told({"old/app": (f"{LINE} (would be done)", change), "team/app": (change,)}, changed=2, would_delete=1)
    assert notice.title == "2 repositories off the standard"
    assert [section.title for section in notice.sections] == ["What differs", "Repositories that nobody needs"]
    assert "2 differ; 2 settings were changed. Nobody needs 1: 1 would be deleted." in spoken(notice)


def test_a_deletion_is_news_each_time_and_what_would_be_deleted_once() -> None:
    def said(sweep: str, deleted: int) -> str:
        tally = {"expected": 1, "looked_at": 1, "deleted": deleted}
        return swept(sweep, tally, {"old/app": (LINE,)}, a_policy(), HOME, first=False).id

    assert said("monday", 0) == said("tuesday", 0)
    assert said("monday", 1) != said("tuesday", 1)


def test_another_empty_repository_is_news() -> None:
    assert told({"old/a": (LINE,)}).id != told({"old/a": (LINE,), "old/b": (LINE,)}).id


@pytest.mark.parametrize(("count", "facts"), [(0, []), (3, ["3"])])
def test_old_scans_are_a_fact_where_some_were_asked_for_anew(count: int, facts: list[str]) -> None:
    notice = told({}, first=True, rescanned=count)
    assert [fact.value for fact in notice.facts if fact.label == "Old scans asked for anew"] == facts


def test_times_are_told_in_utc() -> None:
    action = planned(created_at=datetime(2026, 5, 6, 20, 0, tzinfo=timezone(timedelta(hours=-5))))
    assert action is not None
    assert action.before == "made 07 May 2026, no image"
