"""The steps about old images: what leaves, and what must not."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from local.demo.scene import Scene
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


class PruningSteps(Scene):
    """The steps."""

    def __init__(self, account: Account, outputs: Mapping[str, str]) -> None:
        super().__init__(account, outputs)
        self._digests: dict[str, str] = {}

    def steps(self) -> Iterator[Step]:
        """In the order in which they must be run."""
        yield Step("A version of 400 days still runs; a sweep comes", "leased, previewed, then the policy", self._sweep)
        yield Step("ECR carries the lifecycle policy out", "old versions go; what runs and prod-* stay", self._leave)
        yield Step("`warden why` is asked of one that is gone", "the rule that took it", self._why)
        yield Step("It is not known any more what runs", "policies are suspended, and it is told", self._blind)

    def _sweep(self) -> Seen:
        start = datetime.now(UTC)
        before = len(self.account.all_calls())
        self._digests = self.account.control("seed", OLD)["repositories"][REPOSITORY]
        self._run_service()
        self.begin_sweep()
        eventually(lambda: self._policy() or None)
        message = self.message("leave", start)
        order = [call["operation"] for call in self.account.all_calls(before) if call["repository"] == REPOSITORY]
        steps = [step for step in order if step in {"PutImage", "StartLifecyclePolicyPreview", "PutLifecyclePolicy"}]
        leased = any(tag.startswith("warden.keep-") for tag in self.tags(REPOSITORY).get(self._digests["runs"], ()))
        ok = leased and steps == ["PutImage", "StartLifecyclePolicyPreview", "PutLifecyclePolicy"]
        return self.told(message, start, ", ".join(steps) or "nothing", ok=ok)

    def _leave(self) -> Seen:
        before = set(self.tags(REPOSITORY))
        self.account.control(f"lifecycle/{REPOSITORY}", {})
        gone = before - set(self.tags(REPOSITORY))
        expected = {self._digests[name] for name in GO}
        stay = {self._digests[name] for name in ("runs", "protected", "v1.4.0", "v1.5.0")} <= set(self.tags(REPOSITORY))
        return Seen(f"{len(gone)} of {len(before)} manifests left", ok=gone == expected and stay)

    def _why(self) -> Seen:
        def asked() -> str | None:
            image = f"{REPOSITORY}@{self._digests['v1.3.0']}"
            code, said = self.account.warden("why", image, "--stage", STAGE, "--json")
            entries: list[dict[str, str]] = json.loads(said) if code == 0 else []
            return next((entry["text"] for entry in entries if entry["kind"] == "left"), None)

        text = eventually(asked) or "nothing"
        return Seen(text, ok="delete images tagged v* beyond the newest 2" in text)

    def _blind(self) -> Seen:
        start = datetime.now(UTC)
        denied = {"operation": "AmazonEC2ContainerServiceV20141113.ListClusters", "code": "AccessDeniedException"}
        self.account.control("failures", {**denied, "count": 100})
        self.begin_sweep()
        message = self.message("is not known", start)
        suspended = self._harmless()
        self.account.control("failures", {**denied, "count": 0})
        self.begin_sweep()
        back = eventually(lambda: len(self._harmless()) == 0)
        ok = REPOSITORY in suspended and bool(back)
        text = f"suspended in {len(suspended)} repositories, {'back' if back else 'not back'} once it is known"
        return self.told(message, start, text, ok=ok)

    def _harmless(self) -> list[str]:
        """The repositories whose lifecycle policy takes nothing."""
        names = [one.get("repositoryName", "") for one in self.ecr.describe_repositories()["repositories"]]
        return [name for name in names if all(rule["description"].startswith("shield") for rule in self._policy(name))]

    def _run_service(self) -> None:
        ecs, image = self.account.ecs, f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}:v1.0.0"
        ecs.create_cluster(clusterName="shop")
        ecs.register_task_definition(
            family="web", containerDefinitions=[{"name": "web", "image": image, "memory": 64, "essential": True}]
        )
        ecs.create_service(cluster="shop", serviceName="web", taskDefinition="web", desiredCount=1)

    def _policy(self, name: str = REPOSITORY) -> list[dict[str, Any]]:
        try:
            text = self.ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
        except self.ecr.exceptions.LifecyclePolicyNotFoundException:
            return []
        rules: list[dict[str, Any]] = json.loads(text)["rules"]
        return rules
