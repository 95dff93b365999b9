"""ECR's documented behaviour, for layers; see `test_ecr_repositories.py`."""

import urllib.request
from collections.abc import Mapping

import pytest
import requests
from mypy_boto3_ecr import ECRClient

from tests.conformance.cloud import Cloud, refused, sha256, upload

DATA = b"x" * 3000
PART = 10 * 2**20


def test_an_upload_has_an_id_and_a_part_size(ecr: ECRClient, repository: str) -> None:
    answer = ecr.initiate_layer_upload(repositoryName=repository)

    assert answer["uploadId"]
    assert answer["partSize"] > 5 * 2**20


def _upload_id(ecr: ECRClient, repository: str, data: bytes = b"") -> str:
    upload_id = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    if data:
        ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=upload_id,
            partFirstByte=0,
            partLastByte=len(data) - 1,
            layerPartBlob=data,
        )
    return upload_id


def test_a_part_is_confirmed_by_its_last_byte(ecr: ECRClient, repository: str) -> None:
    answer = ecr.upload_layer_part(
        repositoryName=repository,
        uploadId=_upload_id(ecr, repository),
        partFirstByte=0,
        partLastByte=len(DATA) - 1,
        layerPartBlob=DATA,
    )

    assert answer["lastByteReceived"] == len(DATA) - 1


def test_parts_have_no_gaps(ecr: ECRClient, repository: str) -> None:
    with refused("InvalidLayerPartException"):
        ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=_upload_id(ecr, repository),
            partFirstByte=100,
            partLastByte=199,
            layerPartBlob=b"y" * 100,
        )


def test_a_part_needs_its_upload(ecr: ECRClient, repository: str) -> None:
    with refused("UploadNotFoundException", "InvalidParameterException"):
        ecr.upload_layer_part(
            repositoryName=repository,
            uploadId="00000000-0000-4000-8000-000000000000",
            partFirstByte=0,
            partLastByte=0,
            layerPartBlob=b"y",
        )


def test_a_layer_is_kept_under_its_digest(ecr: ECRClient, repository: str) -> None:
    answer = ecr.complete_layer_upload(
        repositoryName=repository, uploadId=_upload_id(ecr, repository, DATA), layerDigests=[sha256(DATA)]
    )

    assert answer["layerDigest"] == sha256(DATA)


def test_a_layer_that_is_there_is_not_kept_again(ecr: ECRClient, repository: str) -> None:
    upload(ecr, repository, DATA)

    with refused("LayerAlreadyExistsException"):
        ecr.complete_layer_upload(
            repositoryName=repository, uploadId=_upload_id(ecr, repository, DATA), layerDigests=[sha256(DATA)]
        )


def test_a_layer_has_the_promised_digest(ecr: ECRClient, repository: str) -> None:
    with refused("InvalidLayerException"):
        ecr.complete_layer_upload(
            repositoryName=repository,
            uploadId=_upload_id(ecr, repository, b"0123456789"),
            layerDigests=["sha256:" + "0" * 64],
        )


def test_a_layer_has_parts(ecr: ECRClient, repository: str) -> None:
    with refused("EmptyUploadException"):
        ecr.complete_layer_upload(
            repositoryName=repository, uploadId=_upload_id(ecr, repository), layerDigests=[sha256(b"")]
        )


def test_it_says_which_layers_are_there(ecr: ECRClient, repository: str) -> None:
    missing = "sha256:" + "1" * 64
    upload(ecr, repository, DATA)

    answer = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[sha256(DATA), missing])

    layers = {each["layerDigest"]: each for each in answer["layers"]}
    assert layers[sha256(DATA)]["layerAvailability"] == "AVAILABLE"
    assert layers[sha256(DATA)]["layerSize"] == len(DATA)
    assert layers.get(missing, {"layerAvailability": "UNAVAILABLE"})["layerAvailability"] == "UNAVAILABLE"


def test_a_layer_is_downloaded_from_its_url(ecr: ECRClient, repository: str) -> None:
    upload(ecr, repository, DATA)

    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=sha256(DATA))["downloadUrl"]

    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - as ECR gave it
        assert answer.read() == DATA


def test_an_unknown_layer_has_no_url(ecr: ECRClient, repository: str) -> None:
    with refused("LayersNotFoundException", "LayerInaccessibleException"):
        ecr.get_download_url_for_layer(repositoryName=repository, layerDigest="sha256:" + "2" * 64)


