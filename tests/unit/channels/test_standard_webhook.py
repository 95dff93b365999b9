"""A notice as the body of a webhook: what a receiver can rely on, and what is left out where there is too much."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from tests.corpus.hostile_notices import FIELDS, NOTICES, STRINGS, Put, everywhere
from tests.corpus.notices import KINDS, NEW_CRITICALS
from tests.corpus.webhook_rules import SCHEMA, assert_holds
from warden.channels.standard_webhook import BUDGET, HOSTS, event_type, render
from warden.notices import Fact, Level, Notice, Section, Table, code, from_json, link, plain, to_json

GOLDEN = Path(__file__).parents[2] / "corpus" / "webhook"
BARE = Notice("id-1", "findings", Level.HIGH, "1 high finding in team/app:v1", "team/app:v1", (plain("See below."),))
FAINT = "\u200b"


def descriptions(node: Any) -> list[Any]:
    """Every schema of a field in it."""
    if not isinstance(node, dict):
        return []
    fields = list(node.get("properties", {}).values()) + ([node["items"]] if "items" in node else [])
    return fields + [inner for field in fields for inner in descriptions(field)]


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_of_notice_is_drawn_as_it_was_agreed(kind: str) -> None:
    payload = render(KINDS[kind])

    assert payload == json.loads((GOLDEN / f"{kind}.json").read_text(encoding="utf-8"))
    assert_holds(payload)


def test_the_contract_is_a_schema_that_describes_every_field() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator.check_schema(schema)
    assert len(descriptions(schema)) > 30
    assert all(field["description"] for field in [schema, *descriptions(schema)])


def test_a_receiver_that_holds_us_to_the_schema_bears_a_key_that_comes_later() -> None:
    payload = render(BARE)
    payload["data"]["later"] = payload["later"] = 1

    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(payload)
    with pytest.raises(jsonschema.ValidationError):
        assert_holds(payload)


def test_a_bare_notice_has_every_key_but_the_time() -> None:
    assert render(BARE) == {
        "type": "ecr-warden.findings",
        "data": {
            "id": "id-1",
            "kind": "findings",
            "level": "high",
            "title": "1 high finding in team/app:v1",
            "subject": "team/app:v1",
            "summary": "See below.",
            "sections": [],
            "tables": [],
            "facts": [],
            "next_step": "",
            "links": [],
            "footer": "",
            "thread": "",
            "left_out": {"sections": 0, "tables": 0, "facts": 0, "links": 0},
        },
    }


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2026-11-23T14:02:00Z", "2026-11-23T14:02:00Z"),
        ("2026-11-23T14:02:00.344522+00:00", "2026-11-23T14:02:00Z"),
        ("2026-11-23T16:02:00+02:00", "2026-11-23T14:02:00Z"),
        ("2026-11-23T14:02:00", "2026-11-23T14:02:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("", None),
        ("yesterday", None),
        ("2026-13-23T14:02:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("\ud800", None),
    ],
)
def test_the_time_is_told_in_utc_or_not_at_all(at: str, told: str | None) -> None:
    payload = render(replace(BARE, at=at))

    assert payload.get("timestamp") == told
    assert_holds(payload)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("scan_failed", "ecr-warden.scan_failed"),
        ("a.b c", "ecr-warden.a_b_c"),
        ("", "ecr-warden.notice"),
        ("__\n", "ecr-warden.notice"),
        ("é", "ecr-warden.notice"),
    ],
)
def test_the_type_is_a_word_that_can_be_filtered_by(kind: str, told: str) -> None:
    assert event_type(replace(BARE, kind=kind)) == told


def test_lists_and_tables_are_plain_texts_under_their_titles() -> None:
    item = (code("openssl"), plain("  1.0.1e → "), plain("1.0.1g"))
    sections = (Section("Fix first", (item,), more=4),)
    tables = (Table("Images", ("image", "severity"), (("a:1", "high"), ("b:2",), ("c:3", "low", "x")), more=2),)

    data = render(replace(BARE, sections=sections, tables=tables))["data"]

    assert data["sections"] == [{"title": "Fix first", "items": ["openssl 1.0.1e → 1.0.1g"], "more": 4}]
    assert data["tables"] == [
        {
            "title": "Images",
            "columns": ["image", "severity"],
            "rows": [["a:1", "high"], ["b:2", ""], ["c:3", "low"]],
            "more": 2,
        }
    ]


@pytest.mark.parametrize(("count", "more"), [(15, 0), (16, 1), (1_500, 1_485)])
def test_a_list_and_a_table_show_fifteen_and_count_the_rest(count: int, more: int) -> None:
    section = Section("Items", tuple((plain(f"item {number}"),) for number in range(count)), more=10)
    table = Table("Rows", ("row",), tuple((f"row {number}",) for number in range(count)), more=10)

    payload = render(replace(BARE, sections=(section,), tables=(table,)))

    assert payload["data"]["sections"][0]["items"] == [f"item {number}" for number in range(15)]
    assert payload["data"]["tables"][0]["rows"] == [[f"row {number}"] for number in range(15)]
    assert payload["data"]["sections"][0]["more"] == payload["data"]["tables"][0]["more"] == more + 10
    assert_holds(payload)


@pytest.mark.parametrize(
    ("sections", "tables", "left"), [(3, 2, (0, 0)), (3, 3, (0, 1)), (6, 1, (1, 1)), (500, 0, (495, 0))]
)
def test_five_lists_are_shown_and_the_others_counted(sections: int, tables: int, left: tuple[int, int]) -> None:
    payload = render(
        replace(
            BARE,
            sections=tuple(Section(f"List {n}", ((plain("x"),),)) for n in range(sections)),
            tables=tuple(Table(f"Table {n}", ("a",), (("x",),)) for n in range(tables)),
        )
    )

    data = payload["data"]
    assert (data["left_out"]["sections"], data["left_out"]["tables"]) == left
    assert (len(data["sections"]), len(data["tables"])) == (sections - left[0], tables - left[1])
    assert_holds(payload)


def test_five_full_lists_share_the_room_and_leave_out_whole_items() -> None:
    full = tuple((plain("w" * 290 + f" {n}"),) for n in range(15))

    payload = render(replace(BARE, sections=tuple(Section(f"List {n}", full) for n in range(5))))

    for section in payload["data"]["sections"]:
        assert 5 <= len(section["items"]) < 15
        assert section["items"][-1] == "w" * 290 + f" {len(section['items']) - 1}"
        assert section["more"] == 15 - len(section["items"])
    assert BUDGET - 2_000 < len(json.dumps(payload)) <= BUDGET


def test_a_list_that_needs_little_leaves_its_share_to_the_next() -> None:
    full = tuple((plain("\U0001f600" * 70),) for n in range(15))
    alone = render(replace(BARE, sections=(Section("Long", full),)))["data"]["sections"][0]
    after = render(replace(BARE, sections=(Section("Short", ((plain("x"),),)), Section("Long", full))))

    assert len(alone["items"]) - len(after["data"]["sections"][1]["items"]) <= 1


def test_a_table_without_headings_or_with_too_many_is_cut_to_what_there_is() -> None:
    bare = Table("", (), (("a", "b"),) * 3)
    wide = Table("Wide", tuple(f"h{n}" for n in range(50)), (tuple(f"c{n}" for n in range(50)),))

    first, second = render(replace(BARE, tables=(bare, wide)))["data"]["tables"]

    assert first == {"title": "", "columns": [], "rows": [], "more": 3}
    assert second["columns"] == [f"h{n}" for n in range(6)]
    assert second["rows"] == [[f"c{n}" for n in range(6)]]


@pytest.mark.parametrize(("count", "seen"), [(10, 10), (11, 10), (1_000, 10)])
def test_ten_facts_are_shown_and_the_rest_counted(count: int, seen: int) -> None:
    payload = render(replace(BARE, facts=tuple(Fact(f"Fact {n}", "v") for n in range(count))))

    assert [fact["label"] for fact in payload["data"]["facts"]] == [f"Fact {n}" for n in range(seen)]
    assert payload["data"]["left_out"]["facts"] == count - seen
    assert_holds(payload)


def test_only_our_links_have_a_url() -> None:
    lines = (link("Ours", "https://nvd.nist.gov/vuln/detail/CVE-2014-0160"), link("Theirs", "https://evil.example/"))

    payload = render(replace(BARE, links=lines))

    assert payload["data"]["links"] == [
        {"text": "Ours", "url": "https://nvd.nist.gov/vuln/detail/CVE-2014-0160"},
        {"text": "Theirs"},
    ]


@pytest.mark.parametrize(("length", "seen"), [(10, 6), (700, 3)])
def test_links_are_left_out_whole_and_counted(length: int, seen: int) -> None:
    lines = tuple(link(f"Link {n}", "https://docs.aws.amazon.com/" + "x" * length) for n in range(9))

    payload = render(replace(BARE, links=lines))

    assert [line["text"] for line in payload["data"]["links"]] == [f"Link {n}" for n in range(seen)]
    assert payload["data"]["left_out"]["links"] == 9 - seen
    assert_holds(payload)


@pytest.mark.parametrize(("field", "limit"), [("title", 300), ("subject", 300)])
def test_a_text_of_the_greatest_length_is_whole_and_a_longer_one_keeps_its_end(field: str, limit: int) -> None:
    for length in (limit, limit + 1, limit * 100):
        name = "x" * (length - len(":v1.2.3")) + ":v1.2.3"
        told = render(FIELDS[field](name))["data"][field]
        assert (told == name) is (length == limit)
        assert len(told) == limit
        assert told.endswith(":v1.2.3")


def test_a_long_name_in_a_list_keeps_its_end() -> None:
    line = (code("very/long/" * 100 + "app:v1.2.3"), plain(" 2 critical"))

    assert render(replace(BARE, sections=(Section("", (line,)),)))["data"]["sections"][0]["items"][0].endswith(
        "/app:v1.2.3 2 critical"
    )


def test_what_cannot_be_seen_is_shown_as_a_sign() -> None:
    payload = render(replace(BARE, title="a\x00b\r\nc\u202ed", summary=(plain(f"x{FAINT}y"),)))

    assert payload["data"]["title"] == "a\ufffdb c\ufffdd"
    assert payload["data"]["summary"] == "x\ufffdy"


def test_there_is_no_host_that_every_installation_posts_to() -> None:
    assert frozenset() == HOSTS


@pytest.mark.parametrize("put", FIELDS.values(), ids=list(FIELDS))
def test_no_hostile_string_breaks_the_contract_in_any_field(put: Put) -> None:
    for text in STRINGS:
        assert_holds(render(put(text)))


@pytest.mark.parametrize("text", STRINGS, ids=[str(n) for n in range(len(STRINGS))])
def test_a_notice_that_is_hostile_in_all_of_its_fields_keeps_the_contract(text: str) -> None:
    assert_holds(render(everywhere(text)))


@pytest.mark.parametrize("text", ["x", "\U0001f600" * 50, "é" * 5_000, '"\\' * 5_000, "&<>" * 5_000, "a b " * 5_000])
@pytest.mark.parametrize("times", [1, 5, 100])
def test_however_much_there_is_to_say_the_body_stays_within_its_budget(text: str, times: int) -> None:
    assert_holds(render(everywhere(text, times=times)))


@pytest.mark.parametrize("text", ["x" * 400, "\U0001f600" * 400, "é" * 400, '"' * 2_000], ids=ascii)
def test_the_parts_around_the_lists_leave_room_for_five_of_them(text: str) -> None:
    line = (link(text, "https://nvd.nist.gov/" + "x" * 700),) * 10
    notice = replace(everywhere(text, times=20), sections=(), tables=(), summary=line, next_step=line, links=line)

    assert len(json.dumps(render(notice))) <= BUDGET - 5 * 600


def test_a_notice_that_went_through_a_queue_keeps_the_contract() -> None:
    _, received = from_json(to_json(NEW_CRITICALS, channel="platform"))

    assert render(received) == render(NEW_CRITICALS)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(NOTICES)
def test_any_notice_keeps_the_contract(notice: Notice) -> None:
    assert_holds(render(notice))
