"""Who may do what in the local registry, and what is written down about it."""

import base64

import pytest

from local.registry.docker_v2 import DockerRegistry
from local.registry.errors import EcrError
from local.registry.http import HttpRequest
from tests.unit.local.a_registry import ROLE, Small

APP = "arn:aws:ecr:eu-central-1:111122223333:repository/team/app"


def test_iam_is_asked_about_the_repositories_that_are_named(small: Small) -> None:
    small.call("DescribeImages", repositoryName="team/app")
    small.call("DescribeRepositories", repositoryNames=["team/app"])
    small.call("DescribeRepositories")
    small.call("ListTagsForResource", resourceArn=APP)
    small.call("GetAuthorizationToken")
    small.call("ListImageReferrers", repositoryName="team/app", subjectId={"imageDigest": "sha256:" + "0" * 64})

    assert small.asked == [
        ("ecr:DescribeImages", APP),
        ("ecr:DescribeRepositories", APP),
        ("ecr:DescribeRepositories", "arn:aws:ecr:eu-central-1:111122223333:repository/*"),
        ("ecr:ListTagsForResource", APP),
        ("ecr:GetAuthorizationToken", "*"),
        ("ecr:BatchGetImage", APP),
    ]


def test_what_is_denied_is_not_done_and_written_down() -> None:
    small = Small(denied=frozenset({"ecr:CreateRepository"}))

    with pytest.raises(EcrError, match="AccessDeniedException"):
        small.call("CreateRepository", ROLE, repositoryName="team/app")

    assert small.ecr.registry.repositories == {}
    (call,) = small.ecr.calls_since(0)
    assert call == {
        "number": 1,
        "operation": "CreateRepository",
        "repository": "team/app",
        "caller": ROLE.role,
        "outcome": "AccessDeniedException",
        "by_waiter": False,
    }


def test_calls_are_numbered_in_their_order(small: Small) -> None:
    small.call("DescribeRepositories")
    small.call("ListImages", repositoryName="team/app")

    assert [(each["number"], each["operation"]) for each in small.ecr.calls_since(1)] == [
        (2, "DescribeRepositories"),
        (3, "ListImages"),
    ]


def _login(small: Small, token: str) -> int:
    request = HttpRequest("GET", "/v2/", {}, {"authorization": f"Basic {token}"}, b"")
    return DockerRegistry(small.ecr).handle(request).status


def test_a_token_is_good_for_twelve_hours(small: Small) -> None:
    (data,) = small.call("GetAuthorizationToken", ROLE)["authorizationData"]
    token = data["authorizationToken"]

    assert _login(small, token) == 200
    small.pass_time(hours=12)
    assert _login(small, token) == 401


@pytest.mark.parametrize("token", ["", "!", base64.b64encode(b"AWS:x").decode(), base64.b64encode(b"\xff").decode()])
def test_what_was_never_given_out_is_no_token(small: Small, token: str) -> None:
    assert _login(small, token) == 401


def test_a_client_acts_as_the_holder_of_its_token(small: Small) -> None:
    (data,) = small.call("GetAuthorizationToken", ROLE)["authorizationData"]
    headers = {"authorization": f"Basic {data['authorizationToken']}"}

    DockerRegistry(small.ecr).handle(HttpRequest("POST", "/v2/team/app/blobs/uploads/", {}, headers, b""))

    assert small.ecr.calls_since(2)[0]["caller"] == ROLE.role
