"""The plan: what would bring a repository, as observed, to its standard. Pure: facts in, actions out.

Ordered so that a half-applied plan is never worse than none: what protects comes first, what destroys comes last.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from warden import lifecycle
from warden.names import ImageId, RepositoryName
from warden.policy import Immutability, LifecycleAction, Mode, Standard
from warden.wildcard import matches

MAX_EXCLUSIONS = 5
"""How many exclusion filters a repository can have (PutImageTagMutability)."""


class ActionKind(StrEnum):
    """The ECR mutation that an action makes."""

    SET_TAG_IMMUTABILITY = "set tag immutability"
    SET_SCAN_ON_PUSH = "set scan on push"
    PUT_LIFECYCLE_POLICY = "put lifecycle policy"


@dataclass(frozen=True, slots=True)
class RepositoryObservation:
    """What ECR said of one repository. `lifecycle_policy` is its text, or None where there is none."""

    name: RepositoryName
    immutability: str
    exclusions: tuple[str, ...]
    scan_on_push: bool
    lifecycle_policy: str | None


@dataclass(frozen=True, slots=True)
class ScanningRule:
    """One rule of the registry's scanning configuration: how often, for which repository names."""

    frequency: str
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegistryScanning:
    """The registry's own scanning configuration, which wins over what a repository says."""

    enhanced: bool
    rules: tuple[ScanningRule, ...] = ()

    def scans_on_push(self, repository: RepositoryName) -> bool:
        """Whether the registry scans this repository's pushes, whatever the repository itself says.

        A filter without a wildcard matches any name that contains it.
        https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-filters.html
        """
        return any(
            rule.frequency in {"SCAN_ON_PUSH", "CONTINUOUS_SCAN"}
            and any(matches(pattern if "*" in pattern else f"*{pattern}*", repository) for pattern in rule.filters)
            for rule in self.rules
        )


@dataclass(frozen=True, slots=True)
class Action:
    """One ECR mutation, or what one would be.

    `field`, `before` and `after` say what differs, for people; `origin` which place in the policy asked for it.
    `mode` is the standard's for this section: only an action in `enforce` is applied. `blocked` says why an action that
    the standard asks for can't be taken, and that a person must look.
    """

    kind: ActionKind
    repository: RepositoryName
    field: str
    before: str
    after: str
    origin: str
    mode: Mode
    immutability: str = ""
    exclusions: tuple[str, ...] = ()
    scan_on_push: bool = True
    lifecycle_policy: str = ""
    destroys: bool = False
    blocked: str = ""


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """The images whose scans are to be started, or the reason why none is.

    `results_come` says whether basic scanning gives results here at all.
    """

    images: tuple[ImageId, ...]
    reason: str
    results_come: bool


def plan_scans(
    images: tuple[ImageId, ...],
    *,
    repository_scans: bool,
    scanning: RegistryScanning,
    standard: Standard,
) -> ScanPlan:
    """Which of the images of one push need a scan to be started.

    `repository_scans` is the repository's own scan-on-push setting. A scan reads an image and changes nothing, so it is
    started in `report` mode too; only `off` stops it.
    """
    if scanning.enhanced:  # StartImageScan is refused: Inspector scans by itself
        return ScanPlan((), "the registry has enhanced scanning", results_come=False)
    if repository_scans or scanning.scans_on_push(standard.repository):
        return ScanPlan((), "ECR scans this repository's pushes by itself", results_come=True)
    if standard.scanning.mode is Mode.OFF or not standard.scanning.on_push:
        origin = standard.origins["scanning.on_push"]
        return ScanPlan((), f"the policy asks for no scans ({origin})", results_come=False)
    return ScanPlan(images, "", results_come=True)


class Result(StrEnum):
    """What came of an action."""

    DONE = "done"
    REPORTED = "would be done"
    BLOCKED = "needs a person"
    REFUSED = "refused by ECR"


