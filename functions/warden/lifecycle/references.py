"""What follows from manifests that refer to each other, once it is known which images the rules take.

An image that an index lists stays as long as the index does; reference artifacts (signatures, SBOMs) go with what they
are about. https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from warden.lifecycle.rules import RuleAction
from warden.names import Digest
from warden.stored_images import StoredImage

Leaving = dict[Digest, RuleAction]


def standing_alone(images: Sequence[StoredImage]) -> Sequence[StoredImage]:
    """The images that rules are about: all but the reference artifacts of images that are there."""
    subjects = {image.subject for image in images if image.subject is not None}
    if not subjects:
        return images
    present = {image.digest for image in images if image.digest in subjects}
    return [image for image in images if image.subject not in present]


def settled(leaving: Mapping[Digest, RuleAction], images: Sequence[StoredImage]) -> Leaving:
    """What really leaves of what the rules take, and what goes with it.

    It is the most that can leave without leaving behind an index that lacks what it lists. An archived index is still
    there: nothing that it lists is deleted, though it may be archived too.
    """
    artifacts: dict[Digest, list[StoredImage]] = defaultdict(list)
    for image in images:
        if image.subject is not None:
            artifacts[image.subject].append(image)
    together = _with_their_artifacts(leaving, artifacts)
    _spare(together, [image for image in images if image.children], artifacts)
    return together


def _with_their_artifacts(
    leaving: Mapping[Digest, RuleAction], artifacts: Mapping[Digest, Iterable[StoredImage]]
) -> Leaving:
    together = dict(leaving)
    waiting = [digest for digest in leaving if digest in artifacts]
    while waiting:
        subject = waiting.pop()
        action = together[subject]
        for artifact in artifacts.get(subject, ()):
            # What is archived can't be archived again.
            if artifact.digest not in together and not (artifact.archived and action is RuleAction.TRANSITION):
                together[artifact.digest] = action
                waiting.append(artifact.digest)
    return together


def _spare(leaving: Leaving, indexes: Sequence[StoredImage], artifacts: Mapping[Digest, Iterable[StoredImage]]) -> None:
    """Take out what something that stays lists, down through indexes of indexes, with the artifacts of each."""
    by_digest = {index.digest: index for index in indexes}
    spared: list[Digest] = []
    waiting = list(indexes)
    while waiting:
        index = waiting.pop()
        spared += [child for child in index.children if _is_held(leaving.get(child), index, leaving.get(index.digest))]
        while spared:
            digest = spared.pop()
            if leaving.pop(digest, None) is not None:
                spared += [artifact.digest for artifact in artifacts.get(digest, ())]
                waiting += [by_digest[digest]] if digest in by_digest else []


def _is_held(child: RuleAction | None, index: StoredImage, index_leaves: RuleAction | None) -> bool:
    """Whether the index keeps a child from leaving in that way."""
    if child is None or index_leaves is RuleAction.EXPIRE:
        return False
    return child is RuleAction.EXPIRE or not (index.archived or index_leaves is RuleAction.TRANSITION)
