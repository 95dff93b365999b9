"""Findings that were accepted in another tool's file, as exemptions of a policy.

A file that says less than an exemption needs is completed by its user, never by a guess: an end date that nobody chose
and an approver who was not asked would be worse than no exemption.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import yaml

from policy import trivy_ignores, vex
from policy.acceptances import Acceptance, Outcome, Told, left_out
from policy.errors import Place, PolicyError, Problem
from policy.model import Exemption
from policy.source import LARGEST, Malformed, read
from policy.values import LONGEST_WORDS
from policy.vex_statements import STATEMENTS
from warden.text import clean

_START = Place(1, 1)
_KEY = re.compile(r"""[\w-]+\s*:(?:\s|$)|["'@&*!?{\[|>%-]""")
"""How a line of YAML or JSON starts; an identifier of `.trivyignore` never does."""
_UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True)
class Given:
    """What the user says where the file does not; checked before."""

    repositories: tuple[str, ...] = ()
    until: str | None = None
    reason: str | None = None
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """Exemptions as a policy writes them, and what their user should know, each with its line."""

    exemptions: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]


def import_exemptions(data: bytes, given: Given, *, file: str, today: date) -> Imported:
    """The exemptions that a file of Trivy or an OpenVEX document asks for.

    `file` is what errors and notes call it. Raises PolicyError with every problem of the file.
    """
    try:
        outcomes = list(_outcomes(data.removeprefix(BOM_UTF8)))
    except Malformed as malformed:
        raise PolicyError(file, [_not_of_a_policy(malformed.problem)]) from None
    checked = [checked for outcome in outcomes for checked in _checked(outcome, given, today)]
    if problems := [one for one in checked if isinstance(one, Problem)]:
        raise PolicyError(file, problems)
    accepted = [one for one in checked if isinstance(one, Acceptance)]
    told = [one.problem for one in checked if isinstance(one, Told)]
    name = clean(file, 200)
    notes = (*(f"{name}:{problem}" for problem in sorted(set(told))), *_about_versions(accepted))
    return Imported(tuple(_written(accepted, given)), notes)


def as_yaml(exemptions: Iterable[dict[str, Any]]) -> str:
    """The `exemptions` of a policy, ready to be pasted. Read again, it says the same, whatever the texts hold."""
    fresh = [
        {key: list(value) if isinstance(value, list) else value for key, value in one.items()} for one in exemptions
    ]
    # Lists of their own, since PyYAML would write one that stands twice as an alias, which a policy can't have.
    written: str = yaml.safe_dump({"exemptions": fresh}, sort_keys=False, allow_unicode=True, width=_UNLIMITED)
    return written


def _outcomes(data: bytes) -> Iterator[Outcome]:
    if len(data) > LARGEST:
        raise Malformed(_START, f"expected a file of at most {LARGEST // 1024} KiB, got more")
    lines = (line.strip() for line in data.splitlines())
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    if not _KEY.match(first.decode("utf-8", "replace")):
        return trivy_ignores.read_lines(_decoded(data))
    # JSON is YAML but for tabs, which stand only between its values. YAML's reader knows the lines.
    root = read(data.replace(b"\t", b" ") if first.startswith(b"{") else data)
    keys = root.value if isinstance(root.value, dict) else {}
    if "@context" in keys or STATEMENTS in keys:
        return vex.read(root)
    if set(keys) & set(trivy_ignores.SECTIONS):
        return trivy_ignores.read(root)
    expected = f"{STATEMENTS} of OpenVEX, or one of {', '.join(trivy_ignores.SECTIONS)} of Trivy"
    raise Malformed(_START, f"expected {expected}; got the keys {clean(', '.join(keys), 100) or 'of nothing'}")


def _not_of_a_policy(problem: Problem) -> Problem:
    """What is wrong with YAML, in words that fit: its reader speaks of the file that it was made for."""
    text = problem.text.replace("a policy", "such a file").replace("'version: 1'", f"'{trivy_ignores.VULNERABILITIES}'")
    return Problem(problem.place, problem.field, text)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Malformed(Place(line, 1), "expected UTF-8, got another encoding: save the file as UTF-8") from None


def _checked(outcome: Outcome, given: Given, today: date) -> Iterator[Outcome]:
    """The outcome completed by what its user says, or what is wrong with it; and what was changed."""
    if not isinstance(outcome, Acceptance):
        yield outcome
        return
    place, field, cve = outcome.place, outcome.field, outcome.cve
    line = " ".join(outcome.reason.split())
    complete = replace(
        outcome,
        repositories=outcome.repositories or given.repositories,
        until=outcome.until or (date.fromisoformat(given.until) if given.until else None),
        reason=clean(line, LONGEST_WORDS) or given.reason or "",
    )
    if complete.until is not None and complete.until < today:
        yield left_out(place, field, f"{cve} was accepted until {complete.until.isoformat()}")
        return
    if not line.isprintable():
        said = "expected a reason of characters that can be seen, got others: take them out"
        yield Problem(place, field, f"{cve}: {said}")
        return
    missing = list(_missing(complete, given))
    if missing:
        what, options = (" and ".join(words) for words in zip(*missing, strict=True))
        yield Problem(place, field, f"{cve}: the file does not say {what}: give {options}")
        return
    if len(line) > LONGEST_WORDS:
        yield Told(Problem(place, field, f"{cve}: its reason was cut to {LONGEST_WORDS} characters"))
    yield complete


def _missing(complete: Acceptance, given: Given) -> Iterator[tuple[str, str]]:
    if not complete.repositories:
        yield "in which repositories", "--repositories GLOB"
    if complete.until is None:
        yield "until when", "--until DATE"
    if not complete.reason:
        yield "why", "--reason TEXT"
    if not given.approved_by:
        yield "who approved it", "--approved-by NAME"


def _about_versions(accepted: Iterable[Acceptance]) -> Iterator[str]:
    count = len({one.field or one.place for one in accepted if one.is_of_a_version})
    if count:
        subject = "1 entry names a version" if count == 1 else f"{count} entries name a version"
        yield f"{subject}: an exemption is for every version"


def _written(accepted: Iterable[Acceptance], given: Given) -> Iterator[dict[str, Any]]:
    """Each as a policy has it, once; those that differ in nothing but the repository are one."""
    repositories: dict[tuple[str, str | None, date | None, str], dict[str, None]] = {}
    for one in accepted:
        key = one.cve, one.package, one.until, one.reason
        repositories.setdefault(key, {}).update(dict.fromkeys(one.repositories))
    for (cve, package, until, reason), names in repositories.items():
        fields: dict[str, Any] = {"cve": cve, "repositories": list(names)}
        if package is not None:
            fields["package"] = package
        fields |= {"until": str(until), "reason": reason, "approved_by": given.approved_by}
        yield Exemption.model_validate(fields).model_dump(exclude_unset=True)
