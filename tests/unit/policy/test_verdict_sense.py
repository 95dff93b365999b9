"""What follows from a verdict: what a policy may say of it, what its author should know, and what is never meant."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import policy
from policy.errors import PolicyError
from tests.unit.policy.policies import UNHURRIED, a_file, loaded, standard
from warden.names import RepositoryName
from warden.policy import Mode
from warden.standards import standard_of
from warden.wildcard import matches

ROLE = "arn:aws:iam::111122223333:role/forensics"
PROMOTE = 'promote: {to: "release/{name}", tags: ["v*"]}'


def notes(directory: Path, defaults: str = "", rules: str = "") -> tuple[str, ...]:
    path = directory / "warden.yaml"
    path.write_text(a_file(defaults, rules))
    return policy.load(path).notes


@pytest.mark.parametrize(
    ("defaults", "rules"),
    [
        ("", f'  - {{match: "staging/*", {PROMOTE}}}\n'),
        ("", f'  - {{match: "staging/*", {PROMOTE}}}\n  - {{match: "release/*", promote: {{mode: off}}}}\n'),
        (f"  {PROMOTE}\n", '  - {match: "release/*", promote: {mode: off}}\n'),
        (f"  {PROMOTE}\n", '  - {match: {regex: "release/.*"}, promote: {mode: off}}\n'),
        ('  promote: {to: "{name}", tags: ["v*"], region: eu-west-1}\n', ""),
        ('  promote: {to: "{name}", tags: ["v*"], role: "arn:aws:iam::444455556666:role/p"}\n', ""),
        ('  promote: {to: "{name}", tags: ["v*"]}\n', '  - {match: "*", promote: {region: eu-west-1}}\n'),
        ("  promote: {tags: [v*]}\n", '  - {match: "team-a/*", promote: {to: "release/{name}"}}\n'),
        ("", '  - {match: "release/*/x", promote: {to: "release/{name}", tags: ["v*"]}}\n'),
        ("", '  - {match: {regex: "staging/.*"}, promote: {to: "release/{name}", tags: ["v*"]}}\n'),
        ('  promote: {to: "release/{name}", tags: ["v*"], mode: off}\n', ""),
        ("  quarantine: {by: tags}\n", ""),
        (f'  quarantine: {{by: pull, break_glass: ["{ROLE}"]}}\n', ""),
        (f'  quarantine: {{break_glass: ["{ROLE}"]}}\n', '  - {match: "team-a/*", quarantine: {by: pull}}\n'),
        (f'  quarantine: {{by: pull, break_glass: ["{ROLE}"]}}\n', '  - {match: "*", quarantine: {by: tags}}\n'),
        ("  quarantine: {by: pull}\n", f'  - {{match: "*", quarantine: {{break_glass: ["{ROLE}"]}}}}\n'),
        ("  quarantine: {by: pull}\n", '  - {match: "*", quarantine: {by: tags}}\n'),
        ("  quarantine: {mode: off}\n  empty: {mode: off}\n  promote: {mode: off}\n", ""),
        ("  empty: {after: 7d, mode: enforce}\n", ""),
    ],
)
def test_what_makes_sense_is_accepted_without_a_word(tmp_path: Path, defaults: str, rules: str) -> None:
    assert notes(tmp_path, defaults, rules) == ()


@pytest.mark.parametrize(
    ("defaults", "rules", "said"),
    [
        (
            "  tags: {immutability: MUTABLE}\n",
            f'  - {{match: "staging/*", {PROMOTE}}}\n',
            'rule "staging/*", warden.yaml:6: in release/app, where images go that pass, tags may be moved to others: '
            "MUTABLE (warden.yaml:4)",
        ),
        (
            "",
            f'  - {{match: "staging/*", {PROMOTE}}}\n'
            '  - {match: "release/*", tags: {immutability: MUTABLE_WITH_EXCLUSION, exclude: ["v*"]}}\n',
            'rule "staging/*", warden.yaml:5: in release/app, where images go that pass, tags may be moved to others: '
            'MUTABLE_WITH_EXCLUSION (rule "release/*", warden.yaml:6)',
        ),
        (
            "  quarantine: {by: pull}\n",
            "",
            "warden.yaml:4: by: pull without break_glass: while an image is in quarantine nobody can pull from its "
            "repository, not even to look into it",
        ),
        (
            f'  quarantine: {{by: tags, break_glass: ["{ROLE}"]}}\n',
            '  - {match: "team-a/*", quarantine: {by: pull, break_glass: []}}\n',
            'rule "team-a/*", warden.yaml:6: by: pull without break_glass: while an image is in quarantine nobody can '
            "pull from its repository, not even to look into it",
        ),
    ],
)
def test_what_the_author_should_know_is_a_note_and_no_error(
    tmp_path: Path, defaults: str, rules: str, said: str
) -> None:
    assert notes(tmp_path, defaults, rules) == (said,)


@pytest.mark.parametrize(
    ("defaults", "rules"),
    [
        ("  tags: {immutability: MUTABLE, mode: off}\n", f'  - {{match: "staging/*", {PROMOTE}}}\n'),
        (
            "  tags: {immutability: MUTABLE}\n",
            '  - {match: "staging/*", promote: {to: "release/{name}", tags: ["v*"], region: eu-west-1}}\n',
        ),
        (
            "  tags: {immutability: MUTABLE}\n",
            f'  - {{match: "staging/*", {PROMOTE}}}\n  - {{match: "release/*", tags: {{immutability: IMMUTABLE}}}}\n',
        ),
    ],
)
def test_tags_that_are_not_ours_to_keep_or_that_can_not_move_are_no_note(
    tmp_path: Path, defaults: str, rules: str
) -> None:
    assert notes(tmp_path, defaults, rules) == ()


@pytest.mark.parametrize("section", ["quarantine: {by: tags}", "empty: {after: 90d}"])
@pytest.mark.parametrize(("top", "mode"), [("", "report"), ("mode: enforce\n", "report"), ("mode: off\n", "off")])
def test_what_may_lock_somebody_out_or_is_gone_for_good_is_enforced_only_where_its_section_says_so(
    section: str, top: str, mode: str
) -> None:
    asked = standard(a_file(f"  {section}\n", top=top))
    assert {asked.quarantine.mode, asked.empty.mode} == {mode}
    own = standard(a_file(f"  {section.replace('}', ', mode: enforce}')}\n", top=top))
    assert Mode.ENFORCE in {own.quarantine.mode, own.empty.mode}


def test_what_copies_and_takes_nothing_away_goes_by_the_policys_mode() -> None:
    rules = f'  - {{match: "team-a/*", {PROMOTE}}}\n'
    for mode in Mode:
        promotion = standard(a_file(rules=rules, top=f"mode: {mode}\n")).promotion
        assert promotion is not None
        assert promotion.mode is mode


def test_a_repository_without_promotion_has_none() -> None:
    assert standard(a_file()).promotion is None


REPOSITORIES = ["app", "team-a/api", "release/app", "release/api", "release/team-a/api"]
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "match": st.sampled_from(["*", "release/*", "team-a/*", "*/api", "release/app", "rel*p*"]),
            "promote": st.fixed_dictionaries(
                {"tags": st.just(["v*"])},
                optional={
                    "to": st.sampled_from(["release/{name}", "{name}", "release/app", "team-a/{name}"]),
                    "mode": st.sampled_from(["off", "enforce"]),
                    "region": st.just("eu-west-1"),
                },
            ),
        }
    ),
    min_size=1,
    max_size=4,
)


def into_themselves(text: str, names: list[str]) -> set[str]:
    """The repositories that would be promoted into themselves in the same registry."""
    compiled = loaded(text)
    found = set()
    for name in names:
        promotion = standard_of(compiled, RepositoryName(name), {}).promotion
        if promotion and promotion.mode is not Mode.OFF and not promotion.region:
            found |= {name} & {promotion.to.replace("{name}", name.rpartition("/")[2])}
    return found


@UNHURRIED
@given(RULES)
def test_no_repository_of_an_accepted_policy_is_promoted_into_itself(rules: list[dict[str, Any]]) -> None:
    text = a_file(rules="".join(f"  - {json.dumps(rule)}\n" for rule in rules))
    try:
        assert into_themselves(text, REPOSITORIES) == set()
    except PolicyError as refusal:
        for name in re.findall(r": (\S+) would be promoted into itself", str(refusal)):
            targets = [
                rule["promote"]["to"] for rule in rules if "to" in rule["promote"] and matches(rule["match"], name)
            ]
            assert targets[-1].replace("{name}", name.rpartition("/")[2]) == name
