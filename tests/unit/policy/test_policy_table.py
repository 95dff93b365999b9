"""What a policy means, case by case: what it says, for which repository, and what that repository gets."""

from typing import Any, NamedTuple

import pytest

from policy.layers import SECTIONS
from tests.unit.policy.policies import a_file, loaded
from warden.names import RepositoryName
from warden.standards import effective

NOTIFY = "findings.notify_from"
MUTABILITY = "tags.immutability"


class Case(NamedTuple):
    """`rules`, `defaults` and `top` are YAML; `tags` are the repository's own; `gets` maps fields to their values."""

    name: str
    gets: dict[str, Any]
    defaults: str = ""
    rules: str = ""
    top: str = ""
    repository: str = "team-a/api"
    tags: dict[str, str] = {}  # noqa: RUF012 - never changed
    origin: str = ""
    """Where the first of the fields comes from, where that is what the case is about."""


def rule(match: str, said: str) -> str:
    return f"  - {{match: {match}, {said}}}\n"


def notify(match: str, severity: str) -> str:
    return rule(match, f"findings: {{notify_from: {severity}}}")


def match_case(match: str, repository: str, *, hit: bool, **tags: str) -> Case:
    name = f"{match} {'matches' if hit else 'does not match'} {repository} {tags or ''}"
    gets = {NOTIFY: "CRITICAL" if hit else "HIGH"}
    return Case(f"match: {name}", gets, rules=notify(match, "CRITICAL"), repository=repository, tags=tags)


MATCHING = [
    match_case('"*"', "app", hit=True),
    match_case('"app"', "app", hit=True),
    match_case('"app"', "app2", hit=False),
    match_case('"app"', "my/app", hit=False),
    match_case('"*app"', "my/app", hit=True),
    match_case('"team-a/*"', "team-a/api", hit=True),
    match_case('"team-a/*"', "team-a/x/y", hit=True),
    match_case('"team-a/*"', "team-a", hit=False),
    match_case('"team-a/*"', "team-ab/api", hit=False),
    match_case('"*/api"', "team-a/api", hit=True),
    match_case('"*/api"', "api", hit=False),
    match_case('"team-*/api"', "team-a/x/api", hit=True),
    match_case('"t*a*i"', "team-a/api", hit=True),
    match_case('"team.a/api"', "team-a/api", hit=False),
    match_case('{name: "team-a/*"}', "team-a/api", hit=True),
    match_case('{regex: "team-[ab]/.+"}', "team-a/api", hit=True),
    match_case('{regex: "team-[ab]/.+"}', "team-c/api", hit=False),
    match_case('{regex: "team"}', "team-a/api", hit=False),
    match_case('{regex: "team.*"}', "team-a/api", hit=True),
    match_case('{regex: "team-a/api|app"}', "app", hit=True),
    match_case('{regex: "team-a/api|app"}', "app2", hit=False),
    match_case("{tag: {team: a}}", "app", hit=True, team="a"),
    match_case("{tag: {team: a}}", "app", hit=False, team="b"),
    match_case("{tag: {team: a}}", "app", hit=False),
    match_case("{tag: {team: a}}", "app", hit=False, Team="a"),
    match_case('{tag: {team: "a*"}}', "app", hit=True, team="abc"),
    match_case('{tag: {team: "*"}}', "app", hit=True, team=""),
    match_case('{tag: {team: "*"}}', "app", hit=False, other="a"),
    match_case("{tag: {team: a, env: prod}}", "app", hit=True, team="a", env="prod"),
    match_case("{tag: {team: a, env: prod}}", "app", hit=False, team="a", env="dev"),
    match_case('{name: "team-a/*", tag: {env: prod}}', "team-a/api", hit=True, env="prod"),
    match_case('{name: "team-a/*", tag: {env: prod}}', "team-b/api", hit=False, env="prod"),
    match_case('{name: "team-a/*", regex: ".*api"}', "team-a/api", hit=True),
    match_case('{name: "team-a/*", regex: ".*api"}', "team-a/web", hit=False),
    match_case('{regex: "app", tag: {env: prod}}', "app", hit=True, env="prod"),
    match_case("{tag: {env: no}}", "app", hit=True, env="no"),
    match_case("{tag: {version: 1.10}}", "app", hit=True, version="1.10"),
]

