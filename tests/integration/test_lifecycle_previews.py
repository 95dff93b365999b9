"""ECR's previews: read to the last page, of our own text, or not at all."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.builders import digest
from tests.local_account import LocalAccount
from tests.wire import Answer, Wire, error, ok
from warden.errors import Refused, Unavailable
from warden.gate import Previewed
from warden.lifecycle.rules import RuleAction
from warden.lifecycle_previews import LifecyclePreviews
from warden.names import RepositoryName

APP = RepositoryName("team/app")
RULE: dict[str, Any] = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30},
    "action": {"type": "expire"},
}
TEXT = json.dumps({"rules": [RULE]})
OTHER = json.dumps({"rules": [{**RULE, "selection": {**RULE["selection"], "countNumber": 31}}]})


def row(seed: str, kind: str = "EXPIRE", priority: int | None = 1) -> dict[str, Any]:
    applied = {} if priority is None else {"appliedRulePriority": priority}
    return {"imageDigest": digest(seed), "action": {"type": kind}, **applied}


def status(said: str) -> dict[str, Any]:
    return {"lifecyclePolicyText": TEXT, "status": said}


def complete(*rows: Mapping[str, Any], expires: int | None = None, **more: Any) -> dict[str, Any]:
    summary = {"expiringImageTotalCount": len(rows) if expires is None else expires}
    return {**status("COMPLETE"), "previewResults": list(rows), "summary": summary, **more}


def without(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != name}


def preview(*answers: Mapping[str, Any] | Answer, start: Answer | None = None) -> tuple[Previewed, ...]:
    """What the adapter makes of ECR's answers, one after the other; the last one is given for ever."""
    return wired(*answers, start=start)[0].of(APP, TEXT)


def wired(*answers: Mapping[str, Any] | Answer, start: Answer | None = None) -> tuple[LifecyclePreviews, Wire]:
    def each() -> Iterator[Answer]:
        for answer in answers:
            yield answer if isinstance(answer, tuple) else ok(answer)
        while True:
            yield answer if isinstance(answer, tuple) else ok(answer)

    coming = each()

    def answer(operation: str, request: Mapping[str, Any]) -> Answer:
        if operation == "StartLifecyclePolicyPreview":
            return start or ok({**status("IN_PROGRESS"), "repositoryName": request["repositoryName"]})
        return next(coming)

    wire = Wire(answer)
    return LifecyclePreviews(wire.client(), delay=0, attempts=3), wire


def test_what_ecr_would_do_is_read_with_its_rules() -> None:
    """The waiter sees the first answer that is complete; it is read anew."""
    rows = (row("a"), row("b", "TRANSITION", 2), row("c", priority=None))
    counts = {"expiringImageTotalCount": 2, "transitioningImageTotalCounts": [{"imageTotalCount": 1}]}
    found = preview(status("IN_PROGRESS"), {**complete(*rows), "summary": counts})
    assert found == (
        Previewed(digest("a"), RuleAction.EXPIRE, 1),
        Previewed(digest("b"), RuleAction.TRANSITION, 2),
        Previewed(digest("c"), RuleAction.EXPIRE, None),
    )


def test_it_is_of_the_text_that_we_gave_not_of_the_policy_that_stands() -> None:
    previews, wire = wired(complete())
    assert previews.of(APP, TEXT) == ()
    assert wire.requests[0] == (
        "StartLifecyclePolicyPreview",
        {"repositoryName": "team/app", "lifecyclePolicyText": TEXT},
    )


def test_all_pages_of_a_hundred_are_read() -> None:
    local = LocalAccount()
    local.create()
    old = {local.push(f"image {number}", days=90 + number / 1000) for number in range(230)}
    young = local.push("young", "v1")
    found = LifecyclePreviews(local.wire.client(), delay=0).of(APP, TEXT)
    assert {one.digest for one in found} == old
    assert len(found) == 230
    assert young not in old
    asked = [request for operation, request in local.wire.requests if operation == "GetLifecyclePolicyPreview"]
    assert [request["maxResults"] for request in asked if "maxResults" in request] == [100, 100, 100]
    assert local.policy() == [], "a preview puts nothing"


