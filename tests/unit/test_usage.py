"""Which image of this registry a reference names, whoever wrote it; and who uses what."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import HOME, NOW, digest
from warden.events import Home
from warden.names import RepositoryName, Tag, is_digest, is_repository_name
from warden.stored_images import StoredImage
from warden.usage import Inventory, Use, read_reference, users

OURS = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
SHA = digest("app")


@pytest.mark.parametrize(
    ("image", "repository", "reference"),
    [
        (f"{OURS}/app", "app", "latest"),
        (f"{OURS}/app:v1", "app", "v1"),
        (f"{OURS}/team/a/app:v1.2.3-rc_1", "team/a/app", "v1.2.3-rc_1"),
        (f"{OURS}/app@{SHA}", "app", SHA),
        (f"{OURS}/app:v1@{SHA}", "app", SHA),
        (f"{OURS}/app@{SHA.upper().replace('SHA256', 'sha256')}", "app", SHA),
        (f"{OURS}:443/app:v1", "app", "v1"),
        (f"https://{OURS}/app:v1", "app", "v1"),
        (f"docker://{OURS}/app:v1", "app", "v1"),
        (f"docker-pullable://{OURS}/app@{SHA}", "app", SHA),
        (f"{OURS.upper()}/app:v1", "app", "v1"),
        (f" {OURS}/app:v1\n", "app", "v1"),
        ("111122223333.dkr-ecr.eu-central-1.on.aws/app:v1", "app", "v1"),
        ("111122223333.dkr.ecr-fips.eu-central-1.amazonaws.com/app:v1", "app", "v1"),
        ("111122223333.dkr-ecr-fips.eu-central-1.on.aws/app:v1", "app", "v1"),
        (f"{OURS}/app:{'x' * 300}", "app", "x" * 300),
        (f"{OURS}/sha256:v1", "sha256", "v1"),
    ],
)
def test_a_reference_to_this_registry_names_an_image(image: str, repository: str, reference: str) -> None:
    assert read_reference(image, HOME, "somebody") == Use(RepositoryName(repository), reference, "somebody")


@pytest.mark.parametrize(
    ("home", "host"),
    [
        (Home("111122223333", "cn-north-1"), "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        (Home("111122223333", "cn-north-1"), "111122223333.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn"),
        (Home("111122223333", "us-gov-west-1"), "111122223333.dkr.ecr.us-gov-west-1.amazonaws.com"),
        (Home("111122223333", "eusc-de-east-1"), "111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_a_registry_has_other_names_in_other_partitions(home: Home, host: str) -> None:
    assert read_reference(f"{host}/app:v1", home, "") == Use(RepositoryName("app"), "v1", "")
    assert read_reference(f"{host}/app:v1", HOME, "") is None


@pytest.mark.parametrize(
    "image",
    [
        "",
        "/",
        "app",
        "app:v1",
        "nginx:latest",
        "docker.io/library/nginx:latest",
        "public.ecr.aws/team/app:v1",
        "localhost:5000/app:v1",
        OURS,
        f"{OURS}/",
        f"{OURS}/:v1",
        f"{OURS}/App:v1",
        f"{OURS}/app:",
        f"{OURS}/app:v1:v2",
        f"{OURS}/app:-v1",
        f"{OURS}/app:{'x' * 301}",
        f"{OURS}/app@",
        f"{OURS}/app@sha256",
        f"{OURS}/app@sha256:",
        f"{OURS}/app@v1",
        f"{OURS}/app@{SHA}@{SHA}",
        f"{OURS}/app/@{SHA}",
        f"{OURS}//app:v1",
        f"{OURS}/../app:v1",
        f"https://https://{OURS}/app:v1",
        "444455556666.dkr.ecr.eu-central-1.amazonaws.com/app:v1",
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/app:v1",
        "1111222233334.dkr.ecr.eu-central-1.amazonaws.com/app:v1",
        "111122223333.dkr.ecr.eu-central-1.amazonaws.com.evil.example/app:v1",
        "111122223333.dkr.ecr.eu-central-1.evil.example/app:v1",
        "x.111122223333.dkr.ecr.eu-central-1.amazonaws.com/app:v1",
        "111122223333xdkrxecrxeu-central-1xamazonawsxcom/app:v1",
        "١١١١٢٢٢٢٣٣٣٣.dkr.ecr.eu-central-1.amazonaws.com/app:v1",
        f"{OURS}:80/app:v1",
        f"{OURS}/app:v1\x00",
        f"{OURS}/a\u200bpp:v1",
    ],
)
def test_anything_else_names_none(image: str) -> None:
    assert read_reference(image, HOME, "somebody") is None


@given(st.one_of(st.text(), st.text(alphabet="ap:@/v1.-_sha256\n\u200b", max_size=80).map(f"{OURS}/".__add__)))
def test_whatever_is_read_from_hostile_text_is_a_name_and_a_tag_or_digest(image: str) -> None:
    use = read_reference(image, HOME, "")
    if use is not None:
        assert is_repository_name(use.repository)
        assert is_digest(use.reference) or (":" not in use.reference and 0 < len(use.reference) <= 300)


names = st.from_regex(r"[a-z0-9]{1,5}(/[a-z0-9]{1,5}){0,2}", fullmatch=True).filter(is_repository_name)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)


@given(names, st.none() | tags, st.none() | st.text(max_size=5).map(digest))
def test_what_is_written_by_the_rules_is_read_as_it_was_meant(name: str, tag: str | None, sha: str | None) -> None:
    image = f"{OURS}/{name}" + (f":{tag}" if tag else "") + (f"@{sha}" if sha else "")
    assert read_reference(image, HOME, "x") == Use(RepositoryName(name), sha or tag or "latest", "x")


APP = RepositoryName("app")


def stored(seed: str, *tags: str) -> StoredImage:
    return StoredImage(digest(seed), tuple(map(Tag, tags)), NOW - timedelta(days=40))


def test_users_are_found_by_digest_and_by_tag_each_once_in_order() -> None:
    one, two, three = stored("one", "v1", "latest"), stored("two", "v2"), stored("three")
    uses = [
        Use(APP, one.digest, "task 1"),
        Use(APP, "latest", "service"),
        Use(APP, one.digest, "task 1"),
        Use(APP, "v1", "task 1"),
        Use(APP, "v1", "job"),
        Use(APP, three.digest, "function"),
        Use(APP, "v9", "a tag that nothing has"),
        Use(APP, digest("gone"), "an image that is gone"),
    ]
    assert users([one, two, three], uses) == {
        one.digest: ("task 1", "job", "service"),
        three.digest: ("function",),
    }


@given(st.lists(st.tuples(st.sampled_from(["v1", "v2", "latest", *map(digest, "abc")]), st.sampled_from("xyz"))))
def test_nobody_is_lost_and_nobody_made_up(written: list[tuple[str, str]]) -> None:
    images = [stored("a", "v1"), stored("b", "v2", "latest"), stored("c")]
    found = users(images, [Use(APP, reference, by) for reference, by in written])
    for image in images:
        own = {by for reference, by in written if reference in (image.digest, *image.tags)}
        assert set(found.get(image.digest, ())) == own
        assert len(found.get(image.digest, ())) == len(own)


def test_an_inventory_is_complete_unless_something_is_missing() -> None:
    assert Inventory(NOW).is_complete
    assert not Inventory(NOW, missing=("EKS in us-east-1: may not be asked",)).is_complete
