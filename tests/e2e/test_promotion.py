"""A real multi-platform image with a layer of 300 MB is promoted: the same image, in a function that stays small.

`WARDEN_LARGE_LAYER` is how many MB the layer has.
"""

import gzip
import hashlib
import io
import json
import os
import random
import tarfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.chat import Chat
from local.demo.__main__ import deploy, free_port
from local.demo.images import CONFIG, INDEX, LAYER, MANIFEST, Client, Image, Package, debian
from local.demo.surroundings import an_account, eventually
from tests.e2e.cloud import Cloud

pytestmark = pytest.mark.e2e

MB = 1_000_000
LARGE = int(os.environ.get("WARDEN_LARGE_LAYER", "300")) * MB
MOST_MEMORY = 160_000
"""KB that the function's process may have had at any time, all of it."""
PATIENCE = 400.0
SOURCE, RELEASE = "staging/heavy", "release/heavy"
SBOM = "application/spdx+json"
POLICY = """\
version: 1
mode: enforce
defaults:
  scanning: {{on_push: true}}
  lifecycle: {{mode: off}}
  findings: {{notify_from: HIGH, block_from: CRITICAL}}
  channels: [platform]
rules:
  - match: "staging/*"
    promote: {{to: "release/{{name}}", tags: ["v*"]}}
channels:
  platform: {{type: slack, secret: warden/slack-platform, hosts: ["127.0.0.1:{port}"]}}
"""


@dataclass(frozen=True)
class Stored:
    """What a repository has: each manifest as it was pushed, and its tags, by digest."""

    manifests: Mapping[str, str]
    tags: Mapping[str, tuple[str, ...]]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def large_layer() -> bytes:
    """A layer that can't be made smaller."""
    packed, source = io.BytesIO(), random.Random(LARGE)  # noqa: S311 - the same each time
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=0, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w|") as archive,
    ):
        entry = tarfile.TarInfo("opt/model.bin")
        entry.size = LARGE
        archive.addfile(entry, io.BytesIO(b"".join(source.randbytes(MB) for _ in range(LARGE // MB))))
    return packed.getvalue()


def push_platform(client: Client, image: Image, *below: bytes) -> bytes:
    """Push one platform's image, by its digest, with layers below its own; its manifest."""
    layers = [*below, image.layer()]
    config = json.loads(image.config())
    config["rootfs"]["diff_ids"] = [digest_of(gzip.decompress(layer)) for layer in layers]
    packed = json.dumps(config).encode()
    for content, media_type in [(packed, CONFIG), *((layer, LAYER) for layer in layers)]:
        client.push_blob(SOURCE, content, media_type)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, packed),
        "layers": [descriptor(LAYER, layer) for layer in layers],
    }
    text = json.dumps(manifest).encode()
    client.push_manifest(SOURCE, text, MANIFEST)
    return text


def push_sbom(client: Client, subject: bytes) -> str:
    """Push a list of packages about an index, as a referrer; its digest."""
    empty, packages = b"{}", b'{"spdxVersion": "SPDX-2.3", "packages": []}'
    client.push_blob(SOURCE, empty, "application/vnd.oci.empty.v1+json")
    client.push_blob(SOURCE, packages, SBOM)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": SBOM,
        "config": descriptor("application/vnd.oci.empty.v1+json", empty),
        "layers": [descriptor(SBOM, packages)],
        "subject": descriptor(INDEX, subject),
    }
    return client.push_manifest(SOURCE, json.dumps(manifest).encode(), MANIFEST)


def stored(cloud: Cloud, repository: str) -> Stored:
    pages = cloud.ecr.get_paginator("describe_images").paginate(repositoryName=repository)
    tags = {one["imageDigest"]: tuple(one.get("imageTags", ())) for page in pages for one in page["imageDetails"]}
    answer = cloud.ecr.batch_get_image(
        repositoryName=repository,
        imageIds=[{"imageDigest": digest} for digest in tags],
        acceptedMediaTypes=[MANIFEST, INDEX],
    )
    assert answer["failures"] == []
    return Stored({one["imageId"]["imageDigest"]: one["imageManifest"] for one in answer["images"]}, tags)


def peak_memory(function: str) -> int:
    """The most that a process of the function had in memory at any time, in KB."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if f"AWS_LAMBDA_FUNCTION_NAME={function}".encode() not in (process / "environ").read_bytes().split(b"\0"):
                continue
            status = (process / "status").read_text()
        except (OSError, ValueError):  # no process, another user's, or gone by now
            continue
        found.append(int(status.partition("VmHWM:")[2].split()[0]))
    assert found, f"no process of {function}"
    return max(found)


def sent(cloud: Cloud) -> Counter[str]:
    """The calls that moved something to the release repository."""
    return Counter(call["operation"] for call in cloud.account.all_calls() if call["repository"] == RELEASE)


def entries(cloud: Cloud, digest: str) -> list[Mapping[str, str]]:
    """What the ledger says of the image's promotions, oldest first."""
    pages = (
        cloud.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=cloud.outputs["LedgerTable"],
            KeyConditionExpression="pk = :key",
            ExpressionAttributeValues={":key": {"S": f"history#{SOURCE}@{digest}"}},
        )
    )
    items = [item for page in pages for item in page["Items"] if item["kind"]["S"] == "promotion"]
    return [{name: value["S"] for name, value in item["details"]["M"].items()} for item in items]