ORDER = [
    Case("merge: a later rule wins", {NOTIFY: "LOW"}, rules=notify('"team-*"', "CRITICAL") + notify('"*/api"', "LOW")),
    Case(
        "merge: an earlier rule for others does not",
        {NOTIFY: "LOW"},
        rules=notify('"other"', "CRITICAL") + notify('"team-*"', "LOW"),
    ),
    Case(
        "merge: rules win over defaults", {NOTIFY: "LOW"}, "  findings: {notify_from: MEDIUM}\n", notify('"*"', "LOW")
    ),
    Case(
        "merge: field by field",
        {NOTIFY: "LOW", "findings.block_from": "HIGH"},
        "  findings: {block_from: HIGH}\n",
        notify('"*"', "LOW"),
    ),
    Case(
        "merge: one section leaves the others",
        {"scanning.on_push": False, NOTIFY: "MEDIUM"},
        "  findings: {notify_from: MEDIUM}\n",
        rule('"*"', "scanning: {on_push: false}"),
    ),
    Case(
        "merge: lists are replaced whole",
        {"tags.exclude": ["b", "sha256-*"]},
        "  tags: {exclude: [a]}\n",
        rule('"*"', "tags: {exclude: [b]}"),
    ),
    Case(
        "merge: an empty list replaces",
        {"tags.exclude": ["sha256-*"]},
        "  tags: {exclude: [a]}\n",
        rule('"*"', "tags: {exclude: []}"),
    ),
    Case(
        "merge: channels are replaced whole",
        {"channels": ["platform"]},
        rules=rule('"*"', "channels: [platform]"),
        origin='rule "*", warden.yaml:5',
    ),
    Case(
        "merge: what is nested is merged by its parts",
        {"lifecycle.caps.percent": 10, "lifecycle.caps.images": 7},
        "  lifecycle: {caps: {percent: 10, images: 5}}\n",
        rule('"*"', "lifecycle: {caps: {images: 7}}"),
    ),
    Case(
        "merge: protection, too",
        {"lifecycle.protect.in_use": False, "lifecycle.protect.tags": ["prod-*"], "lifecycle.protect.grace": 3},
        "  lifecycle: {protect: {in_use: false, grace: 3d}}\n",
        rule('"*"', 'lifecycle: {protect: {tags: ["prod-*"]}}'),
    ),
    Case(
        "merge: three rules, each its field",
        {NOTIFY: "LOW", "scanning.on_push": False, "tags.moves": "ignore"},
        rules=notify('"team-*"', "LOW")
        + rule('"*/api"', "scanning: {on_push: false}")
        + rule('"*"', "tags: {moves: ignore}"),
    ),
    Case(
        "merge: a rule by tag after one by name wins",
        {NOTIFY: "LOW"},
        rules=notify('"team-a/*"', "CRITICAL") + notify("{tag: {env: prod}}", "LOW"),
        tags={"env": "prod"},
    ),
    Case(
        "merge: a rule by name after one by tag wins",
        {NOTIFY: "CRITICAL"},
        rules=notify("{tag: {env: prod}}", "LOW") + notify('"team-a/*"', "CRITICAL"),
        tags={"env": "prod"},
    ),
    Case("origin: the defaults' line", {NOTIFY: "LOW"}, "  findings: {notify_from: LOW}\n", origin="warden.yaml:4"),
    Case(
        "origin: the rule and its line", {NOTIFY: "LOW"}, rules=notify('"*"', "LOW"), origin='rule "*", warden.yaml:5'
    ),
    Case(
        "origin: a regular expression",
        {NOTIFY: "LOW"},
        rules=notify('{regex: ".+"}', "LOW"),
        origin='rule "/.+/", warden.yaml:5',
    ),
    Case(
        "origin: a tag",
        {NOTIFY: "LOW"},
        rules=notify("{tag: {env: prod}}", "LOW"),
        tags={"env": "prod"},
        origin='rule "env=prod", warden.yaml:5',
    ),
    Case("origin: nothing written", {NOTIFY: "HIGH"}, origin="built-in default"),
    Case("origin: the preset", {NOTIFY: "MEDIUM"}, top="preset: strict\n", origin="preset strict"),
    Case("origin: the policy's mode", {"tags.mode": "enforce"}, top="mode: enforce\n", origin="warden.yaml:2"),
]

