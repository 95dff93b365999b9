"""What the warden says of pruning: what may not leave, and in one summary what has left, leaves, or would leave."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from warden import console, prune_refusal_notice, storage_cost
from warden.events import Home
from warden.lifecycle.rules import RuleAction
from warden.names import RepositoryName
from warden.notices import Fact, Level, Line, Notice, Section, Span, bold, code, link, notice_id, plain
from warden.prune_refusal_notice import lasting
from warden.prune_tables import (
    MOST_ORIGIN,
    Going,
    by_rule,
    counted,
    images,
    repositories,
    repositories_table,
    rule_of,
    rules_list,
    together,
)
from warden.pruning import Leaving, PruneReport, PruneResult
from warden.text import clean, size

MOST_REMARKS = 10
MOST_REMARK = 240
MOST_HISTORY = 120


def told(reports: Sequence[PruneReport], *, home: Home, sweep: str, at: datetime, channel: str) -> tuple[Notice, ...]:
    """All that one channel is told of one sweep's pruning: five messages at most, mostly one, often none.

    Whoever posts them does so once for each id. What has left is news of its sweep. Anything else is news by what it
    says without its figures: which rules of which repositories take images, what is refused and why, what the linter
    remarks. More images of the same rules are none, nor is another size; nor does the order of the reports matter. A
    report that names no channel is told in each.
    """
    ours = sorted(
        (report for report in reports if channel in report.channels or not report.channels),
        key=lambda report: report.repository,
    )
    found = (
        prune_refusal_notice.unknown(ours, home, at),
        *prune_refusal_notice.refused(ours, home, at),
        _summary(ours, home, sweep, at),
    )
    return tuple(notice for notice in found if notice)


def left_text(leaving: Leaving, *, priority: int | None = None) -> str:
    """How an image has gone, as a line of its history; `priority` is that of the rule, where ECR says it.

    "deleted by ECR, rule 3 (expire pr-* after 14d, warden.yaml:31)"
    """
    who = "ECR" if leaving.by_ecr else "the warden"
    number = f", rule {priority}" if priority is not None else ""
    where = ", ".join(part for part in (clean(leaving.rule, MOST_HISTORY), clean(leaving.origin, MOST_ORIGIN)) if part)
    return f"{_done(leaving.action)} by {who}{number}" + (f" ({where})" if where else "")


def gone_text(action: RuleAction, *, priority: int | None = None) -> str:
    """How an image has gone that no rule of the policy was known to take, as a line of its history.

    >>> gone_text(RuleAction.EXPIRE)
    'deleted by a person or a program, by no rule of the policy'
    >>> gone_text(RuleAction.TRANSITION, priority=2)
    'archived by ECR, rule 2 of a lifecycle policy that is not of the policy'
    """
    if priority is None:
        return f"{_done(action)} by a person or a program, by no rule of the policy"
    return f"{_done(action)} by ECR, rule {priority} of a lifecycle policy that is not of the policy"


def restored_text(by: str) -> str:
    """That an image has come back from the archive, and who brought it, as a line of its history.

    >>> restored_text("arn:aws:sts::111122223333:assumed-role/Admin/alice")
    'restored from the archive by arn:aws:sts::111122223333:assumed-role/Admin/alice'
    """
    return f"restored from the archive by {clean(by, MOST_HISTORY)}"


def _done(action: RuleAction) -> str:
    return "archived" if action is RuleAction.TRANSITION else "deleted"


@dataclass(frozen=True, slots=True)
class _Stage:
    """How far images are on their way, in words for each place; `going` by repository, none without any."""

    name: str
    title: str
    heading: str
    sentence: str
    one: str
    many: str
    going: Mapping[RepositoryName, Going]

    @property
    def all(self) -> Going:
        return together(self.going.values())


def _stages(reports: Sequence[PruneReport]) -> tuple[_Stage, ...]:
    """What has left, what leaves, and what would leave, as far as there is any: what matters most comes first."""
    left = {report.repository: Going(report.left) for report in reports}
    leaving, would = (
        {one.repository: Going(one.leaving, one.more, one.more_bytes) for one in reports if one.result is result}
        for result in (PruneResult.DONE, PruneResult.REPORTED)
    )
    every = (
        _Stage("left", "left", "What has left", "Since the last look", "was", "were", _any(left)),
        _Stage("leaving", "to leave", "What leaves within a day", "Within a day", "is", "are", _any(leaving)),
        _Stage("would", "would leave", "What would leave", "By the rules", "would be", "would be", _any(would)),
    )
    return tuple(stage for stage in every if stage.going)


def _any(going: Mapping[RepositoryName, Going]) -> Mapping[RepositoryName, Going]:
    return {repository: part for repository, part in going.items() if part.count}


def _summary(reports: Sequence[PruneReport], home: Home, sweep: str, at: datetime) -> Notice | None:
    """What has left, leaves and would leave, and what others' policies are remarked on; None where that is nothing."""
    stages = _stages(reports)
    marking = [report for report in reports if report.marked]
    remarks = [
        *idle_protections(reports),
        *((report.repository, remark) for report in reports for remark in report.remarks),
    ]
    if not (stages or marking or remarks):
        return None
    every = together(stage.all for stage in stages)
    rules = by_rule(every.listed)
    prices = storage_cost.is_known(home)
    sections = (rules_list("By rule", rules, at), _remarks(remarks))
    facts = (*_facts(every), *_leases(reports))
    return Notice(
        id=notice_id("prune", *_news(stages, sweep), *_standing(marking, remarks)),
        kind="prune",
        level=Level.CHANGE if stages or marking else Level.ATTENTION,
        title=_title(stages, marking, {repository for repository, _ in remarks}),
        subject="registry",
        summary=_sentences(stages, prices=prices),
        sections=tuple(section for section in sections if section.items),
        tables=tuple(repositories_table(stage.heading, stage.going, rules, prices=prices) for stage in stages),
        facts=tuple(fact for fact in facts if fact.value),
        next_step=_next_step({stage.name for stage in stages}, every, marking),
        links=(link("Open ECR", console.page(home, f"private-registry/repositories?region={home.region}")),),
        footer=console.footer(home, None),
        at=at.isoformat(),
    )


