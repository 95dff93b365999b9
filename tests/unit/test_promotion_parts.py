"""What a manifest needs beside itself."""

import json
from typing import Any

import pytest

from tests.builders import digest
from warden.blobs import Layer
from warden.errors import Invalid
from warden.manifests import Parts, parts

CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest("config"), "size": 2}
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest("layer"), "size": 30}
CONFIG_LAYER, LAYER_LAYER = Layer(digest("config"), 2), Layer(digest("layer"), 30)


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        ({"config": CONFIG, "layers": [LAYER]}, Parts((), (CONFIG_LAYER, LAYER_LAYER), can_run=True)),
        ({"config": CONFIG, "layers": [LAYER, LAYER]}, Parts((), (CONFIG_LAYER, LAYER_LAYER), can_run=True)),
        ({"config": CONFIG, "layers": []}, Parts((), (CONFIG_LAYER,))),
        ({"manifests": [{"digest": digest("child")}]}, Parts((digest("child"),))),
        ({"manifests": [{"digest": digest("child")}], "config": CONFIG}, Parts((digest("child"),))),
        (
            {"config": {**CONFIG, "mediaType": "application/vnd.oci.empty.v1+json"}, "layers": [LAYER]},
            Parts((), (CONFIG_LAYER, LAYER_LAYER)),
        ),
        (
            {"config": CONFIG, "layers": [{**LAYER, "mediaType": "application/vnd.in-toto+json"}]},
            Parts((), (CONFIG_LAYER, LAYER_LAYER)),
        ),
        (
            {"config": CONFIG, "layers": [], "subject": {"digest": digest("subject")}},
            Parts((), (CONFIG_LAYER,), digest("subject")),
        ),
        ({"config": CONFIG, "layers": [], "subject": {"digest": "no digest"}}, Parts((), (CONFIG_LAYER,))),
        (
            {"artifactType": "application/sbom", "blobs": [LAYER], "subject": {"digest": digest("subject")}},
            Parts((), (LAYER_LAYER,), digest("subject")),
        ),
    ],
)
def test_a_manifest_needs_its_children_its_configuration_and_its_layers(manifest: Any, found: Parts) -> None:
    assert parts(json.dumps(manifest)) == found


@pytest.mark.parametrize(
    ("kind", "is_elsewhere"),
    [
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", True),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", True),
        ("application/vnd.oci.image.layer.v1.tar+gzip", False),
    ],
)
def test_only_layers_that_nobody_may_hand_out_are_kept_elsewhere(kind: str, is_elsewhere: bool) -> None:
    layer = {**LAYER, "mediaType": kind, "urls": ["https://example.com/layer"]}
    found = parts(json.dumps({"config": CONFIG, "layers": [layer]})).layers
    assert (LAYER_LAYER not in found) == is_elsewhere
    assert LAYER_LAYER in parts(json.dumps({"config": CONFIG, "layers": [{**layer, "urls": []}]})).layers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no JSON", "not JSON"),
        ("[]", "not a JSON object"),
        (json.dumps({"config": {}, "layers": []}), "without a digest"),
        (json.dumps({"config": CONFIG, "layers": ["text"]}), "without a digest"),
        (json.dumps({"config": {**CONFIG, "size": "2"}, "layers": []}), "no size"),
        (json.dumps({"config": {**CONFIG, "size": True}, "layers": []}), "no size"),
        (json.dumps({"config": {**CONFIG, "size": -1}, "layers": []}), "no size"),
        (json.dumps({"manifests": [{"digest": 7}]}), "without a digest"),
    ],
)
def test_a_manifest_that_names_something_without_a_digest_or_size_is_invalid(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        parts(text)
