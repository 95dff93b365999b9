"""Sample notices, made by the code that makes the real ones; names and numbers are made up."""

from datetime import UTC, date, datetime, timedelta

from warden import drift_notice, storm_notice, verdict_notice
from warden.actions import Action, ActionKind, Deed, Result
from warden.events import Home, RepositoryChanged
from warden.findings import Finding, Scan, ScanState
from warden.images import Image
from warden.known import Before, Known, Seen, Verdict
from warden.names import Digest, ImageId, RepositoryName, Severity, Tag
from warden.news import NewFinding, News
from warden.notices import Fact, Notice
from warden.policy import (
    AccessStandard,
    EmptyStandard,
    EncryptionStandard,
    FindingsStandard,
    Immutability,
    LifecycleAction,
    LifecycleStandard,
    Mode,
    QuarantineStandard,
    RepositoryTagsStandard,
    ScanningStandard,
    Standard,
    TagsStandard,
)
from warden.verdicts import judge

HOME = Home("123456789012", "eu-west-1")
NOW = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)
API = RepositoryName("payments/api")
_FINDINGS = FindingsStandard(
    notify_from=Severity.HIGH,
    block_from=Severity.CRITICAL,
    new_only=True,
    fix_within={Severity.CRITICAL: 7, Severity.HIGH: 30},
)
_STANDARD = Standard(
    repository=API,
    tags=TagsStandard(Mode.ENFORCE, Immutability.IMMUTABLE_WITH_EXCLUSION, ("latest", "sha256-*")),
    scanning=ScanningStandard(Mode.ENFORCE, on_push=True),
    findings=_FINDINGS,
    lifecycle=LifecycleStandard(Mode.REPORT, LifecycleAction.ARCHIVE, ()),
    access=AccessStandard(Mode.REPORT, forbid_public=True, accounts=None),
    encryption=EncryptionStandard(Mode.REPORT, None),
    repository_tags=RepositoryTagsStandard(Mode.REPORT, ()),
    promotion=None,
    quarantine=QuarantineStandard(Mode.REPORT, None),
    empty=EmptyStandard(Mode.REPORT, None),
    channels=("platform",),
    origins={"findings.notify_from": "warden.yaml:12", "findings.block_from": "warden.yaml:12"},
)
_LOG4J = Finding(
    "CVE-2021-44228",
    Severity.CRITICAL,
    "org.apache.logging.log4j:log4j-core",
    "2.14.1",
    "2.17.1",
    10.0,
    kind="Java",
    exploit=True,
    epss=0.94,
)
_OPENSSL = Finding("CVE-2022-3602", Severity.CRITICAL, "openssl", "3.0.2-0ubuntu1.6", "3.0.2-0ubuntu1.7", 9.8)
_XZ = Finding("CVE-2024-3094", Severity.HIGH, "xz-utils", "5.6.0-0.2", None, 8.1, epss=0.85)
_KNOWN = tuple(
    Finding(f"CVE-2025-{10_000 + number}", severity, f"lib{number}", "1.0")
    for number, severity in enumerate([Severity.HIGH] * 3 + [Severity.MEDIUM] * 4)
)


def _image(tag: str, seed: str, repository: RepositoryName = API) -> Image:
    pushed = NOW - timedelta(minutes=1)
    return Image(ImageId(repository, Digest(f"sha256:{seed * 16}")), (Tag(tag),), pushed)


def _scan(*findings: Finding, in_use: int = 0, platform: str = "") -> Scan:
    return Scan(ScanState.SCANNED, "scanned", findings, in_use=in_use, platform=platform, enhanced=True)


def _before(name: str, *findings: Finding, verdict: Verdict = Verdict.BLOCK) -> Before:
    seen = {finding.key: Seen(date(2026, 11, 2), finding.severity.rank) for finding in findings}
    return Before(Known(name, verdict, seen), itself=False, thread=name)


