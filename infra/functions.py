"""What each function needs, as data: this drives its rule, queue, role, environment and the table in docs/iam.md."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

REGISTRY_WIDE = frozenset({"GetRegistryScanningConfiguration", "ListFindings"})
"""Actions that know no repository as their resource.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoninspector2.html
"""
LEAST_RECEIVES = 5
"""Fewer tries than this and a throttled hour empties a queue into its dead letters.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""
MOST_AT_ONCE = 10
"""Larger batches need a batching window, and a message more that waits is a scan that is told later."""


Wanted = Callable[[Mapping[str, Any]], bool]
"""Whether a compiled policy has any use for a permission."""


def says(field: str, value: str) -> Wanted:
    """Wanted where the defaults or a rule say that value of the field."""
    return lambda compiled: any(layer[field][0] == value for layer in _layers(compiled) if field in layer)


def asks(field: str) -> Wanted:
    """Wanted where the defaults or a rule say anything of the field."""
    return lambda compiled: any(layer[field][0] is not None for layer in _layers(compiled) if field in layer)


def has(key: str) -> Wanted:
    """Wanted where the policy has something under that key."""
    return lambda compiled: bool(compiled.get(key))


def always(_: Mapping[str, Any]) -> bool:
    """Wanted by every policy."""
    return True


