"""A whole image goes from one repository to another: layers, then manifests from the bottom up, and its tags last.

So whoever finds a tag there finds everything behind it, wherever the copy was stopped; and begun again, it sends only
what is missing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from warden.blobs import Layer, checked
from warden.errors import Refused
from warden.image_contents import ImageContents
from warden.layer_copy import Copied, LayerCopy
from warden.layers import LayerStore
from warden.names import Digest, Tag
from warden.promotion import Plan, conflict
from warden.registry import Registry
from warden.release_repositories import ReleaseRepositories
from warden.whole_images import StoredManifest, WholeImage

MARGIN = 30_000
"""Milliseconds that must be left of the invocation for another manifest to be put."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is at a target: its registry, the layers there, and how layers get there from ours."""

    registry: Registry
    contents: ImageContents
    releases: ReleaseRepositories
    layers: LayerStore
    copy: LayerCopy


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing at the target, the manifests in the order in which they can be put.

    `names` are the tags by which older clients find signatures; `taken` are those of them that something else has
    there, which is left alone. `is_made` says that the repository is there.
    """

    whole: WholeImage
    manifests: tuple[StoredManifest, ...]
    names: tuple[tuple[Tag, Digest], ...]
    taken: tuple[Tag, ...]
    tags: tuple[Tag, ...]
    layers: tuple[Layer, ...]
    is_made: bool

    @property
    def is_nothing(self) -> bool:
        """Whether all of it is there."""
        return not (self.manifests or self.names or self.tags)


@dataclass(frozen=True, slots=True)
class ImageCopy:
    """The copy of one image: where it is read, and the place where it goes."""

    plan: Plan
    contents: ImageContents
    place: Place

    def look(self) -> Missing:
        """What is missing at the target. Raises Refused where another image has one of the tags there."""
        target = self.plan.target.repository
        self._check(self.plan.tags_there)
        whole = self.contents.whole(self.plan.image)
        present = self.place.contents.present(target, tuple(whole.manifests))
        manifests = tuple(manifest for manifest in whole.in_order() if manifest.digest not in present)
        names = {tag: (digest, self._holder(tag)) for tag, digest in whole.names.items()}
        is_made = bool(present) or self.place.registry.settings(target) is not None
        return Missing(
            whole,
            manifests,
            names=tuple((tag, digest) for tag, (digest, holder) in names.items() if holder is None),
            taken=tuple(tag for tag, (digest, holder) in names.items() if holder not in {None, digest}),
            tags=tuple(tag for tag in self.plan.tags_there if self._holder(tag) is None),
            layers=self._missing_layers(manifests, is_made=is_made),
            is_made=is_made,
        )

    def _missing_layers(self, manifests: Iterable[StoredManifest], *, is_made: bool) -> tuple[Layer, ...]:
        """Those of the manifests that are missing: of one that is there, ECR has all layers."""
        layers = checked(layer for manifest in manifests for layer in manifest.parts.layers)
        return self.place.layers.missing(self.plan.target.repository, layers) if is_made and layers else layers

    def send_layers(self, missing: Missing, left: Callable[[], int]) -> Copied:
        """Send the layers. Raises OutOfTime, Refused, Unavailable."""
        if not missing.layers:
            return Copied()
        return self.place.copy.bring(
            missing.layers, source=self.plan.image.repository, target=self.plan.target.repository, left=left
        )

    def put_manifests(self, missing: Missing, left: Callable[[], int]) -> int:
        """Put the manifests by their digests alone; how many there was no time for. Raises Refused, Unavailable."""
        for number, manifest in enumerate(missing.manifests):
            if left() < MARGIN:
                return len(missing.manifests) - number
            self.place.releases.put(self.plan.target.repository, manifest)
        return 0

    def put_tags(self, missing: Missing) -> None:
        """Put the tags, those of signatures first. Raises Refused where another image has got one meanwhile."""
        for tag, digest in missing.names:
            if self._holder(tag) is None:
                self.place.releases.put(self.plan.target.repository, missing.whole.manifests[digest], tag)
        for tag in missing.tags:
            self._check([tag])
            self.place.releases.put(self.plan.target.repository, missing.whole.root, tag)

    def _check(self, tags: Iterable[Tag]) -> None:
        """Raises Refused where another image has one of the tags, even where the repository would let it move."""
        if why := conflict(self.plan, [(tag, self._holder(tag)) for tag in tags]):
            raise Refused(why)

    def _holder(self, tag: Tag) -> Digest | None:
        """The image that has the tag at the target."""
        found = self.place.registry.tagged(self.plan.target.repository, tag)
        return found.id.digest if found else None
