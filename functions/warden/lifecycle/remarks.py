"""What the linter says of a lifecycle policy, and how it words rules and images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus
from warden.names import short
from warden.stored_images import StoredImage
from warden.text import clean, clip_middle

EXAMPLES = 3
"""Images that a remark names; the others are counted."""
LONGEST = 700
_LONGEST_TAG = 60
_MOST_PATTERNS = 5


class Level(StrEnum):
    """How much a remark asks of its reader, worst first."""

    ERROR = "error"
    """It loses what it should not, or can't be put at all."""
    WARNING = "warning"
    """It most probably does something else than its author meant."""
    NOTE = "note"
    """It is worth knowing, and nothing has to be done."""


class Code(StrEnum):
    """The stable names of the remarks; docs/lifecycle-lint.md explains each."""

    REFUSED_BY_ECR = "refused-by-ecr"
    TAKES_IN_USE = "takes-in-use"
    KEEPS_TOO_FEW = "keeps-too-few"
    PROTECTS_NOTHING = "protects-nothing"
    MATCHES_NOTHING = "matches-nothing"
    NOT_A_WILDCARD = "not-a-wildcard"
    NEVER_A_TAG = "never-a-tag"
    TAKEN_FOR_OR = "taken-for-or"
    SHADOWED = "shadowed"
    NOTHING_LEFT = "nothing-left"
    TAKES_MOVING_TAG = "takes-moving-tag"
    TAKES_SIGNATURES = "takes-signatures"
    COUNTS_SIGNATURES = "counts-signatures"
    SHARED_COUNT = "shared-count"
    UNTAGGED_CHILDREN = "untagged-children"
    ARCHIVE_UNDER_90_DAYS = "archive-under-90-days"
    ARCHIVE_IS_EMPTY = "archive-is-empty"
    TAKES_EVERYTHING = "takes-everything"
    TAKES_MOST = "takes-most"
    TAKES_NOTHING = "takes-nothing"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to say of a lifecycle policy on a repository.

    `priority` is the rule's, None where it is about the whole policy. `images` are a few examples of the `count` images
    that it is about. `text` is safe to show.
    """

    code: Code
    severity: Level
    priority: int | None
    text: str
    images: tuple[StoredImage, ...] = ()
    count: int = 0

    def __str__(self) -> str:
        """The remark in one line.

        >>> str(Remark(Code.MATCHES_NOTHING, Level.NOTE, 2, "no image is tagged pr-*"))
        'note: rule 2: no image is tagged pr-* [matches-nothing]'
        """
        where = "" if self.priority is None else f"rule {self.priority}: "
        return f"{self.severity}: {where}{self.text} [{self.code}]"


def about(code: Code, severity: Level, rule: Rule | None, text: str, images: Sequence[StoredImage] = ()) -> Remark:
    """A remark on one rule, or on the whole policy, with the first of the images that it is about."""
    priority = None if rule is None else rule.priority
    return Remark(code, severity, priority, clean(text, LONGEST), tuple(images[:EXAMPLES]), len(images))


def requirement(rule: Rule) -> str:
    """Which images a rule matches, in words.

    >>> requirement(Rule(1, TagStatus.TAGGED, CountType.IMAGE_COUNT_MORE_THAN, 3, RuleAction.EXPIRE, ("v*", "*-rc")))
    'tagged v* and *-rc'
    """
    if rule.tag_status is not TagStatus.TAGGED:
        return "untagged" if rule.tag_status is TagStatus.UNTAGGED else "of any kind"
    entries = entries_of(rule)
    more = f" and {len(entries) - _MOST_PATTERNS} more" if len(entries) > _MOST_PATTERNS else ""
    return f"tagged {' and '.join(shown(entry) for entry in entries[:_MOST_PATTERNS])}{more}"


def entries_of(rule: Rule) -> tuple[str, ...]:
    """The rule's list of tags as patterns: a prefix is a pattern that ends in a wildcard."""
    return (*rule.patterns, *(f"{prefix}*" for prefix in rule.prefixes))


def limit(rule: Rule) -> str:
    """When a rule takes an image that it matches, in words.

    >>> limit(Rule(1, TagStatus.ANY, CountType.SINCE_IMAGE_PUSHED, 30, RuleAction.EXPIRE))
    '30 days after the push'
    """
    if rule.count_type is CountType.IMAGE_COUNT_MORE_THAN:
        return f"beyond the newest {rule.count}"
    since = {CountType.SINCE_IMAGE_PULLED: "last pull", CountType.SINCE_IMAGE_TRANSITIONED: "archiving"}
    return f"{rule.count} days after the {since.get(rule.count_type, 'push')}"


def verb(rule: Rule) -> str:
    """What a rule does to images."""
    return "deletes" if rule.action is RuleAction.EXPIRE else "archives"


def shown(text: str) -> str:
    """A tag or a pattern, safe to show; the end says most."""
    return clip_middle(text, _LONGEST_TAG)


def name(image: StoredImage) -> str:
    """An image as people know it: by its tag, or by its digest where it has none."""
    return shown(image.tags[0]) if image.tags else short(image.digest)


def names(images: Sequence[StoredImage], count: int | None = None) -> str:
    """A few images by name, the rest counted; `count` says how many there are where they aren't all given.

    >>> names([]), names([], 2)
    ('', '2 more')
    """
    return listed([name(image) for image in images[:EXAMPLES]], len(images) if count is None else count)


def listed(first: Iterable[str], count: int) -> str:
    """The first of so many things, and how many more there are.

    >>> listed(["a", "b"], 2), listed(["a", "b", "c"], 5), listed(["a"], 1)
    ('a and b', 'a, b, c and 2 more', 'a')
    """
    words = list(first)
    if count > len(words):
        words.append(f"{count - len(words)} more")
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def images_in_words(count: int) -> str:
    """A number of images.

    >>> images_in_words(1), images_in_words(12000)
    ('1 image', '12,000 images')
    """
    return f"{count:,} image{'' if count == 1 else 's'}"


def have(count: int, one: str, several: str) -> str:
    """The form of a verb that goes with a number."""
    return one if count == 1 else several
