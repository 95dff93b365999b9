"""The local cloud's own registry at the wire: what lifecycle rules do here is what they do in the demo."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from local.registry import lifecycle, wire
from local.registry.errors import EcrError
from prune import Pruning
from tests.account import Stack
from tests.builders import HOME, NOW
from tests.conformance.cloud import index, manifest
from tests.unit.local.a_registry import ROLE, Small
from tests.unit.local.images import about
from tests.wire import Answer, Wire
from warden import prune_events
from warden.departures import Departures
from warden.image_labels import ImageLabels
from warden.image_tags import ImageTags
from warden.inventories import Inventories
from warden.lifecycle_previews import LifecyclePreviews
from warden.names import Digest, RepositoryName
from warden.policy import Policy
from warden.prune_enforcement import PruneEnforcement
from warden.prunings import Prunings
from warden.registry import Registry
from warden.removals import Removals
from warden.repository_images import RepositoryImages
from warden.usage import Use


class LocalAccount:
    """A registry of which the tests are the only user; `before_call` is called with each operation's name."""

    def __init__(self) -> None:
        self.small = Small(now=NOW)
        self.wire = Wire(self._answer)
        self.before_call: Callable[[str], None] = lambda _: None
        self._built: dict[str, Any] = {}
        self.small.call("RegisterPullTimeUpdateExclusion", principalArn=ROLE.name)

    def _answer(self, operation: str, request: Mapping[str, Any]) -> Answer:
        self.before_call(operation)
        if operation == "GetLifecyclePolicyPreview":
            self.small.pass_time(seconds=1)
        try:
            answer = self.small.call(operation, ROLE, **request)
        except EcrError as error:
            return 400, json.dumps({"__type": error.code, "message": str(error), **error.more})
        return 200, wire.dump(operation, answer).decode()

    def create(self, name: str = "team/app", **settings: Any) -> RepositoryName:
        self.small.call("CreateRepository", repositoryName=name, **settings)
        return RepositoryName(name)

    def push(
        self,
        seed: str,
        *tags: str,
        days: float = 0,
        lists: Iterable[str] = (),
        subject: str | None = None,
        pulled: float | None = None,
        repository: str = "team/app",
    ) -> Digest:
        """Push an image of that age; `lists` and `subject` are the seeds of others that were pushed before."""
        built = index([self._built[one] for one in lists]) if lists else manifest(seed)
        if subject:
            built = about(built, self.digest(subject))
        self._built[seed] = built
        store = self.small.ecr.registry.repository(repository)
        store.layers.update({_digest(blob): blob for blob in built.blobs})
        now, self.small.now = self.small.now, NOW - timedelta(days=days)
        for tag in tags or (None,):
            tagged: dict[str, Any] = {"imageTag": tag} if tag else {}
            self.small.call(
                "PutImage",
                repositoryName=repository,
                imageManifest=built.text,
                imageManifestMediaType=built.media_type,
                **tagged,
            )
        self.small.now = now
        if pulled is not None:
            store.images[self.digest(seed)].pulled_at = NOW - timedelta(days=pulled)
        return self.digest(seed)

    def digest(self, seed: str) -> Digest:
        return Digest(_digest(self._built[seed].text.encode()))

    def images(self, repository: str = "team/app") -> dict[str, tuple[str, ...]]:
        """Digests and tags of what is there and not archived."""
        found = self.small.ecr.registry.repository(repository).images
        return {name: tuple(image.tags) for name, image in found.items() if not image.archived}

    def archived(self, repository: str = "team/app") -> set[str]:
        found = self.small.ecr.registry.repository(repository).images
        return {name for name, image in found.items() if image.archived}

    def policy(self, repository: str = "team/app") -> list[dict[str, Any]]:
        text = self.small.ecr.registry.repository(repository).lifecycle_policy
        return [] if text is None else list(json.loads(text)["rules"])

    def run_lifecycle(self, repository: str = "team/app") -> set[str]:
        """Let ECR do what the policy says; what has left."""
        before = set(self.images(repository))
        lifecycle.run(self.small.ecr.registry, repository, self.small.now)
        return before - set(self.images(repository))

    def writes(self) -> list[str]:
        reading = ("Describe", "Get", "List", "BatchGet", "StartLifecyclePolicyPreview")
        return [operation for operation in self.wire.operations() if not operation.startswith(reading)]

    def pruning(self, stack: Stack, policy: Policy) -> Pruning:
        client = self.wire.client()
        registry = Registry(client, client)
        images = RepositoryImages(client, stack.dynamodb, "ledger")
        prunings = Prunings(stack.dynamodb, "ledger")
        return Pruning(
            home=HOME,
            policy=policy,
            registry=registry,
            images=images,
            labels=ImageLabels(client, registry, self.download),
            enforcement=PruneEnforcement(
                registry=registry,
                images=images,
                tags=ImageTags(client, registry),
                previews=LifecyclePreviews(client, delay=0),
                removals=Removals(client),
                prunings=prunings,
                ledger=stack.ledger,
            ),
            departures=Departures(images, prunings, stack.ledger),
            inventories=Inventories(stack.dynamodb, "ledger"),
            prunings=prunings,
            ledger=stack.ledger,
            tallies=stack.tallies,
            own=stack.queue("own"),
            notices=stack.queue("notices"),
        )

    def download(self, url: str, most: int) -> bytes | None:
        """What is at a download URL of the registry's."""
        content = self.small.ecr.registry.downloads[url.rpartition("/")[2]].data
        return content if len(content) <= most else None


def inventory(stack: Stack, *uses: Use, missing: str = "", repositories: int = 1, now: datetime = NOW) -> str:
    """A new inventory, which was just taken: what is in use, and what could not be read; the sweep's name."""
    inventories = Inventories(stack.dynamodb, "ledger")
    number = int(inventories.latest() or 0) + 1
    sweep, at = str(number), now + timedelta(seconds=number)
    inventories.expect(sweep, {"home": "this account"}, at=at, now=now)
    if missing:
        inventories.give_up(sweep, "home", why=missing, now=now)
    else:
        inventories.store(sweep, "home", uses, now=now)
    inventories.conclude(sweep, at=at)
    stack.tallies.begin(f"prune#{sweep}", repositories=repositories, now=now)
    return sweep


def turn(stack: Stack, repository: str = "team/app") -> str:
    """The repository's turn in the last sweep."""
    sweep = Inventories(stack.dynamodb, "ledger").latest() or ""
    return prune_events.repository_due(sweep, RepositoryName(repository), at=NOW, home=HOME)


def _digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"
