"""The EPSS that Amazon Inspector knows, read by a real client from answers in the shape of its model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.builders import image_id
from warden.errors import Unavailable
from warden.inspector import FINDINGS_A_PAGE, MOST_FINDINGS, Inspector

if TYPE_CHECKING:
    from mypy_boto3_inspector2 import Inspector2Client

IMAGE = image_id()


@pytest.fixture
def client() -> "Inspector2Client":
    return boto3.client("inspector2", region_name="eu-central-1")


@pytest.fixture
def stub(client: "Inspector2Client") -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def a_finding(name: str | None = "CVE-2026-1000", score: float | None = 0.5, **changes: Any) -> dict[str, Any]:
    details = {"packageVulnerabilityDetails": {"vulnerabilityId": name, "source": "NVD"}} if name else {}
    epss = {} if score is None else {"epss": {"score": score}}
    return {
        "awsAccountId": "111122223333",
        "description": "made up",
        "findingArn": "arn:aws:inspector2:eu-central-1:111122223333:finding/f",
        "firstObservedAt": 1,
        "lastObservedAt": 1,
        "remediation": {},
        "resources": [{"id": str(IMAGE), "type": "AWS_ECR_CONTAINER_IMAGE"}],
        "severity": "HIGH",
        "status": "ACTIVE",
        "type": "PACKAGE_VULNERABILITY",
        **details,
        **epss,
        **changes,
    }


def asked(token: str | None = None, most: int = FINDINGS_A_PAGE) -> dict[str, Any]:
    wanted = {
        "filterCriteria": {
            "ecrImageRepositoryName": [{"comparison": "EQUALS", "value": IMAGE.repository}],
            "ecrImageHash": [{"comparison": "EQUALS", "value": IMAGE.digest}],
        },
        "maxResults": most,
    }
    return {**wanted, **({"nextToken": token} if token else {})}


def answered(stub: Stubber, *pages: Sequence[Mapping[str, Any]]) -> None:
    for number, findings in enumerate(pages):
        more = {"nextToken": f"page-{number + 1}"} if number + 1 < len(pages) else {}
        stub.add_response("list_findings", {"findings": findings, **more}, asked(f"page-{number}" if number else None))


def test_the_scores_of_one_manifest_are_asked_for_and_read_to_the_last_page(
    client: "Inspector2Client", stub: Stubber
) -> None:
    answered(stub, [a_finding("CVE-1", 0.1), a_finding("CVE-2", 0.2)], [], [a_finding("CVE-3", 1)])
    assert Inspector(client).epss(IMAGE) == {"CVE-1": 0.1, "CVE-2": 0.2, "CVE-3": 1.0}


def test_what_has_no_score_or_is_no_package_is_left_out_and_none_is_not_zero(
    client: "Inspector2Client", stub: Stubber
) -> None:
    answered(
        stub,
        [
            a_finding("CVE-1", None),
            a_finding("CVE-2", epss={}),
            a_finding(None, 0.9, type="CODE_VULNERABILITY"),
            a_finding("CVE-3", 0.0),
        ],
    )
    assert Inspector(client).epss(IMAGE) == {"CVE-3": 0.0}


def test_of_an_image_without_findings_nothing_is_known(client: "Inspector2Client", stub: Stubber) -> None:
    answered(stub, [])
    assert Inspector(client).epss(IMAGE) == {}


def test_of_an_image_made_to_have_too_many_findings_some_are_read(client: "Inspector2Client", stub: Stubber) -> None:
    pages = [[a_finding(f"CVE-{page}-{n}") for n in range(FINDINGS_A_PAGE)] for page in range(60)]
    answered(stub, *pages[: MOST_FINDINGS // FINDINGS_A_PAGE], pages[-1])
    stub._queue.pop()  # type: ignore[attr-defined]
    assert len(Inspector(client).epss(IMAGE)) == MOST_FINDINGS


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "InternalServerException"])
def test_a_refusal_is_not_taken_for_an_answer(client: "Inspector2Client", stub: Stubber, code: str) -> None:
    stub.add_client_error("list_findings", code, expected_params=asked())
    with pytest.raises(ClientError, match=code):
        Inspector(client).epss(IMAGE)


def test_an_answer_that_was_cut_short_is_not_taken_for_a_whole_one(client: "Inspector2Client", stub: Stubber) -> None:
    stub.add_response("list_findings", {}, asked())
    with pytest.raises(Unavailable, match="ListFindings"):
        Inspector(client).epss(IMAGE)
