"""A registry of sixty repositories and three thousand images, as teams leave them behind, and what runs of them.

`WARDEN_REPOSITORIES=60` makes all of them; without it a part of each kind is made, since sixty take ten minutes.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.request import urlopen

import boto3

from local.demo.surroundings import ACCOUNT, REGION, Account

HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
EACH = 50
"""Images of a repository."""
SIXTY: Mapping[str, int] = {"app": 40, "gone": 10, "direct": 6, "capped": 2, "sealed": 1, "report": 1}
A_FEW: Mapping[str, int] = {"app": 6, "gone": 6, "direct": 2, "capped": 1, "sealed": 1, "report": 1}
COUNTS = SIXTY if os.environ.get("WARDEN_REPOSITORIES") == "60" else A_FEW
"""Repositories of each kind; the kinds are told apart by the policy."""
USES = ("an old image", "an old tag", "a platform", "an index of indexes", "a function", "nobody")
SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"
MEGABYTE = 1_000_000
PULLED_AGO = 45.0
"""Days since what runs was pulled."""

POLICY = """\
version: 1
mode: report
defaults:
  lifecycle:
    mode: enforce
    action: archive
    rules:
      - {{expire: untagged, after: 14d}}
      - {{expire: "pr-*", after: 14d}}
      - {{keep: 3, of: "v*"}}
      - {{expire: any, not_pulled_for: 180d}}
    protect: {{in_use: true, tags: ["prod-*"]}}
    caps: {{percent: 80, images: 100}}
  channels: [platform]
rules:
  - match: "gone/*"
    lifecycle:
      action: delete
      rules:
        - {{expire: untagged, after: 14d}}
        - {{expire: "pr-*", after: 14d}}
        - {{keep: 3, of: "v*"}}
  - match: "direct/*"                    # ECR has no such rules
    lifecycle:
      action: delete
      rules:
        - {{expire: untagged, after: 14d}}
        - {{keep: 1, of: "v*", per: major}}
        - {{expire: any, not_pulled_for: 180d}}
  - match: "capped/*"
    lifecycle: {{caps: {{percent: 5}}}}
  - match: "report/*"
    lifecycle: {{mode: report}}
channels:
  platform: {{type: slack, secret: warden/slack-platform, hosts: ["127.0.0.1:{port}"]}}
