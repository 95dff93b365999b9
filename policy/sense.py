"""What a well-formed policy still can't mean: names that nothing has, rules without effect, settings at odds."""

from collections.abc import Iterator, Sequence

from policy.combinations import judged, said
from policy.complaints import Location, locate
from policy.errors import Problem
from policy.layers import MOST_FILTERS, Layer, Written
from policy.lifecycle_sense import inventory_problems, lifecycle_problems
from policy.model import Channel, Document
from policy.nonsense import Nonsense, repetitions
from policy.overlap import covers, example
from policy.source import Node
from policy.values import did_you_mean
from policy.verdict_sense import verdict_problems
from warden.immutability import MAX_EXCLUSIONS
from warden.names import Severity
from warden.overrides import SIGNATURES
from warden.policy import ChannelType, Immutability


def problems(document: Document, layers: Sequence[Layer], root: Node) -> Iterator[Problem]:
    """Everything that makes no sense in a policy of the right form."""
    for nonsense in _all(document, layers):
        place, path, _ = locate(root, nonsense.location, of_key=True)
        yield Problem(place, path, nonsense.text)


def _all(document: Document, layers: Sequence[Layer]) -> Iterator[Nonsense]:
    for layer in layers:
        yield from _channels(layer, list(document.channels))
        yield from _exclusions(layer)
    for number, rule in enumerate(document.rules or ()):
        if not isinstance(rule.match, str) and not rule.match.model_fields_set:
            yield Nonsense(("rules", number, "match"), "expected at least one of name, regex and tag")
    for number in range(1, len(layers)):
        yield from _reach(layers[number], layers[number + 1 :])
    for name, channel in document.channels.items():
        yield from _address(("channels", name), channel)
    for name in document.overrides.channels if document.overrides else ():
        if name not in document.channels:
            yield Nonsense(("overrides", "channels"), _no_channel(name, list(document.channels)))
    for number, owner in enumerate(document.owners or ()):
        chosen = Written(owner.channels, "", ("owners", number, "channels"))
        yield from _channel_names(chosen, list(document.channels))
    flipped = {
        written.location[:-1]
        for layer in layers
        if (written := layer.fields.get("tags.immutability")) and written.value == Immutability.MUTABLE_WITH_EXCLUSION
    }
    yield from judged(
        layers, "tags.immutability", "tags.exclude", lambda one, other: said(_tags_at_odds(one, other, flipped))
    )
    yield from judged(
        layers, "findings.notify_from", "findings.block_from", lambda one, other: said(_findings_at_odds(one, other))
    )
    yield from lifecycle_problems(layers)
    yield from verdict_problems(layers)
    yield from inventory_problems(document, layers)


def _channels(layer: Layer, known: list[str]) -> Iterator[Nonsense]:
    if written := layer.fields.get("channels"):
        yield from _channel_names(written, known)


def _channel_names(written: Written, known: list[str]) -> Iterator[Nonsense]:
    if not written.value:
        yield Nonsense(written.location, "expected at least one channel: what needs a person must reach somebody")
    for number, name in enumerate(written.value):
        if name not in known:
            yield Nonsense((*written.location, number), _no_channel(name, known))
    yield from repetitions(written.location, written.value)


def _address(location: Location, channel: Channel) -> Iterator[Nonsense]:
    """Where a channel's notices are sent to: a topic's name is no secret, a webhook's URL is."""
    needed, strange = ("topic", "secret") if channel.type == ChannelType.SNS else ("secret", "topic")
    if needed not in channel.model_fields_set:
        example = Channel.model_fields[needed].examples or [""]
        yield Nonsense(
            location,
            f"the key '{needed}' of a channel of type {channel.type} is missing: write, for example, "
            f'{needed}: "{example[0]}"',
        )
    if strange in channel.model_fields_set:
        yield Nonsense((*location, strange), f"a channel of type {channel.type} has no {strange}: take it out")
    if channel.type == ChannelType.WEBHOOK and not channel.hosts:
        yield Nonsense(
            location,
            "the key 'hosts' of a channel of type webhook is missing: write the host of its URL, for example, "
            'hosts: ["hooks.example.com"]',
        )


def _no_channel(name: str, known: list[str]) -> str:
    hint = did_you_mean(name, known) or f": expected one of {', '.join(known) or 'none'}"
    return f"no channel is called '{name}'{hint}"


def _exclusions(layer: Layer) -> Iterator[Nonsense]:
    written = layer.fields.get("tags.exclude")
    if written is None:
        return
    besides = [pattern for pattern in written.value if pattern != SIGNATURES]
    if len(besides) > MOST_FILTERS:
        yield Nonsense(
            written.location,
            f"expected at most {MOST_FILTERS} patterns besides {SIGNATURES}, got {len(besides)}: ECR takes "
            f"{MAX_EXCLUSIONS}, and {SIGNATURES} is always added",
        )
    yield from repetitions(written.location, written.value)


def _reach(rule: Layer, later_rules: Sequence[Layer]) -> Iterator[Nonsense]:
    if example(rule.match.name, "*") is None:
        yield Nonsense((*rule.location, "match"), f"no repository can have a name like '{rule.match.name}'")
    if not rule.fields:
        yield Nonsense(rule.location, "the rule asks for nothing: give it a section such as tags, or take it out")
        return
    for later in later_rules:
        wider = not later.is_narrowed and covers(later.match.name, rule.match.name)
        if wider and set(rule.fields) <= set(later.fields):
            yield Nonsense(
                rule.location,
                f'the rule has no effect: rules[{later.location[-1]}] ("{later.match}") matches the same repositories '
                "and sets the same fields, and later wins; put the broader rule first",
            )
            return


def _tags_at_odds(immutability: Written, exclude: Written, flipped: set[Location]) -> str:
    patterns = ", ".join(pattern for pattern in exclude.value if pattern != SIGNATURES)
    together = immutability.location[:-1] == exclude.location[:-1]
    if immutability.value == Immutability.MUTABLE_WITH_EXCLUSION:
        if patterns and together:
            return ""
        return "MUTABLE_WITH_EXCLUSION needs an exclude beside it, which there names the tags that may not move"
    if immutability.value != Immutability.MUTABLE and not together and exclude.location[:-1] in flipped:
        return (
            f"{immutability.value} would let {patterns} move, which exclude ({exclude.origin}) names as tags that may "
            "not: write an exclude beside it"
        )
    if not patterns:
        return ""
    if immutability.value == Immutability.IMMUTABLE:
        return (
            f"IMMUTABLE ({immutability.origin}) lets no tag move, but exclude ({exclude.origin}) lets {patterns}: "
            "expected IMMUTABLE_WITH_EXCLUSION, or 'exclude: []'"
        )
    # A rule may well say MUTABLE over the defaults' exclusions; in one section the two are a misunderstanding.
    if immutability.value == Immutability.MUTABLE and together:
        return f"MUTABLE asks for nothing, so exclude ({patterns}) means nothing: take one of the two out"
    return ""


def _findings_at_odds(notify: Written, block: Written) -> str:
    if Severity(block.value).reaches(Severity(notify.value)):
        return ""
    return (
        f"block_from {block.value} ({block.origin}) is milder than notify_from {notify.value} ({notify.origin}): "
        "expected it as severe, or worse"
    )
