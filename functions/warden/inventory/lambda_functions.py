"""What AWS Lambda's functions are made of: every version of each that is an image, aliases being names of versions.

https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from warden import answers
from warden.events import Home
from warden.inventory.asking import named
from warden.usage import Use, read_reference

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaFunctions:
    """AWS Lambda in one account and region."""

    def __init__(self, client: "LambdaClient") -> None:
        """`client` is a Lambda client."""
        self._client = client
        # Read here once: two threads that ask botocore for them first, each at once, get two different classes.
        self._exceptions = client.exceptions

    def uses(self, home: Home) -> Iterator[Use]:
        """The images of all versions."""
        for function, version in self._versions():
            image = self._image(function, version)
            by = f"{named('Lambda function', function.rpartition(':function:')[2])} version {version}"
            if image and (use := read_reference(image, home, by)):
                yield use

    def _versions(self) -> Iterator[tuple[str, str]]:
        """The ARN of each function that is an image, with each of its versions."""
        for page in self._client.get_paginator("list_functions").paginate(FunctionVersion="ALL"):
            with answers.whole("ListFunctions"):
                listed: list[Mapping[str, Any]] = [dict(one) for one in page["Functions"]]
            for one in listed:
                with answers.whole("ListFunctions"):
                    arn, version, package = one["FunctionArn"], one["Version"], one["PackageType"]
                if package == "Image":
                    yield arn.removesuffix(f":{version}"), version

    def _image(self, function: str, version: str) -> str | None:
        """The image by the digest that Lambda pulled, which the listing does not tell; None where it is gone."""
        try:
            answer = self._client.get_function(FunctionName=function, Qualifier=version)
        except self._exceptions.ResourceNotFoundException:
            return None
        with answers.whole("GetFunction"):
            code = answer["Code"]
            return code.get("ResolvedImageUri") or code["ImageUri"]
