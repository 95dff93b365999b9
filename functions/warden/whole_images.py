"""A whole image: its manifests with all that belongs to them, and the order in which a registry takes them.

A registry refuses an index whose manifests it does not have. What is about another manifest, such as a signature, comes
after it, so that nothing is ever signed that is not there.
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from warden.manifests import Parts
from warden.names import Digest, ImageId, Tag


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest as it was pushed, to the byte, its media type where ECR says it, and what it needs."""

    digest: Digest
    text: str
    media_type: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class WholeImage:
    """An image, everything that it lists, and what is said about any of these: signatures, SBOMs, attestations.

    `manifests` are in the order in which they were found, the image itself first. `names` are the tags by which older
    clients find what is about a manifest (`sha256-<its digits>.sig`). `left` is what is said to be about it and was
    left out, since it can run itself and nobody has judged it.
    """

    id: ImageId
    manifests: Mapping[Digest, StoredManifest]
    names: Mapping[Tag, Digest] = field(default_factory=dict)
    left: frozenset[Digest] = frozenset()

    @property
    def root(self) -> StoredManifest:
        """The image itself."""
        return self.manifests[self.id.digest]

    @property
    def about(self) -> int:
        """How many of the manifests are not the image's own, but about it."""
        own, waiting = {self.id.digest}, [self.root]
        while waiting:
            children = [digest for digest in waiting.pop().parts.children if digest not in own]
            own.update(children)
            waiting += [self.manifests[digest] for digest in children]
        return len(self.manifests) - len(own)

    def in_order(self) -> Iterator[StoredManifest]:
        """Every manifest after those that it lists, and after the one that it is about."""
        done: set[Digest] = set()
        for digest in self.manifests:
            yield from self._from(digest, done)

    def _from(self, start: Digest, done: set[Digest]) -> Iterator[StoredManifest]:
        """Depth first, without recursion: a stranger says how deep it goes.

        No digests can need each other in a circle, since each is made of what it needs.
        """
        waiting = [start]
        while waiting:
            manifest = self.manifests[waiting[-1]]
            before = [digest for digest in self._needs(manifest) if digest not in done and digest not in waiting]
            if before:
                waiting.append(before[0])
                continue
            waiting.pop()
            if manifest.digest not in done:
                done.add(manifest.digest)
                yield manifest

    def _needs(self, manifest: StoredManifest) -> Iterator[Digest]:
        yield from (child for child in manifest.parts.children if child in self.manifests)
        subject = manifest.parts.subject
        if subject is not None and subject in self.manifests:
            yield subject


NAME_ENDINGS = ("", ".sig", ".att", ".sbom")
"""Of the tags by which what is about a manifest is found: OCI's own, and those of cosign.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
"""


def names_about(digest: Digest) -> tuple[Tag, ...]:
    """The tags under which older clients put what is about the manifest.

    >>> names_about(Digest("sha256:41d9"))
    ('sha256-41d9', 'sha256-41d9.sig', 'sha256-41d9.att', 'sha256-41d9.sbom')
    """
    return tuple(Tag(digest.replace(":", "-") + ending) for ending in NAME_ENDINGS)
