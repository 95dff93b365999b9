"""Sample notices on the whole registry: a week of it, one vulnerability all over it, and what the warden can't do."""

from warden.notices import Level, Notice, Table, bold, code, link, notice_id, plain

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