def _layers(compiled: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return (compiled["defaults"], *(rule["fields"] for rule in compiled["rules"]))


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions on ECR or another service, all for one reason; `sid` names the statement in the role's policy.

    The permission is given only where it is `wanted`.
    """

    sid: str
    actions: tuple[str, ...]
    why: str
    wanted: Wanted = always
    service: str = "ecr"

    def __post_init__(self) -> None:
        """Raises ValueError where one statement would have to name two kinds of resources, or a pattern of actions."""
        if not self.actions or any("*" in action for action in self.actions):
            raise ValueError(f"{self.sid}: expected exact actions, got {self.actions}")
        if len({action in REGISTRY_WIDE for action in self.actions}) > 1:
            raise ValueError(f"{self.sid}: {self.actions} don't have the same resource")

    @property
    def is_registry_wide(self) -> bool:
        """Whether its actions know no repository as their resource."""
        return self.actions[0] in REGISTRY_WIDE


@dataclass(frozen=True, slots=True)
class Events:
    """The events that a function wants of one service, by `detail-type` and what else their detail must say."""

    detail_types: tuple[str, ...]
    source: str = "aws.ecr"
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError where the events are not known by their kind first."""
        if not self.detail_types:
            raise ValueError(f"{self.source}: an event is known by its detail-type first")


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One function. `name` is its module in `functions/`.

    `events` reach its queue, each by a rule of its own; `ecr` is what it may ask of ECR and of Inspector, `ledger` are
    the DynamoDB actions on the ledger, `sends_to` environment variables and the function whose queue each names.
    `timeout` is in seconds, `memory` in MiB; `max_receives` is how often a message is tried.
    """

    name: str
    purpose: str
    ledger: tuple[str, ...]
    events: tuple[Events, ...] = ()
    ecr: tuple[Permission, ...] = ()
    sends_to: Mapping[str, str] = field(default_factory=dict)
    reads_secrets: bool = False
    timeout: int = 60
    memory: int = 512
    batch_size: int = 10
    max_concurrency: int = 5
    max_receives: int = 10
    long_chains: bool = False
    """Messages to itself may follow on each other more than 16 times, at which Lambda would stop them as a loop.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """

    def __post_init__(self) -> None:
        """Raises ValueError for what would deploy and not work."""
        if not 1 <= self.batch_size <= MOST_AT_ONCE:
            raise ValueError(f"{self.name}: expected a batch of 1 to {MOST_AT_ONCE}, got {self.batch_size}")
        if self.max_receives < LEAST_RECEIVES:
            raise ValueError(f"{self.name}: expected at least {LEAST_RECEIVES} tries, got {self.max_receives}")
        if self.max_concurrency < 2:  # noqa: PLR2004 - Lambda's own bound
            raise ValueError(f"{self.name}: Lambda polls a queue with 2 at least, got {self.max_concurrency}")
        if self.long_chains and self.name not in self.sends_to.values():
            raise ValueError(f"{self.name}: only what sends to itself makes chains")

    def under(self, compiled: Mapping[str, Any]) -> "FunctionSpec":
        """The function with the permissions that this policy needs."""
        return replace(self, ecr=tuple(permission for permission in self.ecr if permission.wanted(compiled)))

    @property
    def title(self) -> str:
        """The name as CloudFormation writes names.

        >>> FunctionSpec("image_pushed", "", ledger=()).title
        'ImagePushed'
        """
        return "".join(word.capitalize() for word in self.name.split("_"))


_REGISTRY_SCANNING = Permission(
    "RegistryScanning",
    ("GetRegistryScanningConfiguration",),
    "the registry's scanning configuration, which wins over the repository's",
)
_STANDARD = (
    _REGISTRY_SCANNING,
    Permission(
        "ReadSettings",
        ("DescribeRepositories", "GetLifecyclePolicy", "GetRepositoryPolicy", "ListTagsForResource"),
        "the settings of a repository",
    ),
    Permission(
        "ApplyStandard",
        (
            "PutImageTagMutability",
            "PutImageScanningConfiguration",
            "PutLifecyclePolicy",
        ),
        "bringing them to the standard, where the policy says enforce",
    ),
    Permission(
        "CloseAccess",
        ("SetRepositoryPolicy", "DeleteRepositoryPolicy"),
        "taking forbidden principals out of a repository's policy",
        wanted=says("access.mode", "enforce"),
    ),
)
_REPOSITORY_TAGS = Permission(
    "ReadTags", ("ListTagsForResource",), "a repository's own tags, which tighten its standard"
)

FUNCTIONS = (
    FunctionSpec(
        "notify",
        "posts notices to chat",
        ledger=("PutItem", "GetItem"),
        reads_secrets=True,
        max_concurrency=2,  # chat takes about one message a second and channel
        max_receives=100,  # held back for a quarter of an hour each: a channel that is down for a day loses nothing
    ),
    FunctionSpec(
        "scan_finished",
        "judges what a scan found",
        ledger=("PutItem", "GetItem", "Query"),
        events=(
            Events(("ECR Image Scan",)),
            Events(("Inspector2 Scan",), source="aws.inspector2", detail={"repository-name": [{"exists": True}]}),
            Events(
                ("Inspector2 Finding",),
                source="aws.inspector2",
                detail={"resources": {"type": ["AWS_ECR_CONTAINER_IMAGE"]}},
            ),
        ),
        ecr=(
            Permission("ReadImages", ("DescribeImages", "BatchGetImage"), "tags, and the platforms of an index"),
            Permission("ReadFindings", ("DescribeImageScanFindings",), "what the scan found"),
            Permission(
                "ReadLabels",
                ("GetDownloadUrlForLayer",),
                "the labels in an image's configuration, where the policy's owners go by them",
                wanted=has("owners"),
            ),
            Permission(
                "ReadEpss",
                ("ListFindings",),
                "the EPSS of findings, where the policy asks for it",
                wanted=asks("findings.epss_from"),
                service="inspector2",
            ),
            _REPOSITORY_TAGS,
        ),
        sends_to={"WARDEN_NOTICES": "notify", "WARDEN_QUEUE": "scan_finished"},
    ),
    FunctionSpec(
        "image_pushed",
        "starts scans of pushed images, and watches their tags",
        ledger=("PutItem", "GetItem", "Query"),
        events=(Events(("ECR Image Action",), detail={"action-type": ["PUSH"], "result": ["SUCCESS"]}),),
        ecr=(
            _REGISTRY_SCANNING,
            Permission("ReadSettings", ("DescribeRepositories",), "whether ECR scans its pushes by itself"),
            Permission("ReadManifests", ("BatchGetImage",), "what was pushed: an image, an index, an artifact"),
            Permission("StartScans", ("StartImageScan",), "starting the scan"),
            _REPOSITORY_TAGS,
            Permission("ReadImages", ("DescribeImages",), "which image a tag has now"),
            Permission(
                "PutTagsBack",
                ("PutImage", "BatchDeleteImage"),
                "giving a tag back to the image that had it, where the policy says so; the last tag is never taken",
                wanted=says("tags.moves", "put_back"),
            ),
        ),
        sends_to={"WARDEN_JUDGEMENTS": "scan_finished", "WARDEN_NOTICES": "notify"},
    ),
    FunctionSpec(
        "repository_changed",
        "brings a changed repository back to its standard",
        ledger=("PutItem", "Query"),
        events=(
            Events(
                ("AWS API Call via CloudTrail",),
                detail={
                    "eventSource": ["ecr.amazonaws.com"],
                    "eventName": [
                        "CreateRepository",
                        "PutImageTagMutability",
                        "PutImageScanningConfiguration",
                        "PutLifecyclePolicy",
                        "DeleteLifecyclePolicy",
                        "SetRepositoryPolicy",
                        "DeleteRepositoryPolicy",
                        "TagResource",
                        "UntagResource",
                    ],
                },
            ),
        ),
        ecr=_STANDARD,
        sends_to={"WARDEN_NOTICES": "notify"},
    ),
    FunctionSpec(
        "sweep",
        "looks at every repository once a day",
        ledger=("PutItem", "GetItem", "UpdateItem", "Query"),
        ecr=(*_STANDARD, Permission("ReadImages", ("DescribeImages",), "recent images without a verdict")),
        sends_to={
            "WARDEN_JUDGEMENTS": "scan_finished",
            "WARDEN_NOTICES": "notify",
            "WARDEN_PUSHES": "image_pushed",
            "WARDEN_QUEUE": "sweep",
        },
        timeout=120,
        batch_size=1,  # a repository of 100,000 images takes a hundred pages
        long_chains=True,  # the summary of a large account waits for hours, a quarter of an hour a message
    ),
)
"""In an order in which each function sends only to those before it, or to itself."""
