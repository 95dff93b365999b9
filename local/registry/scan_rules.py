"""The registry's scanning rules: which repositories are scanned, and when.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-filters.html
"""

from collections.abc import Mapping
from typing import Any

from local.registry.mutability import glob
from local.registry.store import Registry, Repository

CONTINUOUS, ON_PUSH = "CONTINUOUS_SCAN", "SCAN_ON_PUSH"


def frequency(registry: Registry, repository: Repository) -> str | None:
    """When the rules have the repository scanned; None where they don't. Continuous wins over on push."""
    found = {rule["scanFrequency"] for rule in registry.scan_rules if _matches(rule, repository)}
    return next((each for each in (CONTINUOUS, ON_PUSH) if each in found), None)


def _matches(rule: Mapping[str, Any], repository: Repository) -> bool:
    """A filter with a wildcard matches the whole name, one without any part of it."""
    return any(
        glob(each["filter"] if "*" in each["filter"] else f"*{each['filter']}*", repository.name)
        for each in rule["repositoryFilters"]
    )
