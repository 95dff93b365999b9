"""What leaves, in numbers: by rule and by repository, as lists and tables of a notice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from warden import storage_cost
from warden.lifecycle.rules import RuleAction
from warden.lifecycle.shields import is_lease
from warden.names import RepositoryName, short
from warden.notices import Line, Section, Table, bold, plain
from warden.pruning import Leaving
from warden.stored_images import StoredImage
from warden.text import clean, size

MOST_ROWS = 10
MOST_NUMBERS = 4
MOST_RULE = 60
MOST_ORIGIN = 80
"""Characters of a rule's words, and of where it stands."""
NEVER = "never"
_UNNAMED = "no rule"
_FOLLOWER = "follows what it is about"

Rule = tuple[str, str]
"""Its words, and where it stands in the policy."""


@dataclass(frozen=True, slots=True)
class Going:
    """What leaves a repository, or several: images one by one, and `more` of `more_bytes` that nobody listed."""

    listed: tuple[Leaving, ...] = ()
    more: int = 0
    more_bytes: int = 0

    @property
    def count(self) -> int:
        """How many images."""
        return len(self.listed) + self.more

    @property
    def weight(self) -> int:
        """Bytes, at most: see `warden.storage_cost`."""
        return _weight(self.listed) + self.more_bytes

    @property
    def deleted(self) -> int:
        """How many are listed that are deleted."""
        return sum(one.action is RuleAction.EXPIRE for one in self.listed)

    @property
    def archived(self) -> int:
        """How many are listed that are archived."""
        return len(self.listed) - self.deleted

    @property
    def saved(self) -> int:
        """The bytes that nobody pays for any more, at most: of what is deleted, and of what is not known to stay."""
        return _weight(one for one in self.listed if one.action is RuleAction.EXPIRE) + self.more_bytes


def together(parts: Iterable[Going]) -> Going:
    """All of it."""
    every = tuple(parts)
    listed = tuple(one for part in every for one in part.listed)
    return Going(listed, sum(part.more for part in every), sum(part.more_bytes for part in every))


def rule_of(leaving: Leaving) -> Rule:
    """The rule that takes an image. Reference artifacts are one kind, whatever each of them is about."""
    return (_FOLLOWER if leaving.image.subject is not None else leaving.rule, leaving.origin)


def by_rule(leaving: Iterable[Leaving]) -> Mapping[Rule, Sequence[Leaving]]:
    """The images of each rule, first those of the rule that takes most."""
    rules: dict[Rule, list[Leaving]] = {}
    for one in leaving:
        rules.setdefault(rule_of(one), []).append(one)
    return dict(sorted(rules.items(), key=lambda item: (-len(item[1]), item[0])))


def rules_table(title: str, going: Going, at: datetime) -> Table:
    """Which rule takes how much, and when somebody last pulled any of it."""
    rules = by_rule(going.listed)
    rows = [
        (words(rule), f"{len(taken):,}", size(_weight(taken)), last_pull((one.image for one in taken), at))
        for rule, taken in list(rules.items())[:MOST_ROWS]
    ]
    if going.more:
        rows.append(("not listed", f"{going.more:,}", size(going.more_bytes), "-"))
    columns = ("Rule", "Images", "Size", "Last pull")
    return Table(title, columns, tuple(rows), more=max(0, len(rules) - MOST_ROWS))


def rules_list(title: str, rules: Mapping[Rule, Sequence[Leaving]], at: datetime) -> Section:
    """Each rule by a number, for tables to name it by, with where it stands and how much it takes."""
    numbered = list(enumerate(rules.items(), start=1))
    items = tuple(_rule_line(number, rule, taken, at) for number, (rule, taken) in numbered[:MOST_ROWS])
    return Section(title, items, more=len(rules) - len(items))


def _rule_line(number: int, rule: Rule, taken: Sequence[Leaving], at: datetime) -> Line:
    where = f" ({clean(rule[1], MOST_ORIGIN)})" if rule[1] else ""
    pulled = last_pull((one.image for one in taken), at)
    said = "never pulled" if pulled == NEVER else f"last pull {pulled}"
    return (
        bold(f"{number} · {words(rule)}"),
        plain(f"{where} · {images(len(taken))}, {size(_weight(taken))} · {said}"),
    )


