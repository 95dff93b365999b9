"""The Docker Registry v2 API of the local cloud: a real client pushes and pulls, and the ECR API sees it."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import oras.client
import pytest
import requests
from mypy_boto3_ecr import ECRClient

from tests.conformance.cloud import (
    DEBIAN,
    OCI_CONFIG,
    OCI_MANIFEST,
    Cloud,
    index,
    layer,
    manifest,
    push,
    sha256,
    upload,
)

pytestmark = pytest.mark.local_only

LAYER = "application/vnd.oci.image.layer.v1.tar"


@pytest.fixture
def password(ecr: ECRClient) -> str:
    """The password of an authorization token."""
    (data,) = ecr.get_authorization_token()["authorizationData"]
    return base64.b64decode(data["authorizationToken"]).decode().removeprefix("AWS:")


@pytest.fixture
def http(cloud: Cloud, password: str) -> Callable[..., requests.Response]:
    """Sends one request to the API, by path."""

    def send(method: str, path: str, **more: object) -> requests.Response:
        return requests.request(method, f"{cloud.url}{path}", auth=("AWS", password), timeout=10, **more)  # type: ignore[arg-type]

    return send


@pytest.fixture
def client(cloud: Cloud, password: str) -> oras.client.OrasClient:
    """PyPI's oras, logged in."""
    client = oras.client.OrasClient(hostname=f"127.0.0.1:{cloud.port}", insecure=True, auth_backend="basic")
    client.auth.set_basic_auth("AWS", password)
    return client


def test_what_a_client_pushes_the_api_describes_and_the_client_pulls(
    client: oras.client.OrasClient, cloud: Cloud, ecr: ECRClient, repository: str, tmp_path: Path
) -> None:
    content = layer(DEBIAN)
    (tmp_path / "layer.tar").write_bytes(content)
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "amd64", "os": "linux"}))
    target = f"127.0.0.1:{cloud.port}/{repository}:v1"

    client.push(
        target,
        files=[f"{tmp_path}/layer.tar:{LAYER}"],
        manifest_config=f"{tmp_path}/config.json:{OCI_CONFIG}",
        disable_path_validation=True,
    )
    (pulled,) = client.pull(target, outdir=str(tmp_path / "pulled"))

    assert Path(pulled).read_bytes() == content
    (found,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert (found["imageTags"], found["artifactMediaType"]) == (["v1"], OCI_CONFIG)
    assert found["imageSizeInBytes"] == len(content)
    assert found["lastRecordedPullTime"]


def test_nobody_comes_in_without_a_token(cloud: Cloud) -> None:
    answer = requests.get(f"{cloud.url}/v2/", auth=("AWS", "guessed"), timeout=10)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_an_unknown_repository_is_said_so(http: Callable[..., requests.Response]) -> None:
    answer = http("POST", "/v2/conformance/unknown/blobs/uploads/")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "NAME_UNKNOWN")


def test_a_blob_arrives_in_chunks_of_any_size(http: Callable[..., requests.Response], repository: str) -> None:
    location = http("POST", f"/v2/{repository}/blobs/uploads/").headers["Location"]
    for part in (b"one ", b"two ", b"three"):
        answer = http("PATCH", location, data=part)

    done = http("PUT", f"{location}?digest={sha256(b'one two three')}")

    assert (answer.status_code, answer.headers["Range"]) == (202, "0-12")
    assert done.status_code == 201
    assert http("GET", f"/v2/{repository}/blobs/{sha256(b'one two three')}").content == b"one two three"


def test_a_blob_with_another_digest_is_refused(http: Callable[..., requests.Response], repository: str) -> None:
    answer = http("POST", f"/v2/{repository}/blobs/uploads/?digest={sha256(b'promised')}", data=b"sent")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "DIGEST_INVALID")


def test_a_blob_is_asked_for_before_it_is_pushed(
    http: Callable[..., requests.Response], ecr: ECRClient, repository: str
) -> None:
    built = manifest("one")
    push(ecr, repository, built, "v1")

    there = http("HEAD", f"/v2/{repository}/blobs/{sha256(built.blobs[1])}")

    assert (there.status_code, there.headers["Content-Length"]) == (200, str(len(built.blobs[1])))
    assert http("HEAD", f"/v2/{repository}/blobs/{sha256(b'missing')}").status_code == 404


def test_an_immutable_tag_is_refused_in_ecrs_words(
    http: Callable[..., requests.Response], ecr: ECRClient, create: Callable[..., str]
) -> None:
    repository = create(imageTagMutability="IMMUTABLE")
    old, new = manifest("old"), manifest("new")
    push(ecr, repository, old, "v1")
    push(ecr, repository, new)

    answer = http("PUT", f"/v2/{repository}/manifests/v1", data=new.text, headers={"Content-Type": OCI_MANIFEST})

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, "TAG_INVALID")
    assert error["message"].endswith("because the tag is immutable.")


def test_the_same_manifest_may_be_put_again(
    http: Callable[..., requests.Response], ecr: ECRClient, repository: str
) -> None:
    built = manifest("one")
    push(ecr, repository, built, "v1")

    answer = http("PUT", f"/v2/{repository}/manifests/v1", data=built.text, headers={"Content-Type": OCI_MANIFEST})

    assert (answer.status_code, answer.headers["Docker-Content-Digest"]) == (201, built.digest)


