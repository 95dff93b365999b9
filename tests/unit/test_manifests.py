"""What a manifest is: only images are scanned."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import digest, vector
from warden.errors import Invalid
from warden.manifests import LONGEST_PLATFORM, Kind, read_manifest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def index(*entries: dict[str, Any]) -> str:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("docker-manifest.v2.json", Kind.IMAGE),
        ("docker-manifest-list.v2.json", Kind.INDEX),
        ("oci-index.amd64-plus-attestation.json", Kind.INDEX),
        ("oci-manifest.attestation.artifact-with-subject.json", Kind.ATTESTATION),
        ("oci-manifest.attestation.legacy.json", Kind.ATTESTATION),
        ("oci-manifest.helm-chart.json", Kind.ARTIFACT),
        ("oci-manifest.sigstore-referrer.json", Kind.ARTIFACT),
    ],
)
def test_recorded_manifests_are_what_they_are(name: str, kind: Kind) -> None:
    assert read_manifest(json.dumps(vector(f"manifests/{name}"))).kind is kind


def test_an_index_lists_its_platforms_and_not_its_attestations() -> None:
    manifest = read_manifest(json.dumps(vector("manifests/oci-index.amd64-plus-attestation.json")))
    assert [platform.name for platform in manifest.platforms] == ["linux/amd64"]


def test_a_platform_has_its_variant_and_an_odd_one_is_called_unknown() -> None:
    arm = {"digest": digest("arm"), "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}}
    odd = {"digest": digest("odd"), "platform": "linux"}
    assert [platform.name for platform in read_manifest(index(arm, odd)).platforms] == [
        "linux/arm/v7",
        "unknown platform",
    ]


def test_a_platform_of_megabytes_can_not_make_a_message_too_large_to_send() -> None:
    hostile = {"digest": digest("x"), "platform": {"os": "linux" * 500_000, "architecture": "amd64"}}
    (platform,) = read_manifest(index(hostile)).platforms
    assert len(platform.name) == LONGEST_PLATFORM


def test_an_index_in_an_index_is_nested_and_no_platform() -> None:
    manifest = read_manifest(index({"digest": digest("inner"), "mediaType": OCI_INDEX}))
    assert (manifest.platforms, manifest.nested) == ((), (digest("inner"),))


def test_an_attestation_of_older_build_kit_is_known_by_its_unknown_platform() -> None:
    entry = {"digest": digest("x"), "platform": {"os": "unknown", "architecture": "unknown"}}
    assert read_manifest(index(entry)).platforms == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ("[" * 100_000, "not JSON"),
        ('{"manifests": [{}]}', "lists something without a digest"),
        ('{"manifests": ["x"]}', "lists something without a digest"),
    ],
)
def test_what_is_no_manifest_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        read_manifest(text)


JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["manifests", "layers", "config", "platform", "digest", "mediaType", "annotations"]), inner
        )
    ),
)


@given(JSON)
def test_whatever_somebody_pushes_is_read_or_refused(pushed: Any) -> None:
    try:
        assert read_manifest(json.dumps(pushed)).kind in Kind
    except Invalid as error:
        assert str(error)
