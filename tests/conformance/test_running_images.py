"""Those who run images, in the local cloud: they pull from its registry, say what they run, and run nothing."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from mypy_boto3_ecr import ECRClient

from tests.conformance.cloud import Cloud, index, manifest, push

pytestmark = pytest.mark.local_only

ACCOUNT = "111122223333"
HOST = f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com"
ROLE = "runs-images"


@dataclass(frozen=True, slots=True)
class Pushed:
    """An index by tag, its child, and an image by tag."""

    repository: str
    multi: str
    child: str
    single: str

    def uri(self, reference: str) -> str:
        """How tasks and functions name it."""
        return f"{HOST}/{self.repository}{reference}"


@pytest.fixture
def pushed(ecr: ECRClient, create: Callable[..., str]) -> Pushed:
    """Images that were never pulled."""
    repository, child = create(), manifest("child")
    return Pushed(
        repository,
        child=push(ecr, repository, child),
        multi=push(ecr, repository, index([child]), "multi"),
        single=push(ecr, repository, manifest("single"), "single"),
    )


@pytest.fixture
def ecs(cloud: Cloud) -> Any:
    """A client of ECS."""
    return cloud.client("ecs")


@pytest.fixture
def functions(cloud: Cloud) -> Iterator[Any]:
    """A client of Lambda; its functions are deleted at the end."""
    client, iam = cloud.client("lambda"), cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
    yield client
    iam.delete_role(RoleName=ROLE)
    for each in client.list_functions()["Functions"]:
        if each["PackageType"] == "Image":
            client.delete_function(FunctionName=each["FunctionName"])


def _service(ecs: Any, name: str, *images: str) -> str:
    """A service of one task with a container an image; gives the ARN of its task definition."""
    containers = [{"name": f"c{number}", "image": image, "memory": 64} for number, image in enumerate(images)]
    definition = ecs.register_task_definition(family=name, containerDefinitions=containers)["taskDefinition"]
    ecs.create_cluster(clusterName=name)
    ecs.create_service(cluster=name, serviceName=name, taskDefinition=definition["taskDefinitionArn"], desiredCount=1)
    return str(definition["taskDefinitionArn"])


def _containers(ecs: Any, cluster: str) -> list[Any]:
    arns = ecs.list_tasks(cluster=cluster)["taskArns"]
    (task,) = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
    assert (task["lastStatus"], task["desiredStatus"]) == ("RUNNING", "RUNNING")
    return list(task["containers"])


def _pulled(ecr: ECRClient, pushed: Pushed) -> set[str]:
    details = ecr.describe_images(repositoryName=pushed.repository)["imageDetails"]
    return {each["imageDigest"] for each in details if "lastRecordedPullTime" in each}


def test_a_running_container_says_which_image_it_pulled(ecs: Any, ecr: ECRClient, pushed: Pushed) -> None:
    by_tag, by_digest = pushed.uri(":multi"), pushed.uri(f"@{pushed.child}")

    _service(ecs, "says-which", by_tag, by_digest, "public.ecr.aws/nginx/nginx:1")

    assert [(each["image"], each.get("imageDigest")) for each in _containers(ecs, "says-which")] == [
        (by_tag, pushed.multi),
        (by_digest, pushed.child),
        ("public.ecr.aws/nginx/nginx:1", None),
    ]
    assert _pulled(ecr, pushed) == {pushed.multi, pushed.child}


def test_a_tag_that_moves_does_not_change_what_runs(ecs: Any, ecr: ECRClient, pushed: Pushed) -> None:
    _service(ecs, "tag-moves", pushed.uri(":single"))

    moved = push(ecr, pushed.repository, manifest("another"), "single")

    (container,) = _containers(ecs, "tag-moves")
    assert moved != container["imageDigest"] == pushed.single


def test_services_and_their_task_definitions_are_listed(ecs: Any, pushed: Pushed) -> None:
    definition = _service(ecs, "listed", pushed.uri(":single"))

    arns = ecs.list_services(cluster="listed")["serviceArns"]
    (service,) = ecs.describe_services(cluster="listed", services=arns)["services"]
    assert service["taskDefinition"] == definition
    assert [each["taskDefinition"] for each in service["deployments"]] == [definition]
    described = ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
    assert [each["image"] for each in described["containerDefinitions"]] == [pushed.uri(":single")]
    assert any(arn.endswith("cluster/listed") for arn in ecs.list_clusters()["clusterArns"])


def test_a_service_without_tasks_still_has_its_task_definition(ecs: Any, pushed: Pushed) -> None:
    _service(ecs, "scaled-down", pushed.uri(":single"))
    ecs.update_service(cluster="scaled-down", service="scaled-down", desiredCount=0)

    arns = ecs.list_services(cluster="scaled-down")["serviceArns"]
    (service,) = ecs.describe_services(cluster="scaled-down", services=arns)["services"]

    assert ecs.list_tasks(cluster="scaled-down")["taskArns"] == []
    assert service["deployments"][0]["taskDefinition"] == service["taskDefinition"]


def _function(functions: Any, name: str, uri: str, **more: Any) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    functions.create_function(FunctionName=name, PackageType="Image", Role=role, Code={"ImageUri": uri}, **more)


def _resolved(functions: Any, name: str, **qualifier: str) -> tuple[str, str]:
    code = functions.get_function(FunctionName=name, **qualifier)["Code"]
    return code["ImageUri"], code["ResolvedImageUri"]


def test_a_function_says_which_image_its_tag_was(functions: Any, ecr: ECRClient, pushed: Pushed) -> None:
    uri = pushed.uri(":single")
    _function(functions, "tagged", uri)
    push(ecr, pushed.repository, manifest("another"), "single")

    assert _resolved(functions, "tagged") == (uri, pushed.uri(f"@{pushed.single}"))
    assert _pulled(ecr, pushed) == {pushed.single}


def test_each_version_of_a_function_keeps_its_image(functions: Any, ecr: ECRClient, pushed: Pushed) -> None:
    uri = pushed.uri(":single")
    _function(functions, "versions", uri, Publish=True)
    second = push(ecr, pushed.repository, manifest("second"), "single")
    functions.update_function_code(FunctionName="versions", ImageUri=uri)
    functions.publish_version(FunctionName="versions")
    functions.create_alias(FunctionName="versions", Name="live", FunctionVersion="1")
    third = push(ecr, pushed.repository, manifest("third"), "single")
    functions.update_function_code(FunctionName="versions", ImageUri=pushed.uri(f"@{third}"))

    pages = functions.get_paginator("list_functions").paginate(FunctionVersion="ALL")
    listed = [each for page in pages for each in page["Functions"] if each["FunctionName"] == "versions"]
    found = {each["Version"]: _resolved(functions, "versions", Qualifier=each["Version"])[1] for each in listed}
    expected = {"1": pushed.single, "2": second, "$LATEST": third}
    assert found == {version: pushed.uri(f"@{digest}") for version, digest in expected.items()}
    assert _resolved(functions, "versions", Qualifier="live")[1] == pushed.uri(f"@{pushed.single}")


def test_a_function_of_an_image_that_is_not_there_is_refused(functions: Any, pushed: Pushed) -> None:
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*does not exist"):
        _function(functions, "nothing", pushed.uri(":gone"))
    _function(functions, "something", pushed.uri(":single"))
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*does not exist"):
        functions.update_function_code(FunctionName="something", ImageUri=pushed.uri(":gone"))

    assert _resolved(functions, "something") == (pushed.uri(":single"), pushed.uri(f"@{pushed.single}"))


def test_a_role_may_describe_the_services_and_tasks_that_its_policy_names(
    cloud: Cloud, ecs: Any, pushed: Pushed
) -> None:
    _service(ecs, "mine", pushed.uri(":single"))
    _service(ecs, "theirs", pushed.uri(":single"))
    tasks = {name: ecs.list_tasks(cluster=name)["taskArns"] for name in ("mine", "theirs")}
    mine = [f"arn:aws:ecs:eu-central-1:{ACCOUNT}:{kind}/mine/*" for kind in ("service", "task")]
    allowed = {"Effect": "Allow", "Action": ["ecs:DescribeServices", "ecs:DescribeTasks"], "Resource": mine}
    iam, trust = cloud.client("iam"), {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="reads-ecs",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="reads-ecs", PolicyName="allowed", PolicyDocument=policy)
    session = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    reader = boto3.client(
        "ecs",
        endpoint_url=cloud.url,
        region_name="eu-central-1",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )

    assert len(reader.describe_services(cluster="mine", services=["mine"])["services"]) == 1
    assert len(reader.describe_tasks(cluster="mine", tasks=tasks["mine"])["tasks"]) == 1
    with pytest.raises(ClientError, match="AccessDeniedException"):
        reader.describe_services(cluster="theirs", services=["theirs"])
    with pytest.raises(ClientError, match="AccessDeniedException"):
        reader.describe_tasks(cluster="theirs", tasks=tasks["theirs"])
    with pytest.raises(ClientError, match="AccessDeniedException"):
        reader.list_clusters()


def test_job_definitions_name_their_images(cloud: Cloud, pushed: Pushed) -> None:
    batch = cloud.client("batch")
    batch.register_job_definition(
        jobDefinitionName="job", type="container", containerProperties={"image": pushed.uri(":single"), "memory": 64}
    )

    (found,) = batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]

    assert found["containerProperties"]["image"] == pushed.uri(":single")


def test_exclusions_and_templates_are_made_and_deleted_by_stacks(cloud: Cloud, ecr: ECRClient) -> None:
    """By the registry's own API, as CloudFormation does it."""
    stacks = cloud.client("cloudformation")
    principal = f"arn:aws:iam::{ACCOUNT}:role/warden/reader"

    def template(principal: str, mutability: str) -> str:
        filters = [
            {
                "ImageTagMutabilityExclusionFilterType": "WILDCARD",
                "ImageTagMutabilityExclusionFilterValue": "latest",
            }
        ]
        settings = {
            "Prefix": "stack/",
            "AppliedFor": ["CREATE_ON_PUSH"],
            "ImageTagMutability": mutability,
            "ImageTagMutabilityExclusionFilters": filters,
            "ResourceTags": [{"Key": "team", "Value": "a"}],
        }
        resources = {
            "Exclusion": {"Type": "AWS::ECR::PullTimeUpdateExclusion", "Properties": {"PrincipalArn": principal}},
            "Template": {"Type": "AWS::ECR::RepositoryCreationTemplate", "Properties": settings},
        }
        return json.dumps({"Resources": resources, "Outputs": {"Principal": {"Value": {"Ref": "Exclusion"}}}})

    stacks.create_stack(StackName="ecr", TemplateBody=template(principal, "IMMUTABLE_WITH_EXCLUSION"))
    stacks.get_waiter("stack_create_complete").wait(StackName="ecr", WaiterConfig={"Delay": 1})
    (stack,) = stacks.describe_stacks(StackName="ecr")["Stacks"]
    assert stack["Outputs"][0]["OutputValue"] == principal
    assert ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"] == [principal]
    (made,) = ecr.describe_repository_creation_templates()["repositoryCreationTemplates"]
    assert made["imageTagMutabilityExclusionFilters"] == [{"filterType": "WILDCARD", "filter": "latest"}]
    assert made["resourceTags"] == [{"Key": "team", "Value": "a"}]

    stacks.update_stack(StackName="ecr", TemplateBody=template(f"{principal}-2", "MUTABLE_WITH_EXCLUSION"))
    stacks.get_waiter("stack_update_complete").wait(StackName="ecr", WaiterConfig={"Delay": 1})
    assert ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"] == [f"{principal}-2"]
    (changed,) = ecr.describe_repository_creation_templates()["repositoryCreationTemplates"]
    assert (changed["imageTagMutability"], changed["createdAt"]) == ("MUTABLE_WITH_EXCLUSION", made["createdAt"])

    stacks.delete_stack(StackName="ecr")
    stacks.get_waiter("stack_delete_complete").wait(StackName="ecr", WaiterConfig={"Delay": 1})
    assert ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"] == []
    assert ecr.describe_repository_creation_templates()["repositoryCreationTemplates"] == []
