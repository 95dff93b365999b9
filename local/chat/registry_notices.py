"""Sample notices on the whole registry: a week of it, one vulnerability all over it, and what the warden can't do."""

from local.chat.image_notices import WHERE, cve
from warden.notices import Fact, Level, Notice, Section, Table, bold, code, link, notice_id, plain

CONSOLE = "https://eu-west-1.console.aws.amazon.com"

WEEKLY_DIGEST = Notice(
    id=notice_id("digest", "2026-W47"),
    kind="digest",
    level=Level.DIGEST,
    title="Weekly digest, week 47: 9 criticals still run",
    subject="registry",
    summary=(
        bold("5 fewer than last week."),
        plain(" 7 of the 9 are past their fix date. "),
        bold("298 of 312"),
        plain(" repositories meet the standard, 6 more than last week."),
    ),
    tables=(
        Table(
            "Most urgent",
            ("Running image", "Critical", "Tasks", "Due", "Owner"),
            (
                ("ml/train:exp-77", "4", "1", "6 d late", "team-ml"),
                ("legacy/cron:latest", "3", "2", "12 d late", "nobody"),
                ("payments/api:1.40.2", "2", "3", "in 7 d", "team-payments"),
            ),
        ),
        Table(
            "The registry",
            ("", "This week", "Last week", "Change"),
            (
                ("Criticals that run", "9", "14", "−5"),
                ("Repositories off the standard", "14", "20", "−6"),
                ("Exemptions, 3 soon over", "41", "39", "+2"),
                ("Images pushed, 4 unscanned", "1,204", "1,118", "+86"),
                ("Stored, about $190 a month", "1.90 TB", "1.96 TB", "−61 GB"),
            ),
        ),
    ),
    next_step=(
        plain("give "),
        code("legacy/cron"),
        plain(" an owner; renew or drop the 3 exemptions that end by 29 Nov."),
    ),
    links=(link("Open ECR", f"{CONSOLE}/ecr/private-registry/repositories?region=eu-west-1"),),
    footer="14 accounts · eu-west-1 · 16 to 22 Nov · sent on Mondays",
    at="2026-11-23T08:00:00Z",
)

NEEDS_ATTENTION = Notice(
    id=notice_id("dead letters", "2026-11-23T15:05"),
    kind="dead_letters",
    level=Level.ATTENTION,
    title="4 pushed images need a person",
    subject="",
    summary=(
        plain("Three tries over an hour failed. The images are "),
        bold("unscanned, not clean"),
        plain("; all others are looked after as always."),
    ),
    sections=(
        Section(
            "What failed",
            (
                (code("ml/train:exp-78"), plain("  AccessDenied: the key of ml/* does not let the warden in")),
                (code("ml/train:exp-79"), plain("  the same")),
                (code("edge/firmware:9.1"), plain("  UnsupportedImage: no operating system that ECR can scan")),
                (code("tools/lint:2"), plain("  LimitExceeded: ECR scans an image once in 24 h")),
            ),
        ),
    ),
    facts=(
        Fact("Waiting", "4 messages, the oldest for 63 min"),
        Fact("Until then", "no verdict, no promotion and no pruning of these images"),
        Fact("Kept until", "7 Dec; after that they are lost"),
    ),
    next_step=(
        plain("let "),
        code("role/warden-image-pushed"),
        plain(" use the key "),
        code("alias/ml"),
        plain(", then run "),
        code("warden redrive"),
        plain("."),
    ),
    links=(
        link("Queue", f"{CONSOLE}/sqs/v3/home?region=eu-west-1#/queues"),
        link("Logs", f"{CONSOLE}/cloudwatch/home?region=eu-west-1#logsV2:log-groups"),
    ),
    footer=f"{WHERE} · stage prod · told again in 6 h",
    at="2026-11-23T15:05:00Z",
)

STORM = Notice(
    id=notice_id("storm", "CVE-2023-38545"),
    kind="storm",
    level=Level.CRITICAL,
    title="CVE-2023-38545 is new and critical in 500 images",
    subject="CVE-2023-38545",
    summary=(
        code("curl"),
        plain(" before 8.4.0 overflows its heap on a long host name over SOCKS5. "),
        bold("112 of the images run"),
        plain(", in 38 repositories. This one message stands for all of them."),
    ),
    tables=(
        Table(
            "Where, by what runs",
            ("Repository", "Images", "Running", "Base image", "Owner"),
            (
                ("payments/api", "64", "31", "python:3.12-slim", "team-payments"),
                ("web/frontend", "58", "24", "node:22-slim", "team-web"),
                ("payments/ledger", "41", "18", "python:3.12-slim", "team-payments"),
                ("search/indexer", "37", "12", "python:3.12-slim", "team-search"),
                ("ml/train", "122", "9", "python:3.12-slim", "team-ml"),
                ("legacy/cron", "3", "2", "debian:11", "nobody"),
            ),
            more=32,
        ),
    ),
    facts=(
        Fact("Severity", "critical, CVSS 9.8 · EPSS 26 % · not known to be exploited"),
        Fact("Fixed in", "Debian 12: 7.88.1-10+deb12u4 · Debian 11: 7.74.0-1.3+deb11u10"),
        Fact("First seen", "23 Nov 09:12 UTC"),
        Fact("Fix by", "30 Nov (7 days for critical)"),
    ),
    next_step=(
        plain("rebuild on today's "),
        code("python:3.12-slim"),
        plain(": that alone mends 341 of the 500 images, and 70 of the 112 that run."),
    ),
    links=(
        link("CVE-2023-38545", cve("CVE-2023-38545")),
        link("Open ECR", f"{CONSOLE}/ecr/private-registry/repositories?region=eu-west-1"),
    ),
    footer=f"{WHERE} · warden why REPOSITORY",
    at="2026-11-23T09:12:00Z",
)
