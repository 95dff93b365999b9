"""From the file to the standard: what is merged, where each value comes from, and what is never assumed."""

import json
from pathlib import Path

import pytest

import policy
from policy.compiled import compile_text
from policy.layers import MOST_FILTERS
from policy.lifecycle_limits import MOST_LIFECYCLE_RULES
from tests.unit.policy.policies import a_file, loaded, standard
from warden.compiled_policy import from_compiled
from warden.lifecycle.rendering import render
from warden.names import RepositoryName, Severity
from warden.policy import (
    Immutability,
    LifecycleAction,
    LifecycleRule,
    LifecycleStandard,
    Mode,
    Protection,
)
from warden.standards import effective

RULES = """\
  - match: "team-*"
    tags: {immutability: MUTABLE}
    findings: {notify_from: MEDIUM}
  - match: "team-a/*"
    findings: {notify_from: CRITICAL}
  - match: "*/api"
    scanning: {on_push: false}
"""


def test_a_policy_that_says_nothing_changes_nothing() -> None:
    smallest = standard(a_file())

    assert {smallest.tags.mode, smallest.scanning.mode, smallest.lifecycle.mode} == {Mode.REPORT}
    assert smallest.lifecycle.rules == ()


def test_a_policy_that_says_nothing_has_safe_defaults() -> None:
    smallest = standard(a_file())

    assert smallest.tags.immutability is Immutability.IMMUTABLE_WITH_EXCLUSION
    assert smallest.tags.exclude == ("sha256-*",)
    assert smallest.scanning.on_push
    assert (smallest.findings.notify_from, smallest.findings.block_from) == (Severity.HIGH, Severity.CRITICAL)
    assert smallest.lifecycle.action is LifecycleAction.ARCHIVE


@pytest.mark.parametrize(
    ("repository", "immutability", "notify_from", "on_push"),
    [
        ("other", "IMMUTABLE_WITH_EXCLUSION", "HIGH", True),
        ("team-b/web", "MUTABLE", "MEDIUM", True),
        ("team-a/web", "MUTABLE", "CRITICAL", True),
        ("team-a/api", "MUTABLE", "CRITICAL", False),
        ("x/api", "IMMUTABLE_WITH_EXCLUSION", "HIGH", False),
        ("my-team-a/web", "IMMUTABLE_WITH_EXCLUSION", "HIGH", True),
    ],
)
def test_every_matching_rule_applies_and_later_wins_field_by_field(
    repository: str, immutability: str, notify_from: str, on_push: bool
) -> None:
    merged = standard(a_file(rules=RULES), repository)

    assert (merged.tags.immutability, merged.findings.notify_from, merged.scanning.on_push) == (
        immutability,
        notify_from,
        on_push,
    )


@pytest.mark.parametrize(
    ("field", "origin"),
    [
        ("channels", "warden.yaml:3"),
        ("tags.exclude", "warden.yaml:4"),
        ("tags.immutability", 'rule "team-*", warden.yaml:7'),
        ("findings.notify_from", 'rule "team-a/*", warden.yaml:10'),
        ("findings.block_from", "built-in default"),
        ("scanning.on_push", 'rule "*/api", warden.yaml:12'),
    ],
)
def test_every_field_names_the_line_it_comes_from(field: str, origin: str) -> None:
    text = a_file("  tags: {exclude: [latest]}\n", RULES)

    assert effective(loaded(text), RepositoryName("team-a/api"), {}).fields[field].origin == origin


def test_an_inherited_mode_names_the_line_of_the_policys_mode() -> None:
    assert standard(a_file(top="mode: enforce\n")).origins["tags.mode"] == "warden.yaml:2"


