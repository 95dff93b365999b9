"""Remarks on what the rules of a lifecycle policy do: whom they hurt, what they count, and how much they take."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from warden.lifecycle import selection
from warden.lifecycle.reach import Look, Reach, is_shield, never_acts, of_age
from warden.lifecycle.remarks import (
    EXAMPLES,
    Code,
    Level,
    Remark,
    about,
    have,
    images_in_words,
    limit,
    listed,
    name,
    names,
    requirement,
    shown,
    verb,
)
from warden.lifecycle.rules import CountType, RuleAction, TagStatus
from warden.lifecycle.validation import LEAST_ARCHIVED_DAYS
from warden.names import Digest
from warden.stored_images import StoredImage
from warden.tag_lines import line_of
from warden.text import clean

_LONGEST_USER = 80
_MOVING = frozenset({"latest", "stable", "main", "master", "prod", "production", "live", "current", "release"})
"""Tags that are moved from image to image, and by which people pull."""
_PASSING = re.compile(r"(pr|pull|mr|feature|feat|fix|bugfix|hotfix|dependabot|renovate|tmp|temp|test|snapshot)\b|.*wip")
"""Lines of tags that are meant to come to an end."""
_SIGNATURE = re.compile(r"sha256-([0-9a-f]{64})(?:\.[a-z]+)?")
"""What signing tools tag the signatures, attestations and SBOMs of an image with.
https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md"""
_MOST_LINES = 20
"""Lines of tags that applications may have; where there are more, their names are made at random."""
_ENOUGH = 10
"""Images from which on a share of them says something."""


def in_use(look: Look) -> Iterator[Remark]:
    """The rules that take what runs, with who runs it."""
    for reach in look.reaches:
        hit = [image for image in reach.taken if image.digest in look.users]
        if hit:
            by = listed((_used(look, image) for image in hit[:EXAMPLES]), len(hit))
            text = f"it {verb(reach.rule)} {images_in_words(len(hit))} in use: {by}"
            yield about(Code.TAKES_IN_USE, Level.ERROR, reach.rule, text, hit)
            yield from _too_few(look, reach)
    following = [each.image for each in look.taken if each.priority is None and each.image.digest in look.users]
    if following:
        text = f"{images_in_words(len(following))} in use would go with what they are about: {names(following)}"
        yield about(Code.TAKES_IN_USE, Level.ERROR, None, text, following)


def _used(look: Look, image: StoredImage) -> str:
    users = [clean(user, _LONGEST_USER) for user in look.users[image.digest]]
    return f"{name(image)} (by {listed(users[:2], len(users))})"


def _too_few(look: Look, reach: Reach) -> Iterator[Remark]:
    if reach.rule.count_type is not CountType.IMAGE_COUNT_MORE_THAN:
        return
    used = [image for image in reach.matched if image.digest in look.users]
    if len(used) > reach.rule.count:
        text = f"it keeps {reach.rule.count} of the images {requirement(reach.rule)}, of which {len(used)} are in use"
        yield about(Code.KEEPS_TOO_FEW, Level.WARNING, reach.rule, text, used)


def moving_tags(look: Look) -> Iterator[Remark]:
    """The rules that take an image by whose tag people pull."""
    for reach in look.reaches:
        hit = [image for image in reach.taken if not image.archived and not _MOVING.isdisjoint(image.tags)]
        if hit:
            tags = sorted({tag for image in hit for tag in image.tags if tag in _MOVING})
            text = (
                f"it {verb(reach.rule)} what is tagged {listed(tags[:EXAMPLES], len(tags))} now: nobody can pull it by "
                "that name then. An earlier rule on that tag would keep it"
            )
            yield about(Code.TAKES_MOVING_TAG, Level.WARNING, reach.rule, text, hit)


def signatures(look: Look) -> Iterator[Remark]:
    """The rules that take signatures of images that stay, or keep signatures in place of images."""
    gone = look.gone
    staying = {image.digest for image in look.images if not image.archived and image.digest not in gone}
    for reach in look.reaches:
        if is_shield(reach.rule):
            continue
        orphans = [image for image in reach.taken if _signed(image) & staying]
        if orphans:
            text = (
                f"it {verb(reach.rule)} {images_in_words(len(orphans))} that {have(len(orphans), 'is', 'are')} the "
                "signature, attestation or SBOM of an image that stays: its verification would fail"
            )
            yield about(Code.TAKES_SIGNATURES, Level.WARNING, reach.rule, text, orphans)
        yield from _counted(reach)


def _signed(image: StoredImage) -> set[Digest]:
    """The images that it is a signature of, where it has no other tag."""
    found = [_SIGNATURE.fullmatch(tag) for tag in image.tags]
    return {Digest(f"sha256:{match[1]}") for match in found if match} if all(found) else set()


def _counted(reach: Reach) -> Iterator[Remark]:
    rule = reach.rule
    if rule.count_type is not CountType.IMAGE_COUNT_MORE_THAN or len(reach.matched) <= rule.count:
        return
    kept = sorted(reach.matched, key=lambda image: (image.stored_since, image.digest), reverse=True)[: rule.count]
    counted = [image for image in kept if _signed(image)]
    if counted and len(counted) < len(reach.matched):
        text = (
            f"of the newest {rule.count} that it keeps {len(counted)} {have(len(counted), 'is', 'are')} signatures, "
            f"attestations or SBOMs (tagged sha256-…): {images_in_words(rule.count - len(counted))} "
            f"{have(rule.count - len(counted), 'is', 'are')} kept. Narrow the pattern, or give sha256-* an earlier rule"
        )
        yield about(Code.COUNTS_SIGNATURES, Level.WARNING, rule, text, counted)


def shared_counts(look: Look) -> Iterator[Remark]:
    """The rules that count several lines of tags together, and take all images of one."""
    for reach in look.reaches:
        if reach.rule.count_type is not CountType.IMAGE_COUNT_MORE_THAN or not reach.taken:
            continue
        lines, taken = _lines(reach), _digests(reach.taken)
        lost = [line for line, images in lines.items() if len(images) > 1 and _digests(images) <= taken]
        if len(lost) == len(lines) or len(lines) > _MOST_LINES:
            continue
        lost = sorted(set(lost) - _elsewhere(look, reach, lost), key=lambda line: (-len(lines[line]), line))
        if lost:
            told = [f"{shown(line)} ({images_in_words(len(lines[line]))})" for line in lost[:EXAMPLES]]
            text = (
                f"it keeps the newest {reach.rule.count} of {len(lines)} lines of tags together, and nothing is left "
                f"of {listed(told, len(lost))}. Give each line a rule of its own"
            )
            images = [image for line in lost for image in lines[line]]
            yield about(Code.SHARED_COUNT, Level.WARNING, reach.rule, text, images)


def _digests(images: Sequence[StoredImage]) -> set[Digest]:
    return {image.digest for image in images}


def _lines(reach: Reach) -> dict[str, list[StoredImage]]:
    """The images of each line of tags that is meant to go on; where there are too many lines, not all."""
    meets = selection.about(reach.rule)
    lines: dict[str, list[StoredImage]] = {}
    for image in reach.matched:
        tags = (tag for tag in image.tags if not tag.startswith("sha256-") and meets((tag,)))
        for line in {line_of(tag) for tag in tags}:
            if not _PASSING.match(line):
                lines.setdefault(line, []).append(image)
        if len(lines) > _MOST_LINES:
            break
    return lines


def _elsewhere(look: Look, reach: Reach, lines: Sequence[str]) -> set[str]:
    """Which of the lines have images that the rule doesn't match."""
    if not lines:
        return set()
    matched = _digests(reach.matched)
    others = (image for image in look.own if image.digest not in matched)
    return {line for image in others for line in map(line_of, image.tags) if line in lines}