def _new_criticals() -> Notice:
    platforms = ("linux/amd64", "linux/arm64")
    scans = [
        _scan(_LOG4J, _OPENSSL, _XZ, *_KNOWN, in_use=number * 3, platform=name) for number, name in enumerate(platforms)
    ]
    fixed = (Finding(f"CVE-2025-{number}", Severity.LOW, "glibc", "2.31") for number in range(20_000, 20_012))
    judgement = judge(scans, _FINDINGS, today=NOW.date(), before=_before("payments/api:1.41.3", *_KNOWN, *fixed))
    owner = (Fact("Owner", "https://github.com/acme/payments (org.opencontainers.image.source, warden.yaml:31)"),)
    image = _image("1.42.0", "41d9")
    return verdict_notice.judged(image, platforms, judgement, _STANDARD, HOME, now=NOW, owner=owner)


def _clean_after_dirty() -> Notice:
    medium = _KNOWN[3:6]
    before = _before("payments/api:1.42.0", _LOG4J, _OPENSSL, _XZ, *medium)
    judgement = judge([_scan(*medium)], _FINDINGS, today=NOW.date(), before=before)
    return verdict_notice.judged(_image("1.42.1", "9f31"), (), judgement, _STANDARD, HOME, now=NOW)


def _drift_corrected() -> Notice:
    changed = RepositoryChanged(
        "1", NOW, API, "PutImageTagMutability", "arn:aws:sts::123456789012:assumed-role/Admin/alice", None
    )
    action = Action(
        ActionKind.SET_TAG_IMMUTABILITY,
        API,
        "tag immutability",
        "MUTABLE",
        "IMMUTABLE except latest, sha256-*",
        "tags can be moved",
        "warden.yaml:9",
        Mode.ENFORCE,
    )
    notice = drift_notice.drift(changed, (Deed(action, Result.DONE),), HOME)
    if notice is None:
        raise ValueError("a setting that was set back is news")
    return notice


def _unscanned(number: int, repository: str, tag: str, why: str) -> News:
    return News(f"unscanned-{number}", "unscanned", repository, f"{repository}:{tag}", 0, (), (why,), "")


def _needs_attention() -> Notice:
    no_system = "the scan failed (UnsupportedImageError: The operating system is not supported.)"
    news = [_unscanned(number, "ml/train", f"exp-{70 + number}", no_system) for number in range(5)]
    news.append(_unscanned(6, "edge/firmware", "9.1", "the image is too large for the scanner"))
    news.append(_unscanned(7, "legacy/cron", "2019", "the image is too old to be scanned again: push it again"))
    return storm_notice.storm(news, HOME, now=NOW)


def _storm() -> Notice:
    bookworm = NewFinding("CVE-2023-38545", "CRITICAL", "curl", "7.88.1-10+deb12u4")
    bullseye = NewFinding("CVE-2023-38545", "CRITICAL", "curl", "7.74.0-1.3+deb11u10")
    repositories = {
        "ml/train": (122, 9),
        "payments/api": (64, 31),
        "web/frontend": (58, 24),
        "payments/ledger": (41, 18),
        "search/indexer": (37, 12),
        "legacy/cron": (3, 2),
    }
    repositories |= {f"team-{number:02}/service": (7, 1) for number in range(25)}
    news = [
        News(
            f"storm-{repository}-{number}",
            "findings",
            repository,
            f"{repository}:1.{number}.0",
            int(number >= images - running),
            (bullseye if number % 5 == 0 else bookworm,),
            (),
            "",
        )
        for repository, (images, running) in repositories.items()
        for number in range(images)
    ]
    return storm_notice.storm(news, HOME, now=NOW)


NEW_CRITICALS = _new_criticals()
CLEAN_AFTER_DIRTY = _clean_after_dirty()
DRIFT_CORRECTED = _drift_corrected()
NEEDS_ATTENTION = _needs_attention()
STORM = _storm()
