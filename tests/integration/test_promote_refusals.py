"""What can't be promoted is refused in chat and ledger, with the source as it was and no tag at the target."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW
from tests.conformance.cloud import OCI_INDEX, Built, index, manifest
from tests.promoting import RELEASE, TEAM, World, a_world, contents, judge, promoting_policy, put
from tests.wire import Answer, error, ok
from warden.errors import Unavailable
from warden.image_contents import MOST_MANIFESTS
from warden.layer_parts import AddressExpired, Range
from warden.names import Digest, ImageId
from warden.notices import Level

PERSON: dict[str, Any] = {"by": "arn:aws:sts::111122223333:assumed-role/Admin/alice", "reason": "hotfix"}


@pytest.fixture
def world() -> Iterator[World]:
    with a_world() as made:
        yield made


def answer_instead(world: World, instead: Callable[[str, Mapping[str, Any]], Answer | None]) -> None:
    """Let ECR answer otherwise where the test says so."""
    answer = world.local.wire._answers

    def answers(operation: str, request: Mapping[str, Any]) -> Answer:
        return instead(operation, request) or answer(operation, request)

    world.local.wire._answers = answers
    world.at_end(lambda: setattr(world.local.wire, "_answers", answer))


def refused(world: World, image: ImageId, said: str, **due: Any) -> None:
    """It is refused, in the ledger and in chat, and nothing of the source is touched."""
    before = contents(world.local, TEAM)
    outcome = world.run(image, **due)
    assert outcome.name == "Refused"
    assert said in outcome.reason
    assert world.results(image)[-1] == "refused"
    line = world.lines(image)[-1]
    assert said in line.text
    (notice,) = world.notices()
    assert notice.level is Level.ATTENTION
    assert "was not promoted" in notice.title
    assert said in "".join(span.text for span in notice.summary)
    assert contents(world.local, TEAM) == before
    there = contents(world.local)
    assert image.digest not in there or not there[image.digest]


def large(world: World) -> ImageId:
    """An image with a layer of some parts."""
    world.local.create()
    image = ImageId(TEAM, world.local.push("image", "v1"))
    judge(world.stack, image)
    return image


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda part: part[:-1] + bytes([part[-1] ^ 1]), "is not what its digest says"),
        (lambda part: bytes(len(part)), "is not what its digest says"),
    ],
)
def test_a_blob_that_is_corrupted_or_another(world: World, spoil: Callable[[bytes], bytes], said: str) -> None:
    world.downloads.spoil = spoil
    refused(world, large(world), said)


def test_a_download_address_that_is_good_no_more_after_all_tries(world: World) -> None:
    def expired(_: Range) -> None:
        raise AddressExpired("the address is good no more")

    world.downloads.before = expired
    refused(world, large(world), "could not be downloaded")
    assert len(world.downloads.asked) > 1


def test_an_address_that_expired_once_is_no_trouble(world: World) -> None:
    def once(_: Range) -> None:
        world.downloads.before = lambda _: None
        raise AddressExpired("the address is good no more")

    world.downloads.before = once
    assert world.run(large(world)).name == "Promoted"


def test_a_layer_over_the_limits_of_ecr(world: World) -> None:
    world.local.create()
    built = manifest("huge")
    content = json.loads(built.text)
    content["layers"][0]["size"] = 53_000 * 2**20
    image = ImageId(TEAM, put(world.local, Built(json.dumps(content), built.media_type, built.blobs), "v1"))
    judge(world.stack, image)
    refused(world, image, "52,000 MiB")


def test_two_sizes_of_one_layer(world: World) -> None:
    world.local.create()
    built = manifest("double")
    content = json.loads(built.text)
    content["layers"].append({**content["layers"][0], "size": 7})
    image = ImageId(TEAM, put(world.local, Built(json.dumps(content), built.media_type, built.blobs), "v1"))
    judge(world.stack, image)
    refused(world, image, "bytes long in one manifest")


def test_a_layer_that_the_source_does_not_have(world: World) -> None:
    image = large(world)
    world.local.small.ecr.registry.repository(TEAM).layers.clear()
    refused(world, image, "does not have the blob")


@pytest.mark.parametrize("mutable", [True, False])
def test_a_tag_that_another_image_has(world: World, mutable: bool) -> None:
    image = large(world)
    world.local.create(RELEASE, imageTagMutability="MUTABLE" if mutable else "IMMUTABLE")
    other = put(world.local, manifest("other"), "v1", repository=RELEASE)
    refused(world, image, f"another image has the tag in release/app already: v1 ({other})")
    assert contents(world.local) == {other: ("v1",)}, "nothing was copied"
    assert not {"PutImage", "UploadLayerPart"} & set(world.local.wire.operations())


@pytest.mark.parametrize("mutable", [True, False])
def test_a_tag_that_another_image_gets_meanwhile(world: World, mutable: bool) -> None:
    image = large(world)
    world.local.create(RELEASE, imageTagMutability="MUTABLE" if mutable else "IMMUTABLE")

    def be_faster(operation: str) -> None:
        if operation == "CompleteLayerUpload":
            world.local.before_call = lambda _: None
            put(world.local, manifest("other"), "v1", repository=RELEASE)

    world.local.before_call = be_faster
    refused(world, image, "another image has the tag")


def test_a_tag_that_another_image_gets_at_the_last_moment(world: World) -> None:
    image = large(world)
    world.local.create(RELEASE, imageTagMutability="IMMUTABLE")

    def be_faster(operation: str, request: Mapping[str, Any]) -> None:
        if operation == "PutImage" and "imageTag" in request:
            put(world.local, manifest("other"), "v1", repository=RELEASE)

    answer_instead(world, be_faster)
    refused(world, image, "another image has got the tag v1")


def test_a_tag_that_is_none_in_the_release_repository() -> None:
    with a_world(promoting_policy(promote__rename="{tag}-of-the-release")) as world:
        world.local.create()
        image = ImageId(TEAM, world.local.push("image", "v" * 120))
        judge(world.stack, image)
        refused(world, image, "promote.rename")


def test_a_repository_that_would_be_promoted_to_itself() -> None:
    with a_world(promoting_policy(promote__to="team/{name}")) as world:
        refused(world, large(world), "promoted to itself")


@pytest.mark.parametrize(
    ("operation", "code", "said"),
    [
        ("CreateRepository", "AccessDeniedException", "CreateRepository is refused to the warden's promote role"),
        ("PutImage", "AccessDeniedException", "PutImage is refused"),
        ("ListImageReferrers", "InvalidParameterException", "ECR refuses ListImageReferrers"),
        ("InitiateLayerUpload", "AccessDeniedException", "InitiateLayerUpload is refused"),
        ("CreateRepository", "LimitExceededException", "the release repository release/app was not made"),
        ("CreateRepository", "KmsException", "the release repository release/app was not made"),
        ("PutImage", "LimitExceededException", "release/app did not take sha256:"),
        ("PutImage", "ImageDigestDoesNotMatchException", "release/app did not take sha256:"),
    ],
)
def test_what_ecr_does_not_let_us_do(world: World, operation: str, code: str, said: str) -> None:
    answer_instead(world, lambda asked, _: error(code, "made up") if asked == operation else None)
    refused(world, large(world), said)


@pytest.mark.parametrize("code", ["LayersNotFoundException", "ReferencedImagesNotFoundException", "ServerException"])
def test_what_ecr_may_take_another_time_is_tried_again(world: World, code: str) -> None:
    image = large(world)
    answer_instead(world, lambda asked, _: error(code) if asked == "PutImage" else None)
    with pytest.raises(Exception, match=code if code == "ServerException" else "made up for a test"):
        world.run(image, message="the one")
    world.end()
    assert world.run(image, message="the one", receives=2).name == "Promoted"


def test_more_filters_than_a_repository_can_have() -> None:
    with a_world(promoting_policy(tags__exclude=[f"{letter}-*" for letter in "abcde"])) as world:
        refused(world, large(world), "exclusion filters would be needed")


def manifests(world: World, change: Callable[[dict[str, Any]], None]) -> None:
    """Let BatchGetImage's answers be changed."""
    answer = world.local.wire._answers

    def instead(operation: str, request: Mapping[str, Any]) -> Answer | None:
        if operation != "BatchGetImage":
            return None
        status, body = answer(operation, request)
        content = json.loads(body)
        change(content)
        return status, json.dumps(content)

    answer_instead(world, instead)


