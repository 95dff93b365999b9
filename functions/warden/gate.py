"""The gate before anything leaves: ECR's preview against our own evaluation, against what must live, and the caps.

What the documentation leaves open is not taken for a disagreement: an image within a day of its rule's age, the
manifests that a kept index lists (ECR refuses to take those, whether or not it lists them in a preview), and reference
artifacts, which follow their subject within 24 hours.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/lpp_creation.html
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from warden.lifecycle.evaluation import Taken, evaluate
from warden.lifecycle.rules import Rule, RuleAction
from warden.names import Digest
from warden.policy import Caps
from warden.pruning import Refusal, Spared
from warden.stored_images import StoredImage
from warden.text import size

A_DAY = timedelta(days=1)
"""ECR acts within a day, so that what a rule takes tomorrow may leave before we look again."""


@dataclass(frozen=True, slots=True)
class Previewed:
    """One image in a preview of ECR's: what would become of it, and by which rule (None where ECR names none)."""

    digest: Digest
    action: RuleAction
    priority: int | None


def judge(
    preview: Sequence[Previewed],
    rules: Sequence[Rule],
    images: Sequence[StoredImage],
    needs: Mapping[Digest, str],
    *,
    spared: frozenset[Digest] = frozenset(),
    now: datetime,
) -> tuple[Refusal, ...]:
    """Why the policy may not be put; nothing where it may.

    `spared` are images that will have a lease by the time that the policy acts: in report mode none is put.
    """
    present = {image.digest: image for image in images}
    strangers = sum(row.digest not in present for row in preview)
    if strangers:
        why = f"ECR's preview lists {strangers} images that were not there a moment ago: it is looked at again later"
        return (Refusal(why),)
    surely = {taken.image.digest: taken for taken in evaluate(rules, images, now - A_DAY)}
    perhaps = {taken.image.digest: taken for taken in evaluate(rules, images, now + A_DAY)}
    told = {row.digest: row for row in preview}
    refusals = (
        _disagreement(told, surely, perhaps, present),
        _needed(told.keys() | perhaps.keys(), present, needs, spared, perhaps),
    )
    return tuple(refusal for refusal in refusals if refusal)


def _disagreement(
    told: Mapping[Digest, Previewed],
    surely: Mapping[Digest, Taken],
    perhaps: Mapping[Digest, Taken],
    present: Mapping[Digest, StoredImage],
) -> Refusal | None:
    listed = {child for image in present.values() for child in image.children}
    wrong: list[Spared] = []
    for digest, image in present.items():
        row, ours = told.get(digest), perhaps.get(digest)
        if image.subject in present or (digest in listed and (row is None or ours is None)):
            continue
        if row is None and digest in surely:
            wrong.append(Spared(image, f"rule {surely[digest].priority} takes it by our evaluation, none by ECR's"))
        elif row is not None and ours is None:
            wrong.append(Spared(image, f"rule {row.priority} takes it by ECR's evaluation, none by ours"))
        elif row is not None and ours is not None and (row.action, row.priority) != (ours.action, ours.priority):
            wrong.append(Spared(image, f"rule {row.priority} by ECR's evaluation, rule {ours.priority} by ours"))
    if not wrong:
        return None
    why = "ECR's preview and our own evaluation disagree, so that one of them is wrong"
    return Refusal(why, tuple(wrong))


def _needed(
    leaving: Iterable[Digest],
    present: Mapping[Digest, StoredImage],
    needs: Mapping[Digest, str],
    spared: frozenset[Digest],
    perhaps: Mapping[Digest, Taken],
) -> Refusal | None:
    """A manifest that a kept index lists is ECR's to refuse, and listed only by some previews."""
    listed = {child for image in present.values() if image.digest not in perhaps for child in image.children}
    hurt = tuple(
        Spared(present[digest], needs[digest])
        for digest in leaving
        if digest in needs and digest not in spared and not (digest in listed and digest not in perhaps)
    )
    return Refusal("images that must live would leave", hurt) if hurt else None


def over_caps(
    leaving: Sequence[StoredImage], images: Sequence[StoredImage], caps: Caps, origins: Mapping[str, str]
) -> tuple[Refusal, ...]:
    """The caps that would be broken. A percentage is rounded up, so that one image of a few may leave; 0 means none."""
    count, total = len(leaving), len(images)
    found: list[Refusal] = []
    if caps.percent is not None and count > math.ceil(total * caps.percent / 100):
        share = f"{count} of {total} images ({count * 100 // total} %) would leave, and {caps.percent} % may"
        found.append(Refusal(f"{share}: lifecycle.caps.percent ({origins['lifecycle.caps.percent']})"))
    if caps.images is not None and count > caps.images:
        found.append(
            Refusal(
                f"{count} images would leave, and {caps.images} may: "
                f"lifecycle.caps.images ({origins['lifecycle.caps.images']})"
            )
        )
    weight = sum(image.size for image in leaving if not image.is_index)  # its parts weigh, not the index
    if caps.bytes is not None and weight > caps.bytes:
        found.append(
            Refusal(
                f"{size(weight)} would leave, and {size(caps.bytes)} may: "
                f"lifecycle.caps.bytes ({origins['lifecycle.caps.bytes']})"
            )
        )
    return tuple(found)
