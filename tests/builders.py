"""Builders: what a test is about is said, the rest is made up."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from warden.compiled_policy import from_compiled
from warden.events import Home
from warden.findings import Finding
from warden.names import Digest, ImageId, RepositoryName, Severity
from warden.observations import RegistryScanning, RepositoryObservation
from warden.policy import Policy

VECTORS = Path(__file__).parent / "vectors"
HOME = Home("111122223333", "eu-central-1")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

DEFAULTS: Mapping[str, Any] = {
    "tags.mode": "enforce",
    "tags.immutability": "IMMUTABLE_WITH_EXCLUSION",
    "tags.exclude": ["latest", "sha256-*"],
    "tags.moves": "tell",
    "scanning.mode": "enforce",
    "scanning.on_push": True,
    "scanning.rescan_after": None,
    "findings.notify_from": "HIGH",
    "findings.block_from": "CRITICAL",
    "findings.fixable_only": False,
    "findings.new_only": False,
    "findings.exploited_only": False,
    "findings.epss_from": None,
    "lifecycle.mode": "enforce",
    "lifecycle.action": "archive",
    "lifecycle.rules": [{"of": "untagged", "after_days": 7}],
    "lifecycle.protect.in_use": False,
    "lifecycle.protect.tags": [],
    "lifecycle.protect.grace": 7,
    "lifecycle.protect.pulled_within": None,
    "lifecycle.wait": None,
    "lifecycle.delete_archived_after": None,
    "lifecycle.caps.percent": None,
    "lifecycle.caps.images": None,
    "lifecycle.caps.bytes": None,
    "access.mode": "enforce",
    "access.forbid_public": False,
    "access.accounts": None,
    "encryption.mode": "enforce",
    "encryption.type": None,
    "repository_tags.mode": "enforce",
    "repository_tags.required": [],
    "promote.mode": "enforce",
    "promote.to": None,
    "promote.tags": [],
    "promote.rename": "{tag}",
    "promote.region": "",
    "promote.role": "",
    "quarantine.mode": "enforce",
    "quarantine.by": None,
    "quarantine.break_glass": [],
    "quarantine.in_use": False,
    "empty.mode": "enforce",
    "empty.after": None,
    "channels": ["platform"],
}


def vector(name: str) -> Any:
    """A recorded event, answer or manifest."""
    return json.loads((VECTORS / name).read_text("utf-8"))


def a_policy(
    *rules: tuple[str | Mapping[str, Any], Mapping[str, Any]],
    mode: str = "enforce",
    open_channels: Any = (),
    exemptions: Any = (),
    owners: Any = (),
    known_channels: Any = MappingProxyType({}),
    inventory: Any = MappingProxyType({}),
    **fields: Any,
) -> Policy:
    """A compiled policy; `fields` replace defaults, with `__` for the dot; `rules` are (match, fields)."""
    defaults = {**DEFAULTS, **{name.replace("__", "."): value for name, value in fields.items()}}
    known = {"platform": {"type": "slack", "secret": "warden/slack-platform"}, **known_channels}
    return from_compiled(
        {
            "version": 1,
            "mode": mode,
            "defaults": {name: [value, "warden.yaml:1"] for name, value in defaults.items()},
            "rules": [
                {
                    "match": {"name": match} if isinstance(match, str) else dict(match),
                    "fields": {name: [value, f'rule "{match}"'] for name, value in fields.items()},
                }
                for match, fields in rules
            ],
            "channels": {name: {"secret": "", "hosts": [], "topic": "", **channel} for name, channel in known.items()},
            "open_channels": list(open_channels),
            "exemptions": [dict(one) for one in exemptions],
            "creation_templates": [],
            "owners": [{"origin": "warden.yaml:40", **owner} for owner in owners],
            "fingerprint": "0123456789ab",
            "inventory": {"sources": ["ecs", "lambda"], "regions": [], "roles": [], "functions": [], **inventory},
        }
    )


def digest(seed: str) -> Digest:
    return Digest(f"sha256:{hashlib.sha256(seed.encode()).hexdigest()}")


def image_id(seed: str = "image", repository: str = "team/app") -> ImageId:
    return ImageId(RepositoryName(repository), digest(seed))


def finding(
    name: str = "CVE-2026-1000",
    severity: Severity = Severity.HIGH,
    package: str = "openssl",
    version: str = "3.0.14",
    fixed_in: str | None = "3.0.15",
    score: float | None = 7.5,
) -> Finding:
    return Finding(name, severity, package, version, fixed_in, score)


def observation(**changes: Any) -> RepositoryObservation:
    """A repository as a careless person makes it."""
    facts: dict[str, Any] = {
        "name": RepositoryName("team/app"),
        "account": HOME.account,
        "immutability": "MUTABLE",
        "exclusions": (),
        "scan_on_push": False,
        "encryption": "AES256",
        "tags": {},
        "lifecycle_policy": None,
        "access_policy": None,
        "scanning": RegistryScanning(enhanced=False),
    }
    return RepositoryObservation(**{**facts, **changes})


def event(detail_type: str, detail: Mapping[str, Any], /, **changes: Any) -> str:
    """An event of ECR, as its rule puts it into a queue."""
    body = {
        "version": "0",
        "id": "13cde686-328b-6117-af20-0e5566167482",
        "detail-type": detail_type,
        "source": "aws.ecr",
        "account": HOME.account,
        "time": NOW.isoformat(),
        "region": HOME.region,
        "resources": [],
        "detail": dict(detail),
    }
    return json.dumps({**body, **changes})


def push(image: ImageId, tag: str | None = "v1", **changes: Any) -> str:
    detail = {
        "result": "SUCCESS",
        "action-type": "PUSH",
        "repository-name": image.repository,
        "image-digest": image.digest,
    }
    return event("ECR Image Action", {**detail, **({} if tag is None else {"image-tag": tag})}, **changes)


def scanned(image: ImageId, status: str = "COMPLETE", **changes: Any) -> str:
    detail = {
        "scan-status": status,
        "repository-name": image.repository,
        "image-digest": image.digest,
        "image-tags": [],
    }
    return event("ECR Image Scan", detail, **changes)


def an_exemption(cve: str = "CVE-2026-1", **changes: Any) -> dict[str, Any]:
    """A compiled exemption, in force for three more weeks."""
    return {
        "cve": cve,
        "repositories": ["team/*"],
        "package": None,
        "until": "2026-12-14",
        "reason": "not reachable",
        "approved_by": "alice",
        "origin": "warden.yaml:30",
        **changes,
    }


def inspected(image: ImageId, **changes: Any) -> str:
    """The end of a first enhanced scan."""
    detail = {
        "scan-status": "INITIAL_SCAN_COMPLETE",
        "repository-name": f"arn:aws:ecr:{HOME.region}:{HOME.account}:repository/{image.repository}",
        "image-digest": image.digest,
        "finding-severity-counts": {"CRITICAL": 0, "HIGH": 0, "MEDIUM": 0, "TOTAL": 0},
    }
    return event("Inspector2 Scan", detail, source="aws.inspector2", **changes)


def finding_changed(image: ImageId, **changes: Any) -> str:
    """One finding that Amazon Inspector made, closed or suppressed."""
    found = {"repositoryName": image.repository, "imageHash": image.digest, "registry": HOME.account}
    resource = {"type": "AWS_ECR_CONTAINER_IMAGE", "details": {"awsEcrContainerImage": found}}
    detail = {"status": "ACTIVE", "severity": "HIGH", "resources": [resource]}
    return event("Inspector2 Finding", detail, source="aws.inspector2", **changes)


def api_call(
    name: str,
    repository: str,
    *,
    role: str = "arn:aws:iam::111122223333:role/Admin",
    id: str = "13cde686-328b-6117-af20-0e5566167482",
    time: str = NOW.isoformat(),
    **changes: Any,
) -> str:
    detail = {
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/Admin/alice",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}},
        },
        "eventSource": "ecr.amazonaws.com",
        "eventName": name,
        "requestParameters": {"repositoryName": repository},
    }
    return event("AWS API Call via CloudTrail", {**detail, **changes}, id=id, time=time)
