"""Sample notices about pruning, made by the code that makes the real ones; names and numbers are made up."""

import hashlib
from datetime import UTC, datetime, timedelta

from warden import prune_notice
from warden.events import Home
from warden.lifecycle.rules import RuleAction
from warden.names import Digest, RepositoryName, Tag
from warden.notices import Notice
from warden.policy import Mode
from warden.pruning import Leaving, PruneReport, PruneResult, Refusal, Spared
from warden.stored_images import StoredImage

HOME = Home("123456789012", "eu-west-1")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MEGABYTE = 10**6

_KEEP = ("keep 20 of exp-*", "warden.yaml:31 rules[0]")
_PULL_REQUESTS = ("expire pr-* after 14d", "warden.yaml:24 rules[1]")
_UNTAGGED = ("expire untagged after 7d", "warden.yaml:24 rules[0]")
_UNPULLED = ("expire any not pulled for 180d", "warden.yaml:24 rules[3]")
_IN_THE_ARCHIVE = ("expire any 180d after archiving", "warden.yaml:26")


def _image(seed: str, tag: str, megabytes: int, pulled: int | None) -> StoredImage:
    """An image that was pulled so many days ago."""
    return StoredImage(
        Digest(f"sha256:{hashlib.sha256(seed.encode()).hexdigest()}"),
        (Tag(tag),) if tag else (),
        NOW - timedelta(days=200),
        size=megabytes * MEGABYTE,
        pulled_at=None if pulled is None else NOW - timedelta(days=pulled),
    )


def _leaving(
    rule: tuple[str, str],
    count: int,
    *,
    tag: str = "",
    megabytes: int = 100,
    pulled: int | None = None,
    action: RuleAction = RuleAction.TRANSITION,
    by_ecr: bool = True,
) -> tuple[Leaving, ...]:
    images = (
        _image(f"{rule}{tag}{number}", tag.format(number), megabytes, pulled and pulled + number)
        for number in range(count)
    )
    return tuple(Leaving(image, action, *rule, by_ecr=by_ecr) for image in images)


def _report(
    repository: str,
    images: int,
    result: PruneResult,
    *,
    leaving: tuple[Leaving, ...] = (),
    left: tuple[Leaving, ...] = (),
    refusals: tuple[Refusal, ...] = (),
    leased: int = 0,
    remarks: tuple[str, ...] = (),
) -> PruneReport:
    mode = Mode.REPORT if result is PruneResult.REPORTED else Mode.ENFORCE
    name = RepositoryName(repository)
    return PruneReport(name, mode, result, images, leaving, left, refusals, leased, remarks=remarks)


def _told(*reports: PruneReport) -> Notice:
    (notice,) = prune_notice.told(reports, home=HOME, sweep="2026-11-23", at=NOW, channel="platform")
    return notice


def _report_of_the_first_sweep() -> Notice:
    would = PruneResult.REPORTED
    return _told(
        _report("ml/train", 450, would, leaving=_leaving(_KEEP, 96, tag="exp-{}", megabytes=5_100, pulled=40)),
        _report(
            "payments/api",
            212,
            would,
            leaving=(
                *_leaving(_PULL_REQUESTS, 61, tag="pr-{}", megabytes=184, pulled=15),
                *_leaving(_UNTAGGED, 34, megabytes=180),
            ),
        ),
        _report("web/frontend", 130, would, leaving=_leaving(_PULL_REQUESTS, 48, tag="pr-{}", megabytes=96, pulled=20)),
        _report("search/indexer", 77, would, leaving=_leaving(_UNTAGGED, 21, megabytes=240)),
        _report(
            "legacy/cron",
            12,
            PruneResult.NOTHING,
            remarks=("rule 2 matches nothing: no tag begins with release/, did you mean release-*?",),
        ),
    )


def _done() -> Notice:
    done = PruneResult.DONE
    return _told(
        _report(
            "payments/api",
            198,
            done,
            left=(
                *_leaving(_PULL_REQUESTS, 61, tag="pr-{}", megabytes=184, pulled=15),
                *_leaving(_IN_THE_ARCHIVE, 25, tag="pr-1{}", megabytes=190, action=RuleAction.EXPIRE),
            ),
            leased=9,
        ),
        _report(
            "tools/lint",
            64,
            done,
            left=_leaving(
                _UNPULLED, 33, tag="v0.{}", megabytes=410, pulled=190, action=RuleAction.EXPIRE, by_ecr=False
            ),
            leased=3,
        ),
        _report("web/frontend", 130, done, left=_leaving(_PULL_REQUESTS, 48, tag="pr-{}", megabytes=96, pulled=20)),
        _report("search/indexer", 77, done, leaving=_leaving(_UNTAGGED, 21, megabytes=240)),
    )


def _refused() -> Notice:
    disputed = (
        (_image("torch", "exp-118", 5_100, 0), "in use by ECS service prod/train-evaluation and 2 more"),
        (_image("base", "exp-42", 4_900, 3), "put back by alice, until 23 Dec 2026"),
    )
    return _told(
        _report(
            "ml/train",
            450,
            PruneResult.REFUSED,
            leaving=(
                *_leaving(_KEEP, 371, tag="exp-{}", megabytes=5_100, pulled=1),
                *_leaving(_PULL_REQUESTS, 33, tag="pr-{}", megabytes=1_850, pulled=42),
                *_leaving(_UNTAGGED, 8, megabytes=500),
            ),
            refusals=(
                Refusal("412 of 450 images (91 %) would leave, and 25 % may: lifecycle.caps.percent (warden.yaml:29)"),
                Refusal("images that must live would leave", tuple(Spared(*one, _KEEP[0]) for one in disputed)),
            ),
        ),
    )


def _refused_many() -> Notice:
    return _told(*(_refused_half(f"team-{number}/service", 20 + number) for number in range(12)))


def _refused_half(repository: str, count: int) -> PruneReport:
    why = f"{count} of {2 * count} images (50 %) would leave, and 25 % may: lifecycle.caps.percent (warden.yaml:29)"
    leaving = _leaving(_PULL_REQUESTS, count, tag="pr-{}", pulled=20)
    return _report(repository, 2 * count, PruneResult.REFUSED, leaving=leaving, refusals=(Refusal(why),))


def _unknown() -> Notice:
    missing = ("ecs in eu-west-1 of 444455556666: AccessDenied when calling AssumeRole",)
    refusal = Refusal("what is in use is not known", missing=missing)
    return _told(
        *(_report(f"team-{number}/service", 40, PruneResult.SUSPENDED, refusals=(refusal,)) for number in range(12))
    )


REPORT = _report_of_the_first_sweep()
DONE = _done()
REFUSED = _refused()
REFUSED_MANY = _refused_many()
UNKNOWN = _unknown()
