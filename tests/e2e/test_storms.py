"""Storms under enhanced scanning, on the local cloud: what concerns many is told once, as is what comes in pieces."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.demo.images import MANIFEST, Image, Package, debian
from tests.e2e.cloud import Cloud

pytestmark = pytest.mark.e2e

REPOSITORIES, IMAGES = 25, 20
ALL = REPOSITORIES * IMAGES
FINDINGS = 300
BASE = debian(Package("base-files", "12.4+deb12u12"), Package("common", "1.0-1"))
SINGLE = debian(*(Package(f"piece-{number}", "1.0-1") for number in range(FINDINGS)))
RUNNING = 7


def advisory(name: str, package: str) -> Mapping[str, Any]:
    return {
        "id": name,
        "severity": "CRITICAL",
        "cvss": {"score": 9.8, "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
        "description": f"{package} runs what a stranger sends",
        "uri": f"https://security-tracker.debian.org/tracker/{name}",
        "affects": [{"debian": package, "release": "12", "fixed": "1.0-2"}],
    }


def another(image: Image, number: int) -> str:
    """The manifest of an image that differs from the others by a word alone: its layer is pushed once."""
    return json.dumps({**json.loads(image.manifest()), "annotations": {"number": str(number)}})


def fill(cloud: Cloud, number: int) -> list[str]:
    """A repository of images; gives their digests."""
    name = f"storm/app-{number:02}"
    cloud.ecr.create_repository(repositoryName=name)
    digests = [cloud.docker.push(BASE, name, "v1.0.0")]
    for one in range(1, IMAGES):
        answer = cloud.ecr.put_image(
            repositoryName=name,
            imageManifest=another(BASE, one),
            imageManifestMediaType=MANIFEST,
            imageTag=f"v1.0.{one}",
        )
        digests.append(answer["image"]["imageId"]["imageDigest"])
    return digests


@pytest.fixture(scope="module")
def storm(cloud: Cloud) -> Iterator[float]:
    """Images that were judged clean, and then advisories that hit them all; gives when that was.

    Push events are lost, since Inspector's own are what leads to a verdict.
    """
    started = time.time()
    filters = [{"filter": pattern, "filterType": "WILDCARD"} for pattern in ("storm/*", "single/*")]
    rules = [{"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": filters}]
    cloud.ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=rules)
    before = len(cloud.messages())
    cloud.account.drop_events("ECR Image Action", ALL + 1)
    digests = [fill(cloud, number) for number in range(REPOSITORIES)]
    for digest in digests[3][:RUNNING]:
        cloud.control("in-use", {"repository": "storm/app-03", "digest": digest, "count": 2})
    cloud.ecr.create_repository(repositoryName="single/app")
    cloud.docker.push(SINGLE, "single/app", "v1.0.0")
    pushed = time.time()
    cloud.settle()
    print(f"{ALL + 1} images pushed in {pushed - started:.0f} s, judged in {time.time() - pushed:.0f} s")
    assert cloud.verdicts("s") == {"pass": ALL + 1}, "each image was judged clean"
    assert len(cloud.messages()) == before
    published = time.time()
    pieces = [advisory(f"CVE-2026-{20000 + number}", f"piece-{number}") for number in range(FINDINGS)]
    found = cloud.control("advisories", [advisory("CVE-2026-10000", "common"), *pieces])
    print(f"advisories matched and told in {time.time() - published:.1f} s: {found}")
    assert found == {"advisories": FINDINGS + 1, "images": ALL + 1, "findings": ALL + FINDINGS}
    yield published
    cloud.ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[])


def test_an_advisory_that_hits_five_hundred_images_is_one_message(cloud: Cloud, storm: float) -> None:
    text = cloud.message_about("CVE-2026-10000")
    print(f"told {time.time() - storm:.0f} s after the advisory; {cloud.outcomes('ScanFinished', storm)}")
    assert f"{ALL} images in {REPOSITORIES} repositories" in text
    assert f"CVE-2026-10000 is new in {ALL} images" in text
    assert f"{RUNNING} of the images are running" in text
    cloud.settle()
    assert len(cloud.about("CVE-2026-10000")) == len(cloud.about("storm/app-")) == 1
    assert cloud.verdicts("storm/") == {"block": ALL}, "each image has a verdict of its own in the ledger"
    assert cloud.dead_letters() == {}


def test_three_hundred_findings_of_one_image_are_one_message(cloud: Cloud, storm: float) -> None:
    text = cloud.message_about("single/app:v1.0.0")
    assert f"{FINDINGS} critical" in text
    cloud.settle()
    assert len(cloud.about("single/app")) == 1
    calls = [call for call in cloud.account.calls("DescribeImageScanFindings") if call["repository"] == "single/app"]
    print(f"{cloud.outcomes('ScanFinished', storm)}")
    print(f"{FINDINGS} events, {len(calls)} reads; {cloud.at_once('ScanFinished', storm)} consumers at once")
    assert len(calls) <= 4, "once when it was pushed, and a page or two when its findings came"
    assert cloud.dead_letters() == {}
