"""Laws of the plan: it converges, order means nothing, report mode changes nothing, and tags never loosen."""

import json
import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import DEFAULTS, HOME, a_policy
from warden.actions import Action, ActionKind
from warden.immutability import MAX_EXCLUSIONS
from warden.names import RepositoryName, Severity
from warden.observations import RegistryScanning, RepositoryObservation, ScanningRule
from warden.overrides import PREFIX
from warden.planning import plan
from warden.policy import Immutability, Mode, Policy, Standard
from warden.standards import standard_of

APP = RepositoryName("team/app")
UNHURRIED = settings(deadline=None)
IMMUTABILITIES = st.sampled_from([str(one) for one in Immutability])
PATTERNS = st.sampled_from(["latest", "dev-*", "sha256-*", "v*", "main", "*-rc", "pr-*"])
ACCOUNTS = ["444455556666", "999988887777"]
PRINCIPALS = st.sampled_from(["*", HOME.account, *ACCOUNTS, "arn:aws:iam::999988887777:root", "AROAEXAMPLE"])
CONDITIONS = st.sampled_from(
    [None, {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, {"Bool": {"aws:SecureTransport": "true"}}]
)
SCANNINGS = st.sampled_from(
    [
        RegistryScanning(enhanced=False),
        RegistryScanning(enhanced=True),
        RegistryScanning(False, (ScanningRule("SCAN_ON_PUSH", ("team/*",)),)),
    ]
)
RULES = st.sampled_from([[], [{"of": "untagged", "after_days": 7}], [{"of": "v*", "keep": 30}]])
REPOSITORY_TAGS = st.dictionaries(st.sampled_from(["owner", "team", "cost"]), st.sampled_from(["a", "b"]), max_size=3)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(PRINCIPALS, min_size=1, max_size=3, unique=True))
    condition = draw(CONDITIONS)
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    written: Any = "*" if names == ["*"] else {"AWS": names if len(names) > 1 else names[0]}
    return {
        "Effect": effect,
        "Principal": written,
        "Action": "ecr:*",
        **({"Condition": condition} if condition else {}),
    }


ACCESS_POLICIES = st.none() | st.lists(statements(), min_size=1, max_size=4).map(
    lambda found: json.dumps({"Version": "2012-10-17", "Statement": found})
)
FOREIGN = (
    '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":5},'
    '"action":{"type":"expire"}}]}'
)


def _possible(seen: RepositoryObservation) -> RepositoryObservation:
    """Only the two kinds that are named so have filters."""
    return (
        seen
        if seen.immutability.endswith("EXCLUSION") and seen.exclusions
        else replace(seen, immutability=seen.immutability.partition("_")[0], exclusions=())
    )


OBSERVATIONS = st.builds(
    RepositoryObservation,
    name=st.just(APP),
    account=st.just(HOME.account),
    immutability=IMMUTABILITIES,
    exclusions=st.lists(PATTERNS, unique=True, max_size=MAX_EXCLUSIONS).map(tuple),
    scan_on_push=st.booleans(),
    encryption=st.sampled_from(["AES256", "KMS", "KMS_DSSE"]),
    tags=REPOSITORY_TAGS,
    lifecycle_policy=st.sampled_from([None, FOREIGN, "not JSON"]),
    access_policy=ACCESS_POLICIES,
    scanning=SCANNINGS,
).map(_possible)
MODES = st.sampled_from([str(mode) for mode in Mode])
FIELDS = st.fixed_dictionaries(
    {
        "tags.mode": MODES,
        "tags.immutability": IMMUTABILITIES,
        "tags.exclude": st.lists(PATTERNS, unique=True, max_size=4),
        "scanning.mode": MODES,
        "scanning.on_push": st.booleans(),
        "lifecycle.mode": MODES,
        "lifecycle.rules": RULES,
        "lifecycle.action": st.sampled_from(["archive", "delete"]),
        "lifecycle.caps.images": st.sampled_from([None, 5]),
        "access.mode": MODES,
        "access.forbid_public": st.booleans(),
        "access.accounts": st.sampled_from([None, [], ["444455556666"]]),
        "encryption.type": st.sampled_from([None, "AES256", "KMS"]),
        "repository_tags.required": st.sampled_from([[], ["owner"], ["owner", "cost"]]),
    }
)


