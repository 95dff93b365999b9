"""A repository's own tags tighten its standard or choose a channel; what else they try is refused with a reason."""

import pytest

from tests.builders import a_policy
from warden.names import RepositoryName
from warden.standards import effective, standard_of

APP = RepositoryName("team/app")
POLICY = a_policy(
    open_channels=["team-a", "team-b"],
    tags__moves="tell",
    scanning__on_push=True,
    scanning__rescan_after=7,
    findings__fixable_only=True,
    access__accounts=["111122223333", "444455556666"],
)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("tags.immutability", "IMMUTABLE", "IMMUTABLE"),
        ("tags.immutability", "immutable", "IMMUTABLE"),
        ("scanning.on_push", "true", True),
        ("scanning.rescan_after", "3d", 3),
        ("scanning.rescan_after", "1w", 7),
        ("findings.notify_from", "MEDIUM", "MEDIUM"),
        ("findings.notify_from", " low ", "LOW"),
        ("findings.block_from", "HIGH", "HIGH"),
        ("findings.fixable_only", "false", False),
        ("findings.new_only", "FALSE", False),
        ("access.forbid_public", "true", True),
        ("access.accounts", "444455556666", ["444455556666"]),
        ("channels", "team-a", ["team-a"]),
        ("channels", "team-a team-b", ["team-a", "team-b"]),
    ],
)
def test_a_tag_tightens_or_chooses(field: str, text: str, value: object) -> None:
    found = effective(POLICY, APP, {f"warden:{field}": text})
    assert found.refused == ()
    assert (found.fields[field].value, found.fields[field].origin) == (value, f"tag warden:{field}")


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("tags.immutability", "MUTABLE", "it would loosen the standard, which says IMMUTABLE_WITH_EXCLUSION"),
        ("tags.immutability", "FROZEN", "expected one of MUTABLE, MUTABLE_WITH_EXCLUSION"),
        ("tags.moves", "put_back", "what moves or deletes images is the policy's alone"),
        ("scanning.on_push", "false", "it would loosen the standard, which says true"),
        ("scanning.on_push", "no", "expected true or false"),
        ("scanning.rescan_after", "30d", "it would loosen the standard, which says 7d"),
        ("scanning.rescan_after", "soon", "expected a number of days or weeks, such as 7d"),
        ("findings.notify_from", "CRITICAL", "it would loosen the standard, which says HIGH"),
        ("access.accounts", "999988887777", "only accounts of the policy can be chosen"),
        ("access.accounts", "everybody", "expected account numbers of 12 digits"),
        ("channels", "platform", "expected one of team-a, team-b"),
        ("channels", "team-a\u202eevil", "no channel"),
        ("tags.mode", "off", "a mode is the policy's alone"),
        ("lifecycle.mode", "enforce", "a mode is the policy's alone"),
        ("lifecycle.rules", "[]", "what moves or deletes images is the policy's alone"),
        ("promote.to", "release/x", "what moves or deletes images is the policy's alone"),
        ("promote.role", "arn:aws:iam::1:role/x", "what moves or deletes images is the policy's alone"),
        ("promote.mode", "enforce", "a mode is the policy's alone"),
        ("quarantine.by", "tags", "what moves or deletes images is the policy's alone"),
        ("quarantine.break_glass", "arn:aws:iam::1:role/x", "what moves or deletes images is the policy's alone"),
        ("quarantine.in_use", "true", "what moves or deletes images is the policy's alone"),
        ("quarantine.mode", "off", "a mode is the policy's alone"),
        ("empty.after", "7d", "what moves or deletes images is the policy's alone"),
        ("empty.mode", "enforce", "a mode is the policy's alone"),
        ("tags.exclude", "*", "no tag can say this"),
        ("findings.notify", "LOW", "did you mean warden:findings.notify_from?"),
    ],
)
def test_a_tag_that_loosens_or_makes_no_sense_is_refused_with_the_reason(field: str, text: str, why: str) -> None:
    found = effective(POLICY, APP, {f"warden:{field}": text})
    (refused,) = found.refused
    assert (refused.key, why in refused.why) == (f"warden:{field}", True), refused
    assert found.fields == effective(POLICY, APP, {}).fields
    assert "\u202e" not in refused.value + refused.why


def test_what_blocks_is_told_too() -> None:
    standard = standard_of(POLICY, APP, {"warden:findings.block_from": "LOW"})
    assert (standard.findings.notify_from, standard.findings.block_from) == ("LOW", "LOW")


def test_patterns_that_named_the_protected_tags_do_not_become_those_that_may_move() -> None:
    policy = a_policy(tags__immutability="MUTABLE_WITH_EXCLUSION", tags__exclude=["v*"])
    standard = standard_of(policy, APP, {"warden:tags.immutability": "IMMUTABLE_WITH_EXCLUSION"})
    assert standard.tags.exclude == ("sha256-*",)


def test_other_tags_and_the_wardens_own_are_none_of_this() -> None:
    found = effective(POLICY, APP, {"team": "a", "warden:state": "quarantined", "warden:standard": "0123"})
    assert found == effective(POLICY, APP, {})
