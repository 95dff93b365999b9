"""Trivy's ignore files: `.trivyignore.yaml`, and the older `.trivyignore` of one identifier a line.

https://trivy.dev/docs/latest/configuration/filtering/
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from policy import package_urls
from policy.acceptances import Acceptance, Outcome, Told, items, keys_of, left_out, scalar, text_of
from policy.errors import Place, Problem
from policy.package_urls import PackageUrl
from policy.source import Malformed, Node, describe
from policy.values import did_you_mean, read_vulnerability

VULNERABILITIES = "vulnerabilities"
SECTIONS = (VULNERABILITIES, "misconfigurations", "secrets", "licenses")
_KEYS = ("id", "paths", "purls", "expired_at", "statement")
_EXPIRES = "exp:"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ].+)?")


def read(root: Node) -> Iterator[Outcome]:
    """What `.trivyignore.yaml` accepts."""
    sections = keys_of(root, "")
    for name, section in sections.items():
        if name not in SECTIONS:
            hint = did_you_mean(name, SECTIONS) or f": expected one of {', '.join(SECTIONS)}"
            yield Problem(root.keys[name], name, f"unknown key{hint}")
        elif name != VULNERABILITIES and section.value:
            yield left_out(root.keys[name], name, "an exemption is for a vulnerability")
    try:
        entries = items(sections, VULNERABILITIES, "")
    except Malformed as malformed:
        yield malformed.problem
        return
    for number, entry in enumerate(entries):
        try:
            yield from _entry(entry, f"{VULNERABILITIES}[{number}]")
        except Malformed as malformed:
            yield malformed.problem


def _entry(entry: Node, field: str) -> Iterator[Outcome]:
    keys = keys_of(entry, field)
    for key in keys:
        if key not in _KEYS:
            # Passed over, a misspelt `purls` would accept the vulnerability in every package.
            hint = did_you_mean(key, _KEYS) or f": expected one of {', '.join(_KEYS)}"
            raise Malformed(entry.keys[key], f"unknown key{hint}", f"{field}.{key}")
    try:
        cve = read_vulnerability(text_of(keys, "id", field))
    except ValueError as error:
        yield left_out(entry.place, field, str(error))
        return
    urls = [_package(node, f"{field}.purls[{number}]") for number, node in enumerate(items(keys, "purls", field))]
    if items(keys, "paths", field):
        if not urls:
            yield left_out(
                entry.place, field, f"{cve} is accepted at paths only, which an exemption can't say: name purls"
            )
            return
        yield Told(
            Problem(entry.place, field, f"{cve} is accepted at paths only; its exemption is for the package anywhere")
        )
    until = _last_day(keys["expired_at"], f"{field}.expired_at") if "expired_at" in keys else None
    reason = text_of(keys, "statement", field)
    for url in urls or (None,):
        yield Acceptance(
            entry.place,
            field,
            cve,
            package=url.package if url else None,
            until=until,
            reason=reason,
            is_of_a_version=bool(url and url.version),
        )


def _package(node: Node, field: str) -> PackageUrl:
    try:
        url = package_urls.parse(scalar(node, field))
    except ValueError as error:
        raise Malformed(node.place, str(error), field) from None
    if url.is_image:
        raise Malformed(
            node.place, f"expected the URL of a package, got that of an image: {describe(node.plain())}", field
        )
    return url


def _last_day(node: Node, field: str) -> date:
    try:
        return last_day(scalar(node, field))
    except ValueError as error:
        raise Malformed(node.place, str(error), field) from None


def last_day(moment: str) -> date:
    """The last whole day, in UTC, before a moment from which on Trivy counts a finding again. Raises ValueError.

    >>> last_day("2027-01-31"), last_day("2027-01-31T12:00:00Z")
    (datetime.date(2027, 1, 30), datetime.date(2027, 1, 30))
    """
    try:
        found = datetime.fromisoformat(moment) if _MOMENT.fullmatch(moment) else None
        if found is not None:
            return ((found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC) - timedelta(days=1)).date()
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"expected a date such as 2027-01-31, got {describe(moment)}")


def read_lines(text: str) -> Iterator[Outcome]:
    """What `.trivyignore` accepts. A comment right above says why, for all the lines that follow without a gap."""
    comment: list[str] = []
    is_open = False
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split()
        if not words:
            comment, is_open = [], False
        elif words[0].startswith("#"):
            comment = [*(comment if is_open else []), line.strip().lstrip("#")]
            is_open = True
        else:
            is_open = False
            yield _line(words, Place(number, len(line) - len(line.lstrip()) + 1), " ".join(comment))


def _line(words: list[str], place: Place, reason: str) -> Outcome:
    expires = next((word.removeprefix(_EXPIRES) for word in words if word.startswith(_EXPIRES)), None)
    try:
        cve = read_vulnerability(words[0])
    except ValueError as error:
        return left_out(place, "", str(error))
    try:
        return Acceptance(place, "", cve, until=last_day(expires) if expires is not None else None, reason=reason)
    except ValueError as error:
        return Problem(place, "", f"{cve}: {error}")
