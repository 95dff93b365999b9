"""From the standard's lifecycle rules to the JSON that ECR takes.

ECR can't say everything that a standard can; what it can't say the warden carries out itself (`direct`), and a shield
keeps ECR's later rules from what such a rule decides about.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from warden.errors import Refused
from warden.lifecycle.describing import describe
from warden.lifecycle.evaluation import evaluate
from warden.lifecycle.references import standing_alone
from warden.lifecycle.rules import CountType, Rule, RuleAction, TagStatus
from warden.lifecycle.shields import LEASE_PATTERN, leased, selection, shield, unleased
from warden.lifecycle.validation import LONGEST, MOST_RULES, write
from warden.names import Digest
from warden.policy import LifecycleAction, LifecycleRule, LifecycleStandard
from warden.stored_images import StoredImage
from warden.wildcard import matches, overlap

_FRESH = "\0"
"""Stands for a wildcard's characters, whatever they are: no pattern has it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A standard as ECR's lifecycle policy.

    `text` is for PutLifecyclePolicy, None where ECR has nothing to do. `origins` gives for each priority the number of
    the standard's rule, from 0, or None where it comes from elsewhere; `shields` are the priorities of the rules that
    never act.
    """

    text: str | None
    rules: tuple[Rule, ...]
    origins: Mapping[int, int | None]
    shields: frozenset[int]

    def words(self, priority: int) -> str:
        """What the rule of that priority does, for people."""
        return next(rule.description for rule in self.rules if rule.priority == priority)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A rule without a priority yet; one that does not act is a shield."""

    rule: Rule
    origin: int | None = None
    acts: bool = False


def render(standard: LifecycleStandard) -> Rendered:
    """The lifecycle policy that the standard asks for, with as few rules as will do.

    The standard's rules keep their order. Before them stand shields for leases and for protected tags, and in the place
    of what the warden carries out itself shields where a later rule could take the same images.

    Raises Refused where ECR would not take so much.
    """
    stored = _fewest([*_guards(standard, archived=False), *_of_rules(standard)])
    last = [entry for entry in stored if entry.rule.tag_status is TagStatus.ANY]
    others = [entry for entry in stored if entry.rule.tag_status is not TagStatus.ANY]
    entries = [*others, *_for_archive(standard, parted=bool(last)), *last]
    numbered = [replace(entry, rule=replace(entry.rule, priority=n)) for n, entry in enumerate(entries, start=1)]
    rules = tuple(entry.rule for entry in numbered)
    return Rendered(
        text=_text(rules) if rules else None,
        rules=rules,
        origins={entry.rule.priority: entry.origin for entry in numbered},
        shields=frozenset(entry.rule.priority for entry in numbered if not entry.acts),
    )


def suspended(rendered: Rendered) -> str:
    """The policy that takes nothing, put in the place of the rendered one when pruning has to stop: shields alone."""
    kept = [rule for rule in rendered.rules if rule.priority in rendered.shields and not rule.archived]
    if not any(rule.patterns == (LEASE_PATTERN,) for rule in kept):
        kept = [_lease_shield(archived=False), *kept]
    return _text([replace(rule, priority=number) for number, rule in enumerate(kept, start=1)])


def is_direct(rule: LifecycleRule, standard: LifecycleStandard) -> bool:
    """Whether the warden carries the rule out itself, since ECR has no such rule.

    ECR's rules know no labels, no versions and no waiting, and by the last pull they only archive.
    """
    by_pull = rule.not_pulled_days is not None and standard.action is LifecycleAction.DELETE
    return standard.wait_days is not None or rule.per is not None or rule.label is not None or by_pull


def displaced(
    standard: LifecycleStandard, images: Sequence[StoredImage], carriers: Collection[Digest]
) -> frozenset[Digest]:
    """The images that need a lease only because others have one: their lease pushes these out of a rule's count.

    A lease is a tag. Where a rule keeps the newest of the images with some tag that a lease matches too (`*`), a lease
    makes one more of them, and another image, which nobody would have taken, is beyond the number. `carriers` are all
    the images that will have a lease for a reason of their own; leases that are seen on others count for nothing.
    """
    rules = render(standard).rules
    shielded = any(rule.patterns == (LEASE_PATTERN,) and not rule.archived for rule in rules)
    if not carriers or not shielded or not any(map(_counts_leases, rules)):
        return frozenset()
    own = [
        replace(unleased(image), children=(), subject=None) for image in standing_alone(images) if not image.archived
    ]
    before = _beyond_counts(rules, own)
    found = frozenset[Digest]()
    while True:  # every round finds images that were not found before, or ends
        with_leases = [leased(image) if image.digest in found or image.digest in carriers else image for image in own]
        pushed_out = _beyond_counts(rules, with_leases) - before
        if not pushed_out:
            return found
        found |= pushed_out


def _counts_leases(rule: Rule) -> bool:
    counts = rule.count_type is CountType.IMAGE_COUNT_MORE_THAN
    return counts and bool(rule.patterns) and overlap(rule.patterns[0], LEASE_PATTERN)


