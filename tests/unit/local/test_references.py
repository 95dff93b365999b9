"""How those who run images name them."""

import pytest

from local.registry import references, seeding
from tests.unit.local.a_registry import Small

HOST = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
OTHER = f"sha256:{'0' * 64}"


@pytest.fixture
def digest(small: Small) -> str:
    """An image of team/app with two tags, beside an archived one."""
    images = [{"tags": ["v1", "latest"]}, {"tags": ["archived"], "archived": 1}]
    answer = seeding.seed(small.ecr.registry, {"repositories": [{"name": "team/app", "images": images}]})
    return str(answer["repositories"]["team/app"]["image-0"])


@pytest.mark.parametrize("reference", ["", ":v1", ":latest", "@DIGEST", ":v1@DIGEST", ":gone@DIGEST"])
def test_a_reference_finds_its_image(small: Small, digest: str, reference: str) -> None:
    found = references.find(small.ecr.registry, f"{HOST}/team/app{reference}".replace("DIGEST", digest))

    assert found
    assert found[1].digest == digest


@pytest.mark.parametrize(
    "reference",
    [
        f"{HOST}/team/app:v2",
        f"{HOST}/team/app:archived",
        f"{HOST}/team/other:v1",
        f"{HOST}/team/app@{OTHER}",
        f"{HOST}/team/app@sha256:short",
        f"{HOST}/",
    ],
)
def test_a_reference_to_what_is_not_there_finds_nothing(small: Small, digest: str, reference: str) -> None:
    assert digest
    assert references.is_ours(small.ecr.registry, reference)
    assert references.find(small.ecr.registry, reference) is None


@pytest.mark.parametrize("reference", ["", "nginx", "docker.io/library/nginx:1", f"{HOST}.example.com/team/app:v1"])
def test_other_registries_are_none_of_ours(small: Small, digest: str, reference: str) -> None:
    assert digest
    assert not references.is_ours(small.ecr.registry, reference)
    assert references.find(small.ecr.registry, reference) is None