@dataclass(frozen=True, slots=True)
class Deed:
    """An action with what came of it, and why where it was not done."""

    action: Action
    result: Result
    reason: str = ""

    @property
    def remark(self) -> str:
        """What there is to say besides the change itself: nothing where it was made."""
        return "" if self.result is Result.DONE else ": ".join(filter(None, (self.result, self.reason)))

    def __str__(self) -> str:
        """One line for people."""
        change = f"{self.action.field}: {self.action.before} → {self.action.after}"
        return f"{change} ({self.remark})" if self.remark else change


def plan(observation: RepositoryObservation, scanning: RegistryScanning, standard: Standard) -> tuple[Action, ...]:
    """The actions that would bring the repository to its standard; none where it complies."""
    steps = (_plan_tags(observation, standard), _plan_scanning(observation, scanning, standard))
    return tuple(action for action in (*steps, _plan_lifecycle(observation, standard)) if action)


def _plan_tags(observation: RepositoryObservation, standard: Standard) -> Action | None:
    """Exclusions that are there are merged, never wiped: another tool, or a person, put them there for a reason."""
    if standard.tags.mode is Mode.OFF or standard.tags.immutability is Immutability.MUTABLE:
        return None
    wanted = standard.tags.exclude
    # In MUTABLE_WITH_EXCLUSION the filters name the tags that may NOT move: they say the opposite.
    kept = observation.exclusions if observation.immutability == Immutability.IMMUTABLE_WITH_EXCLUSION else ()
    if observation.immutability == Immutability.IMMUTABLE_WITH_EXCLUSION and set(wanted) <= set(kept):
        return None
    merged = (*kept, *(pattern for pattern in wanted if pattern not in kept))
    immutability = Immutability.IMMUTABLE_WITH_EXCLUSION if merged else Immutability.IMMUTABLE
    if observation.immutability == immutability and not merged:
        return None
    return Action(
        kind=ActionKind.SET_TAG_IMMUTABILITY,
        repository=observation.name,
        field="tag immutability",
        before=_describe_tags(observation.immutability, observation.exclusions),
        after=_describe_tags(immutability, merged),
        origin=standard.origins["tags.immutability"],
        mode=standard.tags.mode,
        immutability=immutability,
        exclusions=merged,
        blocked=(
            f"{len(merged)} exclusion filters would be needed and ECR allows {MAX_EXCLUSIONS}: "
            "remove one from the repository or from the policy"
            if len(merged) > MAX_EXCLUSIONS
            else ""
        ),
    )


def _describe_tags(immutability: str, exclusions: tuple[str, ...]) -> str:
    if not exclusions:
        return immutability
    relation = "only" if immutability.startswith("MUTABLE") else "except"
    words = "IMMUTABLE" if relation in {"only", "except"} else immutability
    return f"{words} {relation} {', '.join(exclusions)}"


def _plan_scanning(observation: RepositoryObservation, scanning: RegistryScanning, standard: Standard) -> Action | None:
    """Under enhanced scanning, and where a registry rule covers the repository, its own setting means nothing."""
    if standard.scanning.mode is Mode.OFF or not standard.scanning.on_push:
        return None
    if scanning.enhanced or observation.scan_on_push or scanning.scans_on_push(observation.name):
        return None
    return Action(
        kind=ActionKind.SET_SCAN_ON_PUSH,
        repository=observation.name,
        field="scan on push",
        before="off",
        after="on",
        origin=standard.origins["scanning.on_push"],
        mode=standard.scanning.mode,
    )


def _plan_lifecycle(observation: RepositoryObservation, standard: Standard) -> Action | None:
    """Only where none is there: a policy that somebody wrote is not replaced without a preview."""
    text = lifecycle.render(standard.lifecycle)
    if standard.lifecycle.mode is Mode.OFF or text is None or observation.lifecycle_policy is not None:
        return None
    return Action(
        kind=ActionKind.PUT_LIFECYCLE_POLICY,
        repository=observation.name,
        field="lifecycle policy",
        before="none",
        after="; ".join(rule["description"] for rule in json.loads(text)["rules"]),
        origin=standard.origins["lifecycle.rules"],
        mode=standard.lifecycle.mode,
        lifecycle_policy=text,
        destroys=standard.lifecycle.action is LifecycleAction.DELETE,
    )
