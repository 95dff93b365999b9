"""When somebody sets a field back as often as the warden does, a person is asked."""

from datetime import timedelta

import pytest

from tests.builders import NOW
from warden import fights
from warden.actions import Action, ActionKind
from warden.names import RepositoryName
from warden.policy import Mode


def action(field: str = "scan on push", *, mode: Mode = Mode.ENFORCE, blocked: str = "") -> Action:
    return Action(
        kind=ActionKind.SET_SCAN_ON_PUSH,
        repository=RepositoryName("team/app"),
        field=field,
        before="off",
        after="on",
        reason="pushes are not scanned",
        origin="warden.yaml:1",
        mode=mode,
        blocked=blocked,
    )


@pytest.mark.parametrize(("set_back", "lost"), [(0, ()), (1, ()), (2, ("scan on push",)), (9, ("scan on push",))])
def test_the_third_flip_of_a_field_within_the_window_is_one_too_many(set_back: int, lost: tuple[str, ...]) -> None:
    assert fights.lost([action()], {"scan on push": set_back, "another field": 9}) == lost


@pytest.mark.parametrize("idle", [action(mode=Mode.REPORT), action(blocked="too many filters")])
def test_what_is_not_enforced_is_no_fight(idle: Action) -> None:
    assert fights.lost([idle], {idle.field: 9}) == ()
    assert fights.stand_back([idle], {idle.field: "a fight"}) == (idle,)


def test_only_the_field_that_is_held_is_left_alone() -> None:
    one, other = action(), action("tag immutability")
    held, free = fights.stand_back([one, other], {one.field: "a fight"})
    assert (held.blocked, free) == ("a fight", other)


def test_a_person_is_told_who_it_was_and_until_when() -> None:
    assert fights.why("role/terraform", NOW + timedelta(hours=24)) == (
        "changed 3 times within an hour, the last time by role/terraform: left alone until 24 Nov 12:00 UTC. Stop the "
        "other side, or change the policy"
    )
