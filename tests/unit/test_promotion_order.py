"""In which order a whole image is put, whatever it is made of."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import digest
from warden.manifests import Parts
from warden.names import Digest, ImageId, RepositoryName
from warden.whole_images import StoredManifest, WholeImage


@st.composite
def whole_images(draw: st.DrawFn) -> WholeImage:
    """Any graph that digests allow: a manifest names only others that were there before it.

    Found in any order, the image itself first; some of what is named is not part of it.
    """
    count = draw(st.integers(1, 12))
    digests = [digest(f"manifest {number}") for number in range(count)]
    manifests: dict[Digest, StoredManifest] = {}
    for number, name in enumerate(digests):
        older = [*digests[:number], digest("elsewhere")]
        children = draw(st.lists(st.sampled_from(older), max_size=4, unique=True))
        subject = draw(st.none() | st.sampled_from(older))
        manifests[name] = StoredManifest(name, "", "", Parts(tuple(children), (), subject))
    order = draw(st.permutations(digests))
    root = order[0]
    return WholeImage(ImageId(RepositoryName("team/app"), root), {name: manifests[name] for name in order})


@settings(max_examples=60, deadline=None)
@given(whole=whole_images())
def test_every_manifest_comes_once_after_what_it_lists_and_after_what_it_is_about(whole: WholeImage) -> None:
    order = [manifest.digest for manifest in whole.in_order()]
    assert sorted(order) == sorted(whole.manifests)
    place = {name: number for number, name in enumerate(order)}
    for name, manifest in whole.manifests.items():
        needed = [*manifest.parts.children, *([manifest.parts.subject] if manifest.parts.subject else [])]
        for other in needed:
            assert other not in place or place[other] < place[name]


def test_an_index_of_a_thousand_nested_indexes_is_ordered_without_recursion() -> None:
    digests = [digest(f"level {number}") for number in range(1_000)]
    manifests = {
        name: StoredManifest(name, "", "", Parts(tuple(digests[number - 1 : number])))
        for number, name in reversed(list(enumerate(digests)))
    }
    whole = WholeImage(ImageId(RepositoryName("team/app"), digests[-1]), manifests)
    assert [manifest.digest for manifest in whole.in_order()] == digests
    assert whole.about == 0


def test_what_is_about_an_image_is_counted_apart_from_what_it_lists() -> None:
    parts = {"child": Parts(), "image": Parts((digest("child"),)), "signature": Parts((), (), digest("image"))}
    stored = {
        digest(name): StoredManifest(digest(name), "", "", parts[name]) for name in ("image", "child", "signature")
    }
    assert WholeImage(ImageId(RepositoryName("team/app"), digest("image")), stored).about == 1
