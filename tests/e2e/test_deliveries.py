"""Thousands of deliveries of the same events, out of order and several at a time: each image is told of once.

`WARDEN_DELIVERIES` is how many deliveries there are.
"""

import json
import os
import random
import re
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import Any

import pytest

from local.demo.images import Image, Package, debian
from local.demo.surroundings import ACCOUNT, REGION, eventually
from tests.e2e.cloud import Cloud

pytestmark = pytest.mark.e2e

DELIVERIES = int(os.environ.get("WARDEN_DELIVERIES", "500"))
PATIENCE = 60 + DELIVERIES / 5
SEED = 20261123
SENDERS = 2
BAD = ("HIGH", "CRITICAL")
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
SINGLES, INDEXES, VERSIONS = 24, 6, 6
TITLE = re.compile(r"\bin (deliveries/\S+) — ")
"""What a message begins with: what was found, and in what."""
PLATFORMS = ("amd64", "arm64")


@dataclass(frozen=True)
class Subject:
    """Something with a tag, an image or an index, and the severities that each of its platforms was given."""

    repository: str
    tag: str
    severities: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def is_bad(self) -> bool:
        """Whether there is something to tell: the policy asks for what is high, or worse."""
        return any(severity in BAD for platform in self.severities for severity in platform)

    def packages(self, platform: int) -> Iterator[tuple[str, str]]:
        """Names of packages that nothing else has, and how severe it is to have them."""
        for number, severity in enumerate(self.severities[platform]):
            yield f"{self.name.replace('/', '-').replace(':', '-')}-{platform}-{number}", severity

    def image(self, platform: int) -> Image:
        packages = [Package(name, "1.0-1") for name, _ in self.packages(platform)]
        return debian(Package("base-files", "12.4"), *packages, architecture=PLATFORMS[platform])


def subjects() -> Iterator[Subject]:
    """Some clean, some with what is too little to tell, some bad; indexes of which one platform is; a line of versions.

    A version that is clean again is news only if the one before was judged before: so the clean ones come first.
    """
    for number in range(SINGLES):
        severities = SEVERITIES[number % 4 : number % 4 + 1] * (number % 3)
        yield Subject(f"deliveries/app-{number % 5}", f"build-{chr(97 + number)}", (severities,))
    for number in range(INDEXES):
        worst = SEVERITIES[number % 4 : number % 4 + 2]
        yield Subject("deliveries/multi", f"multi-{chr(97 + number)}", (worst, ()) if number % 2 else ((), worst))
    for number in range(VERSIONS):
        severities = () if number < 2 else ("HIGH",) * number
        yield Subject("deliveries/line", f"v1.0.{number}", (severities,))


def advisories(all_of_them: Sequence[Subject]) -> Iterator[Mapping[str, Any]]:
    """One for each package that was given a severity."""
    named = (
        (name, severity)
        for one in all_of_them
        for n in range(len(one.severities))
        for name, severity in one.packages(n)
    )
    for number, (package, severity) in enumerate(named):
        yield {
            "id": f"CVE-2026-{40000 + number}",
            "severity": severity,
            "cvss": {"score": 5.0, "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
            "description": f"{package} is broken",
            "uri": "https://security-tracker.debian.org/",
            "affects": [{"debian": package, "release": "12", "fixed": "1.0-2"}],
        }


def scan_event(repository: str, digest: str) -> str:
    """The event of a finished scan, as it comes out of the queue; what it says of the findings is never believed."""
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{repository}@{digest}")),
            "detail-type": "ECR Image Scan",
            "source": "aws.ecr",
            "account": ACCOUNT,
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": REGION,
            "resources": [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{repository}"],
            "detail": {
                "scan-status": "COMPLETE",
                "repository-name": repository,
                "image-digest": digest,
                "image-tags": [],
                "finding-severity-counts": {},
            },
        }
    )


def push(cloud: Cloud, one: Subject) -> list[str]:
    """Push it; gives the digests of what is scanned."""
    client, images = cloud.docker, [one.image(platform) for platform in range(len(one.severities))]
    if len(images) == 1:
        return [client.push(images[0], one.repository, one.tag)]
    client.push_index(images, one.repository, one.tag)
    listed = cloud.ecr.batch_get_image(repositoryName=one.repository, imageIds=[{"imageTag": one.tag}])["images"][0]
    return [child["digest"] for child in json.loads(listed["imageManifest"])["manifests"]]


def is_scanned(cloud: Cloud, repository: str, digest: str) -> bool:
    wanted = {"repositoryName": repository, "imageId": {"imageDigest": digest}}
    try:
        return bool(cloud.ecr.describe_image_scan_findings(**wanted)["imageScanStatus"]["status"] == "COMPLETE")
    except cloud.ecr.exceptions.ScanNotFoundException:
        return False


def deliver(cloud: Cloud, bodies: Sequence[str]) -> None:
    """Send them to the queue, ten at a time, as EventBridge would."""
    queue = cloud.outputs["ScanFinishedQueue"]
    for start in range(0, len(bodies), 10):
        batch = bodies[start : start + 10]
        answer = cloud.sqs.send_message_batch(
            QueueUrl=queue, Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)]
        )
        assert not answer.get("Failed")


def test_each_image_is_told_of_once_however_often_its_scan_is(cloud: Cloud) -> None:
    everything = list(subjects())
    expected = Counter(one.name for one in everything if one.is_bad)
    assert 0 < len(expected) < len(everything)
    cloud.control("advisories", list(advisories(everything)))
    for name in {one.repository for one in everything}:
        cloud.ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})
    # ECR's own events of these scans are lost: the deliveries below are all there is.
    cloud.account.drop_events("ECR Image Scan", 2 * len(everything))
    scanned = [(one.repository, digest) for one in everything for digest in push(cloud, one)]
    assert eventually(lambda: all(is_scanned(cloud, *each) for each in scanned), PATIENCE)
    cloud.settle()
    cloud.account.drop_events("ECR Image Scan", 0)

    bodies = list(islice(cycle(scan_event(*each) for each in scanned), DELIVERIES))
    random.Random(SEED).shuffle(bodies)  # noqa: S311 - the same order each time is what is wanted
    began, clock = time.time(), time.monotonic()
    with ThreadPoolExecutor(SENDERS) as threads:
        list(threads.map(lambda n: deliver(cloud, bodies[n::SENDERS]), range(SENDERS)))
    sent = time.monotonic() - clock
    seconds = cloud.settle(PATIENCE) - clock

    told = Counter(TITLE.findall("\n".join(message.payload["text"] for message in cloud.account.chat.messages)))
    outcomes, consumers = cloud.outcomes("ScanFinished", began), cloud.at_once("ScanFinished", began)
    print(
        f"{DELIVERIES} deliveries of {len(scanned)} scans of {len(everything)} images and indexes: "
        f"sent in {sent:.1f} s, handled in {seconds:.1f} s ({DELIVERIES / seconds:.0f} a second) "
        f"by up to {consumers} consumers at once; "
        f"{len(expected)} messages expected, {told.total()} in chat; {dict(outcomes)}"
    )
    assert told == expected, "one message for each image with news, none twice, none missing"
    assert consumers >= 2, "deliveries that never meet prove little"
    assert cloud.dead_letters() == {}, "the queue is empty, and nothing was given up: each was handled to its end"