@dataclass
class Promoted:
    """The image in both repositories, and how it got there."""

    cloud: Cloud
    digest: str
    referrer: str
    peak: int
    seconds: float


@pytest.fixture(scope="module")
def promoted() -> Iterator[Promoted]:
    """Pushed with its referrer first and its tag last, and promoted since it passes."""
    with Chat() as chat, an_account(free_port(), chat) as account:
        cloud = Cloud(account, deploy(account, POLICY))
        cloud.message_about("is here")
        cloud.ecr.create_repository(repositoryName=SOURCE, imageScanningConfiguration={"scanOnPush": True})
        clean = Package("base-files", "12.4+deb12u12")
        platforms = {
            "amd64": push_platform(cloud.docker, debian(clean), large_layer()),
            "arm64": push_platform(cloud.docker, debian(clean, architecture="arm64")),
        }
        listed = [
            {**descriptor(MANIFEST, manifest), "platform": {"os": "linux", "architecture": name}}
            for name, manifest in platforms.items()
        ]
        index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}).encode()
        cloud.docker.push_manifest(SOURCE, index, INDEX)
        referrer = push_sbom(cloud.docker, index)
        began = time.monotonic()
        digest = cloud.docker.push_manifest(SOURCE, index, INDEX, "v1.0.0")
        done = eventually(lambda: [one for one in entries(cloud, digest) if one["result"] == "done"], PATIENCE)
        assert done, (entries(cloud, digest), cloud.messages(), cloud.dead_letters())
        seconds = time.monotonic() - began
        cloud.settle()
        yield Promoted(cloud, digest, referrer, peak_memory(cloud.outputs["PromoteFunction"]), seconds)


def test_every_manifest_and_its_referrer_are_there_byte_for_byte_and_the_tag_is(promoted: Promoted) -> None:
    there, here = stored(promoted.cloud, RELEASE), stored(promoted.cloud, SOURCE)

    assert there == here
    assert there.tags[promoted.digest] == ("v1.0.0",)
    assert promoted.referrer in there.manifests
    assert len(there.manifests) == 4


def test_every_layer_can_be_downloaded_from_its_new_place_and_is_what_it_was(promoted: Promoted) -> None:
    layers = {
        layer["digest"]: layer["size"]
        for manifest in map(json.loads, stored(promoted.cloud, RELEASE).manifests.values())
        for layer in [*manifest.get("layers", ()), *([manifest["config"]] if "config" in manifest else ())]
    }
    answer = promoted.cloud.ecr.batch_check_layer_availability(repositoryName=RELEASE, layerDigests=list(layers))

    assert {one["layerDigest"]: one["layerSize"] for one in answer["layers"]} == layers
    assert max(layers.values()) > LARGE


def test_the_function_stayed_small(promoted: Promoted) -> None:
    calls = sent(promoted.cloud)
    print(f"\n{LARGE:,} bytes in {calls['UploadLayerPart']} parts, {promoted.seconds:.0f} s, peak {promoted.peak:,} KB")

    assert promoted.peak < MOST_MEMORY
    assert calls["UploadLayerPart"] >= LARGE / (20 * 2**20)


def test_a_second_promotion_sends_nothing(promoted: Promoted) -> None:
    cloud, before = promoted.cloud, sent(promoted.cloud)

    code, _ = cloud.account.warden("promote", f"{SOURCE}@{promoted.digest}", "--stage", "demo", "--reason", "once more")

    after = sent(cloud)
    assert code == 0
    assert len(entries(cloud, promoted.digest)) > 1
    for operation in ("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "MountLayer", "PutImage"):
        assert after[operation] == before[operation], operation
