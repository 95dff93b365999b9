"""ECR policies and repositories as Hypothesis draws them, and what becomes of them said in the plainest way."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

from hypothesis import settings
from hypothesis import strategies as st

from local.registry import lifecycle_evaluation as registry
from local.registry import lifecycle_policy
from tests.builders import NOW
from warden.lifecycle.evaluation import Taken
from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus
from warden.lifecycle.validation import write
from warden.names import Digest, Tag
from warden.stored_images import StoredImage

EXAMPLES = os.environ.get("WARDEN_EXAMPLES")
LAW = settings(deadline=None, max_examples=int(EXAMPLES or 50), derandomize=EXAMPLES is None)
"""`WARDEN_EXAMPLES=100000` runs each law on as many worlds."""

DAY = timedelta(days=1)
TAGS = ("v1", "v1.1", "v2", "dev-1", "pr-2", "latest", "prod-a", "a.prod", "release")
PATTERNS = ("v*", "v1", "*", "**", "*prod*", "*-*", "*.1", "pr-*", "latest", "v*1*", "*e*l*", "nothing*", "dev-1")
PREFIXES = ("v", "v1", "prod-", "dev-1", "zzz")
DIGESTS = tuple(Digest(f"sha256:{hashlib.sha256(bytes([number])).hexdigest()}") for number in range(12))
STRANGER = Digest(f"sha256:{'0' * 64}")
"""Of no image of any world."""
AGES = (0, 1, 2, 3, 3.5, 5, 7, 8, 14, 30, 40, 90, 95, 200, 300)
"""Few, so that many are equal."""


def an_image(name: str, *tags: str, age: float = 0, **more: object) -> StoredImage:
    """An image whose digest is made of its name."""
    digest = Digest(f"sha256:{hashlib.sha256(name.encode()).hexdigest()}")
    image = StoredImage(digest, tuple(map(Tag, tags)), NOW - age * DAY)
    return replace(image, **more)  # type: ignore[arg-type]


def a_rule(
    priority: int = 1,
    of: str = "any",
    *,
    keep: int | None = None,
    after: int | None = None,
    unpulled: int | None = None,
    unarchived: int | None = None,
    archive: bool = False,
) -> Rule:
    """One rule; `of` is `any`, `untagged` or patterns separated by spaces."""
    kind = TagStatus(of) if of in {"any", "untagged"} else TagStatus.TAGGED
    count_type, count = next(
        (count_type, count)
        for count_type, count in zip(CountType, (keep, after, unpulled, unarchived), strict=True)
        if count is not None
    )
    action = RuleAction.TRANSITION if archive or unpulled is not None else RuleAction.EXPIRE
    patterns = tuple(of.split()) if kind is TagStatus.TAGGED else ()
    return Rule(priority, kind, count_type, count, action, patterns, archived=unarchived is not None)


# Made once: to make strategies while drawing takes most of a law's time.
_TIME = st.sampled_from(AGES).map(lambda days: NOW - days * DAY)
_SOME_TIME = st.none() | _TIME
_TAGS = st.lists(st.sampled_from(TAGS), max_size=3, unique=True).map(lambda tags: tuple(map(Tag, tags)))
_OTHER = st.sampled_from((*DIGESTS, STRANGER))
_KIND = st.sampled_from(("image", "image", "index", "artifact", "both"))


def _image(
    kind: str,
    tags: tuple[Tag, ...],
    pushed_at: datetime,
    pulled_at: datetime | None,
    archived: bool,
    archived_at: datetime | None,
    activated_at: datetime | None,
    subject: Digest,
    children: tuple[Digest, ...],
) -> StoredImage:
    return StoredImage(
        STRANGER,
        tags,
        pushed_at,
        pulled_at=pulled_at,
        archived=archived,
        archived_at=archived_at,
        activated_at=activated_at,
        subject=subject if kind in {"artifact", "both"} else None,
        children=children if kind in {"index", "both"} else (),
    )


_IMAGE = st.builds(
    _image,
    _KIND,
    _TAGS,
    _TIME,
    _SOME_TIME,
    st.sampled_from((False, False, True)),
    _SOME_TIME,
    _SOME_TIME,
    _OTHER,
    st.lists(_OTHER, max_size=4, unique=True).map(tuple),
)
_REPOSITORY = st.lists(_IMAGE, max_size=len(DIGESTS)).map(
    lambda images: tuple(replace(image, digest=digest) for image, digest in zip(images, DIGESTS, strict=False))
)


def repositories(*, tangled: bool = True) -> st.SearchStrategy[tuple[StoredImage, ...]]:
    """The images of one repository.

    Where they are tangled anything refers to anything, to itself and to what is not there; where not, only as tools
    push it: nothing that is archived refers or is referred to, and no index is, or lists, a reference artifact.
    """
    return _REPOSITORY if tangled else _REPOSITORY.map(_untangled)


def _untangled(tangled: Sequence[StoredImage]) -> tuple[StoredImage, ...]:
    images = [replace(image, subject=None) if image.children else image for image in tangled]
    artifacts = {image.digest for image in images if image.subject is not None}
    referring = {image.digest for image in images if image.children or image.subject is not None}
    referred = {digest for image in images for digest in (*image.children, image.subject)}
    return tuple(
        replace(
            image,
            archived=image.archived and image.digest not in referring | referred,
            children=tuple(child for child in image.children if child not in artifacts),
        )
        for image in images
    )


_COUNT = st.integers(1, 5)
_DAYS = st.sampled_from((1, 2, 3, 5, 7, 14, 30, 90))
_LISTS = st.one_of(
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3).map(lambda found: (tuple(found), ())),
    st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=2).map(lambda found: ((), tuple(found))),
)
_WHAT = st.one_of(
    st.tuples(st.just(CountType.IMAGE_COUNT_MORE_THAN), _COUNT, st.sampled_from(RuleAction)),
    st.tuples(st.just(CountType.SINCE_IMAGE_PUSHED), _DAYS, st.sampled_from(RuleAction)),
    st.tuples(st.just(CountType.SINCE_IMAGE_PULLED), _DAYS, st.just(RuleAction.TRANSITION)),
    st.tuples(st.just(CountType.SINCE_IMAGE_TRANSITIONED), st.sampled_from((90, 94, 199)), st.just(RuleAction.EXPIRE)),
)


def _rule(
    lists: tuple[tuple[str, ...], tuple[str, ...]], what: tuple[CountType, int, RuleAction], status: TagStatus
) -> Rule:
    patterns, prefixes = lists if status is TagStatus.TAGGED else ((), ())
    return Rule(1, status, *what, patterns, prefixes, what[0] is CountType.SINCE_IMAGE_TRANSITIONED)


_RULE = st.builds(_rule, _LISTS, _WHAT, st.sampled_from((*TagStatus, TagStatus.TAGGED)))
_PRIORITIES = st.permutations(range(1, 9))


def policies() -> st.SearchStrategy[tuple[Rule, ...]]:
    """The rules of a policy that ECR takes, in any order of their priorities."""
    return st.builds(_policy, st.lists(_RULE, min_size=1, max_size=6), _PRIORITIES)


def _policy(drawn: Sequence[Rule], priorities: Sequence[int]) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for rule, priority in zip(drawn, priorities, strict=False):
        if not any(_exclude_each_other(rule, other) for other in rules):
            last = 100 if rule.tag_status is TagStatus.ANY else 0
            rules.append(replace(rule, priority=priority + last))
    return tuple(rules)


def _exclude_each_other(one: Rule, other: Rule) -> bool:
    alike = one.archived is other.archived and one.tag_status is other.tag_status
    return alike and (one.tag_status is not TagStatus.TAGGED or set(one.prefixes) == set(other.prefixes) != set())


def by_the_registry(
    rules: Sequence[Rule], images: Sequence[StoredImage], now: datetime
) -> dict[Digest, tuple[str, int | None]]:
    """What leaves by the local registry's own evaluation: how, and by which rule."""
    candidates = [
        registry.Candidate(
            image.digest,
            image.tags,
            image.pushed_at,
            image.pulled_at,
            image.archived_at,
            image.activated_at,
            image.archived,
            image.subject,
            image.children,
        )
        for image in images
    ]
    decisions = registry.evaluate(lifecycle_policy.read(write(rules)), candidates, now)
    return {Digest(each.digest): (each.action, each.rule) for each in decisions}