PRESETS = [
    Case("preset: baseline is what is built in", {NOTIFY: "HIGH", "tags.moves": "tell"}, top="preset: baseline\n"),
    Case(
        "preset: strict",
        {
            NOTIFY: "MEDIUM",
            "findings.block_from": "HIGH",
            "tags.moves": "put_back",
            "scanning.rescan_after": 7,
            "access.forbid_public": True,
        },
        top="preset: strict\n",
    ),
    Case("preset: defaults win over it", {NOTIFY: "LOW"}, "  findings: {notify_from: LOW}\n", top="preset: strict\n"),
    Case(
        "preset: rules win over it",
        {"tags.moves": "ignore"},
        rules=rule('"*"', "tags: {moves: ignore}"),
        top="preset: strict\n",
    ),
    Case("preset: it sets no mode", {"tags.mode": "report", "access.mode": "report"}, top="preset: strict\n"),
    *(
        Case(
            f"preset: {preset or 'none'} spares what runs, and caps what leaves",
            {
                "lifecycle.protect.in_use": True,
                "lifecycle.protect.tags": [],
                "lifecycle.protect.grace": 7,
                "lifecycle.protect.pulled_within": None,
                "lifecycle.wait": None,
                "lifecycle.delete_archived_after": None,
                "lifecycle.caps.percent": 25,
                "lifecycle.caps.images": 500,
                "lifecycle.caps.bytes": None,
            },
            top=f"preset: {preset}\n" if preset else "",
        )
        for preset in ("", "baseline", "strict")
    ),
    Case(
        "preset: none of it is destructive", {"lifecycle.rules": [], "lifecycle.mode": "report"}, top="preset: strict\n"
    ),
]

CAUTIOUS = ("lifecycle", "access", "quarantine", "empty")
BESIDE = {
    "promote": ", to: 'release/{name}', tags: [v*], region: eu-west-1",
    "quarantine": ", by: tags",
    "empty": ", after: 90d",
}
"""What a mode needs beside it, so that it means something."""
MODES = [
    Case(
        f"mode: {top or 'none'} above, {own or 'none'} in {section}",
        {f"{section}.mode": own or ("report" if not top or (top == "enforce" and section in CAUTIOUS) else top)},
        f"  {section}: {{mode: {own}{BESIDE.get(section, '')}}}\n" if own else "",
        top=f"mode: {top}\n" if top else "",
    )
    for section in SECTIONS
    if section != "findings"
    for top, own in (("", ""), ("enforce", ""), ("off", ""), ("enforce", "report"), ("report", "enforce"))
]

