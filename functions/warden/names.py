"""The names of things in a registry, as types, so that a digest can't be passed where a tag is meant."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, TypeGuard

RepositoryName = NewType("RepositoryName", str)
Digest = NewType("Digest", str)
Tag = NewType("Tag", str)

_LENGTHS = range(2, 257)
_DIGEST = re.compile(r"[a-zA-Z0-9-_+.]{1,32}:[a-fA-F0-9]{32,128}")
_REPOSITORY = re.compile(r"(?:[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*/)*[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")


class Severity(StrEnum):
    """How bad a finding is, in the words of ECR's basic scanning, worst first."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFORMATIONAL = "INFORMATIONAL"
    UNDEFINED = "UNDEFINED"

    @property
    def rank(self) -> int:
        """0 for the worst; a severity reaches a threshold when its rank is no greater than the threshold's."""
        return _RANKS[self]

    def reaches(self, threshold: "Severity") -> bool:
        """Whether this severity is as bad as the threshold, or worse."""
        return self.rank <= threshold.rank


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class ImageId:
    """One image of one repository of this account's registry, by its digest: the only name that can't move."""

    repository: RepositoryName
    digest: Digest

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"


def is_digest(text: object) -> TypeGuard[str]:
    """Whether the text is a digest by the pattern of ECR's API; some of AWS's own sample events are cut short."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def is_repository_name(text: object) -> bool:
    """Whether ECR would accept the text as a repository's name (CreateRepository's pattern, 2 to 256 characters)."""
    return isinstance(text, str) and len(text) in _LENGTHS and _REPOSITORY.fullmatch(text) is not None


def short(digest: str) -> str:
    """A digest as people read it: its first twelve hexadecimal characters.

    >>> short("sha256:41d9be20c0ffee00" + "0" * 48)
    'sha256:41d9be20c0ff'
    """
    return digest[: len("sha256:") + 12]
