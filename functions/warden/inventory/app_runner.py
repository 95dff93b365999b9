"""What AWS App Runner runs: the images of all its services, the paused ones too.

https://docs.aws.amazon.com/apprunner/latest/api/API_DescribeService.html
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from warden import answers
from warden.events import Home
from warden.inventory.asking import named
from warden.usage import Use, read_reference

if TYPE_CHECKING:
    from mypy_boto3_apprunner import AppRunnerClient

A_PAGE = 20
"""https://docs.aws.amazon.com/apprunner/latest/api/API_ListServices.html: the most that it gives."""


class AppRunner:
    """AWS App Runner in one account and region."""

    def __init__(self, client: "AppRunnerClient") -> None:
        """`client` is an App Runner client."""
        self._client = client
        self._exceptions = client.exceptions

    def uses(self, home: Home) -> Iterator[Use]:
        """The images of all services."""
        for arn, name in self._services():
            image = self._image(arn)
            if image and (use := read_reference(image, home, named("App Runner service", name))):
                yield use

    def _services(self) -> Iterator[tuple[str, str]]:
        """ARN and name of each service; botocore has no paginator for this listing."""
        token = ""
        while True:
            more = {"NextToken": token} if token else {}
            answer = self._client.list_services(MaxResults=A_PAGE, **more)
            with answers.whole("ListServices"):
                listed = [(one["ServiceArn"], one["ServiceName"]) for one in answer["ServiceSummaryList"]]
            yield from listed
            token = answer.get("NextToken") or ""
            if not token:
                return

    def _image(self, arn: str) -> str | None:
        """The image of a service; None where it is made from source code, or gone."""
        try:
            answer = self._client.describe_service(ServiceArn=arn)
        except self._exceptions.ResourceNotFoundException:
            return None
        with answers.whole("DescribeService"):
            source = answer["Service"]["SourceConfiguration"]
            if "CodeRepository" in source:
                return None
            return source["ImageRepository"]["ImageIdentifier"]
