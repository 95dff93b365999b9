"""Reads a lifecycle policy as its author should: what it does to this repository, and what was probably meant.

Nothing is said of a policy that does what it says. Each remark is explained in docs/lifecycle-lint.md.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from warden.lifecycle import effect_remarks, match_remarks
from warden.lifecycle.reach import look
from warden.lifecycle.remarks import Code, Level, Remark, about
from warden.lifecycle.rules import Rule
from warden.lifecycle.validation import complaints, read
from warden.names import Digest
from warden.stored_images import StoredImage

_CHECKS = (
    effect_remarks.in_use,
    match_remarks.unmatched,
    match_remarks.shadowed,
    effect_remarks.moving_tags,
    effect_remarks.signatures,
    effect_remarks.shared_counts,
    effect_remarks.children,
    effect_remarks.archive,
    effect_remarks.amounts,
)
_LEVELS = {level: rank for rank, level in enumerate(Level)}


def lint(
    rules: Sequence[Rule], images: Sequence[StoredImage], *, users: Mapping[Digest, tuple[str, ...]], now: datetime
) -> tuple[Remark, ...]:
    """What is to be said of the rules on these images; the worst first, then by rule.

    `users` says who uses which image.
    """
    seen = look(rules, images, users, now)
    return _in_order([remark for check in _CHECKS for remark in check(seen)])


def lint_text(
    text: str, images: Sequence[StoredImage], *, users: Mapping[Digest, tuple[str, ...]], now: datetime
) -> tuple[Remark, ...]:
    """What is to be said of a policy as it was written. Of one that ECR would refuse, only why is said."""
    if refused := complaints(text):
        return tuple(about(Code.REFUSED_BY_ECR, Level.ERROR, None, each) for each in refused)
    return lint(read(text), images, users=users, now=now)


def _in_order(remarks: Sequence[Remark]) -> tuple[Remark, ...]:
    """The whole policy's before a rule's."""
    return tuple(sorted(remarks, key=lambda each: (_LEVELS[each.severity], each.priority or 0)))
