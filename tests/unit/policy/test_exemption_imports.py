"""What was accepted in another tool is an exemption of the policy: never a longer or wider one, and never a guess."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policy import PolicyError
from policy.exemption_imports import Given, Imported, as_yaml, import_exemptions
from policy.source import LARGEST, read
from policy.trivy_ignores import last_day
from policy.values import LONGEST_WORDS, read_words
from tests.builders import VECTORS
from tests.unit.policy.policies import a_file, compiled

TODAY = date(2026, 11, 23)
ALL = Given(("team/*",), "2027-06-30", "not reachable", "alice")
IMAGE = "pkg:oci/app?repository_url=111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app"
OTHER = "pkg:oci/web?repository_url=111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web"
OPENSSL = "pkg:deb/debian/openssl@3.0.14"


def imported(text: str, given: Given = ALL) -> Imported:
    return import_exemptions(text.encode(), given, file="accepted", today=TODAY)


def exemptions(text: str, given: Given = ALL) -> tuple[dict[str, Any], ...]:
    return imported(text, given).exemptions


def refused(text: str, given: Given = ALL) -> str:
    with pytest.raises(PolicyError) as caught:
        imported(text, given)
    return str(caught.value)


def vector(name: str) -> str:
    return (VECTORS / "exemptions" / name).read_text("utf-8")


def entry(**keys: Any) -> str:
    """A `.trivyignore.yaml` of one entry: JSON is YAML."""
    return "vulnerabilities:\n- " + json.dumps({"id": "CVE-2026-1234", **keys})


def statement(product: Any = OPENSSL, status: str = "not_affected", /, **keys: Any) -> dict[str, Any]:
    products = [{"@id": product} if isinstance(product, str) else product]
    return {"vulnerability": {"name": "CVE-2026-1234"}, "products": products, "status": status, **keys}


def image_with(component: str, image: str = IMAGE) -> dict[str, Any]:
    return {"@id": image, "subcomponents": [{"@id": component}]}


def vex(*statements: Any, **keys: Any) -> str:
    document = {"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-11-01T00:00:00Z", **keys}
    return json.dumps({**document, "statements": list(statements)}, indent=1)


def test_a_trivy_ignore_file_becomes_exemptions_one_a_package() -> None:
    found = exemptions(vector("trivyignore.yaml"))

    assert [(one["cve"], one.get("package"), one["until"], one["reason"]) for one in found] == [
        ("CVE-2026-40897", "setuptools", "2999-01-30", "Only used while the image is built"),
        ("CVE-2026-3817", "libssl3", "2027-06-30", "not reachable"),
        ("CVE-2026-3817", "openssl", "2027-06-30", "not reachable"),
        ("CVE-2026-14618", None, "2027-06-30", "The vulnerable function is not called"),
    ]
    assert {(tuple(one["repositories"]), one["approved_by"]) for one in found} == {(("team/*",), "alice")}


def test_what_trivy_accepts_and_no_exemption_can_say_is_told_with_its_line() -> None:
    assert imported(vector("trivyignore.yaml")).notes == (
        "accepted:15:5: vulnerabilities[3]: left out: CVE-2019-14697 was accepted until 2019-12-31",
        "accepted:17:5: vulnerabilities[4]: left out: CVE-2026-7000 is accepted at paths only, which an exemption "
        "can't say: name purls",
        "accepted:20:5: vulnerabilities[5]: left out: expected an identifier such as CVE-2026-1234 or "
        "GHSA-xxxx-xxxx-xxxx, got 'AVD-GIT-0001'",
        "accepted:22:1: misconfigurations: left out: an exemption is for a vulnerability",
        "1 entry names a version: an exemption is for every version",
    )


def test_the_plain_form_takes_the_comment_right_above_as_the_reason() -> None:
    found = imported(vector("trivyignore"))

    assert [(one["cve"], one["until"], one["reason"]) for one in found.exemptions] == [
        ("CVE-2026-14618", "2027-06-30", "Accept the risk"),
        ("CVE-2026-14619", "2999-01-30", "Accept the risk until the vendor has a fix"),
        ("CVE-2026-1543", "2027-06-30", "Accept the risk until the vendor has a fix"),
    ]
    assert [note.partition(": left out: ")[0] for note in found.notes] == ["accepted:8:1", "accepted:9:1"]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("# one\n# two\nCVE-2026-1234", ["one two"]),
        ("# one\n\nCVE-2026-1234", ["not reachable"]),
        ("# one\nCVE-2026-1234\n# two\nCVE-2026-1235", ["one", "two"]),
        ("# one\r\nCVE-2026-1234 and more words\r\n", ["one"]),
        ("\ufeffCVE-2026-1234", ["not reachable"]),
        ("\tGHSA-2qrg-x229-3v8q", ["not reachable"]),
    ],
)
def test_a_comment_is_the_reason_of_the_lines_below_it_until_a_gap(text: str, reasons: list[str]) -> None:
    assert [one["reason"] for one in exemptions(text)] == reasons


def test_an_openvex_document_names_its_repositories_and_packages() -> None:
    found = imported(vector("openvex.json"))

    assert found.exemptions == (
        {
            "cve": "CVE-2026-44228",
            "repositories": ["team/app", "team/worker"],
            "package": "org.apache.logging.log4j:log4j-core",
            "until": "2027-06-30",
            "reason": "vulnerable code not in execute path: Lookups are switched off",
            "approved_by": "alice",
        },
        {
            "cve": "CVE-2026-17571",
            "repositories": ["team/*"],
            "package": "@team/client",
            "until": "2027-06-30",
            "reason": "component not present",
            "approved_by": "alice",
        },
    )
    assert found.notes == (
        "accepted:31:5: statements[2]: left out: CVE-2026-5000: statements[3] is newer, and about the same",
        "accepted:37:5: statements[3]: left out: CVE-2026-5000: the product is affected",
        "accepted:43:5: statements[4]: left out: CVE-2026-6000: the product is fixed, and an exemption would cover the "
        "versions that are not, too",
        "2 entries name a version: an exemption is for every version",
    )


@pytest.mark.parametrize("name", ["trivyignore.yaml", "trivyignore", "openvex.json"])
def test_what_is_printed_is_part_of_a_policy(name: str) -> None:
    found = exemptions(vector(name))

    written = compiled(a_file(top=as_yaml(found)))["exemptions"]

    assert [{**one, "origin": ""} for one in written] == [{"package": None, **one, "origin": ""} for one in found]


@pytest.mark.parametrize(
    ("given", "text", "said"),
    [
        (replace(ALL, approved_by=None), entry(), "who approved it: give --approved-by NAME"),
        (replace(ALL, reason=None), entry(), "why: give --reason TEXT"),
        (replace(ALL, reason=None), entry(statement="\ufe0f"), "why: give --reason TEXT"),
        (replace(ALL, until=None), entry(), "until when: give --until DATE"),
        (replace(ALL, repositories=()), entry(), "in which repositories: give --repositories GLOB"),
        (replace(ALL, repositories=()), vex(statement()), "in which repositories: give --repositories GLOB"),
        (
            Given(),
            vex(statement(IMAGE, justification="x")),
            "until when and who approved it: give --until DATE and --a",
        ),
        (Given(), "\n  CVE-2026-1234", "in which repositories and until when and why and who"),
    ],
)
def test_what_neither_file_nor_user_says_is_never_invented(given: Given, text: str, said: str) -> None:
    told = refused(text, given)

    assert f"CVE-2026-1234: the file does not say {said}" in told
    assert told.startswith(("accepted:2:", "accepted:5:"))


def test_the_author_of_a_statement_is_nobody_who_approved_it() -> None:
    assert "who approved it" in refused(vex(statement(), author="alice"), replace(ALL, approved_by=None))


def test_every_entry_that_lacks_something_is_told_at_once() -> None:
    assert len(refused("CVE-2026-1234\nCVE-2026-1235\nCVE-2026-1236", Given()).splitlines()) == 3


@pytest.mark.parametrize(
    ("written", "until"),
    [
        ("2027-01-31", "2027-01-30"),
        ("2028-12-31", "2028-12-30"),  # later than --until
        ("2027-01-31T00:00:00Z", "2027-01-30"),
        ("2027-01-31T23:59:59Z", "2027-01-30"),
        ("2027-01-31T01:00:00+02:00", "2027-01-29"),
        ("2027-01-31 12:00:00", "2027-01-30"),
        ("2026-11-24", "2026-11-23"),
        (None, "2027-06-30"),
    ],
)
def test_the_files_own_date_wins_and_the_last_day_is_the_last_whole_one(written: str | None, until: str) -> None:
    assert [one["until"] for one in exemptions(entry(expired_at=written))] == [until]


def test_what_lapsed_is_left_out_even_where_nothing_else_is_known() -> None:
    found = imported("CVE-2026-1234 exp:2026-11-23", Given())

    assert found.exemptions == ()
    assert found.notes == ("accepted:1:1: left out: CVE-2026-1234 was accepted until 2026-11-22",)


@settings(max_examples=60, deadline=None)
@given(st.dates(min_value=date(2, 1, 1)), st.times(), st.booleans())
def test_no_exemption_outlasts_the_acceptance(day: date, time: Any, whole: bool) -> None:
    found = last_day(day.isoformat() if whole else f"{day.isoformat()}T{time.isoformat()}Z")

    assert (day - found).days == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (entry(purl=[OPENSSL]), "accepted:2:27: vulnerabilities[0].purl: unknown key; did you mean 'purls'?"),
        (entry(zzz=1), "unknown key: expected one of id, paths, purls, expired_at, statement"),
        (entry(purls=["openssl"]), "vulnerabilities[0].purls[0]: expected a package URL"),
        (entry(purls=[IMAGE]), "expected the URL of a package, got that of an image: 'pkg:oci/app?repository_url="),
        (entry(purls=OPENSSL), "vulnerabilities[0].purls: expected a list, got 'pkg:deb"),
        (entry(id=["CVE-2026-1234"]), "vulnerabilities[0].id: expected text, got a list"),
        (entry(expired_at="soon"), "vulnerabilities[0].expired_at: expected a date such as 2027-01-31, got 'soon'"),
        (entry(expired_at="20270131"), "expected a date such as 2027-01-31"),
        (entry(expired_at="0001-01-01"), "expected a date such as 2027-01-31"),
        (entry(expired_at="2027-02-30"), "expected a date such as 2027-01-31"),
        (entry(statement="a\0b"), "CVE-2026-1234: expected a reason of characters that can be seen"),
        (entry(statement="a\u202eb"), "CVE-2026-1234: expected a reason of characters that can be seen"),
        ("CVE-2026-1234 exp:soon", "accepted:1:1: CVE-2026-1234: expected a date such as 2027-01-31, got 'soon'"),
        ("vulnerabilities: [CVE-2026-1234]", "vulnerabilities[0]: expected a mapping of keys, got CVE-2026-1234"),
        ("vulnerabilities: CVE-2026-1234", "vulnerabilities: expected a list, got CVE-2026-1234"),
        ("vulnerabilities: []\nsecret: []", "accepted:2:1: secret: unknown key; did you mean 'secrets'?"),
        ("vulnerabilities: []\nzzz: 1", "zzz: unknown key: expected one of vulnerabilities, misconfigurations"),
        ("vulnerabilities: &a []", "accepted:1:18: such a file can't have YAML anchors"),
        ("vulnerabilities: []\nvulnerabilities: []", "the key stands twice"),
        ("- id: CVE-2026-1234", "expected a mapping of keys such as 'vulnerabilities', got a list"),
        ("document: {}", "expected statements of OpenVEX, or one of vulnerabilities"),
        ("{}", "got the keys of nothing"),
        ("{", "not YAML"),
        ("version: 1", "got the keys version"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_and_what_was_expected(text: str, said: str) -> None:
    assert said in refused(text)


def test_a_file_that_is_no_text_or_too_large_is_refused() -> None:
    for data, said in (
        (b"CVE-2026-1234\n\xff", "accepted:2:1: expected UTF-8"),
        (b"vulnerabilities: \xff", "accepted:1:18: expected UTF-8"),
        (b"#" * (LARGEST + 1), "expected a file of at most 512 KiB, got more"),
    ):
        with pytest.raises(PolicyError, match=said):
            import_exemptions(data, ALL, file="accepted", today=TODAY)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# nothing\n", "vulnerabilities:\nsecrets:\n", vex(), "vulnerabilities: []"]
)
def test_a_file_that_accepts_nothing_gives_nothing(text: str) -> None:
    assert imported(text) == Imported((), ())


def test_paths_beside_packages_are_told_and_the_exemption_is_for_the_package() -> None:
    found = imported(entry(purls=[OPENSSL.partition("@")[0]], paths=["usr/lib/*"]))

    assert [one["package"] for one in found.exemptions] == ["openssl"]
    assert "accepted at paths only; its exemption is for the package anywhere" in found.notes[0]


def test_the_same_exemption_is_written_once() -> None:
    assert len(exemptions(entry(purls=[OPENSSL, f"{OPENSSL}?arch=arm64", "pkg:deb/debian/openssl"]))) == 1


def test_a_reason_is_one_line_and_cut_where_it_is_too_long() -> None:
    found = imported(entry(statement="so\n it\tis " + "x" * LONGEST_WORDS))

    (one,) = found.exemptions
    assert one["reason"].startswith("so it is xxx")
    assert len(one["reason"]) == LONGEST_WORDS
    assert one["reason"].endswith("…")
    assert found.notes == (
        f"accepted:2:3: vulnerabilities[0]: CVE-2026-1234: its reason was cut to {LONGEST_WORDS} characters",
    )


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"justification": "inline_mitigations_already_exist"}, "inline mitigations already exist"),
        ({"impact_statement": "we\nchecked"}, "we checked"),
        ({"justification": "component_not_present", "impact_statement": "gone"}, "component not present: gone"),
        ({"status_notes": "see ticket 7"}, "see ticket 7"),
        ({"justification": None, "status_notes": ""}, "not reachable"),
        ({"impact_statement": "fine \U0001f600"}, "fine \U0001f600"),  # which JSON writes as two characters
    ],
)
def test_the_reason_of_a_statement_is_its_own_words(keys: dict[str, Any], reason: str) -> None:
    assert [one["reason"] for one in exemptions(vex(statement(**keys)))] == [reason]


@pytest.mark.parametrize(
    ("vulnerability", "cve"),
    [
        ("CVE-2026-1234", "CVE-2026-1234"),
        ({"name": "CVE-2026-1234", "aliases": ["CVE-2026-9999"]}, "CVE-2026-1234"),
        ({"name": "GHSA-2qrg-x229-3v8q", "aliases": ["USN-4495", "CVE-2026-1234"]}, "CVE-2026-1234"),
        ({"name": "USN-4495", "aliases": ["GHSA-2qrg-x229-3v8q"]}, "GHSA-2qrg-x229-3v8q"),
    ],
)
def test_a_vulnerability_goes_by_the_name_that_the_scanners_use(vulnerability: Any, cve: str) -> None:
    assert [one["cve"] for one in exemptions(vex(statement(vulnerability=vulnerability)))] == [cve]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (statement(vulnerability="USN-4495"), "left out: its vulnerability has neither a CVE's name nor a GHSA's"),
        (statement(products=[]), "left out: CVE-2026-1234: it names no product"),
        (statement("https://example.com/app"), "products[0]: left out: it has no package URL"),
        (statement({"identifiers": {"cpe23": "cpe:2.3:a"}}), "products[0]: left out: it has no package URL"),
        (statement(image_with("urn:x")), "products[0].subcomponents[0]: left out: it has no package URL"),
        (statement(image_with(OTHER)), "subcomponents[0]: left out: it is an image, and no package"),
        (statement(OPENSSL, "under_investigation"), "left out: CVE-2026-1234: whether the product is affected"),
    ],
)
def test_what_a_statement_is_about_is_never_widened_where_it_cant_be_said(one: dict[str, Any], said: str) -> None:
    found = imported(vex(one))

    assert found.exemptions == ()
    assert said in found.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            vex(**{"@context": "https://openvex.dev/nsx"}),
            "@context: expected https://openvex.dev/ns, got https://openvex",
        ),
        ('{"statements": []}', "accepted:1:1: @context: expected https://openvex.dev/ns, got nothing"),
        (vex(statement(), timestamp="soon"), "accepted:3:15: timestamp: expected a time such as"),
        (vex(statement(timestamp="0001-01-01T00:00:00+14:00")), "statements[0].timestamp: expected a time such as"),
        (vex(statement(), timestamp=None), "statements[0]: expected a timestamp here or in the document"),
        (vex(statement(subcomponents=[OPENSSL])), "expected subcomponents inside a product"),
        (vex(statement(OPENSSL, "fine")), "statements[0].status: expected one of not_affected, affected, fixed"),
        (vex({"products": [OPENSSL]}), "statements[0].status: expected one of"),
        (vex(statement(vulnerability=None)), "statements[0]: the key 'vulnerability' is missing"),
        (
            vex(statement(vulnerability=[])),
            "statements[0].vulnerability: expected a mapping of keys, got an empty list",
        ),
        (vex(statement("pkg:deb")), "statements[0].products[0]: expected a package URL"),
        (vex("CVE-2026-1234"), "statements[0]: expected a mapping of keys, got 'CVE-2026-1234'"),
        (vex(statement(impact_statement="a\ud800b")), "expected a reason of characters that can be seen"),
    ],
)
def test_a_wrong_document_is_refused_with_the_place_and_what_was_expected(text: str, said: str) -> None:
    assert said in refused(text)


def test_products_may_be_written_as_text_and_a_document_may_be_indented_with_tabs() -> None:
    text = json.dumps(json.loads(vex(statement(products=[IMAGE]))), indent="\t")

    assert [(one["repositories"], one.get("package")) for one in exemptions(text)] == [(["team/app"], None)]


def test_a_component_of_another_package_is_exempted_and_what_is_lost_is_told() -> None:
    found = imported(vex(statement(image_with("pkg:npm/lodash", "pkg:npm/ours"))))

    assert [one["package"] for one in found.exemptions] == ["lodash"]
    assert found.notes == (
        "accepted:5:3: statements[0]: CVE-2026-1234: its exemption is for lodash whatever it is a part of",
    )


LATER = {"timestamp": "2026-11-02T00:00:00Z"}
ZLIB = "pkg:deb/debian/zlib1g"


@pytest.mark.parametrize(
    ("first", "second", "packages"),
    [
        # the same, said later, or earlier
        (statement(), statement(OPENSSL, "affected"), []),
        (statement(**LATER), statement(OPENSSL, "affected"), ["openssl"]),
        (statement(**LATER), statement(OPENSSL, "fixed"), ["openssl"]),
        (statement(), statement(OPENSSL, "fixed"), []),
        # another version: an exemption knows none
        (statement(**LATER), statement("pkg:deb/debian/openssl@9", "affected"), []),
        (statement(**LATER), statement("pkg:deb/debian/openssl@9", "fixed"), ["openssl"]),
        (statement(**LATER), statement("pkg:deb/debian/openssl@9", "under_investigation"), []),
        # a whole image, and a component of it
        (statement(IMAGE), statement(image_with(OPENSSL), "affected"), []),
        (statement(IMAGE, **LATER), statement(image_with(OPENSSL), "affected"), [None]),
        (statement(image_with(OPENSSL)), statement(IMAGE, "affected"), []),
        (statement(image_with(OPENSSL), **LATER), statement(IMAGE, "affected"), ["openssl"]),
        (statement(image_with(OPENSSL)), statement(image_with(ZLIB), "affected"), ["openssl"]),
        # other images, and any image
        (statement(image_with(OPENSSL)), statement(image_with(OPENSSL, OTHER), "affected"), ["openssl"]),
        (statement(**LATER), statement(image_with(OPENSSL), "affected"), []),
        (statement(image_with(OPENSSL)), statement(OPENSSL, "affected"), ["openssl"]),
        # another vulnerability
        (statement(), statement(OPENSSL, "affected", vulnerability="CVE-2026-9999"), ["openssl"]),
    ],
)
def test_no_exemption_covers_what_another_statement_calls_affected(
    first: dict[str, Any], second: dict[str, Any], packages: list[str | None]
) -> None:
    for statements in ((first, second), (first, second, statement("pkg:npm/a", "affected"))):
        assert [one.get("package") for one in exemptions(vex(*statements))] == packages


def test_what_is_affected_in_many_products_is_affected_for_every_one_of_them() -> None:
    affected = [statement(f"pkg:deb/debian/openssl@{number}", "affected") for number in range(5)]

    assert exemptions(vex(*affected, statement("pkg:deb/debian/openssl@7", **LATER))) == ()
    assert exemptions(vex(*affected, statement("pkg:deb/debian/openssl@0", **LATER))) == ()


WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(
    lambda text: text.isprintable() and text.strip() == text and text != ""
)
AWKWARD = st.sampled_from(
    ["no", "~", "null", "1.10", "2027-01-31", "- x", "a: b", "#x", "'", '"', "*a", "&a", "!x", "%", "@", "`"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(WORDS | AWKWARD, WORDS | AWKWARD, WORDS | AWKWARD), min_size=1, max_size=4))
def test_whatever_texts_a_policy_allows_are_the_same_when_they_are_read_again(
    texts: list[tuple[str, str, str]],
) -> None:
    repositories = ["team/*", "*"]
    written = [
        {
            "cve": "CVE-2026-1234",
            "repositories": repositories,
            "package": read_words(package),
            "until": "2027-06-30",
            "reason": read_words(reason),
            "approved_by": read_words(name),
        }
        for package, reason, name in texts
    ]

    text = as_yaml(written)

    assert read(text.encode()).plain() == {"exemptions": written}
    assert yaml.safe_load(text) == {"exemptions": written}
    assert [one["reason"] for one in compiled(a_file(top=text))["exemptions"]] == [reason for _, reason, _ in texts]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400), st.sampled_from(["line", "entry", "purl", "statement", "whole", "json"]))
def test_any_text_is_imported_into_a_valid_policy_or_refused_by_line(text: str, where: str) -> None:
    made = {
        "line": f"# {text}\nCVE-2026-1234",
        "entry": entry(statement=text),
        "purl": entry(purls=[f"pkg:npm/{text}"]),
        "statement": vex(statement(impact_statement=text)),
        "whole": text,
        "json": vex(text),
    }[where]
    try:
        found = import_exemptions(made.encode("utf-8", "replace"), ALL, file="accepted", today=TODAY)
    except PolicyError as error:
        assert all(line.startswith("accepted:") for line in str(error).splitlines())
    else:
        assert len(compiled(a_file(top=as_yaml(found.exemptions)))["exemptions"]) == len(found.exemptions)
        assert all(note.isprintable() for note in found.notes)
