"""Clearing a repository away that nobody needs: it is told, or deleted where the policy enforces that.

What can't be undone is looked at twice: once to plan it, and once more right before, when its settings are kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from warden.actions import Action, ActionKind, Deed, Result
from warden.empty_repositories import MOST, Signs, plan_empty
from warden.enforcement import KIND, carry_out
from warden.ledger import Ledger
from warden.names import RepositoryName
from warden.observing import Observed, observe
from warden.policy import Mode, Policy
from warden.prunings import Prunings
from warden.quarantines import Quarantines
from warden.registry import Registry
from warden.tallies import Tallies
from warden.vacancies import Vacancies

ROUTINE = frozenset({KIND, "not pruned", "announced"})
"""What the warden itself writes into a repository's history: no sign that anybody needs it."""


@dataclass(frozen=True, slots=True)
class Clearing:
    """What it is done with."""

    policy: Policy
    registry: Registry
    vacancies: Vacancies
    prunings: Prunings
    quarantines: Quarantines
    ledger: Ledger
    tallies: Tallies

    def look(self, observed: Observed, *, sweep: str, at: datetime, now: datetime) -> Deed | None:
        """What was done about the repository, or would be; None where it is needed, or the standard does not ask.

        `sweep` began `at`, and is counted for how much it has deleted.
        """
        if not observed.standard.empty.asks or self._has_images(observed, now):
            return None
        action = self._plan(observed, now)
        if action is None:
            return None
        if action.mode is Mode.ENFORCE and not action.blocked:
            if not self.tallies.take_place(sweep, action.repository, most=MOST):
                return Deed(action, Result.WAITING, f"no more than {MOST} are deleted in one")
            action = self._look_again(action.repository, now)
        if action is None:
            return None
        (deed,) = carry_out((action,), self.vacancies.delete, self.ledger, event=sweep, at=at)
        return deed

    def _has_images(self, observed: Observed, now: datetime) -> bool:
        """Whether there are images, or no repository: what was seen is remembered."""
        found = self.vacancies.has_images(observed.observation.name)
        if found:
            after = timedelta(days=observed.standard.empty.after_days or 0)
            self.vacancies.note_images(observed.observation.name, now=now, after=after)
        return found is not False

    def _look_again(self, name: RepositoryName, now: datetime) -> Action | None:
        """The action by what is there at this moment, with all that it takes to make the repository again."""
        observed = observe(self.registry, self.policy, name, lifecycle=False)
        action = self._plan(observed, now) if observed else None
        if observed is None or action is None:
            return None
        original = self.vacancies.as_made(name, observed.observation.tags)
        if original is None or self._has_images(observed, now):
            return None
        return replace(action, original=original)

    def _plan(self, observed: Observed, now: datetime) -> Action | None:
        name, after = observed.observation.name, timedelta(days=observed.standard.empty.after_days or 0)
        signs = Signs(tuple(self._seen(name, now - after)), held=bool(self.quarantines.all_of(name)))
        return plan_empty(observed.observation, observed.standard, signs, self.policy, now=now)

    def _seen(self, name: RepositoryName, since: datetime) -> Iterator[datetime]:
        yield from self.prunings.last_used(name).values()
        yield from (entry.at for entry in self.ledger.history(name, since=since) if entry.kind not in ROUTINE)
        if had := self.vacancies.had_images(name):
            yield had


def is_deletion(deed: Deed) -> bool:
    """Whether the deed is about a whole repository."""
    return deed.action.kind is ActionKind.DELETE_REPOSITORY
