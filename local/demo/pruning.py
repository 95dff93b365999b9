"""The steps about old images: what leaves, and what must not."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from local.chat.server import Received
from local.demo.steps import Seen, Step
from local.demo.surroundings import ACCOUNT, REGION, STAGE, Account, eventually

REPOSITORY = "shop/web"
OLD = {
    "repositories": [
        {
            "name": REPOSITORY,
            "images": [
                {"name": "runs", "tags": ["v1.0.0"], "pushed": 400, "size": 210_000_000},
                {"name": "amd64", "pushed": 300, "size": 220_000_000},
                {"name": "arm64", "pushed": 300, "size": 215_000_000},
                {"name": "multi", "tags": ["v1.1.0"], "children": ["amd64", "arm64"], "pushed": 300},
                {"name": "protected", "tags": ["v1.2.0", "prod-7"], "pushed": 200, "size": 230_000_000},
                {"name": "v1.3.0", "tags": ["v1.3.0"], "pushed": 100, "size": 231_000_000},
                {"name": "v1.4.0", "tags": ["v1.4.0"], "pushed": 50, "size": 232_000_000},
                {"name": "v1.5.0", "tags": ["v1.5.0"], "pushed": 2, "size": 233_000_000},
            ],
        }
    ]
}
GO = ("multi", "amd64", "arm64", "v1.3.0")
"""What is beyond the newest 2 of v*; with the index leave its parts, which nothing else lists."""


class PruningSteps:
    """The steps, on one account; `outputs` are the deployed stack's."""

    def __init__(self, account: Account, outputs: Mapping[str, str]) -> None:
        self._account = account
        self._outputs = outputs
        self._ecr = account.ecr
        self._digests: dict[str, str] = {}

    def steps(self) -> Iterator[Step]:
        """In the order in which they must be run."""
        yield Step("A version of 400 days still runs; a sweep comes", "leased, previewed, then the policy", self._sweep)
        yield Step("ECR carries the lifecycle policy out", "old versions go; what runs and prod-* stay", self._leave)
        yield Step("`warden why` is asked of one that is gone", "the rule that took it", self._why)
        yield Step("It is not known any more what runs", "policies are suspended, and it is told", self._blind)

    def _sweep(self) -> Seen:
        start = datetime.now(UTC)
        before = len(self._account.all_calls())
        self._digests = self._account.control("seed", OLD)["repositories"][REPOSITORY]
        self._run_service()
        self._begin_sweep()
        eventually(lambda: self._policy() or None)
        message = self._message("leave", start)
        order = [call["operation"] for call in self._account.all_calls(before) if call["repository"] == REPOSITORY]
        steps = [step for step in order if step in {"PutImage", "StartLifecyclePolicyPreview", "PutLifecyclePolicy"}]
        leased = any(tag.startswith("warden.keep-") for tag in self._tags().get(self._digests["runs"], ()))
        ok = leased and steps == ["PutImage", "StartLifecyclePolicyPreview", "PutLifecyclePolicy"]
        return self._told(message, start, ", ".join(steps) or "nothing", ok=ok)

    def _leave(self) -> Seen:
        before = set(self._tags())
        self._account.control(f"lifecycle/{REPOSITORY}", {})
        gone = before - set(self._tags())
        expected = {self._digests[name] for name in GO}
        stay = {self._digests[name] for name in ("runs", "protected", "v1.4.0", "v1.5.0")} <= set(self._tags())
        return Seen(f"{len(gone)} of {len(before)} manifests left", ok=gone == expected and stay)

    def _why(self) -> Seen:
        def asked() -> str | None:
            image = f"{REPOSITORY}@{self._digests['v1.3.0']}"
            code, said = self._account.warden("why", image, "--stage", STAGE, "--json")
            entries: list[dict[str, str]] = json.loads(said) if code == 0 else []
            return next((entry["text"] for entry in entries if entry["kind"] == "left"), None)

        text = eventually(asked) or "nothing"
        return Seen(text, ok="delete images tagged v* beyond the newest 2" in text)

    def _blind(self) -> Seen:
        start = datetime.now(UTC)
        denied = {"operation": "AmazonEC2ContainerServiceV20141113.ListClusters", "code": "AccessDeniedException"}
        self._account.control("failures", {**denied, "count": 100})
        self._begin_sweep()
        message = self._message("is not known", start)
        suspended = self._harmless()
        self._account.control("failures", {**denied, "count": 0})
        self._begin_sweep()
        back = eventually(lambda: len(self._harmless()) == 0)
        ok = REPOSITORY in suspended and bool(back)
        text = f"suspended in {len(suspended)} repositories, {'back' if back else 'not back'} once it is known"
        return self._told(message, start, text, ok=ok)

    def _harmless(self) -> list[str]:
        """The repositories whose lifecycle policy takes nothing."""
        names = [one.get("repositoryName", "") for one in self._ecr.describe_repositories()["repositories"]]
        return [name for name in names if all(rule["description"].startswith("shield") for rule in self._policy(name))]

    def _run_service(self) -> None:
        ecs, image = self._account.ecs, f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}:v1.0.0"
        ecs.create_cluster(clusterName="shop")
        ecs.register_task_definition(
            family="web", containerDefinitions=[{"name": "web", "image": image, "memory": 64, "essential": True}]
        )
        ecs.create_service(cluster="shop", serviceName="web", taskDefinition="web", desiredCount=1)

    def _begin_sweep(self) -> None:
        body = json.dumps({"source": "warden", "detail-type": "Sweep", "time": datetime.now(UTC).isoformat()})
        self._account.sqs.send_message(QueueUrl=self._outputs["SweepQueue"], MessageBody=body)

    def _policy(self, name: str = REPOSITORY) -> list[dict[str, Any]]:
        try:
            text = self._ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
        except self._ecr.exceptions.LifecyclePolicyNotFoundException:
            return []
        rules: list[dict[str, Any]] = json.loads(text)["rules"]
        return rules

    def _tags(self) -> dict[str, list[str]]:
        pages = self._ecr.get_paginator("describe_images").paginate(repositoryName=REPOSITORY)
        found = (image for page in pages for image in page["imageDetails"])
        return {image["imageDigest"]: image.get("imageTags", []) for image in found}

    def _message(self, words: str, start: datetime) -> Received | None:
        def find() -> Received | None:
            said = (one for one in self._account.chat.messages if one.at >= start)
            return next((one for one in said if words in json.dumps(one.payload, ensure_ascii=False)), None)

        return eventually(find)

    @staticmethod
    def _told(message: Received | None, start: datetime, text: str, *, ok: bool) -> Seen:
        if message is None:
            return Seen(f"{text}; no message", ok=False)
        return Seen(f"{text}; “{message.payload['text'][:60]}…”", ok, (message.at - start).total_seconds())
