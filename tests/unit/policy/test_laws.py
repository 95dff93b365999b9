"""Laws of the policy, over generated files."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.policy.policies import UNHURRIED, a_file, compiled, loaded
from warden.immutability import Setting
from warden.names import RepositoryName
from warden.policy import Mode
from warden.standards import effective, standard_of
from warden.wildcard import matches

REPOSITORIES = ["app", "team-a/api", "team-a/web", "team-b/api", "sandbox/x"]
MATCHES = st.sampled_from(["*", "team-*", "team-a/*", "*/api", "team-a/api", "sandbox/*"])
MODES = st.sampled_from(["enforce", "report", "off"])
SECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "tags": st.fixed_dictionaries(
            {},
            optional={
                "mode": MODES,
                "immutability": st.sampled_from(["IMMUTABLE_WITH_EXCLUSION", "MUTABLE"]),
            },
        ),
        "scanning": st.fixed_dictionaries({}, optional={"mode": MODES, "on_push": st.booleans()}),
        "findings": st.fixed_dictionaries({}, optional={"notify_from": st.sampled_from(["CRITICAL", "HIGH", "LOW"])}),
        "lifecycle": st.fixed_dictionaries(
            {}, optional={"mode": MODES, "rules": st.just([{"expire": "untagged", "after": "7d"}])}
        ),
    },
)
WRITTEN = [
    "tags.mode",
    "tags.immutability",
    "scanning.mode",
    "scanning.on_push",
    "findings.notify_from",
    "lifecycle.mode",
]
Section = dict[str, Any]


Parts = tuple[str, list[tuple[str, Section]], Section]


@st.composite
def policies(draw: st.DrawFn) -> Parts:
    """A mode, rules of which none is without effect, and defaults."""
    rules = draw(st.lists(st.tuples(MATCHES, SECTIONS), max_size=4))
    asking = [(match, sections) for match, sections in rules if _names(sections)]
    return draw(MODES), _without_shadowed(asking), draw(SECTIONS)


def _without_shadowed(rules: list[tuple[str, Section]]) -> list[tuple[str, Section]]:
    """The rules of which no later one sets every field for every repository."""
    return [
        (match, sections)
        for number, (match, sections) in enumerate(rules)
        if not any(
            matches(later, match.replace("*", "\0")) and _names(sections) <= _names(other)
            for later, other in rules[number + 1 :]
        )
    ]


def _names(sections: Section) -> set[str]:
    return {f"{section}.{field}" for section, fields in sections.items() for field in fields}


def _text(mode: str, rules: Sequence[tuple[str, Section]], defaults: Section) -> str:
    """JSON is YAML: each section on its line."""
    return a_file(
        "".join(f"  {name}: {json.dumps(fields)}\n" for name, fields in defaults.items()),
        "".join(f"  - {json.dumps({'match': match, **sections})}\n" for match, sections in rules),
        f"mode: {mode}\n",
    )


@UNHURRIED
@given(policies(), st.sampled_from(REPOSITORIES))
def test_the_last_matching_rule_that_writes_a_field_gives_it(written: Parts, repository: str) -> None:
    mode, rules, defaults = written
    fields = effective(loaded(_text(mode, rules, defaults)), RepositoryName(repository), {}).fields
    layers = [defaults, *(sections for match, sections in rules if matches(match, repository))]

    for name in WRITTEN:
        section, field = name.split(".")
        values = [layer[section][field] for layer in layers if field in layer.get(section, {})]
        if values:
            assert fields[name].value == values[-1]


@UNHURRIED
@given(policies(), st.sampled_from(REPOSITORIES))
def test_a_field_comes_from_the_defaults_or_from_a_rule_that_matches(written: Parts, repository: str) -> None:
    fields = effective(loaded(_text(*written)), RepositoryName(repository), {}).fields

    for field in fields.values():
        if field.origin.startswith("rule "):
            assert matches(field.origin.split('"')[1], repository)


@UNHURRIED
@given(policies(), st.sampled_from(REPOSITORIES))
def test_signatures_may_move_in_every_standard(written: Parts, repository: str) -> None:
    tags = standard_of(loaded(_text(*written)), RepositoryName(repository), {}).tags

    assert Setting(tags.immutability, tags.exclude).lets_move("sha256-41d9be20c0ff.sig")


@UNHURRIED
@given(policies(), st.sampled_from(REPOSITORIES))
def test_a_lifecycle_is_never_enforced_unless_a_lifecycle_section_says_so(written: Parts, repository: str) -> None:
    _, rules, defaults = written
    standard = standard_of(loaded(_text(*written)), RepositoryName(repository), {})

    if standard.lifecycle.mode is Mode.ENFORCE:
        sections = [defaults, *(sections for match, sections in rules if matches(match, repository))]
        assert any(section.get("lifecycle", {}).get("mode") == "enforce" for section in sections)


@UNHURRIED
@given(policies(), st.integers(0, 3))
def test_comments_and_white_space_change_no_fingerprint(written: Parts, blank: int) -> None:
    text = _text(*written)
    spaced = "# a comment\n" + text.replace("\n", "  # why\n" + "\n" * blank)

    assert compiled(spaced)["fingerprint"] == compiled(text)["fingerprint"]


@UNHURRIED
@given(policies(), st.sampled_from(["enforce", "report", "off"]))
def test_what_a_policy_asks_for_changes_its_fingerprint(written: Parts, other: str) -> None:
    mode, rules, defaults = written
    same = (
        compiled(_text(mode, rules, defaults))["fingerprint"] == compiled(_text(other, rules, defaults))["fingerprint"]
    )

    assert same == (mode == other)
