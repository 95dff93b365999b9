"""The links that we build; any other URL is shown as the text that it stands at, and leads nowhere."""

import re

LONGEST = 800
"""Characters of a URL."""

_OURS = re.compile(
    r"https://(?:nvd\.nist\.gov/|github\.com/advisories/|docs\.aws\.amazon\.com/"
    r"|(?:[a-z0-9-]+\.)*console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)/)"
    r"[A-Za-z0-9/._~%:@!$&'()*+,;=?#-]*"
)
"""To a CVE, to a GitHub advisory, to AWS's documentation and to the console of a partition."""


def is_ours(url: str | None) -> bool:
    """Whether a span's URL may become a link.

    >>> is_ours("https://nvd.nist.gov/vuln/detail/CVE-2014-0160"), is_ours("https://nvd.nist.gov.evil.example/")
    (True, False)
    """
    return url is not None and len(url) <= LONGEST and _OURS.fullmatch(url) is not None
