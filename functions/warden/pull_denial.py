"""Denying pulls from a repository by one statement of its policy, put into the policy's text and taken out again.

ECR can't deny a single image: a repository's policy knows no digest and no tag. What somebody else wrote is text with a
meaning and a look of its own, and keeps both: `take(put(text))` is the text, to the byte.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html

The statement denies everybody, services too: Lambda pulls as a service, whose requests know no aws:PrincipalArn, and a
negated operator is true where its key is missing.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from warden.errors import Refused
from warden.events import Home

SID = "EcrWardenQuarantine"
ACTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
MOST_CHARACTERS = 10_240
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html."""
SCANNER = "/aws-service-role/inspector2.amazonaws.com/*"
"""The role by which Amazon Inspector reads images: what it can't look at again could never pass again.

https://docs.aws.amazon.com/inspector/latest/user/using-service-linked-roles.html
"""
_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\n\r]*")
_ROOT = re.compile(r"arn:[a-z0-9-]+:iam::([0-9]{12}):root")
_A_PAIR = 2


def denial(break_glass: Iterable[str], role_path: str, home: Home) -> str:
    """The statement: nobody pulls but these roles, the warden's own (`role_path` is their IAM path) and the scanner."""
    spared = dict.fromkeys((*break_glass, home.role_arn(f"{role_path}*"), home.role_arn(SCANNER)))
    return json.dumps(
        {
            "Sid": SID,
            "Effect": "Deny",
            "Principal": "*",
            "Action": list(ACTIONS),
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": list(spared)}},
        },
        separators=(",", ":"),
    )


def ours(text: str | None) -> str | None:
    """The statement with our Sid in a policy, as it stands there; None where there is none.

    Raises Refused where the policy can't be read, or several statements have the Sid.
    """
    found = [one for one in _read(text).statements if one.value.get("Sid") == SID] if text is not None else []
    if len(found) > 1:
        raise Refused(f"{len(found)} statements of the repository's policy have the Sid {SID}: expected one at most")
    return found[0].of(text or "") if found else None


def put(text: str | None, statement: str) -> str:
    """The policy with the statement in it; None is no policy. Raises Refused where it can't be read, or gets too long.

    It stands first where there was a list, and behind the one statement that was none: so `take` knows.
    """
    if text is None:
        return f'{{"Version":"2012-10-17","Statement":[{statement}]}}'
    policy = _read(text)
    (start, end), content = policy.place, policy.statements
    if not policy.is_list:
        spliced = f"{text[:start]}[{text[start:end]},{statement}]{text[end:]}"
    else:
        spliced = f"{text[: start + 1]}{statement}{',' if content else ''}{text[start + 1 :]}"
    if len(spliced) > MOST_CHARACTERS:
        raise Refused(
            f"with the statement that denies pulls the repository's policy would have {len(spliced):,} characters, and "
            f"ECR takes {MOST_CHARACTERS:,}: make it shorter"
        )
    return spliced


def take(text: str) -> str | None:
    """The policy without our statement; None where nothing is left of it. Raises Refused where it can't be read."""
    policy = _read(text)
    statements = policy.statements
    number = next((n for n, one in enumerate(statements) if one.value.get("Sid") == SID), None)
    if number is None:
        return text
    if len(statements) == 1:
        return None
    mine = statements[number]
    if number == 0:
        return text[: mine.start] + text[_after(text, mine.end) + 1 :]
    before = statements[number - 1]
    (start, end) = policy.place
    joints = text[start + 1 : statements[0].start], text[before.end : mine.start], text[mine.end : end - 1]
    if len(statements) == _A_PAIR and joints == ("", ",", ""):
        return text[:start] + before.of(text) + text[end:]
    return text[: before.end] + text[mine.end :]


def means_the_same(one: str | None, other: str | None) -> bool:
    """Whether two policies say the same, however they are laid out."""
    if one is None or other is None:
        return one is other
    return bool(_meaning(json.loads(one)) == _meaning(json.loads(other)))


@dataclass(frozen=True, slots=True)
class _Statement:
    start: int
    end: int
    value: dict[str, Any]

    def of(self, text: str) -> str:
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class _Policy:
    """Where in the text the value of Statement begins and ends, and the statements in it."""

    place: tuple[int, int]
    statements: tuple[_Statement, ...]
    is_list: bool


def _read(text: str) -> _Policy:
    """Raises Refused."""
    unreadable = Refused(
        "the repository's policy can't be read: expected an object with a Statement, which is one object or a list of "
        "them; a person must look at it"
    )
    try:
        if not isinstance(json.loads(text), dict):
            raise unreadable
        # Of several the last counts, as for whoever reads JSON.
        found = [(start, value) for name, start, value in _members(text) if name == "Statement"]
    except (ValueError, RecursionError):
        raise unreadable from None
    if not found:
        raise unreadable
    start, value = found[-1]
    is_list = isinstance(value, list)
    spans = tuple(_items(text, start)) if is_list else ((start, _end(text, start), value),)
    if not all(isinstance(one, dict) for _, _, one in spans):
        raise unreadable
    return _Policy((start, _end(text, start)), tuple(_Statement(*span) for span in spans), is_list)


def _members(text: str) -> Iterator[tuple[str, int, Any]]:
    """The name, the place and the value of each member of the object that the text is; it is known to be JSON."""
    at = _after(text, _after(text, 0) + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _after(text, _after(text, at) + 1)
        value, at = _DECODER.raw_decode(text, start)
        yield name, start, value
        at = _next(text, at)


def _items(text: str, start: int) -> Iterator[tuple[int, int, Any]]:
    """Where each item of the list begins and ends, and what it is."""
    at = _after(text, start + 1)
    while text[at] != "]":
        value, end = _DECODER.raw_decode(text, at)
        yield at, end, value
        at = _next(text, end)


def _next(text: str, at: int) -> int:
    """Where the next item or member begins, or the closing bracket stands."""
    at = _after(text, at)
    return _after(text, at + 1) if text[at] == "," else at


def _end(text: str, start: int) -> int:
    return _DECODER.raw_decode(text, start)[1]


def _after(text: str, at: int) -> int:
    """The place of the next character that is not blank."""
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _meaning(value: Any) -> Any:
    """A list of one is the one, the order of texts in a list says nothing, and an account is its root."""
    if isinstance(value, dict):
        return {name: _meaning(one) for name, one in value.items()}
    if isinstance(value, list):
        items = [_meaning(one) for one in value]
        if all(isinstance(one, str) for one in items):
            items = sorted(set(items))
        return items[0] if len(items) == 1 else items
    if isinstance(value, str):
        found = _ROOT.fullmatch(value)
        return found[1] if found else value
    return json.dumps(value)
