"""The page on the linter explains each remark, by a policy that gets it."""

import json
import re
from pathlib import Path

import pytest

from tests.unit.lifecycle.repositories import image, line, remarks_on, signature_of, untagged
from warden.lifecycle.remarks import Code, Level
from warden.names import Digest
from warden.stored_images import StoredImage

PAGE = (Path(__file__).parents[3] / "docs" / "lifecycle-lint.md").read_text("utf-8")
SECTION = re.compile(
    r"^### `(?P<code>[a-z0-9-]+)` \((?P<level>\w+)\)\n.*?^```json\n(?P<policy>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
SECTIONS = {found["code"]: found for found in SECTION.finditer(PAGE)}

RELEASES = line("v1.*.0", 12)
SIGNED = line("v2.*", 4, first=10)
PLATFORM = image(age=40, seed="amd64")
SIGNATURES = [signature_of(each, age=9 + number) for number, each in enumerate(SIGNED)]
REPOSITORIES: dict[str, list[StoredImage]] = {
    "takes-in-use": RELEASES,
    "keeps-too-few": RELEASES,
    "takes-moving-tag": [image("latest", age=60), *line("b*", 10)],
    "takes-signatures": [*SIGNED, *SIGNATURES, *untagged(9, every=0.1)],
    "protects-nothing": line("releases-*", 5, first=40),
    "matches-nothing": line("1.*.0", 9),
    "not-a-wildcard": line("sha256-*", 9, first=9),
    "never-a-tag": line("feature-login-*", 3),
    "taken-for-or": [*line("dev-*", 3), *line("prod-*", 3)],
    "shadowed": [*line("dev-*", 9), *line("prod-*", 4, first=20)],
    "nothing-left": [image("v1", "prod-1"), image("v2", "prod-2")],
    "takes-nothing": RELEASES,
    "archive-is-empty": RELEASES,
    "counts-signatures": [*SIGNED, *SIGNATURES],
    "shared-count": [*line("web-*", 40), *line("worker-*", 3, first=50)],
    "untagged-children": [image("v3", age=2, is_index=True, children=(PLATFORM.digest,)), PLATFORM],
    "takes-everything": line("b*", 4, first=30),
    "takes-most": line("b*", 12),
    "archive-under-90-days": [],
    "refused-by-ecr": [],
}
RUNNING: dict[Digest, tuple[str, ...]] = {each.digest: ("ECS service shop/web",) for each in RELEASES[-4:]}


def test_each_remark_is_explained() -> None:
    assert set(SECTIONS) == set(Code) == set(REPOSITORIES)


@pytest.mark.parametrize("code", sorted(set(Code) - {Code.ARCHIVE_UNDER_90_DAYS}))
def test_the_example_gets_the_remark(code: str) -> None:
    text = json.dumps(json.loads(SECTIONS[code]["policy"]))

    remarks = remarks_on(text, REPOSITORIES[code], RUNNING if REPOSITORIES[code] is RELEASES else {})

    assert (code, SECTIONS[code]["level"]) in {(str(remark.code), str(remark.severity)) for remark in remarks}


def test_the_example_of_a_rule_that_ecr_refuses_is_told_so() -> None:
    (remark,) = remarks_on(SECTIONS[Code.ARCHIVE_UNDER_90_DAYS]["policy"], RELEASES)

    assert (remark.code, remark.severity) == (Code.REFUSED_BY_ECR, Level.ERROR)
    assert "90 days" in remark.text
