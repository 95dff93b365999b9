"""What Amazon Inspector knows of findings and ECR does not pass on: their EPSS.

https://docs.aws.amazon.com/inspector/v2/APIReference/API_ListFindings.html
"""

from typing import TYPE_CHECKING

from warden import answers
from warden.names import ImageId

if TYPE_CHECKING:
    from mypy_boto3_inspector2 import Inspector2Client

FINDINGS_A_PAGE = 100
MOST_FINDINGS = 5_000
"""Fifty calls. Of what is beyond them the EPSS is unknown, and what is unknown counts."""


class Inspector:
    """Amazon Inspector in this account and region."""

    def __init__(self, client: "Inspector2Client") -> None:
        """`client` is an Inspector client."""
        self._client = client

    def epss(self, image: ImageId) -> dict[str, float]:
        """The EPSS, from 0 to 1, of the vulnerabilities in one manifest, where Inspector gives it."""
        pages = self._client.get_paginator("list_findings").paginate(
            filterCriteria={
                "ecrImageRepositoryName": [{"comparison": "EQUALS", "value": image.repository}],
                "ecrImageHash": [{"comparison": "EQUALS", "value": image.digest}],
            },
            PaginationConfig={"PageSize": FINDINGS_A_PAGE, "MaxItems": MOST_FINDINGS},
        )
        scores: dict[str, float] = {}
        for page in pages:
            with answers.whole("ListFindings"):
                for finding in page["findings"]:
                    details = finding.get("packageVulnerabilityDetails")
                    score = finding.get("epss", {}).get("score")
                    if details and score is not None:
                        scores[details["vulnerabilityId"]] = score
        return scores
