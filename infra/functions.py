"""What each function needs, as data: this drives its rule, queue, role, environment and the table in docs/iam.md."""

from infra.grants import (
    asks,
    has,
    looks_at_labels,
    promotes,
    promotion_roles,
    prunes,
    release_repositories,
    says,
)
from infra.specs import Events, FunctionSpec, Permission
from infra.who_uses import WHO_USES

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
        ("PutImageTagMutability", "PutImageScanningConfiguration"),
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
        "prune",
        "lets old images leave, and none that is needed",
        ledger=("PutItem", "GetItem", "UpdateItem", "Query", "BatchWriteItem"),
        events=(
            Events(
                ("ECR Image Action",),
                detail={"action-type": ["DELETE", "UPDATE_STORAGE_CLASS"], "result": ["SUCCESS"]},
            ),
            Events(
                ("AWS Service Event via CloudTrail",),
                detail={"eventSource": ["ecr.amazonaws.com"], "eventName": ["PolicyExecutionEvent"]},
            ),
        ),
        ecr=(
            Permission(
                "ReadSettings",
                ("DescribeRepositories", "GetLifecyclePolicy", "ListTagsForResource"),
                "the settings of a repository",
            ),
            Permission("ReadImages", ("DescribeImages", "BatchGetImage"), "all images, and what indexes list"),
            Permission(
                "Preview",
                ("StartLifecyclePolicyPreview", "GetLifecyclePolicyPreview"),
                "what ECR itself says would leave by a policy, before it is put",
            ),
            Permission(
                "ReadLabels",
                ("GetDownloadUrlForLayer",),
                "the labels in an image's configuration, where a lifecycle rule goes by one",
                wanted=looks_at_labels,
            ),
            Permission(
                "Prune",
                (
                    "PutLifecyclePolicy",
                    "DeleteLifecyclePolicy",
                    "PutImage",
                    "BatchDeleteImage",
                    "UpdateImageStorageClass",
                ),
                "putting the policy, leasing what must live, and what ECR's rules can't do",
                wanted=prunes,
            ),
        ),
        sends_to={"WARDEN_NOTICES": "notify", "WARDEN_QUEUE": "prune"},
        timeout=600,
        memory=1024,
        batch_size=1,  # a repository of 100,000 images takes a hundred pages, and its preview a thousand
        max_concurrency=2,  # each waits for ECR's previews most of the time; writes are paced for two at once
        long_chains=True,  # the summary of a large account waits for hours, a quarter of an hour a message
    ),
    FunctionSpec(
        "promote",
        "copies images that pass to their release repositories",
        ledger=("PutItem", "GetItem", "DeleteItem", "Query"),
        ecr=(
            _REPOSITORY_TAGS,
            Permission("ReadImages", ("DescribeImages",), "the image, and its tags"),
            Permission(
                "ReadContents",
                ("BatchGetImage", "GetDownloadUrlForLayer"),
                "manifests with what is about them, and the layers of an image that is promoted",
                wanted=promotes,
            ),
            Permission(
                "Release",
                (
                    "CreateRepository",
                    "TagResource",
                    "DescribeRepositories",
                    "DescribeImages",
                    "BatchCheckLayerAvailability",
                    "InitiateLayerUpload",
                    "UploadLayerPart",
                    "CompleteLayerUpload",
                    "PutImage",
                ),
                "making release repositories, and putting images there, where the policy says enforce",
                wanted=promotes,
                of=release_repositories,
            ),
            Permission(
                "MountLayers",
                ("GetAuthorizationToken",),
                "asking the registry to take a layer over from another repository without sending it",
                wanted=promotes,
            ),
            Permission(
                "ReleaseElsewhere",
                ("AssumeRole",),
                "writing to release repositories of other accounts, by the roles that the policy names",
                wanted=promotes,
                service="sts",
                of=promotion_roles,
            ),
        ),
        sends_to={"WARDEN_NOTICES": "notify", "WARDEN_PRUNES": "prune", "WARDEN_QUEUE": "promote"},
        timeout=900,
        batch_size=1,  # a large image takes all of an invocation, and goes on in another
        max_concurrency=3,
        max_receives=60,  # held back for twenty seconds each while another message copies the same image
        long_chains=True,  # an image of hundreds of gigabytes takes more than 16 invocations
    ),
    FunctionSpec(
        "quarantine",
        "keeps images that block from being deployed, and releases them",
        ledger=("PutItem", "GetItem", "DeleteItem", "Query"),
        ecr=(
            Permission("ReadTags", ("ListTagsForResource",), "a repository's own tags: its standard, and its state"),
            Permission(
                "ReadImages", ("DescribeImages", "BatchGetImage"), "the image, its tags, and the indexes that list it"
            ),
            Permission("ReadAccess", ("GetRepositoryPolicy",), "whether pulls from a repository are denied already"),
            Permission(
                "MoveTagsAside",
                ("PutImage", "BatchDeleteImage"),
                "giving an image another tag in place of each, and that one back; the last tag is never taken",
                wanted=says("quarantine.mode", "enforce"),
            ),
            Permission(
                "DenyPulls",
                ("SetRepositoryPolicy", "DeleteRepositoryPolicy"),
                "putting one statement into a repository's policy, and taking it out",
                wanted=says("quarantine.mode", "enforce"),
            ),
            Permission(
                "TellState",
                ("TagResource", "UntagResource"),
                "the tag of a repository that says that an image of it is in quarantine",
                wanted=says("quarantine.mode", "enforce"),
            ),
        ),
        sends_to={"WARDEN_NOTICES": "notify", "WARDEN_PROMOTIONS": "promote"},
        timeout=300,
        batch_size=1,  # who uses an image is looked up among all of its repository: a hundred pages at most
        max_receives=100,  # held back for twenty seconds each while another image of its repository has its turn
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
        sends_to={
            "WARDEN_NOTICES": "notify",
            "WARDEN_PROMOTIONS": "promote",
            "WARDEN_QUARANTINES": "quarantine",
            "WARDEN_QUEUE": "scan_finished",
        },
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
        sends_to={"WARDEN_JUDGEMENTS": "scan_finished", "WARDEN_NOTICES": "notify", "WARDEN_PRUNES": "prune"},
    ),
    FunctionSpec(
        "inventory",
        "finds what is in use",
        ledger=("PutItem", "GetItem", "UpdateItem", "Query", "BatchWriteItem"),
        ecr=(
            Permission("ListRepositories", ("DescribeRepositories",), "the repositories that prune has to look at"),
            *WHO_USES,
        ),
        sends_to={"WARDEN_PRUNES": "prune", "WARDEN_QUEUE": "inventory"},
        timeout=600,
        batch_size=1,  # a part of a large account takes minutes
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
        sends_to={"WARDEN_NOTICES": "notify", "WARDEN_PRUNES": "prune"},
    ),
    FunctionSpec(
        "sweep",
        "looks at every repository once a day",
        ledger=("PutItem", "GetItem", "UpdateItem", "Query"),
        ecr=(
            *_STANDARD,
            Permission("ReadImages", ("DescribeImages",), "images without a verdict, with an old scan, in quarantine"),
            Permission(
                "LookForImages",
                ("ListImages",),
                "whether a repository is empty, where the policy asks for that",
                wanted=asks("empty.after"),
            ),
            Permission(
                "DeleteEmpty",
                ("DeleteRepository",),
                "deleting empty repositories that nobody needs, never by force, where the policy says enforce",
                wanted=says("empty.mode", "enforce"),
            ),
        ),
        sends_to={
            "WARDEN_INVENTORIES": "inventory",
            "WARDEN_JUDGEMENTS": "scan_finished",
            "WARDEN_NOTICES": "notify",
            "WARDEN_PUSHES": "image_pushed",
            "WARDEN_QUARANTINES": "quarantine",
            "WARDEN_QUEUE": "sweep",
        },
        timeout=120,
        batch_size=1,  # a repository of 100,000 images takes a hundred pages
        long_chains=True,  # the summary of a large account waits for hours, a quarter of an hour a message
    ),
)
"""In an order in which each function sends only to those before it, or to itself."""
