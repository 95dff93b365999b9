"""Registries that have been there for long: thousands of images at once, with a past.

What is asked for is a list of repositories, each with its images in the order of their pushes:

    {"repositories": [{
        "name": "team/app",
        "created": 400,
        "settings": {"imageTagMutability": "IMMUTABLE"},
        "images": [
            {"name": "amd64", "pushed": 40},
            {"name": "multi", "tags": ["v1.4.2"], "children": ["amd64"], "pushed": 40, "pulled": 3},
            {"tags": ["v1.4.1"], "pushed": 60.5, "archived": 10, "size": 50000000, "labels": {"team": "a"}},
            {"name": "signature", "subject": "multi", "artifact": "application/vnd.dev.sigstore.bundle.v0.3+json"}
        ]}]}

| field | what |
| --- | --- |
| `name` | what other images of the repository call it; where there is none, `image-N`, by its place in the list |
| `tags` | none by default |
| `pushed`, `pulled`, `archived`, `activated` | how many days ago, fractions too; pushed now by default, else never |
| `size` | bytes that ECR says it has, whatever is in it; of an index, by default, that of its largest child |
| `children` | names of those that it lists: then it is an index. Of indexes too |
| `subject`, `artifact` | what it is a reference artifact of, and its type |
| `labels` | of the image's configuration |

`created` is how many days ago the repository was made, `settings` are members of CreateRepository; a repository that is
there already is added to. An image that was seeded before has the same digest, and gets the tags and the times that are
asked for now. No event tells of anything.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from local.registry import manifests, repositories, wire
from local.registry.store import Image, Registry, Repository
from local.registry.wire import Request, Response

LAYER = b"a layer that every seeded image has"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
_PLATFORMS = ("amd64", "arm64", "s390x", "ppc64le")


def seed(registry: Registry, order: Request) -> Response:
    """Put it all there; gives the digests, by repository and name.

    Raises EcrError, KeyError, TypeError or ValueError for an order that is not as it should be.
    """
    return {"repositories": {each["name"]: _fill(registry, each) for each in order["repositories"]}}


def _fill(registry: Registry, order: Request) -> dict[str, str]:
    name = order["name"]
    if name not in registry.repositories:
        request = {"repositoryName": name, **order.get("settings", {})}
        repositories.create(registry, wire.valid("CreateRepository", request))
    repository, digests = registry.repository(name), dict[str, str]()
    if "created" in order:
        repository.created_at = registry.clock() - timedelta(days=order["created"])
    for number, wanted in enumerate(order["images"]):
        called = wanted.get("name", f"image-{number}")
        digests[called] = _put(registry, repository, wanted, called, digests)
    return digests


def _put(registry: Registry, repository: Repository, wanted: Request, called: str, digests: Mapping[str, str]) -> str:
    text = json.dumps(_manifest(repository, wanted, called, digests), separators=(",", ":"))
    manifest, ago = manifests.read(text), _times(registry, wanted)
    size = max((repository.images[child].size for child in manifest.children), default=manifest.size)
    image = repository.images.setdefault(manifest.digest, Image(manifest, ago["pushed"] or registry.clock(), 0))
    image.size = int(wanted.get("size", size))
    image.pushed_at = ago["pushed"] or registry.clock()
    image.pulled_at, image.archived_at, image.activated_at = ago["pulled"], ago["archived"], ago["activated"]
    image.archived = ago["archived"] is not None and (ago["activated"] is None or ago["activated"] < ago["archived"])
    for tag in wanted.get("tags", ()):
        repository.tag(image, tag)
    return image.digest


def _times(registry: Registry, wanted: Request) -> dict[str, Any]:
    now = registry.clock()
    names = ("pushed", "pulled", "archived", "activated")
    return {name: now - timedelta(days=wanted[name]) if name in wanted else None for name in names}


def _manifest(repository: Repository, wanted: Request, called: str, digests: Mapping[str, str]) -> dict[str, Any]:
    common = {"schemaVersion": 2, "annotations": {"seeded": called}}
    if children := wanted.get("children"):
        listed = [_described(repository, digests[child]) for child in children]
        return {**common, "mediaType": manifests.OCI_INDEX, "manifests": _with_platforms(listed)}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Labels": wanted.get("labels", {})}})
    artifact = {"artifactType": wanted["artifact"]} if "artifact" in wanted else {}
    subject = {"subject": _described(repository, digests[wanted["subject"]])} if "subject" in wanted else {}
    return {
        **common,
        "mediaType": manifests.OCI_MANIFEST,
        "config": _blob(repository, manifests.OCI_CONFIG, config.encode()),
        "layers": [_blob(repository, _LAYER_TYPE, LAYER)],
        **artifact,
        **subject,
    }


def _with_platforms(listed: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    known = [*_PLATFORMS, *["unknown"] * len(listed)]
    return [
        {**each, "platform": {"os": "linux", "architecture": architecture}}
        for each, architecture in zip(listed, known, strict=False)
    ]


def _described(repository: Repository, digest: str) -> dict[str, Any]:
    manifest = repository.images[digest].manifest
    return {"mediaType": manifest.media_type, "digest": digest, "size": len(manifest.text.encode())}


def _blob(repository: Repository, media_type: str, content: bytes) -> dict[str, Any]:
    digest = manifests.sha256(content)
    repository.layers[digest] = content
    return {"mediaType": media_type, "digest": digest, "size": len(content)}
