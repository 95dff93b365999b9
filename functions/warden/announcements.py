"""What the warden says, as notices: on one image's findings, on one repository's drift, on a sweep."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC
from urllib.parse import quote

from warden.events import Home, RepositoryChanged
from warden.findings import Finding, Judgement, Scan, Verdict
from warden.images import Image
from warden.names import RepositoryName, Severity, short
from warden.notices import Fact, Level, Line, Notice, Section, Span, bold, code, link, plain
from warden.planning import Deed, Result
from warden.policy import Mode, Policy, Standard

MOST_FINDINGS = 10
MOST_CHANGES = 10
MOST_REPOSITORIES = 3
MOST_TAGS = 5
MOST_PACKAGES = 3

_CVE = re.compile(r"CVE-\d{4}-\d{4,19}")
_ADVISORY = re.compile(r"GHSA(-[23456789cfghjmpqrvwx]{4}){3}")
_SETTINGS_PAGE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html"


def counted(judgement: Judgement) -> str:
    """The counts by severity, in words.

    `2 critical · 1 high`, or `no findings`.
    """
    words = (f"{count} {severity.lower()}" for severity, count in judgement.counts.items())
    return " · ".join(words) or "no findings"


def judged(image: Image, platforms: tuple[str, ...], judgement: Judgement, standard: Standard, home: Home) -> Notice:
    """The notice of an image whose verdict is not `pass`; `platforms` are those of an index."""
    page = f"repositories/private/{home.account}/{quote(image.id.repository)}/_/image/{image.id.digest}/details"
    sections = (
        Section(
            "Fix first",
            tuple(map(_finding_line, judgement.told[:MOST_FINDINGS])),
            more=max(0, len(judgement.told) - MOST_FINDINGS),
        ),
        Section("Not scanned, so not known to be clean", tuple(map(_unscanned_line, judgement.unscanned))),
    )
    return Notice(
        id=_id(str(image.id), judgement.fingerprint),
        kind="findings" if judgement.told else "unscanned",
        level=_level(judgement),
        title=_title(image, judgement),
        subject=str(image.id),
        summary=_summary(judgement, standard),
        sections=tuple(section for section in sections if section.items),
        facts=tuple(fact for fact in _image_facts(image, platforms) if fact.value),
        next_step=_next_step(judgement),
        links=(link("Open in ECR", _console(home, f"{page}?region={home.region}")),),
        footer=_footer(home, str(image.id)),
    )


def drift(event: RepositoryChanged, deeds: tuple[Deed, ...], home: Home) -> Notice | None:
    """The notice of one repository that had left its standard.

    None where a repository was only just made and took its standard: nobody changed anything.
    """
    if event.call == "CreateRepository" and all(deed.result in {Result.DONE, Result.REPORTED} for deed in deeds):
        return None
    results = {deed.result for deed in deeds}
    if results & {Result.BLOCKED, Result.REFUSED}:
        level, title = Level.ATTENTION, f"settings of {event.repository} need a person"
        next_step = "See the reason above: the warden can't bring this repository to its standard by itself."
    elif Result.DONE in results:
        level, title = Level.CHANGE, f"settings of {event.repository} were set back"
        next_step = "Changed on purpose? Write it in the policy for this repository, or it is set back each time."
    else:
        level, title = Level.CHANGE, f"{event.repository} leaves its standard"
        next_step = "Nothing was changed: the policy is in report mode here. Enforce it to have this set back."
    return Notice(
        id=_id(event.id, *map(str, deeds)),
        kind="drift",
        level=level,
        title=title,
        subject=event.repository,
        summary=(bold(event.call), plain(" by "), code(event.actor)),
        sections=(Section("Settings", tuple(map(_deed_line, deeds))),),
        facts=(
            Fact("Repository", event.repository),
            Fact("Rule", ", ".join(sorted({deed.action.origin for deed in deeds}))),
        ),
        next_step=(plain(next_step),),
        links=(link("Open in ECR", _repository_page(home, event.repository)),),
        footer=_footer(home, event.repository),
    )


def swept(
    sweep: str,
    tally: Mapping[str, int],
    lines: Mapping[str, Iterable[str]],
    policy: Policy,
    home: Home,
    *,
    first: bool,
) -> Notice:
    """What a sweep found, in one notice; the `first` one says hello and what would be done.

    `tally` counts repositories and settings, `lines` say what differs in each repository.
    """
    told = {repository: tuple(said) for repository, said in sorted(lines.items())}
    by_change: dict[str, list[str]] = {}
    for repository, said in told.items():
        for line in said:
            by_change.setdefault(line, []).append(repository)
    changes = sorted(by_change.items(), key=lambda change: (-len(change[1]), change[0]))
    level, title = _sweep_heading(tally, len(told), first=first)
    items = tuple(_change_line(*change) for change in changes[:MOST_CHANGES])
    # News that was acted on is news each time; a standing difference is told once.
    news = sweep if tally.get("changed", 0) else ""
    return Notice(
        id=_id(news, str(first), *(f"{change} {repositories}" for change, repositories in changes)),
        kind="hello" if first else "sweep",
        level=level,
        title=title,
        subject="registry",
        summary=(plain(_sweep_summary(tally, len(told))),),
        sections=(Section("What differs", items, more=max(0, len(changes) - MOST_CHANGES)),) if items else (),
        facts=(
            Fact("Mode", _mode(policy.mode)),
            Fact("Recent pushes without a verdict", str(tally.get("reminded", 0))),
        ),
        next_step=_next_step_of_sweep(policy.mode, differing=len(told), first=first),
        links=(link("Open ECR", _console(home, f"private-registry/repositories?region={home.region}")),),
        footer=_footer(home, None) + f" · policy {policy.fingerprint}",
    )


def _sweep_heading(tally: Mapping[str, int], differing: int, *, first: bool) -> tuple[Level, str]:
    if first:
        return Level.HELLO, "ECR Warden is here"
    if tally.get("blocked", 0) or tally.get("refused", 0) or _missed(tally):
        return Level.ATTENTION, "repositories need a person"
    return Level.CHANGE, f"{_repositories(differing)} off the standard"


def _sweep_summary(tally: Mapping[str, int], differing: int) -> str:
    looked_at = _repositories(tally.get("looked_at", 0))
    parts = [f"Looked at {looked_at}: {tally.get('compliant', 0)} meet the standard"]
    if differing:
        parts.append(
            f", {differing} {'were changed' if tally.get('changed', 0) else 'differ, and nothing was changed'}"
        )
    if missed := _missed(tally):
        parts.append(f". {missed} could not be looked at: see the sweep's dead-letter queue")
    return "".join(parts) + "."


def _missed(tally: Mapping[str, int]) -> int:
    return max(0, tally["expected"] - tally.get("looked_at", 0))


def _change_line(change: str, repositories: list[str]) -> Line:
    """One difference, with the repositories that have it."""
    names: list[Span] = []
    for repository in repositories[:MOST_REPOSITORIES]:
        names += [plain(", " if names else ""), code(repository)]
    rest = len(repositories) - MOST_REPOSITORIES
    return (plain(f"{change} · "), bold(_repositories(len(repositories))), plain(": "), *names, *_and(rest))


def _and(rest: int) -> Line:
    return (plain(f" and {rest} more"),) if rest > 0 else ()


def _next_step_of_sweep(mode: Mode, *, differing: int, first: bool) -> Line:
    if mode is Mode.REPORT and differing:
        return (
            plain("Agree? Set "),
            code("mode: enforce"),
            plain(" in the policy, for all repositories or for one rule, and deploy. "),
            code("warden explain REPOSITORY"),
            plain(" shows where each setting comes from."),
        )
    if first:
        return (plain("Push an image: its findings will be told here if they reach the policy's threshold."),)
    return (plain("See "), code("warden why REPOSITORY"), plain(" for what was done and which rule asked for it."))


def _mode(mode: Mode) -> str:
    return {
        Mode.REPORT: "report: nothing is changed",
        Mode.ENFORCE: "enforce: settings are brought to the standard",
        Mode.OFF: "off",
    }[mode]


def _level(judgement: Judgement) -> Level:
    if not judgement.told:
        return Level.ATTENTION
    return Level.CRITICAL if judgement.told[0].severity is Severity.CRITICAL else Level.HIGH


def _title(image: Image, judgement: Judgement) -> str:
    if not judgement.told:
        return f"{image.name} could not be scanned"
    told = Counter(finding.severity for finding in judgement.told)
    worst = ", ".join(f"{told[severity]} {severity.lower()}" for severity in Severity if told[severity])
    return f"{worst} in {image.name}"


def _summary(judgement: Judgement, standard: Standard) -> Line:
    if not judgement.told:
        known = f" What was scanned has {counted(judgement)}." if judgement.counts else ""
        return (plain("It is "), bold("unscanned, not clean"), plain(f".{known}"))
    threshold = "block" if judgement.verdict is Verdict.BLOCK else "notify"
    severity = standard.findings.block_from if judgement.verdict is Verdict.BLOCK else standard.findings.notify_from
    origin = standard.origins[f"findings.{threshold}_from"]
    return (
        bold(counted(judgement)),
        plain(". Verdict "),
        bold(judgement.verdict),
        plain(f", from {severity.lower()} on, by {origin}."),
    )


def _finding_line(finding: Finding) -> Line:
    score = f" · CVSS {finding.score:.1f}" if finding.score is not None else ""
    fixed = (plain(" → "), bold(finding.fixed_in)) if finding.fixed_in else (plain(" · no fix stated"),)
    return (
        _name(finding),
        plain(f"  {finding.severity.lower()}{score} · "),
        code(finding.package),
        plain(f" {finding.version}"),
        *fixed,
    )


def _name(finding: Finding) -> Span:
    """The name, as a link where it has the form of an identifier whose page we know."""
    if _CVE.fullmatch(finding.name):
        return link(finding.name, f"https://nvd.nist.gov/vuln/detail/{finding.name}")
    if _ADVISORY.fullmatch(finding.name):
        return link(finding.name, f"https://github.com/advisories/{finding.name}")
    return code(finding.name)


def _unscanned_line(scan: Scan) -> Line:
    return (bold(scan.platform), plain(f"  {scan.explanation}")) if scan.platform else (plain(scan.explanation),)


def _deed_line(deed: Deed) -> Line:
    note = f" · {deed.remark}" if deed.remark else ""
    return (
        plain(f"{deed.action.field}  "),
        code(deed.action.before),
        plain(" → "),
        code(deed.action.after),
        plain(note),
    )


def _image_facts(image: Image, platforms: tuple[str, ...]) -> tuple[Fact, ...]:
    rest = len(image.tags) - MOST_TAGS
    tags = ", ".join(image.tags[:MOST_TAGS]) + (f" and {rest} more" if rest > 0 else "")
    return (
        Fact("Repository", image.id.repository),
        Fact("Tags", tags or "none"),
        Fact("Digest", short(image.id.digest)),
        Fact("Platforms", ", ".join(platforms)),
        Fact("Pushed", image.pushed_at.astimezone(UTC).strftime("%d %b %Y %H:%M UTC")),
    )


def _next_step(judgement: Judgement) -> Line:
    if not judgement.told:
        return (
            plain("Basic scanning reads the package lists of common Linux distributions. For others, turn on "),
            link("enhanced scanning", _SETTINGS_PAGE),
            plain("."),
        )
    fixable = tuple(dict.fromkeys(finding.package for finding in judgement.told if finding.fixed_in))
    if not fixable:
        return (plain("The scanner states no fix: rebuild on a newer base image, or take the packages out."),)
    spans = [plain("Update ")]
    for number, package in enumerate(fixable[:MOST_PACKAGES]):
        spans += [plain(", " if number else ""), code(package)]
    rest = len(fixable) - MOST_PACKAGES
    more = f" and {_number(rest, 'more package', 'more packages')}" if rest > 0 else ""
    return (*spans, plain(f"{more}, rebuild, and push under a new tag."))


def _footer(home: Home, subject: str | None) -> str:
    return f"account {home.account} · {home.region}" + (f" · warden why {subject}" if subject else "")


def _repository_page(home: Home, repository: RepositoryName) -> str:
    return _console(home, f"repositories/private/{home.account}/{quote(repository)}?region={home.region}")


def _console(home: Home, path: str) -> str:
    hosts = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
    host = hosts.get(home.partition, "console.aws.amazon.com")
    return f"https://{home.region}.{host}/ecr/{path}"


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _repositories(count: int) -> str:
    return _number(count, "repository", "repositories")


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
