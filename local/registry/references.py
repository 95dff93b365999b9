"""Images as those who run them name them: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY[:TAG][@DIGEST]`.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-pull-ecr-image.html
"""

import re

from local.registry.store import Image, Registry, Repository

_REFERENCE = re.compile(
    r"(?P<host>[^/]+)/(?P<name>[^:@]+)(?::(?P<tag>[^:@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?", re.ASCII
)


def is_ours(registry: Registry, reference: str) -> bool:
    """Whether the reference is one to this registry, be the image there or not."""
    return reference.startswith(f"{_host(registry)}/")


def find(registry: Registry, reference: str) -> tuple[Repository, Image] | None:
    """The image that can be pulled by the reference, and its repository; None where there is none to be had."""
    match = _REFERENCE.fullmatch(reference)
    if match is None or match["host"] != _host(registry):
        return None
    repository = registry.repositories.get(match["name"])
    by_digest = {"imageDigest": match["digest"]}  # a digest wins over a tag beside it
    wanted = by_digest if match["digest"] else {"imageTag": match["tag"] or "latest"}
    image = repository.find(wanted) if repository else None
    return (repository, image) if repository and image and not image.archived else None


def _host(registry: Registry) -> str:
    return f"{registry.account}.dkr.ecr.{registry.region}.amazonaws.com"