def _news(stages: Iterable[_Stage], sweep: str) -> Iterable[str]:
    """Which rule does what where; and the sweep, where images have left."""
    found = {
        f"{stage.name} {repository} {one.action} {rule_of(one)}"
        for stage in stages
        for repository, part in stage.going.items()
        for one in part.listed
    }
    return sorted((*found, *(sweep for stage in stages if stage.name == "left")))


def _standing(marking: Iterable[PruneReport], remarks: Iterable[tuple[str, str]]) -> Iterable[str]:
    marked = (f"marked {report.repository}" for report in marking)
    return sorted((*marked, *(f"{repository} {lasting(remark)}" for repository, remark in remarks)))


def _title(stages: Sequence[_Stage], marking: Sequence[PruneReport], remarked: Collection[str]) -> str:
    """What matters most of it."""
    if stages:
        first = stages[0]
        be = {"leaving": "is " if first.all.count == 1 else "are "}.get(first.name, "")
        return f"{images(first.all.count)} {be}{first.title} {repositories(len(first.going))}"
    if marking:
        count = sum(report.marked for report in marking)
        return f"{images(count)} of {repositories(len(marking))} {'is' if count == 1 else 'are'} marked to be deleted"
    verb = "is" if len(remarked) == 1 else "are"
    return f"the lifecycle rules of {repositories(len(remarked))} {verb} worth a look"


def _sentences(stages: Sequence[_Stage], *, prices: bool) -> Line:
    line: list[Span] = []
    for stage in stages:
        line += [plain(f"{stage.sentence} "), bold(counted(stage.all, stage.one, stage.many))]
        line += [plain(f", {_measured(stage.all, prices=prices)}. ")]
    if any(stage.name == "would" for stage in stages):
        line += [bold("Nothing is changed"), plain(" where the policy is in report mode.")]
    return tuple(line) or (plain("Nothing has left, and nothing leaves within a day."),)


def _measured(going: Going, *, prices: bool) -> str:
    """How much it is, and what it saves: at most, since images share layers."""
    saved = storage_cost.dollars(storage_cost.a_month(going.saved))
    cost = f"; deleting saves about {saved} a month at most" if going.saved and prices else ""
    return f"at most {size(going.weight)}{cost}"


def _facts(going: Going) -> Iterable[Fact]:
    """What is to be known about it; a fact that does not apply has no value."""
    yield Fact("Deleted images", "are gone for good" if going.deleted else "")
    archived = (
        f"can be restored. ECR charges {storage_cost.ARCHIVED_AT_LEAST} days at least, and as much as before for the "
        f"first {storage_cost.ARCHIVE_AS_STANDARD} TB"
    )
    yield Fact("Archived images", archived if going.archived else "")
    own = sum(not one.by_ecr for one in going.listed)
    yield Fact("By the warden itself", f"{images(own)}, which ECR's own rules can't take" if own else "")


def _leases(reports: Sequence[PruneReport]) -> Iterable[Fact]:
    leased, lifted = (sum(counts) for counts in zip(*((one.leased, one.lifted) for one in reports), strict=True))
    yield Fact("Spared", f"{images(leased)} in use got a lease" if leased else "")
    yield Fact("No longer spared", f"{images(lifted)} lost the lease" if lifted else "")
    marked = sum(report.marked for report in reports)
    yield Fact("Marked", f"{images(marked)}, deleted when the wait is over, unless used meanwhile" if marked else "")


def idle_protections(reports: Sequence[PruneReport]) -> list[tuple[str, str]]:
    """Protections that no image of any repository has: a comfort where an error may be, such as a misspelt pattern."""
    asked = Counter(pattern for report in reports for pattern in report.protections)
    idle = Counter(pattern for report in reports for pattern in report.idle_protections)
    return [
        ("lifecycle.protect.tags", f"{pattern} protects nothing: no image of {count} repositories has such a tag")
        for pattern, count in sorted(asked.items())
        if idle[pattern] == count
    ]


def _remarks(remarks: Sequence[tuple[str, str]]) -> Section:
    items = tuple((code(repository), plain(f"  {clean(remark, MOST_REMARK)}")) for repository, remark in remarks)
    return Section("Remarks on lifecycle policies", items[:MOST_REMARKS], more=max(0, len(items) - MOST_REMARKS))


def _next_step(stages: Collection[str], going: Going, marking: Sequence[PruneReport]) -> Line:
    if "left" in stages:
        back = (plain("; "), code("warden restore"), plain(" brings an archived one back"))
        return (
            plain("Miss one? "),
            code("warden why REPOSITORY@DIGEST"),
            plain(" says which rule took it"),
            *(back if going.archived else ()),
            plain("."),
        )
    if "leaving" in stages or marking:
        return (
            plain("Not meant? Mend the rule, or protect the tags by "),
            code("lifecycle.protect.tags"),
            plain(f", and deploy{': ECR acts within a day' if 'leaving' in stages else ' before the wait is over'}."),
        )
    if "would" in stages:
        return (
            plain("Agree? Set "),
            code("lifecycle: {mode: enforce}"),
            plain(" in the policy, for all repositories or for one rule, and deploy."),
        )
    return (code("warden lifecycle lint"), plain(" shows the rules that are meant, and what each remark is about."))
