"""Made-up standards and repositories, and what Hypothesis draws of them, for the laws of rendering and of pruning."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st

from tests.builders import NOW
from warden.lifecycle.evaluation import evaluate
from warden.lifecycle.rendering import Rendered
from warden.lifecycle.rules import RuleAction
from warden.names import Digest, Tag
from warden.policy import LifecycleAction, LifecycleRule, LifecycleStandard, Mode, Per, Protection
from warden.stored_images import StoredImage
from warden.wildcard import matches

LAW = settings(deadline=None, max_examples=int(os.environ.get("WARDEN_EXAMPLES", "60")))
"""https://hypothesis.readthedocs.io/en/latest/settings.html: more examples for a recorded run."""
LEASE = "warden.keep-"
DAY = timedelta(days=1)


def digest_of(seed: str) -> Digest:
    return Digest(f"sha256:{hashlib.sha256(seed.encode()).hexdigest()}")


def an_image(*tags: str, age: float = 100, seed: str = "", **more: object) -> StoredImage:
    """An image with these tags that was pushed so many days ago."""
    pushed = NOW - age * DAY
    return replace(StoredImage(digest_of(seed or f"{tags} {age}"), tuple(map(Tag, tags)), pushed), **more)  # type: ignore[arg-type]


def a_standard(*rules: LifecycleRule, action: str = "delete", **more: object) -> LifecycleStandard:
    plain = LifecycleStandard(Mode.ENFORCE, LifecycleAction(action), rules)
    return replace(plain, **more)  # type: ignore[arg-type]


IN_USE = Protection(in_use=True, tags=())


def taken_by(rendered: Rendered, images: Sequence[StoredImage], now: datetime = NOW) -> dict[Digest, RuleAction]:
    """What ECR takes by the rendered policy."""
    return {taken.image.digest: taken.action for taken in evaluate(rendered.rules, images, now)}


TAGS = (
    "v1.0.0",
    "v1.0.1",
    "v1.1.0",
    "v1.1.0-rc.1",
    "v2.0.0",
    "v1",
    "1.0.0",
    "pr-1",
    "pr-2",
    "web",
    "web-1",
    "main",
    "latest",
    "prod-1",
)
SHORT = ("web", "web-1", "main", "pr-1", "pr-2")
LEASES = (f"{LEASE}1", f"{LEASE}2")
PATTERNS = ("v*", "v1*", "v1.*", "pr-*", "*", "w*", "*-*", "*-1", "main", "latest", "*e*")
SEEDS = [f"image {number}" for number in range(9)]
TIED = tuple(f"sha256-{digest_of(seed).removeprefix('sha256:')}.sig" for seed in SEEDS[:3])
AGES = (0, 1, 2, 3, 5, 8, 13, 21, 40, 120, 200)
PERIODS = (1, 2, 3, 7, 14, 30)
COUNTS = (1, 2, 3, 4)
PLAIN = (
    *(LifecycleRule("", after_days=days) for days in PERIODS),
    *(LifecycleRule("", keep=count) for count in COUNTS),
)
"""What ECR has, too."""
DIRECT = (
    *(LifecycleRule("", not_pulled_days=days) for days in PERIODS),
    *(LifecycleRule("", keep=count, per=per) for count in COUNTS for per in Per),
    *(LifecycleRule("", after_days=days, label="org.acme.ephemeral=true") for days in PERIODS),
    *(LifecycleRule("", keep=count, label="team=*") for count in COUNTS),
)

# Built once and drawn from by number: to make strategies in the midst of drawing takes most of a law's time.
_AGE, _FEW = st.sampled_from(AGES), st.integers(0, 7)
_PLAIN, _ANY_KIND = st.sampled_from(PLAIN), st.sampled_from([*PLAIN, *PLAIN, *DIRECT])
_KINDS = st.lists(st.sampled_from(["untagged", *PATTERNS]), max_size=5)
_PROTECTED = st.lists(st.sampled_from(["prod-*", "latest", "v1.*", "any", "untagged"]), unique=True, max_size=2)
_SIZE, _TRUE, _ACTION = st.integers(1, len(SEEDS)), st.booleans(), st.sampled_from(LifecycleAction)
NOBODY = len(SEEDS)
_HOLDERS = {
    tags: st.lists(st.integers(0, NOBODY), min_size=len(tags), max_size=len(tags))
    for tags in (TAGS, (*TAGS, *LEASES), (*TAGS, *LEASES, *TIED), SHORT)
}
LABELS = st.lists(
    st.sampled_from([None, {}, {"org.acme.ephemeral": "true"}, {"org.acme.ephemeral": "false"}, {"team": "a"}]),
    min_size=len(SEEDS),
    max_size=len(SEEDS),
).map(lambda found: dict(zip(map(digest_of, SEEDS), found, strict=True)))
"""The labels of each image; None where they can't be known."""

