"""What the steps of one account have in common: how a sweep is begun, and how what happened is seen."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from local.chat.server import Received
from local.demo.steps import Seen
from local.demo.surroundings import Account, eventually


class Scene:
    """One account; `outputs` are the deployed stack's."""

    def __init__(self, account: Account, outputs: Mapping[str, str]) -> None:
        self.account = account
        self.outputs = outputs
        self.ecr = account.ecr

    def begin_sweep(self) -> datetime:
        """Let the daily sweep come now; gives its time."""
        now = datetime.now(UTC)
        body = json.dumps({"source": "warden", "detail-type": "Sweep", "time": now.isoformat()})
        self.account.sqs.send_message(QueueUrl=self.outputs["SweepQueue"], MessageBody=body)
        return now

    def tags(self, repository: str) -> dict[str, list[str]]:
        """The tags of each image that is not archived, by digest."""
        pages = self.ecr.get_paginator("describe_images").paginate(repositoryName=repository)
        found = (image for page in pages for image in page["imageDetails"])
        return {image["imageDigest"]: image.get("imageTags", []) for image in found}

    def digest(self, repository: str, tag: str) -> str | None:
        """The digest of the image that has the tag."""
        return next((digest for digest, tags in self.tags(repository).items() if tag in tags), None)

    def find(self, words: str, after: datetime) -> Received | None:
        """The first message since then with these words, if it is there."""
        said = (one for one in list(self.account.chat.messages) if one.at >= after)
        return next((one for one in said if words in text_of(one)), None)

    def message(self, words: str, after: datetime) -> Received | None:
        """The same, as soon as it is there."""
        return eventually(lambda: self.find(words, after))

    def told(self, message: Received | None, start: datetime, text: str, *, ok: bool) -> Seen:
        """What was seen, with the message about it, which has to be there."""
        if message is None:
            return Seen(f"{text}; no message", ok=False)
        return Seen(f"{text}; “{message.payload['text'][:60]}…”", ok, (message.at - start).total_seconds())


def text_of(message: Received | None) -> str:
    """Everything that a message says."""
    return json.dumps(message.payload, ensure_ascii=False) if message else ""
