"""Tag immutability: which tags a setting lets move, and which setting brings a repository to its standard.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
"""

from collections.abc import Iterable
from dataclasses import dataclass

from warden.policy import Immutability
from warden.wildcard import matches, overlap

MAX_EXCLUSIONS = 5
"""How many exclusion filters a repository can have (PutImageTagMutability)."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A repository's mode and its exclusion filters, whose order means nothing."""

    immutability: Immutability
    patterns: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In words.

        >>> str(Setting(Immutability.MUTABLE_WITH_EXCLUSION, ("v*",)))
        'MUTABLE except v*'
        """
        word = self.immutability.partition("_")[0]
        return f"{word} except {', '.join(sorted(self.patterns))}" if self.patterns else str(self.immutability)

    def lets_move(self, tag: str) -> bool:
        """Whether the tag may be pushed again onto another digest."""
        listed = any(matches(pattern, tag) for pattern in self.patterns)
        match self.immutability:
            case Immutability.MUTABLE:
                return True
            case Immutability.MUTABLE_WITH_EXCLUSION:
                return not listed
            case Immutability.IMMUTABLE_WITH_EXCLUSION:
                return listed
            case Immutability.IMMUTABLE:
                return False


@dataclass(frozen=True, slots=True)
class Wanted:
    """The setting that a repository should have, why, and why it can't be set, if so."""

    setting: Setting
    reason: str
    blocked: str = ""


def wanted(seen: Setting, asked: Setting) -> Wanted | None:
    """What to set; None where the repository does what is asked, or is stricter.

    Filters that are there are merged, never wiped: another tool, or a person, put them there for a reason.
    """
    match asked.immutability:
        case Immutability.MUTABLE:
            return None
        case Immutability.MUTABLE_WITH_EXCLUSION:
            return _protecting(seen, asked)
        case Immutability.IMMUTABLE_WITH_EXCLUSION | Immutability.IMMUTABLE:
            return _immutable(seen, asked)


def _immutable(seen: Setting, asked: Setting) -> Wanted | None:
    """For a standard of immutable tags: the filters name the tags that may move."""
    immutable = seen.immutability in {Immutability.IMMUTABLE, Immutability.IMMUTABLE_WITH_EXCLUSION}
    # In MUTABLE_WITH_EXCLUSION the filters name the tags that may NOT move: the opposite, so none of them is kept.
    merged = _merged(seen.patterns if immutable else (), asked.patterns)
    setting = Setting(Immutability.IMMUTABLE_WITH_EXCLUSION if merged else Immutability.IMMUTABLE, merged)
    if seen.immutability is setting.immutability and set(seen.patterns) == set(merged):
        return None
    return _bounded(setting, "tags that must be able to move can't" if immutable else "tags can be moved")


def _protecting(seen: Setting, asked: Setting) -> Wanted | None:
    """For a standard that protects some tags and lets the others move: stricter settings stay."""
    setting = Setting(Immutability.MUTABLE_WITH_EXCLUSION, _merged(asked.patterns))
    reason = "tags can be moved that should stay"
    match seen.immutability:
        case Immutability.IMMUTABLE:
            return None
        case Immutability.IMMUTABLE_WITH_EXCLUSION:
            loose = sorted(one for one in seen.patterns if any(overlap(one, other) for other in asked.patterns))
            if not loose:
                return None
            blocked = (
                f"the repository lets {', '.join(loose)} move and keeps all other tags, which is otherwise stricter "
                "than the policy: take the filter out by hand, or ask for IMMUTABLE_WITH_EXCLUSION in the policy"
            )
            return Wanted(setting, reason, blocked)
        case Immutability.MUTABLE_WITH_EXCLUSION:
            merged = _merged(seen.patterns, asked.patterns)
            return (
                None if set(merged) == set(seen.patterns) else _bounded(Setting(setting.immutability, merged), reason)
            )
        case Immutability.MUTABLE:
            return _bounded(setting, reason)


def _bounded(setting: Setting, reason: str) -> Wanted:
    if len(setting.patterns) <= MAX_EXCLUSIONS:
        return Wanted(setting, reason)
    return Wanted(
        setting,
        reason,
        f"{len(setting.patterns)} exclusion filters would be needed and ECR allows {MAX_EXCLUSIONS}: "
        "remove one from the repository or from the policy",
    )


def _merged(*patterns: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({one for part in patterns for one in part}))
