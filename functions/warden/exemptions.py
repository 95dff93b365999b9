"""Exemptions: findings that somebody accepted, with a reason, until a day; from the next day on they count again."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta

from warden.names import RepositoryName
from warden.policy import Exemption
from warden.wildcard import matches

WARNED_BEFORE = timedelta(days=14)
"""How long before an exemption lapses that is told."""


def key(exemption: Exemption) -> str:
    """What an exemption is known by: the same wherever in the file it stands, and however long it is in force."""
    said = "\0".join([exemption.cve.casefold(), exemption.package or "", *sorted(exemption.repositories)])
    return hashlib.sha256(said.encode()).hexdigest()[:20]


def last_day(exemption: Exemption) -> date:
    """The last day, in UTC, on which the finding is accepted."""
    return date.fromisoformat(exemption.until)


def covers(exemption: Exemption, name: str, package: str) -> bool:
    """Whether it is for a vulnerability of that name in that package; identifiers are the same in any case."""
    return exemption.cve.casefold() == name.casefold() and exemption.package in {None, package}


def of_repository(exemptions: Iterable[Exemption], repository: RepositoryName) -> tuple[Exemption, ...]:
    """The exemptions that are for a repository, whether they are over or not; those that last longest come first."""
    mine = (one for one in exemptions if any(matches(pattern, repository) for pattern in one.repositories))
    return tuple(sorted(mine, key=last_day, reverse=True))


def lapsing(exemptions: Iterable[Exemption], today: date) -> tuple[Exemption, ...]:
    """Those that are soon over, the next one first."""
    soon = (one for one in exemptions if today <= last_day(one) <= today + WARNED_BEFORE)
    return tuple(sorted(soon, key=last_day))
