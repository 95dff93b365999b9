"""What reaches a queue is understood, dropped, or refused; it never does anything else."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import HOME, NOW, VECTORS, api_call, finding_changed, image_id, inspected, push, scanned, vector
from warden import events, messages
from warden.errors import Invalid
from warden.events import FindingChanged, HeldNewsDue, Home, NotForUs, RepositoryDue, ScanFinished, SummaryDue, SweepDue
from warden.names import RepositoryName

RECORDED = sorted(path.name for path in (VECTORS / "events").glob("*.json") if not path.name.startswith("sqs-batch"))
PARSERS = [
    events.image_pushed,
    events.scan_finished,
    events.repository_changed,
    lambda body, _home: events.sweep(body),
]


def recorded(name: str) -> tuple[str, Home]:
    body = vector(f"events/{name}")
    return json.dumps(body), Home(body["account"], body["region"])


@pytest.mark.parametrize(
    ("name", "repository", "tag"),
    [
        ("ecr-image-action.push.tagged.json", "my-repository-name", "latest"),
        ("ecr-image-action.push.tagged.with-media-types.json", "node", None),
        ("ecr-image-action.push.digest-only.empty-tag.json", "team/app", None),
        ("ecr-image-action.push.digest-only.no-tag.json", "team/app", None),
        ("ecr-image-action.push.index-tagged.json", "team/app", "1.4.0"),
        ("ecr-image-action.push.helm-chart.json", "helm-test-chart", "0.1.0"),
    ],
)
def test_every_shape_of_a_push_is_understood(name: str, repository: str, tag: str | None) -> None:
    body, home = recorded(name)
    pushed = events.image_pushed(body, home)
    assert isinstance(pushed, events.ImagePushed)
    assert pushed.image.repository == repository
    expected = vector(f"events/{name}")["detail"]
    assert pushed.image.digest == expected["image-digest"]
    assert pushed.tag == (expected.get("image-tag") or None)
    assert pushed.tag == tag or tag is None
    assert not pushed.asked


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("inspector2-scan.ecr.initial-complete.inspector-docs.json", ScanFinished),
        ("inspector2-finding.ecr.active.inspector-docs.json", FindingChanged),
        ("inspector2-finding.ecr.active.critical-exploit-in-use.json", FindingChanged),
        ("inspector2-finding.ecr.active.untriaged-untagged.json", FindingChanged),
        ("inspector2-finding.ecr.closed.json", FindingChanged),
        ("inspector2-finding.ecr.suppressed.json", FindingChanged),
        ("NOT-OURS.inspector2-finding.azure-container-image.json", NotForUs),
        ("NOT-OURS.inspector2-scan.machine-image.json", NotForUs),
        ("inspector2-coverage.ecr-image.archived.json", NotForUs),
    ],
)
def test_what_inspector_says_of_our_images_is_understood_and_the_rest_dropped(name: str, kind: type) -> None:
    body, home = recorded(name)
    found = events.scan_finished(body, home)
    assert type(found) is kind
    if not isinstance(found, (NotForUs, HeldNewsDue)):
        assert found.image.repository == "inspector2"
        assert found.image.digest in body


@pytest.mark.parametrize(
    "body",
    [
        finding_changed(image_id(), account="999988887777"),
        finding_changed(image_id()).replace('"registry": "111122223333"', '"registry": "999988887777"'),
        inspected(image_id(), region="us-east-1"),
        inspected(image_id()).replace(":eu-central-1:111122223333:repository", ":eu-central-1:999988887777:repository"),
    ],
    ids=["a finding's account", "a finding's registry", "a scan's region", "a scan's registry"],
)
def test_what_inspector_says_of_others_images_is_dropped(body: str) -> None:
    assert isinstance(events.scan_finished(body, HOME), NotForUs)


@pytest.mark.parametrize("name", [name for name in RECORDED if "image-action.push" not in name or "failure" in name])
def test_an_event_that_is_not_a_push_is_dropped_and_not_refused(name: str) -> None:
    body, home = recorded(name)
    assert isinstance(events.image_pushed(body, home), NotForUs)


def test_a_recorded_scan_is_understood() -> None:
    body, home = recorded("ecr-image-scan.basic.complete.all-severities.json")
    finished = events.scan_finished(body, home)
    assert isinstance(finished, ScanFinished)
    assert (finished.image.repository, finished.asked) == ("team/app", False)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("cloudtrail.CreateRepository.json", "CreateRepository"),
        ("cloudtrail.CreateRepository.modern.json", "CreateRepository"),
        ("cloudtrail.PutImageTagMutability.mutable.json", "PutImageTagMutability"),
        ("cloudtrail.PutImageTagMutability.immutable-with-exclusion.json", "PutImageTagMutability"),
        ("cloudtrail.PutLifecyclePolicy.json", "PutLifecyclePolicy"),
        ("cloudtrail.DeleteLifecyclePolicy.json", "DeleteLifecyclePolicy"),
        ("cloudtrail.TagResource.json", "TagResource"),
    ],
)
def test_a_recorded_call_is_understood_with_who_made_it(name: str, call: str) -> None:
    body, home = recorded(name)
    changed = events.repository_changed(body, home)
    assert isinstance(changed, events.RepositoryChanged)
    identity = json.loads(body)["detail"]["userIdentity"]
    assert (changed.call, changed.actor) == (call, identity["arn"])
    assert changed.role == identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn")


@pytest.mark.parametrize(
    "name", ["cloudtrail.PutImage.tag-immutable-error.json", "cloudtrail.StartImageScan.limit-exceeded-error.json"]
)
def test_a_call_that_failed_changed_nothing(name: str) -> None:
    body, home = recorded(name)
    assert isinstance(events.repository_changed(body, home), NotForUs)


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "custom.ecr"},
        {"detail-type": "ECR Image Scan"},
        {"account": "999988887777"},
        {"region": "us-east-1"},
    ],
)
def test_a_push_elsewhere_is_not_for_us(changes: dict[str, str]) -> None:
    assert isinstance(events.image_pushed(push(image_id(), **changes), HOME), NotForUs)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "the body is not JSON"),
        ("{", "the body is not JSON"),
        ("[" * 100_000, "the body is not JSON"),
        ("[]", "expected a JSON object, got list"),
        ("{}", "source: expected text, got NoneType"),
        (push(image_id(), detail=None), "detail: expected an object, got NoneType"),
        (push(image_id(), detail={}), "action-type: expected text"),
        (push(image_id(), time="2023-02-29T02:36:48Z"), "time: expected ISO 8601"),
        (push(image_id(), time="2026-11-23T12:00:00"), "time: expected a time zone"),
        (push(image_id()).replace("sha256:", "md5-"), "image-digest: expected a digest"),
        (push(image_id(repository="../etc")), "repository-name: '../etc' is not a name that ECR allows"),
        (push(image_id(repository="a" * 300)), "is not a name that ECR allows"),
        (push(image_id()).replace('"v1"', "[1]"), "detail.image-tag: expected text, got list"),
    ],
)
def test_a_malformed_push_is_refused_with_what_was_wrong_and_where(body: str, reason: str) -> None:
    with pytest.raises(Invalid, match=re.escape(reason)):
        events.image_pushed(body, HOME)


@pytest.mark.parametrize("parse", PARSERS)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["source", "detail", "id"]) | st.text(), inner),
    )
)
def test_anything_else_is_dropped_or_refused(parse: Any, body: Any) -> None:
    try:
        assert isinstance(parse(json.dumps(body), HOME), NotForUs)
    except Invalid as error:
        assert str(error)


def test_what_we_send_ourselves_is_understood_and_marked_as_asked_for() -> None:
    image = image_id()
    asked = events.scan_finished(messages.judgement_request(image, id="e", at=NOW, home=HOME), HOME)
    reminded = events.image_pushed(messages.push_reminder(image, id="e", at=NOW, home=HOME), HOME)
    assert asked == ScanFinished("e", NOW, image, asked=True)
    assert reminded == events.ImagePushed("e", NOW, image, None, asked=True)


def test_a_real_scan_was_not_asked_for() -> None:
    finished = events.scan_finished(scanned(image_id()), HOME)
    assert isinstance(finished, ScanFinished)
    assert not finished.asked


def test_a_sweep_has_three_kinds_of_messages() -> None:
    app = RepositoryName("team/app")
    assert events.sweep('{"source":"warden","detail-type":"Sweep","time":"2026-11-23T12:00:00Z"}') == SweepDue(
        datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    )
    assert events.sweep(messages.repository_due("s1", app, {"a": 1}, at=NOW, home=HOME)) == RepositoryDue(
        "s1", NOW, app, {"a": 1}
    )
    assert events.sweep(messages.summary_due("s1", at=NOW, home=HOME)) == SummaryDue("s1", NOW)
    assert isinstance(events.sweep(push(image_id())), NotForUs)
    assert isinstance(events.sweep('{"source":"warden","detail-type":"Dance"}'), NotForUs)


def test_a_service_that_acts_without_a_role_is_named() -> None:
    body = json.loads(api_call("CreateRepository", "team/app"))
    body["detail"]["userIdentity"] = {"type": "AWSService", "invokedBy": "replication.ecr.amazonaws.com"}
    changed = events.repository_changed(json.dumps(body), HOME)
    assert isinstance(changed, events.RepositoryChanged)
    assert (changed.actor, changed.role) == ("replication.ecr.amazonaws.com", None)


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_the_partition_follows_from_the_region(region: str, partition: str) -> None:
    assert Home("111122223333", region).role_arn("/warden/") == f"arn:{partition}:iam::111122223333:role/warden/"