def policy_of(fields: dict[str, Any], **more: Any) -> Policy:
    return a_policy(**{name.replace(".", "__"): value for name, value in fields.items()}, **more)


def applied(seen: RepositoryObservation, action: Action) -> RepositoryObservation:
    """What ECR would say after the action; the settings it replaces are replaced whole, as ECR does."""
    match action.kind:
        case ActionKind.SET_TAG_IMMUTABILITY:
            return replace(seen, immutability=action.immutability, exclusions=action.exclusions)
        case ActionKind.SET_SCAN_ON_PUSH:
            return replace(seen, scan_on_push=action.scan_on_push)
        case ActionKind.SET_ACCESS_POLICY:
            return replace(seen, access_policy=action.access_policy)
        case ActionKind.DELETE_ACCESS_POLICY:
            return replace(seen, access_policy=None)
        case _:
            raise AssertionError(f"never taken: {action.kind}")


@UNHURRIED
@given(OBSERVATIONS, FIELDS)
def test_applying_a_plan_leaves_only_what_needs_a_person(seen: RepositoryObservation, fields: dict[str, Any]) -> None:
    standard = standard_of(policy_of(fields), APP, seen.tags)
    actions = plan(seen, standard)
    for action in actions:
        seen = seen if action.blocked else applied(seen, action)
    left = plan(seen, standard)
    assert [action.kind for action in left] == [action.kind for action in actions if action.blocked]
    assert all(action.blocked for action in left)