def children(look: Look) -> Iterator[Remark]:
    """The rule on untagged images, where the platforms of multi-platform images have no tag."""
    indexes = [image for image in look.own if image.is_index or image.children]
    if not indexes:
        return
    listed_by = {child for index in indexes for child in index.children}
    unknown, gone = not listed_by, look.gone
    for reach in look.reaches:
        rule = reach.rule
        if rule.tag_status is not TagStatus.UNTAGGED or is_shield(rule):
            continue
        if unknown and reach.taken:
            text = (
                f"the repository has {len(indexes)} multi-platform {have(len(indexes), 'image', 'images')}, whose "
                "platforms have no tag, and what they list isn't known here: ECR spares those as long as their index "
                f"stays, so fewer may leave than the {len(reach.taken):,} that it matches"
            )
            yield about(Code.UNTAGGED_CHILDREN, Level.NOTE, rule, text, indexes)
            continue
        spared = [
            image
            for image in reach.claimed
            if image.digest in listed_by and image.digest not in gone and _would_go(look, reach, image)
        ]
        if spared:
            text = (
                f"{images_in_words(len(spared))} that it matches {have(len(spared), 'is a platform', 'are platforms')} "
                f"of multi-platform images: ECR keeps {have(len(spared), 'it', 'them')} as long as the index stays, "
                "and no longer"
            )
            yield about(Code.UNTAGGED_CHILDREN, Level.NOTE, rule, text, spared)


