"""The shape of what each function needs: its events, its permissions, its queue's figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from infra.grants import REPOSITORIES, Resource, ResourcesOf, Wanted, always, repositories

REGISTRY_WIDE = frozenset(
    {
        "DescribeJobDefinitions",
        "DescribeTaskDefinition",
        "GetAuthorizationToken",
        "GetRegistryScanningConfiguration",
        "ListClusters",
        "ListCoverage",
        "ListFindings",
        "ListFunctions",
        "ListServices",
        "ListTasks",
    }
)
"""Actions that know no resource, or, as ListTasks does, only resources that nobody has to have.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html and the
pages beside it for Amazon Inspector, ECS, EKS, Lambda, Batch and App Runner.
"""
LEAST_RECEIVES = 5
"""Fewer tries than this and a throttled hour empties a queue into its dead letters.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""
MOST_AT_ONCE = 10
"""Larger batches need a batching window, and a message more that waits is a scan that is told later."""


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions on ECR or another service, all for one reason; `sid` names the statement in the role's policy.

    The permission is given only where it is `wanted`, on `resources`, which are those `of` the policy.
    """

    sid: str
    actions: tuple[str, ...]
    why: str
    wanted: Wanted = always
    service: str = "ecr"
    of: ResourcesOf = repositories
    resources: tuple[Resource, ...] = REPOSITORIES

    def __post_init__(self) -> None:
        """Raises ValueError where one statement would have to name two kinds of resources, or a pattern of actions."""
        if not self.actions or any("*" in action for action in self.actions):
            raise ValueError(f"{self.sid}: expected exact actions, got {self.actions}")
        if len({action in REGISTRY_WIDE for action in self.actions}) > 1:
            raise ValueError(f"{self.sid}: {self.actions} don't have the same resource")

    @property
    def is_registry_wide(self) -> bool:
        """Whether its actions know no resource."""
        return self.actions[0] in REGISTRY_WIDE

    def under(self, compiled: Mapping[str, Any]) -> "Permission":
        """The permission on the resources that this policy asks about."""
        return self if self.is_registry_wide else replace(self, resources=self.of(compiled))


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

    `events` reach its queue, each by a rule of its own; `ecr` is what it may ask of ECR, of Inspector, and of services
    that run images, `ledger` are the DynamoDB actions on the ledger, `sends_to` environment variables and the function
    whose queue each names. `timeout` is in seconds, `memory` in MiB; `max_receives` is how often a message is tried.
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
        wanted = (permission.under(compiled) for permission in self.ecr if permission.wanted(compiled))
        return replace(self, ecr=tuple(permission for permission in wanted if permission.resources))

    @property
    def title(self) -> str:
        """The name as CloudFormation writes names.

        >>> FunctionSpec("image_pushed", "", ledger=()).title
        'ImagePushed'
        """
        return "".join(word.capitalize() for word in self.name.split("_"))