# -- parts -------------------------------------------------------------------------------------------------------------


def _add(ecr: ECRClient, repository: str, upload_id: str, data: bytes, *, first: int = 0) -> int:
    answer = ecr.upload_layer_part(
        repositoryName=repository,
        uploadId=upload_id,
        partFirstByte=first,
        partLastByte=first + len(data) - 1,
        layerPartBlob=data,
    )
    return answer["lastByteReceived"]


def test_a_part_that_does_not_follow_the_last_is_told_where_the_upload_is(ecr: ECRClient, repository: str) -> None:
    upload_id = _upload_id(ecr, repository, DATA)

    with pytest.raises(ecr.exceptions.InvalidLayerPartException) as caught:
        _add(ecr, repository, upload_id, DATA)

    said: Mapping[str, object] = caught.value.response
    assert (said["lastValidByteReceived"], said["uploadId"]) == (len(DATA) - 1, upload_id)


def test_only_the_last_part_may_be_small(ecr: ECRClient, repository: str) -> None:
    upload_id = _upload_id(ecr, repository, DATA)

    with refused("LayerPartTooSmallException", "InvalidLayerPartException"):
        _add(ecr, repository, upload_id, b"more", first=len(DATA))
        ecr.complete_layer_upload(repositoryName=repository, uploadId=upload_id, layerDigests=[sha256(DATA + b"more")])


def test_a_part_has_a_largest_size(ecr: ECRClient, repository: str) -> None:
    with refused("InvalidParameterException", "ValidationException"):
        _add(ecr, repository, _upload_id(ecr, repository), bytes(20 * 2**20 + 1))


def test_parts_of_the_offered_size_are_put_together(ecr: ECRClient, repository: str) -> None:
    content = bytes(PART) + b"the end"
    upload_id = _upload_id(ecr, repository)

    assert _add(ecr, repository, upload_id, content[:PART]) == PART - 1
    assert _add(ecr, repository, upload_id, content[PART:], first=PART) == len(content) - 1
    ecr.complete_layer_upload(repositoryName=repository, uploadId=upload_id, layerDigests=[sha256(content)])

    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=sha256(content))["downloadUrl"]
    assert requests.get(url, timeout=30).content == content


# -- downloads ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "status", "said", "content"),
    [
        ("bytes=0-9", 206, "bytes 0-9/3000", DATA[:10]),
        ("bytes=2990-", 206, "bytes 2990-2999/3000", DATA[2990:]),
        ("bytes=2990-9999", 206, "bytes 2990-2999/3000", DATA[2990:]),
        ("bytes=0-2999", 206, "bytes 0-2999/3000", DATA),
        ("bytes=3000-", 416, "bytes */3000", None),
    ],
)
def test_a_range_of_a_layer_is_downloaded(
    ecr: ECRClient, repository: str, asked: str, status: int, said: str, content: bytes | None
) -> None:
    upload(ecr, repository, DATA)
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=sha256(DATA))["downloadUrl"]

    answer = requests.get(url, headers={"Range": asked}, timeout=10)

    assert (answer.status_code, answer.headers["Content-Range"]) == (status, said)
    assert content is None or answer.content == content


@pytest.mark.local_only
def test_a_url_that_nobody_gave_is_forbidden(cloud: Cloud) -> None:
    assert requests.get(f"{cloud.url}/_ecr/layers/made-up", timeout=10).status_code == 403


# -- account settings --------------------------------------------------------------------------------------------------


@pytest.mark.local_only  # a real account's setting may be any
def test_the_account_mounts_no_layers_until_it_is_told_to(ecr: ECRClient) -> None:
    assert ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == "DISABLED"
    try:
        answer = ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        assert (answer["name"], answer["value"]) == ("BLOB_MOUNTING", "ENABLED")
        assert ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == "ENABLED"
    finally:
        ecr.put_account_setting(name="BLOB_MOUNTING", value="DISABLED")


@pytest.mark.parametrize(("name", "value"), [("BLOB_MOUNTING", "MAYBE"), ("NO_SUCH_SETTING", "ENABLED")])
def test_settings_have_names_and_values_of_their_own(ecr: ECRClient, name: str, value: str) -> None:
    with refused("InvalidParameterException", "ValidationException"):
        ecr.put_account_setting(name=name, value=value)
