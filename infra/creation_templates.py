"""Templates by which ECR makes repositories to the policy's defaults, when it makes them by itself.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from warden.compiled_policy import from_compiled
from warden.names import RepositoryName
from warden.policy import Immutability, Mode, Standard
from warden.standards import standard_of

OCCASIONS = ["CREATE_ON_PUSH", "PULL_THROUGH_CACHE", "REPLICATION"]
"""When ECR makes a repository by itself; CreateRepository uses no template, and repository_changed sees to it."""
ANY_NAME = RepositoryName("any/name")


class CreationTemplates(Construct):
    """One template a prefix, with what the defaults enforce; none where they enforce nothing that a template can say.

    Scan on push is not in a template's words, and encryption by a key needs a role of its own: both are left out. So
    are lifecycle policies, which the prune function alone puts.
    """

    def __init__(self, scope: Construct, id: str, *, compiled: Mapping[str, Any]) -> None:
        """`compiled` is the compiled policy."""
        super().__init__(scope, id)
        settings = settings_of(compiled)
        for prefix in compiled["creation_templates"] if settings else ():
            ecr.CfnRepositoryCreationTemplate(
                self,
                prefix.replace("/", "-"),
                prefix=prefix,
                applied_for=OCCASIONS,
                description="To the standard of ECR Warden",
                **settings,
            )


def settings_of(compiled: Mapping[str, Any]) -> dict[str, Any]:
    """What a template says, as properties of CfnRepositoryCreationTemplate: the defaults, rules and tags left out."""
    standard = standard_of(from_compiled({**compiled, "rules": []}), ANY_NAME, {})
    return _tags(standard)


def _tags(standard: Standard) -> dict[str, Any]:
    asked = standard.tags
    if asked.mode is not Mode.ENFORCE or asked.immutability is Immutability.MUTABLE:
        return {}
    kind = asked.immutability
    if kind is Immutability.IMMUTABLE and asked.exclude:
        kind = Immutability.IMMUTABLE_WITH_EXCLUSION
    filters = [
        ecr.CfnRepositoryCreationTemplate.ImageTagMutabilityExclusionFilterProperty(
            image_tag_mutability_exclusion_filter_type="WILDCARD", image_tag_mutability_exclusion_filter_value=pattern
        )
        for pattern in asked.exclude
    ]
    return {
        "image_tag_mutability": str(kind),
        **({"image_tag_mutability_exclusion_filters": filters} if filters else {}),
    }
