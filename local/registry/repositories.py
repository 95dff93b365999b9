"""Repositories: their life, their settings, their tags and who may use them.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/Repositories.html
"""

import json

from local.registry import paging
from local.registry.errors import EcrError, invalid
from local.registry.mutability import Mutability
from local.registry.store import Registry, Repository
from local.registry.wire import Request, Response

MOST_TAGS = 50


def create(registry: Registry, request: Request) -> Response:
    """CreateRepository."""
    name = request["repositoryName"]
    if name in registry.repositories:
        raise EcrError(
            "RepositoryAlreadyExistsException",
            f"The repository with name '{name}' already exists in the registry with id '{registry.account}'",
        )
    repository = Repository(
        name=name,
        arn=f"arn:aws:ecr:{registry.region}:{registry.account}:repository/{name}",
        uri=f"{registry.account}.dkr.ecr.{registry.region}.amazonaws.com/{name}",
        created_at=registry.clock(),
        mutability=Mutability.asked(request),
        scan_on_push=request.get("imageScanningConfiguration", {}).get("scanOnPush", False),
        encryption=dict(request.get("encryptionConfiguration", {"encryptionType": "AES256"})),
        tags=_within_limit({tag["Key"]: tag["Value"] for tag in request.get("tags", [])}),
    )
    registry.repositories[name] = repository
    return {"repository": _shown(registry, repository)}


def describe(registry: Registry, request: Request) -> Response:
    """DescribeRepositories: those asked for, or all of them in the order of their names."""
    if "repositoryNames" in request:
        paging.refuse(request, "repositoryNames")
        found = [registry.repository(name) for name in request["repositoryNames"]]
        return {"repositories": [_shown(registry, repository) for repository in found]}
    page, more = paging.page(request, sorted(registry.repositories.values(), key=lambda each: each.name))
    return {"repositories": [_shown(registry, repository) for repository in page], **more}


def delete(registry: Registry, request: Request) -> Response:
    """DeleteRepository."""
    repository = registry.repository(request["repositoryName"])
    if repository.images and not request.get("force"):
        raise EcrError(
            "RepositoryNotEmptyException",
            f"The repository with name '{repository.name}' in registry with id '{registry.account}' cannot be deleted "
            "because it still contains images",
        )
    del registry.repositories[repository.name]
    return {"repository": _shown(registry, repository)}


def put_tag_mutability(registry: Registry, request: Request) -> Response:
    """PutImageTagMutability; filters that the request leaves out are gone."""
    repository = registry.repository(request["repositoryName"])
    repository.mutability = Mutability.asked(request)
    return {**registry.identity(repository), **repository.mutability.shown()}


def put_scanning(registry: Registry, request: Request) -> Response:
    """PutImageScanningConfiguration."""
    repository = registry.repository(request["repositoryName"])
    repository.scan_on_push = request["imageScanningConfiguration"].get("scanOnPush", False)
    return {**registry.identity(repository), "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push}}


def set_policy(registry: Registry, request: Request) -> Response:
    """SetRepositoryPolicy; the text is kept and shown, and nobody is let in or kept out by it."""
    repository = registry.repository(request["repositoryName"])
    try:
        has_statements = bool(json.loads(request["policyText"])["Statement"])
    except (ValueError, TypeError, KeyError):
        has_statements = False
    if not has_statements:
        raise invalid("PolicyText", "Invalid repository policy provided")
    repository.access_policy = request["policyText"]
    return _policy(registry, repository)


def get_policy(registry: Registry, request: Request) -> Response:
    """GetRepositoryPolicy."""
    return _policy(registry, registry.repository(request["repositoryName"]))


def delete_policy(registry: Registry, request: Request) -> Response:
    """DeleteRepositoryPolicy."""
    repository = registry.repository(request["repositoryName"])
    answer = _policy(registry, repository)
    repository.access_policy = None
    return answer


def tag(registry: Registry, request: Request) -> Response:
    """TagResource."""
    repository = _by_arn(registry, request)
    repository.tags = _within_limit(repository.tags | {tag["Key"]: tag["Value"] for tag in request["tags"]})
    return {}


def untag(registry: Registry, request: Request) -> Response:
    """UntagResource."""
    repository = _by_arn(registry, request)
    repository.tags = {key: value for key, value in repository.tags.items() if key not in request["tagKeys"]}
    return {}


def list_tags(registry: Registry, request: Request) -> Response:
    """ListTagsForResource."""
    return {"tags": [{"Key": key, "Value": value} for key, value in _by_arn(registry, request).tags.items()]}


def _shown(registry: Registry, repository: Repository) -> Response:
    return {
        "repositoryArn": repository.arn,
        **registry.identity(repository),
        "repositoryUri": repository.uri,
        "createdAt": repository.created_at,
        **repository.mutability.shown(),
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        "encryptionConfiguration": repository.encryption,
    }


def _policy(registry: Registry, repository: Repository) -> Response:
    if repository.access_policy is None:
        raise EcrError(
            "RepositoryPolicyNotFoundException",
            f"Repository policy does not exist for the repository with name '{repository.name}' in the registry with "
            f"id '{registry.account}'",
        )
    return {**registry.identity(repository), "policyText": repository.access_policy}


def _by_arn(registry: Registry, request: Request) -> Repository:
    return registry.repository(request["resourceArn"].partition(":repository/")[2])


def _within_limit(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > MOST_TAGS:
        raise EcrError(
            "TooManyTagsException",
            "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to "
            f"a repository is {MOST_TAGS}.",
        )
    return tags
