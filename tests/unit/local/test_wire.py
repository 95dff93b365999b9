"""Requests by botocore's own model of ECR."""

import json

import pytest

from local.registry import wire
from local.registry.errors import EcrError

MANIFEST = "x" * 10


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("DescribeImages", {}, "InvalidParameterException"),
        ("DescribeImages", {"repositoryName": "A"}, "InvalidParameterException"),
        ("DescribeImages", {"repositoryName": "a/b", "maxResults": 0}, "InvalidParameterException"),
        ("DescribeImages", {"repositoryName": "a/b", "maxResults": 1001}, "InvalidParameterException"),
        ("DescribeImages", {"repositoryName": "a/b", "maxResults": "1"}, "SerializationException"),
        ("DescribeImages", {"repositoryName": "a/b", "maxResults": True}, "SerializationException"),
        ("DescribeImages", {"repositoryName": "a/b", "imageIds": []}, "InvalidParameterException"),
        (
            "DescribeImages",
            {"repositoryName": "a/b", "imageIds": [{"imageTag": "t"}] * 101},
            "InvalidParameterException",
        ),
        ("DescribeImages", {"repositoryName": "a/b", "filter": {"tagStatus": "SOME"}}, "InvalidParameterException"),
        ("DescribeImages", [], "SerializationException"),
        ("PutLifecyclePolicy", {"repositoryName": "a/b", "lifecyclePolicyText": "{}"}, "InvalidParameterException"),
        ("DescribeNothing", {}, "UnknownOperationException"),
    ],
)
def test_a_request_that_the_model_does_not_know_is_refused(operation: str, request_: object, code: str) -> None:
    with pytest.raises(EcrError) as caught:
        wire.parse(operation, json.dumps(request_).encode())

    assert caught.value.code == code


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(EcrError, match="SerializationException"):
        wire.parse("DescribeImages", b"{")


def test_blobs_come_as_bytes() -> None:
    request = {
        "repositoryName": "a/b",
        "uploadId": "00000000-0000-4000-8000-000000000000",
        "partFirstByte": 0,
        "partLastByte": 1,
        "layerPartBlob": "aGk=",
    }

    assert wire.parse("UploadLayerPart", json.dumps(request).encode())["layerPartBlob"] == b"hi"


def test_a_member_that_is_null_is_not_there() -> None:
    assert wire.parse("DescribeRepositories", b'{"repositoryNames": null, "unknown": 1}') == {}


def test_a_response_with_a_member_that_ecr_does_not_have_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        wire.dump("DescribeRepositories", {"surprise": 1})
