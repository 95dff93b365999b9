"""What runs on Amazon EKS, as Amazon Inspector knows it: in how many pods it sees each image that it scans.

A cluster's own API is not asked: it may be out of our reach, and lets in only whom its owner names.
https://docs.aws.amazon.com/inspector/latest/user/scanning-ecr.html
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from warden import answers
from warden.errors import Unavailable
from warden.events import Home
from warden.inventory.asking import Incomplete, Unseen
from warden.names import Digest, RepositoryName, is_digest, is_repository_name
from warden.registry import Registry
from warden.usage import Use

if TYPE_CHECKING:
    from mypy_boto3_eks import EKSClient
    from mypy_boto3_inspector2 import Inspector2Client

IMAGES_A_PAGE = 200
CLUSTERS_A_PAGE = 100
NOT_SCANNED = "Amazon Inspector does not scan this repository, so that EKS may use its images unseen"


class Eks:
    """Amazon EKS in this account and region."""

    def __init__(self, eks: "EKSClient", inspector: "Inspector2Client", registry: Registry) -> None:
        """`eks` and `inspector` are clients of the two, `registry` says whether Inspector scans, and what."""
        self._eks_client = eks
        self._inspector_client = inspector
        self._registry = registry

    def uses(self, home: Home) -> Iterator[Use | Unseen]:
        """The images that Inspector sees in use, and the repositories that it does not look at.

        Raises Incomplete where there are clusters, and Inspector scans nothing.
        """
        if not has_clusters(self._eks_client):
            return
        scanning = self._registry.scanning()
        if not scanning.enhanced:
            raise Incomplete(
                "there are EKS clusters, and only Amazon Inspector knows which images they use: enable enhanced "
                "scanning, or leave `eks` out of inventory.sources and name in inventory.functions a function of "
                "your own that knows"
            )
        names = (settings.name for settings in self._registry.listing())
        yield from (Unseen(name, NOT_SCANNED) for name in names if not scanning.scans_on_push(name))
        yield from self._in_use(home)

    def _in_use(self, home: Home) -> Iterator[Use]:
        pages = self._inspector_client.get_paginator("list_coverage").paginate(
            filterCriteria={
                "resourceType": [{"comparison": "EQUALS", "value": "AWS_ECR_CONTAINER_IMAGE"}],
                "accountId": [{"comparison": "EQUALS", "value": home.account}],
                "ecrImageInUseCount": [{"lowerInclusive": 1}],
            },
            PaginationConfig={"PageSize": IMAGES_A_PAGE},
        )
        for page in pages:
            with answers.whole("ListCoverage"):
                arns = [resource["resourceId"] for resource in page["coveredResources"]]
            yield from (_use(arn) for arn in arns)


def has_clusters(client: "EKSClient") -> bool:
    """Whether there is any EKS cluster where the client asks."""
    for page in client.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": CLUSTERS_A_PAGE}):
        with answers.whole("ListClusters"):
            if page["clusters"]:
                return True
    return False


class EksElsewhere:
    """Amazon EKS in another account or region: of these Inspector's data here need not say anything."""

    def __init__(self, eks: "EKSClient") -> None:
        """`eks` is an EKS client there."""
        self._eks_client = eks

    def uses(self, _home: Home) -> Iterator[Use]:
        """None where there are no clusters. Raises Incomplete where there are."""
        if has_clusters(self._eks_client):
            raise Incomplete(
                "there are EKS clusters, and Amazon Inspector here need not see what they use: name in "
                "inventory.functions a function of your own that knows"
            )
        return iter(())


def _use(arn: str) -> Use:
    """A covered image is named by its ARN: `…:repository/NAME/sha256:…`. Raises Unavailable for anything else."""
    name, _, digest = arn.partition(":repository/")[2].rpartition("/")
    if not (is_repository_name(name) and is_digest(digest)):
        raise Unavailable(f"Amazon Inspector names an image in use {arn[:200]!r}, which is not an image's ARN")
    return Use(RepositoryName(name), Digest(digest), "ECS or EKS, as Amazon Inspector sees it")
