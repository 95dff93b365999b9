"""A sample notice about a promotion, made by the code that makes the real ones; names and numbers are made up."""

from datetime import UTC, datetime
from hashlib import sha256

from warden import promotion_notice
from warden.events import Home
from warden.names import Digest, ImageId, RepositoryName, Tag
from warden.policy import Mode
from warden.promotion import Plan, Tagging, Target
from warden.promotion_notice import Moved, Told

HOME = Home("123456789012", "eu-west-1")
STAGING = RepositoryName("staging/api")
_PASSED = ImageId(STAGING, Digest(f"sha256:{sha256(b'v1.42.1').hexdigest()}"))

PROMOTED = promotion_notice.promoted(
    Plan(
        image=_PASSED,
        target=Target(RepositoryName("release/api"), HOME.account, HOME.region),
        tags=(Tagging(Tag("v1.42.1"), Tag("v1.42.1")),),
        mode=Mode.ENFORCE,
        rule='rule "staging/*", warden.yaml:31',
        channels=("platform",),
    ),
    Moved(bytes=61_423_104, layers=5, mounted=0, about=3),
    Told("promotion 7c1a", datetime(2026, 11, 24, 18, 10, tzinfo=UTC)),
    HOME,
)