def in_the_plainest_way(
    rules: Sequence[Rule], images: Sequence[StoredImage], now: datetime
) -> dict[Digest, tuple[str, int | None]]:
    """The same for any tangle: start with all that could leave, and take back, one by one, what breaks something."""
    present = {image.digest: image for image in images}
    alone = [replace(image, children=(), subject=None) for image in images if image.subject not in present]
    leaving = by_the_registry(rules, alone, now)
    while more := [image for image in images if image.subject in leaving and _follows(image, leaving)]:
        leaving[more[0].digest] = (leaving[more[0].subject or STRANGER][0], None)
    while wrong := [digest for digest in leaving if _may_not_leave(present[digest], images, leaving)]:
        del leaving[wrong[0]]
    return leaving


def _follows(image: StoredImage, leaving: dict[Digest, tuple[str, int | None]]) -> bool:
    is_deleted = leaving[image.subject or STRANGER][0] == RuleAction.EXPIRE
    return image.digest not in leaving and (is_deleted or not image.archived)


def _may_not_leave(
    image: StoredImage, images: Sequence[StoredImage], leaving: dict[Digest, tuple[str, int | None]]
) -> bool:
    how, rule = leaving[image.digest]
    if rule is None and image.subject not in leaving:
        return True
    for index in images:
        if image.digest in index.children:
            fate = leaving.get(index.digest, ("archived" if index.archived else "stays", None))[0]
            if fate != RuleAction.EXPIRE and (how == RuleAction.EXPIRE or fate == "stays"):
                return True
    return False


def afterwards(images: Sequence[StoredImage], taken: Sequence[Taken], now: datetime) -> tuple[StoredImage, ...]:
    """The repository when ECR has done it."""
    actions = {each.image.digest: each.action for each in taken}
    return tuple(
        replace(image, archived=True, archived_at=now) if image.digest in actions else image
        for image in images
        if actions.get(image.digest) is not RuleAction.EXPIRE
    )


def lost_their_subject(before: Sequence[StoredImage], after: Sequence[StoredImage]) -> list[StoredImage]:
    """The artifacts that stay, listed by some index, while what they are about has gone: rules then count them too."""
    gone = {image.digest for image in before} - {image.digest for image in after}
    return [image for image in after if image.subject in gone]


def pairs(rules: Sequence[Rule], images: Sequence[StoredImage]) -> list[tuple[Rule, StoredImage]]:
    """Each rule with each image, the first rules first."""
    return list(product(sorted(rules, key=lambda rule: rule.priority), images))
