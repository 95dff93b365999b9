"""What follows from a verdict, and what nobody needs: what `promote`, `quarantine` and `empty` still can't mean."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from policy.combinations import judged, said
from policy.layers import Layer, Written
from policy.nonsense import Nonsense, repetitions
from policy.overlap import covers, example
from warden.lifecycle.shields import LEASE_PATTERN
from warden.names import RepositoryName
from warden.overrides import SIGNATURES
from warden.policy import Immutability, Match, Mode, QuarantineBy
from warden.standards import QUARANTINED, applies

LONGEST_TAG = 128
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html"""
_OURS: Mapping[str, str] = {
    QUARANTINED: "images in quarantine have",
    LEASE_PATTERN: "the warden gives to what is in use",
    SIGNATURES: "signatures have, which go along with what they sign",
}
"""Patterns of tags that are never promoted, and whose they are."""
_MAY_MOVE = frozenset({Immutability.MUTABLE, Immutability.MUTABLE_WITH_EXCLUSION})

Fields = Mapping[str, Written]


class _Need(NamedTuple):
    """Fields that mean nothing to a repository for which no layer gives the field `of` a value that counts."""

    written: tuple[str, ...]
    of: str
    counts: Callable[[Any], bool]
    otherwise: str
    is_of_one_field: bool = False


_NEEDS = (
    _Need(
        ("promote.mode", "promote.tags", "promote.rename", "promote.region", "promote.role"),
        "promote.to",
        bool,
        'nothing says where images go that pass: write, for example, to: "release/{name}" beside it',
    ),
    _Need(
        ("quarantine.mode", "quarantine.in_use"),
        "quarantine.by",
        bool,
        "nothing says how images are put in quarantine: write by: tags beside it, which moves their tags aside, or "
        "by: pull, which lets nobody pull from their repository",
    ),
    _Need(
        ("quarantine.break_glass",),
        "quarantine.by",
        lambda how: how == QuarantineBy.PULL,
        "it goes with 'by: pull' only, which alone keeps anybody from pulling: write by: pull, or take break_glass out",
        is_of_one_field=True,
    ),
    _Need(
        ("empty.mode",),
        "empty.after",
        bool,
        "nothing says how old an empty repository may become: write, for example, after: 90d beside it",
    ),
)


def verdict_problems(layers: Sequence[Layer]) -> Iterator[Nonsense]:
    """Everything that makes no sense in the layers' sections on promotion, quarantine and empty repositories."""
    for layer in layers:
        for field in ("promote.tags", "quarantine.break_glass"):
            if written := layer.fields.get(field):
                yield from repetitions(written.location, written.value)
        yield from _ours(layer)
        yield from _in_use(layer)
        for need in _NEEDS:
            yield from _in_vain(layer, layers, need)
        yield from _into_itself(layer, layers)
    yield from judged(layers, "promote.to", "promote.tags", lambda one, other: said(_no_tag(one, other)))
    yield from judged(layers, "promote.rename", "promote.tags", lambda one, other: said(_too_long(one, other)))


def verdict_notes(layers: Sequence[Layer]) -> Iterator[str]:
    """What the author of a policy that makes sense should know all the same, each with its line."""
    for layer in layers:
        yield from _tags_that_may_move(layer, layers)
        yield from _nobody_may_pull(layer, layers)


def _ours(layer: Layer) -> Iterator[Nonsense]:
    """Tags that are never promoted: what is to be promoted, and what it is to be called."""
    if tags := layer.fields.get("promote.tags"):
        for number, pattern in enumerate(tags.value):
            if whose := _whose(pattern):
                yield Nonsense(
                    (*tags.location, number), f"'{pattern}' are tags that {whose}: they are never promoted; take it out"
                )
    rename = layer.fields.get("promote.rename")
    if rename and (whose := _whose(rename.value.replace("{tag}", "*"))):
        yield Nonsense(rename.location, f"'{rename.value}' would make tags such as {whose}: choose another name")


def _whose(pattern: str) -> str:
    """What is told of tags that we or signing tools have made, where the pattern is for such tags alone."""
    return next((whose for ours, whose in _OURS.items() if covers(ours, pattern)), "")


def _in_use(layer: Layer) -> Iterator[Nonsense]:
    """What runs is stopped by hand, not by a pattern."""
    written = layer.fields.get("quarantine.in_use")
    if written and written.value and (layer.location == ("defaults",) or layer.is_narrowed or "*" in layer.match.name):
        yield Nonsense(
            written.location,
            "only a rule for one repository, by its whole name, can put images in quarantine that are in use: write "
            'one such as {match: "team-a/app", quarantine: {in_use: true}} for each',
        )


