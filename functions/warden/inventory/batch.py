"""What AWS Batch may start: the images of all job definitions that are active.

https://docs.aws.amazon.com/batch/latest/APIReference/API_DescribeJobDefinitions.html
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from warden import answers
from warden.events import Home
from warden.inventory.asking import named
from warden.usage import Use, read_reference

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

A_PAGE = 100


class BatchJobs:
    """AWS Batch in one account and region. Its jobs run on ECS and EKS, where they are seen while they run."""

    def __init__(self, client: "BatchClient") -> None:
        """`client` is a Batch client."""
        self._client = client

    def uses(self, home: Home) -> Iterator[Use]:
        """The images of all active job definitions."""
        pages = self._client.get_paginator("describe_job_definitions").paginate(
            status="ACTIVE", PaginationConfig={"PageSize": A_PAGE}
        )
        for page in pages:
            with answers.whole("DescribeJobDefinitions"):
                definitions: list[Mapping[str, Any]] = [dict(one) for one in page["jobDefinitions"]]
            for definition in definitions:
                with answers.whole("DescribeJobDefinitions"):
                    name = f"{definition['jobDefinitionName']}:{definition['revision']}"
                uses = (read_reference(image, home, named("Batch job", name)) for image in _images(definition))
                yield from (use for use in uses if use)


def _images(definition: Mapping[str, Any]) -> Iterator[str]:
    """A job has one container, several, or nodes with one or several each; on ECS or on EKS."""
    ranges = _within(definition, "nodeProperties").get("nodeRangeProperties") or ()
    for part in (definition, *ranges):
        pod = _within(_within(part, "eksProperties"), "podProperties")
        tasks = _within(part, "ecsProperties").get("taskProperties") or ()
        containers = [_within(part, "containerProperties"), _within(part, "container")]
        containers += [*(pod.get("containers") or ()), *(pod.get("initContainers") or ())]
        containers += [container for task in tasks for container in task.get("containers") or ()]
        yield from (container["image"] for container in containers if container.get("image"))


def _within(structure: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What is not said of a job is not there."""
    return structure.get(name) or {}