WRITTEN: list[tuple[str, str, list[tuple[str, Any]]]] = [
    (
        "scanning.rescan_after",
        "scanning: {{rescan_after: {}}}",
        [("7d", 7), ("2w", 14), ("1 week", 7), ("30 days", 30)],
    ),
    (
        "lifecycle.caps.bytes",
        "lifecycle: {{caps: {{bytes: {}}}}}",
        [("50 GB", 50 * 1000**3), ("20GiB", 20 * 1024**3), ("1 TiB", 1024**4), ("500 kB", 500_000), ("3 B", 3)],
    ),
    (
        "lifecycle.caps.percent",
        "lifecycle: {{caps: {{percent: {}}}}}",
        [("0", 0), ("25", 25), ("25%", 25), ("100", 100)],
    ),
    ("lifecycle.wait", "lifecycle: {{action: delete, wait: {}}}", [("7d", 7), ("2 weeks", 14)]),
    (
        "lifecycle.delete_archived_after",
        "lifecycle: {{delete_archived_after: {}}}",
        [("90d", 90), ("13w", 91), ("'180 days'", 180)],
    ),
    ("lifecycle.protect.in_use", "lifecycle: {{protect: {{in_use: {}}}}}", [("true", True), ("false", False)]),
    ("lifecycle.protect.grace", "lifecycle: {{protect: {{grace: {}}}}}", [("1d", 1), ("2w", 14)]),
    ("lifecycle.protect.pulled_within", "lifecycle: {{protect: {{pulled_within: {}}}}}", [("30d", 30)]),
    ("lifecycle.caps.images", "lifecycle: {{caps: {{images: {}}}}}", [("0", 0), ("500", 500)]),
    (
        "access.accounts",
        "access: {{accounts: [{}]}}",
        [("012345678901", ["012345678901"]), ("'111122223333'", ["111122223333"])],
    ),
    ("tags.moves", "tags: {{moves: {}}}", [("ignore", "ignore"), ("tell", "tell"), ("put_back", "put_back")]),
    (
        "encryption.type",
        "encryption: {{type: {}}}",
        [("AES256", "AES256"), ("KMS", "KMS"), ("KMS_DSSE", "KMS_DSSE")],
    ),
    (
        "repository_tags.required",
        "repository_tags: {{required: [{}]}}",
        [("owner", ["owner"]), ("no", ["no"]), ("1.10", ["1.10"])],
    ),
    (
        "promote.to",
        "promote: {{to: {}, tags: [v*], region: eu-west-1}}",
        [("'release/{name}'", "release/{name}"), ("release/app", "release/app"), ("'{name}'", "{name}")],
    ),
    (
        "promote.tags",
        "promote: {{region: eu-west-1, to: app, tags: [{}]}}",
        [("v*", ["v*"]), ("1.10, 'a*b*'", ["1.10", "a*b*"])],
    ),
    (
        "promote.rename",
        "promote: {{region: eu-west-1, to: app, tags: [v*], rename: {}}}",
        [("'{tag}'", "{tag}"), ("'{tag}-checked'", "{tag}-checked"), ("'ok-{tag}'", "ok-{tag}")],
    ),
    (
        "promote.region",
        "promote: {{to: app, tags: [v*], region: {}}}",
        [("eu-west-1", "eu-west-1"), ("us-gov-east-1", "us-gov-east-1")],
    ),
    (
        "promote.role",
        "promote: {{to: app, tags: [v*], role: {}}}",
        [("'arn:aws:iam::444455556666:role/p'", "arn:aws:iam::444455556666:role/p")],
    ),
    ("quarantine.by", "quarantine: {{by: {}}}", [("tags", "tags"), ("pull", "pull")]),
    (
        "quarantine.break_glass",
        "quarantine: {{by: pull, break_glass: {}}}",
        [("[]", []), ("['arn:aws:iam::111122223333:role/f']", ["arn:aws:iam::111122223333:role/f"])],
    ),
    ("quarantine.in_use", "quarantine: {{by: tags, in_use: {}}}", [("false", False)]),
    ("empty.after", "empty: {{after: {}}}", [("7d", 7), ("13w", 91), ("'90 days'", 90)]),
    ("findings.fixable_only", "findings: {{fixable_only: {}}}", [("true", True), ("false", False)]),
    ("findings.new_only", "findings: {{new_only: {}}}", [("true", True), ("false", False)]),
    ("findings.exploited_only", "findings: {{exploited_only: {}}}", [("true", True), ("false", False)]),
    (
        "findings.epss_from",
        "findings: {{epss_from: {}}}",
        [("0.1", 0.1), ("10%", 0.1), ("'10 %'", 0.1), ("1", 1.0), ("0", 0.0), ("0.5%", 0.005), ("100%", 1.0)],
    ),
    (
        "findings.fix_within.CRITICAL",
        "findings: {{fix_within: {{CRITICAL: {}, LOW: 99d}}}}",
        [("7d", 7), ("2w", 14)],
    ),
    (
        "lifecycle.rules",
        "lifecycle: {{rules: [{}]}}",
        [
            ("{expire: any, not_pulled_for: 180d}", [{"of": "any", "not_pulled_days": 180}]),
            ("{expire: 1.10, after: 1d}", [{"of": "1.10", "after_days": 1}]),
            ("{keep: 3, of: no}", [{"of": "no", "keep": 3}]),
            ("{keep: 3, of: 'v*', per: minor}", [{"of": "v*", "keep": 3, "per": "minor"}]),
            ("{keep: 3, of: 'v*', per: major}", [{"of": "v*", "keep": 3, "per": "major"}]),
            ("{keep: 3, of: '*', per: line}", [{"of": "*", "keep": 3, "per": "line"}]),
            (
                "{expire: untagged, after: 3d, label: org.acme.ephemeral=true}",
                [{"of": "untagged", "after_days": 3, "label": "org.acme.ephemeral=true"}],
            ),
            (
                "{expire: any, not_pulled_for: 9d, label: 'team=*=x y'}",
                [{"of": "any", "not_pulled_days": 9, "label": "team=*=x y"}],
            ),
        ],
    ),
]
"""A field, how it stands in a section, and what it is written as with what it means."""
VALUES = [
    Case(f"value: {field} {text} is {value!r}", {field: value}, f"  {shape.format(text)}\n")
    for field, shape, pairs in WRITTEN
    for text, value in pairs
]