@pytest.mark.parametrize(
    ("top", "section", "rule", "expected"),
    [
        ("", "", "", "report"),
        ("enforce", "", "", "report"),
        ("report", "", "", "report"),
        ("off", "", "", "off"),
        ("report", "enforce", "", "enforce"),
        ("enforce", "report", "", "report"),
        ("enforce", "off", "", "off"),
        ("enforce", "", "enforce", "enforce"),
        ("report", "enforce", "report", "report"),
        ("off", "", "enforce", "enforce"),
    ],
)
def test_a_lifecycle_is_enforced_only_where_its_own_section_says_so(
    top: str, section: str, rule: str, expected: str
) -> None:
    text = a_file(
        f"  lifecycle: {{mode: {section}}}\n" if section else "",
        f'  - {{match: "team-a/*", lifecycle: {{mode: {rule}}}}}\n' if rule else "",
        f"mode: {top}\n" if top else "",
    )

    assert standard(text).lifecycle.mode == expected


@pytest.mark.parametrize("section", ["tags", "scanning"])
@pytest.mark.parametrize("mode", ["report", "enforce", "off"])
def test_other_sections_inherit_the_policys_mode(section: str, mode: str) -> None:
    fields = effective(loaded(a_file(top=f"mode: {mode}\n")), RepositoryName("team-a/api"), {}).fields

    assert fields[f"{section}.mode"].value == mode


@pytest.mark.parametrize(
    ("written", "days"), [("1d", 1), ("7d", 7), ("7 days", 7), ("1 day", 1), ("2w", 14), ("2 weeks", 14), ("1 week", 7)]
)
def test_durations_are_written_in_days_or_weeks(written: str, days: int) -> None:
    rules = standard(a_file(f"  lifecycle: {{rules: [{{expire: untagged, after: {written}}}]}}\n")).lifecycle.rules

    assert rules == (LifecycleRule("untagged", after_days=days),)


def test_lifecycle_rules_keep_their_order() -> None:
    text = a_file(
        '  lifecycle:\n    rules:\n      - {keep: 30, of: "v*"}\n      - {expire: untagged, after: 7d}\n'
        "      - {expire: any, after: 90d}\n"
    )

    assert standard(text).lifecycle.rules == (
        LifecycleRule("v*", keep=30),
        LifecycleRule("untagged", after_days=7),
        LifecycleRule("any", after_days=90),
    )


def test_the_exclusion_of_signatures_is_added_once() -> None:
    assert standard(a_file('  tags: {exclude: ["sha256-*", latest]}\n')).tags.exclude == ("sha256-*", "latest")


def test_as_many_exclusions_as_ecr_takes_are_accepted() -> None:
    tags = ", ".join(f"t{number}" for number in range(MOST_FILTERS))

    assert len(standard(a_file(f"  tags: {{exclude: [{tags}]}}\n")).tags.exclude) == 5


def test_a_rule_may_be_as_strict_as_it_likes_where_it_says_what_becomes_of_exclusions() -> None:
    text = a_file(
        "  tags: {exclude: [latest]}\n", '  - {match: "release/*", tags: {immutability: IMMUTABLE, exclude: []}}\n'
    )

    assert standard(text, "release/app").tags.exclude == ("sha256-*",)


def test_settings_at_odds_that_no_repository_gets_are_no_error() -> None:
    text = a_file(
        rules='  - {match: "team-a/*", tags: {immutability: IMMUTABLE}}\n'
        '  - {match: "team-b/*", tags: {exclude: [latest]}}\n'
    )

    assert standard(text, "team-b/api").tags.exclude == ("latest", "sha256-*")


def test_settings_at_odds_that_a_later_rule_mends_are_no_error() -> None:
    text = a_file(
        "  tags: {exclude: [latest]}\n",
        '  - {match: "team-a/*", tags: {immutability: IMMUTABLE}}\n  - {match: "team-*", tags: {exclude: []}}\n',
    )

    assert standard(text).tags.immutability is Immutability.IMMUTABLE


def test_a_rule_may_free_tags_whatever_the_defaults_exclude() -> None:
    text = a_file("  tags: {exclude: [latest]}\n", '  - {match: "sandbox/*", tags: {immutability: MUTABLE}}\n')

    assert standard(text, "sandbox/x").tags.immutability is Immutability.MUTABLE


