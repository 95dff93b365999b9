"""The registry's own evaluation of lifecycle policies, against AWS's worked examples and refusals."""

import json
from datetime import datetime
from typing import Any

import pytest

from local.registry import lifecycle_policy
from local.registry.errors import EcrError
from local.registry.lifecycle_evaluation import Candidate, evaluate
from tests.builders import VECTORS, vector

CASES = sorted(path.name for path in (VECTORS / "lifecycle").glob("[!_]*.json"))
POLICIES = vector("lifecycle/_invalid-policies.json")["invalid"]


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _candidate(image: dict[str, Any]) -> Candidate:
    return Candidate(
        digest=image["digest"],
        tags=tuple(image["tags"]),
        pushed_at=datetime.fromisoformat(image["pushed_at"]),
        pulled_at=_time(image.get("last_recorded_pulltime")),
        archived_at=_time(image.get("last_archived_at")),
        activated_at=_time(image.get("last_activated_at")),
        archived=image["storage_class"] == "archive",
        subject=image.get("subject_digest"),
    )


@pytest.mark.parametrize("name", CASES)
def test_a_policy_does_what_the_pages_say(name: str) -> None:
    case = vector(f"lifecycle/{name}")
    rules = lifecycle_policy.read(json.dumps(case["policy"]))

    decisions = evaluate(rules, [*map(_candidate, case["images"])], datetime.fromisoformat(case["now"]))

    assert {each.digest for each in decisions if each.action == "expire"} == set(case["expected_expired"])
    assert {each.digest for each in decisions if each.action == "transition"} == set(case["expected_transitioned"])
    assert {each.digest: each.rule for each in decisions if each.rule} == case["expected_rule_priority"]


@pytest.mark.parametrize("case", POLICIES, ids=[case["id"] for case in POLICIES])
def test_a_policy_that_the_pages_call_wrong_is_refused(case: dict[str, Any]) -> None:
    text = json.dumps(case["policy"])

    if case["confidence"].startswith("control"):
        assert lifecycle_policy.read(text)
    else:
        with pytest.raises(EcrError, match="InvalidParameterException"):
            lifecycle_policy.read(text)


@pytest.mark.parametrize("text", ["", "[]", '{"rules": 1}', '{"rules": [{}]}', '{"rules": [{"selection": []}]}'])
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(EcrError, match="could not map policyString"):
        lifecycle_policy.read(text)
