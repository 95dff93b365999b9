"""Two fields that may come from different layers: every combination of them that some repository really gets."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from policy.complaints import Location
from policy.layers import Layer, Written
from policy.nonsense import Nonsense
from policy.overlap import example


class AtOdds(NamedTuple):
    """Why two fields make no sense together, and where below the one that was written later."""

    text: str
    below: Location = ()


Judge = Callable[[Written, Written], Iterable[AtOdds]]


def said(text: str) -> tuple[AtOdds, ...]:
    """A judgement in one sentence; none where it is empty."""
    return (AtOdds(text),) if text else ()


def judged(layers: Sequence[Layer], one: str, other: str, at_odds: Judge) -> Iterator[Nonsense]:
    """Every combination of two fields that some repository really gets, and that makes no sense.

    A combination counts where a name matches the layers of both fields, and no later one that sets either field anew.
    """
    for (i, first), (j, second) in product(_set(layers, one), _set(layers, other)):
        found = tuple(at_odds(first, second))
        if not found or (i != j and i and j and (layers[i].is_narrowed or layers[j].is_narrowed)):
            continue  # whether one repository matches two narrowed layers can't be told
        replacing = [layer.match.name for layer in layers[i + 1 :] if one in layer.fields]
        replacing += [layer.match.name for layer in layers[j + 1 :] if other in layer.fields]
        name = example(layers[i].match.name, layers[j].match.name, unless=replacing)
        if name is not None:
            later = first if (i, bool(first.location)) > (j, bool(second.location)) else second
            proof = f" (a repository that gets both: {name})" if i != j else ""
            yield from (Nonsense((*later.location, *odd.below), f"{odd.text}{proof}") for odd in found)


def _set(layers: Sequence[Layer], field: str) -> list[tuple[int, Written]]:
    return [(number, layer.fields[field]) for number, layer in enumerate(layers) if field in layer.fields]
