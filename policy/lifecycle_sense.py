"""What a well-formed lifecycle section, or inventory, still can't mean: rules that never act, and what ECR refuses."""

from collections.abc import Iterator, Sequence

from policy.combinations import AtOdds, judged, said
from policy.image_values import ANY, UNTAGGED
from policy.layers import Layer, Written
from policy.lifecycle_limits import MOST_LIFECYCLE_RULES, too_large
from policy.model import Document
from policy.nonsense import Nonsense, repetitions
from policy.overlap import covers
from warden.policy import LifecycleAction


def lifecycle_problems(layers: Sequence[Layer]) -> Iterator[Nonsense]:
    """Everything that makes no sense in the layers' lifecycle sections."""
    for layer in layers:
        if rules := layer.fields.get("lifecycle.rules"):
            yield from _rules(rules)
        if protected := layer.fields.get("lifecycle.protect.tags"):
            yield from repetitions(protected.location, protected.value)
    yield from judged(layers, "lifecycle.protect.tags", "lifecycle.rules", _spared_for_ever)
    yield from judged(layers, "lifecycle.action", "lifecycle.wait", lambda one, other: said(_waits_in_vain(one, other)))
    yield from too_large(layers)


def inventory_problems(document: Document, layers: Sequence[Layer]) -> Iterator[Nonsense]:
    """What can't be asked, or is asked twice. An inventory that nobody needs does no harm."""
    inventory = document.inventory
    if inventory is None:
        return
    for key in ("sources", "regions", "roles", "functions"):
        yield from repetitions(("inventory", key), getattr(inventory, key) or ())
    accounts: dict[str, str] = {}
    for number, role in enumerate(inventory.roles or ()):
        account = role.split(":")[4]
        if accounts.setdefault(account, role) != role:
            yield Nonsense(
                ("inventory", "roles", number),
                f"the account {account} has a role here already, {accounts[account]}: keep one that may ask for all",
            )
    if inventory.sources == [] and not inventory.functions and (remedy := _needs_inventory(layers)):
        yield Nonsense(
            ("inventory", "sources"),
            "expected at least one source, or a function of your own: where nobody is asked, nothing would be in use; "
            f"{remedy}",
        )


def _needs_inventory(layers: Sequence[Layer]) -> str:
    """How to do without, where it has to be known what is in use; empty where it has not."""
    if _says(layers, "lifecycle.protect.in_use"):
        return "to ask nobody, write protect: {in_use: false}"
    return "quarantine has to know what is" if _says(layers, "quarantine.by") else ""


def _says(layers: Sequence[Layer], field: str) -> bool:
    return any(written.value for layer in layers if (written := layer.fields.get(field)))


def _rules(written: Written) -> Iterator[Nonsense]:
    """What ECR refuses, and what it takes but never acts on.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
    """
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
        if kind in {ANY, UNTAGGED} and "per" in written.value[number]:
            yield Nonsense(
                (*written.location, number, "per"),
                f"versions are told by tags: expected a tag pattern such as v* in 'of', got {kind}",
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


def _spared_for_ever(protected: Written, rules: Written) -> Iterator[AtOdds]:
    """A section may well protect what inherited rules take; rules beside or over a protection are meant to act."""
    if rules.layer < protected.layer:
        return
    for number, rule in enumerate(rules.value):
        sparing = None if rule["of"] in {UNTAGGED, ANY} else _covering(protected.value, rule["of"])
        if sparing:
            yield AtOdds(
                f"this rule never acts, since protect.tags ({protected.origin}) spares whatever '{sparing}' matches: "
                "take one of the two out",
                (number,),
            )


def _covering(patterns: Sequence[str], pattern: str) -> str | None:
    return next((outer for outer in patterns if covers(outer, pattern)), None)


def _waits_in_vain(action: Written, wait: Written) -> str:
    """A section may well archive where an inherited one marks and deletes: there is no wait then."""
    if wait.value is None or action.value != LifecycleAction.ARCHIVE or action.layer > wait.layer:
        return ""
    return (
        f"wait goes with 'action: delete' only, and the action is archive ({action.origin}): what is archived can be "
        "restored for 90 days at least, so take wait out"
    )
