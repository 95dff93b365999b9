"""What each function needs, as data: this drives its rule, queue, role, environment and the table in docs/iam.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions on ECR and why they are needed; `registry` where the action knows no repository as its resource."""

    actions: tuple[str, ...]
    why: str
    registry: bool = False


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One function. `name` is its module in `functions/`; `sends_to` maps an environment variable to a function's name.

    `timeout` is in seconds, `memory` in MiB; `max_receives` is how often a message is tried.
    """

    name: str
    purpose: str
    detail_type: str | None = None
    detail: Mapping[str, list[str]] = field(default_factory=dict)
    ecr: tuple[Permission, ...] = ()
    ledger: tuple[str, ...] = ("PutItem",)
    sends_to: Mapping[str, str] = field(default_factory=dict)
    reads_secrets: bool = False
    timeout: int = 60
    memory: int = 512
    batch_size: int = 10
    max_concurrency: int = 5
    max_receives: int = 10

    @property
    def title(self) -> str:
        """The name as CloudFormation writes names.

        >>> FunctionSpec("image_pushed", "").title
        'ImagePushed'
        """
        return "".join(word.capitalize() for word in self.name.split("_"))


_REGISTRY_SCANNING = Permission(
    ("GetRegistryScanningConfiguration",), "the registry's scanning wins over the repository's", registry=True
)
_STANDARD = (
    _REGISTRY_SCANNING,
    Permission(("DescribeRepositories", "GetLifecyclePolicy"), "observe the settings"),
    Permission(
        ("PutImageTagMutability", "PutImageScanningConfiguration", "PutLifecyclePolicy"),
        "bring them to the standard, where the policy enforces it",
    ),
)

FUNCTIONS = (
    FunctionSpec(
        "notify",
        "posts notices to chat",
        reads_secrets=True,
        max_concurrency=2,
        max_receives=100,  # a channel that is down for a day loses nothing
    ),
    FunctionSpec(
        "scan_finished",
        "judges what a scan found",
        detail_type="ECR Image Scan",
        ecr=(
            Permission(("DescribeImages", "BatchGetImage"), "tags, and the platforms of an index"),
            Permission(("DescribeImageScanFindings",), "the findings"),
        ),
        ledger=("PutItem", "GetItem", "Query"),
        sends_to={"WARDEN_NOTICES": "notify", "WARDEN_QUEUE": "scan_finished"},
    ),
    FunctionSpec(
        "image_pushed",
        "starts scans of pushed images",
        detail_type="ECR Image Action",
        detail={"action-type": ["PUSH"], "result": ["SUCCESS"]},
        ecr=(
            _REGISTRY_SCANNING,
            Permission(("BatchGetImage",), "what was pushed: an image, an index, an artifact"),
            Permission(("DescribeRepositories",), "whether ECR scans its pushes by itself"),
            Permission(("StartImageScan",), "start the scan"),
        ),
        sends_to={"WARDEN_JUDGEMENTS": "scan_finished"},
    ),
    FunctionSpec(
        "repository_changed",
        "brings a changed repository back to its standard",
        detail_type="AWS API Call via CloudTrail",
        detail={
            "eventSource": ["ecr.amazonaws.com"],
            "eventName": [
                "CreateRepository",
                "PutImageTagMutability",
                "PutImageScanningConfiguration",
                "PutLifecyclePolicy",
                "DeleteLifecyclePolicy",
            ],
        },
        ecr=_STANDARD,
        sends_to={"WARDEN_NOTICES": "notify"},
    ),
    FunctionSpec(
        "sweep",
        "looks at every repository once a day",
        ecr=(*_STANDARD, Permission(("DescribeImages",), "recent images without a verdict")),
        ledger=("PutItem", "GetItem", "UpdateItem", "Query"),
        sends_to={"WARDEN_NOTICES": "notify", "WARDEN_PUSHES": "image_pushed", "WARDEN_QUEUE": "sweep"},
        timeout=120,
        batch_size=1,  # a repository of 100,000 images takes a hundred pages
    ),
)
"""In an order in which each function sends only to those before it, or to itself."""
