"""What YAML would make something else of stays what its author wrote."""

import pytest

from policy.source import DEEPEST, Malformed, read
from tests.unit.policy.policies import a_file, compiled, standard
from warden.policy import Mode

TRAPS = [
    "no",
    "on",
    "off",
    "yes",
    "y",
    "null",
    "true",
    "1.10",
    "1e3",
    "0755",
    "0x1f",
    "2026-11-23",
    "1_000",
    "5",
    "v1.0",
]


@pytest.mark.parametrize("tag", TRAPS)
def test_a_tag_stays_as_it_was_written(tag: str) -> None:
    assert standard(a_file(f"  tags: {{exclude: [{tag}]}}\n")).tags.exclude == (tag, "sha256-*")


@pytest.mark.parametrize("tag", TRAPS)
def test_quotes_make_no_difference_to_a_tag(tag: str) -> None:
    plain, quoted = (compiled(a_file(f"  tags: {{exclude: [{text}]}}\n")) for text in (tag, f'"{tag}"'))

    assert plain == quoted


@pytest.mark.parametrize("tag", TRAPS)
def test_a_lifecycle_pattern_stays_as_it_was_written(tag: str) -> None:
    rules = standard(a_file(f"  lifecycle: {{rules: [{{expire: {tag}, after: 7d}}]}}\n")).lifecycle.rules

    assert [rule.of for rule in rules] == [tag]


@pytest.mark.parametrize("name", ["012345678901", "0x10", "1.10", "no", "2026-11-23"])
def test_a_repository_pattern_stays_as_it_was_written(name: str) -> None:
    rules = compiled(a_file(rules=f"  - {{match: {name}, findings: {{notify_from: CRITICAL}}}}\n"))["rules"]

    assert [rule["match"]["name"] for rule in rules] == [name]


@pytest.mark.parametrize("account", ["012345678901", "111122223333", "000000000000"])
@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_an_account_number_keeps_every_digit(account: str, quote: str) -> None:
    text = a_file(f"  access: {{accounts: [{quote}{account}{quote}]}}\n")

    assert standard(text).access.accounts == (account,)


def test_the_mode_off_is_no_false() -> None:
    assert standard(a_file(top="mode: off\n")).tags.mode is Mode.OFF


def test_windows_line_ends_change_nothing() -> None:
    text = a_file("  tags: {exclude: [latest]}\n")

    assert compiled(text.replace("\n", "\r\n")) == compiled(text)


def test_nesting_that_would_exhaust_the_stack_is_refused() -> None:
    with pytest.raises(Malformed, match=f"at most {DEEPEST} levels"):
        read(b"a: " + b"[" * 100_000)


def test_aliases_that_would_grow_without_bound_are_refused_at_the_first() -> None:
    bomb = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40))

    with pytest.raises(Malformed, match="1:5: a policy can't have YAML anchors"):
        read(bomb.encode())