def test_tags_are_listed_in_pages(http: Callable[..., requests.Response], ecr: ECRClient, repository: str) -> None:
    for number in range(3):
        push(ecr, repository, manifest(str(number)), f"v{number}")

    first = http("GET", f"/v2/{repository}/tags/list?n=2")
    rest = http("GET", first.links["next"]["url"])

    assert (first.json()["tags"], rest.json()["tags"]) == (["v0", "v1"], ["v2"])
    assert "Link" not in rest.headers


def test_referrers_are_an_index(http: Callable[..., requests.Response], ecr: ECRClient, repository: str) -> None:
    subject = manifest("one")
    push(ecr, repository, subject, "v1")
    content = json.loads(manifest("signature").text)
    content |= {"artifactType": "application/x-signature", "subject": {"digest": subject.digest}}
    push(ecr, repository, manifest("signature"))

    put = http(
        "PUT",
        f"/v2/{repository}/manifests/{sha256(json.dumps(content).encode())}",
        data=json.dumps(content),
        headers={"Content-Type": OCI_MANIFEST},
    )
    listed = http("GET", f"/v2/{repository}/referrers/{subject.digest}").json()

    assert put.headers["OCI-Subject"] == subject.digest
    assert [each["artifactType"] for each in listed["manifests"]] == ["application/x-signature"]


def test_an_index_is_pulled_by_tag(http: Callable[..., requests.Response], ecr: ECRClient, repository: str) -> None:
    child = manifest("amd64")
    push(ecr, repository, child)
    built = index([child])
    push(ecr, repository, built, "multi")

    answer = http("GET", f"/v2/{repository}/manifests/multi")

    assert (answer.text, answer.headers["Docker-Content-Digest"]) == (built.text, built.digest)


def test_manifests_are_not_deleted_this_way(http: Callable[..., requests.Response], repository: str) -> None:
    assert http("DELETE", f"/v2/{repository}/manifests/v1").status_code == 405


@pytest.fixture
def mounting(ecr: ECRClient) -> Iterator[None]:
    """The account mounts layers."""
    ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    yield
    ecr.put_account_setting(name="BLOB_MOUNTING", value="DISABLED")


MOUNTED = layer({"etc/motd": "mounted"})


def test_without_the_accounts_setting_a_mount_begins_an_upload(
    http: Callable[..., requests.Response], ecr: ECRClient, create: Callable[..., str]
) -> None:
    source, target = create(), create()
    digest = upload(ecr, source, MOUNTED)

    answer = http("POST", f"/v2/{target}/blobs/uploads/?mount={digest}&from={source}")

    assert answer.status_code == 202
    assert http("HEAD", f"/v2/{target}/blobs/{digest}").status_code == 404


@pytest.mark.usefixtures("mounting")
def test_with_the_accounts_setting_a_layer_is_mounted_and_cloudtrail_tells_of_it(
    http: Callable[..., requests.Response], cloud: Cloud, ecr: ECRClient, create: Callable[..., str]
) -> None:
    source, target = create(), create()
    digest = upload(ecr, source, MOUNTED)

    answer = http("POST", f"/v2/{target}/blobs/uploads/?mount={digest}&from={source}")

    assert (answer.status_code, answer.headers["Docker-Content-Digest"]) == (201, digest)
    assert answer.headers["Location"].endswith(f"/v2/{target}/blobs/{digest}")
    assert http("GET", f"/v2/{target}/blobs/{digest}").content == MOUNTED
    calls = requests.get(f"{cloud.url}/_warden/calls", timeout=10).json()
    (mounted,) = (call for call in calls if call["operation"] == "MountLayer" and call["repository"] == target)
    assert mounted["outcome"] == "ok"


@pytest.mark.usefixtures("mounting")
@pytest.mark.parametrize("trouble", ["another encryption", "no such layer", "no such source"])
def test_what_can_not_be_mounted_begins_an_upload(
    http: Callable[..., requests.Response], ecr: ECRClient, create: Callable[..., str], trouble: str
) -> None:
    source = create()
    encrypted = {"encryptionConfiguration": {"encryptionType": "KMS"}} if trouble == "another encryption" else {}
    target = create(**encrypted)
    digest = upload(ecr, source, MOUNTED) if trouble != "no such layer" else sha256(b"nowhere")
    asked = source if trouble != "no such source" else "conformance/nowhere"

    assert http("POST", f"/v2/{target}/blobs/uploads/?mount={digest}&from={asked}").status_code == 202


def test_a_large_layer_is_pushed_in_one_request(
    http: Callable[..., requests.Response], ecr: ECRClient, repository: str
) -> None:
    content = bytes(25 * 2**20)
    place = http("POST", f"/v2/{repository}/blobs/uploads/").headers["Location"]

    answer = http("PUT", f"{place}?digest={sha256(content)}", data=content)

    assert answer.status_code == 201
    (found,) = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[sha256(content)])["layers"]
    assert (found["layerAvailability"], found["layerSize"]) == ("AVAILABLE", len(content))
