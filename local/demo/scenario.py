"""The steps of the mission: what is done, what is expected, and how it is seen that it happened."""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from local.demo.images import Image, Package, Refused, debian
from local.demo.pruning import PruningSteps
from local.demo.scene import Scene, text_of
from local.demo.steps import Seen, Step
from local.demo.surroundings import ACCOUNT, BUILD, REGION, STAGE, Account, eventually
from local.demo.verdicts import VerdictSteps

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
QUIET = 3.0
"""Seconds without a message that count as silence; a message takes a tenth of that here."""

CLEAN = debian(Package("base-files", "12.4+deb12u12"), Package("tzdata", "2026b-0+deb12u1"))
PATCHED = debian(Package("base-files", "12.4+deb12u12"), Package("tzdata", "2026c-0+deb12u1"))
_OLD = (
    Package("liblog4j2-java", "2.13.3-1", "apache-log4j2"),
    Package("curl", "7.74.0-1.3+deb11u1"),
    Package("openssl", "1.1.1k-1"),
    Package("zlib1g", "1:1.2.11.dfsg-2", "zlib"),
    Package("gzip", "1.10-4"),
    Package("coreutils", "8.32-4"),
    Package("apt", "2.2.4"),
)
VULNERABLE = debian(*_OLD, release="11")
NO_BETTER = debian(*_OLD, Package("tzdata", "2026b-0+deb11u1"), release="11")
MENDED = debian(Package("base-files", "12.4+deb12u13"))
PLATFORMS = tuple(debian(Package("curl", "7.88.1-10"), architecture=name) for name in ("amd64", "arm64"))
FORGOTTEN = debian(Package("openssh-server", "1:9.2p1-2", "openssh"))
REPEATED = debian(Package("libc6", "2.36-9", "glibc"))
UNKNOWN = Image({"app": "a static binary on nothing"})


