"""What the warden says of a sweep: how many repositories meet the standard, what differs, and what nobody needs."""

from collections.abc import Iterable, Mapping, Sequence

from warden import console
from warden.empty_repositories import DELETED, FIELD
from warden.empty_repositories import MOST as MOST_DELETED
from warden.events import Home
from warden.exemptions import last_day
from warden.notices import Fact, Level, Line, Notice, Section, Span, bold, code, link, notice_id, plain
from warden.policy import Exemption, Mode, Policy

MOST_CHANGES = 10
MOST_LAPSES = 10
MOST_REPOSITORIES = 3
_EMPTY = f"{FIELD}: "
"""How the lines begin that are about a whole repository."""


def swept(
    sweep: str,
    tally: Mapping[str, int],
    lines: Mapping[str, Iterable[str]],
    policy: Policy,
    home: Home,
    *,
    first: bool,
    lapsing: Sequence[Exemption] = (),
    unused: Sequence[Exemption] = (),
) -> Notice:
    """What a sweep found, in one notice; the `first` one says hello and what would be done.

    `tally` counts repositories and settings, `lines` say what differs in each repository, `lapsing` are exemptions that
    are soon over, and `unused` those that count for nothing.
    """
    by_change: dict[str, list[str]] = {}
    empty: dict[str, str] = {}
    for repository, said in sorted(lines.items()):
        for line in said:
            if line.startswith(_EMPTY):
                empty[repository] = line.removeprefix(_EMPTY)
            else:
                by_change.setdefault(line, []).append(repository)
    changes = sorted(by_change.items(), key=lambda change: (-len(change[1]), change[0]))
    unneeded = sorted(empty.items(), key=lambda one: (not one[1].endswith(DELETED), one[0]))
    differing = len({name for names in by_change.values() for name in names})
    level, title = _sweep_heading(tally, differing, len(empty), first=first, lapsing=bool(lapsing))
    items = tuple(_change_line(*change) for change in changes[:MOST_CHANGES])
    sections = (
        Section("What differs", items, more=max(0, len(changes) - MOST_CHANGES)),
        Section(
            "Repositories that nobody needs",
            tuple((code(name), plain(f" · {line}")) for name, line in unneeded[:MOST_DELETED]),
            more=max(0, len(unneeded) - MOST_DELETED),
        ),
        Section(
            "Exemptions that are soon over",
            tuple(map(_lapse_line, lapsing[:MOST_LAPSES])),
            more=max(0, len(lapsing) - MOST_LAPSES),
        ),
        Section(
            "Exemptions that nothing uses: take them out",
            tuple(map(_lapse_line, unused[:MOST_LAPSES])),
            more=max(0, len(unused) - MOST_LAPSES),
        ),
    )
    # News that was acted on is news each time; a standing difference is told once.
    news = sweep if tally.get("changed", 0) or tally.get("deleted", 0) else ""
    return Notice(
        id=notice_id(
            news,
            str(first),
            *(f"{change} {repositories}" for change, repositories in changes),
            *(f"{name} {line}" for name, line in unneeded),
            *(f"{one.cve} {one.until}" for one in lapsing),
            *(f"{one.cve} unused" for one in unused),
        ),
        kind="hello" if first else "sweep",
        level=level,
        title=title,
        subject="registry",
        summary=(plain(_sweep_summary(tally, differing, len(empty))),),
        sections=tuple(section for section in sections if section.items),
        facts=(
            Fact("Mode", _mode(policy.mode)),
            Fact("Recent pushes without a verdict", str(tally.get("reminded", 0))),
            *_rescans(tally.get("rescanned", 0)),
        ),
        next_step=_next_step_of_sweep(policy.mode, tally, differing=differing, first=first),
        links=(link("Open ECR", console.page(home, f"private-registry/repositories?region={home.region}")),),
        footer=console.footer(home, None) + f" · policy {policy.fingerprint}",
    )


