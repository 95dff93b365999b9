"""Remarks on which images the rules of a lifecycle policy match: none, those of another rule, or none by a mistake."""

import heapq
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from operator import attrgetter

from warden.lifecycle import selection
from warden.lifecycle.evaluation import evaluate
from warden.lifecycle.reach import Look, Reach, covers, is_meant_to_keep, is_protection, is_shield, never_acts
from warden.lifecycle.remarks import (
    Code,
    Level,
    Remark,
    about,
    entries_of,
    have,
    images_in_words,
    limit,
    listed,
    names,
    requirement,
    shown,
    verb,
)
from warden.lifecycle.rules import Rule, TagStatus
from warden.stored_images import StoredImage
from warden.tag_lines import line_of
from warden.wildcard import matches, overlap

_REGEX = re.compile(r"[\^$+?\\()\[\]{}|]|^\.")
"""What only a regular expression has: no tag can have it. https://github.com/opencontainers/distribution-spec"""
_ANY_CHARACTERS = re.compile(r"^(?!v?[0-9.]*\.\*).*\.\*")
"""`.*`, but not after the numbers of a version."""
_NO_TAG = re.compile(r"[^A-Za-z0-9_.*-]")
_ONLY_PUNCTUATION = re.compile(r"[^a-z0-9]")
_SOME = 3
_ENOUGH = 10_000
"""Images, the newest ones, among whose tags a similar one is looked for."""
_MOST_LINES = 200
_MOST_ENTRIES = 20
"""Of one list: more than that nobody reads, and whoever writes thousands is not to keep us busy."""
_LONGEST_TAG = 300
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageIdentifier.html"""
_LONGEST_LINE = 60


def unmatched(look: Look) -> Iterator[Remark]:
    """The rules whose requirements no image meets, archived or not, and what was probably meant."""
    if not look.own:
        return
    lines: list[str] | None = None
    for reach in look.reaches:
        rule = reach.rule
        if rule.tag_status is not TagStatus.TAGGED or reach.matched or is_shield(rule) or _elsewhere(look, rule):
            continue
        if lines is None:
            lines = _lines(look)
        yield _unmatched(look, rule, lines)


def _elsewhere(look: Look, rule: Rule) -> bool:
    """Whether images of the other storage class match: all went to the archive, say."""
    meets = selection.about(rule)
    return any(image.archived is not rule.archived and meets(image.tags) for image in look.own)


def _lines(look: Look) -> list[str]:
    """The lines of the tags that no rule names: those that somebody may have meant."""
    named = [selection.about(rule) for rule in look.rules if rule.tag_status is TagStatus.TAGGED]
    found: dict[str, None] = {}
    for image in heapq.nlargest(_ENOUGH, look.own, key=attrgetter("stored_since")):
        for tag in image.tags:
            line = line_of(tag)
            if (
                line.strip("*")
                and len(line) <= _LONGEST_LINE
                and line not in found
                and not any(meets((tag,)) for meets in named)
            ):
                found[line] = None
        if len(found) > _MOST_LINES:
            break
    return list(found)


def _unmatched(look: Look, rule: Rule, lines: list[str]) -> Remark:
    falls = _falls_to(look, rule) if is_meant_to_keep(rule) else ""
    level = Level.ERROR if falls else Level.WARNING
    if parts := _met_by_some(look, rule):
        return about(Code.TAKEN_FOR_OR, level, rule, _taken_for_or(rule, parts) + falls)
    if mistake := _mistake(rule, look):
        return about(mistake[0], level, rule, mistake[1] + falls)
    protects = bool(falls) or (is_protection(rule) and any(_may_share(rule, each.rule) for each in look.after(rule)))
    hint, sure = _hint(rule, lines)
    text = f"it {'protects' if protects else 'matches'} nothing: no image is {requirement(rule)}{hint}{falls}"
    code = Code.PROTECTS_NOTHING if protects else Code.MATCHES_NOTHING
    return about(code, level if protects or sure else Level.NOTE, rule, text)


def _falls_to(look: Look, rule: Rule) -> str:
    """Which later rules take images that this one might have been meant to keep."""
    takers = [
        each for each in look.after(rule) if each.taken and not is_shield(each.rule) and _may_share(rule, each.rule)
    ]
    if not takers:
        return ""
    told = [f"rule {each.rule.priority} {verb(each.rule)} {images_in_words(len(each.taken))}" for each in takers]
    return f". What it is meant to keep would fall to later rules: {listed(told[:_SOME], len(told))} now"


def _may_share(one: Rule, other: Rule) -> bool:
    if other.tag_status is TagStatus.ANY:
        return True
    return any(overlap(a, b) for a in _possible(one) for b in _possible(other))


def _possible(rule: Rule) -> list[str]:
    """The entries that some tag may meet, as many as are looked at."""
    return [entry for entry in entries_of(rule)[:_MOST_ENTRIES] if len(entry) <= _LONGEST_TAG]


def _met_by_some(look: Look, rule: Rule) -> list[tuple[str, int]]:
    """Of several entries, those that some images meet, each with how many do."""
    entries = entries_of(rule)[:_MOST_ENTRIES]
    if len(entries) < 2:  # noqa: PLR2004 - one entry is joined with nothing
        return []
    counts = dict.fromkeys(entries, 0)
    for image in look.own:
        for entry in counts:
            counts[entry] += any(matches(entry, tag) for tag in image.tags)
    return [(entry, count) for entry, count in counts.items() if count]


def _taken_for_or(rule: Rule, parts: list[tuple[str, int]]) -> str:
    some = [f"{images_in_words(count)} {have(count, 'has', 'have')} {shown(entry)}" for entry, count in parts]
    return (
        f"no image is {requirement(rule)} at once, and a rule asks for all entries of its list: "
        f"{listed(some[:_SOME], len(some))}. Write a rule for each entry"
    )


def _mistake(rule: Rule, look: Look) -> tuple[Code, str] | None:
    """What surely is wrong with an entry that no tag can meet."""
    for prefix in rule.prefixes:
        if "*" in prefix:
            return Code.NOT_A_WILDCARD, (
                f"{shown(prefix)} stands in tagPrefixList, where * is no wildcard, and no tag has one: write it in "
                "tagPatternList"
            )
    for entry in entries_of(rule):
        meant = _without_regex(entry)
        met = meant != entry and any(matches(meant, tag) for image in look.own for tag in image.tags)
        if met or _REGEX.search(entry) or _ANY_CHARACTERS.search(entry):
            hint = f"; did you mean {shown(meant)}?" if met else ""
            return Code.NOT_A_WILDCARD, (
                f"{shown(entry)} looks like a regular expression, and * is the only wildcard: no image is tagged so"
                f"{hint}"
            )
        if _NO_TAG.search(entry):
            return Code.NEVER_A_TAG, (
                f"no tag can match {shown(entry)}: tags are made of letters, digits, _, . and - "
                "(a branch's / is written as something else by whoever tags)"
            )
    return None


def _without_regex(entry: str) -> str:
    r"""What a regular expression of the usual kinds is as a pattern.

    >>> _without_regex(r"^v\d+\.[0-9]+$"), _without_regex("sha256.*"), _without_regex("v1.*")
    ('v*.*', 'sha256*', 'v1*')
    """
    text = re.sub(r"^\^|\$$", "", entry)
    text = re.sub(r"\\[dwS]|\[[^\[\]]*\]|(?<!\\)\.(?=[*+])", "*", text)
    text = re.sub(r"[+?{}()]", "", text).replace("\\", "")
    return re.sub(r"\*+", "*", text)


def _hint(rule: Rule, lines: list[str]) -> tuple[str, bool]:
    """The lines of tags that look like what the rule asks for, and whether one differs in signs and case only."""
    found: dict[str, None] = {}
    plain = {line.lower(): line for line in lines}
    sure = False
    for entry in _possible(rule)[:_SOME]:
        asked = _ONLY_PUNCTUATION.sub("", entry.lower())
        same = [line for line in lines if asked and _ONLY_PUNCTUATION.sub("", line.lower()) == asked]
        sure = sure or bool(same)
        close = same or [plain[each] for each in get_close_matches(entry.lower(), plain, n=2, cutoff=0.6)]
        found.update(dict.fromkeys(close))
    told = [shown(line) for line in found]
    return (f"; did you mean {' or '.join(told[:2])}?" if told else ""), sure


def shadowed(look: Look) -> Iterator[Remark]:
    """The rules that can never act, since an earlier one matches all that they match, and those that can't just now."""
    for reach in look.reaches:
        if is_shield(reach.rule):
            continue
        wide = next((each for each in look.before(reach.rule) if covers(each.rule, reach.rule)), None)
        if wide is not None:
            yield _shadowed(look, reach, wide)
        elif reach.rule.tag_status is TagStatus.TAGGED and reach.matched and not reach.claimed:
            yield from _nothing_left(look, reach)