def test_a_manifest_that_is_not_what_its_digest_says(world: World) -> None:
    def change(content: dict[str, Any]) -> None:
        for image in content["images"]:
            image["imageManifest"] += " "

    manifests(world, change)
    refused(world, large(world), "push the image anew")


def test_a_manifest_that_is_too_long(world: World) -> None:
    def change(content: dict[str, Any]) -> None:
        for image in content["images"]:
            image["imageManifest"] += " " * 5 * 2**20

    manifests(world, change)
    refused(world, large(world), "longer than")


def test_a_manifest_that_can_not_be_read(world: World) -> None:
    world.local.create()
    built = manifest("odd")
    content = json.loads(built.text)
    content["layers"][0]["size"] = True
    image = ImageId(TEAM, put(world.local, Built(json.dumps(content), built.media_type, built.blobs), "v1"))
    judge(world.stack, image)
    refused(world, image, "can't be read")


def test_an_index_that_lists_what_is_not_there(world: World) -> None:
    world.local.create()
    platform = manifest("amd64")
    put(world.local, platform)
    image = ImageId(TEAM, put(world.local, index([platform]), "v1"))
    judge(world.stack, image)
    del world.local.small.ecr.registry.repository(TEAM).images[platform.digest]
    refused(world, image, "is not there, or is archived")


