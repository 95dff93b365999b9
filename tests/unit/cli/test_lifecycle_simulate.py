"""`warden lifecycle simulate` as its users meet it: JSON on stdout, and no doubtful file taken for a good one."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.lifecycle_files import load_images, read_time
from cli.main import commands
from tests.builders import VECTORS, vector

CASES = sorted(path.name for path in (VECTORS / "lifecycle").glob("[!_]*.json"))
NOW = "2026-11-23T12:00:00Z"
OLD = "2026-01-01T00:00:00Z"
RULE = {
    "rulePriority": 7,
    "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
    "action": {"type": "expire"},
}
POLICY = json.dumps({"rules": [RULE]})
A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
KEYS = {
    "digest": "imageDigest",
    "tags": "imageTags",
    "pushed_at": "imagePushedAt",
    "last_recorded_pulltime": "lastRecordedPullTime",
    "last_archived_at": "lastArchivedAt",
    "last_activated_at": "lastActivatedAt",
    "subject_digest": "subjectManifestDigest",
}


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(commands, ["lifecycle", *arguments], input=stdin)


def simulate(directory: Path, images: str | bytes, policy: str | bytes = POLICY, now: str = NOW) -> Result:
    """Run on files of these contents, policy.json and images.json."""
    paths = directory / "policy.json", directory / "images.json"
    for path, content in zip(paths, (policy, images), strict=True):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return run("simulate", "--policy", str(paths[0]), "--images", str(paths[1]), "--now", now)


def detail(digest: Any = A, pushed: Any = OLD, **more: Any) -> dict[str, Any]:
    return {"registryId": "111122223333", "imageDigest": digest, "imagePushedAt": pushed, **more}


def answer(*details: Any, **more: Any) -> str:
    return json.dumps({"imageDetails": details, **more})


def as_described(image: Mapping[str, Any]) -> dict[str, Any]:
    status = "ARCHIVED" if image["storage_class"] == "archive" else "ACTIVE"
    return {KEYS[key]: value for key, value in image.items() if key in KEYS} | {"imageStatus": status}


def expired(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [image["imageDigest"] for image in json.loads(result.stdout)["expired"]]


@pytest.mark.parametrize("name", CASES)
def test_a_policy_does_what_the_pages_say(name: str, tmp_path: Path) -> None:
    case = vector(f"lifecycle/{name}")

    result = simulate(tmp_path, answer(*map(as_described, case["images"])), json.dumps(case["policy"]), case["now"])

    printed = json.loads(result.stdout)
    assert {image["imageDigest"] for image in printed["expired"]} == set(case["expected_expired"])
    assert {image["imageDigest"] for image in printed["archived"]} == set(case["expected_transitioned"])
    leaving = {image["imageDigest"]: image for image in (*printed["expired"], *printed["archived"])}
    by_rule = {digest: image["rulePriority"] for digest, image in leaving.items() if image["rulePriority"] is not None}
    assert by_rule == case["expected_rule_priority"]
    tags = {image["digest"]: image["tags"] for image in case["images"]}
    assert all(image["imageTags"] == tags[digest] for digest, image in leaving.items())
    assert result.exit_code == 0


def test_each_image_that_leaves_is_printed_with_its_tags_and_its_rule(tmp_path: Path) -> None:
    result = simulate(tmp_path, answer(detail(A, imageTags=["v1", "latest"]), detail(B, NOW), detail(C, archived=1)))

    assert json.loads(result.stdout) == {
        "expired": [
            {"imageDigest": A, "imageTags": ["v1", "latest"], "rulePriority": 7},
            {"imageDigest": C, "imageTags": [], "rulePriority": 7},
        ],
        "archived": [],
    }
    assert result.stderr == "Of 3 images 2 would be expired and 0 archived at 2026-11-23T12:00:00+00:00.\n"


def test_what_follows_its_subject_says_so_and_has_no_rule(tmp_path: Path) -> None:
    result = simulate(tmp_path, answer(detail(A), detail(B, subjectManifestDigest=A)))

    assert json.loads(result.stdout)["expired"][1] == {
        "imageDigest": B, "imageTags": [], "rulePriority": None, "follows": A
    }  # fmt: skip


@pytest.mark.parametrize("manifests", [[B], [{"mediaType": "x", "digest": B}], [B, C]])
def test_what_a_kept_index_lists_is_kept(manifests: list[Any], tmp_path: Path) -> None:
    index = detail(A, NOW, manifests=manifests)

    assert expired(simulate(tmp_path, answer(index, detail(B)))) == []
    assert expired(simulate(tmp_path, answer(index | {"manifests": None}, detail(B)))) == [B]


@pytest.mark.parametrize(
    ("more", "leaves"),
    [
        ({"imageStatus": "ACTIVE"}, True),
        ({"imageStatus": "ARCHIVED"}, False),
        ({"imageStatus": "ACTIVATING"}, True),
        ({"imageStatus": "ACTIVATING", "lastActivatedAt": NOW}, False),
        ({"lastActivatedAt": NOW, "lastArchivedAt": OLD}, False),
        ({"imageStatus": None, "imageTags": None, "lastActivatedAt": None, "subjectManifestDigest": None}, True),
    ],
)
def test_where_an_image_is_stored_and_since_when_is_read(more: dict[str, Any], leaves: bool, tmp_path: Path) -> None:
    assert bool(expired(simulate(tmp_path, answer(detail(**more))))) is leaves


def test_archived_images_leave_the_archive_by_when_they_were_archived(tmp_path: Path) -> None:
    selection = RULE["selection"] | {
        "storageClass": "archive",
        "countType": "sinceImageTransitioned",
        "countNumber": 90,
    }  # type: ignore[operator]
    policy = json.dumps({"rules": [RULE | {"selection": selection}]})
    images = answer(
        detail(A, imageStatus="ARCHIVED", lastArchivedAt=OLD), detail(B, imageStatus="ARCHIVED", lastArchivedAt=NOW)
    )

    assert expired(simulate(tmp_path, images, policy)) == [A]


@pytest.mark.parametrize(
    "images",
    [
        answer(detail(A), detail(B)),
        json.dumps([detail(A), detail(B)]),
        answer(detail(A)) + answer(detail(B)),
        answer(detail(A), nextToken="x") + "\n\n" + answer(detail(B)) + "\n",
        json.dumps([json.loads(answer(detail(A))), json.loads(answer(detail(B)))]),
        json.dumps(detail(A)) + "\n" + json.dumps(detail(B)) + "\n",
        answer(detail(A), detail(B)) + answer(detail(B)),
        "\ufeff" + answer(detail(A), detail(B)),
        answer(detail(A), detail(B)).encode("utf-16"),
    ],
    ids=["answer", "list", "answers", "pages", "listed-pages", "lines", "twice", "UTF-8-with-mark", "UTF-16"],
)
def test_images_come_in_every_form_that_commands_print_them_in(images: str | bytes, tmp_path: Path) -> None:
    assert expired(simulate(tmp_path, images)) == [A, B]


def test_a_repository_without_images_is_one(tmp_path: Path) -> None:
    for images in (answer(), "[]"):
        assert expired(simulate(tmp_path, images)) == []


@pytest.mark.parametrize("policy", [POLICY, json.dumps({"repositoryName": "app", "lifecyclePolicyText": POLICY})])
def test_a_policy_may_be_the_answer_of_get_lifecycle_policy(policy: str, tmp_path: Path) -> None:
    assert expired(simulate(tmp_path, answer(detail()), policy)) == [A]


def test_either_file_may_come_from_stdin_but_not_both(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(POLICY)
    assert expired(run("simulate", "--policy", str(path), "--images", "-", "--json", stdin=answer(detail()))) == [A]
    path.write_text(answer(detail()))
    assert expired(run("simulate", "--policy", "-", "--images", str(path), stdin=POLICY)) == [A]

    both = run("simulate", "--policy", "-", "--images", "-", stdin=POLICY)

    assert (both.exit_code, both.stdout) == (1, "")
    assert "only one of --policy and --images" in both.stderr


def test_without_now_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(POLICY)
    images = answer(detail(A), detail(B, datetime.now(UTC).timestamp()))

    assert expired(run("simulate", "--policy", str(path), "--images", "-", stdin=images)) == [A]


@pytest.mark.parametrize(
    "text",
    [
        1795435200,
        1795435200.0,
        "2026-11-23T12:00:00Z",
        "2026-11-23T12:00:00+00:00",
        "2026-11-23T13:00:00.000000+01:00",
        "2026-11-23T06:30:00-05:30",
        "2026-11-23 12:00:00",
        "20261123T120000Z",
    ],
)
def test_times_are_read_in_every_form_that_commands_print_them_in(text: Any) -> None:
    assert read_time(text) == datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "1795435200",
        "2026-02-30",
        True,
        None,
        [],
        {},
        1e300,
        float("nan"),
        -(10**30),
        "0001-01-01T00:00+01:00",
    ],
)
def test_what_is_no_time_is_none(value: Any) -> None:
    assert read_time(value) is None


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ("", "expected the answer of `aws ecr describe-images`, got nothing"),
        ("  \n", "expected the answer of `aws ecr describe-images`, got nothing"),
        ("{}", "which has imageDetails, got an object without imageDetails, with nothing"),
        ('{"imageIds": []}', "which has imageDetails, got an object without imageDetails, with imageIds"),
        ("3", "which has imageDetails, got 3"),
        ("[[]]", "[0]: expected the answer of `aws ecr describe-images`, which has imageDetails, got a list"),
        ('{"imageDetails": null}', "images.json: imageDetails: expected a list, got null"),
        ('{"imageDetails": {}}', "images.json: imageDetails: expected a list, got an object"),
        (answer(detail())[:-20], "images.json: line 1, column "),
        (answer(detail()) + "x", "as JSON, got: Expecting value"),
        (answer(3), "images.json: imageDetails[0]: expected an image, got 3"),
        (answer(detail(), nextToken="x"), "expected all pages of the answer, got a nextToken at the end"),
        (answer(detail(), NextToken="x"), "expected all pages of the answer, got a nextToken at the end"),
        (answer(detail(), {}), "images.json: imageDetails[1].imageDigest: expected a digest, got nothing"),
        (answer(detail("sha256:1")), 'imageDetails[0].imageDigest: expected a digest such as sha256:…, got "sha256:1"'),
        (answer(detail(pushed=None)), "imageDetails[0].imagePushedAt: expected a time, got nothing"),
        (
            answer(detail(pushed="soon\u202e")),
            'imagePushedAt: expected a time, in seconds since 1970 or as ISO 8601, got "soon\ufffd"',
        ),
        (answer(detail(pushed=True)), "imagePushedAt: expected a time, in seconds since 1970 or as ISO 8601, got true"),
        (
            answer(detail(lastRecordedPullTime=[])),
            "lastRecordedPullTime: expected a time, in seconds since 1970 or as ISO",
        ),
        (answer(detail(imageTags="v1")), 'imageDetails[0].imageTags: expected a list, got "v1"'),
        (
            answer(detail(imageTags=["v1", 2])),
            "imageDetails[0].imageTags[1]: expected a string that is not empty, got 2",
        ),
        (answer(detail(imageStatus="GONE")), 'imageStatus: expected ACTIVE or ACTIVATING or ARCHIVED, got "GONE"'),
        (answer(detail(imageStatus=[])), "imageStatus: expected ACTIVE or ACTIVATING or ARCHIVED, got a list"),
        (answer(detail(imageSizeInBytes="1")), 'imageSizeInBytes: expected a number of bytes, got "1"'),
        (answer(detail(imageSizeInBytes=-1)), "imageSizeInBytes: expected a number of bytes, got -1"),
        (answer(detail(manifests=B)), "imageDetails[0].manifests: expected a list of digests, got "),
        (
            answer(detail(manifests=[B, {}])),
            "imageDetails[0].manifests[1]: expected a digest such as sha256:…, got an object",
        ),
        (answer(detail(subjectManifestDigest="x")), "subjectManifestDigest: expected a digest such as sha256:…, got "),
        (answer(detail()) + answer(detail(), 5), "images.json: document 2.imageDetails[1]: expected an image, got 5"),
        (json.dumps([detail(), 5]), "images.json: [1]: expected the answer of `aws ecr describe-images`, which has"),
        (json.dumps([detail(), detail(3)]), "images.json: [1].imageDigest: expected a digest such as sha256:…, got 3"),
        (answer(detail(), detail(pushed=NOW)), "expected each image once, got sha256:aaaa"),
        ("[" * 100_000, "got JSON that can't be read"),
        ("1" * 10_000, "got JSON that can't be read"),
        (b"\xff\xff\xff\x01\x02", "expected the answer of `aws ecr describe-images` as JSON, got something else"),
    ],
)
def test_images_that_are_cut_short_or_none_are_refused(images: str | bytes, expected: str, tmp_path: Path) -> None:
    result = simulate(tmp_path, images)

    assert (result.exit_code, result.stdout) == (1, "")
    assert expected in result.stderr
    assert str(tmp_path / "images.json") in result.stderr


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (
            "",
            "ECR takes no such lifecycle policy; 1 to put right\n  the policy: expected 100 to 30720 characters, got 0",
        ),
        (
            json.dumps({"rules": [RULE | {"rulePriority": 0}, RULE | {"action": {}}]}),
            "2 to put right\n  rules[0] (priority 0): rulePriority: expected a whole number from 1, got 0\n"
            "  rules[1] (priority 7): action.type: expected expire or transition, got nothing\n",
        ),
        (json.dumps({"lifecyclePolicyText": 5}).ljust(100), "the policy: expected only rules"),
        (b"\xff\xff\xff\x01\x02", "expected a lifecycle policy as JSON, got something else"),
    ],
)
def test_a_policy_that_ecr_would_refuse_is_refused_with_all_that_is_wrong(
    policy: str | bytes, expected: str, tmp_path: Path
) -> None:
    result = simulate(tmp_path, answer(detail()), policy)

    assert (result.exit_code, result.stdout) == (1, "")
    assert expected in result.stderr
    assert str(tmp_path / "policy.json") in result.stderr


def test_a_file_that_is_not_there_and_a_time_that_is_none_are_told(tmp_path: Path) -> None:
    missing = run("simulate", "--policy", str(tmp_path / "policy.json"), "--images", "-", stdin="")
    timeless = simulate(tmp_path, answer(detail()), now="tomorrow")

    assert missing.exit_code == timeless.exit_code == 1
    assert f"{tmp_path / 'policy.json'}: no such file or directory" in missing.stderr
    assert "--now: expected a time such as 2026-11-23T12:00:00Z, got tomorrow" in timeless.stderr


def test_images_keep_all_that_decides_about_them(tmp_path: Path) -> None:
    path = tmp_path / "images.json"
    index = "application/vnd.oci.image.index.v1+json"
    path.write_text(answer(detail(imageSizeInBytes=5, imageManifestMediaType=index, lastRecordedPullTime=NOW)))

    (image,) = load_images(path)

    assert (image.size, image.is_index, image.pulled_at) == (5, True, read_time(NOW))


def test_help_names_the_commands_and_there_is_no_other() -> None:
    help_, other = run("--help"), run("destroy")

    listed = [line.split()[0] for line in help_.stdout.partition("Commands:\n")[2].splitlines()]
    assert listed == ["simulate", "lint"]
    assert other.exit_code == 1
    assert "No such command 'destroy'" in other.stderr