def _shadowed(look: Look, reach: Reach, wide: Reach) -> Remark:
    lost = _lost(look, reach, wide) if is_meant_to_keep(reach.rule) else []
    text = (
        f"it can never act: every image that is {requirement(reach.rule)} is matched by rule {wide.rule.priority} "
        f"first, which {_does(wide.rule)}. An image belongs to the first rule that it matches: give the narrower rule "
        "the smaller rulePriority"
    )
    if lost:
        verb_now = f"rule {wide.rule.priority} {verb(wide.rule)} {images_in_words(len(lost))} that it would keep"
        text = f"{text}. Now {verb_now}: {names(lost)}"
    return about(Code.SHADOWED, Level.ERROR if lost else Level.WARNING, reach.rule, text, lost)


def _does(rule: Rule) -> str:
    return "keeps whatever it matches" if never_acts(rule) else f"{verb(rule)} {limit(rule)}"


def _lost(look: Look, reach: Reach, wide: Reach) -> list[StoredImage]:
    """What the earlier rule takes that the shadowed rule would keep."""
    candidates = {image.digest for image in reach.matched}
    taken = [image for image in wide.taken if image.digest in candidates]
    if not taken:
        return []
    alone = {each.image.digest for each in evaluate([reach.rule], look.images, look.now)}
    return [image for image in taken if image.digest not in alone]


def _nothing_left(look: Look, reach: Reach) -> Iterator[Remark]:
    digests = {image.digest for image in reach.matched}
    first = [each.rule for each in look.before(reach.rule) if any(image.digest in digests for image in each.claimed)]
    if all(map(is_shield, first)):
        return  # what is in use or protected is to be kept from it
    text = (
        f"nothing is left for it now: {_each(len(reach.matched))} {requirement(reach.rule)} also matches "
        f"{_rules([rule.priority for rule in first])}, which {have(len(first), 'comes', 'come')} first"
    )
    yield about(Code.NOTHING_LEFT, Level.NOTE, reach.rule, text, reach.matched)


def _each(count: int) -> str:
    return "the one image" if count == 1 else f"each of the {images_in_words(count)}"


def _rules(priorities: Iterable[int]) -> str:
    numbers = [str(priority) for priority in priorities]
    return f"rule{'' if len(numbers) == 1 else 's'} {listed(numbers[:_SOME], len(numbers))}"
