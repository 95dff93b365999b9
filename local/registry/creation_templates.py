"""Repository creation templates: kept, checked and shown. Nothing here makes a repository by itself.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html
"""

from local.registry import lifecycle_policy, paging
from local.registry.errors import EcrError
from local.registry.mutability import Mutability
from local.registry.store import Registry
from local.registry.wire import Request, Response


def create(registry: Registry, request: Request) -> Response:
    """CreateRepositoryCreationTemplate."""
    if request["prefix"] in registry.creation_templates:
        raise EcrError(
            "TemplateAlreadyExistsException", f"A template for the prefix '{request['prefix']}' already exists"
        )
    now = registry.clock()
    return _kept(registry, {"imageTagMutability": "MUTABLE", **request, "createdAt": now, "updatedAt": now})


def update(registry: Registry, request: Request) -> Response:
    """UpdateRepositoryCreationTemplate: what the request leaves out stays."""
    template = _template(registry, request)
    return _kept(registry, {**template, **request, "updatedAt": registry.clock()})


def describe(registry: Registry, request: Request) -> Response:
    """DescribeRepositoryCreationTemplates: those asked for, or all of them in the order of their prefixes."""
    asked = request.get("prefixes")
    if asked is not None:
        paging.refuse(request, "prefixes")
        found = [_template(registry, {"prefix": prefix}) for prefix in asked]
        return {"registryId": registry.account, "repositoryCreationTemplates": found}
    page, more = paging.page(request, [each for _, each in sorted(registry.creation_templates.items())])
    return {"registryId": registry.account, "repositoryCreationTemplates": list(page), **more}


def delete(registry: Registry, request: Request) -> Response:
    """DeleteRepositoryCreationTemplate."""
    template = _template(registry, request)
    del registry.creation_templates[request["prefix"]]
    return {"registryId": registry.account, "repositoryCreationTemplate": template}


def _template(registry: Registry, request: Request) -> dict[str, object]:
    try:
        return registry.creation_templates[request["prefix"]]
    except KeyError:
        raise EcrError(
            "TemplateNotFoundException", f"There is no template for the prefix '{request['prefix']}'"
        ) from None


def _kept(registry: Registry, template: dict[str, object]) -> Response:
    Mutability.asked(template)
    if text := template.get("lifecyclePolicy"):
        lifecycle_policy.read(str(text))
    registry.creation_templates[str(template["prefix"])] = template
    return {"registryId": registry.account, "repositoryCreationTemplate": template}