def _in_vain(layer: Layer, layers: Sequence[Layer], need: _Need) -> Iterator[Nonsense]:
    """Fields that promise something and mean nothing; that a section is off may be said of anything."""
    mode = layer.fields.get(f"{need.of.partition('.')[0]}.mode")
    if mode and mode.location and mode.value == Mode.OFF:
        return
    found = [layer.fields[field] for field in need.written if field in layer.fields and layer.fields[field].location]
    if not found or _reached(layer, layers, need):
        return
    yield Nonsense(found[0].location if need.is_of_one_field else found[0].location[:-1], need.otherwise)


def _reached(layer: Layer, layers: Sequence[Layer], need: _Need) -> bool:
    """Whether a repository may get both the layer and a value that counts."""
    return any(
        need.of in other.fields
        and need.counts(other.fields[need.of].value)
        and example(layer.match.name, other.match.name) is not None
        for other in layers
    )


def _into_itself(layer: Layer, layers: Sequence[Layer]) -> Iterator[Nonsense]:
    """A repository that would be its own release repository, where it is in the same registry."""
    written = layer.fields.get("promote.to")
    if written is None or not written.value:
        return
    pattern = written.value.replace("{name}", "*")
    name = example(layer.match.name, pattern, such=lambda name: _is_own_target(name, layer, layers))
    if name is not None:
        yield Nonsense(
            written.location,
            f"{name} would be promoted into itself: leave release repositories out by a rule after this, such as "
            f'{{match: "{pattern}", promote: {{mode: off}}}}',
        )


def _is_own_target(name: str, layer: Layer, layers: Sequence[Layer]) -> bool:
    fields = _fields(layers, name, layer)
    return fields is not None and fields["promote.to"] is layer.fields["promote.to"] and _target(fields, name) == name


def _target(fields: Fields, name: str) -> str:
    """The release repository in the same registry; empty where there is none, or it is elsewhere."""
    elsewhere = fields["promote.region"].value or fields["promote.role"].value
    if elsewhere or fields["promote.mode"].value == Mode.OFF or not fields["promote.to"].value:
        return ""
    target: str = fields["promote.to"].value
    return target.replace("{name}", name.rpartition("/")[2])


def _no_tag(to: Written, tags: Written) -> str:
    if not to.value or tags.value:
        return ""
    return f'promote.to ({to.origin}) says where to, and nothing says which: write, for example, tags: ["v*"] beside it'


def _too_long(rename: Written, tags: Written) -> str:
    """Whether what a pattern matches is too long for a tag at the least, once it is renamed."""
    for pattern in tags.value:
        length = len(rename.value.replace("{tag}", pattern.replace("*", "")))
        if length > LONGEST_TAG:
            return (
                f"'{pattern}', renamed to '{rename.value}' ({rename.origin}), has {length} characters at least, and a "
                f"tag {LONGEST_TAG} at most: choose a shorter name"
            )
    return ""


def _tags_that_may_move(layer: Layer, layers: Sequence[Layer]) -> Iterator[str]:
    """What is promoted is worth as much as its tags are."""
    written = layer.fields.get("promote.to")
    name = _example_of(layer, layers, "promote.to")
    fields = _fields(layers, name, layer) if name else None
    target = _target(fields, name) if name and fields else ""
    if written is None or not target:
        return
    there = _fields(layers, target, layers[0]) or {}
    asked = there["tags.immutability"]
    if asked.value in _MAY_MOVE and there["tags.mode"].value != Mode.OFF:
        yield (
            f"{written.origin}: in {target}, where images go that pass, tags may be moved to others: {asked.value} "
            f"({asked.origin})"
        )


def _nobody_may_pull(layer: Layer, layers: Sequence[Layer]) -> Iterator[str]:
    """Forensics begin with a pull."""
    written = layer.fields.get("quarantine.by")
    name = _example_of(layer, layers, "quarantine.by") if written and written.value == QuarantineBy.PULL else None
    fields = _fields(layers, name, layer) if name else None
    if written and fields and not fields["quarantine.break_glass"].value:
        yield (
            f"{written.origin}: by: pull without break_glass: while an image is in quarantine nobody can pull from its "
            "repository, not even to look into it"
        )


def _example_of(layer: Layer, layers: Sequence[Layer], field: str) -> str | None:
    """A repository that gets the layer's field, as far as names decide."""
    if field not in layer.fields:
        return None
    after = layers[layers.index(layer) + 1 :]
    replacing = [other.match.name for other in after if field in other.fields and not other.is_narrowed]
    return example(layer.match.name, layer.match.name, unless=replacing)


def _fields(layers: Sequence[Layer], name: str, chosen: Layer) -> Fields | None:
    """What a repository of that name gets that gets the chosen layer; None where it can't.

    Tags can't be told from names: of the layers that go by them only the chosen one counts.
    """
    if chosen.match.regex and not applies(Match(chosen.match.name, chosen.match.regex), RepositoryName(name), {}):
        return None
    fields: dict[str, Written] = {}
    for layer in layers:
        if layer is chosen or applies(layer.match, RepositoryName(name), {}):
            fields.update(layer.fields)
    return fields