def _sweep_heading(
    tally: Mapping[str, int], differing: int, empty: int, *, first: bool, lapsing: bool
) -> tuple[Level, str]:
    if first:
        return Level.HELLO, "ECR Warden is here"
    if tally.get("blocked", 0) or tally.get("refused", 0) or _missed(tally):
        return Level.ATTENTION, "repositories need a person"
    if empty and not differing:
        return Level.CHANGE, f"{_repositories(empty)} that nobody needs"
    if not differing:
        return Level.ATTENTION, "exemptions are soon over" if lapsing else "exemptions that nothing uses"
    return Level.CHANGE, f"{_repositories(differing)} off the standard"


def _sweep_summary(tally: Mapping[str, int], differing: int, empty: int) -> str:
    compliant, changed = tally.get("compliant", 0), tally.get("changed", 0)
    said = f"Looked at {_repositories(tally.get('looked_at', 0))}: {compliant} meet{_s(compliant)} the standard"
    if differing:
        done = (
            f"{changed} {'setting was' if changed == 1 else 'settings were'} changed"
            if changed
            else "nothing was changed"
        )
        said += f", {differing} differ{_s(differing)}; {done}"
    if empty:
        said += f". Nobody needs {empty}: {_what_became_of_empty(tally)}"
    if missed := _missed(tally):
        said += f". {missed} could not be looked at: see the sweep's dead-letter queue"
    return f"{said}."


def _what_became_of_empty(tally: Mapping[str, int]) -> str:
    """Of the repositories that nobody needs: how many were deleted, would be, wait, and stay."""
    deleted, waiting = tally.get("deleted", 0), tally.get("waiting", 0)
    said = (
        (deleted, f"{deleted} {'was' if deleted == 1 else 'were'} deleted"),
        (tally.get("would_delete", 0), f"{tally.get('would_delete', 0)} would be deleted"),
        (waiting, f"{waiting} wait{_s(waiting)} for the next sweep"),
    )
    return ", ".join(words for count, words in said if count) or "none was deleted"


def _rescans(count: int) -> tuple[Fact, ...]:
    return (Fact("Old scans asked for anew", str(count)),) if count else ()


def _s(count: int) -> str:
    """The end of a verb of which there are that many subjects."""
    return "s" if count == 1 else ""


def _missed(tally: Mapping[str, int]) -> int:
    return max(0, tally["expected"] - tally.get("looked_at", 0))


def _change_line(change: str, repositories: list[str]) -> Line:
    """One difference, with the repositories that have it."""
    names: list[Span] = []
    for repository in repositories[:MOST_REPOSITORIES]:
        names += [plain(", " if names else ""), code(repository)]
    rest = len(repositories) - MOST_REPOSITORIES
    return (plain(f"{change} · "), bold(_repositories(len(repositories))), plain(": "), *names, *_and(rest))


def _lapse_line(exemption: Exemption) -> Line:
    """One exemption, with who answers for it."""
    package = f" in {exemption.package}" if exemption.package else ""
    return (
        code(exemption.cve),
        plain(f"{package} · last day "),
        bold(f"{last_day(exemption):%d %b %Y}"),
        plain(f" · {exemption.approved_by}: {exemption.reason} · {exemption.origin}"),
    )


def _and(rest: int) -> Line:
    return (plain(f" and {rest} more"),) if rest > 0 else ()


def _next_step_of_sweep(mode: Mode, tally: Mapping[str, int], *, differing: int, first: bool) -> Line:
    if mode is Mode.REPORT and differing:
        return (
            plain("Agree? Set "),
            code("mode: enforce"),
            plain(" in the policy, for all repositories or for one rule, and deploy. "),
            code("warden explain REPOSITORY"),
            plain(" shows where each setting comes from."),
        )
    if tally.get("would_delete", 0) and not differing:
        return (
            plain("Agree? Set "),
            code("mode: enforce"),
            plain(" in the policy's "),
            code("empty"),
            plain(" section. A rule with "),
            code("empty: {mode: off}"),
            plain(" spares those that wait for their first image."),
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


def _repositories(count: int) -> str:
    return f"{count} {'repository' if count == 1 else 'repositories'}"
