"""The images of a repository: read whole or not at all, with what indexes list, which is read once."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.account import INDEX, Stack
from tests.builders import NOW, digest
from tests.local_account import LocalAccount
from tests.wire import Answer, Wire, error, ok
from warden.errors import Unavailable
from warden.ledger import KEPT
from warden.names import Digest, RepositoryName
from warden.repository_images import MOST_REMEMBERED, Described, RepositoryImages
from warden.stored_images import StoredImage

APP = RepositoryName("team/app")


@pytest.fixture
def local() -> LocalAccount:
    local = LocalAccount()
    local.create()
    return local


def images_of(wire: Wire, stack: Stack) -> RepositoryImages:
    return RepositoryImages(wire.client(), stack.dynamodb, "ledger")


def described(wire: Wire, stack: Stack, now: datetime = NOW) -> Described:
    found = images_of(wire, stack).describe(APP, now=now)
    assert found is not None
    return found


def by_digest(found: Described) -> dict[Digest, StoredImage]:
    return {image.digest: image for image in found.images}


def answering(**answers: Callable[[Mapping[str, Any]], Answer] | Answer) -> Wire:
    """A registry that answers so, by operation."""

    def answer(operation: str, request: Mapping[str, Any]) -> Answer:
        found = answers[operation]
        return found if isinstance(found, tuple) else found(request)

    return Wire(answer)


def detail(seed: str, **more: Any) -> dict[str, Any]:
    return {"imageDigest": digest(seed), "imagePushedAt": NOW.timestamp(), **more}


def manifest_of(seed: str, children: Iterable[str]) -> dict[str, Any]:
    text = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"digest": each} for each in children]})
    return {"imageId": {"imageDigest": digest(seed)}, "imageManifest": text}


def an_index(*manifests: Mapping[str, Any]) -> Wire:
    """A repository of one index, whose manifest reads so."""
    listing = ok({"imageDetails": [detail("index", imageManifestMediaType=INDEX)]})
    return answering(DescribeImages=listing, BatchGetImage=ok({"images": list(manifests), "failures": []}))


def test_an_image_is_all_that_ecr_says_of_it(local: LocalAccount, stack: Stack) -> None:
    plain = local.push("plain", "v1", "latest", days=9, pulled=2)
    child = local.push("child", days=8)
    whole = local.push("index", days=8, lists=("child",))
    signature = local.push("signature", days=7, subject="plain")
    found = by_digest(described(local.wire, stack))
    assert found.keys() == {plain, child, whole, signature}
    assert set(found[plain].tags) == {"v1", "latest"}
    assert found[plain].pushed_at == NOW - timedelta(days=9)
    assert found[plain].pulled_at == NOW - timedelta(days=2)
    assert found[plain].size > 0
    assert (found[whole].is_index, found[whole].children) == (True, (child,))
    assert (found[child].is_index, found[child].tags, found[child].pulled_at) == (False, (), None)
    assert found[signature].subject == plain


def test_archived_images_are_there_with_since_when(local: LocalAccount, stack: Stack) -> None:
    frozen = local.push("frozen", "v1", days=9)
    storage: dict[str, Any] = {"repositoryName": "team/app", "imageId": {"imageDigest": frozen}}
    local.small.call("UpdateImageStorageClass", **storage, targetStorageClass="ARCHIVE")
    image = by_digest(described(local.wire, stack))[frozen]
    assert (image.archived, image.archived_at) == (True, NOW)
    local.small.pass_time(days=1)
    local.small.call("UpdateImageStorageClass", **storage, targetStorageClass="STANDARD")
    image = by_digest(described(local.wire, stack))[frozen]
    assert (image.archived, image.activated_at) == (False, NOW + timedelta(days=1))


def test_a_repository_that_is_gone_is_none(local: LocalAccount, stack: Stack) -> None:
    assert images_of(local.wire, stack).describe(RepositoryName("team/gone"), now=NOW) is None


def test_any_other_error_is_raised(stack: Stack) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        described(answering(DescribeImages=error("AccessDeniedException")), stack)


def test_all_pages_are_read_and_an_image_that_comes_twice_counts_once(stack: Stack) -> None:
    def page(request: Mapping[str, Any]) -> Answer:
        number = int(request.get("nextToken", "0"))
        more = {"nextToken": str(number + 1)} if number < 2 else {}
        return ok({"imageDetails": [detail(f"image {number}"), detail("twice", imageTags=[f"v{number}"])], **more})

    wire = answering(DescribeImages=page)
    found = by_digest(described(wire, stack))
    assert found.keys() == {digest("twice"), *(digest(f"image {number}") for number in range(3))}
    assert found[digest("twice")].tags == ("v2",)
    assert len(wire.requests) == 3
    assert wire.requests[0][1]["maxResults"] == 1000
    assert wire.requests[0][1]["filter"] == {"imageStatus": "ANY"}


@pytest.mark.parametrize("body", [{}, {"imageDetails": [{}]}, {"imageDetails": [{"imageDigest": digest("a")}]}])
def test_a_listing_that_was_cut_short_is_unknown_and_never_empty(body: dict[str, Any], stack: Stack) -> None:
    with pytest.raises(Unavailable, match="DescribeImages lacks"):
        described(answering(DescribeImages=ok(body)), stack)


@pytest.mark.parametrize(
    "body", [{}, {"images": [{"imageId": {"imageDigest": digest("index")}}]}, {"images": [{"imageManifest": "{}"}]}]
)
def test_manifests_that_were_cut_short_are_unknown(body: dict[str, Any], stack: Stack) -> None:
    listing = ok({"imageDetails": [detail("index", imageManifestMediaType=INDEX)]})
    with pytest.raises(Unavailable, match="BatchGetImage lacks"):
        described(answering(DescribeImages=listing, BatchGetImage=ok(body)), stack)


def test_an_index_is_read_once_and_never_again(local: LocalAccount, stack: Stack) -> None:
    """To read it each day would be a pull each day."""
    child = local.push("child")
    whole = local.push("index", "v1", lists=("child",))
    first = described(local.wire, stack)
    local.wire.requests.clear()
    again = described(local.wire, stack)
    assert first == again
    assert by_digest(again)[whole].children == (child,)
    assert local.wire.operations() == ["DescribeImages"]
    local.push("second", days=1)
    other = local.push("another", "v2", lists=("second",))
    local.wire.requests.clear()
    described(local.wire, stack)
    asked = [request["imageIds"] for operation, request in local.wire.requests if operation == "BatchGetImage"]
    assert asked == [[{"imageDigest": other}]], "only the new one"


def test_indexes_are_read_a_hundred_at_a_time(stack: Stack) -> None:
    seeds = [f"index {number}" for number in range(250)]
    listing = ok({"imageDetails": [detail(seed, imageManifestMediaType=INDEX) for seed in seeds]})
    by_name = {digest(seed): manifest_of(seed, [digest(f"{seed} child")]) for seed in seeds}

    def manifests(request: Mapping[str, Any]) -> Answer:
        return ok({"images": [by_name[one["imageDigest"]] for one in request["imageIds"]], "failures": []})

    wire = answering(DescribeImages=listing, BatchGetImage=manifests)
    found = described(wire, stack)
    assert all(image.children == (digest(f"{seed} child"),) for image, seed in zip(found.images, seeds, strict=True))
    sizes = [len(request["imageIds"]) for operation, request in wire.requests if operation == "BatchGetImage"]
    assert sizes == [100, 100, 50]


def test_an_archived_index_is_known_if_it_was_read_before_and_unread_otherwise(
    local: LocalAccount, stack: Stack
) -> None:
    child = local.push("child")
    known, unknown = local.push("known", "v1", lists=("child",)), None
    described(local.wire, stack)
    local.push("other", days=1)
    unknown = local.push("unknown", "v2", lists=("child", "other"))
    for one in (known, unknown):
        local.small.call(
            "UpdateImageStorageClass",
            repositoryName="team/app",
            imageId={"imageDigest": one},
            targetStorageClass="ARCHIVE",
        )
    found = described(local.wire, stack)
    assert found.unread == (unknown,)
    assert by_digest(found)[known].children == (child,)


def test_what_will_be_forgotten_soon_is_written_anew_as_long_as_the_index_is_there(stack: Stack) -> None:
    wire = an_index(manifest_of("index", [digest("child")]))
    for age in range(6):
        found = described(wire, stack, NOW + age * KEPT / 3)
        assert found.images[0].children == (digest("child"),)
    assert wire.operations().count("BatchGetImage") == 1
    (item,) = stack.dynamodb.query(
        TableName="ledger",
        KeyConditionExpression="pk = :key",
        ExpressionAttributeValues={":key": {"S": f"lists#{APP}"}},
    )["Items"]
    assert int(item["expires_at"]["N"]) > (NOW + 2 * KEPT).timestamp()


@pytest.mark.parametrize(
    "manifests",
    [
        [],
        [{"imageId": {"imageDigest": digest("index")}, "imageManifest": "no JSON"}],
        [manifest_of("index", ["latest"])],
        [{"imageId": {"imageDigest": digest("index")}, "imageManifest": '{"manifests": [7]}'}],
    ],
    ids=["not given", "no JSON", "no digest", "no object"],
)
def test_an_index_that_can_not_be_read_is_told_and_remembered_as_nothing(
    manifests: list[Mapping[str, Any]], stack: Stack
) -> None:
    wire = an_index(*manifests)
    for _ in range(2):
        assert described(wire, stack).unread == (digest("index"),)
    assert wire.operations().count("BatchGetImage") == 2


def test_an_index_that_lists_more_than_an_item_holds_is_read_each_time(stack: Stack) -> None:
    children = [digest(str(number)) for number in range(MOST_REMEMBERED + 1)]
    few, many = an_index(manifest_of("index", children[1:])), an_index(manifest_of("index", children))
    for _ in range(2):
        assert described(many, stack).images[0].children == tuple(children)
    assert many.operations().count("BatchGetImage") == 2
    for _ in range(2):
        assert described(few, stack).images[0].children == tuple(children[1:])
    assert few.operations().count("BatchGetImage") == 1


def test_some_are_looked_at_again_and_those_that_are_gone_are_left_out(local: LocalAccount, stack: Stack) -> None:
    there = [local.push(f"image {number}", f"v{number}") for number in range(5)]
    gone = [digest("gone"), digest("gone too")]
    images = images_of(local.wire, stack)
    asked = [there[0], gone[0], *there[1:4], gone[1], there[4]]
    assert [image.digest for image in images.again(APP, asked)] == there
    assert list(images.again(APP, [])) == []
    assert list(images.again(RepositoryName("team/gone"), there[:2])) == []


def test_no_more_than_a_hundred_are_looked_at_in_a_call(stack: Stack) -> None:
    def details(request: Mapping[str, Any]) -> Answer:
        return ok({"imageDetails": [{**detail("a"), **one} for one in request["imageIds"]]})

    wire = answering(DescribeImages=details)
    asked = [digest(str(number)) for number in range(201)]
    assert [image.digest for image in images_of(wire, stack).again(APP, asked)] == asked
    assert [len(request["imageIds"]) for _, request in wire.requests] == [100, 100, 1]


@pytest.mark.parametrize("body", [{}, {"imageDetails": [{}]}])
def test_a_second_look_that_was_cut_short_is_unknown(body: dict[str, Any], stack: Stack) -> None:
    with pytest.raises(Unavailable):
        list(images_of(answering(DescribeImages=ok(body)), stack).again(APP, [digest("a")]))


def test_a_second_look_that_fails_is_no_absence(stack: Stack) -> None:
    with pytest.raises(ClientError):
        list(images_of(answering(DescribeImages=error("ThrottlingException")), stack).again(APP, [digest("a")]))
