"""Who a repository's policy lets in, and what is left of it without those who must not be."""

import json
from typing import Any

import pytest

from warden.access import Judged, judge
from warden.policy import AccessStandard, Mode

OWN, PARTNER, STRANGER = "111122223333", "444455556666", "999988887777"
ANY_ACCOUNT = AccessStandard(Mode.ENFORCE, forbid_public=True, accounts=None)
PARTNERS = AccessStandard(Mode.ENFORCE, forbid_public=True, accounts=(PARTNER,))


def allow(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Sid": "pull", "Effect": "Allow", "Principal": principal, "Action": "ecr:BatchGetImage", **more}


def judged(*statements: Any, standard: AccessStandard = PARTNERS) -> Judged:
    return judge(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), OWN, standard)


def left(result: Judged) -> Any:
    return json.loads(result.mended)["Statement"] if result.mended else None


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": OWN},
        {"AWS": PARTNER},
        {"AWS": f"arn:aws:iam::{PARTNER}:root"},
        {"AWS": [f"arn:aws:iam::{OWN}:role/x", f"arn:aws-cn:iam::{PARTNER}:user/a/b"]},
        {"AWS": f"arn:aws:sts::{OWN}:assumed-role/x/session"},
        {"Service": "lambda.amazonaws.com"},
    ],
)
def test_those_who_may_are_left_alone(principal: Any) -> None:
    assert judged(allow(principal)).forbidden == ()


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["*"]}])
@pytest.mark.parametrize("standard", [ANY_ACCOUNT, PARTNERS])
def test_everybody_is_forbidden_and_nothing_is_left(principal: Any, standard: AccessStandard) -> None:
    assert judged(allow(principal), standard=standard) == Judged(("*",), "", None)


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": STRANGER},
        {"AWS": f"arn:aws:iam::{STRANGER}:root"},
        {"AWS": "AROAEXAMPLEEXAMPLE123"},
        {"AWS": f"arn:aws:iam::{STRANGER}:role/{OWN}"},
        {"AWS": f"{OWN}0"},
        {"Federated": "accounts.example.com"},
        {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
    ],
)
def test_strangers_are_forbidden_where_the_standard_names_accounts(principal: Any) -> None:
    (name,) = principal.values()
    assert judged(allow(principal)).forbidden == (name,)
    assert judged(allow(principal), standard=ANY_ACCOUNT).forbidden == ()


def test_only_the_stranger_is_taken_out_of_a_statement() -> None:
    result = judged(allow({"AWS": [OWN, STRANGER], "Service": "x.amazonaws.com"}), allow({"AWS": PARTNER}))
    assert left(result) == [allow({"AWS": OWN, "Service": "x.amazonaws.com"}), allow({"AWS": PARTNER})]


def test_a_statement_that_names_nobody_afterwards_goes_and_the_others_stay() -> None:
    assert left(judged(allow("*"), allow({"AWS": OWN}))) == [allow({"AWS": OWN})]


def test_what_denies_is_never_touched() -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}
    assert judged(deny).forbidden == ()
    assert left(judged(deny, allow("*"))) == [deny]


@pytest.mark.parametrize(
    ("condition", "restricts"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, True),
        ({"StringEquals": {"AWS:principalorgid": ["o-1", "o-2"]}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:lambda:eu-central-1:111122223333:function:x"}}, True),
        ({"StringLike": {"aws:PrincipalArn": "*"}}, None),
        ({"StringEquals": {"aws:PrincipalOrgID": ["o-1", "*"]}}, None),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, None),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, None),
        ({"Bool": {"aws:SecureTransport": "true"}}, None),
        ({"StringEquals": "odd"}, None),
        (["odd"], None),
        ({}, False),
    ],
)
def test_a_condition_restricts_or_is_for_a_person(condition: Any, restricts: bool | None) -> None:
    result = judged(allow("*", Condition=condition))
    assert bool(result.forbidden) is (restricts is False)
    assert bool(result.doubtful) is (restricts is None)


def test_everybody_but_some_is_for_a_person() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": STRANGER}, "Action": "ecr:*"}
    result = judged(statement)
    assert (result.forbidden, "everybody but some" in result.doubtful) == ((), True)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", '{"Statement": ["x"]}', '{"Statement": 7}', "[" * 9000, '{"Statement": null}']
)
def test_what_can_not_be_read_is_for_a_person(text: str) -> None:
    assert judge(text, OWN, PARTNERS).doubtful == "the repository's policy can't be read"


def test_a_statement_alone_need_not_be_a_list() -> None:
    result = judge(json.dumps({"Statement": allow("*")}), OWN, PARTNERS)
    assert result == Judged(("*",), "", None)
