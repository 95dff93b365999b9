"""OpenVEX documents: which vulnerabilities their author says a product is not affected by.

An exemption knows no version and perhaps no repository, so it may cover more than the statement that it comes from. It
must never cover what another statement calls affected.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from policy.acceptances import Acceptance, Outcome, Told, items, keys_of, left_out
from policy.errors import Problem
from policy.source import Malformed, Node
from policy.vex_statements import STATEMENTS, Statement, Status, Subject, check_context, moment_of, read_statement

_OPEN = frozenset({Status.AFFECTED, Status.UNDER_INVESTIGATION})
_WHY_NOT = {
    Status.AFFECTED: "the product is affected",
    Status.UNDER_INVESTIGATION: "whether the product is affected is not known yet",
    Status.FIXED: "the product is fixed, and an exemption would cover the versions that are not, too",
}
_EVERY: Final = object()
"""Any repository, or any package: also the whole of an image."""
_ENOUGH = 2
"""Products of a scope: where there are two, one is another than any given one."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a statement says of one product or component."""

    statement: Statement
    subject: Subject

    @property
    def exact(self) -> tuple[str, tuple[str, str]]:
        """What a later statement must name to take the place of this one."""
        return self.statement.cve, self.subject.written

    def contradicts(self, other: "_Claim") -> bool:
        """Whether it still stands beside the other: an older one about the same product has given way."""
        return self.subject.product != other.subject.product or self.statement.age > other.statement.age


_Open = dict[tuple[str, object, object], dict[str, _Claim]]
"""What is affected, or may be, by vulnerability, repositories and package: the newest claim about each product."""


def read(root: Node) -> Iterator[Outcome]:
    """What a document accepts: what its newest statements call not affected, unless the exemption would cover more."""
    keys = keys_of(root, "")
    statements: list[Statement] = []
    try:
        check_context(keys, root)
        issued = moment_of(keys, "")
        entries = items(keys, STATEMENTS, "")
    except Malformed as malformed:
        yield malformed.problem
        return
    for number, entry in enumerate(entries):
        try:
            for found in read_statement(entry, number, issued):
                if isinstance(found, Statement):
                    statements.append(found)
                else:
                    yield found
        except Malformed as malformed:
            yield malformed.problem
    yield from _weighed(statements)


def _weighed(statements: Sequence[Statement]) -> Iterator[Outcome]:
    """The newest statement about something counts. https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md."""
    newest: dict[tuple[str, tuple[str, str]], _Claim] = {}
    for statement in sorted(statements, key=lambda one: one.age):
        newest.update((claim.exact, claim) for claim in _claims(statement))
    still_open = _by_scope(claim for claim in newest.values() if claim.statement.status in _OPEN)
    for statement in statements:
        if statement.status is not Status.NOT_AFFECTED:
            yield left_out(statement.place, statement.field, f"{statement.cve}: {_WHY_NOT[statement.status]}")
            continue
        for claim in _claims(statement):
            later = newest[claim.exact].statement
            if later is not statement:
                why = f"{statement.cve}: {later.field} is newer, and about the same"
                yield left_out(statement.place, statement.field, why)
                continue
            yield from _accepted(claim, still_open)


def _claims(statement: Statement) -> Iterator[_Claim]:
    return (_Claim(statement, subject) for subject in statement.subjects)


def _by_scope(claims: Iterator[_Claim]) -> _Open:
    found: _Open = {}
    for claim in claims:
        subject = claim.subject
        for repositories in (subject.repositories, _EVERY):
            for package in (subject.package, _EVERY):
                products = found.setdefault((claim.statement.cve, repositories, package), {})
                known = products.get(subject.product)
                if known.statement.age < claim.statement.age if known else len(products) < _ENOUGH:
                    products[subject.product] = claim
    return found


def _accepted(claim: _Claim, still_open: _Open) -> Iterator[Outcome]:
    statement, subject = claim.statement, claim.subject
    against = next((other.statement for other in _covered(claim, still_open) if other.contradicts(claim)), None)
    if against is not None:
        said = against.status.replace("_", " ")
        why = f"{statement.cve}: an exemption would cover what {against.field} says is {said}"
        yield left_out(statement.place, statement.field, why)
        return
    if subject.loses_its_product:
        said = f"{statement.cve}: its exemption is for {subject.package} whatever it is a part of"
        yield Told(Problem(statement.place, statement.field, said))
    yield Acceptance(
        statement.place,
        statement.field,
        statement.cve,
        subject.package,
        subject.repositories,
        reason=statement.reason,
        is_of_a_version=subject.is_of_a_version,
    )


def _covered(claim: _Claim, still_open: _Open) -> Iterator[_Claim]:
    """The open claims that an exemption would be for, too.

    One that says no repository is for those that its user names, which may be any; one that says no package is for all.
    """
    subject = claim.subject
    packages = (_EVERY,) if subject.package is None else (subject.package, None)
    for package in packages:
        yield from still_open.get((claim.statement.cve, subject.repositories or _EVERY, package), {}).values()
