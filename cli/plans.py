"""Planning the whole registry from here, with the functions' own planner, and showing it."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cli.aws import asking
from cli.options import repository_name
from cli.printing import LONGEST_CELL
from cli.stack import Connect
from warden.actions import Action, ActionKind
from warden.names import RepositoryName
from warden.observations import RepositorySettings
from warden.planning import plan, plan_lifecycle
from warden.policy import Mode, Policy
from warden.text import clean
from warden.wildcard import matches

if TYPE_CHECKING:
    from warden.observing import Observed
    from warden.registry import Registry

AT_ONCE = 8
"""Repositories that are read at a time, by one client."""
A_MOMENT = 1.0
"""Seconds of work before a progress bar is worth its place."""
NONE_THERE = frozenset({"none", "off"})


@dataclass(frozen=True, slots=True)
class Plans:
    """The actions of every repository that is off its standard, by name, and how many were looked at."""

    looked_at: int
    actions: tuple[Action, ...]
    unmatched: tuple[str, ...] = ()

    def of(self, repository: RepositoryName) -> tuple[Action, ...]:
        """One repository's plan."""
        return tuple(action for action in self.actions if action.repository == repository)

    @property
    def repositories(self) -> tuple[RepositoryName, ...]:
        """Those off their standard."""
        return tuple(dict.fromkeys(action.repository for action in self.actions))

    @property
    def enforceable(self) -> tuple[Action, ...]:
        """What `apply` does."""
        return tuple(action for action in self.actions if is_enforceable(action))


def is_enforceable(action: Action) -> bool:
    """Whether the action is to be taken, not only told."""
    return action.mode is Mode.ENFORCE and not action.blocked


def registry_of(connect: Connect) -> "Registry":
    """The account's registry, called no faster than the functions call it."""
    from warden.pacing import Pace  # noqa: PLC0415
    from warden.registry import Registry  # noqa: PLC0415 - botocore takes a tenth of a second

    pace = Pace(time.monotonic, time.sleep)
    client = pace.hold(connect("ecr"))
    return Registry(client, client)


def gather(registry: "Registry", policy: Policy, patterns: Sequence[str]) -> Plans:
    """The plans of the repositories that match any of the patterns; of all where there is none.

    Raises Unavailable where AWS does not answer.
    """
    from warden.observing import observe  # noqa: PLC0415

    with asking("list the repositories"):
        listed = list(_listed(registry, patterns))
        scanning = registry.scanning()

    def look(settings: RepositorySettings) -> tuple[Action, ...]:
        observed = observe(registry, policy, settings.name, settings=settings, scanning=scanning)
        return whole_plan(observed) if observed else ()

    with asking("read the repositories"), ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(progress(threads.map(look, listed), len(listed), "reading"))
    unmatched = tuple(pattern for pattern in patterns if not any(matches(pattern, one.name) for one in listed))
    return Plans(len(listed), tuple(action for actions in found for action in actions), unmatched)


def whole_plan(observed: "Observed") -> tuple[Action, ...]:
    """All that is off the standard; how old images leave comes last."""
    lifecycle = plan_lifecycle(observed.observation, observed.standard)
    return (*plan(observed.observation, observed.standard), *([lifecycle] if lifecycle else []))


def _listed(registry: "Registry", patterns: Sequence[str]) -> Iterator[RepositorySettings]:
    """By name; where only names are given, no listing is asked for."""
    if patterns and not any("*" in pattern for pattern in patterns):
        for name in sorted({repository_name(pattern) for pattern in patterns}):
            if settings := registry.settings(name):
                yield settings
        return
    everything = sorted(registry.listing(), key=lambda settings: settings.name)
    yield from (one for one in everything if not patterns or any(matches(pattern, one.name) for pattern in patterns))


@contextmanager
def _bar(total: int, what: str) -> Iterator[Any]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def progress(items: Iterable[Any], total: int, what: str) -> Iterator[Any]:
    """The items; on a terminal with a bar, once it has taken a moment."""
    start = time.monotonic()
    waiting = iter(items)
    done = 0
    for item in waiting:
        yield item
        done += 1
        if sys.stderr.isatty() and time.monotonic() - start > A_MOMENT:
            break
    else:
        return
    with _bar(total, what) as advance:
        for _ in range(done):
            advance()
        for item in waiting:
            yield item
            advance()


def as_json(action: Action) -> dict[str, Any]:
    """One action, for programs."""
    return {
        "repository": action.repository,
        "kind": str(action.kind),
        "field": action.field,
        "before": action.before,
        "after": action.after,
        "reason": action.reason,
        "rule": action.origin,
        "mode": str(action.mode),
        "destroys": action.destroys,
        "blocked": action.blocked,
    }


def sign(action: Action) -> str:
    """How terraform would mark it."""
    if action.kind is ActionKind.DELETE_ACCESS_POLICY:
        return "-"
    return "+" if action.before in NONE_THERE else "~"


def show(plans: Plans) -> None:
    """The plan on stdout: coloured on a terminal, plain in a pipe."""
    for repository in plans.repositories:
        _line([(clean(repository, LONGEST_CELL), "bold")])
        for action in plans.of(repository):
            _show(action)
        click.echo("")
    click.echo(summary(plans))


def _show(action: Action) -> None:
    mark = sign(action)
    colour = {"+": "green", "~": "yellow", "-": "red"}[mark] if is_enforceable(action) else "bright_black"
    change = f"{clean(action.before, LONGEST_CELL)} → {clean(action.after, LONGEST_CELL)}"
    parts = [(f"  {mark} {action.field}: ", colour), (change, ""), (f"   {clean(action.origin, 200)}", "bright_black")]
    if action.destroys:
        parts.append(("   ! deletes images", "bold red"))
    _line(parts)
    if action.blocked:
        _line([(f"      needs a person: {clean(action.blocked, LONGEST_CELL)}", "magenta")])
    elif action.mode is not Mode.ENFORCE:
        _line([("      only reported: the policy is in report mode here", "bright_black")])
    elif action.kind is ActionKind.PUT_LIFECYCLE_POLICY:
        _line([(f"      {action.reason}; put once ECR's preview of it has passed the gate", "bright_black")])
    else:
        _line([(f"      {action.reason}", "bright_black")])


def _line(parts: Sequence[tuple[str, str]]) -> None:
    """Click strips colours where stdout is no terminal."""
    click.echo("".join(_styled(text, style) for text, style in parts))


def _styled(text: str, style: str) -> str:
    words = style.split()
    colour = next((word for word in words if word != "bold"), None)
    return click.style(text, fg=colour, bold="bold" in words or None) if style else text


def summary(plans: Plans) -> str:
    """The plan in one line."""
    complying = plans.looked_at - len(plans.repositories)
    meet = f"{complying} of {plans.looked_at} repositories meet the standard."
    if not plans.actions:
        return f"Nothing differs: {meet}"
    enforceable = plans.enforceable
    destroying = sum(action.destroys for action in enforceable)
    may_delete = f", of which {destroying} may delete images" if destroying else ""
    blocked = sum(bool(action.blocked) for action in plans.actions)
    reported = len(plans.actions) - len(enforceable) - blocked
    return f"Plan: {len(enforceable)} to change{may_delete}; {reported} only reported; {blocked} for a person. {meet}"
