"""The statements of an OpenVEX document: read, and each product as an exemption can say it.

https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from policy import package_urls
from policy.acceptances import Told, items, keys_of, left_out, scalar, text_of
from policy.errors import Place
from policy.package_urls import PackageUrl
from policy.source import Malformed, Node, describe, dotted
from policy.values import read_vulnerability, read_word

CONTEXT = "https://openvex.dev/ns"
STATEMENTS = "statements"


class Status(StrEnum):
    """What a statement says of a product and a vulnerability."""

    NOT_AFFECTED = "not_affected"
    AFFECTED = "affected"
    FIXED = "fixed"
    UNDER_INVESTIGATION = "under_investigation"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the right form; `at` and its number tell which of two is the later one."""

    place: Place
    field: str
    number: int
    at: datetime
    cve: str
    status: Status
    reason: str
    subjects: tuple["Subject", ...]

    @property
    def age(self) -> tuple[datetime, int]:
        """What tells the later of two statements."""
        return self.at, self.number


@dataclass(frozen=True, slots=True)
class Subject:
    """A product, or a component of it: as it is written, and as an exemption can say it."""

    written: tuple[str, str]
    repositories: tuple[str, ...]
    package: str | None
    is_of_a_version: bool
    loses_its_product: bool

    @property
    def product(self) -> str:
        """The product, as it is written."""
        return self.written[0]


def check_context(keys: dict[str, Node], root: Node) -> None:
    """Raises Malformed where a document is of another kind."""
    context = text_of(keys, "@context", "")
    if context != CONTEXT and not context.startswith(f"{CONTEXT}/"):
        place = keys["@context"].place if "@context" in keys else root.place
        raise Malformed(place, f"expected {CONTEXT}, got {context[:60] or 'nothing'}", "@context")


def moment_of(keys: dict[str, Node], field: str) -> datetime | None:
    """The timestamp of a document or statement; None where it has none. Raises Malformed."""
    written = text_of(keys, "timestamp", field)
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        expected = "expected a time such as 2027-01-31T12:00:00Z"
        raise Malformed(
            keys["timestamp"].place, f"{expected}, got {describe(written)}", dotted(field, "timestamp")
        ) from None


def read_statement(entry: Node, number: int, issued: datetime | None) -> Iterator[Statement | Told]:
    """A statement with those of its products that an exemption can be for, and what is to tell of the others.

    `issued` is when the document was, for a statement without a time of its own. Raises Malformed.
    """
    field = f"{STATEMENTS}[{number}]"
    keys = keys_of(entry, field)
    at = moment_of(keys, field) or issued
    if at is None:
        raise Malformed(
            entry.place, "expected a timestamp here or in the document: it tells which statement is newer", field
        )
    if "subcomponents" in keys:
        raise Malformed(
            keys["subcomponents"].place, "expected subcomponents inside a product, as OpenVEX 0.2.0 has them", field
        )
    status = _status(entry, keys, field)
    cve = _vulnerability(entry, keys, field)
    if cve is None:
        yield left_out(entry.place, field, "its vulnerability has neither a CVE's name nor a GHSA's")
        return
    products = items(keys, "products", field)
    if not products:
        yield left_out(entry.place, field, f"{cve}: it names no product")
    subjects: list[Subject] = []
    for count, product in enumerate(products):
        for subject in _subjects(product, f"{field}.products[{count}]"):
            if isinstance(subject, Subject):
                subjects.append(subject)
            else:
                yield subject
    said = (text_of(keys, key, field) for key in ("justification", "impact_statement"))
    label, impact = (part.strip() for part in said)
    reason = ": ".join(filter(None, (label.replace("_", " "), impact))) or text_of(keys, "status_notes", field)
    yield Statement(entry.place, field, number, at, cve, status, reason, tuple(subjects))


def _status(entry: Node, keys: dict[str, Node], field: str) -> Status:
    try:
        return Status(read_word(text_of(keys, "status", field), Status))
    except ValueError as error:
        place = keys["status"].place if "status" in keys else entry.place
        raise Malformed(place, str(error), f"{field}.status") from None


def _vulnerability(entry: Node, keys: dict[str, Node], field: str) -> str | None:
    """The CVE among its names, which ECR's scanners know it by, or else the GHSA."""
    if "vulnerability" not in keys:
        raise Malformed(entry.place, "the key 'vulnerability' is missing", field)
    node, field = keys["vulnerability"], f"{field}.vulnerability"
    if isinstance(node.value, str):
        names = [scalar(node, field)]
    else:
        parts = keys_of(node, field)
        aliases = items(parts, "aliases", field)
        names = [text_of(parts, "name", field), *(scalar(alias, f"{field}.aliases") for alias in aliases)]
    return min(filter(_is_known, names), key=lambda name: not name.startswith("CVE-"), default=None)


def _is_known(name: str) -> bool:
    try:
        read_vulnerability(name)
    except ValueError:
        return False
    return True


def _subjects(product: Node, field: str) -> Iterator[Subject | Told]:
    written, url = _component(product, field)
    if url is None:
        yield left_out(product.place, field, "it has no package URL")
        return
    repositories = (url.repository,) if url.repository else ()
    components = () if isinstance(product.value, str) else items(keys_of(product, field), "subcomponents", field)
    if not components:
        package = None if url.is_image else url.package
        yield Subject((written, ""), repositories, package, bool(url.version), loses_its_product=False)
    for number, node in enumerate(components):
        name = f"{field}.subcomponents[{number}]"
        inside, part = _component(node, name)
        if part is None or part.is_image:
            yield left_out(
                node.place, name, "it has no package URL" if part is None else "it is an image, and no package"
            )
            continue
        of_a_version = bool(url.version or part.version)
        yield Subject((written, inside), repositories, part.package, of_a_version, not url.is_image)


def _component(node: Node, field: str) -> tuple[str, PackageUrl | None]:
    """How a product or component is identified, and its package URL, which stands in `@id` or among the identifiers."""
    if isinstance(node.value, str):
        names = [scalar(node, field)]
    else:
        keys = keys_of(node, field)
        identifiers = keys_of(keys["identifiers"], f"{field}.identifiers") if "identifiers" in keys else {}
        names = [text_of(keys, "@id", field), text_of(identifiers, "purl", f"{field}.identifiers")]
    written = next((name for name in names if name.startswith("pkg:")), "")
    if not written:
        return "", None
    try:
        return written, package_urls.parse(written)
    except ValueError as error:
        raise Malformed(node.place, str(error), field) from None
