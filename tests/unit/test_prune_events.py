"""What reaches the prune function: turns and summaries that we wrote, what ECR tells, and anything else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import HOME, NOW, digest, event, image_id, vector
from warden import prune_events
from warden.errors import Invalid
from warden.events import Home, NotForUs
from warden.names import RepositoryName
from warden.prune_events import ImagesGone, PruneDue, PruneSummaryDue

APP = RepositoryName("team/app")
GONE = image_id("gone")
DELETED = {
    "action-type": "DELETE",
    "result": "SUCCESS",
    "repository-name": APP,
    "image-digest": GONE.digest,
    "image-tag": "v1",
}


def read(body: str) -> Any:
    return prune_events.prune(body, HOME)


def action(**changes: Any) -> str:
    return event("ECR Image Action", {**DELETED, **changes})


def executed(*actions: Any, **changes: Any) -> str:
    done = {"repositoryName": APP, "lifecycleEventImageActions": list(actions), **changes}
    return event("AWS Service Event via CloudTrail", {"eventName": "PolicyExecutionEvent", "serviceEventDetails": done})


def taken(seed: str, **more: Any) -> dict[str, Any]:
    return {"lifecycleEventImage": {"digest": digest(seed), "tagList": ["v1"]}, **more}


@pytest.mark.parametrize("sweep", ["2026-11-23T12:00:00+00:00", ""])
def test_a_turn_is_read_as_it_was_written(sweep: str) -> None:
    assert read(prune_events.repository_due(sweep, APP, at=NOW, home=HOME)) == PruneDue(sweep, NOW, APP)


def test_a_summary_is_read_as_it_was_written() -> None:
    assert read(prune_events.summary_due("s1", at=NOW, home=HOME)) == PruneSummaryDue("s1", NOW)


def test_a_deletion_names_its_image_and_no_rule() -> None:
    gone = read(action())
    assert gone == ImagesGone("13cde686-328b-6117-af20-0e5566167482", NOW, APP, {GONE.digest: None})
    assert read(event("ECR Image Action", {k: v for k, v in DELETED.items() if k != "image-tag"})) == gone


@pytest.mark.parametrize("storage_class", ["ARCHIVE", "archive"])
def test_an_image_that_went_to_the_archive_is_gone_too(storage_class: str) -> None:
    body = action(**{"action-type": "UPDATE_STORAGE_CLASS", "target-storage-class": storage_class})
    assert read(body).priorities == {GONE.digest: None}


@pytest.mark.parametrize(
    ("name", "repository", "count"),
    [
        ("ecr-image-action.delete.tagged.json", None, 1),
        ("ecr-image-action.delete.digest-only.json", None, 1),
        ("ecr-image-action.update-storage-class.archive.json", None, 1),
        ("cloudtrail.PolicyExecutionEvent.json", "testrepo", 2),
        ("ecr-image-action.update-storage-class.restore.json", None, 0),
        ("ecr-image-action.push.tagged.json", None, 0),
        ("cloudtrail.BatchDeleteImage.json", None, 0),
    ],
)
def test_every_recorded_shape_is_understood(name: str, repository: str | None, count: int) -> None:
    body = vector(f"events/{name}")
    found = prune_events.prune(json.dumps(body), Home(body["account"], body["region"]))
    if not count:
        assert isinstance(found, NotForUs)
        return
    assert isinstance(found, ImagesGone)
    assert found.repository == (repository or body["detail"]["repository-name"])
    assert len(found.priorities) == count
    assert set(found.priorities.values()) == ({1} if repository else {None})


@pytest.mark.parametrize(
    "changes",
    [
        {"action-type": "PUSH"},
        {"result": "FAILURE"},
        {"action-type": "UPDATE_STORAGE_CLASS", "target-storage-class": "STANDARD"},
        {"action-type": "UPDATE_STORAGE_CLASS"},
        {"action-type": "DELETE", "target-storage-class": "ARCHIVE", "result": "FAILURE"},
    ],
)
def test_what_is_no_departure_is_not_for_us(changes: dict[str, Any]) -> None:
    assert isinstance(read(action(**changes)), NotForUs)


def test_a_policys_execution_names_the_rule_of_each_image() -> None:
    body = executed(taken("a", rulePriority=1), taken("b", rulePriority=2), taken("c"), taken("d", rulePriority="3"))
    assert read(body).priorities == {digest("a"): 1, digest("b"): 2, digest("c"): None, digest("d"): None}
    assert read(executed()).priorities == {}


def test_a_preview_is_no_execution() -> None:
    body = json.loads(executed(taken("a", rulePriority=1)))
    body["detail"]["eventName"] = "DryRunEvent"
    assert isinstance(read(json.dumps(body)), NotForUs)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        event("ECR Image Action", {}),
        action(**{"action-type": 7}),
        action(**{"image-digest": "latest"}),
        action(**{"image-digest": None}),
        action(**{"repository-name": "Team/App"}),
        action(**{"repository-name": ["team/app"]}),
        event("ECR Image Action", DELETED, time="yesterday"),
        event("ECR Image Action", DELETED, time="2026-11-23T12:00:00"),
        event("ECR Image Action", DELETED, id=""),
        event("ECR Image Action", DELETED, account=None),
        event("AWS Service Event via CloudTrail", {"eventName": "PolicyExecutionEvent"}),
        executed(lifecycleEventImageActions=None),
        executed(lifecycleEventImageActions={"a": 1}),
        executed(repositoryName="-"),
        executed("sha256:1"),
        executed({}),
        executed({"lifecycleEventImage": []}),
        executed({"lifecycleEventImage": {"digest": 1}}),
        event("Prune Repository", {"sweep": 1, "repository-name": APP}, source="warden"),
        event("Prune Repository", {"sweep": "s"}, source="warden"),
        event("Prune Summary", {"sweep": ""}, source="warden"),
        event("Prune Summary", [], source="warden"),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_is_invalid_and_says_so(body: str) -> None:
    with pytest.raises(Invalid) as invalid:
        read(body)
    assert len(str(invalid.value)) < 200


@pytest.mark.parametrize(
    "body",
    [
        prune_events.repository_due("s", APP, at=NOW, home=Home("999999999999", HOME.region)),
        prune_events.summary_due("s", at=NOW, home=Home(HOME.account, "eu-west-1")),
        event("Prune Repository", {"sweep": "s", "repository-name": APP}),
        event("Prune Summary", {"sweep": "s"}, source="somebody"),
        event("ECR Image Scan", {}),
        event("ECR Image Action", DELETED, source="my.own"),
        event("ECR Image Action", DELETED, source=["aws.ecr"]),
    ],
)
def test_what_is_another_accounts_or_anothers_event_is_not_for_us(body: str) -> None:
    assert isinstance(read(body), NotForUs)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([APP, GONE.digest]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(
    [
        ("aws.ecr", "ECR Image Action"),
        ("aws.ecr", "AWS Service Event via CloudTrail"),
        ("warden", "Prune Repository"),
        ("warden", "Prune Summary"),
    ]
)
KEYS = [
    *DELETED,
    "target-storage-class",
    "eventName",
    "serviceEventDetails",
    "sweep",
    "repositoryName",
    "lifecycleEventImageActions",
    "lifecycleEventImage",
    "rulePriority",
    "digest",
]
DETAILS = st.recursive(
    JSON | st.sampled_from(["PolicyExecutionEvent", "DELETE", "SUCCESS", "UPDATE_STORAGE_CLASS"]),
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@given(KINDS, DETAILS, st.dictionaries(st.sampled_from(["id", "time", "detail", "account"]), JSON, max_size=1))
def test_any_body_is_understood_or_dropped_or_invalid(kind: tuple[str, str], detail: Any, changes: Any) -> None:
    source, detail_type = kind
    body = json.loads(event(detail_type, {}, source=source))
    body["detail"] = {**DELETED, **detail} if isinstance(detail, dict) else detail
    try:
        found = read(json.dumps({**body, **changes}))
    except Invalid:
        return
    assert isinstance(found, PruneDue | PruneSummaryDue | ImagesGone | NotForUs)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_at_all_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        read(text)
