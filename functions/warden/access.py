"""Who a repository's policy lets in, and what is left of it without those whom the standard forbids.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from warden.policy import AccessStandard

_ACCOUNT = re.compile(r"[0-9]{12}")
_ARN = re.compile(r"arn:[a-z0-9-]+:(?:iam|sts)::([0-9]{12}):.+", re.DOTALL)
_RESTRICTING = frozenset(
    {
        "aws:principalorgid",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourcevpc",
        "aws:sourcevpce",
    }
)
"""Condition keys that keep strangers out, where their value has no wildcard."""
_COMPARING = re.compile(r"(?:foranyvalue:)?(?:stringequals|stringlike|arnequals|arnlike)")
EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Judged:
    """What is wrong with a repository's policy, and its text without that, None where nothing is left of it.

    `forbidden` names principals, as they stand in the policy; `doubtful` says what can't be judged, for a person.
    """

    forbidden: tuple[str, ...] = ()
    doubtful: str = ""
    mended: str | None = None


def judge(text: str, account: str, standard: AccessStandard) -> Judged:
    """Whom the policy lets in against the standard; `account` is the registry's own.

    Only statements that allow are looked at: what denies lets nobody in.
    """
    try:
        document = json.loads(text)
        statements = _listed(document["Statement"])
        if not all(isinstance(statement, dict) for statement in statements):
            raise TypeError("a statement that is no object")
    except (ValueError, KeyError, TypeError, RecursionError):
        return Judged(doubtful="the repository's policy can't be read")
    forbidden: list[str] = []
    doubts: list[str] = []
    left: list[Any] = []
    for number, statement in enumerate(statements, start=1):
        out, doubt = _judge_statement(statement, account, standard)
        forbidden += [principal for principal in out if principal not in forbidden]
        if doubt:
            doubts.append(f"statement {number} {doubt}")
        kept = _without(statement, out) if out else statement
        if kept is not None:
            left.append(kept)
    mended = json.dumps({**document, "Statement": left}, separators=(",", ":")) if left else None
    return Judged(tuple(sorted(forbidden)), "; ".join(doubts), mended if forbidden else text)


def _judge_statement(statement: Mapping[str, Any], account: str, standard: AccessStandard) -> tuple[list[str], str]:
    """The principals that must go, and why the statement can't be judged, if so."""
    if statement.get("Effect") != "Allow":
        return [], ""
    if "NotPrincipal" in statement:
        return [], "allows everybody but some: expected Principal, which names those who may"
    out: list[str] = []
    for kind, principal in _principals(statement.get("Principal")):
        if principal == "*" and kind in {"*", "AWS"}:
            restricted = _restricted(statement.get("Condition"))
            if restricted is None:
                return out, "is open to everybody under a condition that can't be judged here"
            if not restricted and (standard.forbid_public or standard.accounts is not None):
                out.append(principal)
        elif standard.accounts is not None and not _is_known(kind, principal, account, standard.accounts):
            out.append(principal)
    return out, ""


def _is_known(kind: str, principal: str, account: str, accounts: tuple[str, ...]) -> bool:
    """Services act for an account of their own; whoever can't be told apart is a stranger."""
    if kind == "Service":
        return True
    found = _ARN.fullmatch(principal)
    named = principal if _ACCOUNT.fullmatch(principal) else found.group(1) if found else None
    return kind == "AWS" and named is not None and named in {account, *accounts}


def _restricted(condition: Any) -> bool | None:
    """Whether a condition keeps strangers out: False where there is none, None where it can't be told."""
    if not condition:
        return False
    if not isinstance(condition, dict):
        return None
    for operator, tests in condition.items():
        if not _COMPARING.fullmatch(str(operator).lower()) or not isinstance(tests, dict):
            continue
        for key, values in tests.items():
            texts = _listed(values)
            if key.lower() in _RESTRICTING and texts and not any("*" in str(one) or "?" in str(one) for one in texts):
                return True
    return None


def _principals(principal: Any) -> Iterator[tuple[str, str]]:
    if isinstance(principal, dict):
        for kind, values in principal.items():
            yield from ((str(kind), str(value)) for value in _listed(values))
    elif principal is not None:
        yield from (("*" if value == "*" else "AWS", str(value)) for value in _listed(principal))


def _without(statement: Mapping[str, Any], out: list[str]) -> dict[str, Any] | None:
    """The statement without those principals; None where it names nobody then."""
    principal = statement["Principal"]
    if not isinstance(principal, dict):
        return None
    kept = {kind: [value for value in _listed(values) if str(value) not in out] for kind, values in principal.items()}
    kept = {kind: values[0] if len(values) == 1 else values for kind, values in kept.items() if values}
    return {**statement, "Principal": kept} if kept else None


def _listed(value: Any) -> list[Any]:
    """IAM writes a list of one as the one."""
    return value if isinstance(value, list) else [value]
