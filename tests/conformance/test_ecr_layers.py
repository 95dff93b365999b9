"""ECR's documented behaviour, for layers; see `test_ecr_repositories.py`."""

import urllib.request

from mypy_boto3_ecr import ECRClient

from tests.conformance.cloud import refused, sha256, upload

DATA = b"x" * 3000


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
