"""ECR's documented behaviour, for repositories, their tags and policies. With the other `test_ecr_*`, 79 checks.

They run against a local cloud; with ECR_CONFORMANCE=aws, against the account and region of whoever runs them, where
they create and delete repositories under `conformance/`.
"""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mypy_boto3_ecr import ECRClient

from tests.conformance.cloud import manifest, push, refused

WITH_EXCLUSION: dict[str, Any] = {
    "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
    "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}],
}
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Pull",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
            }
        ],
    }
)


def test_a_repository_is_created_with_all_that_describes_it(ecr: ECRClient, repository: str) -> None:
    (found,) = ecr.describe_repositories(repositoryNames=[repository])["repositories"]

    assert set(found) == {
        "repositoryArn",
        "registryId",
        "repositoryName",
        "repositoryUri",
        "createdAt",
        "imageTagMutability",
        "imageScanningConfiguration",
        "encryptionConfiguration",
    }
    assert found["imageTagMutability"] == "MUTABLE"
    assert found["encryptionConfiguration"] == {"encryptionType": "AES256"}


def test_a_repository_is_not_created_twice(ecr: ECRClient, repository: str) -> None:
    with refused("RepositoryAlreadyExistsException"):
        ecr.create_repository(repositoryName=repository)


def test_a_repository_name_has_lower_case_parts(ecr: ECRClient) -> None:
    with refused("InvalidParameterException"):
        ecr.create_repository(repositoryName="Bad_Upper//x")


def test_exclusion_filters_are_kept(ecr: ECRClient, create: Callable[..., str]) -> None:
    (found,) = ecr.describe_repositories(repositoryNames=[create(**WITH_EXCLUSION)])["repositories"]

    assert found["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert found["imageTagMutabilityExclusionFilters"] == WITH_EXCLUSION["imageTagMutabilityExclusionFilters"]


def test_an_exclusion_needs_filters(ecr: ECRClient) -> None:
    with refused("InvalidParameterException"):
        ecr.create_repository(repositoryName="conformance/none", imageTagMutability="IMMUTABLE_WITH_EXCLUSION")


def test_a_repository_is_found_by_its_name(ecr: ECRClient, repository: str) -> None:
    assert [
        each["repositoryName"] for each in ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    ] == [repository]


def test_an_unknown_repository_is_not_found(ecr: ECRClient) -> None:
    with refused("RepositoryNotFoundException"):
        ecr.describe_repositories(repositoryNames=["conformance/unknown"])


def test_repositories_come_in_pages(ecr: ECRClient, create: Callable[..., str]) -> None:
    made = {create() for _ in range(3)}

    first = ecr.describe_repositories(maxResults=2)
    pages = ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2})
    names = [each["repositoryName"] for page in pages for each in page["repositories"]]

    assert len(first["repositories"]) == 2
    assert first["nextToken"]
    assert made <= set(names)
    assert len(names) == len(set(names))


def test_an_authorization_token_lives_twelve_hours(ecr: ECRClient) -> None:
    (data,) = ecr.get_authorization_token()["authorizationData"]

    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")
    assert abs(data["expiresAt"] - datetime.now(UTC) - timedelta(hours=12)) < timedelta(minutes=5)
    assert data["proxyEndpoint"].startswith("http")


@pytest.mark.parametrize(
    ("mode", "filters"),
    [
        ("IMMUTABLE", []),
        ("IMMUTABLE_WITH_EXCLUSION", ["a*"]),
        ("MUTABLE_WITH_EXCLUSION", ["a*", "b"]),
        ("MUTABLE", []),
    ],
)
def test_tag_mutability_has_four_settings(ecr: ECRClient, repository: str, mode: Any, filters: list[str]) -> None:
    asked: Any = [{"filterType": "WILDCARD", "filter": each} for each in filters]
    given: dict[str, Any] = {"imageTagMutabilityExclusionFilters": asked} if asked else {}

    answer = ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability=mode, **given)

    assert answer["imageTagMutability"] == mode
    assert answer.get("imageTagMutabilityExclusionFilters", []) == asked


def test_tag_mutability_of_an_unknown_repository_is_not_set(ecr: ECRClient) -> None:
    with refused("RepositoryNotFoundException"):
        ecr.put_image_tag_mutability(repositoryName="conformance/unknown", imageTagMutability="IMMUTABLE")


def test_a_repository_has_no_policy_at_first(ecr: ECRClient, repository: str) -> None:
    with refused("RepositoryPolicyNotFoundException"):
        ecr.get_repository_policy(repositoryName=repository)


def test_a_repository_policy_is_kept(ecr: ECRClient, repository: str) -> None:
    ecr.set_repository_policy(repositoryName=repository, policyText=POLICY)

    assert json.loads(ecr.get_repository_policy(repositoryName=repository)["policyText"])["Statement"]


def test_a_repository_policy_is_json(ecr: ECRClient, repository: str) -> None:
    with refused("InvalidParameterException"):
        ecr.set_repository_policy(repositoryName=repository, policyText="{not json")


def test_a_repository_policy_can_be_deleted(ecr: ECRClient, repository: str) -> None:
    ecr.set_repository_policy(repositoryName=repository, policyText=POLICY)

    ecr.delete_repository_policy(repositoryName=repository)

    with refused("RepositoryPolicyNotFoundException"):
        ecr.delete_repository_policy(repositoryName=repository)


def _arn(ecr: ECRClient, repository: str) -> str:
    return ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]["repositoryArn"]


def _tags(ecr: ECRClient, arn: str) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in ecr.list_tags_for_resource(resourceArn=arn)["tags"]}


def test_a_repository_is_tagged(ecr: ECRClient, repository: str) -> None:
    arn = _arn(ecr, repository)

    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "k", "Value": "old"}])
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "k", "Value": "new"}])

    assert _tags(ecr, arn) == {"k": "new"}


def test_tags_of_its_creation_are_listed(ecr: ECRClient, create: Callable[..., str]) -> None:
    arn = _arn(ecr, create(tags=[{"Key": "a", "Value": "b"}]))

    assert _tags(ecr, arn) == {"a": "b"}


def test_a_tag_is_taken_away(ecr: ECRClient, create: Callable[..., str]) -> None:
    arn = _arn(ecr, create(tags=[{"Key": "a", "Value": "b"}, {"Key": "k", "Value": "v"}]))

    ecr.untag_resource(resourceArn=arn, tagKeys=["k"])

    assert _tags(ecr, arn) == {"a": "b"}


def test_a_repository_has_fifty_tags_at_most(ecr: ECRClient, repository: str) -> None:
    many: Any = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]

    with refused("TooManyTagsException", "InvalidTagParameterException", "InvalidParameterException"):
        ecr.tag_resource(resourceArn=_arn(ecr, repository), tags=many)


def test_a_repository_with_images_is_not_deleted(ecr: ECRClient, repository: str) -> None:
    push(ecr, repository, manifest("kept"), "v1")

    with refused("RepositoryNotEmptyException"):
        ecr.delete_repository(repositoryName=repository)


def test_a_repository_is_deleted_by_force(ecr: ECRClient) -> None:
    name = "conformance/doomed"
    ecr.create_repository(repositoryName=name)
    push(ecr, name, manifest("lost"), "v1")

    ecr.delete_repository(repositoryName=name, force=True)

    with refused("RepositoryNotFoundException"):
        ecr.list_images(repositoryName=name)
