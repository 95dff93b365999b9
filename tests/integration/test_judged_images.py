"""What is remembered of judged images, at DynamoDB: what each was known to have, and which came before which."""

from datetime import timedelta

import pytest

from tests.account import Stack
from tests.builders import NOW, finding, image_id
from warden.findings import Scan, ScanState
from warden.images import Image
from warden.judged_images import LOOKED_BACK
from warden.known import Known, Verdict, known
from warden.names import Tag
from warden.tag_lines import Place, places


def image(tag: str, *, pushed: int = 0, repository: str = "team/app", seed: str = "") -> Image:
    return Image(image_id(seed or f"{repository} {tag}", repository), (Tag(tag),), NOW + timedelta(minutes=pushed))


def of(one: Image, *names: str, revision: int = 1) -> Known:
    gap = Scan(ScanState.UNSCANNED, "the scan failed", platform="linux/arm64")
    made = known(one.name, Verdict.NOTIFY, map(finding, names), [gap], before=None, today=NOW.date())
    return Known(made.name, made.verdict, made.findings, made.gaps, revision)


def remember(stack: Stack, one: Image, *names: str, revision: int = 1) -> Known:
    stack.judged.remember(one.id, of(one, *names, revision=revision), places(one), now=NOW)
    return of(one, *names, revision=revision)


def before(stack: Stack, one: Image, place: Place | None = None) -> list[str]:
    return [known.name for _, known in stack.judged.before(one.id, place or places(one)[0])]


def test_what_was_known_is_known(stack: Stack) -> None:
    one = image("v1")
    assert stack.judged.known(one.id) is None
    first = remember(stack, one, "CVE-1", "CVE-2")
    assert stack.judged.known(one.id) == first
    second = remember(stack, one, revision=2)
    assert stack.judged.known(one.id) == second
    assert stack.judged.known(image("v2").id) is None


def test_nothing_can_be_known_and_is_not_the_same_as_never_judged(stack: Stack) -> None:
    one = image("v1")
    stack.judged.remember(one.id, Known(one.name, Verdict.PASS, {}), (), now=NOW)
    assert stack.judged.known(one.id) == Known(one.name, Verdict.PASS, {})


def test_the_nearest_before_comes_first_whatever_was_judged_first(stack: Stack) -> None:
    for number, tag in enumerate(("v1.4.1", "v2.0.0", "v1.10.0", "v1.4.0", "v1.9.0", "v1.4.3")):
        remember(stack, image(tag, pushed=number))
    assert before(stack, image("v1.4.2", pushed=9)) == ["team/app:v1.4.1", "team/app:v1.4.0"]
    assert before(stack, image("v2.0.1", pushed=9))[0] == "team/app:v2.0.0"
    assert before(stack, image("v1.4.0", pushed=3)) == []


def test_no_more_are_looked_at_than_a_few(stack: Stack) -> None:
    for number in range(LOOKED_BACK + 3):
        remember(stack, image(f"v{number}"))
    assert before(stack, image("v99")) == [f"team/app:v{number}" for number in (7, 6, 5, 4, 3)]


def test_an_image_whose_knowledge_is_gone_is_passed_over(stack: Stack) -> None:
    for tag in ("v1", "v2"):
        remember(stack, image(tag))
    stack.dynamodb.delete_item(TableName="ledger", Key={"pk": {"S": f"known#{image('v2').id}"}, "sk": {"S": "verdict"}})
    assert before(stack, image("v3")) == ["team/app:v1"]


def test_an_image_does_not_come_before_itself_though_it_was_pushed_again(stack: Stack) -> None:
    remember(stack, image("latest", seed="a"))
    remember(stack, image("latest", pushed=5, seed="b"))
    assert before(stack, image("latest", pushed=9, seed="b")) == ["team/app:latest"]
    assert before(stack, image("latest", pushed=9, seed="a"))[0] == "team/app:latest"
    assert [
        other for other, _ in stack.judged.before(image("latest", seed="b").id, places(image("latest", pushed=9))[0])
    ] == [image_id("a")]


@pytest.mark.parametrize("other", ["team/app2", "team/ap", "other/app", "team/app/v"])
def test_lines_are_of_one_repository(stack: Stack, other: str) -> None:
    remember(stack, image("v1", repository=other))
    assert before(stack, image("v2")) == []


def test_lines_are_of_one_kind(stack: Stack) -> None:
    for tag in ("v1-alpine", "latest", "main-41d9be2", "1.0", "41d9be2"):
        remember(stack, image(tag))
    assert before(stack, image("v2")) == []


def test_a_place_can_be_had_later_and_leaves_what_is_known_alone(stack: Stack) -> None:
    one = image("main-41d9be2", seed="one")
    first = remember(stack, one, "CVE-1")
    released = image("v1.4.2", seed="one")
    stack.judged.place(released.id, places(released), now=NOW)
    assert stack.judged.known(one.id) == first
    assert before(stack, image("v1.4.3")) == ["team/app:main-41d9be2"]


def test_all_of_it_expires(stack: Stack) -> None:
    remember(stack, image("v1"))
    items = stack.dynamodb.scan(TableName="ledger")["Items"]
    assert len(items) == 2
    assert all(int(item["expires_at"]["N"]) > (NOW + timedelta(days=399)).timestamp() for item in items)
