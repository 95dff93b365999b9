"""What is known of a repository: as much as a plan is made from, and nothing of how it was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from warden.names import RepositoryName
from warden.wildcard import matches


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
class RepositorySettings:
    """What DescribeRepositories says of one repository; a listing says it of a thousand in one call.

    `created_at` is None where whoever wrote it down did not say.
    """

    name: RepositoryName
    account: str
    immutability: str
    exclusions: tuple[str, ...]
    scan_on_push: bool
    encryption: str
    created_at: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class RepositoryObservation(RepositorySettings):
    """What is known of one repository, and of the registry's scanning, which is the same for all.

    `tags` are those of the repository itself. `lifecycle_policy` and `access_policy` are texts, None where there is
    none, or where the standard does not ask for it, so that it was not read.
    """

    tags: Mapping[str, str]
    lifecycle_policy: str | None
    access_policy: str | None
    scanning: RegistryScanning