def _would_go(look: Look, reach: Reach, image: StoredImage) -> bool:
    if reach.rule.count_type is CountType.IMAGE_COUNT_MORE_THAN:
        return len(reach.matched) > reach.rule.count
    return of_age(reach.rule, image, look.now)


def archive(look: Look) -> Iterator[Remark]:
    """The rules on archived images that come too early, or for nothing."""
    archives = any(rule.action is RuleAction.TRANSITION and not is_shield(rule) for rule in look.rules)
    has_archived = any(image.archived for image in look.own)
    for rule in look.rules:
        if not rule.archived or is_shield(rule):
            continue
        if rule.count < LEAST_ARCHIVED_DAYS:
            text = (
                f"it deletes archived images {limit(rule)}: ECR allows no less than {LEAST_ARCHIVED_DAYS} days, and "
                "charges for as many however soon an image is deleted"
            )
            yield about(Code.ARCHIVE_UNDER_90_DAYS, Level.ERROR, rule, text)
        elif look.own and not has_archived and not archives:
            text = "it is about archived images, of which there are none, and no rule archives any"
            yield about(Code.ARCHIVE_IS_EMPTY, Level.NOTE, rule, text)


def amounts(look: Look) -> Iterator[Remark]:
    """How much the whole policy takes: all, most, or nothing ever."""
    everything, leaving = len(look.images), [each.image for each in look.taken]
    if everything and len(leaving) == everything:
        text = f"it takes all that there is, {images_in_words(everything)}: {_by(look)}"
        yield about(Code.TAKES_EVERYTHING, Level.WARNING, None, text, leaving)
    elif everything >= _ENOUGH and len(leaving) * 2 > everything:
        share = 100 * len(leaving) // everything
        text = f"it takes {share} % of the repository, {len(leaving):,} of {images_in_words(everything)}: {_by(look)}"
        yield about(Code.TAKES_MOST, Level.WARNING, None, text, leaving)
    elif everything and not leaving:
        yield from _nothing_ever(look)


def _by(look: Look) -> str:
    """Which rules take how many."""
    counts = Counter(each.priority for each in look.taken if each.priority is not None)
    told = [f"rule {priority} ({count:,})" for priority, count in sorted(counts.items())]
    return listed(told[:EXAMPLES], len(told))


def _nothing_ever(look: Look) -> Iterator[Remark]:
    claimed = sum(len(reach.claimed) for reach in look.reaches if never_acts(reach.rule))
    if claimed < len(look.own) or all(is_shield(rule) for rule in look.rules):
        return
    text = "it never takes anything: each image matches a rule first that keeps whatever it matches"
    yield about(Code.TAKES_NOTHING, Level.NOTE, None, text)