def test_an_index_that_lists_what_can_be_no_digest(world: World) -> None:
    def change(content: dict[str, Any]) -> None:
        content["images"] = []
        content["failures"] = [{"imageId": {"imageDigest": "x"}, "failureCode": "InvalidImageDigest"}]

    manifests(world, change)
    refused(world, large(world), "names another that can't be")


def test_an_index_of_more_manifests_than_we_look_at(world: World) -> None:
    world.local.create()
    digests = [f"sha256:{number:064x}" for number in range(MOST_MANIFESTS)]
    listed = [{"mediaType": OCI_INDEX, "digest": digest, "size": 1} for digest in digests]
    text = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed})
    store = world.local.small.ecr.registry.repository(TEAM)
    platform = manifest("one")
    put(world.local, platform)
    for digest in digests:
        store.images[digest] = store.images[platform.digest]
    image = ImageId(TEAM, put(world.local, Built(text, OCI_INDEX, ()), "v1"))
    judge(world.stack, image)
    refused(world, image, "too many")


def test_manifests_that_are_too_much_together(world: World) -> None:
    world.local.create()
    platforms = []
    for number in range(5):
        built = manifest(str(number))
        text = json.dumps({**json.loads(built.text), "annotations": {"note": "x" * 4_000_000}})
        platforms.append(Built(text, built.media_type, built.blobs))
        put(world.local, platforms[-1])
    listed = [{"mediaType": one.media_type, "digest": one.digest, "size": len(one.text)} for one in platforms]
    text = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed})
    image = ImageId(TEAM, put(world.local, Built(text, OCI_INDEX, ()), "v1"))
    judge(world.stack, image)
    refused(world, image, "too large")


def test_what_ecr_can_not_give_now_is_tried_again(world: World) -> None:
    def change(content: dict[str, Any]) -> None:
        content["images"] = []
        content["failures"] = [{"imageId": {}, "failureCode": "KmsError"}]

    manifests(world, change)
    with pytest.raises(Unavailable, match="KmsError"):
        world.run(large(world))


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("BatchGetImage", {"images": []}),
        ("BatchGetImage", {"images": [], "failures": []}),
        ("BatchGetImage", {"images": [{}], "failures": []}),
        ("ListImageReferrers", {}),
        ("DescribeImages", {}),
    ],
)
def test_an_answer_that_was_cut_short_is_not_taken_for_less(world: World, operation: str, body: Any) -> None:
    image = large(world)
    answer_instead(world, lambda asked, _: ok(body) if asked == operation else None)
    with pytest.raises(Unavailable, match=rf"{operation}|does not say why"):
        world.run(image)
    assert contents(world.local) == {}


def test_the_same_refusal_is_told_once_a_month_and_to_whoever_asks(world: World) -> None:
    image = large(world)
    world.local.create(RELEASE)
    put(world.local, manifest("other"), "v1", repository=RELEASE)
    refused(world, image, "another image has the tag")
    assert world.run(image, event="promotion 2").name == "Refused"
    assert (world.notices(), world.results(image)) == ([], ["refused"])
    assert world.run(image, event="an order", **PERSON).name == "Refused"
    assert (world.notices(), world.results(image)) == ([], ["refused", "refused"])
    assert world.run(image, event="promotion 3", now=NOW + timedelta(days=31)).name == "Refused"
    assert len(world.notices()) == 1


def test_what_was_refused_can_be_promoted_when_the_cause_is_mended(world: World) -> None:
    image = large(world)
    world.local.create(RELEASE)
    put(world.local, manifest("other"), "v1", repository=RELEASE)
    refused(world, image, "another image has the tag")
    world.local.small.call("BatchDeleteImage", repositoryName=RELEASE, imageIds=[{"imageTag": "v1"}])
    assert world.run(image, event="promotion 2").name == "Promoted"
    assert contents(world.local) == {Digest(image.digest): ("v1",)}