def test_a_preview_that_takes_nothing_may_leave_out_its_summary() -> None:
    assert preview(without(complete(), "summary")) == ()


@pytest.mark.parametrize("code", ["InvalidParameterException", "ValidationException"])
def test_a_text_that_ecr_does_not_take_is_refused_with_what_ecr_said(code: str) -> None:
    with pytest.raises(Refused, match="does not take team/app's lifecycle policy: rule 1 is odd"):
        preview(complete(), start=error(code, "rule 1 is odd"))


def test_a_preview_of_somebody_elses_that_is_under_way_is_waited_for() -> None:
    with pytest.raises(Unavailable, match="under way") as unavailable:
        preview(complete(), start=error("LifecyclePolicyPreviewInProgressException"))
    assert unavailable.value.retry_after == 60


def test_any_other_error_is_raised() -> None:
    with pytest.raises(ClientError, match="RepositoryNotFound"):
        preview(complete(), start=error("RepositoryNotFoundException"))


@pytest.mark.parametrize(
    "answers",
    [
        [status("FAILED")],
        [status("IN_PROGRESS")],
        [status("EXPIRED")],
        [error("LifecyclePolicyPreviewNotFoundException")],
    ],
    ids=["failed", "in progress for ever", "expired", "not there"],
)
def test_a_preview_that_does_not_come_to_an_end_is_tried_again(answers: list[Any]) -> None:
    with pytest.raises(Unavailable, match="was not to be had"):
        preview(*answers)


@pytest.mark.parametrize("said", ["EXPIRED", "IN_PROGRESS", "FAILED", ""])
def test_a_preview_that_is_complete_no_more_when_it_is_read_is_tried_again(said: str) -> None:
    with pytest.raises(Unavailable, match="is asked for later"):
        preview(complete(row("a")), status(said))


def test_a_preview_of_anothers_text_is_none_of_ours() -> None:
    with pytest.raises(Unavailable, match="somebody else asked"):
        preview(complete(row("a"), lifecyclePolicyText=OTHER))


def test_the_same_policy_in_other_words_is_ours() -> None:
    minified = json.dumps({"rules": [dict(reversed(RULE.items()))]}, separators=(",", ":"))
    assert len(preview(complete(row("a"), lifecyclePolicyText=minified))) == 1


def test_another_text_on_a_later_page_is_seen() -> None:
    first = complete(row("a"), expires=2, nextToken="2")
    with pytest.raises(Unavailable, match="somebody else asked"):
        preview(first, first, complete(row("b"), expires=2, lifecyclePolicyText=OTHER))


@pytest.mark.parametrize(
    "cut",
    [
        without(complete(row("a")), "status"),
        without(complete(row("a")), "lifecyclePolicyText"),
        without(complete(row("a")), "previewResults"),
        without(complete(row("a")), "summary"),
        complete({"imageDigest": digest("a")}),
        complete({"action": {"type": "EXPIRE"}}),
    ],
    ids=["status", "text", "results", "summary", "action", "digest"],
)
def test_an_answer_that_was_cut_short_is_unknown(cut: Mapping[str, Any]) -> None:
    with pytest.raises(Unavailable, match="lacks"):
        preview(complete(), cut)


@pytest.mark.parametrize("is_on", ["the first page", "the last page", "both pages"])
def test_fewer_rows_than_are_counted_are_unknown(is_on: str) -> None:
    first = complete(row("a"), expires=0 if is_on == "the last page" else 3, nextToken="2")
    last = complete(row("b"), expires=0 if is_on == "the first page" else 3)
    with pytest.raises(Unavailable, match="counts 3 images and lists 2"):
        preview(first, first, last)


def test_transitions_are_counted_too() -> None:
    counts = {"transitioningImageTotalCounts": [{"targetStorageClass": "ARCHIVE", "imageTotalCount": 2}]}
    with pytest.raises(Unavailable, match="counts 2 images and lists 1"):
        preview({**complete(row("a", "TRANSITION")), "summary": counts})