CONSEQUENCES = [
    Case(
        "promote: nothing goes anywhere by itself",
        {"promote.to": None, "promote.tags": [], "promote.rename": "{tag}", "promote.region": "", "promote.role": ""},
        top="preset: strict\n",
    ),
    Case(
        "quarantine: nothing is kept back by itself",
        {"quarantine.by": None, "quarantine.break_glass": [], "quarantine.in_use": False},
        top="preset: strict\n",
    ),
    Case("empty: nothing is too old by itself", {"empty.after": None}, top="preset: strict\n"),
    Case(
        "promote: the defaults may say what, and rules where to",
        {"promote.tags": ["v*"], "promote.to": "release/{name}", "promote.rename": "{tag}-ok"},
        "  promote: {tags: [v*], rename: '{tag}-ok'}\n",
        rule('"team-a/*"', "promote: {to: 'release/{name}'}"),
    ),
    Case(
        "promote: off for the release repositories themselves",
        {"promote.mode": "off", "promote.to": "release/{name}"},
        "  promote: {to: 'release/{name}', tags: [v*]}\n",
        rule('"release/*"', "promote: {mode: off}"),
        repository="release/app",
    ),
    Case(
        "promote: a rule by tag of another region, so that a name may be the same there",
        {"promote.to": "team-a/{name}", "promote.region": "eu-west-1"},
        rules=rule(
            '{name: "team-a/*", tag: {tier: prod}}', "promote: {to: 'team-a/{name}', tags: [v*], region: eu-west-1}"
        ),
        tags={"tier": "prod"},
    ),
    Case(
        "quarantine: one repository, by its whole name, whatever is in use",
        {"quarantine.in_use": True, "quarantine.by": "tags"},
        "  quarantine: {by: tags}\n",
        rule('"team-a/api"', "quarantine: {in_use: true}"),
    ),
    Case(
        "quarantine: another one stays as it is",
        {"quarantine.in_use": False, "quarantine.by": "tags"},
        "  quarantine: {by: tags}\n",
        rule("{name: team-a/api}", "quarantine: {in_use: true}"),
        repository="team-a/web",
    ),
    Case(
        "quarantine: the defaults may say who breaks the glass, and rules how",
        {"quarantine.by": "pull", "quarantine.break_glass": ["arn:aws:iam::111122223333:role/f"]},
        "  quarantine: {by: tags, break_glass: ['arn:aws:iam::111122223333:role/f']}\n",
        rule('"team-a/*"', "quarantine: {by: pull}"),
    ),
    Case("quarantine: off may be said of anything", {"quarantine.mode": "off"}, "  quarantine: {mode: off}\n"),
    Case(
        "empty: longer for some",
        {"empty.after": 365},
        "  empty: {after: 90d}\n",
        rule('"team-a/*"', "empty: {after: 365d}"),
    ),
]

