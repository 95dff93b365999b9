"""What the warden takes itself: a 200 may hold failures, and what is gone already is done."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.builders import digest
from tests.local_account import LocalAccount
from tests.wire import Answer, Wire, error, ok
from warden.errors import Unavailable
from warden.names import Digest, RepositoryName
from warden.removals import Failed, Removals

APP = RepositoryName("team/app")


@pytest.fixture
def local() -> LocalAccount:
    local = LocalAccount()
    local.create()
    return local


def failure(one: Digest, code: str, reason: str = "no") -> dict[str, Any]:
    return {"imageId": {"imageDigest": one}, "failureCode": code, "failureReason": reason}


def deleting(*answers: Mapping[str, Any] | Answer) -> Wire:
    coming = iter(answers)

    def answer(operation: str, _: Mapping[str, Any]) -> Answer:
        assert operation == "BatchDeleteImage"
        found = next(coming)
        return found if isinstance(found, tuple) else ok(found)

    return Wire(answer)


def asked(wire: Wire) -> list[list[str]]:
    return [[one["imageDigest"] for one in request["imageIds"]] for _, request in wire.requests]


def test_images_are_deleted_by_digest_with_all_their_tags(local: LocalAccount) -> None:
    gone, stays = local.push("gone", "v1", "v1.0"), local.push("stays", "v2")
    assert Removals(local.wire.client()).delete(APP, [gone]) == ()
    assert local.images() == {stays: ("v2",)}


def test_an_index_goes_before_what_it_lists(local: LocalAccount) -> None:
    child = local.push("child")
    whole = local.push("index", "v1", lists=("child",))
    assert Removals(local.wire.client()).delete(APP, [whole, child]) == ()
    assert local.images() == {}


def test_what_a_kept_index_lists_stays_and_is_told(local: LocalAccount) -> None:
    child, other = local.push("child"), local.push("other", "v1")
    whole = local.push("index", "v2", lists=("child",))
    (failed,) = Removals(local.wire.client()).delete(APP, [child, other])
    assert failed.digest == child
    assert failed.why.startswith("ImageReferencedByManifestList: Requested image referenced by manifest list")
    assert set(local.images()) == {child, whole}


def test_what_ecr_refused_because_of_an_index_of_the_same_call_is_tried_again_as_long_as_anything_goes() -> None:
    """ECR may look at all references before it deletes anything."""
    outer, inner, leaf, broken = (digest(seed) for seed in ("outer", "inner", "leaf", "broken"))
    listed = "ImageReferencedByManifestList"
    wire = deleting(
        {"failures": [failure(inner, listed), failure(leaf, listed), failure(broken, "KmsError")]},
        {"failures": [failure(leaf, listed)]},
        {"failures": []},
    )
    failed = Removals(wire.client()).delete(APP, [outer, inner, leaf, broken])
    assert failed == (Failed(broken, "KmsError: no"),)
    assert asked(wire) == [[outer, inner, leaf, broken], [inner, leaf], [leaf]]


def test_where_nothing_goes_it_is_not_tried_for_ever() -> None:
    one, two = digest("one"), digest("two")
    listed = [failure(each, "ImageReferencedByManifestList") for each in (one, two)]
    wire = deleting({"failures": listed[1:]}, {"failures": listed[1:]})
    assert [failed.digest for failed in Removals(wire.client()).delete(APP, [one, two])] == [two]
    wire = deleting({"failures": listed})
    assert [failed.digest for failed in Removals(wire.client()).delete(APP, [one, two])] == [one, two]
    assert len(wire.requests) == 1


def test_what_is_gone_already_is_no_failure() -> None:
    wire = deleting({"failures": [failure(digest("a"), "ImageNotFound")]})
    assert Removals(wire.client()).delete(APP, [digest("a")]) == ()


def test_a_hostile_reason_is_shown_as_plain_text() -> None:
    wire = deleting({"failures": [failure(digest("a"), "KmsError", "\x1b[31m" + "x" * 500)]})
    (failed,) = Removals(wire.client()).delete(APP, [digest("a")])
    assert failed.why.isprintable()
    assert len(failed.why) < 250


@pytest.mark.parametrize("body", [{}, {"failures": [{}]}, {"failures": [{"imageId": {"imageDigest": digest("a")}}]}])
def test_an_answer_that_was_cut_short_is_unknown(body: dict[str, Any]) -> None:
    with pytest.raises(Unavailable, match="BatchDeleteImage lacks"):
        Removals(deleting(body).client()).delete(APP, [digest("a")])


def test_an_image_is_archived_and_once_more_makes_no_difference(local: LocalAccount) -> None:
    frozen = local.push("frozen", "v1")
    removals = Removals(local.wire.client())
    assert removals.archive(APP, frozen) is None
    assert local.archived() == {frozen}
    assert removals.archive(APP, frozen) is None
    assert local.archived() == {frozen}


@pytest.mark.parametrize("code", ["ImageNotFoundException", "RepositoryNotFoundException"])
def test_what_is_gone_need_not_be_archived(code: str) -> None:
    assert Removals(Wire(lambda *_: error(code)).client()).archive(APP, digest("a")) is None


@pytest.mark.parametrize(
    "code", ["ImageStorageClassUpdateNotSupportedException", "InvalidParameterException", "ValidationException"]
)
def test_what_ecr_will_not_archive_is_told(code: str) -> None:
    wire = Wire(lambda *_: error(code, "it is a manifest list's"))
    assert Removals(wire.client()).archive(APP, digest("a")) == Failed(digest("a"), "it is a manifest list's")


def test_any_other_error_is_raised() -> None:
    with pytest.raises(ClientError, match="Throttling"):
        Removals(Wire(lambda *_: error("ThrottlingException")).client()).archive(APP, digest("a"))