def repositories_table(
    title: str, going: Mapping[RepositoryName, Going], rules: Iterable[Rule], *, prices: bool
) -> Table:
    """What leaves each repository, first those that get rid of most.

    `rules` are those that have numbers, in their order, and `prices` says whether we know them there. Rows are short,
    so that no product cuts them: a column that says nothing is left out.
    """
    numbers = {rule: number for number, rule in enumerate(rules, start=1)}
    ranked = sorted(going.items(), key=lambda item: (-item[1].saved, -item[1].weight, item[0]))
    every = together(going.values())
    costs = prices and bool(every.deleted) and not every.more
    shows = (True, bool(every.deleted), bool(every.archived), bool(every.more), True, costs, True)
    rows = tuple(_shown(_cells(name, part, numbers), shows) for name, part in ranked[:MOST_ROWS])
    return Table(title, _shown(_COLUMNS, shows), rows, more=len(ranked) - len(rows))


_COLUMNS = ("Repository", "Deleted", "Archived", "Not listed", "Size", "A month", "By rule")


def _cells(name: str, going: Going, numbers: Mapping[Rule, int]) -> tuple[str, ...]:
    named = sorted({numbers[rule_of(one)] for one in going.listed})
    others = f" +{len(named) - MOST_NUMBERS}" if len(named) > MOST_NUMBERS else ""
    return (
        name,
        f"{going.deleted:,}",
        f"{going.archived:,}",
        f"{going.more:,}",
        size(going.weight),
        storage_cost.dollars(storage_cost.a_month(going.saved)),
        ", ".join(map(str, named[:MOST_NUMBERS])) + others,
    )


def _shown(cells: Sequence[str], shows: Sequence[bool]) -> tuple[str, ...]:
    return tuple(cell for cell, is_shown in zip(cells, shows, strict=True) if is_shown)


def words(rule: Rule) -> str:
    """A rule's words, as short as a table wants them."""
    return clean(rule[0], MOST_RULE) or _UNNAMED


def last_pull(pulled: Iterable[StoredImage], at: datetime) -> str:
    """The day on which any of them was pulled last.

    >>> last_pull((), datetime(2026, 11, 23, tzinfo=UTC))
    'never'
    """
    pulls = [image.pulled_at for image in pulled if image.pulled_at]
    if not pulls:
        return NEVER
    day, today = max(pulls).astimezone(UTC).date(), at.astimezone(UTC).date()
    if day >= today:
        return "today"
    return f"{day:%d %b}" if day.year == today.year else f"{day:%d %b %Y}"


def name_of(image: StoredImage) -> str:
    """What people call it within its repository: a tag that is no lease (`latest` says least), or else its digest."""
    tags = [tag for tag in image.tags if not is_lease(tag)]
    return min(tags, key=lambda tag: (tag == "latest", tag)) if tags else short(image.digest)


def counted(going: Going, one: str, many: str) -> str:
    """How many are deleted, and how many archived; the verb for one, or for many, comes with the first.

    >>> counted(Going(more=2), "leaves", "leave")
    '2 leave that are not listed'
    """
    every = ((going.deleted, "deleted"), (going.archived, "archived"), (going.more, "that are not listed"))
    parts = [(count, what) for count, what in every if count]
    if not parts:
        return "nothing"
    (count, what), *others = parts
    first = f"{count:,} {one if count == 1 else many} {what}"
    return " and ".join((first, *(f"{count:,} {what}" for count, what in others)))


def images(count: int) -> str:
    """So many images."""
    return f"{count:,} {'image' if count == 1 else 'images'}"


def repositories(count: int) -> str:
    """So many repositories."""
    return f"{count:,} {'repository' if count == 1 else 'repositories'}"


def _weight(leaving: Iterable[Leaving]) -> int:
    return storage_cost.weight(one.image for one in leaving)
