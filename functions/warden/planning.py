"""The plan: what would bring a repository, as observed, to its standard. Pure: facts in, actions out.

Ordered so that a half-applied plan is never worse than none: what protects comes first, what destroys comes last.
"""

from warden import access, immutability
from warden.access import EVERYBODY
from warden.actions import Action, ActionKind
from warden.immutability import Setting
from warden.lifecycle.rendering import render
from warden.lifecycle.words import in_words, same
from warden.observations import RepositoryObservation
from warden.policy import Encryption, Immutability, LifecycleAction, Mode, Standard
from warden.text import clean

LONGEST_NAME = 120
LIFECYCLE_FIELD = "lifecycle policy"


def plan(observation: RepositoryObservation, standard: Standard) -> tuple[Action, ...]:
    """The actions that would bring the repository to its standard; none where it complies.

    How old images leave is planned by itself (see `prune_planning`): that takes more than the repository's settings.
    """
    steps = (
        _plan_access(observation, standard),
        _plan_access_review(observation, standard),
        _plan_tags(observation, standard),
        _plan_scanning(observation, standard),
        _plan_repository_tags(observation, standard),
        _plan_encryption(observation, standard),
    )
    return tuple(action for action in steps if action)


def _plan_access(observation: RepositoryObservation, standard: Standard) -> Action | None:
    """Only what lets the forbidden in is taken out; the rest of the policy is somebody's work."""
    judged = _judge_access(observation, standard)
    if not judged or not judged.forbidden:
        return None
    names = ", ".join(EVERYBODY if name == "*" else clean(name, LONGEST_NAME) for name in judged.forbidden)
    public = "*" in judged.forbidden
    field = "forbid_public" if public and standard.access.forbid_public else "accounts"
    return Action(
        kind=ActionKind.SET_ACCESS_POLICY if judged.mended else ActionKind.DELETE_ACCESS_POLICY,
        repository=observation.name,
        field="access",
        before=f"allows {names}",
        after=f"without {names}" if judged.mended else "no repository policy",
        reason="anybody can use the repository" if public else "accounts that the standard does not name can use it",
        origin=standard.origins[f"access.{field}"],
        mode=standard.access.mode,
        access_policy=judged.mended or "",
        original=observation.access_policy or "",
    )


def _plan_access_review(observation: RepositoryObservation, standard: Standard) -> Action | None:
    judged = _judge_access(observation, standard)
    if not judged or not judged.doubtful:
        return None
    return Action(
        kind=ActionKind.REVIEW_ACCESS_POLICY,
        repository=observation.name,
        field="access in doubt",
        before=judged.doubtful,
        after="a policy that names who may",
        reason="who can use the repository can't be told",
        origin=standard.origins["access.mode"],
        mode=standard.access.mode,
        blocked="a person must read the repository's policy: what can't be judged is not changed",
    )


def _judge_access(observation: RepositoryObservation, standard: Standard) -> access.Judged | None:
    if not standard.access.asks or observation.access_policy is None:
        return None
    return access.judge(observation.access_policy, observation.account, standard.access)


def _plan_tags(observation: RepositoryObservation, standard: Standard) -> Action | None:
    if standard.tags.mode is Mode.OFF:
        return None
    asked = Setting(standard.tags.immutability, standard.tags.exclude)
    seen = Setting(Immutability(observation.immutability), observation.exclusions)
    wanted = immutability.wanted(seen, asked)
    if wanted is None:
        return None
    return Action(
        kind=ActionKind.SET_TAG_IMMUTABILITY,
        repository=observation.name,
        field="tag immutability",
        before=str(seen),
        after=str(wanted.setting),
        reason=wanted.reason,
        origin=standard.origins["tags.immutability"],
        mode=standard.tags.mode,
        immutability=wanted.setting.immutability,
        exclusions=wanted.setting.patterns,
        blocked=wanted.blocked,
    )


def _plan_scanning(observation: RepositoryObservation, standard: Standard) -> Action | None:
    """Under enhanced scanning, and where a registry rule covers the repository, its own setting means nothing."""
    if standard.scanning.mode is Mode.OFF or not standard.scanning.on_push or observation.scan_on_push:
        return None
    if observation.scanning.enhanced or observation.scanning.scans_on_push(observation.name):
        return None
    return Action(
        kind=ActionKind.SET_SCAN_ON_PUSH,
        repository=observation.name,
        field="scan on push",
        before="off",
        after="on",
        reason="pushed images are not scanned by ECR",
        origin=standard.origins["scanning.on_push"],
        mode=standard.scanning.mode,
    )


def _plan_repository_tags(observation: RepositoryObservation, standard: Standard) -> Action | None:
    missing = sorted(set(standard.repository_tags.required) - set(observation.tags))
    if standard.repository_tags.mode is Mode.OFF or not missing:
        return None
    keys = ", ".join(missing)
    return Action(
        kind=ActionKind.TAG_REPOSITORY,
        repository=observation.name,
        field="repository tags",
        before=f"no {keys}",
        after=f"a value for {keys}",
        reason="the standard requires these tags of every repository",
        origin=standard.origins["repository_tags.required"],
        mode=standard.repository_tags.mode,
        blocked="only people know the values: tag it by aws ecr tag-resource, or where it is defined",
    )


def _plan_encryption(observation: RepositoryObservation, standard: Standard) -> Action | None:
    asked = standard.encryption.type
    if standard.encryption.mode is Mode.OFF or asked is None:
        return None
    if observation.encryption == asked or (asked, observation.encryption) in _STRICTER:
        return None
    return Action(
        kind=ActionKind.CHANGE_ENCRYPTION,
        repository=observation.name,
        field="encryption",
        before=observation.encryption,
        after=asked,
        reason="the repository is not encrypted as the standard asks",
        origin=standard.origins["encryption.type"],
        mode=standard.encryption.mode,
        blocked="ECR fixes it when a repository is made: make a new one, and copy the images that are needed",
    )


_STRICTER = frozenset(
    {
        (Encryption.AES256, Encryption.KMS),
        (Encryption.AES256, Encryption.KMS_DSSE),
        (Encryption.KMS, Encryption.KMS_DSSE),
    }
)
"""What is asked, and what is better than that."""


def plan_lifecycle(observation: RepositoryObservation, standard: Standard) -> Action | None:
    """The lifecycle policy, where another stands than the standard's; it is for the prune function to put, by its gate.

    A policy that means the same is none to be put; what another wrote is kept in the ledger.
    """
    rendered = render(standard.lifecycle)
    text, there = rendered.text, observation.lifecycle_policy
    if standard.lifecycle.mode is Mode.OFF or text is None or (there is not None and same(there, text)):
        return None
    return Action(
        kind=ActionKind.PUT_LIFECYCLE_POLICY,
        repository=observation.name,
        field=LIFECYCLE_FIELD,
        before="none" if there is None else in_words(there),
        after="; ".join(rule.description for rule in rendered.rules),
        reason="old images stay for ever" if there is None else "images leave by other rules than the standard's",
        origin=standard.origins["lifecycle.rules"],
        mode=standard.lifecycle.mode,
        lifecycle_policy=text,
        original=there or "",
        destroys=standard.lifecycle.action is LifecycleAction.DELETE,
    )
