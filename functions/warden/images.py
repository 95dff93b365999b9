"""One image of the registry, as ECR describes it."""

from dataclasses import dataclass
from datetime import datetime

from warden.names import ImageId, Tag, short


@dataclass(frozen=True, slots=True)
class Image:
    """What DescribeImages says of one image. Its scan summary is left out: the new basic scanner does not fill it."""

    id: ImageId
    tags: tuple[Tag, ...]
    pushed_at: datetime
    is_index: bool = False

    @property
    def name(self) -> str:
        """What people call it: repository and tag (`latest` says least), or the digest where it has no tag."""
        if not self.tags:
            return f"{self.id.repository}@{short(self.id.digest)}"
        return f"{self.id.repository}:{min(self.tags, key=lambda tag: (tag == 'latest', tag))}"