MUTABILITIES = [
    Case(
        f"tags: {kind} keeps {exclude} and signatures",
        {"tags.exclude": gets},
        f"  tags: {{immutability: {kind}, exclude: {exclude}}}\n",
    )
    for kind, exclude, gets in [
        ("IMMUTABLE", "[]", ["sha256-*"]),
        ("IMMUTABLE_WITH_EXCLUSION", "[a]", ["a", "sha256-*"]),
        ("IMMUTABLE_WITH_EXCLUSION", "['sha256-*', a]", ["sha256-*", "a"]),
        ("MUTABLE_WITH_EXCLUSION", "['v*']", ["v*"]),
        ("MUTABLE", "[]", []),
    ]
]

NO_TAG_SAYS: list[tuple[str, Any, str]] = [
    ("lifecycle.protect.in_use", True, "false"),
    ("lifecycle.protect.grace", 7, "1d"),
    ("lifecycle.caps.percent", 25, "100"),
    ("lifecycle.wait", None, "7d"),
    ("lifecycle.delete_archived_after", None, "90d"),
    ("promote.to", None, "release/mine"),
    ("promote.rename", "{tag}", "{tag}-mine"),
    ("promote.role", "", "arn:aws:iam::444455556666:role/mine"),
    ("quarantine.by", None, "pull"),
    ("quarantine.break_glass", [], "arn:aws:iam::111122223333:role/mine"),
    ("quarantine.in_use", False, "true"),
    ("empty.after", None, "7d"),
]
OWN_TAGS = [
    Case(
        "own tag: tightens after every rule",
        {NOTIFY: "LOW"},
        rules=notify('"*"', "MEDIUM"),
        tags={"warden:findings.notify_from": "LOW"},
        origin="tag warden:findings.notify_from",
    ),
    Case(
        "own tag: can't loosen what a rule said",
        {NOTIFY: "MEDIUM"},
        rules=notify('"*"', "MEDIUM"),
        tags={"warden:findings.notify_from": "HIGH"},
    ),
    Case(
        "own tag: can't undo what a rule loosened further",
        {NOTIFY: "CRITICAL"},
        rules=notify('"*"', "CRITICAL"),
        tags={"warden:findings.notify_from": "SOME"},
    ),
    Case(
        "own tag: an open channel",
        {"channels": ["platform"]},
        top="overrides: {channels: [platform]}\n",
        tags={"warden:channels": "platform"},
        origin="tag warden:channels",
    ),
    Case(
        "own tag: a channel that is not open",
        {"channels": ["platform"]},
        tags={"warden:channels": "platform"},
        origin="warden.yaml:3",
    ),
    Case("own tag: no mode", {"tags.mode": "report"}, tags={"warden:tags.mode": "enforce"}),
    *(
        Case(f"own tag: no {name}", {name: built_in}, tags={f"warden:{name}": asked}, origin="built-in default")
        for name, built_in, asked in NO_TAG_SAYS
    ),
    Case("own tag: no lifecycle", {"lifecycle.action": "archive"}, tags={"warden:lifecycle.action": "delete"}),
    Case(
        "own tag: matches a rule, too",
        {NOTIFY: "LOW"},
        rules=notify('{tag: {"warden:findings.notify_from": "*"}}', "LOW"),
        tags={"warden:findings.notify_from": "HIGH"},
    ),
]

CASES = [*MATCHING, *ORDER, *PRESETS, *MODES, *VALUES, *CONSEQUENCES, *MUTABILITIES, *OWN_TAGS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_repository_gets_what_the_policy_says(case: Case) -> None:
    policy = loaded(a_file(case.defaults, case.rules, case.top))

    fields = effective(policy, RepositoryName(case.repository), case.tags).fields

    assert {name: fields[name].value for name in case.gets} == case.gets
    if case.origin:
        assert fields[next(iter(case.gets))].origin == case.origin


def test_the_table_is_as_large_as_it_says() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 120
