"""Lifecycle policies that anybody wrote: whether two mean the same, and what one does, in words."""

import json
from typing import Any

import pytest

from warden.lifecycle.words import in_words, same

ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}
EXPIRE = {"type": "expire"}


def a_rule(action: Any = None, priority: int = 1, **selection: Any) -> dict[str, Any]:
    asked = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5, **selection}
    return {"rulePriority": priority, "selection": asked, "action": EXPIRE if action is None else action}


def days(count_type: str, number: int) -> dict[str, Any]:
    return {"countType": count_type, "countUnit": "days", "countNumber": number}


def tagged(*patterns: str) -> dict[str, Any]:
    return {"tagStatus": "tagged", "tagPatternList": list(patterns)}


def text(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": list(rules)})


ARCHIVED = {"storageClass": "archive", **days("sinceImageTransitioned", 365)}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (a_rule(), "delete all images beyond the newest 5"),
        (a_rule(ARCHIVE, **tagged("v*")), "archive images tagged v* beyond the newest 5"),
        (a_rule(tagStatus="untagged", **days("sinceImagePushed", 7)), "delete untagged images 7 days after the push"),
        (a_rule(ARCHIVE, **days("sinceImagePulled", 90)), "archive all images 90 days after the last pull"),
        (a_rule(**ARCHIVED), "delete all archived images 365 days after they were archived"),
        (
            a_rule(**tagged("a*", "b*"), **ARCHIVED),
            "delete archived images tagged a* and b* 365 days after they were archived",
        ),
        (a_rule(tagStatus="untagged", **ARCHIVED), "delete untagged archived images 365 days after they were archived"),
        (a_rule(tagStatus="tagged", tagPrefixList=["v"]), "delete images tagged v* beyond the newest 5"),
        (a_rule(tagStatus="tagged", tagPrefixList=["v*", "w"]), "delete images tagged v*… and w… beyond the newest 5"),
        (a_rule(ARCHIVE, **tagged("warden.keep-*") | {"countNumber": 1_000_000}), "keep images tagged warden.keep-*"),
        (
            a_rule(**tagged("prod-*"), **ARCHIVED | {"countNumber": 36_500}),
            "keep archived images tagged prod-*",
        ),
        (a_rule(**days("sinceImagePushed", 1_000_000)), "delete all images 1000000 days after the push"),
        # What ECR refuses is told as well as it can be.
        (a_rule(tagStatus="tagged"), "delete images tagged something beyond the newest 5"),
        (a_rule("delete"), "take all images beyond the newest 5"),
        (a_rule({"type": "vanish"}, countType="tea"), "take all images 5 days after the push"),
        (a_rule(countNumber=None), "delete all images beyond the newest None"),
        (a_rule(**tagged("\u202ev\n*")), "delete images tagged \ufffdv * beyond the newest 5"),
    ],
)
def test_a_rule_is_told_in_words(rule: dict[str, Any], words: str) -> None:
    assert in_words(text(rule)) == words


def test_rules_are_told_in_the_order_in_which_they_apply() -> None:
    told = in_words(text(a_rule(priority=9), a_rule(priority=2, **tagged("v*"))))
    assert told == "delete images tagged v* beyond the newest 5; delete all images beyond the newest 5"
    assert in_words(text()) == "a policy without rules"


@pytest.mark.parametrize(
    "broken",
    [
        "not JSON",
        "{}",
        "[]",
        "[" * 9000,
        '{"rules": 1}',
        '{"rules": [1]}',
        text({"rulePriority": "x"}),
        text({"rulePriority": 1, "selection": []}),
        text(a_rule(tagStatus="tagged", tagPatternList=[["nested"]])),
        text(a_rule(tagStatus="tagged", tagPrefixList=[1])),
        text(a_rule(tagStatus="tagged", tagPrefixList=1)),
    ],
)
def test_what_can_not_be_read_is_said_and_is_the_same_as_nothing(broken: str) -> None:
    assert in_words(broken) == "a policy that can't be read"
    assert not same(broken, broken)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ([a_rule()], [a_rule(priority=7)], True),
        ([a_rule()], [a_rule(storageClass="standard")], True),
        ([a_rule()], [a_rule() | {"description": "keep five"}], True),
        ([a_rule(**tagged("v*", "w*"))], [a_rule(**tagged("w*", "v*"))], True),
        ([a_rule(**tagged("v*"))], [a_rule(tagStatus="tagged", tagPrefixList=["v"])], True),
        ([a_rule(**tagged("v**"))], [a_rule(tagStatus="tagged", tagPrefixList=["v*"])], False),
        ([a_rule()], [a_rule(ARCHIVE)], False),
        ([a_rule()], [a_rule(countNumber=6)], False),
        ([a_rule(ARCHIVE, **days("sinceImagePulled", 9))], [a_rule(ARCHIVE, **days("sinceImagePushed", 9))], False),
        ([a_rule(**ARCHIVED)], [a_rule(**{**ARCHIVED, "storageClass": "standard"})], False),
        # Rules of one storage class know nothing of those of another; among themselves their order is their meaning.
        (
            [a_rule(priority=1, **ARCHIVED), a_rule(priority=2, **tagged("v*")), a_rule(priority=3)],
            [a_rule(priority=1, **tagged("v*")), a_rule(priority=2), a_rule(priority=3, **ARCHIVED)],
            True,
        ),
        (
            [a_rule(priority=1, **tagged("v*")), a_rule(priority=2, **tagged("w*"))],
            [a_rule(priority=2, **tagged("v*")), a_rule(priority=1, **tagged("w*"))],
            False,
        ),
    ],
)
def test_policies_are_compared_by_what_they_mean(
    one: list[dict[str, Any]], other: list[dict[str, Any]], alike: bool
) -> None:
    assert same(text(*one), text(*other)) is alike
    assert same(text(*other), text(*one)) is alike
