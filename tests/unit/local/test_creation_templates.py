"""Repository creation templates of the local registry."""

from typing import Any

import pytest

from local.registry.errors import EcrError
from tests.unit.local.a_registry import Small

POLICY = (
    '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan",'
    '"countNumber":3},"action":{"type":"expire"}}]}'
)


def test_a_template_is_kept_changed_listed_and_deleted(small: Small) -> None:
    small.call("CreateRepositoryCreationTemplate", prefix="team/", appliedFor=["REPLICATION"], description="a")
    small.call("CreateRepositoryCreationTemplate", prefix="ROOT", appliedFor=["REPLICATION"])
    small.call("UpdateRepositoryCreationTemplate", prefix="team/", lifecyclePolicy=POLICY)

    both = small.call("DescribeRepositoryCreationTemplates")["repositoryCreationTemplates"]
    (one,) = small.call("DescribeRepositoryCreationTemplates", prefixes=["team/"])["repositoryCreationTemplates"]

    assert [each["prefix"] for each in both] == ["ROOT", "team/"]
    assert (one["description"], one["lifecyclePolicy"], one["imageTagMutability"]) == ("a", POLICY, "MUTABLE")
    small.call("DeleteRepositoryCreationTemplate", prefix="team/")
    with pytest.raises(EcrError, match="TemplateNotFoundException"):
        small.call("DescribeRepositoryCreationTemplates", prefixes=["team/"])


def test_there_is_one_template_a_prefix(small: Small) -> None:
    small.call("CreateRepositoryCreationTemplate", prefix="ROOT", appliedFor=["REPLICATION"])

    with pytest.raises(EcrError, match="TemplateAlreadyExistsException"):
        small.call("CreateRepositoryCreationTemplate", prefix="ROOT", appliedFor=["REPLICATION"])


@pytest.mark.parametrize(
    "wrong",
    [{"lifecyclePolicy": '{"rules": []}'}, {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}],
)
def test_a_template_that_would_make_no_repository_is_refused(small: Small, wrong: dict[str, Any]) -> None:
    with pytest.raises(EcrError, match="InvalidParameterException"):
        small.call("CreateRepositoryCreationTemplate", prefix="ROOT", appliedFor=["REPLICATION"], **wrong)
    assert small.ecr.registry.creation_templates == {}
