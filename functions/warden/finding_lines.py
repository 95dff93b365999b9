"""One finding in one line."""

import re
from datetime import date

from warden.findings import Finding
from warden.notices import Line, Span, bold, code, link, plain

_CVE = re.compile(r"CVE-\d{4}-\d{4,19}")
_ADVISORY = re.compile(r"GHSA(-[23456789cfghjmpqrvwx]{4}){3}")
_RARE = 0.001


def finding_line(finding: Finding, due: date | None, today: date) -> Line:
    """What it is, how bad, in which package, where it is fixed, and whether that is overdue."""
    score = f" · CVSS {finding.score:.1f}" if finding.score is not None else ""
    epss = f" · EPSS {_percent(finding.epss)}" if finding.epss is not None else ""
    fixed = (plain(" → "), bold(finding.fixed_in)) if finding.fixed_in else (plain(" · no fix stated"),)
    exploit = (plain(" · "), bold("exploit known")) if finding.exploit else ()
    kind = f" ({finding.kind})" if finding.kind else ""
    return (
        _name(finding),
        plain(f"  {finding.severity.lower()}{score}{epss} · "),
        code(finding.package),
        plain(f" {finding.version}{kind}"),
        *fixed,
        *exploit,
        *((plain(" · "), bold(f"was due {due:%d %b %Y}")) if due and due < today else ()),
    )


def _name(finding: Finding) -> Span:
    """The name, as a link where it has the form of an identifier whose page we know."""
    url = page_of(finding.name)
    return link(finding.name, url) if url else code(finding.name)


def page_of(vulnerability: str) -> str | None:
    """The page of a vulnerability, by the form of its identifier."""
    if _CVE.fullmatch(vulnerability):
        return f"https://nvd.nist.gov/vuln/detail/{vulnerability}"
    return f"https://github.com/advisories/{vulnerability}" if _ADVISORY.fullmatch(vulnerability) else None


def _percent(probability: float) -> str:
    """A probability that is never rounded to none, nor to certainty.

    >>> _percent(0.00042), _percent(0.0049), _percent(0.94), _percent(0.99988)
    ('under 0.1%', '0.5%', '94%', '99.9%')
    """
    return "under 0.1%" if probability < _RARE else f"{min(probability, 1 - _RARE):.1%}".replace(".0%", "%")
