"""The linter says what is wrong with a lifecycle policy, and nothing of one that does what it says."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOW, vector
from tests.unit.lifecycle.effect_cases import EFFECT_CASES
from tests.unit.lifecycle.lint_cases import RELEASES, Case
from tests.unit.lifecycle.match_cases import MATCH_CASES
from tests.unit.lifecycle.repositories import (
    image,
    line,
    policy,
    remarks_on,
    rule,
    told,
    untagged,
)
from warden.lifecycle.linting import lint
from warden.lifecycle.reach import covers
from warden.lifecycle.remarks import EXAMPLES, Code, Level, Remark
from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus
from warden.lifecycle.selection import about
from warden.names import Digest
from warden.stored_images import StoredImage


@pytest.mark.parametrize("case", [*MATCH_CASES, *EFFECT_CASES], ids=lambda case: case.name)
def test_a_policy_gets_the_remarks_that_it_deserves(case: Case) -> None:
    remarks = remarks_on(case.policy, case.images, case.users)

    assert told(remarks) == case.told
    assert all(words in remarks[0].text for words in case.says), remarks[0].text


YOUNG_PLATFORM = image(age=1, seed="young platform")
YOUNG_INDEX = image("v26.0.0", age=0.9, is_index=True, children=(YOUNG_PLATFORM.digest,))
SANE = [*line("v1.*.0", 25, every=2), *line("pr-*", 6), *untagged(3), image("latest", "v2.0.0", age=0.5)]
WARDEN_RULES = [
    rule("warden.keep-*", keep=1_000_000, archive=True, description="shield: images in use"),
    rule("prod-*", keep=1_000_000, archive=True, description="shield: protected tags"),
    rule(status="untagged", days=7, archive=True),
    rule("pr-*", days=14, archive=True),
    rule("v*", keep=30, archive=True),
]


@pytest.mark.parametrize(
    ("text", "images"),
    [
        (policy(*WARDEN_RULES), SANE),
        (policy(*WARDEN_RULES[:2]), SANE),
        (policy(*WARDEN_RULES), [image("v1", "warden.keep-41d9", age=400), image("pr-1", age=2)]),
        (policy(*WARDEN_RULES), [*SANE, image("v0.9", "warden.keep-41d9", age=400)]),
        (
            policy(
                rule(
                    "warden.keep-*", days=36_500, since="sinceImageTransitioned", archived=True, description="shield: x"
                ),
                rule(status="any", days=180, since="sinceImageTransitioned", archived=True),
                rule("v*", keep=30, archive=True),
            ),
            SANE,
        ),
        (policy(rule(prefixes=["v"], keep=30), rule(status="untagged", days=14)), SANE),
        (policy(rule(status="untagged", days=14)), [*SANE, YOUNG_INDEX, YOUNG_PLATFORM]),
        (policy(rule("latest", keep=1), rule("v*", keep=30), rule(status="any", days=60)), SANE),
        (policy(rule(status="any", days=90, since="sinceImagePulled", archive=True)), SANE),
    ],
)
def test_nothing_is_said_of_a_sane_policy_on_a_sane_repository(text: str, images: list[StoredImage]) -> None:
    assert told(remarks_on(text, images)) == []


AWS_REPOSITORIES = {
    "age-14-days-prod.json": line("prod-*", 20),
    "api-reference-untagged-14-days.json": [*untagged(20), *RELEASES],
    "archive-not-pulled-90-days.json": [*line("v*", 20), image("old", age=120)],
    "archive-prod-older-30-days.json": line("prod-*", 40),
    "expire-archived-365-days.json": [*RELEASES, image("v0", age=900, archived=True, archived_at=NOW)],
    "keep-one-untagged.json": [*RELEASES, *untagged(4)],
    "multiple-rules-A.json": [*line("prod-*", 2, first=9), *line("beta-*", 2, first=5)],
    "multiple-tags-one-rule-A.json": [image("alpha-1", "beta-1", age=1), *line("x*", 3)],
    "all-images-A.json": line("alpha-*", 4),
}


@pytest.mark.parametrize("name", sorted(AWS_REPOSITORIES))
def test_aws_own_examples_are_no_cause_for_a_warning(name: str) -> None:
    remarks = remarks_on(json.dumps(vector(f"lifecycle/{name}")["policy"]), AWS_REPOSITORIES[name])

    assert [str(remark) for remark in remarks if remark.severity is not Level.NOTE] == []


@pytest.mark.parametrize("case", vector("lifecycle/_invalid-policies.json")["invalid"], ids=lambda c: c["id"])
def test_what_aws_pages_call_wrong_is_an_error(case: dict[str, Any]) -> None:
    remarks = remarks_on(json.dumps(case["policy"]), [])

    refused = [remark for remark in remarks if remark.code is Code.REFUSED_BY_ECR]
    assert bool(refused) is not case["confidence"].startswith("control")


def test_archived_images_that_leave_too_early_are_an_error() -> None:
    too_early = Rule(1, TagStatus.ANY, CountType.SINCE_IMAGE_TRANSITIONED, 30, RuleAction.EXPIRE, archived=True)

    (remark,) = lint([too_early], RELEASES, users={}, now=NOW)

    assert (remark.code, remark.severity) == (Code.ARCHIVE_UNDER_90_DAYS, Level.ERROR)
    assert "ECR allows no less than 90 days" in remark.text


def test_the_worst_is_told_first_and_a_few_images_are_named() -> None:
    remarks = remarks_on(policy(rule("v*", keep=1), rule("nope-*", days=3)), RELEASES, {RELEASES[5].digest: ("a",)})

    assert [remark.severity for remark in remarks] == [Level.ERROR, Level.WARNING, Level.NOTE]
    most = remarks[1]
    assert (len(most.images), most.count) == (EXAMPLES, 11)


def test_tags_and_users_are_shown_harmlessly() -> None:
    hostile = [image("\x1b[31mv1\u202e", age=90), *line("v*", 12)]
    text = policy(rule("\u202e[bold]*", keep=3), rule("*", days=60))

    remarks = remarks_on(text, hostile, {hostile[0].digest: ("evil\nECS \x07",)})

    assert remarks
    assert not {"\x1b", "\u202e", "\n", "\x07"} & set("".join(map(str, remarks)))


TAGS = st.sampled_from(["v1", "v2", "v10", "prod", "prod-1", "dev-1", "latest", "a", "sha256-" + "a" * 64, "pr-1"])
PATTERNS = st.sampled_from(["*", "v*", "v1*", "prod", "prod*", "*1", "dev-*", "x*", "v.*", "*-*", "latest"])


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    made = []
    for priority in range(1, draw(st.integers(2, 6))):
        status = draw(st.sampled_from([TagStatus.TAGGED, TagStatus.TAGGED, TagStatus.UNTAGGED, TagStatus.ANY]))
        listed = draw(st.lists(PATTERNS, min_size=1, max_size=2, unique=True)) if status is TagStatus.TAGGED else []
        count_type = draw(st.sampled_from([CountType.IMAGE_COUNT_MORE_THAN, CountType.SINCE_IMAGE_PUSHED]))
        count = draw(st.sampled_from([1, 2, 5, 30, 9999, 1_000_000]))
        action = draw(st.sampled_from(RuleAction))
        made.append(Rule(priority, status, count_type, count, action, tuple(listed)))
    return made


@st.composite
def repositories(draw: st.DrawFn) -> list[StoredImage]:
    return [
        image(*draw(st.lists(TAGS, max_size=2, unique=True)), age=draw(st.integers(0, 60)), seed=f"seed {number}")
        for number in range(draw(st.integers(0, 14)))
    ]


@settings(deadline=None, max_examples=60)
@given(rules(), repositories(), st.data())
def test_every_remark_is_true(policy_rules: list[Rule], images: list[StoredImage], data: st.DataObject) -> None:
    used = {each.digest: ("somebody",) for each in images if data.draw(st.booleans())}

    remarks = lint(policy_rules, images, users=used, now=NOW)

    by_priority = {each.priority: each for each in policy_rules}
    for remark in remarks:
        _assert_true(remark, by_priority, images, used)


def _assert_true(
    remark: Remark, by_priority: Mapping[int, Rule], images: list[StoredImage], used: Mapping[Digest, tuple[str, ...]]
) -> None:
    """What the remark claims, looked up the plain way."""
    assert len(remark.images) == min(EXAMPLES, remark.count)
    if remark.code is Code.TAKES_IN_USE:
        assert all(each.digest in used for each in remark.images)
    elif remark.priority is not None:
        meets = about(by_priority[remark.priority])
        matched = [each for each in images if meets(each.tags)]
        nothing = {Code.MATCHES_NOTHING, Code.PROTECTS_NOTHING, Code.NOT_A_WILDCARD, Code.TAKEN_FOR_OR}
        assert (not matched) or remark.code not in nothing
        if remark.code in {Code.SHADOWED, Code.NOTHING_LEFT}:
            earlier = [about(each) for priority, each in by_priority.items() if priority < remark.priority]
            assert all(any(before(each.tags) for before in earlier) for each in matched)


@settings(deadline=None, max_examples=60)
@given(PATTERNS, PATTERNS, st.lists(TAGS, max_size=3))
def test_what_covers_another_rule_matches_all_that_it_matches(one: str, other: str, tags: list[str]) -> None:
    wide, narrow = (
        Rule(1, TagStatus.TAGGED, CountType.SINCE_IMAGE_PUSHED, 1, RuleAction.EXPIRE, (pattern,))
        for pattern in (one, other)
    )

    assert not covers(wide, narrow) or not about(narrow)(tags) or about(wide)(tags)


def test_among_very_many_lines_of_tags_one_is_looked_for_in_reason() -> None:
    letters = "abcdefghijklmno"
    tags = [a + b + c for a in letters for b in letters for c in letters]

    (remark,) = remarks_on(policy(rule("nightly-*", days=9)), [image(tag) for tag in tags])

    assert remark.code is Code.MATCHES_NOTHING


@pytest.mark.parametrize("pattern", ["[" * 6_000, "*".join(["a" * 1_500] * 4), ".*" * 2, r"\d" * 2_000])
def test_a_policy_that_is_made_to_keep_us_busy_does_not(pattern: str) -> None:
    lines = [image("".join(chr(97 + (number * step) % 26) for step in range(300))) for number in range(300)]
    rules = [rule(pattern, "x", days=3), rule(f"a{pattern}", keep=9), rule(*map(str, range(1_000)), days=400)]

    remarks = remarks_on(policy(*rules, rule(status="any", days=3)), lines)

    assert {remark.priority for remark in remarks} == {1, 2, 3}


def test_many_images_are_no_trouble() -> None:
    images = [
        image(f"v{number}", f"sha-{number:012x}", age=number / 1000, seed=str(number)) for number in range(20_000)
    ]
    text = policy(
        rule("prod-*", keep=9999), rule("pr_*", days=14), rule("v*", keep=10_000), rule(status="any", days=30)
    )

    remarks = remarks_on(text, images, {images[10].digest: ("a",)})

    assert told(remarks) == [("protects-nothing", "warning", 1), ("matches-nothing", "note", 2)]
