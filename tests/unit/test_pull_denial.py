"""The statement that denies pulls, in a policy's text and out of it again: no other byte changes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import HOME, VECTORS
from warden import pull_denial
from warden.access import judge
from warden.errors import Refused
from warden.policy import AccessStandard, Mode
from warden.pull_denial import SID, means_the_same, ours, put, take

STATEMENT = pull_denial.denial(["arn:aws:iam::111122223333:role/forensics"], "/ecr-warden/dev/", HOME)
POLICIES = sorted((VECTORS / "repository_policies").glob("*.json"))
EXAMPLES = int(os.environ.get("WARDEN_EXAMPLES", "25"))

BLANKS = st.text(" \t\r\n", max_size=3)
TEXTS = st.text(max_size=6) | st.sampled_from(["Sid", "Statement", '"', "\\", "{[,]}", "ecr:*", "é", "\u2028"])


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """JSON as somebody may write it: blanks anywhere, escapes, keys twice."""
    before, after = draw(BLANKS), draw(BLANKS)
    if isinstance(value, dict):
        members = [
            f"{before}{draw(written(name))}{draw(BLANKS)}:{draw(BLANKS)}{draw(written(one))}{after}"
            for name, one in value.items()
        ]
        twice: bool = draw(st.booleans())
        again = [*members, *members[-1:]] if twice else members
        return "{" + (",".join(again) or before) + "}"
    if isinstance(value, list):
        return "[" + (",".join(f"{before}{draw(written(one))}{after}" for one in value) or before) + "]"
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


LEAVES = TEXTS | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)
STATEMENTS = st.dictionaries(TEXTS, VALUES, max_size=4).filter(lambda one: one.get("Sid") != SID)
DOCUMENTS = st.builds(
    lambda rest, statement, first: {"Statement": statement, **rest} if first else {**rest, "Statement": statement},
    st.dictionaries(TEXTS.filter(lambda name: name != "Statement"), VALUES, max_size=3),
    STATEMENTS | st.lists(STATEMENTS, min_size=1, max_size=4),
    st.booleans(),
)


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.data(), BLANKS, BLANKS)
def test_what_is_put_in_is_taken_out_to_the_byte(data: st.DataObject, before: str, after: str) -> None:
    text = before + data.draw(DOCUMENTS.flatmap(written)) + after
    spliced = put(text, STATEMENT)
    assert take(spliced) == text
    assert ours(spliced) == STATEMENT
    was, now = json.loads(text), json.loads(spliced)
    assert {**now, "Statement": 0} == {**was, "Statement": 0}
    others = [one for one in now["Statement"] if one.get("Sid") != SID]
    assert others == (was["Statement"] if isinstance(was["Statement"], list) else [was["Statement"]])


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.data())
def test_taking_it_out_of_another_layout_leaves_the_same_meaning(data: st.DataObject) -> None:
    text = data.draw(DOCUMENTS.flatmap(written))
    laid_out_anew = json.dumps(json.loads(put(text, STATEMENT)), indent=data.draw(st.integers(0, 3)))
    assert means_the_same(take(laid_out_anew), text)


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.text() | VALUES.map(json.dumps))
def test_whatever_stands_there_is_read_or_refused(text: str) -> None:
    try:
        spliced = put(text, STATEMENT)
    except Refused:
        return
    assert take(spliced) in {text, None}


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_real_policy_keeps_every_byte(path: Path) -> None:
    text = path.read_bytes().decode()
    spliced = put(text, STATEMENT)
    assert take(spliced) == text
    assert len(spliced) == len(text) + len(STATEMENT) + (1 if isinstance(_statement(text), list) else 3)


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_real_policy_means_the_same_in_another_layout(path: Path) -> None:
    text = path.read_bytes().decode()
    for layout in ({"indent": 2}, {"separators": (" , ", " : ")}, {"indent": "\t", "ensure_ascii": False}):
        assert means_the_same(take(json.dumps(json.loads(put(text, STATEMENT)), **layout)), text)


def _statement(text: str) -> Any:
    return json.loads(text)["Statement"]


def test_there_are_thirty_policies_and_each_looks_different() -> None:
    texts = {path.read_bytes() for path in POLICIES}
    assert len(texts) == 30
    assert any(b"\r\n" in text for text in texts)
    assert any(b"\t" in text for text in texts)
    assert any(b"\n" not in text for text in texts)
    assert any(not text.isascii() for text in texts)
    assert any(b"\\u" in text for text in texts)
    assert any(isinstance(_statement(text.decode()), dict) for text in texts)


def test_where_there_was_no_policy_nothing_is_left() -> None:
    alone = put(None, STATEMENT)
    assert json.loads(alone) == {"Version": "2012-10-17", "Statement": [json.loads(STATEMENT)]}
    assert take(alone) is None
    assert ours(None) is None


def test_a_policy_without_our_statement_stays_as_it_is() -> None:
    text = '{"Statement": [{"Sid": "other"}]}'
    assert take(text) == text
    assert ours(text) is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"Statement":[{"Sid":"a"},@]}', '{"Statement":{"Sid":"a"}}'),
        ('{"Statement":[ {"Sid":"a"}, @ ]}', '{"Statement":[ {"Sid":"a"} ]}'),
        ('{"Statement":[{"Sid":"a"} ,\n @ ,\n {"Sid":"b"}]}', '{"Statement":[{"Sid":"a"} ,\n {"Sid":"b"}]}'),
        ('{"Statement":[@ ,\n{"Sid":"a"}]}', '{"Statement":[\n{"Sid":"a"}]}'),
        ('{"Statement":[ @ ]}', None),
        ('{"Statement":@}', None),
        (
            '{"Statement":[{"Sid":"a"}],"Statement":[@,{"Sid":"b"}]}',
            '{"Statement":[{"Sid":"a"}],"Statement":[{"Sid":"b"}]}',
        ),
    ],
)
def test_it_is_taken_out_wherever_it_stands(text: str, left: str | None) -> None:
    assert take(text.replace("@", STATEMENT)) == left


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "[]",
        "{}",
        '{"Statement": 3}',
        '{"Statement": ["a"]}',
        '{"statement": []}',
        "[" * 100_000,
        '"\ufeff"',
    ],
)
def test_what_is_no_policy_is_a_persons_to_look_at(text: str) -> None:
    unreadable = pytest.raises(Refused, match="can't be read: expected an object with a Statement")
    with unreadable:
        put(text, STATEMENT)
    with unreadable:
        take(text)
    with unreadable:
        ours(text)


def test_two_statements_with_our_sid_are_a_persons_to_look_at() -> None:
    with pytest.raises(Refused, match="2 statements of the repository's policy have the Sid EcrWardenQuarantine"):
        ours(f'{{"Statement":[{STATEMENT},{STATEMENT}]}}')


def test_a_policy_that_would_get_too_long_for_ecr_is_refused() -> None:
    room = pull_denial.MOST_CHARACTERS - len(put('{"Statement":[{"Sid":""}]}', STATEMENT))
    fits = f'{{"Statement":[{{"Sid":"{"x" * room}"}}]}}'
    assert len(put(fits, STATEMENT)) == pull_denial.MOST_CHARACTERS
    with pytest.raises(Refused, match="would have 10,241 characters, and ECR takes 10,240"):
        put(fits.replace('"x', '"xx', 1), STATEMENT)


def test_it_denies_pulls_to_all_but_those_who_are_named_the_warden_and_the_scanner() -> None:
    roles = ["arn:aws:iam::111122223333:role/forensics", "arn:aws:iam::111122223333:role/forensics"]
    assert json.loads(pull_denial.denial(roles, "/ecr-warden/dev/", HOME)) == {
        "Sid": "EcrWardenQuarantine",
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Condition": {
            "ArnNotLike": {
                "aws:PrincipalArn": [
                    "arn:aws:iam::111122223333:role/forensics",
                    "arn:aws:iam::111122223333:role/ecr-warden/dev/*",
                    "arn:aws:iam::111122223333:role/aws-service-role/inspector2.amazonaws.com/*",
                ]
            }
        },
    }


def test_the_audit_of_access_leaves_it_alone() -> None:
    standard = AccessStandard(Mode.ENFORCE, forbid_public=True, accounts=())
    text = put('{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:*"}]}', STATEMENT)
    judged = judge(text, HOME.account, standard)
    assert judged.forbidden == ("*",)
    assert judged.mended is not None
    assert json.loads(judged.mended)["Statement"] == [json.loads(STATEMENT)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"Statement":[{"Action":["a"]}]}', '{ "Statement" : {"Action":"a"} }', True),
        ('{"Statement":[{"Action":["a","b","a"]}]}', '{"Statement":[{"Action":["b","a"]}]}', True),
        (
            '{"Statement":[{"Principal":{"AWS":"111122223333"}}]}',
            '{"Statement":[{"Principal":{"AWS":["arn:aws:iam::111122223333:root"]}}]}',
            True,
        ),
        (
            '{"Statement":[{"Condition":{"Bool":{"x":true}}}]}',
            '{"Statement":[{"Condition":{"Bool":{"x":"true"}}}]}',
            True,
        ),
        ('{"Statement":[{"Action":"a"}]}', '{"Statement":[{"Action":"b"}]}', False),
        ('{"Statement":[{"Action":"a"},{"Action":"b"}]}', '{"Statement":[{"Action":"a"}]}', False),
        ('{"Statement":[{"Action":"a"}]}', None, False),
        (None, None, True),
    ],
)
def test_what_is_laid_out_otherwise_means_the_same(one: str | None, other: str | None, *, same: bool) -> None:
    assert means_the_same(one, other) is same
    assert means_the_same(other, one) is same