@UNHURRIED
@given(OBSERVATIONS, FIELDS, st.integers(0, 99))
def test_the_order_of_what_is_planned_from_means_nothing(
    seen: RepositoryObservation, fields: dict[str, Any], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a shuffle that can be repeated

    def shuffled(values: Any) -> Any:
        return chance.sample(list(values), len(values))

    other = replace(
        seen,
        exclusions=tuple(shuffled(seen.exclusions)),
        tags=dict(shuffled(seen.tags.items())),
        lifecycle_policy=_respelled(seen.lifecycle_policy),
    )
    accounts = fields["access.accounts"]
    reordered = {
        **dict(shuffled(fields.items())),
        "tags.exclude": shuffled(fields["tags.exclude"]),
        "repository_tags.required": shuffled(fields["repository_tags.required"]),
        "access.accounts": accounts and shuffled(accounts),
    }
    one = plan(seen, standard_of(policy_of(fields), APP, seen.tags))
    two = plan(other, standard_of(policy_of(reordered), APP, other.tags))
    assert [replace(action, original="") for action in one] == [replace(action, original="") for action in two]


def _respelled(text: str | None) -> str | None:
    """The same JSON with its keys in another order and more spaces."""
    if text is None or not text.startswith("{"):
        return text
    return json.dumps(json.loads(text), indent=3, sort_keys=True)


@UNHURRIED
@given(OBSERVATIONS, FIELDS)
def test_nothing_is_to_be_changed_in_report_mode_or_off(seen: RepositoryObservation, fields: dict[str, Any]) -> None:
    modes = {name: "report" if value == "enforce" else value for name, value in fields.items() if name.endswith("mode")}
    harmless = policy_of({**fields, **modes, "encryption.mode": "report", "repository_tags.mode": "report"})
    actions = plan(seen, standard_of(harmless, APP, seen.tags))
    assert {action.mode for action in actions} <= {Mode.REPORT}


@UNHURRIED
@given(OBSERVATIONS, FIELDS)
def test_a_plan_is_in_a_safe_order_and_says_why(seen: RepositoryObservation, fields: dict[str, Any]) -> None:
    actions = plan(seen, standard_of(policy_of(fields), APP, seen.tags))
    kinds = list(ActionKind)
    assert [kinds.index(action.kind) for action in actions] == sorted(kinds.index(action.kind) for action in actions)
    assert [action.destroys for action in actions] == sorted(action.destroys for action in actions)
    assert all(action.reason and action.origin and action.before != action.after for action in actions)
    assert all(len(action.exclusions) <= MAX_EXCLUSIONS or action.blocked for action in actions)


OVERRIDES = st.dictionaries(
    st.sampled_from([f"{PREFIX}{name}" for name in DEFAULTS]) | st.text(max_size=12).map(lambda text: PREFIX + text),
    st.sampled_from(
        [
            *(
                "true",
                "false",
                "CRITICAL",
                "HIGH",
                "LOW",
                "UNDEFINED",
                "1d",
                "90d",
                "ignore",
                "tell",
                "put_back",
                "off",
            ),
            *("enforce", *map(str, Immutability), *ACCOUNTS, "444455556666 999988887777", "team-a", "other", "KMS"),
        ]
    )
    | st.text(max_size=12),
    max_size=5,
)


@UNHURRIED
@given(
    FIELDS,
    OVERRIDES,
    st.sampled_from(["ignore", "tell", "put_back"]),
    st.sampled_from([None, 7]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([("CRITICAL", "CRITICAL"), ("HIGH", "CRITICAL"), ("LOW", "MEDIUM")]),
)
def test_a_repositorys_tag_never_loosens_a_standard(
    fields: dict[str, Any],
    tags: dict[str, str],
    moves: str,
    rescan_after: int | None,
    fixable_only: bool,
    new_only: bool,
    thresholds: tuple[str, str],
) -> None:
    policy = policy_of(
        {
            **fields,
            "tags.moves": moves,
            "scanning.rescan_after": rescan_after,
            "findings.fixable_only": fixable_only,
            "findings.new_only": new_only,
            "findings.notify_from": thresholds[0],
            "findings.block_from": thresholds[1],
        },
        open_channels=["team-a"],
    )
    before, after = standard_of(policy, APP, {}), standard_of(policy, APP, tags)
    _assert_no_looser(before, after)
    assert set(after.channels) <= {*before.channels, "team-a"}


TAGS = ["latest", "dev-1", "sha256-0", "v1", "main", "x-rc", "pr-7", "v1-rc", "anything"]


def _assert_no_looser(before: Standard, after: Standard) -> None:
    """Tightness, written again and otherwise than in the code."""
    assert (after.tags.mode, after.scanning.mode, after.access.mode) == (
        before.tags.mode,
        before.scanning.mode,
        before.access.mode,
    )
    frozen_before = {tag for tag in TAGS if not _may_move(before, tag)}
    frozen_after = {tag for tag in TAGS if not _may_move(after, tag)}
    assert frozen_before <= frozen_after | {"sha256-0"}  # signatures may move wherever tags are immutable
    assert ["ignore", "tell", "put_back"].index(after.tags.moves) >= ["ignore", "tell", "put_back"].index(
        before.tags.moves
    )
    assert after.scanning.on_push or not before.scanning.on_push
    assert before.scanning.rescan_after_days is None or (
        after.scanning.rescan_after_days is not None
        and after.scanning.rescan_after_days <= before.scanning.rescan_after_days
    )
    worst_first = list(Severity)
    for name in ("notify_from", "block_from"):
        assert worst_first.index(getattr(after.findings, name)) >= worst_first.index(getattr(before.findings, name))
    assert worst_first.index(after.findings.block_from) <= worst_first.index(after.findings.notify_from)
    assert before.findings.fixable_only or not after.findings.fixable_only
    assert before.findings.new_only or not after.findings.new_only
    assert after.lifecycle == before.lifecycle
    assert after.promotion == before.promotion
    assert after.access.forbid_public or not before.access.forbid_public
    assert before.access.accounts is None or set(after.access.accounts or ()) <= set(before.access.accounts)
    assert (before.access.accounts is None) >= (after.access.accounts is None)


def _may_move(standard: Standard, tag: str) -> bool:
    starts = [pattern.split("*") for pattern in standard.tags.exclude]
    listed = any(
        tag == parts[0] if len(parts) == 1 else tag.startswith(parts[0]) and tag.endswith(parts[-1]) for parts in starts
    )
    return {
        "MUTABLE": True,
        "MUTABLE_WITH_EXCLUSION": not listed,
        "IMMUTABLE_WITH_EXCLUSION": listed,
        "IMMUTABLE": listed,
    }[standard.tags.immutability]