def test_channels_keep_their_secrets_name_and_hosts() -> None:
    text = a_file().replace("slack-platform}", 'slack-platform, hosts: ["hooks.example.com", "127.0.0.1:8443"]}')

    channel = loaded(text).channels["platform"]

    assert (channel.type, channel.secret) == ("slack", "warden/slack-platform")
    assert channel.hosts == ("hooks.example.com", "127.0.0.1:8443")


def test_the_largest_lifecycle_policy_that_a_standard_can_ask_for_fits_in_what_ecr_takes() -> None:
    """The widest patterns there are: the policy's check must know no other limit than the number of rules."""
    widest = tuple(
        LifecycleRule(f"v{n:02}" + "v" * 125, after_days=99_999 * 7) for n in range(MOST_LIFECYCLE_RULES - 1)
    )
    most = LifecycleStandard(Mode.ENFORCE, LifecycleAction.ARCHIVE, widest, protection=Protection(in_use=True, tags=()))
    least = LifecycleStandard(Mode.ENFORCE, LifecycleAction.DELETE, (LifecycleRule("any", keep=1),))

    assert len(render(most).rules) == MOST_LIFECYCLE_RULES
    assert len(render(most).text or "") <= 30_720
    assert len(render(least).text or "") >= 100


def test_the_compiled_form_is_plain_and_names_no_path_of_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    path.write_text(a_file(rules=RULES))

    loaded_policy = policy.load(path)
    text = json.dumps(loaded_policy.compiled)

    assert loaded_policy.path == path
    assert json.loads(text) == loaded_policy.compiled
    assert str(tmp_path) not in text
    assert "team.yaml:6" in text


def test_the_policy_that_is_deployed_by_default_is_valid_and_harmless() -> None:
    default = policy.load(Path(__file__).parents[3] / "warden.yaml").compiled
    modes = {value for name, (value, _) in default["defaults"].items() if name.endswith(".mode")}

    assert default["mode"] == "report"
    assert modes == {"report"}
    assert not any(name.endswith(".mode") for rule in default["rules"] for name in rule["fields"])
    assert default["defaults"]["lifecycle.protect.in_use"][0] is True
    assert (default["defaults"]["lifecycle.caps.percent"][0], default["defaults"]["lifecycle.caps.images"][0]) == (
        25,
        500,
    )


EVERY_TYPE = """\
version: 1
defaults: {channels: [chat]}
channels:
  chat: {type: slack, secret: warden/chat}
  teams: {type: teams, secret: warden/teams}
  discord: {type: discord, secret: warden/discord}
  google: {type: google_chat, secret: warden/google}
  topic: {type: sns, topic: "arn:aws:sns:eu-west-1:111122223333:images"}
  webhook: {type: webhook, secret: warden/webhook, hosts: ["hooks.example.com"]}
"""


def test_every_kind_of_channel_is_in_the_language(tmp_path: Path) -> None:
    path = tmp_path / "warden.yaml"
    path.write_text(EVERY_TYPE)

    loaded_policy = policy.load(path)

    channels = from_compiled(loaded_policy.compiled).channels
    assert [str(channel.type) for channel in channels.values()] == list(channels["chat"].type.__class__)
    assert channels["topic"].topic == "arn:aws:sns:eu-west-1:111122223333:images"
    assert loaded_policy.notes == ()


OWNERS = """\
owners:
  - {label: org.opencontainers.image.source, value: "https://github.com/acme/*", channels: [platform]}
  - {label: team, value: "payments", channels: [platform]}
"""


def test_owners_are_compiled_in_their_order_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "warden.yaml"
    path.write_text(a_file(top=OWNERS))

    source, team = from_compiled(policy.load(path).compiled).owners

    assert (source.label, source.value, source.channels) == (
        "org.opencontainers.image.source",
        "https://github.com/acme/*",
        ("platform",),
    )
    assert (source.origin, team.origin) == ("warden.yaml:3", "warden.yaml:4")


def test_who_owns_what_changes_the_fingerprint_and_where_it_stands_does_not() -> None:
    prints = {
        compile_text(a_file(top=top).encode(), file="f", name="f")["fingerprint"]
        for top in ("", OWNERS, "\n\n" + OWNERS, OWNERS.replace("payments", "web"))
    }
    assert len(prints) == 3
