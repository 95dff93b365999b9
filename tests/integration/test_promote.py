"""The promote function, with a real registry on both sides."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import HOME, NOW, event, image_id
from tests.conformance.cloud import index, manifest
from tests.local_account import LocalAccount
from tests.promoting import (
    RELEASE,
    TEAM,
    World,
    a_signature,
    a_world,
    contents,
    fill,
    judge,
    promoting_policy,
    put,
)
from tests.unit.local.images import about
from warden.errors import Unavailable
from warden.events import Home
from warden.known import Verdict
from warden.names import Digest, ImageId, RepositoryName
from warden.notices import Level
from warden.promotion import KIND
from warden.promotion_events import PromotionDue, promotion_due
from warden.release_repositories import MADE_TO

UPLOADS = {"InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload"}
PERSON: dict[str, Any] = {"by": "arn:aws:sts::111122223333:assumed-role/Admin/alice", "reason": "hotfix for the fair"}


@pytest.fixture
def world() -> Iterator[World]:
    with a_world() as made:
        yield made


def facts(world: World) -> dict[str, str]:
    """Those of the one notice that was sent."""
    (notice,) = world.notices()
    return {fact.label: fact.value for fact in notice.facts}


def test_an_image_that_passed_is_in_its_release_repository_with_all_that_is_about_it(world: World) -> None:
    image = world.passed("v1.0", "latest", much=True)
    outcome = world.run(image)
    assert outcome.name == "Promoted"
    there, here = contents(world.local), contents(world.local, TEAM)
    assert there.keys() == here.keys()
    cosign = f"{image.digest.replace(':', '-')}.sig"
    assert {tags for tags in there.values() if tags} == {("v1.0",), (cosign,)}
    assert there[image.digest] == ("v1.0",)
    texts = {
        name: {
            digest: one.manifest.text for digest, one in world.local.small.ecr.registry.repository(name).images.items()
        }
        for name in (TEAM, RELEASE)
    }
    assert texts[TEAM] == texts[RELEASE]


def test_it_is_written_down_and_told_on_both_sides(world: World) -> None:
    image = world.passed("v1.0")
    world.run(image)
    begun, done = (entry for entry in world.lines(image) if entry.kind == KIND)
    assert (begun.details["result"], done.details["result"]) == ("begun", "done")
    assert begun.text == "promotion to release/app begun: 5 layers to be sent"
    assert {**done.details, "bytes": ""} == {
        "event": "promotion 1",
        "result": "done",
        "rule": "warden.yaml:1",
        "target": "release/app",
        "tags": "v1.0",
        "bytes": "",
        "layers": "5",
        "mounted": "0",
    }
    assert int(done.details["bytes"]) == int(begun.details["bytes"]) > 0
    (arrived,) = world.lines(ImageId(RELEASE, Digest(image.digest)))
    assert arrived.kind == "promoted from"
    assert arrived.details["source"] == str(image)
    (notice,) = world.notices()
    assert notice.level is Level.CHANGE
    assert notice.title == "team/app:v1.0 was promoted to release/app"
    assert {fact.label for fact in notice.facts} == {"From", "To", "Sent", "Note", "Rule", "Digest"}
    assert "release/app" in (notice.links[0].url or "")


def test_a_second_promotion_sends_nothing_and_says_nothing(world: World) -> None:
    image = world.passed("v1.0")
    world.run(image)
    world.notices()
    before = len(world.local.writes())
    assert world.run(image, event="promotion 2").name == "NothingToDo"
    assert world.local.writes()[before:] == []
    assert world.notices() == []
    assert world.results(image) == ["begun", "done"]
    assert world.run(image, event="promotion 3", **PERSON).name == "NothingToDo"
    assert world.results(image) == ["begun", "done", "nothing to do"]


def test_a_new_tag_is_put_without_sending_any_layer(world: World) -> None:
    image = world.passed("v1.0")
    world.run(image)
    before = len(world.local.wire.operations())
    world.notices()
    put(world.local, world.local._built["index"], "v1")
    assert world.run(image, event="promotion 2").name == "Promoted"
    assert contents(world.local)[image.digest] == ("v1", "v1.0")
    assert not UPLOADS & set(world.local.wire.operations()[before:])
    assert facts(world)["Sent"] == "no layer was sent"


def test_a_signature_that_came_later_follows(world: World) -> None:
    image = world.passed("v1.0")
    world.run(image)
    world.notices()
    late = put(world.local, a_signature("late", image.digest))
    assert world.run(image, event="promotion 2").name == "Promoted"
    assert late in contents(world.local)
    assert facts(world)["Sent"].startswith("1 layer, ")


def test_every_manifest_is_put_after_its_children_and_the_tag_last_of_all(world: World) -> None:
    image = world.passed("v1.0", much=True)
    world.run(image)
    puts = [request for operation, request in world.local.wire.requests if operation == "PutImage"]
    assert [one.get("imageTag") for one in puts][-1] == "v1.0"
    assert all("imageTag" not in one for one in puts[:-2])
    assert all(one["imageDigest"] for one in puts)
    order = [one["imageDigest"] for one in puts]
    assert order.index(image.digest) > max(order.index(world.local.digest(seed)) for seed in ("amd64", "arm64"))


def test_the_release_repository_is_made_to_the_standard_of_its_own_name() -> None:
    rule = (
        "release/*",
        {"tags.exclude": ["latest"], "tags.mode": "report", "encryption.type": "KMS", "scanning.on_push": False},
    )
    with a_world(promoting_policy(rule)) as world:
        world.run(world.passed())
        made = world.local.small.ecr.registry.repository(RELEASE)
        assert made.encryption["encryptionType"] == "KMS"
        assert not made.scan_on_push
        assert made.tags == {MADE_TO: "0123456789ab"}
        assert made.mutability.shown() == {
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [
                {"filterType": "WILDCARD", "filter": "latest"},
                {"filterType": "WILDCARD", "filter": "sha256-*"},
            ],
        }
        (body,) = world.stack.bodies("prunes")
        assert json.loads(body)["detail"]["repository-name"] == RELEASE


@pytest.mark.parametrize(
    ("fields", "mutability"),
    [
        ({"tags__mode": "off", "scanning__mode": "off", "encryption__mode": "off"}, "MUTABLE"),
        ({"tags__immutability": "MUTABLE"}, "MUTABLE"),
    ],
)
def test_what_the_standard_does_not_ask_of_a_release_repository_it_does_not_get(
    fields: dict[str, Any], mutability: str
) -> None:
    with a_world(promoting_policy(**fields)) as world:
        world.run(world.passed())
        made = world.local.small.ecr.registry.repository(RELEASE)
        assert made.mutability.shown()["imageTagMutability"] == mutability


def test_a_release_repository_that_is_there_stays_as_it_is(world: World) -> None:
    world.local.create(RELEASE)
    assert world.run(world.passed()).name == "Promoted"
    made = world.local.small.ecr.registry.repository(RELEASE)
    assert (made.tags, made.mutability.shown()["imageTagMutability"]) == ({}, "MUTABLE")
    assert "CreateRepository" not in world.local.wire.operations()


def test_a_release_repository_that_somebody_makes_meanwhile_is_taken(world: World) -> None:
    image = world.passed()

    def make(operation: str) -> None:
        if operation == "CreateRepository":
            world.local.before_call = lambda _: None
            world.local.create(RELEASE)

    world.local.before_call = make
    assert world.run(image).name == "Promoted"


def test_report_mode_changes_nothing_and_tells_once() -> None:
    with a_world(promoting_policy(promote__mode="report")) as world:
        image = world.passed("v1.0")
        before = contents(world.local, TEAM)
        assert world.run(image).name == "WouldPromote"
        assert world.local.writes() == []
        assert (contents(world.local), contents(world.local, TEAM)) == ({}, before)
        (notice,) = world.notices()
        assert notice.title == "team/app:v1.0 would be promoted to release/app"
        assert world.results(image) == ["would be done"]
        assert world.run(image, event="promotion 2").name == "ToldBefore"
        assert world.notices() == []
        assert world.results(image) == ["would be done"]
        world.run(image, event="promotion 3", **PERSON)
        assert world.results(image) == ["would be done", "would be done"]
        put(world.local, world.local._built["index"], "v1")
        assert world.run(image, event="promotion 4").name == "WouldPromote"


@pytest.mark.parametrize(
    ("verdict", "outcome"), [(Verdict.NOTIFY, "NotPassed"), (Verdict.BLOCK, "NotPassed"), (None, "NotJudged")]
)
def test_what_did_not_pass_stays_where_it_is_and_only_who_asked_hears_of_it(
    world: World, verdict: Verdict | None, outcome: str
) -> None:
    image = fill(world.local)
    if verdict:
        judge(world.stack, image, verdict)
    assert world.run(image).name == outcome
    assert (world.lines(image), world.notices(), contents(world.local)) == ([], [], {})
    assert world.run(image, event="order", **PERSON).name == outcome
    (line,) = world.lines(image)
    assert (line.details["result"], line.details["by"], line.details["event"]) == ("refused", PERSON["by"], "order")
    assert contents(world.local) == {}


def test_a_person_may_promote_what_is_only_to_be_notified_of(world: World) -> None:
    image = fill(world.local)
    judge(world.stack, image, Verdict.NOTIFY)
    assert world.run(image, anyway=True, **PERSON).name == "Promoted"
    assert [entry.details.get("by") for entry in world.lines(image)] == [PERSON["by"]] * 2
    assert facts(world)["Reason"] == PERSON["reason"]


def test_an_image_or_a_repository_that_is_gone_is_no_trouble(world: World) -> None:
    world.local.create()
    gone = ImageId(TEAM, Digest("sha256:" + "0" * 64))
    assert world.run(gone).name == "Gone"
    assert world.run(ImageId(RepositoryName("no/such"), gone.digest)).name == "Gone"


def test_what_is_not_for_us_is_dropped(world: World) -> None:
    assert world.take(event("ECR Image Action", {"result": "SUCCESS"})).name == "NotForUs"


def test_two_messages_do_not_copy_the_same_image_at_a_time(world: World) -> None:
    image = world.passed()

    def another(operation: str) -> None:
        if operation == "CreateRepository":
            with pytest.raises(Unavailable, match="another message is at it"):
                world.run(image, event="promotion 2")

    world.local.before_call = another
    assert world.run(image).name == "Promoted"
    assert world.local.wire.operations().count("CreateRepository") == 1


def test_an_image_of_one_platform_without_anything_about_it_goes_alone(world: World) -> None:
    world.local.create()
    image = ImageId(TEAM, world.local.push("alone", "v2"))
    judge(world.stack, image)
    assert world.run(image).name == "Promoted"
    assert contents(world.local) == {image.digest: ("v2",)}
    assert "Note" not in facts(world)


def test_nested_indexes_and_attestations_go_along(world: World) -> None:
    world.local.create()
    platform = manifest("amd64")
    inner = index([platform])
    attestation = a_signature("attestation", platform.digest, media_type="application/vnd.in-toto+json")
    outer = index([inner, attestation])
    for built in (platform, inner, attestation):
        put(world.local, built)
    image = ImageId(TEAM, put(world.local, outer, "v1"))
    judge(world.stack, image)
    assert world.run(image).name == "Promoted"
    assert contents(world.local).keys() == {one.digest for one in (platform, inner, attestation, outer)}


def test_an_image_that_claims_to_be_about_another_is_left_out(world: World) -> None:
    """Whoever may push could have anything released by calling it a signature of what passed."""
    image = world.passed("v1.0")
    hidden = put(world.local, about(manifest("unjudged"), image.digest))
    listed = put(world.local, index([about(manifest("unjudged"), image.digest)]), image.digest.replace(":", "-"))
    assert world.run(image).name == "Promoted"
    assert not {hidden, listed} & contents(world.local).keys()
    assert "2 left out" in facts(world)["Note"]


def test_what_is_about_an_image_and_archived_is_left_out(world: World) -> None:
    image = world.passed("v1.0")
    archived = put(world.local, a_signature("archived", image.digest))
    world.local.small.call(
        "UpdateImageStorageClass",
        repositoryName=TEAM,
        imageId={"imageDigest": archived},
        targetStorageClass="ARCHIVE",
    )
    assert world.run(image).name == "Promoted"
    assert archived not in contents(world.local)


def test_more_signatures_than_a_page_of_ecr_go_along(world: World) -> None:
    world.local.create()
    image = ImageId(TEAM, world.local.push("signed", "v1"))
    signatures = {put(world.local, a_signature(str(number), image.digest)) for number in range(51)}
    judge(world.stack, image)
    assert world.run(image).name == "Promoted"
    assert signatures < contents(world.local).keys()


def test_a_signatures_name_that_something_else_has_there_is_left_alone_and_told(world: World) -> None:
    image = world.passed("v1.0")
    name = f"{image.digest.replace(':', '-')}.sig"
    world.local.create(RELEASE)
    other = put(world.local, a_signature("made there"), name, repository=RELEASE)
    assert world.run(image).name == "Promoted"
    assert contents(world.local)[other] == (name,)
    assert name[:60] in facts(world)["Note"]


def test_hostile_annotations_change_nothing_and_are_shown_nowhere(world: World) -> None:
    world.local.create()
    built = manifest("hostile")
    text = json.dumps({**json.loads(built.text), "annotations": {"org.opencontainers.image.title": "<!channel> *x*"}})
    image = ImageId(TEAM, put(world.local, type(built)(text, built.media_type, built.blobs), "v1._-"))
    judge(world.stack, image)
    assert world.run(image).name == "Promoted"
    assert "channel" not in str(world.notices())


def test_when_the_time_runs_out_the_rest_is_for_another_invocation(world: World) -> None:
    image = world.passed("v1.0")
    ends = iter([900_000] * 6)
    assert world.run(image, left=lambda: next(ends, 10_000)).name == "GoesOn"
    assert not any(contents(world.local).values()), "nothing has a tag yet"
    assert world.notices() == []
    (body,) = world.stack.bodies("own")
    assert world.take(body).name == "Promoted"
    assert world.results(image) == ["begun", "done"]
    assert facts(world)["Sent"].startswith("5 layers")


def test_manifests_wait_for_another_invocation_too(world: World) -> None:
    image = world.passed("v1.0")

    def left() -> int:
        return 10_000 if "PutImage" in world.local.wire.operations() else 900_000

    assert world.run(image, left=left).name == "GoesOn"
    assert not any(contents(world.local).values())
    (body,) = world.stack.bodies("own")
    assert world.take(body).name == "Promoted"
    assert contents(world.local)[image.digest] == ("v1.0",)


def test_invocations_that_send_nothing_come_to_an_end(world: World) -> None:
    image = world.passed("v1.0")
    outcomes, body = [], ""
    outcomes.append(world.run(image, left=lambda: 10_000).name)
    while bodies := world.stack.bodies("own"):
        (body,) = bodies
        outcomes.append(world.take(body, left=lambda: 10_000).name)
    assert outcomes == ["GoesOn"] * 20 + ["Refused"]
    assert world.results(image) == ["begun", "refused"]
    (notice,) = world.notices()
    assert notice.level is Level.ATTENTION


def test_a_role_of_another_account_writes_there_and_the_ledger_says_so_here() -> None:
    role = "arn:aws:iam::444455556666:role/ecr-warden-promotion"
    other = LocalAccount()
    others = {("444455556666", "eu-west-1"): other}
    policy = promoting_policy(promote__role=role, promote__region="eu-west-1")
    with a_world(policy, others=others) as world:
        image = world.passed("v1.0")
        assert world.run(image).name == "Promoted"
        assert contents(other).keys() == contents(world.local, TEAM).keys()
        assert contents(other)[image.digest] == ("v1.0",)
        assert RELEASE not in world.local.small.ecr.registry.repositories
        assert {(target.account, target.region, target.role) for target in world.places.asked} == {
            ("444455556666", "eu-west-1", role)
        }
        assert world.stack.bodies("prunes") == [], "prune looks after our own registry"
        assert world.lines(ImageId(RELEASE, Digest(image.digest))) == []
        (notice,) = world.notices()
        said = "".join(span.text for span in notice.summary)
        assert "in eu-west-1, account 444455556666 is the same image" in said
        assert "team/app" in (notice.links[0].url or "")


def test_a_finding_that_comes_while_it_is_copied_keeps_the_tags_back(world: World) -> None:
    image = world.passed("v1.0")

    def judge_anew(operation: str) -> None:
        if operation == "CompleteLayerUpload":
            judge(world.stack, image, Verdict.BLOCK)

    world.local.before_call = judge_anew
    assert world.run(image).name == "Refused"
    assert not any(contents(world.local).values())
    assert world.results(image) == ["begun", "refused"]


def test_a_tag_that_leaves_while_it_is_copied_is_not_put(world: World) -> None:
    image = world.passed("v1.0", "v1")

    def untag(operation: str) -> None:
        if operation == "CompleteLayerUpload":
            world.local.before_call = lambda _: None
            world.local.small.call("BatchDeleteImage", repositoryName=TEAM, imageIds=[{"imageTag": "v1"}])

    world.local.before_call = untag
    assert world.run(image).name == "Refused"
    assert not any(contents(world.local).values())
    assert world.run(image, event="promotion 2", now=NOW + timedelta(minutes=1)).name == "Promoted"
    assert contents(world.local)[image.digest] == ("v1.0",)


def test_what_is_archived_in_the_release_repository_is_there_again(world: World) -> None:
    image = world.passed("v1.0")
    world.run(image)
    for digest in contents(world.local):
        world.local.small.call(
            "UpdateImageStorageClass",
            repositoryName=RELEASE,
            imageId={"imageDigest": digest},
            targetStorageClass="ARCHIVE",
        )
    assert contents(world.local) == {}
    assert world.run(image, event="promotion 2").name == "Promoted"
    assert contents(world.local)[image.digest] == ("v1.0",)


def test_a_signatures_name_that_something_else_gets_meanwhile_is_left_alone(world: World) -> None:
    image = world.passed("v1.0")
    name = f"{image.digest.replace(':', '-')}.sig"

    def be_faster(operation: str) -> None:
        if operation == "CompleteLayerUpload":
            world.local.before_call = lambda _: None
            put(world.local, a_signature("made there"), name, repository=RELEASE)

    world.local.before_call = be_faster
    assert world.run(image).name == "Promoted"
    assert sum(name in tags for tags in contents(world.local).values()) == 1
    assert contents(world.local)[image.digest] == ("v1.0",)


def test_what_somebody_else_puts_meanwhile_is_as_good(world: World) -> None:
    image = world.passed("v1.0")

    def copy_by_hand(operation: str) -> None:
        if operation == "PutImage":
            world.local.before_call = lambda _: None
            for seed in ("amd64", "index"):
                put(world.local, world.local._built[seed], repository=RELEASE)

    world.local.before_call = copy_by_hand
    assert world.run(image).name == "Promoted"
    assert contents(world.local).keys() == contents(world.local, TEAM).keys()


def test_a_message_of_another_account_is_not_for_us(world: World) -> None:
    body = promotion_due(PromotionDue("event", NOW, image_id()), Home("444455556666", HOME.region))
    assert world.take(body).name == "NotForUs"
