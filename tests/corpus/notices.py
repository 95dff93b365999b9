"""Sample notices, one of each kind that the warden sends; names and numbers are made up."""

from collections.abc import Mapping

from local.chat import notices as samples
from local.chat import prune_notices, quarantine_notices
from local.chat.image_notices import CONSOLE, WHERE
from local.chat.notices import NEW_CRITICALS
from warden.notices import Fact, Level, Notice, Section, bold, code, link, plain

__all__ = ["KINDS", "NEW_CRITICALS"]

NOT_SCANNED = Notice(
    id="f-0badc0ffee00",
    kind="findings",
    level=Level.ATTENTION,
    title="Part of ml/train:exp-78 was not scanned",
    subject="ml/train:exp-78",
    summary=(plain("One of two platforms is "), bold("unscanned, not clean"), plain(".")),
    sections=(
        Section(
            "Not scanned",
            (
                (
                    code("linux/arm64"),
                    plain(" the scanner does not support this image (UnsupportedImageError: no supported OS)"),
                ),
            ),
        ),
    ),
    facts=(Fact("Digest", "sha256:0badc0ffee00"), Fact("Scanned", "linux/amd64: no findings from HIGH on")),
    next_step=(plain("build on a base image that has a package manager, or switch on enhanced scanning."),),
    links=(link("Open in ECR", f"{CONSOLE}/ml/train"),),
    footer=WHERE,
)

SCAN_FAILED = Notice(
    id="s-7d2f00aa1b2c",
    kind="scan_failed",
    level=Level.ATTENTION,
    title="4 images could not be scanned",
    subject="",
    summary=(
        plain("Three tries over an hour failed. They are "),
        bold("unscanned, not clean"),
        plain("; other images are unaffected."),
    ),
    sections=(
        Section(
            "Affected",
            (
                (code("ml/train:exp-78"), plain(" UnsupportedImageError: no supported OS")),
                (code("ml/train:exp-79"), plain(" the same")),
                (code("edge/fw:9.1"), plain(" ImageNotFoundException: deleted during the scan")),
                (code("tools/lint:2"), plain(" LimitExceededException: one scan per image in 24 h")),
            ),
        ),
    ),
    facts=(Fact("Waiting", "4 messages in the dead-letter queue, the oldest for 63 min"),),
    next_step=(plain("mend the cause, then "), code("warden redrive"), plain(".")),
    footer=WHERE,
)

WOULD_CHANGE = Notice(
    id="r-1122334455aa",
    kind="repository",
    level=Level.CHANGE,
    title="Would change web/frontend",
    subject="web/frontend",
    summary=(
        plain("It differs from its standard. "),
        bold("Nothing was changed"),
        plain(": the policy's mode is report."),
    ),
    sections=(
        Section(
            "Would change",
            (
                (
                    plain("tag immutability "),
                    code("MUTABLE"),
                    plain(" → "),
                    code("IMMUTABLE except latest, sha256-*"),
                    plain(" · defaults"),
                ),
                (plain("scan on push "), code("off"), plain(" → "), code("on"), plain(" · defaults")),
            ),
        ),
    ),
    next_step=(plain("right as planned? Set "), code("mode: enforce"), plain(" in "), code("warden.yaml"), plain(".")),
    links=(link("Open in ECR", f"{CONSOLE}/web/frontend"),),
    footer=f"{WHERE} · mode report",
)

HELLO = Notice(
    id="h-prod",
    kind="hello",
    level=Level.HELLO,
    title="ECR Warden watches this registry",
    subject="",
    summary=(
        plain("12 repositories were read; "),
        bold("7 differ from the standard"),
        plain(". Nothing was changed: the policy's mode is report."),
    ),
    sections=(
        Section(
            "Would change",
            (
                (code("payments/api"), plain(" tag immutability, scan on push, lifecycle policy")),
                (code("web/frontend"), plain(" tag immutability, scan on push")),
                (code("ml/train"), plain(" lifecycle policy")),
            ),
            more=4,
        ),
    ),
    facts=(Fact("Scanning", "basic, on push where the repository says so"), Fact("Next sweep", "24 Nov 14:00 UTC")),
    next_step=(plain("read "), code("warden plan"), plain(", then set "), code("mode: enforce"), plain(".")),
    links=(link("Open ECR", "https://eu-west-1.console.aws.amazon.com/ecr/repositories"),),
    footer=f"{WHERE} · stage prod",
)

CLEAN = Notice(
    id="f-9f31c07a0000",
    kind="findings",
    level=Level.GOOD,
    title="payments/api:1.42.1 is clean",
    subject="payments/api:1.42.1",
    summary=(plain("0 critical, 0 high, 3 medium. Fixes the 2 criticals of 1.42.0."),),
    footer=f"sha256:9f31c07a0000 · {WHERE}",
)

KINDS: Mapping[str, Notice] = {
    **samples.KINDS,
    "not-scanned": NOT_SCANNED,
    "scan-failed": SCAN_FAILED,
    "would-change": WOULD_CHANGE,
    "hello": HELLO,
    "clean": CLEAN,
    "prune-unknown": prune_notices.UNKNOWN,
    "prune-refused-many": prune_notices.REFUSED_MANY,
    "quarantined-by-pull": quarantine_notices.BY_PULL,
    "quarantine-released": quarantine_notices.RELEASED,
    "quarantine-would-be": quarantine_notices.WOULD_BE,
    "quarantine-refused": quarantine_notices.REFUSED,
}
"""All of them, those that are drawn for the documentation among them."""
