"""The linter on lifecycle policies that people wrote, on repositories that are made up for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.lifecycle.repositories import image, line, remarks_on, told, untagged
from warden.stored_images import StoredImage

CORPUS = json.loads((Path(__file__).parents[2] / "corpus" / "lifecycle_policies.json").read_text("utf-8"))["policies"]


def _images(specification: list[dict[str, Any]]) -> list[StoredImage]:
    """A repository of lines of tags, of untagged images and of single ones."""
    images: list[StoredImage] = []
    for each in specification:
        if "tags" in each:
            images.append(image(*each["tags"], age=each["age"]))
        elif "line" in each:
            images += line(each["line"], each["count"], first=each["first"], every=each["every"])
        else:
            images += untagged(each["untagged"], first=each["first"], every=each["every"])
    return images


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case["id"])
def test_a_policy_that_people_wrote_gets_the_remarks_that_it_deserves(case: dict[str, Any]) -> None:
    remarks = remarks_on(json.dumps(case["policy"]), _images(case["images"]))

    assert told(remarks) == [tuple(remark) for remark in case["remarks"]]


def test_the_corpus_is_of_many_hands_and_of_all_kinds() -> None:
    sources = {case["source"] for case in CORPUS}
    codes = {code for case in CORPUS for code, _, _ in case["remarks"]}

    assert len(sources) >= 30
    assert sum(not case["remarks"] for case in CORPUS) >= 15
    assert {"protects-nothing", "not-a-wildcard", "taken-for-or", "shared-count", "refused-by-ecr"} <= codes


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case["id"])
@pytest.mark.parametrize(
    "other", ["keep-forty-of-six-applications", "govuk-with-every-kind-of-tag", "archive-untagged"]
)
def test_a_policy_may_stand_on_any_repository(case: dict[str, Any], other: str) -> None:
    (images,) = (_images(each["images"]) for each in CORPUS if each["id"] == other)
    by_priority = {rule["rulePriority"] for rule in case["policy"]["rules"]}

    remarks = remarks_on(json.dumps(case["policy"]), images)

    assert all(remark.priority is None or remark.priority in by_priority for remark in remarks)
    assert all(each in images for remark in remarks for each in remark.images)