"""


@dataclass(frozen=True, slots=True)
class Image:
    """One image, as DescribeImages tells of it."""

    digest: str
    tags: tuple[str, ...]
    archived: bool
    size: int
    pulled_at: str


Registry = Mapping[str, Mapping[str, Image]]
"""Images by repository and digest."""


@dataclass
class World:
    """What was put there: `digests` by repository and name, `used` what runs, by repository."""

    digests: dict[str, dict[str, str]] = field(default_factory=dict)
    used: dict[str, set[str]] = field(default_factory=dict)
    uses: dict[str, str] = field(default_factory=dict)

    def lists(self, repository: str) -> dict[str, tuple[str, ...]]:
        """What each index lists."""
        digests = self.digests[repository]
        return {
            digests[image["name"]]: tuple(digests[child] for child in image["children"])
            for image in images(self.uses[repository], kind_of(repository))
            if "children" in image
        }

    def about(self, repository: str) -> dict[str, str]:
        """What each reference artifact and each signature by tag is about."""
        digests = self.digests[repository]
        tied = {digests[f"tied {name}"]: digests[name] for name in ("v1.0", "v2.3")}
        return tied | {
            digests[image["name"]]: digests[image["subject"]]
            for image in images(self.uses[repository], kind_of(repository))
            if "subject" in image
        }

    def parts_of(self, repository: str, roots: set[str]) -> set[str]:
        """The images, everything that they list, and everything that is about any of it."""
        lists, about = self.lists(repository), self.about(repository)
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            digest = waiting.pop()
            if digest not in found:
                found.add(digest)
                waiting += [*lists.get(digest, ()), *(one for one, subject in about.items() if subject == digest)]
        return found


def names() -> Iterator[str]:
    """All repositories."""
    return (f"{kind}/{number:02}" for kind, count in COUNTS.items() for number in range(count))


def kind_of(repository: str) -> str:
    """Its kind."""
    return repository.partition("/")[0]


def images(use: str, kind: str) -> list[dict[str, Any]]:
    """The images of a repository, but for the signatures that are tied by a tag."""
    single = [
        {
            "name": f"v1.{minor}",
            "tags": [f"v1.{minor}.0", *(["prod-1"] if minor == 2 else [])],
            "pushed": 300 - 10 * minor,
            "size": (40 + minor) * MEGABYTE,
        }
        for minor in range(14)
    ]
    multi = [image for minor in range(4) for image in _multi(minor, protected=use == "nobody")]
    nested = [
        *({"name": f"v3-{platform}", "pushed": 160, "size": 30 * MEGABYTE} for platform in ("amd64", "arm64")),
        {"name": "v3-linux", "children": ["v3-amd64", "v3-arm64"], "pushed": 160},
        {"name": "v3", "tags": ["v3.0.0"], "children": ["v3-linux"], "pushed": 160},
    ]
    requests = [
        {"name": f"pr-{number}", "tags": [f"pr-{number}"], "pushed": age, "size": 20 * MEGABYTE}
        for number, age in enumerate((50, 40, 30, 20, 10, 5))
    ]
    orphans = [{"name": f"orphan-{age}", "pushed": age, "size": 10 * MEGABYTE} for age in (60, 40, 20, 5, 1)]
    referrers = [
        {"name": f"referrer of {name}", "subject": name, "artifact": SIGNATURE, "pushed": 85}
        for name in ("v1.0", "v1.13", "v2.3")
    ]
    others = [
        {"name": "latest", "tags": ["latest"], "pushed": 250, "pulled": 1},
        {"name": "forgotten", "tags": ["dev-old"], "pushed": 250, "pulled": 200},
        {"name": "archived-1", "tags": ["old-1"], "pushed": 400, "archived": 100},
        {"name": "archived-2", "pushed": 400, "archived": 100},
    ]
    if kind == "sealed":  # nobody has read this index before it went to the archive
        others[2:] = [
            {"name": "archived-1", "pushed": 400},
            {"name": "archived-2", "tags": ["old-1"], "children": ["archived-1"], "pushed": 400, "archived": 100},
        ]
    return [*single, *multi, *nested, *requests, *orphans, *referrers, *others]


def _multi(minor: int, *, protected: bool) -> list[dict[str, Any]]:
    name, age = f"v2.{minor}", 150 - 20 * minor
    platforms = [f"{name}-amd64", f"{name}-arm64"]
    tags = [f"{name}.0", *(["prod-multi"] if protected and minor == 0 else [])]
    return [
        *({"name": platform, "pushed": age, "size": 35 * MEGABYTE} for platform in platforms),
        {"name": name, "tags": tags, "children": platforms, "pushed": age},
    ]


def control(account: Account, what: str, order: Any) -> dict[str, Any]:
    """Ask the local cloud itself."""
    with urlopen(f"{account.endpoint}/_warden/{what}", json.dumps(order).encode()) as answer:  # noqa: S310
        said: dict[str, Any] = json.load(answer)
        return said


def fill(account: Account) -> World:
    """Put the registry there, and run what is to run of it."""
    world = World()
    for number, name in enumerate(names()):
        world.uses[name] = USES[number % len(USES)] if kind_of(name) not in {"capped", "sealed"} else "nobody"
        immutable = {"imageTagMutability": "IMMUTABLE"} if number % 2 else {}
        order = {"name": name, "settings": immutable, "images": images(world.uses[name], kind_of(name))}
        world.digests[name] = control(account, "seed", {"repositories": [order]})["repositories"][name]
        tied = [_tied(subject, world.digests[name][subject]) for subject in ("v1.0", "v2.3")]
        added = control(account, "seed", {"repositories": [{"name": name, "images": tied}]})
        world.digests[name] |= added["repositories"][name]
    control(account, "clock", {"ahead_days": -PULLED_AGO})
    run = _Runner(account)
    world.used = {name: run.use(name, use, world.digests[name]) for name, use in world.uses.items()}
    control(account, "clock", {"ahead_days": 0})
    return world


def _tied(subject: str, digest: str) -> dict[str, Any]:
    age = 300 if subject == "v1.0" else 90
    return {"name": f"tied {subject}", "tags": [f"{digest.replace(':', '-')}.sig"], "pushed": age}


class _Runner:
    """Starts services and functions."""

    def __init__(self, account: Account) -> None:
        session = boto3.Session("test", "test", region_name=REGION)
        self._ecs: Any = session.client("ecs", endpoint_url=account.endpoint)
        self._lambda: Any = session.client("lambda", endpoint_url=account.endpoint)
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam = session.client("iam", endpoint_url=account.endpoint)
        self._role = iam.create_role(RoleName="shop", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        for cluster in ("shop", "office"):
            self._ecs.create_cluster(clusterName=cluster)

    def use(self, repository: str, use: str, digests: Mapping[str, str]) -> set[str]:
        """Use the repository in that way; gives the digests of what runs."""
        match use:
            case "an old image":
                return self._serve(repository, f"@{digests['v1.0']}", digests["v1.0"])
            case "an old tag":
                return self._serve(repository, ":pr-0", digests["pr-0"])
            case "a platform":
                return self._serve(repository, f"@{digests['v2.0-amd64']}", digests["v2.0-amd64"])
            case "an index of indexes":
                return self._serve(repository, ":v3.0.0", digests["v3"])
            case "a function":
                return self._function(repository, digests)
        return set()

    def _serve(self, repository: str, reference: str, digest: str) -> set[str]:
        name = repository.replace("/", "-")
        container = {"name": "app", "image": f"{HOST}/{repository}{reference}", "memory": 64}
        definition = self._ecs.register_task_definition(family=name, containerDefinitions=[container])
        self._ecs.create_service(
            cluster="shop" if "app" in repository else "office",
            serviceName=name,
            taskDefinition=definition["taskDefinition"]["taskDefinitionArn"],
            desiredCount=2,
        )
        return {digest}

    def _function(self, repository: str, digests: Mapping[str, str]) -> set[str]:
        """An old version that an alias may point at, and a newer one."""
        name, code = repository.replace("/", "-"), f"{HOST}/{repository}"
        self._lambda.create_function(
            FunctionName=name, PackageType="Image", Role=self._role, Code={"ImageUri": f"{code}:v1.1.0"}, Publish=True
        )
        self._lambda.update_function_code(FunctionName=name, ImageUri=f"{code}@{digests['v1.5']}")
        return {digests["v1.1"], digests["v1.5"]}


def look(ecr: Any) -> dict[str, dict[str, Image]]:
    """All images that are there, archived ones too."""
    pages = ecr.get_paginator("describe_images")
    return {
        name: {
            detail["imageDigest"]: Image(
                detail["imageDigest"],
                tuple(detail.get("imageTags", ())),
                detail["imageStatus"] == "ARCHIVED",
                detail["imageSizeInBytes"],
                str(detail.get("lastRecordedPullTime", "")),
            )
            for page in pages.paginate(repositoryName=name, filter={"imageStatus": "ANY"})
            for detail in page["imageDetails"]
        }
        for name in names()
    }
