"""What people are told of pruning: how much it is, what stands against it, and what is news."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import HOME, NOW, digest
from tests.corpus import discord_rules, google_chat_rules, hostile, message_rules, sns_rules, teams_rules, webhook_rules
from tests.corpus.redraw import RENDERERS
from tests.functions import text
from warden import notices, prune_notice, prune_refusal_notice, prune_tables, storage_cost
from warden.events import Home
from warden.lifecycle.rules import RuleAction
from warden.names import RepositoryName, Tag
from warden.notices import Level, Notice
from warden.policy import Mode
from warden.prune_notice import gone_text, left_text, restored_text
from warden.pruning import Leaving, PruneReport, PruneResult, Refusal, Spared
from warden.stored_images import StoredImage

GB = 10**9
RULE = "expire pr-* after 14d"
ORIGIN = "warden.yaml:31"
RULES: dict[str, Callable[[dict[str, Any]], None]] = {
    "slack": message_rules.assert_holds,
    "teams": teams_rules.assert_holds,
    "discord": discord_rules.assert_holds,
    "google_chat": google_chat_rules.assert_holds,
    "sns": sns_rules.assert_holds,
    "webhook": webhook_rules.assert_holds,
}
CAP = "12 of 40 images (30 %) would leave, and 25 % may: lifecycle.caps.percent (warden.yaml:7)"


def image(seed: str = "image", *tags: str, **said: Any) -> StoredImage:
    return StoredImage(digest(seed), tuple(map(Tag, tags)), NOW - timedelta(days=40), **{"size": GB, **said})


def leaving(count: int = 1, **said: Any) -> tuple[Leaving, ...]:
    """Images that one rule deletes, each of a gigabyte."""
    seed, size = said.pop("seed", "image"), said.pop("size", GB)
    facts = {"action": RuleAction.EXPIRE, "rule": RULE, "origin": ORIGIN, **said}
    return tuple(Leaving(image(f"{seed}{number}", f"pr-{number}", size=size), **facts) for number in range(count))


def report(name: str = "team/app", **said: Any) -> PruneReport:
    """A repository of forty images, in report mode."""
    facts: dict[str, Any] = {"mode": Mode.REPORT, "result": PruneResult.REPORTED, "images": 40, **said}
    return PruneReport(RepositoryName(name), **facts)


def done(name: str = "team/app", **said: Any) -> PruneReport:
    return report(name, **{"mode": Mode.ENFORCE, "result": PruneResult.DONE, **said})


def refused(name: str = "team/app", *refusals: Refusal, **said: Any) -> PruneReport:
    facts = {"mode": Mode.ENFORCE, "result": PruneResult.REFUSED, "leaving": leaving(12), **said}
    return report(name, refusals=refusals or (Refusal(CAP),), **facts)


def told(*reports: PruneReport, sweep: str = "s1", at: datetime = NOW, home: Home = HOME) -> tuple[Notice, ...]:
    return prune_notice.told(reports, home=home, sweep=sweep, at=at, channel="platform")


def only(*reports: PruneReport, **said: Any) -> Notice:
    (notice,) = told(*reports, **said)
    return notice


def rows(notice: Notice, title: str) -> Sequence[tuple[str, ...]]:
    return next(table.rows for table in notice.tables if table.title == title)


def fact(notice: Notice, label: str) -> str:
    return next((fact.value for fact in notice.facts if fact.label == label), "")


def items(notice: Notice, title: str) -> list[str]:
    section = next(section for section in notice.sections if section.title == title)
    return ["".join(span.text for span in item) for item in section.items]


def test_nothing_is_told_of_repositories_that_nothing_leaves() -> None:
    assert told() == ()
    assert told(report(result=PruneResult.NOTHING), report("b", leased=3, lifted=1)) == ()


def test_report_mode_says_that_nothing_is_changed_and_how_to_change_that() -> None:
    notice = only(report(leaving=leaving(3)))

    assert (notice.kind, notice.level, notice.subject) == ("prune", Level.CHANGE, "registry")
    assert notice.title == "3 images would leave 1 repository"
    assert "By the rules 3 would be deleted, at most 3 GB" in text(notice)
    assert "Nothing is changed where the policy is in report mode" in text(notice)
    assert "Set lifecycle: {mode: enforce}" in text(notice)
    assert rows(notice, "What would leave") == (("team/app", "3", "3 GB", "$0.30", "1"),)
    assert items(notice, "By rule") == [f"1 · {RULE} ({ORIGIN}) · 3 images, 3 GB · never pulled"]


def test_a_rule_is_told_with_the_last_pull_of_all_its_images() -> None:
    pulled = tuple(
        Leaving(image(str(days), pulled_at=NOW - timedelta(days=days)), RuleAction.EXPIRE, RULE, "") for days in (3, 1)
    )

    assert items(only(report(leaving=pulled)), "By rule") == [f"1 · {RULE} · 2 images, 2 GB · last pull 22 Nov"]


def test_what_has_left_comes_before_what_leaves_and_what_would() -> None:
    notice = only(
        report("a", leaving=leaving(1, seed="a")),
        done("b", leaving=leaving(2, seed="b")),
        done("c", left=leaving(4, seed="c")),
    )

    assert notice.title == "4 images left 1 repository"
    assert [table.title for table in notice.tables] == [
        "What has left",
        "What leaves within a day",
        "What would leave",
    ]
    assert re.findall(r"(Since|Within|By the) ", text(notice)) == ["Since", "Within", "By the"]
    assert "warden why REPOSITORY@DIGEST says which rule took it." in text(notice)


@pytest.mark.parametrize(("count", "title"), [(1, "1 image is to leave"), (2, "2 images are to leave")])
def test_what_leaves_within_a_day_can_still_be_kept(count: int, title: str) -> None:
    notice = only(done(leaving=leaving(count)))

    assert notice.title == f"{title} 1 repository"
    assert f"Within a day {count} {'is' if count == 1 else 'are'} deleted" in text(notice)
    assert "protect the tags by lifecycle.protect.tags, and deploy: ECR acts within a day." in text(notice)


def test_the_repository_that_gets_rid_of_most_comes_first() -> None:
    archived = leaving(50, seed="archived", action=RuleAction.TRANSITION)
    notice = only(report("a", leaving=leaving(1)), report("b", leaving=archived), report("c", leaving=leaving(2)))

    assert [row[0] for row in rows(notice, "What would leave")] == ["c", "a", "b"]


def test_only_what_is_deleted_saves_anything_and_archived_images_are_not_cheaper() -> None:
    archived = leaving(30, seed="archived", action=RuleAction.TRANSITION)
    both = only(report(leaving=(*leaving(10), *archived)))

    assert "10 would be deleted and 30 archived, at most 40 GB" in text(both)
    assert "at most 40 GB; deleting saves about $1.00 a month at most" in text(both)
    assert fact(both, "Deleted images") == "are gone for good"
    assert rows(both, "What would leave") == (("team/app", "10", "30", "40 GB", "$1.00", "1"),)

    alone = only(report(leaving=archived))
    assert "$" not in text(alone) + str(alone.tables)
    assert "90 days at least, and as much as before for the first 150 TB" in fact(alone, "Archived images")
    assert fact(alone, "Deleted images") == ""


def test_what_is_archived_can_be_restored() -> None:
    assert "warden restore" in text(only(done(left=leaving(action=RuleAction.TRANSITION))))
    assert "warden restore" not in text(only(done(left=leaving())))


def test_an_index_weighs_what_its_manifests_weigh() -> None:
    index = Leaving(image("index", is_index=True), RuleAction.EXPIRE, RULE, ORIGIN)

    assert "at most 2 GB" in text(only(report(leaving=(index, *leaving(2)))))


def test_dollars_are_not_told_where_prices_are_in_yuan() -> None:
    notice = only(report(leaving=leaving(30)), home=Home("111122223333", "cn-north-1"))

    assert "$" not in text(notice) + str(notice.tables)
    assert rows(notice, "What would leave") == (("team/app", "30", "30 GB", "1"),)


def test_images_that_are_only_counted_count_and_cost() -> None:
    notice = only(report(leaving=leaving(3), more=2_000, more_bytes=50 * GB))

    assert notice.title == "2,003 images would leave 1 repository"
    assert "3 would be deleted and 2,000 that are not listed, at most 53 GB; deleting saves about $5.30" in text(notice)
    assert rows(notice, "What would leave") == (("team/app", "3", "2,000", "53 GB", "1"),)
    (denied,) = told(refused(more=5, more_bytes=GB))
    assert rows(denied, "What the rules would take")[-1] == ("not listed", "5", "1 GB", "-")


def test_signatures_are_one_kind_whatever_they_are_about() -> None:
    signatures = tuple(
        Leaving(image(f"s{number}", subject=digest(f"x{number}")), RuleAction.EXPIRE, f"follows {number}", ORIGIN)
        for number in range(20)
    )
    notice = only(report(leaving=(*leaving(30), *signatures)))

    assert [line.split(" (")[0] for line in items(notice, "By rule")] == [f"1 · {RULE}", "2 · follows what it is about"]
    assert notice.id == only(report(leaving=(*leaving(30), *signatures[:4]))).id


def test_what_does_not_fit_is_counted() -> None:
    many = [report(f"team/{number:03}", leaving=leaving(rule=f"rule {number}")) for number in range(300)]
    notice = only(*many, report("x", remarks=tuple(f"remark {number}" for number in range(40))))

    assert [(len(table.rows), table.more) for table in notice.tables] == [(10, 290)]
    assert [(len(section.items), section.more) for section in notice.sections] == [(10, 290), (10, 30)]
    assert notice.title == "300 images would leave 300 repositories"


def test_a_repository_names_a_few_rules_and_counts_the_others() -> None:
    rules = tuple(one for number in range(7) for one in leaving(rule=f"rule {number}", seed=str(number)))

    assert rows(only(report(leaving=rules)), "What would leave")[0][-1] == "1, 2, 3, 4 +3"


def test_leases_marks_and_what_the_warden_takes_itself_are_said() -> None:
    notice = only(done(left=leaving(2, by_ecr=False), leased=1, lifted=2, marked=3), done("b", leased=1))

    assert fact(notice, "By the warden itself") == "2 images, which ECR's own rules can't take"
    assert fact(notice, "Spared") == "2 images in use got a lease"
    assert fact(notice, "No longer spared") == "2 images lost the lease"
    assert fact(notice, "Marked").startswith("3 images, deleted when the wait is over")


@pytest.mark.parametrize(("count", "title"), [(1, "1 image of 1 repository is"), (5, "5 images of 1 repository are")])
def test_that_images_are_marked_is_told_before_they_are_deleted(count: int, title: str) -> None:
    notice = only(done(result=PruneResult.NOTHING, marked=count))

    assert notice.title == f"{title} marked to be deleted"
    assert notice.level is Level.CHANGE
    assert "deploy before the wait is over" in text(notice)


@pytest.mark.parametrize(("repositories", "verb"), [(1, "is"), (2, "are")])
def test_remarks_on_policies_of_others_are_told_by_themselves(repositories: int, verb: str) -> None:
    remarked = [
        report(f"team/{number}", result=PruneResult.NOTHING, remarks=("rule 2 matches nothing",))
        for number in range(repositories)
    ]
    notice = only(*remarked)

    assert notice.level is Level.ATTENTION
    assert notice.title.endswith(f" {verb} worth a look")
    assert items(notice, "Remarks on lifecycle policies")[0] == "team/0  rule 2 matches nothing"
    assert "warden lifecycle lint" in text(notice)


def test_a_refusal_says_that_nothing_leaves_how_much_would_and_the_cap() -> None:
    notice = only(refused())

    assert (notice.kind, notice.level, notice.subject) == ("prune", Level.ATTENTION, "team/app")
    assert notice.title == "pruning of team/app is refused: 12 of 40 images would leave"
    assert "The warden archives and deletes nothing here. By the rules 12 would be deleted, at most 12 GB." in text(
        notice
    )
    assert items(notice, "Why") == [CAP]
    assert rows(notice, "What the rules would take") == ((RULE, "12", "12 GB", "never"),)
    assert fact(notice, "Would stay") == "28 images"
    assert f"Mend {RULE} ({ORIGIN}). Meant so? Raise lifecycle.caps.percent for this repository" in text(notice)


def test_a_refusal_says_exactly_which_images_and_who_needs_them() -> None:
    hurt = (
        Spared(image("one", "v1", "latest", "warden.keep-0"), "in use by ECS service prod/api", RULE),
        Spared(image("two"), "tagged prod-1, which prod-* protects"),
    )
    notice = only(refused("team/app", Refusal("images that must live would leave", hurt)))

    assert items(notice, "Images that must live would leave") == [
        f"v1  {hurt[0].image.digest[:19]} · in use by ECS service prod/api · {RULE}",
        f"{hurt[1].image.digest[:19]} · tagged prod-1, which prod-* protects",
    ]
    assert "the next sweep looks again. All of it: warden why team/app." in text(notice)


def test_of_very_many_images_the_rest_is_counted() -> None:
    hurt = tuple(Spared(image(str(number)), "in use") for number in range(500))
    (section,) = only(refused("team/app", Refusal("they are needed", hurt))).sections

    assert (len(section.items), section.more) == (10, 490)


def test_a_refusal_of_which_no_image_is_known_says_why_all_the_same() -> None:
    notice = only(refused("team/app", Refusal("ECR has no room for the rules"), leaving=()))

    assert notice.title == "pruning of team/app is refused"
    assert items(notice, "Why") == ["ECR has no room for the rules"]
    assert notice.tables == ()
    assert "Mend the rule that takes too much. Otherwise wait" in text(notice)


def test_in_report_mode_it_would_be_refused() -> None:
    notice = only(refused(mode=Mode.REPORT))

    assert notice.title.startswith("pruning of team/app would be refused")
    assert fact(notice, "Mode") == "report: nothing is changed either way"


def test_a_policy_that_was_suspended_is_said() -> None:
    notice = only(refused(result=PruneResult.SUSPENDED))

    assert notice.title.startswith("pruning of team/app is suspended")
    assert "Its lifecycle policy is replaced by one that takes nothing." in text(notice)


@pytest.mark.parametrize("count", [1, 3])
def test_a_few_refused_repositories_have_a_message_each(count: int) -> None:
    notices_ = told(*(refused(f"team/{number}", leaving=leaving(number + 1)) for number in range(count)))

    assert [notice.subject for notice in notices_] == [f"team/{number}" for number in reversed(range(count))]


def test_many_refused_repositories_have_one_message() -> None:
    hurt = (Spared(image("one"), "in use"),)
    others = [refused(f"team/{number:02}") for number in range(20)]
    worst = refused("z", Refusal("they are needed", hurt), Refusal(CAP), leaving=leaving(30))
    notice = only(*others, worst, refused("y", leaving=leaving(29), result=PruneResult.SUSPENDED))

    assert notice.title == "pruning of 22 repositories is refused"
    assert rows(notice, "What the rules would take")[0] == ("z", "30", "40", "30 GB")
    assert items(notice, "Why")[0] == "z  they are needed: 1 image, and 1 more"
    assert [(len(table.rows), table.more) for table in notice.tables] == [(10, 12)]
    assert "In 1 repository the lifecycle policy is replaced by one that takes nothing." in text(notice)


def test_what_nobody_could_read_is_one_message_for_all_repositories() -> None:
    ecs, batch = "ecs in eu-west-1 of 444455556666: AccessDenied", "batch in eu-west-1: AccessDenied"
    unknown = Refusal("what is in use is not known", missing=(ecs,))
    both = Refusal("what is in use is not known", missing=(batch, ecs))
    reports = [refused(f"team/{number}", unknown) for number in range(60)]
    notice = only(*reports, refused("other", both, result=PruneResult.SUSPENDED))

    assert (notice.kind, notice.level) == ("prune", Level.ATTENTION)
    assert notice.title == "what runs is not known: nothing leaves 61 repositories"
    assert items(notice, "What could not be read") == [f"61 repositories  {ecs}", f"1 repository  {batch}"]
    assert "In 1 repository the lifecycle policy is replaced" in text(notice)
    assert "take it out of inventory in the policy" in text(notice)


def test_what_else_is_refused_is_told_besides() -> None:
    unknown = Refusal("what is in use is not known", missing=("ecs: denied",))
    first, second = told(refused("team/app", unknown, Refusal(CAP)))

    assert first.title == "what runs is not known: nothing leaves 1 repository"
    assert items(second, "Why") == [CAP]


def test_what_has_left_is_told_even_where_more_is_refused() -> None:
    refusal, summary = told(refused(left=leaving(2, seed="gone")))

    assert refusal.title.startswith("pruning of team/app is refused")
    assert [(table.title, len(table.rows)) for table in summary.tables] == [("What has left", 1)]


def test_a_channel_is_told_of_its_own_repositories() -> None:
    reports = [
        report("a", leaving=leaving(), channels=("platform",)),
        report("b", leaving=leaving(), channels=("team-b", "platform")),
        report("c", leaving=leaving(), channels=("team-b",)),
        report("d", leaving=leaving()),
    ]

    assert [row[0] for row in rows(only(*reports), "What would leave")] == ["a", "b", "d"]


BASE = report(leaving=leaving(3), remarks=("rule 3 takes 12 images",))


@pytest.mark.parametrize(
    "later",
    [
        replace(BASE, leaving=leaving(9)),
        replace(BASE, leaving=leaving(3, size=7 * GB)),
        replace(BASE, leaving=leaving(3, seed="others")),
        replace(BASE, images=41, leased=2, lifted=1),
        replace(BASE, remarks=("rule 3 takes 15 images",)),
    ],
    ids=["more images", "larger", "other images", "counts", "figures in a remark"],
)
def test_figures_that_differ_each_day_are_no_news(later: PruneReport) -> None:
    assert only(later, sweep="s2", at=NOW + timedelta(days=1)).id == only(BASE).id


@pytest.mark.parametrize(
    "later",
    [
        replace(BASE, repository=RepositoryName("team/other")),
        replace(BASE, leaving=leaving(3, rule="keep 3 of v*")),
        replace(BASE, leaving=leaving(3, origin="warden.yaml:40")),
        replace(BASE, leaving=leaving(3, action=RuleAction.TRANSITION)),
        replace(BASE, result=PruneResult.DONE),
        replace(BASE, remarks=("rule 3 matches nothing",)),
        replace(BASE, marked=2),
    ],
    ids=["repository", "rule", "origin", "action", "enforced", "remark", "marked"],
)
def test_another_rule_repository_or_action_is_news(later: PruneReport) -> None:
    assert only(later).id != only(BASE).id


def test_what_has_left_is_news_of_its_sweep() -> None:
    left = done(left=leaving())

    assert only(left, sweep="s1").id == only(left, sweep="s1").id
    assert only(left, sweep="s1").id != only(left, sweep="s2").id


@pytest.mark.parametrize(
    ("later", "is_news"),
    [
        (refused("team/app", Refusal(CAP.replace("12 of 40", "13 of 44").replace("30 %", "29.5 %"))), False),
        (refused(leaving=leaving(13)), False),
        (refused(leaving=leaving(12, rule="keep 3 of v*")), True),
        (refused("team/app", Refusal("images that must live would leave", (Spared(image(), "in use"),))), True),
        (refused(result=PruneResult.SUSPENDED), True),
        (refused(mode=Mode.REPORT), True),
        (refused("team/other"), True),
    ],
    ids=["figures", "more images", "rule", "reason", "suspended", "mode", "repository"],
)
def test_a_refusal_is_news_by_its_reason(later: PruneReport, is_news: bool) -> None:
    assert (only(later, sweep="s2").id != only(refused()).id) is is_news


def test_another_image_that_is_needed_is_no_news_since_nothing_is_lost() -> None:
    one, other = (
        refused("team/app", Refusal("they are needed", (Spared(image(seed), f"in use by task {seed}", RULE),)))
        for seed in ("one", "other")
    )

    assert only(one).id == only(other).id


ASKED = "ecs in eu-west-1 of 444455556666 (Request ID: 3c2f7a10-55aa-4e0e-9a39-5b1f0a1c9d3e), 23 Nov 10:00 UTC"


@pytest.mark.parametrize(
    ("reason", "is_news"),
    [
        (ASKED.replace("3c2f7a10", "9b1f0a1c"), False),
        (ASKED.replace("23 Nov 10:00", "24 Nov 9:59"), False),
        (ASKED.replace("444455556666", "111122223333"), True),
        (ASKED.replace("eu-west-1", "eu-west-2"), True),
        (ASKED.replace("ecs", "batch"), True),
    ],
)
def test_what_could_not_be_read_is_news_by_who_was_asked(reason: str, is_news: bool) -> None:
    first, second = (
        only(*(refused(name, Refusal("unknown", missing=(said,))) for name in names))
        for said, names in ((ASKED, ("a", "b")), (reason, ("a", "b", "c")))
    )

    assert (first.id != second.id) is is_news


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, f"deleted by ECR ({RULE}, {ORIGIN})"),
        ({"action": RuleAction.TRANSITION}, f"archived by ECR ({RULE}, {ORIGIN})"),
        ({"by_ecr": False}, f"deleted by the warden ({RULE}, {ORIGIN})"),
        ({"origin": ""}, f"deleted by ECR ({RULE})"),
        ({"rule": "", "origin": ""}, "deleted by ECR"),
        ({"rule": "two\nlines"}, f"deleted by ECR (two lines, {ORIGIN})"),
    ],
)
def test_history_says_which_rule_took_an_image(said: dict[str, Any], words: str) -> None:
    assert left_text(leaving(**said)[0]) == words


def test_history_has_the_number_of_the_rule_where_ecr_says_it() -> None:
    assert left_text(leaving()[0], priority=3) == f"deleted by ECR, rule 3 ({RULE}, {ORIGIN})"
    assert gone_text(RuleAction.EXPIRE) == "deleted by a person or a program, by no rule of the policy"
    assert gone_text(RuleAction.TRANSITION, priority=2).startswith("archived by ECR, rule 2 of a lifecycle policy")
    assert restored_text("alice\u202e") == "restored from the archive by alice\ufffd"


@pytest.mark.parametrize(
    ("pulled", "words"),
    [(None, "never"), (0, "today"), (-1, "today"), (1, "22 Nov"), (327, "31 Dec 2025")],
)
def test_the_last_pull_is_a_day(pulled: int | None, words: str) -> None:
    at = None if pulled is None else NOW - timedelta(days=pulled)
    pulls = (image("a", pulled_at=at), image("b", pulled_at=at and at - timedelta(days=9)), image("c"))

    assert prune_tables.last_pull(pulls, NOW) == words


@pytest.mark.parametrize(
    ("tags", "name"),
    [(("latest", "v2", "warden.keep-1"), "v2"), (("latest",), "latest"), (("warden.keep-1",), digest("image")[:19])],
)
def test_an_image_is_called_by_the_tag_that_says_most(tags: tuple[str, ...], name: str) -> None:
    assert prune_tables.name_of(image("image", *tags)) == name


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0, "$0"), (0.001, "under $0.01"), (0.01, "$0.01"), (99.994, "$99.99"), (99.995, "$100"), (12_345.6, "$12,346")],
)
def test_dollars_are_never_rounded_to_nothing(amount: float, words: str) -> None:
    assert storage_cost.dollars(amount) == words


def test_a_terabyte_costs_a_hundred_dollars_a_month() -> None:
    assert storage_cost.a_month(10**12) == 100.0
    assert storage_cost.STANDARD > storage_cost.ARCHIVE_BEYOND > storage_cost.RESTORE > 0


def hostile_reports(said: str) -> tuple[PruneReport, ...]:
    """The text in every place that comes from outside."""
    named = replace(image("x"), tags=(Tag(said),))
    going = (Leaving(named, RuleAction.EXPIRE, said, said), Leaving(named, RuleAction.TRANSITION, said, said))
    spared = tuple(Spared(named, said, said) for _ in range(20))
    facts: dict[str, Any] = {"leaving": going * 3, "left": going, "remarks": (said,) * 20}
    unknown = Refusal(said, missing=(said, f"{said} and more"))
    return (
        report(said, **facts),
        done(said, **facts),
        refused(said, Refusal(said, spared), Refusal(said), unknown, **facts),
        *(refused(f"{said}{number}", Refusal(said), **facts) for number in range(2)),
    )


WORST = hostile.strings()[::50]
"""Some of each kind: the tests of each product try all of them in every field of any notice."""


@pytest.mark.parametrize("product", list(RULES))
def test_every_product_takes_it_however_hostile_a_name_is(product: str) -> None:
    for number, said in enumerate(WORST):
        reports = hostile_reports(said)
        for notice in told(*reports[number % 2 * 2 :], *(refused(f"{said} {one}") for one in range(number % 3))):
            RULES[product](RENDERERS[product](notice))


SAID = ("", "a", "keep 3 of v*", "1 image of 2", *(one for one in hostile.strings() if len(one) < 200))


def any_image(number: int) -> StoredImage:
    """Some image, by a number, so that Hypothesis has few things to choose."""
    tags = [(), ("v1",), ("latest", "v2"), ("warden.keep-1",)][number % 4]
    pulled = NOW - timedelta(days=number % 900) if number % 3 else None
    return image(str(number % 50), *tags, size=number * GB // 7, is_index=number % 5 == 0, pulled_at=pulled)


def any_leaving(numbers: list[int]) -> tuple[Leaving, ...]:
    actions = tuple(RuleAction)
    return tuple(
        Leaving(any_image(one), actions[one % 2], SAID[one % len(SAID)], SAID[one % 3], by_ecr=one % 7 > 0)
        for one in numbers
    )


def any_refusal(number: int) -> Refusal:
    why = SAID[number % len(SAID)]
    if number % 3 == 0:
        return Refusal(why, missing=(why, SAID[number % 4]))
    return Refusal(why, tuple(Spared(any_image(number + one), why, why) for one in range(number % 4)))


def any_report(number: int, refusals: list[int], going: list[int], left: list[int]) -> PruneReport:
    of_refusal = (PruneResult.REFUSED, PruneResult.SUSPENDED)[number % 2]
    of_others = (PruneResult.NOTHING, PruneResult.REPORTED, PruneResult.DONE)[number % 3]
    return report(
        f"team/{number}",
        mode=(Mode.REPORT, Mode.ENFORCE)[number % 2],
        result=of_refusal if refusals else of_others,
        refusals=tuple(map(any_refusal, refusals)),
        leaving=any_leaving(going),
        left=any_leaving(left),
        leased=number % 3,
        marked=number % 2,
        remarks=SAID[: number % 3],
        more=number % 4,
        more_bytes=number % 4 * GB,
    )


NUMBERS = st.lists(st.integers(0, 10**6), max_size=5)
NO_REFUSALS: list[int] = []
REFUSED = st.just(NO_REFUSALS) | NUMBERS
REPORTS = st.lists(
    st.builds(any_report, st.integers(0, 10**6), REFUSED, NUMBERS, NUMBERS),
    max_size=6,
    unique_by=lambda one: one.repository,
)
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(REPORTS, st.randoms())
def test_the_same_reports_are_the_same_few_messages_in_whatever_order(reports: list[PruneReport], random: Any) -> None:
    notices_ = told(*reports)
    others = [one for one in reports if any(not refusal.missing for refusal in one.refusals)]
    apart = len(others) if len(others) <= prune_refusal_notice.MOST_ALONE else 1

    assert told(*random.sample(reports, len(reports))) == notices_
    assert len({notice.id for notice in notices_}) == len(notices_) <= apart + 2
    assert all(notices.from_json(notices.to_json(notice, channel="x")) == ("x", notice) for notice in notices_)
    assert all(len(row) == len(table.columns) <= 6 for one in notices_ for table in one.tables for row in table.rows)


@FEW
@given(REPORTS)
def test_no_image_is_told_twice_and_none_is_left_out(reports: list[PruneReport]) -> None:
    summary = next((notice for notice in told(*reports) if notice.level is Level.CHANGE), None)
    stages = {
        "What has left": [len(one.left) for one in reports],
        "What leaves within a day": [len(one.leaving) + one.more for one in reports if one.result is PruneResult.DONE],
        "What would leave": [len(one.leaving) + one.more for one in reports if one.result is PruneResult.REPORTED],
    }
    tables = {table.title: table for table in summary.tables} if summary else {}

    for title, counts in stages.items():
        columns = tables[title].columns if title in tables else ()
        counted = [
            sum(int(cell.replace(",", "")) for cell, column in zip(row, columns, strict=True) if column in _COUNTS)
            for row in (tables[title].rows if title in tables else ())
        ]
        assert sorted(counted) == sorted(count for count in counts if count)


_COUNTS = {"Deleted", "Archived", "Not listed"}
