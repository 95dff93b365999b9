"""What runs on Amazon ECS, and what its services may start at any time.

A task tells the digest that it runs, once it has pulled it. A service starts tasks from its deployments' task
definitions, whose images may be named by tag; and since it pulls what the tag meant when it was deployed, its
revisions are asked for the digests, too.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html#deployment-container-image-stability
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from warden import answers
from warden.errors import Unavailable
from warden.events import Home
from warden.inventory.asking import groups, named
from warden.usage import Use, read_reference

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

SERVICES_A_CALL = 10
TASKS_A_CALL = 100
REVISIONS_A_CALL = 20
A_PAGE = 100
_GONE = "MISSING"
"""Why ECS does not describe what went since it was listed; any other reason leaves something unknown.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
"""


class Ecs:
    """Amazon ECS in one account and region."""

    def __init__(self, client: "ECSClient") -> None:
        """`client` is an ECS client."""
        self._client = client

    def uses(self, home: Home) -> Iterator[Use]:
        """The images of all running and starting tasks, and of all that services may start."""
        images: dict[str, tuple[str, ...]] = {}
        for cluster in self._clusters():
            try:
                yield from self._of_services(cluster, images, home)
                yield from self._of_tasks(cluster, images, home)
            except ClientError as error:
                if answers.code(error) != "ClusterNotFoundException":
                    raise  # a cluster that is gone has nothing left that runs: ECS deletes none before that

    def _clusters(self) -> Iterator[str]:
        for page in self._client.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": A_PAGE}):
            with answers.whole("ListClusters"):
                yield from page["clusterArns"]

    def _of_services(self, cluster: str, images: dict[str, tuple[str, ...]], home: Home) -> Iterator[Use]:
        revisions: dict[str, str] = {}
        for service in self._services(cluster):
            with answers.whole("DescribeServices"):
                by = f"{named('ECS service', service['serviceName'])} of {_cluster(cluster)}"
            for definition in _definitions(service):
                yield from _read(self._images(definition, images), home, by)
            revisions |= {revision["arn"]: by for revision in service.get("currentServiceRevisions") or ()}
        yield from self._of_revisions(revisions, home)

    def _services(self, cluster: str) -> Iterator[Mapping[str, Any]]:
        """Those that are being deleted, too: their tasks run on for a while."""
        pages = self._client.get_paginator("list_services").paginate(
            cluster=cluster, PaginationConfig={"PageSize": A_PAGE}
        )
        for page in pages:
            with answers.whole("ListServices"):
                arns = page["serviceArns"]
            for ten in groups(arns, SERVICES_A_CALL):
                described = self._client.describe_services(cluster=cluster, services=ten)
                with answers.whole("DescribeServices"):
                    yield from _found(described["services"], described["failures"], len(ten), "services")

    def _of_revisions(self, revisions: Mapping[str, str], home: Home) -> Iterator[Use]:
        """The images of a service as they were when it was deployed, by digest."""
        for twenty in groups(revisions, REVISIONS_A_CALL):
            described = self._client.describe_service_revisions(serviceRevisionArns=twenty)
            with answers.whole("DescribeServiceRevisions"):
                found = _found(described["serviceRevisions"], described["failures"], len(twenty), "service revisions")
            for revision in found:
                with answers.whole("DescribeServiceRevisions"):
                    by = revisions[revision["serviceRevisionArn"]]
                yield from _of_containers(revision.get("containerImages") or (), home, by)

    def _of_tasks(self, cluster: str, images: dict[str, tuple[str, ...]], home: Home) -> Iterator[Use]:
        """ECS lists those that are to run, whether they have started or not, as its default."""
        pages = self._client.get_paginator("list_tasks").paginate(
            cluster=cluster, PaginationConfig={"PageSize": TASKS_A_CALL}
        )
        for page in pages:
            with answers.whole("ListTasks"):
                arns = page["taskArns"]
            for hundred in groups(arns, TASKS_A_CALL):
                described = self._client.describe_tasks(cluster=cluster, tasks=hundred)
                with answers.whole("DescribeTasks"):
                    tasks = _found(described["tasks"], described["failures"], len(hundred), "tasks")
                for task in tasks:
                    yield from self._of_task(task, cluster, images, home)

    def _of_task(
        self, task: Mapping[str, Any], cluster: str, images: dict[str, tuple[str, ...]], home: Home
    ) -> Iterator[Use]:
        with answers.whole("DescribeTasks"):
            by = f"{named('ECS task', task['taskArn'].rpartition('/')[2])} of {_cluster(cluster)}"
            definition, containers = task["taskDefinitionArn"], task["containers"]
        yield from _of_containers(containers, home, by)
        yield from _read(self._images(definition, images), home, by)

    def _images(self, definition: str, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        """The images in a task definition, which never change, so that ECS is asked once for each."""
        if definition not in known:
            answer = self._client.describe_task_definition(taskDefinition=definition)
            with answers.whole("DescribeTaskDefinition"):
                containers = answer["taskDefinition"]["containerDefinitions"]
                known[definition] = tuple(container["image"] for container in containers)
        return known[definition]


def _definitions(service: Mapping[str, Any]) -> Iterable[str]:
    """The task definitions from which a service may start tasks, those that it may go back to included.

    With CodeDeploy or an external controller they stand in its task sets.
    """
    sets = [*(service.get("deployments") or ()), *(service.get("taskSets") or ())]
    found = (part.get("taskDefinition") for part in (service, *sets))
    return dict.fromkeys(definition for definition in found if definition)


def _found(
    described: Iterable[Any], failures: Iterable[Mapping[str, Any]], asked: int, what: str
) -> list[Mapping[str, Any]]:
    """What ECS described. Raises Unavailable where it left something out that is not gone."""
    found, failed = list(described), list(failures)
    left_out = [failure for failure in failed if failure.get("reason") != _GONE]
    if left_out:
        raise Unavailable(f"ECS did not describe {len(left_out)} of {asked} {what}: {left_out[0].get('reason')}")
    if len(found) + len(failed) < asked:
        raise Unavailable(f"ECS described {len(found)} of {asked} {what} and did not say why it left out others")
    return found


def _of_containers(containers: Iterable[Mapping[str, Any]], home: Home, by: str) -> Iterator[Use]:
    """By the name that was asked for, and by the digest that was pulled for it: an index and its part, it may be."""
    for container in containers:
        image, digest = container.get("image") or "", container.get("imageDigest")
        pulled = (f"{image.partition('@')[0]}@{digest}",) if digest else ()
        yield from _read((image, *pulled), home, by)


def _read(images: Iterable[str], home: Home, by: str) -> Iterator[Use]:
    uses = (read_reference(image, home, by) for image in images)
    return (use for use in uses if use)


def _cluster(arn: str) -> str:
    return named("cluster", arn.rpartition("/")[2])
