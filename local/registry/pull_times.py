"""When an image was pulled last, and whose pulls don't count.

BatchGetImage is what a pull is recorded by: layers are asked for only where they are not at hand, and belong to many
images. AWS refreshes the time at least once every 24 hours; here it is exact.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_RegisterPullTimeUpdateExclusion.html
"""

from local.registry import paging
from local.registry.callers import Caller
from local.registry.errors import EcrError
from local.registry.store import Image, Registry
from local.registry.wire import Request, Response

MOST_EXCLUSIONS = 100


def register(registry: Registry, request: Request) -> Response:
    """RegisterPullTimeUpdateExclusion."""
    principal = request["principalArn"]
    if principal in registry.pull_exclusions:
        raise EcrError("ExclusionAlreadyExistsException", f"The exclusion of '{principal}' already exists")
    if len(registry.pull_exclusions) >= MOST_EXCLUSIONS:
        raise EcrError("LimitExceededException", f"A registry may have {MOST_EXCLUSIONS} pull time update exclusions")
    registry.pull_exclusions[principal] = registry.clock()
    return {"principalArn": principal, "createdAt": registry.pull_exclusions[principal]}


def deregister(registry: Registry, request: Request) -> Response:
    """DeregisterPullTimeUpdateExclusion."""
    principal = request["principalArn"]
    if principal not in registry.pull_exclusions:
        raise EcrError("ExclusionNotFoundException", f"There is no exclusion of '{principal}'")
    del registry.pull_exclusions[principal]
    return {"principalArn": principal}


def list_exclusions(registry: Registry, request: Request) -> Response:
    """ListPullTimeUpdateExclusions."""
    found, more = paging.page(request, sorted(registry.pull_exclusions))
    return {"pullTimeUpdateExclusions": list(found), **more}


def record(registry: Registry, operation: str, response: Response, caller: Caller) -> None:
    """Keep that the caller pulled what the response of that operation holds, where it is a pull and theirs count."""
    if operation == "BatchGetImage" and caller.name not in registry.pull_exclusions:
        for each in response["images"]:
            repository = registry.repository(each["repositoryName"])
            pulled(registry, repository.images[each["imageId"]["imageDigest"]])


def pulled(registry: Registry, image: Image) -> None:
    """Keep that the image was pulled now."""
    image.pulled_at = registry.clock()
