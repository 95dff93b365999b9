"""Reading ECR's answers: what is cut short is unknown, and never empty."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from warden.errors import Unavailable
from warden.images import Image
from warden.manifests import INDEX_TYPES
from warden.names import Digest, ImageId, RepositoryName, Tag
from warden.observations import RegistryScanning, RepositorySettings, ScanningRule


@contextmanager
def whole(operation: str) -> Iterator[None]:
    """A 200 that was cut short parses to less than it should: Unavailable is raised where anything is missing."""
    try:
        yield
    except (KeyError, IndexError) as missing:
        raise Unavailable(f"AWS's answer to {operation} lacks {missing}: nothing is concluded from it") from None


def code(error: ClientError) -> str:
    """The name of the error, such as RepositoryNotFoundException."""
    return error.response["Error"]["Code"]


def message(error: ClientError) -> str:
    """What ECR says of the error."""
    return error.response["Error"]["Message"]


def image(repository: RepositoryName, detail: Mapping[str, Any]) -> Image:
    """One image of DescribeImages."""
    return Image(
        ImageId(repository, Digest(detail["imageDigest"])),
        tuple(Tag(tag) for tag in detail.get("imageTags") or ()),
        detail["imagePushedAt"],
        is_index=detail.get("imageManifestMediaType") in INDEX_TYPES,
    )


def scans_on_push(described: Mapping[str, Any]) -> bool:
    """The scan setting of one repository of DescribeRepositories."""
    return bool(described.get("imageScanningConfiguration", {}).get("scanOnPush", False))


def settings(described: Mapping[str, Any]) -> RepositorySettings:
    """One repository of DescribeRepositories."""
    return RepositorySettings(
        name=RepositoryName(described["repositoryName"]),
        account=described["registryId"],
        immutability=described["imageTagMutability"],
        exclusions=tuple(filter_["filter"] for filter_ in described.get("imageTagMutabilityExclusionFilters") or ()),
        scan_on_push=scans_on_push(described),
        encryption=described["encryptionConfiguration"]["encryptionType"],
        created_at=described["createdAt"],
    )


def scanning(configuration: Mapping[str, Any]) -> RegistryScanning:
    """The configuration of GetRegistryScanningConfiguration."""
    return RegistryScanning(
        enhanced=configuration["scanType"] == "ENHANCED",
        rules=tuple(
            ScanningRule(rule["scanFrequency"], tuple(filter_["filter"] for filter_ in rule["repositoryFilters"]))
            for rule in configuration["rules"]
        ),
    )
