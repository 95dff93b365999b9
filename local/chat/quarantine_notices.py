"""Sample notices about quarantine, made by the code that makes the real ones; names and numbers are made up."""

import hashlib
from datetime import UTC, datetime

from warden import quarantine_notice
from warden.events import Home
from warden.names import Digest, ImageId, RepositoryName, Tag
from warden.policy import QuarantineBy
from warden.quarantine_notice import News

HOME = Home("123456789012", "eu-west-1")
RULE = "warden.yaml:44 rules[1]"
BLOCKS = "its verdict is block: 2 findings from critical on"


def _news(how: QuarantineBy, why: str, *, by: str = "", moved: bool = False, kept: bool = False) -> News:
    repository = "payments/api" if how is QuarantineBy.TAGS else "vault/keys"
    tags = (Tag("1.42.0"), Tag("latest")) if how is QuarantineBy.TAGS else (Tag("2.0.1"),)
    pairs = tuple((tag, Tag(f"quarantine.{tag}")) for tag in tags)
    return News(
        image=ImageId(RepositoryName(repository), Digest(f"sha256:{hashlib.sha256(repository.encode()).hexdigest()}")),
        event="sample",
        at=datetime(2026, 11, 23, 14, 6, tzinfo=UTC),
        how=how,
        tags=tags,
        why=why,
        rule=RULE,
        by=by,
        moved=pairs[: 1 if kept else None] if moved else (),
        kept=pairs[1:] if kept else (),
    )


BY_TAGS = quarantine_notice.quarantined(_news(QuarantineBy.TAGS, BLOCKS, moved=True), HOME)
BY_PULL = quarantine_notice.quarantined(_news(QuarantineBy.PULL, BLOCKS), HOME)
RELEASED = quarantine_notice.released(
    _news(
        QuarantineBy.TAGS,
        "the library is never called",
        by="arn:aws:iam::123456789012:user/alice: the library is never called",
        moved=True,
        kept=True,
    ),
    HOME,
)
WOULD_BE = quarantine_notice.would_be(_news(QuarantineBy.TAGS, BLOCKS, moved=True), HOME, release=False)
REFUSED = quarantine_notice.refused(
    _news(QuarantineBy.TAGS, "it is in use by ECS service prod/payments and 2 more"), HOME, release=False
)
