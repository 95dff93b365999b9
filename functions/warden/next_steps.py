"""What to do about a verdict: the step that helps, for what was found and for each reason of not being scanned."""

from collections.abc import Sequence

from warden.findings import Finding, state_of
from warden.notices import Line, code, link, plain
from warden.verdicts import Judgement

MOST_PACKAGES = 3

_SCANNING_PAGE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html"
_SYSTEMS_PAGE = "https://docs.aws.amazon.com/inspector/latest/user/supported.html"
_DURATION_PAGE = (
    "https://docs.aws.amazon.com/inspector/latest/user/scanning_resources_configure_duration_setting_ecr.html"
)
"""Images that are no longer looked at stay so, even where the time is made longer."""
_TROUBLE_PAGE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-troubleshooting.html"

_OTHERWISE: Line = (
    plain("Basic scanning reads the package lists of common Linux distributions. For others, turn on "),
    link("enhanced scanning", _SCANNING_PAGE),
    plain("."),
)
_LOOK: Line = (
    plain("See what ECR says of its scan, and "),
    link("why scans fail", _TROUBLE_PAGE),
    plain("."),
)
_BY_STATUS: dict[str, Line] = {
    "UNSUPPORTED_IMAGE": (
        plain("See which "),
        link("distributions and formats", _SYSTEMS_PAGE),
        plain(" are supported; scan others where they are built."),
    ),
    "SCAN_ELIGIBILITY_EXPIRED": (
        plain("If it is still used, build and push it anew. Inspector can be told "),
        link("how long to look at images", _DURATION_PAGE),
        plain("."),
    ),
    "FINDINGS_UNAVAILABLE": _LOOK,
    "LIMIT_EXCEEDED": _LOOK,
    "IMAGE_ARCHIVED": (plain("If it is still used, restore it: then it can be scanned again."),),
    "IMAGE_SIZE_EXCEEDED": (plain("Make it smaller, or scan it where it is built."),),
}
_UNKNOWN_STATUS = ""
_BY_EXPLANATION = {state_of(status)[1]: step for status, step in {**_BY_STATUS, _UNKNOWN_STATUS: _LOOK}.items()}


def next_step(judgement: Judgement) -> Line:
    """What to do first: about what was found, else about what was not scanned."""
    if judgement.news:
        return _for_findings(judgement.news)
    return not_scanned(judgement.gaps[0].explanation if judgement.gaps else "")


def not_scanned(reason: str) -> Line:
    """What to do about an image that was not scanned for that reason (see `warden.findings.state_of`)."""
    return next((step for explanation, step in _BY_EXPLANATION.items() if reason.startswith(explanation)), _OTHERWISE)


def _for_findings(news: Sequence[Finding]) -> Line:
    fixable = tuple(dict.fromkeys(finding.package for finding in (one.shown for one in news) if finding.fixed_in))
    if not fixable:
        return (plain("The scanner states no fix: rebuild on a newer base image, or take the packages out."),)
    spans = [plain("Update ")]
    for number, package in enumerate(fixable[:MOST_PACKAGES]):
        spans += [plain(", " if number else ""), code(package)]
    rest = len(fixable) - MOST_PACKAGES
    more = f" and {rest} more package{'' if rest == 1 else 's'}" if rest > 0 else ""
    return (*spans, plain(f"{more}, rebuild, and push under a new tag."))