class Mission(Scene):
    """The steps."""

    def __init__(self, account: Account, outputs: Mapping[str, str]) -> None:
        super().__init__(account, outputs)
        self._client = account.client()

    def steps(self) -> Iterator[Step]:
        """In the order in which they must be run."""
        yield Step("A repository from before the deployment", "brought to the standard, one hello", self._hello)
        yield Step("A new repository", "born to the standard, in silence", self._new_repository)
        yield Step("A clean image is pushed", "its scan is started; no message", self._clean_image)
        yield Step("A vulnerable image is pushed", "one message: 3 critical, 3 high are new", self._vulnerable_image)
        yield Step("The next version has the same findings", "nothing new, no message; still block", self._no_better)
        yield Step("The version after that has none", "one message: clean, after the one before", self._mended)
        yield Step("A multi-platform image is pushed", "both platforms scanned; one message", self._index)
        yield Step("An image that can't be scanned is pushed", "called unscanned, not clean", self._unscannable_image)
        yield Step("A tag is pushed again with another image", "refused by ECR", self._moved_tag)
        yield Step("The tag latest, which the policy excludes, moves", "taken by ECR", self._excluded_tag)
        yield Step("Somebody makes tags mutable again", "set back, and told who did it", self._drift)
        yield Step("Somebody lets the world into a repository", "closed, and told who did it", self._opened)
        yield Step("A tag is deleted and given to another image", "put back; the new image kept aside", self._put_back)
        yield Step("A push event comes seven times, two at once", "one scan, one message", self._duplicates)
        yield Step("A push event is lost", "found by the sweep; one message", self._lost_event)
        yield from PruningSteps(self.account, self.outputs).steps()
        yield from VerdictSteps(self.account, self.outputs).steps()
        yield Step("A malformed event comes in", "in its dead-letter queue, with the reason", self._malformed_event)
        yield Step("`warden plan` is asked", "nothing to change; one difference is only reported", self._plan)
        yield Step("In the end", "nothing else in any dead-letter queue", self._dead_letters)

    def _hello(self) -> Seen:
        message = self.message("ECR Warden is here", BEGINNING)
        eventually(lambda: self._standard("legacy/api") == SCANNED_BY_ECR)  # prune asks for a preview first
        standard = self._standard("legacy/api")
        ok = bool(message) and standard == SCANNED_BY_ECR
        return Seen(f"{standard}; {'1 hello' if message else 'no hello'}", ok)

    def _new_repository(self) -> Seen:
        before = len(self.account.chat.messages)
        self.ecr.create_repository(repositoryName="payments/api")
        eventually(lambda: self._standard("payments/api") == SCANNED_BY_US)
        standard = self._standard("payments/api")
        return self._silent(standard, before, ok=standard == SCANNED_BY_US)

    def _clean_image(self) -> Seen:
        before = len(self.account.chat.messages)
        digest = self._client.push(CLEAN, "payments/api", "v1.0.0")
        status = self._scanned("payments/api", digest)
        scans = self.account.calls("StartImageScan")
        by_us = len(scans) == 1 and "ImagePushed" in scans[0]["caller"]
        text = f"scan {'started by the function' if by_us else 'not started by the function'}, {status}"
        return self._silent(text, before, ok=by_us and status == "COMPLETE, 0 findings")

    def _vulnerable_image(self) -> Seen:
        start = datetime.now(UTC)
        digest = self._client.push(VULNERABLE, "payments/api", "v1.1.0")
        message = self.message("payments/api:v1.1.0", after=start)
        status = self._scanned("payments/api", digest)
        return self.told(message, start, f"scan {status}", ok="3 new critical, 3 new high" in text_of(message))

    def _no_better(self) -> Seen:
        before = len(self.account.chat.messages)
        digest = self._client.push(NO_BETTER, "payments/api", "v1.1.1")
        status = self._scanned("payments/api", digest)
        verdict = eventually(lambda: self._verdict("payments/api", digest)) or "no verdict"
        return self._silent(f"scan {status}; {verdict}", before, ok=verdict.startswith("verdict block"))

    def _mended(self) -> Seen:
        start = datetime.now(UTC)
        digest = self._client.push(MENDED, "payments/api", "v1.1.2")
        message = self.message("payments/api:v1.1.2", after=start)
        status = self._scanned("payments/api", digest)
        return self.told(message, start, f"scan {status}", ok="is clean, after v1.1.1" in text_of(message))

    def _verdict(self, repository: str, digest: str) -> str | None:
        """The verdict that `warden why` tells."""
        code, said = self.account.warden("why", f"{repository}@{digest}", "--stage", STAGE, "--json")
        entries: list[dict[str, str]] = json.loads(said) if code == 0 else []
        return next((entry["text"] for entry in entries if entry["kind"] == "verdict"), None)

    def _index(self) -> Seen:
        start = datetime.now(UTC)
        self._client.push_index(PLATFORMS, "payments/api", "edge-1")
        message = self.message("payments/api:edge-1", after=start)
        time.sleep(QUIET)
        count = len([received for received in self.account.chat.messages if received.at >= start])
        ok = count == 1 and "linux/amd64, linux/arm64" in text_of(message)
        return self.told(message, start, f"{count} message for 3 manifests", ok=ok)

    def _unscannable_image(self) -> Seen:
        start = datetime.now(UTC)
        self._client.push(UNKNOWN, "payments/api", "v1.3.0")
        message = self.message("payments/api:v1.3.0", after=start)
        return self.told(message, start, "told", ok="unscanned, not clean" in text_of(message))

    def _moved_tag(self) -> Seen:
        try:
            self._client.push(PATCHED, "payments/api", "v1.1.0")
        except Refused as refusal:
            text = json.loads(str(refusal))["errors"][0]["message"]
            return Seen(text, "cannot be overwritten because the tag is immutable" in text)
        return Seen("the tag moved", ok=False)

    def _excluded_tag(self) -> Seen:
        first = self._client.push(CLEAN, "payments/api", "latest")
        second = self._client.push(PATCHED, "payments/api", "latest")
        moved = self.digest("payments/api", "latest") == second != first
        self._scanned("payments/api", second)  # so that its scan is not taken for one that the next steps cause
        return Seen("latest moved" if moved else "latest did not move", moved)

    def _drift(self) -> Seen:
        start = datetime.now(UTC)
        self.ecr.put_image_tag_mutability(repositoryName="payments/api", imageTagMutability="MUTABLE")
        message = self.message("settings of payments/api were set back", after=start)
        standard = self._standard("payments/api")
        ok = standard == SCANNED_BY_US and "PutImageTagMutability" in text_of(message)
        return self.told(message, start, standard, ok=ok)

    def _opened(self) -> Seen:
        start = datetime.now(UTC)
        statement = {"Sid": "everybody", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.ecr.set_repository_policy(repositoryName="payments/api", policyText=text)
        message = self.message("SetRepositoryPolicy", after=start)
        try:
            self.ecr.get_repository_policy(repositoryName="payments/api")
        except self.ecr.exceptions.RepositoryPolicyNotFoundException:
            return self.told(message, start, "no repository policy", ok="allows everybody" in text_of(message))
        return self.told(message, start, "still open", ok=False)

    def _put_back(self) -> Seen:
        """Immutability does not help against whoever may delete a tag; the image lives on by a second one."""
        start = datetime.now(UTC)
        repository, tag = "payments/api", "v1.0.0"
        before = self.digest(repository, tag)
        manifest = self.ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])["images"][0]
        self.ecr.put_image(repositoryName=repository, imageManifest=manifest.get("imageManifest", ""), imageTag="v1.0")
        self.ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
        pushed = self._client.push(PATCHED, repository, tag)
        eventually(lambda: self.digest(repository, tag) == before)
        message = self.message(f"tag {tag} of {repository} was moved", after=start)
        aside = self.digest(repository, f"moved-{tag}-{pushed.removeprefix('sha256:')[:12]}")
        ok = self.digest(repository, tag) == before and aside == pushed
        return self.told(message, start, f"{tag} is back" if ok else f"{tag} is not back", ok=ok)

    def _plan(self) -> Seen:
        code, said = self.account.warden("plan", "--policy", str(BUILD / "warden.yaml"))
        last = said.splitlines()[-1] if said else "nothing said"
        return Seen(last, ok=(code, last) == (2, PLANNED))

    def _duplicates(self) -> Seen:
        """The event itself is held up; then it comes five times, and twice at once, as EventBridge's retries may."""
        self.account.drop_events("ECR Image Action", 1)
        scans, start = len(self.account.calls("StartImageScan")), datetime.now(UTC)
        self._client.push(REPEATED, "payments/api", "v1.5.0")
        body, queue = self._push_event("payments/api", "v1.5.0"), self.outputs["ImagePushedQueue"]
        for _ in range(5):
            self.account.sqs.send_message(QueueUrl=queue, MessageBody=body)
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda _: self.account.sqs.send_message(QueueUrl=queue, MessageBody=body), range(2)))
        message = self.message("payments/api:v1.5.0", after=start)
        eventually(lambda: self._empty("ImagePushedQueue") and self._empty("ScanFinishedQueue"))
        time.sleep(QUIET)
        started = len(self.account.calls("StartImageScan")) - scans
        told = sum("payments/api:v1.5.0" in text_of(received) for received in self.account.chat.messages)
        return self.told(message, start, f"{started} scan, {told} message", ok=(started, told) == (1, 1))

    def _lost_event(self) -> Seen:
        self.account.drop_events("ECR Image Action", 1)
        self._client.push(FORGOTTEN, "payments/api", "v1.4.0")
        time.sleep(QUIET)
        early = self.find("payments/api:v1.4.0", BEGINNING)
        start = self.begin_sweep()
        message = self.message("payments/api:v1.4.0", after=start)
        return self.told(message, start, "told after the sweep", ok=early is None)

    def _malformed_event(self) -> Seen:
        queues = self.outputs["ImagePushedQueue"], self.outputs["ImagePushedDeadLetters"]
        self.account.sqs.send_message(QueueUrl=queues[0], MessageBody='{"source": "aws.ecr", "detail-type": 7}')
        found = eventually(
            lambda: self.account.sqs.receive_message(
                QueueUrl=queues[1], MessageAttributeNames=["All"], VisibilityTimeout=0
            ).get("Messages")
        )
        if not found:
            return Seen("no dead letter", ok=False)
        self.account.sqs.delete_message(QueueUrl=queues[1], ReceiptHandle=found[0]["ReceiptHandle"])
        attributes: Mapping[str, Any] = found[0].get("MessageAttributes", {})
        reason = attributes["reason"]["StringValue"] if "reason" in attributes else "no reason"
        return Seen(reason, reason == "detail-type: expected text, got int")

    def _dead_letters(self) -> Seen:
        names = [name for name in self.outputs if name.endswith("DeadLetters")]
        full = [name for name in names if not self._empty(name)]
        return Seen(", ".join(full) or f"{len(names)} queues are empty", ok=len(names) > 0 and not full)

    def _standard(self, repository: str) -> str:
        """A repository's settings, in words."""
        settings: Mapping[str, Any] = self.ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]
        filters = settings.get("imageTagMutabilityExclusionFilters") or ()
        try:
            self.ecr.get_lifecycle_policy(repositoryName=repository)
            lifecycle = "lifecycle policy"
        except self.ecr.exceptions.LifecyclePolicyNotFoundException:
            lifecycle = "no lifecycle policy"
        tags = f"{settings['imageTagMutability']} ({', '.join(sorted(filter_['filter'] for filter_ in filters))})"
        scan = "scan on push" if settings["imageScanningConfiguration"]["scanOnPush"] else "no scan on push"
        return f"{tags}, {scan}, {lifecycle}"

    def _scanned(self, repository: str, digest: str) -> str:
        """How the image's scan ended, in words."""

        def ended() -> str | None:
            try:
                answer: Mapping[str, Any] = self.ecr.describe_image_scan_findings(
                    repositoryName=repository, imageId={"imageDigest": digest}
                )
            except self.ecr.exceptions.ScanNotFoundException:
                return None
            status = answer["imageScanStatus"]["status"]
            findings = len(answer.get("imageScanFindings", {}).get("findings", ()))
            return None if status == "IN_PROGRESS" else f"{status}, {findings} findings"

        return eventually(ended) or "did not end"

    def _push_event(self, repository: str, tag: str) -> str:
        """The event of a push, as ECR sent it."""
        detail = {
            "result": "SUCCESS",
            "repository-name": repository,
            "image-digest": self.digest(repository, tag),
            "action-type": "PUSH",
            "image-tag": tag,
        }
        return json.dumps(
            {
                "version": "0",
                "id": "13cde686-328b-6117-af20-0e5566167482",
                "detail-type": "ECR Image Action",
                "source": "aws.ecr",
                "account": ACCOUNT,
                "time": datetime.now(UTC).isoformat(),
                "region": REGION,
                "resources": [],
                "detail": detail,
            }
        )

    def _silent(self, text: str, before: int, *, ok: bool) -> Seen:
        time.sleep(QUIET)
        messages = len(self.account.chat.messages) - before
        return Seen(f"{text}; {messages or 'no'} message", ok and messages == 0)

    def _empty(self, output: str) -> bool:
        attributes = self.account.sqs.get_queue_attributes(
            QueueUrl=self.outputs[output],
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
        return not any(map(int, attributes.values()))


STANDARD = "IMMUTABLE_WITH_EXCLUSION (latest, sha256-*), {}, lifecycle policy"
PLANNED = "Plan: 0 to change; 1 only reported; 0 for a person. 5 of 6 repositories meet the standard."
SCANNED_BY_ECR, SCANNED_BY_US = STANDARD.format("scan on push"), STANDARD.format("no scan on push")
