"""Fights: somebody, or another tool, sets a field back as often as the warden does. Then a person has to decide."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from warden.actions import Action
from warden.policy import Mode

FLIPS = 3
"""How often a field may be set back within the window; the last of them is the person's to do."""
WINDOW = timedelta(hours=1)
TRUCE = timedelta(hours=24)
"""How long a field is then left alone; the first change after that begins anew."""


def lost(actions: Iterable[Action], set_back: Mapping[str, int]) -> tuple[str, ...]:
    """The fields whose change now would be one too many; `set_back` counts by field what was done in the window."""
    fields = (action.field for action in actions if action.mode is Mode.ENFORCE and not action.blocked)
    return tuple(field for field in fields if set_back.get(field, 0) >= FLIPS - 1)


def why(actor: str, until: datetime) -> str:
    """What to say of a field that is left alone until then."""
    return (
        f"changed {FLIPS} times within an hour, the last time by {actor}: left alone until "
        f"{until.astimezone(UTC):%d %b %H:%M UTC}. Stop the other side, or change the policy"
    )


def stand_back(actions: Iterable[Action], held: Mapping[str, str]) -> tuple[Action, ...]:
    """The plan with what is held back blocked; `held` says why, by field."""
    return tuple(
        replace(action, blocked=held[action.field])
        if action.field in held and action.mode is Mode.ENFORCE and not action.blocked
        else action
        for action in actions
    )
