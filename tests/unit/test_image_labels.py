"""The labels in an image's configuration, which whoever pushed the image wrote."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.account import CONFIG, IMAGE, INDEX, Account
from tests.builders import digest, image_id
from tests.wire import error, ok
from warden.errors import Unavailable
from warden.image_labels import LARGEST, LONGEST, MOST, ImageLabels
from warden.names import ImageId


def labels_of(account: Account, image: ImageId) -> dict[str, str] | None:
    return ImageLabels(account.wire.client(), account.registry, account.download).of(image)


def push(account: Account, configuration: bytes, *, claimed: str | None = None, seed: str = "image") -> ImageId:
    name = account.put_blob(configuration)
    if claimed:
        account.blobs[claimed] = account.blobs[name]
    config = {"mediaType": CONFIG, "digest": claimed or name, "size": len(configuration)}
    return account.push(seed, manifest={"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": []})


def configured(labels: Any) -> bytes:
    return json.dumps({"architecture": "amd64", "config": {"Env": ["A=b"], "Labels": labels}}).encode()


def test_labels_are_read() -> None:
    account, labels = Account(), {"org.opencontainers.image.source": "https://github.com/acme/app", "team": "é😀"}
    assert labels_of(account, push(account, configured(labels))) == labels
    assert account.calls() == {"BatchGetImage": 1, "GetDownloadUrlForLayer": 1}


@pytest.mark.parametrize(
    "configuration",
    [
        b"",
        b"no JSON",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"config"',
        b"{}",
        b'{"config":null}',
        b'{"config":[]}',
        b'{"config":"Labels"}',
        b'{"config":{"Labels":["a"]}}',
        b'{"config":{"Labels":"team=x"}}',
        b'{"config":{"Labels":7}}',
        b'{"config":{"Labels":{"a":"b"}}',
        b"[" * 100_000,
        b'{"config":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"config":{"Labels":{"a":' + b"9" * 5_000 + b"}}}",
    ],
)
def test_what_is_no_configuration_has_no_labels(configuration: bytes) -> None:
    account = Account()
    assert labels_of(account, push(account, configuration)) is None


@pytest.mark.parametrize("labels", [None, {}, False, ""])
def test_an_image_without_labels_has_none_and_that_is_known(labels: Any) -> None:
    account = Account()
    assert labels_of(account, push(account, configured(labels))) == {}


def test_labels_that_are_not_text_are_left_out() -> None:
    account = Account()
    labels = {"a": 1, "b": None, "c": ["x"], "d": {"e": "f"}, "g": "text", "h": True}
    assert labels_of(account, push(account, configured(labels))) == {"g": "text"}


def test_of_ten_thousand_labels_some_count_and_none_is_long() -> None:
    account = Account()
    labels = {f"label-{number}": "x" * 20 for number in range(10_000)}
    found = labels_of(account, push(account, configured({"first": "y" * 100_000, **labels})))
    assert found is not None
    assert len(found) == MOST
    assert found["first"] == "y" * LONGEST


@pytest.mark.parametrize(("extra", "readable"), [(0, True), (1, False)])
def test_a_configuration_that_is_too_large_is_not_read(extra: int, readable: bool) -> None:
    account = Account()
    configuration = configured({"team": "x"})
    padded = configuration + b" " * (LARGEST + extra - len(configuration))
    assert labels_of(account, push(account, padded)) == ({"team": "x"} if readable else None)


def test_a_configuration_that_is_not_what_its_digest_says_is_not_believed() -> None:
    account = Account()
    assert labels_of(account, push(account, configured({"team": "x"}), claimed=digest("other"))) is None


def test_a_digest_that_we_cannot_check_is_not_believed() -> None:
    account = Account()
    assert labels_of(account, push(account, configured({"team": "x"}), claimed="sha512:" + "a" * 128)) is None


def test_of_an_index_the_first_images_labels_count() -> None:
    account = Account()
    first, second = (push(account, configured({"team": name}), seed=name) for name in ("amd64", "arm64"))
    index = account.push_index(first, second)
    assert labels_of(account, index) == {"team": "amd64"}


@pytest.mark.parametrize("entries", [[], [{"mediaType": INDEX, "digest": digest("nested")}]])
def test_of_an_index_that_lists_no_image_itself_they_are_not_known(entries: list[Mapping[str, Any]]) -> None:
    account = Account()
    manifest = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    assert labels_of(account, account.push("index", manifest=manifest)) is None


def test_of_an_index_whose_first_image_is_gone_they_are_not_known() -> None:
    account = Account()
    first = push(account, configured({"team": "x"}), seed="amd64")
    index = account.push_index(first)
    del account.images[first.repository, first.digest]
    assert labels_of(account, index) is None


def test_of_an_image_that_is_gone_they_are_not_known() -> None:
    account = Account()
    account.create()
    assert labels_of(account, image_id("ghost")) is None


def test_of_a_manifest_without_a_configuration_they_are_not_known() -> None:
    account = Account()
    assert labels_of(account, account.push()) is None
    assert account.calls()["GetDownloadUrlForLayer"] == 0


@pytest.mark.parametrize(
    "code",
    [
        "LayersNotFoundException",
        "LayerInaccessibleException",
        "ImageNotFoundException",
        "InvalidParameterException",
        "RepositoryNotFoundException",
    ],
)
def test_a_configuration_that_ecr_does_not_give_out_keeps_nobody_from_hearing(code: str) -> None:
    account = Account()
    image = push(account, configured({"team": "x"}))
    account.refusals["GetDownloadUrlForLayer"] = error(code)
    assert labels_of(account, image) is None


@pytest.mark.parametrize("code", ["ServerException", "ThrottlingException", "AccessDeniedException"])
def test_what_may_go_better_later_is_tried_later(code: str) -> None:
    account = Account()
    image = push(account, configured({"team": "x"}))
    account.refusals["GetDownloadUrlForLayer"] = error(code)
    with pytest.raises(Exception, match=code):
        labels_of(account, image)


def test_an_answer_that_was_cut_short_says_nothing() -> None:
    account = Account()
    image = push(account, configured({"team": "x"}))
    account.refusals["GetDownloadUrlForLayer"] = ok({})
    assert labels_of(account, image) is None


def test_a_download_that_fails_keeps_nobody_from_hearing() -> None:
    account = Account()
    image = push(account, configured({"team": "x"}))

    def download(url: str, most: int) -> bytes | None:
        raise Unavailable("the download that ECR offered answered 403")

    assert ImageLabels(account.wire.client(), account.registry, download).of(image) is None
