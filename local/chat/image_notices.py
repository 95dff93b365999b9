"""Sample notices on one image or one repository; names and numbers are made up."""

from warden.notices import Fact, Level, Line, Notice, Section, bold, code, link, plain

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
