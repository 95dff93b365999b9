"""What PutLifecyclePolicy takes and refuses, and how it is told."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import vector
from tests.unit.lifecycle.ecr_worlds import LAW, a_rule, policies
from warden.errors import Invalid
from warden.lifecycle.json_objects import LARGEST_INTEGER
from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus
from warden.lifecycle.validation import LONGEST, MOST_RULES, complaints, read, write

POLICIES = vector("lifecycle/_invalid-policies.json")["invalid"]
AGE = {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
COUNT = {"countType": "imageCountMoreThan", "countNumber": 3}
EXPIRE = {"type": "expire"}
ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}


def rule(
    priority: Any = 1, *, of: Any = "any", what: Any = COUNT, action: Any = EXPIRE, **selection: Any
) -> dict[str, Any]:
    return {"rulePriority": priority, "selection": {"tagStatus": of, **selection, **what}, "action": action}


def policy(*rules: Any) -> str:
    return json.dumps({"rules": rules}).ljust(100)


def patterns(*found: Any, priority: int = 1) -> dict[str, Any]:
    return rule(priority, of="tagged", tagPatternList=list(found))


@pytest.mark.parametrize("case", POLICIES, ids=[case["id"] for case in POLICIES])
def test_a_policy_that_the_pages_call_wrong_is_refused(case: dict[str, Any]) -> None:
    text = json.dumps(case["policy"])

    if case["confidence"].startswith("control"):
        assert complaints(text) == ()
        assert read(text)
    else:
        assert complaints(text)
        with pytest.raises(Invalid, match="ECR takes no such lifecycle policy"):
            read(text)


@pytest.mark.parametrize("case", POLICIES, ids=[case["id"] for case in POLICIES])
def test_each_of_those_has_one_thing_wrong_and_is_told_one(case: dict[str, Any]) -> None:
    wrong = 0 if case["confidence"].startswith("control") else 1

    assert len(complaints(json.dumps(case["policy"]))) == wrong


def test_a_policy_is_read_with_its_rules_in_order() -> None:
    text = policy(
        rule(20, what=AGE, action=ARCHIVE, description=None) | {"description": "last"},
        patterns("v*", "*-rc", priority=3),
        rule(4, of="tagged", tagPrefixList=["dev-"], storageClass="standard"),
        rule(30, storageClass="archive", what=AGE | {"countType": "sinceImageTransitioned", "countNumber": 90}),
    ).replace('"description": null, ', "")

    assert read(text) == (
        Rule(3, TagStatus.TAGGED, CountType.IMAGE_COUNT_MORE_THAN, 3, RuleAction.EXPIRE, ("v*", "*-rc")),
        Rule(4, TagStatus.TAGGED, CountType.IMAGE_COUNT_MORE_THAN, 3, RuleAction.EXPIRE, prefixes=("dev-",)),
        Rule(20, TagStatus.ANY, CountType.SINCE_IMAGE_PUSHED, 14, RuleAction.TRANSITION, description="last"),
        Rule(30, TagStatus.ANY, CountType.SINCE_IMAGE_TRANSITIONED, 90, RuleAction.EXPIRE, archived=True),
    )


def test_a_policy_is_written_minified_and_as_short_as_it_can_be() -> None:
    assert write([a_rule(2, keep=1), a_rule(1, "v* *-rc", after=14, archive=True)]) == (
        '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPatternList":["v*","*-rc"],'
        '"countType":"sinceImagePushed","countUnit":"days","countNumber":14},'
        '"action":{"type":"transition","targetStorageClass":"archive"}},'
        '{"rulePriority":2,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},'
        '"action":{"type":"expire"}}]}'
    )


def test_what_is_written_is_read_as_it_was_whatever_stands_in_it() -> None:
    odd = 'quotes " and \\ and \ud800 and é and \n'
    rules = (
        Rule(1, TagStatus.TAGGED, CountType.SINCE_IMAGE_PULLED, 9, RuleAction.TRANSITION, (odd,), description=odd),
        Rule(2, TagStatus.UNTAGGED, CountType.SINCE_IMAGE_TRANSITIONED, 90, RuleAction.EXPIRE, archived=True),
        Rule(LARGEST_INTEGER, TagStatus.TAGGED, CountType.IMAGE_COUNT_MORE_THAN, 1, RuleAction.EXPIRE, prefixes=(odd,)),
    )

    assert read(write(rules)) == rules
    assert write(rules).isascii()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (policy(), "the policy: rules: expected 1 to 50 rules, got 0"),
        (json.dumps([1] * 50), "the policy: expected an object, got a list"),
        ('"' + "x" * 100 + '"', f'the policy: expected an object, got "{"x" * 58}…'),
        (json.dumps({"rules": {"a": "b" * 99}}), "the policy: rules: expected a list, got an object"),
        (json.dumps({"Rules": ["b" * 99]}), 'the policy: expected only rules, got "Rules"'),
        (policy(3), "rules[0]: expected an object, got 3"),
        (policy(rule() | {"priority": 1}), "rules[0] (priority 1): expected only rulePriority, description, "),
        (policy(rule(tags=["a"])), "rules[0] (priority 1): selection: expected only tagStatus, tagPatternList, "),
        (
            policy(rule(action=EXPIRE | {"a": 1})),
            "rules[0] (priority 1): action: expected only type, targetStorageClass",
        ),
        (policy(rule(action="expire")), 'rules[0] (priority 1): action: expected an object, got "expire"'),
        (
            policy({"rulePriority": 7, "action": EXPIRE}),
            "rules[0] (priority 7): selection: expected an object, got nothing",
        ),
        (policy(rule(1.0)), "rules[0]: rulePriority: expected a whole number from 1, got 1.0"),
        (policy(rule(True)), "rules[0]: rulePriority: expected a whole number from 1, got true"),
        (policy(rule("1")), 'rules[0]: rulePriority: expected a whole number from 1, got "1"'),
        (policy(rule(-1)), "rules[0] (priority -1): rulePriority: expected a whole number from 1, got -1"),
        (policy(rule(2**31)), "rulePriority: expected a whole number from 1, got a number of more than 32 bits"),
        (
            policy(rule(what=COUNT | {"countNumber": 1.0})),
            "selection.countNumber: expected a whole number from 1, got 1.0",
        ),
        (
            policy(rule(what=COUNT | {"countNumber": True})),
            "selection.countNumber: expected a whole number from 1, got true",
        ),
        (
            policy(rule(what=COUNT | {"countNumber": None})),
            "selection.countNumber: expected a whole number from 1, got null",
        ),
        (
            policy(rule(what={"countNumber": 1})),
            "selection.countType: expected imageCountMoreThan or ",
        ),
        (policy(rule(of="Any")), 'selection.tagStatus: expected tagged or untagged or any, got "Any"'),
        (policy(rule(of=["any"])), "selection.tagStatus: expected tagged or untagged or any, got a list"),
        (policy(rule(storageClass="ARCHIVE")), 'selection.storageClass: expected standard or archive, got "ARCHIVE"'),
        (policy(rule() | {"description": 3}), "rules[0] (priority 1): description: expected a string, got 3"),
        (policy(patterns()), "selection.tagPatternList: expected a list of one string or more, got an empty one"),
        (policy(patterns("a", "")), 'selection.tagPatternList[1]: expected a string that is not empty, got ""'),
        (policy(patterns("a", 3)), "selection.tagPatternList[1]: expected a string that is not empty, got 3"),
        (
            policy(rule(of="tagged", tagPrefixList="v")),
            'selection.tagPrefixList: expected a list of one string or more, got "v"',
        ),
        (
            policy(rule(tagPrefixList=[])),
            "selection.tagPrefixList: expected a list of one string or more, got an empty",
        ),
        (
            policy(patterns("v*", priority=1), rule(1)),
            "rules[1] (priority 1): rulePriority: expected a number of its own, got ",
        ),
        (policy(rule() | {"description": "a\u202eb"}, 3), "rules[1]: expected an object, got 3"),
        (policy(rule() | {"a\u202eb\n": 1}), "\ufffd"),
        ("{" + "x" * 99, "the policy: expected JSON, got at line 1, column 2: Expecting property name"),
        (
            policy(rule(what=COUNT | {"countNumber": float("nan")})),
            "the policy: expected JSON, got NaN, which JSON does",
        ),
        (policy(rule(what=COUNT | {"countNumber": float("-inf")})), "the policy: expected JSON, got -Infinity, which "),
        ('{"rules": [], "rules": []}'.ljust(100), 'expected JSON, got the key "rules" more than once in one object'),
        ("[" * 20_000, "the policy: expected JSON with few levels, got too many to read"),
        ('{"rules":' * 3_000 + "1" + "}" * 3_000, "the policy: expected JSON with few levels, got too many to read"),
        ("1" * 20_000, "the policy: expected JSON, got "),
        (" " * (LONGEST + 1), "the policy: expected 100 to 30720 characters, got 30721"),
        ("", "the policy: expected 100 to 30720 characters, got 0"),
        ("\ufeff" + policy(rule()), "the policy: expected JSON, got at line 1, column 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_was_expected(text: str, expected: str) -> None:
    told = complaints(text)

    assert any(expected in complaint for complaint in told), told
    assert all(complaint.isprintable() for complaint in told)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = policy(
        rule(0, of="some", what=COUNT | {"countNumber": 0}, action={"type": "delete"}),
        rule(5, what=COUNT | {"countUnit": "days"}, action=EXPIRE | {"targetStorageClass": "archive"}),
        rule(5, of="untagged", what=AGE | {"countType": "sinceImagePulled"}),
    )

    told = complaints(wrong)

    assert [complaint.partition(": expected")[0] for complaint in told] == [
        "rules[0] (priority 0): rulePriority",
        "rules[0] (priority 0): selection.tagStatus",
        "rules[0] (priority 0): selection.countNumber",
        "rules[0] (priority 0): action.type",
        "rules[1] (priority 5): selection.countUnit",
        "rules[1] (priority 5): action.targetStorageClass",
        "rules[2] (priority 5): action.type",
        "rules[2] (priority 5): rulePriority",
    ]
    with pytest.raises(Invalid) as raised:
        read(wrong)
    assert all(complaint in str(raised.value) for complaint in told)


def test_storage_classes_have_each_their_last_rule_their_untagged_one_and_their_prefixes() -> None:
    archived: Any = {
        "storageClass": "archive",
        "what": AGE | {"countType": "sinceImageTransitioned", "countNumber": 90},
    }
    prefixed: Any = {"of": "tagged", "tagPrefixList": ["a", "b"]}

    together = policy(
        rule(1, **prefixed), rule(2, of="untagged"), rule(3),
        rule(4, **prefixed, **archived), rule(5, of="untagged", **archived), rule(6, **archived),
    )  # fmt: skip
    assert complaints(together) == ()
    assert [each.priority for each in read(together)] == [1, 2, 3, 4, 5, 6]


def test_prefixes_may_be_shared_in_part_but_not_be_the_same_in_another_order() -> None:
    a, ab, ba = (rule(n, of="tagged", tagPrefixList=list(found)) for n, found in enumerate(("a", "ab", "ba"), start=1))

    assert complaints(policy(a, ab)) == ()
    assert complaints(policy(ab, ba)) == (
        "rules[1] (priority 3): tagPrefixList: expected a set of prefixes of its own in a storage class, "
        "got the same as rules[0] (priority 2)",
    )


def test_patterns_may_be_the_same_in_several_rules_and_have_four_wildcards() -> None:
    assert complaints(policy(patterns("*a*b*c*"), patterns("*a*b*c*", priority=2))) == ()


@pytest.mark.parametrize("count", [MOST_RULES, MOST_RULES + 1])
def test_fifty_rules_are_the_most(count: int) -> None:
    text = policy(*(patterns(f"{number}*", priority=number + 1) for number in range(count)))

    assert bool(complaints(text)) is (count > MOST_RULES)


def test_characters_are_counted_not_bytes() -> None:
    text = policy(rule() | {"description": ""})
    wide = text.replace('"description": ""', f'"description": "{"é" * (LONGEST - len(text))}"')

    assert len(wide) == LONGEST
    assert complaints(wide) == ()
    assert complaints(wide + " ") == (f"the policy: expected 100 to {LONGEST} characters, got {LONGEST + 1}",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=8,
)
_RULE = ("rulePriority", "selection", "action", "description", "another")
_SELECTION = ("tagStatus", "tagPatternList", "tagPrefixList", "storageClass", "countType", "countUnit", "countNumber")
KEYS = st.sampled_from((*_RULE, *_SELECTION, "type", "targetStorageClass"))


@LAW
@given(JSON)
def test_no_json_makes_it_fall(value: Any) -> None:
    assert complaints(json.dumps(value).ljust(100))


@LAW
@given(st.text(max_size=400))
def test_no_text_makes_it_fall(text: str) -> None:
    assert complaints(text.ljust(100))


@LAW
@given(policies(), KEYS, JSON, st.integers(0, 5), st.integers(0, 2))
def test_a_policy_with_anything_anywhere_is_read_or_refused(
    rules: tuple[Rule, ...], key: str, value: Any, number: int, where: int
) -> None:
    content = json.loads(write(rules))
    changed = deepcopy(content)
    entry = changed["rules"][number % len(rules)]
    (entry, entry["selection"], entry["action"])[where][key] = value
    text = json.dumps(changed).ljust(100)

    told = complaints(text)

    assert all(complaint.startswith(("rules[", "the policy: ")) and complaint.isprintable() for complaint in told)
    if told:
        with pytest.raises(Invalid):
            read(text)
    else:
        again = write(read(text))
        assert read(again) == read(text)