HOLDERS = st.integers(0, 2 ** len(SEEDS) - 1).map(
    lambda bits: frozenset(digest_of(seed) for number, seed in enumerate(SEEDS) if bits >> number & 1)
)
"""Some of the images: those that get a lease, say."""


@st.composite
def worlds(
    draw: st.DrawFn, *, tags: tuple[str, ...] = (*TAGS, *LEASES), references: bool = True, archive: bool = True
) -> tuple[StoredImage, ...]:
    """The images of a repository; each tag is on one image at most, and indexes list only what comes after them."""
    holders = draw(_HOLDERS[tags])
    digests = list(map(digest_of, SEEDS[: draw(_SIZE)]))
    return tuple(
        _draw_image(
            draw,
            digests,
            number,
            tuple(Tag(tag) for tag, holder in zip(tags, holders, strict=True) if holder == number),
            references=references,
            archive=archive,
        )
        for number in range(len(digests))
    )


def _draw_image(
    draw: st.DrawFn, digests: Sequence[Digest], number: int, tags: tuple[Tag, ...], *, references: bool, archive: bool
) -> StoredImage:
    pushed, choice = NOW - draw(_AGE) * DAY, draw(_FEW)
    at = min(NOW, pushed + draw(_AGE) * DAY)
    # An index of those of the next three that the bits of a number say, or an artifact of the one before.
    kind, which = (draw(_FEW), draw(_FEW)) if references else (0, 0)
    lists = digests[number + 1 : number + 4] if kind in {1, 2} else []
    about = [*digests[number - 1 : number], digest_of("gone")][0 if which else -1] if kind == 3 else None
    return StoredImage(
        digests[number],
        tags,
        pushed,
        pulled_at=at if choice % 2 else None,
        archived=archive and choice == 4,
        archived_at=at if archive and choice == 4 else None,
        activated_at=at if archive and choice == 6 else None,
        children=tuple(digest for bit, digest in enumerate(lists) if which >> bit & 1),
        subject=about,
    )


@st.composite
def standards(draw: st.DrawFn, *, plain: bool = False) -> LifecycleStandard:
    """Standards of any sense; plain ones have only the rules that ECR has, too, and delete."""
    kinds = [*draw(_KINDS), *(["any"] if draw(_TRUE) else [])]
    action = LifecycleAction.DELETE if plain else draw(_ACTION)
    more = draw(_FEW)
    return LifecycleStandard(
        Mode.ENFORCE,
        action,
        tuple(replace(draw(_PLAIN if plain else _ANY_KIND), of=kind) for kind in kinds),
        Protection(in_use=draw(_TRUE), tags=tuple(draw(_PROTECTED))),
        wait_days=7 if more == 1 and not plain and action is LifecycleAction.DELETE else None,
        delete_archived_days=90 * (more % 3) or None if not plain else None,
    )


def is_protected(image: StoredImage, standard: LifecycleStandard) -> bool:
    return any(matches(pattern, tag) for pattern in standard.protection.tags for tag in image.tags)


def is_leased(image: StoredImage) -> bool:
    return any(tag.startswith(LEASE) for tag in image.tags)


def with_leases(images: Iterable[StoredImage], holders: Iterable[Digest]) -> tuple[StoredImage, ...]:
    """The images with a lease on those, and on no others."""
    chosen = frozenset(holders)
    bare = [replace(image, tags=tuple(tag for tag in image.tags if not tag.startswith(LEASE))) for image in images]
    return tuple(
        replace(image, tags=(*image.tags, Tag(f"{LEASE}{image.digest[7:31]}"))) if image.digest in chosen else image
        for image in bare
    )
