"""Sample notices on one image or one repository; names and numbers are made up."""

from warden.notices import Fact, Level, Line, Notice, Section, bold, code, link, notice_id, plain

CONSOLE = "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/123456789012"
WHERE = "account 123456789012 · eu-west-1"


def cve(name: str) -> str:
    """Its page in the National Vulnerability Database."""
    return f"https://nvd.nist.gov/vuln/detail/{name}"


def image_page(repository: str, digest: str, tab: str = "details") -> str:
    """A page of the ECR console, for a digest of which the first twelve figures are known."""
    return f"{CONSOLE}/{repository}/_/image/sha256:{digest + '0' * 52}/{tab}"


def finding(name: str, severity: str, package: str, now: str, fixed: str) -> Line:
    """One line of a list of findings."""
    return (link(name, cve(name)), plain(f"  {severity} · "), code(package), plain(f" {now} → "), bold(fixed))


NEW_CRITICALS = Notice(
    id="f-41d9be20c0ff",
    kind="findings",
    level=Level.CRITICAL,
    title="2 new critical findings in payments/api:1.42.0",
    subject="payments/api:1.42.0",
    summary=(
        bold("2 critical, 1 high"),
        plain(" and 4 medium findings on "),
        code("linux/amd64"),
        plain(" and "),
        code("linux/arm64"),
        plain(". New since 1.41.3: "),
        bold("2 critical"),
        plain("."),
    ),
    sections=(
        Section(
            "Fix first",
            (
                finding("CVE-2014-0160", "critical 9.8", "openssl", "1.0.1e", "1.0.1g"),
                finding("CVE-2021-44228", "critical 10.0", "log4j-core", "2.14.1", "2.17.1"),
                (
                    link("CVE-2024-3094", cve("CVE-2024-3094")),
                    plain("  high 8.1 · "),
                    code("xz-utils"),
                    plain(" 5.6.0, no fix yet"),
                ),
            ),
            more=4,
        ),
    ),
    facts=(
        Fact("Digest", "sha256:41d9be20c0ff"),
        Fact("Pushed", "23 Nov 14:02 UTC"),
        Fact("Verdict", "block from CRITICAL (defaults)"),
    ),
    next_step=(
        plain("rebuild on a base image with openssl 1.0.1g or later. Not affected? Exempt the CVE in "),
        code("warden.yaml"),
        plain(", with an end date."),
    ),
    links=(
        link("Open in ECR", image_page("payments/api", "41d9be20c0ff")),
        link("All findings", image_page("payments/api", "41d9be20c0ff", "scan-results")),
    ),
    footer=f"{WHERE} · warden why payments/api@sha256:41d9be20c0ff",
    at="2026-11-23T14:03:00Z",
)

PROMOTED = Notice(
    id=notice_id("promotion", "9f31c07a5e2d"),
    kind="promotion",
    level=Level.GOOD,
    title="payments/api:1.42.1 was promoted to prod",
    subject="payments/api:1.42.1",
    summary=(
        plain("All 4 gates passed. "),
        code("prod/payments/api:1.42.1"),
        plain(" is "),
        bold("the same image, digest for digest"),
        plain("."),
    ),
    sections=(
        Section(
            "Gates",
            (
                (bold("Findings"), plain("  0 critical, 0 high on both platforms; scanned 4 min ago")),
                (bold("Signature"), plain("  AWS Signer, profile "), code("ci_release")),
                (bold("Time in dev"), plain("  26 h, at least 24 h asked")),
                (bold("Tag"), plain("  1.42.1 was free in prod, and can't be moved from now on")),
            ),
        ),
    ),
    facts=(
        Fact("From", "dev/payments/api, account 111122223333"),
        Fact("To", "prod/payments/api, account 123456789012"),
        Fact("Digest", "sha256:9f31c07a5e2d"),
        Fact("Asked for by", "role/ci-release, 24 Nov 18:10 UTC"),
    ),
    next_step=(
        plain("deploy it, by digest. To go back, deploy 1.41.3: it stays in prod while it is one of the 20 newest."),
    ),
    links=(link("Open in ECR", image_page("prod/payments/api", "9f31c07a5e2d")),),
    footer=f"{WHERE} · warden why prod/payments/api@sha256:9f31c07a5e2d",
    thread="payments/api",
    at="2026-11-24T18:10:00Z",
)

QUARANTINED = Notice(
    id=notice_id("quarantine", "41d9be20c0ff"),
    kind="quarantine",
    level=Level.CRITICAL,
    title="payments/api:1.42.0 is quarantined: 2 critical findings",
    subject="payments/api:1.42.0",
    summary=(
        plain("Pulls of the tag "),
        code("1.42.0"),
        plain(" fail from now on. "),
        bold("What runs keeps running"),
        plain(", and the image is kept."),
    ),
    sections=(
        Section(
            "Why",
            (
                (
                    *finding("CVE-2021-44228", "critical 10.0", "log4j-core", "2.14.1", "2.17.1"),
                    plain(" · "),
                    bold("known exploited"),
                ),
                finding("CVE-2014-0160", "critical 9.8", "openssl", "1.0.1e", "1.0.1g"),
            ),
        ),
    ),
    facts=(
        Fact("Tag", "1.42.0 → quarantine-1.42.0"),
        Fact("Digest", "sha256:41d9be20c0ff"),
        Fact("Running", "3 ECS tasks of prod/payments: a restart by tag fails"),
        Fact("Rule", "quarantine from CRITICAL (rules[1])"),
    ),
    next_step=(
        plain("build 1.42.1 with both fixes, and deploy it. Needed all the same? Exempt the CVEs in "),
        code("warden.yaml"),
        plain(", with an end date: the tag comes back."),
    ),
    links=(
        link("Open in ECR", image_page("payments/api", "41d9be20c0ff")),
        link("All findings", image_page("payments/api", "41d9be20c0ff", "scan-results")),
    ),
    footer=f"{WHERE} · warden why payments/api@sha256:41d9be20c0ff",
    thread="payments/api",
    at="2026-11-23T14:06:00Z",
)