def _beyond_counts(rules: Sequence[Rule], images: Sequence[StoredImage]) -> frozenset[Digest]:
    """What the rules that count take, at a time when no image is of any age yet."""
    dawn = min((image.stored_since for image in images), default=None)
    if dawn is None:
        return frozenset()
    return frozenset(taken.image.digest for taken in evaluate(rules, images, dawn))


def _guards(standard: LifecycleStandard, *, archived: bool) -> list[_Entry]:
    """Shields for what no rule may take: whatever has a lease, whoever needs it (what a person put back, too)."""
    return [
        _Entry(_lease_shield(archived=archived)),
        *(
            _Entry(shield(TagStatus.TAGGED, (tag,), f"protected images tagged {tag} stay", archived=archived))
            for tag in standard.protection.tags
        ),
    ]


def _lease_shield(*, archived: bool) -> Rule:
    why = f"images that must live, tagged {LEASE_PATTERN}, stay"
    return shield(TagStatus.TAGGED, (LEASE_PATTERN,), why, archived=archived)


def _of_rules(standard: LifecycleStandard) -> Iterator[_Entry]:
    for number, rule in enumerate(standard.rules):
        words = describe(rule, standard.action)
        if is_direct(rule, standard):
            yield _Entry(shield(*selection(rule.of), f"{words}, which ECR Warden does itself"))
        else:
            yield _Entry(_rule(rule, standard.action, words), number, acts=True)


def _rule(rule: LifecycleRule, action: LifecycleAction, words: str) -> Rule:
    if rule.keep is not None:
        count_type, count = CountType.IMAGE_COUNT_MORE_THAN, rule.keep
    elif rule.not_pulled_days is not None:
        count_type, count = CountType.SINCE_IMAGE_PULLED, rule.not_pulled_days
    else:
        count_type, count = CountType.SINCE_IMAGE_PUSHED, rule.after_days or 1
    status, patterns = selection(rule.of)
    return Rule(
        priority=0,
        tag_status=status,
        count_type=count_type,
        count=count,
        action=RuleAction.EXPIRE if action is LifecycleAction.DELETE else RuleAction.TRANSITION,
        patterns=patterns,
        description=words,
    )


def _for_archive(standard: LifecycleStandard, *, parted: bool) -> list[_Entry]:
    """What is archived is deleted at last, but for what is protected.

    A rule on `any` must have the highest priority, ECR's page says, without a word on whether each storage class may
    have its own: where the standard class has one, all of the archive is told as the untagged and the tagged.
    """
    days = standard.delete_archived_days
    if days is None:
        return []
    whole = Rule(
        priority=0,
        tag_status=TagStatus.ANY,
        count_type=CountType.SINCE_IMAGE_TRANSITIONED,
        count=days,
        action=RuleAction.EXPIRE,
        archived=True,
        description=f"delete archived images {days} days after they were archived",
    )
    tagged = replace(whole, tag_status=TagStatus.TAGGED, patterns=("*",))
    parts = [tagged, replace(whole, tag_status=TagStatus.UNTAGGED)] if parted else [whole]
    acting = [_Entry(rule, acts=True) for rule in parts]
    return _fewest([*_guards(standard, archived=True), *acting])


def _fewest(entries: Iterable[_Entry]) -> list[_Entry]:
    """Without the entries that change nothing: those that never decide, and shields that nothing later needs."""
    alive: list[_Entry] = []
    for entry in entries:
        if not any(_covers(earlier.rule, entry.rule) for earlier in alive):
            alive.append(entry)
    return [entry for n, entry in enumerate(alive) if entry.acts or _is_needed(entry, alive[n + 1 :])]


def _is_needed(entry: _Entry, later: Sequence[_Entry]) -> bool:
    """Whether a later rule could take what the shield is about, before a wider shield takes its place.

    The shield for leases stays: whoever reads the policy should find it.
    """
    for other in later:
        if other.acts and _may_take(other.rule, entry.rule):
            return True
        if not other.acts and _covers(other.rule, entry.rule) and entry.rule.patterns != (LEASE_PATTERN,):
            return False
    return False


def _may_take(rule: Rule, shielded: Rule) -> bool:
    """Whether both can be about one image; it may have several tags, so that it can meet any two patterns."""
    return rule.tag_status in {TagStatus.ANY, shielded.tag_status}


def _covers(outer: Rule, inner: Rule) -> bool:
    """Whether the outer is about all that the inner is about."""
    if outer.tag_status is not TagStatus.TAGGED or inner.tag_status is not TagStatus.TAGGED:
        return outer.tag_status in {TagStatus.ANY, inner.tag_status}
    return matches(outer.patterns[0], inner.patterns[0].replace("*", _FRESH))


def _text(rules: Sequence[Rule]) -> str:
    """The policy for PutLifecyclePolicy."""
    text = write(rules)
    if len(rules) > MOST_RULES or len(text) > LONGEST:
        raise Refused(
            f"the lifecycle standard comes to {len(rules)} rules and {len(text)} characters for ECR, with a shield for "
            f"each protected pattern, and ECR takes {MOST_RULES} rules and {LONGEST} characters: write fewer rules, or "
            "protect tags by fewer, wider patterns"
        )
    return text
