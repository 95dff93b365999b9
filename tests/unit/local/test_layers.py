"""Layers of the local registry: what no conformance test can reach in a reasonable time, or as the account's root."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import pytest

from local.registry import layer_downloads, layers
from local.registry.errors import EcrError
from tests.unit.local.a_registry import ROLE, ROOT, Small

CONTENT = b"a layer"
DIGEST = f"sha256:{sha256(CONTENT).hexdigest()}"


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(EcrError) as caught:
        yield
    assert caught.value.code == code


def a_registry(**settings: frozenset[str]) -> Small:
    """Two repositories, one of which has a layer; the account mounts layers."""
    small = Small(**settings)  # type: ignore[arg-type]
    for name in ("team/app", "release/app"):
        small.call("CreateRepository", repositoryName=name)
    small.ecr.registry.repository("team/app").layers[DIGEST] = CONTENT
    small.call("PutAccountSetting", name="BLOB_MOUNTING", value="ENABLED")
    return small


def mounted(small: Small) -> bool:
    return small.ecr.mount(DIGEST, source="team/app", target="release/app", caller=ROLE)


def test_a_layer_has_so_many_parts_at_most() -> None:
    small = a_registry()
    upload = small.call("InitiateLayerUpload", repositoryName="team/app")["uploadId"]
    small.ecr.registry.uploads[upload].parts = layers.MOST_PARTS

    with refused("LimitExceededException"):
        small.call(
            "UploadLayerPart",
            repositoryName="team/app",
            uploadId=upload,
            partFirstByte=0,
            partLastByte=0,
            layerPartBlob=b"x",
        )


def test_cloudtrail_tells_of_a_mounted_layer() -> None:
    small = a_registry()

    assert mounted(small)
    (told,) = (one for one in small.told("AWS API Call via CloudTrail") if one["eventName"] == "MountLayer")
    assert told["requestParameters"] == {"repositoryName": "release/app", "layerDigest": DIGEST}
    assert told["resources"][0]["ARN"].endswith("repository/release/app")


def test_who_may_not_download_a_layer_may_not_mount_it() -> None:
    small = a_registry(denied=frozenset({"ecr:GetDownloadUrlForLayer"}))

    assert not mounted(small)
    assert ("ecr:GetDownloadUrlForLayer", "arn:aws:ecr:eu-central-1:111122223333:repository/team/app") in small.asked


def test_who_may_not_upload_layers_is_told_so() -> None:
    with refused("AccessDeniedException"):
        mounted(a_registry(denied=frozenset({"ecr:InitiateLayerUpload"})))


def test_a_layer_that_is_in_two_repositories_is_in_memory_once() -> None:
    small = a_registry()
    upload = small.call("InitiateLayerUpload", repositoryName="release/app")["uploadId"]
    part: dict[str, Any] = {"partFirstByte": 0, "partLastByte": len(CONTENT) - 1, "layerPartBlob": CONTENT}
    small.call("UploadLayerPart", repositoryName="release/app", uploadId=upload, **part)
    small.call("CompleteLayerUpload", repositoryName="release/app", uploadId=upload, layerDigests=[DIGEST])

    stored = [small.ecr.registry.repository(name).layers[DIGEST] for name in ("team/app", "release/app")]
    assert stored[0] is stored[1]


def test_a_url_answers_for_an_hour() -> None:
    small = a_registry()
    url = small.call("GetDownloadUrlForLayer", ROOT, repositoryName="team/app", layerDigest=DIGEST)["downloadUrl"]
    key = url.rpartition("/")[2]

    assert layer_downloads.reply(small.ecr.registry, key).body == CONTENT
    small.pass_time(hours=1)
    assert layer_downloads.reply(small.ecr.registry, key).status == 403


def test_only_known_ways_of_going_wrong_can_be_asked_for() -> None:
    with pytest.raises(ValueError, match="how is one of truncated, corrupted, substituted, expired"):
        layer_downloads.spoil(a_registry().ecr.registry, {"digest": DIGEST, "how": "stolen", "count": 1})
