"""What a well-formed policy still can't mean: names that nothing has, rules without effect, settings at odds."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from policy.complaints import Location, locate
from policy.errors import Problem
from policy.layers import MOST_FILTERS, SIGNATURES, Layer, Written
from policy.model import Document
from policy.overlap import covers, example
from policy.source import Node
from policy.values import ANY, UNTAGGED, did_you_mean
from warden.names import Severity
from warden.planning import MAX_EXCLUSIONS
from warden.policy import Immutability

MOST_LIFECYCLE_RULES = 50
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html; as many of ours fit in its characters."""


class Nonsense(NamedTuple):
    """Where the file makes no sense, and why."""

    location: Location
    text: str


def problems(document: Document, layers: Sequence[Layer], root: Node) -> Iterator[Problem]:
    """Everything that makes no sense in a policy of the right form."""
    for nonsense in _all(document, layers):
        place, path, _ = locate(root, nonsense.location, of_key=True)
        yield Problem(place, path, nonsense.text)


def _all(document: Document, layers: Sequence[Layer]) -> Iterator[Nonsense]:
    for layer in layers:
        yield from _channels(layer, list(document.channels))
        yield from _exclusions(layer)
        yield from _lifecycle(layer)
    for number in range(1, len(layers)):
        yield from _reach(layers[number], layers[number + 1 :])
    yield from _pairs(layers, "tags.immutability", "tags.exclude", _tags_at_odds)
    yield from _pairs(layers, "findings.notify_from", "findings.block_from", _findings_at_odds)


def _channels(layer: Layer, known: list[str]) -> Iterator[Nonsense]:
    written = layer.fields.get("channels")
    if written is None:
        return
    if not written.value:
        yield Nonsense(written.location, "expected at least one channel: what needs a person must reach somebody")
    for number, name in enumerate(written.value):
        if name not in known:
            hint = did_you_mean(name, known) or f": expected one of {', '.join(known) or 'none'}"
            yield Nonsense((*written.location, number), f"no channel is called '{name}'{hint}")
    yield from _repetitions(written)


def _exclusions(layer: Layer) -> Iterator[Nonsense]:
    written = layer.fields.get("tags.exclude")
    if written is None:
        return
    if len(written.value) > MAX_EXCLUSIONS:
        yield Nonsense(
            written.location,
            f"expected at most {MOST_FILTERS} patterns besides {SIGNATURES}, got {len(written.value) - 1}: ECR takes "
            f"{MAX_EXCLUSIONS}, and {SIGNATURES} is always added",
        )
    yield from _repetitions(written)


def _repetitions(written: Written) -> Iterator[Nonsense]:
    for number, item in enumerate(written.value):
        if item in written.value[:number]:
            yield Nonsense((*written.location, number), f"'{item}' stands twice: keep one")


def _lifecycle(layer: Layer) -> Iterator[Nonsense]:
    """What ECR refuses, and what it takes but never acts on.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
    """
    written = layer.fields.get("lifecycle.rules")
    if written is None:
        return
    kinds = [rule["of"] for rule in written.value]
    if len(kinds) > MOST_LIFECYCLE_RULES:
        yield Nonsense(
            written.location, f"expected at most {MOST_LIFECYCLE_RULES} rules, ECR's limit, got {len(kinds)}"
        )
    for number, kind in enumerate(kinds):
        if kind == ANY and number < len(kinds) - 1:
            yield Nonsense(
                (*written.location, number), "a rule on any image must be the last one, since ECR evaluates it last"
            )
        decider = next((before for before in range(number) if _decides(kinds[before], kind)), None)
        if decider is not None:
            fix = "keep one of the two" if kinds[decider] == kind else "put this one first"
            yield Nonsense(
                (*written.location, number),
                f"this rule never acts, since rules[{decider}] decides about all its images: {fix}",
            )


def _decides(earlier: str, later: str) -> bool:
    """Whether the earlier rule decides about every image of the later one: what it keeps is kept, too."""
    if later in {UNTAGGED, ANY} or earlier in {UNTAGGED, ANY}:
        return earlier == later
    return covers(earlier, later)


def _reach(rule: Layer, later_rules: Sequence[Layer]) -> Iterator[Nonsense]:
    if example(rule.match, "*") is None:
        yield Nonsense((*rule.location, "match"), f"no repository can have a name like '{rule.match}'")
    if not rule.fields:
        yield Nonsense(rule.location, "the rule asks for nothing: give it a section such as tags, or take it out")
        return
    for later in later_rules:
        if covers(later.match, rule.match) and set(rule.fields) <= set(later.fields):
            yield Nonsense(
                rule.location,
                f'the rule has no effect: rules[{later.location[-1]}] ("{later.match}") matches the same repositories '
                "and sets the same fields, and later wins; put the broader rule first",
            )
            return


Judge = Callable[[Written, Written], str]


def _pairs(layers: Sequence[Layer], one: str, other: str, at_odds: Judge) -> Iterator[Nonsense]:
    """Every combination of two fields that some repository really gets, and that makes no sense.

    A combination counts where a name matches the layers of both fields, and no later one that sets either field anew.
    """
    for i, j in product(range(len(layers)), repeat=2):
        first, second = layers[i].fields.get(one), layers[j].fields.get(other)
        said = at_odds(first, second) if first and second else ""
        if not first or not second or not said:
            continue
        replacing = [layer.match for layer in layers[i + 1 :] if one in layer.fields]
        replacing += [layer.match for layer in layers[j + 1 :] if other in layer.fields]
        name = example(layers[i].match, layers[j].match, unless=replacing)
        if name is not None:
            later_written = first if (i, bool(first.location)) > (j, bool(second.location)) else second
            yield Nonsense(later_written.location, f"{said} (a repository that gets both: {name})")


def _tags_at_odds(immutability: Written, exclude: Written) -> str:
    patterns = ", ".join(pattern for pattern in exclude.value if pattern != SIGNATURES)
    if not patterns:
        return ""
    if immutability.value == Immutability.IMMUTABLE:
        return (
            f"IMMUTABLE ({immutability.origin}) lets no tag move, but exclude ({exclude.origin}) lets {patterns}: "
            "expected IMMUTABLE_WITH_EXCLUSION, or 'exclude: []'"
        )
    # A rule may well say MUTABLE over the defaults' exclusions; in one section the two are a misunderstanding.
    if immutability.value == Immutability.MUTABLE and immutability.location[:-1] == exclude.location[:-1]:
        return f"MUTABLE asks for nothing, so exclude ({patterns}) means nothing: take one of the two out"
    return ""


def _findings_at_odds(notify: Written, block: Written) -> str:
    if Severity(block.value).reaches(Severity(notify.value)):
        return ""
    return (
        f"block_from {block.value} ({block.origin}) is milder than notify_from {notify.value} ({notify.origin}): "
        "expected it as severe, or worse"
    )
