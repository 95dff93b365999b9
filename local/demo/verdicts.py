"""The steps about what a verdict does: images that pass are promoted, images that block are put in quarantine."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from local.demo.images import Package, debian
from local.demo.scene import Scene
from local.demo.steps import Seen, Step
from local.demo.surroundings import ACCOUNT, STAGE, eventually

CLEAN = tuple(debian(Package("base-files", "12.4+deb12u12"), architecture=name) for name in ("amd64", "arm64"))
BLOCKING = debian(Package("liblog4j2-java", "2.13.3-1", "apache-log4j2"), Package("openssl", "1.1.1k-1"), release="11")
STAGING, RELEASE, VAULT = "staging/web", "release/web", "vault/keys"
EMPTY, BY_HAND = "old/experiment", "legacy/api"
OPEN_TO_OURSELVES = f"""{{
   "Version" : "2012-10-17",
 "Statement":[ {{"Sid":"ours", "Effect":"Allow",
      "Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action" : [ "ecr:BatchGetImage" ]}} ] }}
"""
"""A policy as somebody wrote it by hand: not a byte of it may change."""


class VerdictSteps(Scene):
    """The steps."""

    def steps(self) -> Iterator[Step]:
        """In the order in which they must be run."""
        yield Step("A clean multi-platform image comes to staging", "copied to its release repository", self._promote)
        yield Step("`warden promote` is asked for it once more", "nothing is sent again", self._promote_again)
        yield Step("An image that blocks comes to staging", "its tag is moved aside", self._move_aside)
        yield Step("`warden release` is asked, with a reason", "its tag is back", self._release)
        yield Step("An image that blocks comes to the vault", "nobody may pull there", self._deny)
        yield Step("`warden release` is asked for it, too", "the policy as it was, to the byte", self._allow)
        yield Step("`warden scan --wait` is asked", "its findings, counted", self._scan)
        yield Step("A repository is old and empty; a sweep comes", "deleted, and told", self._empty)
        yield Step("A team prunes by hand, says its tag; a sweep comes", "our lifecycle policy goes", self._by_hand)

    def _promote(self) -> Seen:
        self.ecr.create_repository(repositoryName=STAGING)
        start = datetime.now(UTC)
        digest = self.account.client().push_index(CLEAN, STAGING, "v1.0.0")
        message = self.message(RELEASE, start)
        there = {tag: found for found, tags in self.tags(RELEASE).items() for tag in tags}
        ok = there == {"v1.0.0": digest} and len(self.tags(RELEASE)) == len(CLEAN) + 1
        return self.told(message, start, f"{RELEASE}:v1.0.0, the same digest; {self._sent()} layer parts sent", ok=ok)

    def _promote_again(self) -> Seen:
        before = self._sent()
        said = self._order("promote", f"{STAGING}:v1.0.0", "to be sure")
        sent = self._sent() - before
        return Seen(f"{said}; {sent} layer parts sent", ok=said == "nothing to do" and sent == 0)

    def _move_aside(self) -> Seen:
        start = datetime.now(UTC)
        digest = self.account.client().push(BLOCKING, STAGING, "v1.1.0")
        tags = eventually(lambda: self._moved(STAGING, digest, ["quarantine.v1.1.0"])) or []
        message = self.message("in quarantine", start)
        return self.told(message, start, f"tags: {', '.join(tags)}", ok=tags == ["quarantine.v1.1.0"])

    def _release(self) -> Seen:
        digest = self.digest(STAGING, "quarantine.v1.1.0") or "none"
        start = datetime.now(UTC)
        said = self._order("release", f"{STAGING}@{digest}", "the library is never called")
        tags = self.tags(STAGING).get(digest, [])
        message = self.message("released", start)
        return self.told(message, start, f"{said}; tags: {', '.join(tags)}", ok=tags == ["v1.1.0"])

    def _deny(self) -> Seen:
        self.ecr.create_repository(repositoryName=VAULT)
        self.ecr.set_repository_policy(repositoryName=VAULT, policyText=OPEN_TO_OURSELVES)
        start = datetime.now(UTC)
        self.account.client().push(BLOCKING, VAULT, "v1")
        denied = eventually(lambda: "EcrWardenQuarantine" in self._policy()) or False
        message = self.message("in quarantine", start)
        state = eventually(lambda: self._state() == "quarantined") or False
        text = f"pulls {'denied' if denied else 'not denied'}, state {'quarantined' if state else 'not said'}"
        return self.told(message, start, text, ok=denied and state)

    def _allow(self) -> Seen:
        digest = self.digest(VAULT, "v1")
        start = datetime.now(UTC)
        said = self._order("release", f"{VAULT}@{digest}", "behind two doors")
        same = self._policy() == OPEN_TO_OURSELVES
        message = self.message("released", start)
        text = f"{said}; the policy is {'as it was' if same else 'another'}"
        return self.told(message, start, text, ok=same and self._state() is None)

    def _scan(self) -> Seen:
        code, said = self.account.warden("scan", f"{VAULT}:v1", "--wait", "--json")
        counts = json.loads(said).get("counts", {}) if code == 0 else {}
        text = ", ".join(f"{count} {severity.lower()}" for severity, count in counts.items()) or f"exit code {code}"
        return Seen(text, ok=counts.get("CRITICAL", 0) > 0)

    def _empty(self) -> Seen:
        start = datetime.now(UTC)
        self.account.control("seed", {"repositories": [{"name": EMPTY, "created": 200, "images": []}]})
        self.begin_sweep()
        gone = eventually(lambda: EMPTY not in self._repositories()) or False
        message = self.message(EMPTY, start)
        return self.told(message, start, "deleted" if gone else "still there", ok=gone)

    def _by_hand(self) -> Seen:
        arn = f"arn:aws:ecr:{self.ecr.meta.region_name}:{ACCOUNT}:repository/{BY_HAND}"
        self.ecr.tag_resource(resourceArn=arn, tags=[{"Key": "pruning", "Value": "by-hand"}])
        self.begin_sweep()
        gone = eventually(lambda: any(call["repository"] == BY_HAND for call in self._deleted_policies())) or False
        return Seen("no lifecycle policy" if gone else "the policy stands", ok=gone)

    def _sent(self) -> int:
        """How many parts of layers the promote function has sent."""
        return sum("Promote" in call["caller"] for call in self.account.calls("UploadLayerPart"))

    def _deleted_policies(self) -> list[dict[str, str]]:
        return [call for call in self.account.calls("DeleteLifecyclePolicy") if call["outcome"] == "ok"]

    def _order(self, command: str, image: str, reason: str) -> str:
        """The result of what a person orders."""
        code, said = self.account.warden(command, image, "--reason", reason, "--stage", STAGE, "--json")
        result: str = json.loads(said)["result"] if code == 0 else f"exit code {code}"
        return result

    def _moved(self, repository: str, digest: str, tags: list[str]) -> list[str] | None:
        found = self.tags(repository).get(digest)
        return found if found == tags else None

    def _repositories(self) -> list[str]:
        return [one["repositoryName"] for one in self.ecr.describe_repositories()["repositories"]]

    def _policy(self) -> str:
        return self.ecr.get_repository_policy(repositoryName=VAULT)["policyText"]

    def _state(self) -> str | None:
        """What the vault's own tag says of it."""
        arn = f"arn:aws:ecr:{self.ecr.meta.region_name}:{ACCOUNT}:repository/{VAULT}"
        tags: Any = self.ecr.list_tags_for_resource(resourceArn=arn)["tags"]
        return next((tag["Value"] for tag in tags if tag["Key"] == "warden:state"), None)
