"""Whether a tag may move to another image.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
"""

import re
from dataclasses import dataclass
from typing import Any

from local.registry.errors import invalid
from local.registry.wire import Request, Response


def glob(pattern: str, text: str) -> bool:
    """Whether the whole text matches; `*` stands for any characters, none and slashes included."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


@dataclass(frozen=True, slots=True)
class Mutability:
    """One of ECR's four settings, with the filters that the two `_WITH_EXCLUSION` carry."""

    mode: str = "MUTABLE"
    excluded: tuple[str, ...] = ()

    @classmethod
    def asked(cls, request: Request) -> "Mutability":
        """The setting in the request. Raises EcrError where mode and filters don't fit together."""
        mode = request.get("imageTagMutability", "MUTABLE")
        filters: list[dict[str, Any]] = request.get("imageTagMutabilityExclusionFilters", [])
        if mode.endswith("_WITH_EXCLUSION") != bool(filters):
            raise invalid(
                "imageTagMutabilityExclusionFilters", "required with, and only with, a setting WITH_EXCLUSION"
            )
        return cls(mode, tuple(item["filter"] for item in filters))

    def locks(self, tag: str) -> bool:
        """Whether the tag stays with the image that has it."""
        matched = any(glob(pattern, tag) for pattern in self.excluded)
        return matched != self.mode.startswith("IMMUTABLE")

    def shown(self) -> Response:
        """The members of a response."""
        filters = [{"filterType": "WILDCARD", "filter": pattern} for pattern in self.excluded]
        return {
            "imageTagMutability": self.mode,
            **({"imageTagMutabilityExclusionFilters": filters} if filters else {}),
        }
