"""`warden lifecycle lint` on an account at the wire, and on files without one."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import lifecycle_lint
from cli.lifecycle_lint import Linted, look_at, show
from cli.main import commands
from tests.account import Stack, a_stack
from tests.builders import NOW
from tests.unit.lifecycle.repositories import digest_of, image, line, policy, remarks_on, rule
from tests.wire import Answer, Wire, error, ok
from warden.errors import Refused, Unavailable
from warden.inventories import Inventories
from warden.names import RepositoryName
from warden.usage import Use

INDEX = "application/vnd.oci.image.index.v1+json"
KEEP_TWO = policy(rule("v*", keep=2))
UNTAGGED = policy(rule(status="untagged", days=7))


def _detail(seed: str, *tags: str, days: float = 1, **more: Any) -> dict[str, Any]:
    at = NOW.timestamp() - days * 86_400
    return {"imageDigest": digest_of(seed), "imagePushedAt": at, **({"imageTags": list(tags)} if tags else {}), **more}


RELEASES = [_detail(f"v{number}", f"v{number}", days=10 - number) for number in range(1, 5)]


class Ecr:
    """An ECR that answers questions, in pages of two images."""

    def __init__(self, repositories: Mapping[str, tuple[str | None, list[dict[str, Any]]]]) -> None:
        self.repositories = repositories
        self.manifests: dict[str, str] = {}
        self.refusals: dict[str, Answer] = {}
        self.wire = Wire(self._answer)

    def connect(self, service: str) -> Any:
        assert service == "ecr"
        return self.wire.client()

    def _answer(self, operation: str, request: Mapping[str, Any]) -> Answer:
        if refusal := self.refusals.get(operation):
            return refusal
        answer: Callable[[Mapping[str, Any]], Answer] = getattr(self, f"_{operation}")
        return answer(request)

    def _DescribeRepositories(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802 - named as ECR names it
        settings = {
            "registryId": "111122223333",
            "imageTagMutability": "MUTABLE",
            "encryptionConfiguration": {"encryptionType": "AES256"},
            "createdAt": 1795435200.0,
        }
        return ok({"repositories": [{"repositoryName": name, **settings} for name in self.repositories]})

    def _GetLifecyclePolicy(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        text, _ = self.repositories[request["repositoryName"]]
        return ok({"lifecyclePolicyText": text}) if text else error("LifecyclePolicyNotFoundException")

    def _DescribeImages(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        assert request["filter"] == {"imageStatus": "ANY"}
        _, details = self.repositories[request["repositoryName"]]
        start = int(request.get("nextToken", "0"))
        more = {"nextToken": str(start + 2)} if start + 2 < len(details) else {}
        return ok({"imageDetails": details[start : start + 2], **more})

    def _BatchGetImage(self, request: Mapping[str, Any]) -> Answer:  # noqa: N802
        asked = [each["imageDigest"] for each in request["imageIds"]]
        found = [
            {"imageId": {"imageDigest": each}, "imageManifest": self.manifests[each]}
            for each in asked
            if each in self.manifests
        ]
        return ok({"images": found, "failures": []})


def _nobody(_: RepositoryName) -> tuple[Use, ...]:
    return ()


def _codes(linted: Linted) -> list[str]:
    return [str(remark.code) for remark in linted.remarks]


def test_every_repository_is_looked_at_by_name() -> None:
    ecr = Ecr({"team-b/api": (KEEP_TWO, RELEASES), "team-a/api": (None, []), "team-a/web": (KEEP_TWO, RELEASES)})

    linted = look_at(ecr.connect, (), _nobody, NOW)

    assert [(one.repository, one.has_policy, one.images) for one in linted] == [
        ("team-a/api", False, 0),
        ("team-a/web", True, 4),
        ("team-b/api", True, 4),
    ]
    assert set(ecr.wire.operations()) == {"DescribeRepositories", "GetLifecyclePolicy", "DescribeImages"}


def test_repositories_may_be_chosen_and_one_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    ecr = Ecr({"team-b/api": (None, []), "team-a/api": (None, [])})

    linted = look_at(ecr.connect, ("team-a/*", "team-c/*"), _nobody, NOW)

    assert [one.repository for one in linted] == ["team-a/api"]
    assert capsys.readouterr().err == "No repository matches team-c/*.\n"


def test_a_rule_that_takes_what_runs_is_an_error() -> None:
    ecr = Ecr({"team/app": (KEEP_TWO, RELEASES)})

    (linted,) = look_at(ecr.connect, (), lambda name: (Use(name, "v1", "ECS service shop/web"),), NOW)

    assert linted.is_wrong
    assert "v1 (by ECS service shop/web)" in linted.remarks[0].text


def test_what_indexes_list_is_read() -> None:
    index, stray = (_detail(seed, seed, imageManifestMediaType=INDEX) for seed in ("v1", "v2"))
    ecr = Ecr({"team/app": (UNTAGGED, [index, _detail("amd64", days=30), stray, _detail("old", days=30)])})
    ecr.manifests[digest_of("v1")] = json.dumps({"manifests": [{"digest": digest_of("amd64"), "mediaType": "x"}]})
    ecr.manifests[digest_of("v2")] = "{"

    (linted,) = look_at(ecr.connect, (), _nobody, NOW)

    assert _codes(linted) == ["untagged-children"]
    assert [each.digest for each in linted.remarks[0].images] == [digest_of("amd64")]


def test_archived_indexes_are_not_read() -> None:
    archived = _detail("v1", "v1", imageManifestMediaType=INDEX, imageStatus="ARCHIVED")
    ecr = Ecr({"team/app": (KEEP_TWO, [archived])})

    (linted,) = look_at(ecr.connect, (), _nobody, NOW)

    assert linted.images == 1
    assert "BatchGetImage" not in ecr.wire.operations()


def test_an_answer_that_was_cut_short_is_not_an_empty_repository() -> None:
    ecr = Ecr({"team/app": (KEEP_TWO, RELEASES)})
    ecr.refusals["DescribeImages"] = ok({})

    with pytest.raises(Unavailable, match="imageDetails"):
        look_at(ecr.connect, (), _nobody, NOW)


def test_a_repository_that_goes_in_between_is_no_failure() -> None:
    ecr = Ecr({"team/app": (KEEP_TWO, RELEASES)})
    ecr.refusals["DescribeImages"] = error("RepositoryNotFoundException")

    assert look_at(ecr.connect, (), _nobody, NOW) == [Linted("team/app", False)]


def test_whoever_may_not_read_is_told_so() -> None:
    ecr = Ecr({"team/app": (KEEP_TWO, RELEASES)})
    ecr.refusals["DescribeImages"] = error("AccessDeniedException")

    with pytest.raises(Unavailable, match="can't read the repositories: these credentials have no right"):
        look_at(ecr.connect, (), _nobody, NOW)


def _connect(stack: Stack) -> Any:
    outputs = [{"OutputKey": "LedgerTable", "OutputValue": "ledger"}]
    formation = SimpleNamespace(describe_stacks=lambda StackName: {"Stacks": [{"Outputs": outputs}]})  # noqa: N803, ARG005
    return {"cloudformation": formation, "dynamodb": stack.dynamodb}.__getitem__


def test_a_stages_last_inventory_says_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    by_file = Use(RepositoryName("team/app"), "v2", "a file")
    with a_stack() as stack:
        inventories = Inventories(stack.dynamodb, "ledger")
        inventories.expect("sweep", {"here": "ECS here", "there": "ECS there"}, at=NOW, now=NOW)
        inventories.store("sweep", "here", [Use(RepositoryName("team/app"), "v1", "ECS service web")], now=NOW)
        inventories.give_up("sweep", "there", why="no right", now=NOW)
        inventories.conclude("sweep", at=NOW)

        uses_of = lifecycle_lint.uses_by(_connect(stack), [by_file], "dev")

        assert [use.reference for use in uses_of(RepositoryName("team/app"))] == ["v2", "v1"]
        assert uses_of(RepositoryName("other")) == ()
    assert capsys.readouterr().err == "What runs is not wholly known: ECS there: no right.\n"


def test_a_stage_without_an_inventory_is_refused() -> None:
    with a_stack() as stack, pytest.raises(Refused, match="no inventory yet"):
        lifecycle_lint.uses_by(_connect(stack), [], "dev")


def test_remarks_are_shown_by_repository(capsys: pytest.CaptureFixture[str]) -> None:
    remarks = remarks_on(policy(rule("v*", keep=2), rule("V_*", days=3)), line("v*", 12))

    show([Linted("team/app", True, 12, remarks), Linted("team/web", False), Linted("team/job", True, 3)])

    assert capsys.readouterr().out.splitlines() == [
        "team/app",
        "  warning  the policy: it takes 83 % of the repository, 10 of 12 images: rule 1 (10)  takes-most",
        "      10 images: v1, v2, v3 and 7 more",
        "  note  rule 2: it matches nothing: no image is tagged V_*  matches-nothing",
        "",
        "2 of 3 repositories have a lifecycle policy: 0 errors, 1 warning, 1 note.",
    ]


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[str]]:
    def write(text: str, details: list[dict[str, Any]], running: str = "") -> list[str]:
        (tmp_path / "policy.json").write_text(text)
        (tmp_path / "images.json").write_text(json.dumps({"imageDetails": details}))
        (tmp_path / "running.txt").write_text(running)
        names = {"--policy": "policy.json", "--images": "images.json", "--in-use": "running.txt"}
        options = [word for option, name in names.items() for word in (option, str(tmp_path / name))]
        return [*options, "--now", NOW.isoformat()]

    return write


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["lifecycle", "lint", *arguments])


@pytest.mark.parametrize(
    "running",
    [
        "111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/app:v1 pod web-1\n",
        f"\nteam/app@{digest_of('v1')} pod web-1\n",
        f"{digest_of('v1')} pod web-1",
        f"localhost:5000/app:v9@{digest_of('v1')} pod web-1",
    ],
)
def test_a_policy_is_tried_on_files_before_it_is_put(files: Callable[..., list[str]], running: str) -> None:
    result = _run(*files(KEEP_TWO, RELEASES, running), "--json")

    (told,) = json.loads(result.stdout)["repositories"]
    assert result.exit_code == 1
    assert [(each["code"], each["severity"], each["rulePriority"]) for each in told["remarks"]] == [
        ("takes-in-use", "error", 1)
    ]
    assert "v1 (by pod web-1)" in told["remarks"][0]["text"]
    assert told["remarks"][0]["examples"] == [{"imageDigest": digest_of("v1"), "imageTags": ["v1"]}]


def test_a_policy_without_errors_ends_with_0(files: Callable[..., list[str]]) -> None:
    result = _run(*files(KEEP_TWO, RELEASES, "app"))  # that is app:latest, which nobody has

    assert result.exit_code == 0
    assert "0 errors" in result.stdout


def test_a_text_that_ecr_would_refuse_ends_with_1(files: Callable[..., list[str]]) -> None:
    result = _run(*files(policy(rule(keep=2)), RELEASES))

    assert result.exit_code == 1
    assert "refused-by-ecr" in result.stdout


@pytest.mark.parametrize(
    ("running", "said"), [(":v1\n", "running.txt:1: expected a reference"), ("a:b\n@\n", "running.txt:2: expected")]
)
def test_what_runs_is_read_strictly(files: Callable[..., list[str]], running: str, said: str) -> None:
    result = _run(*files(KEEP_TWO, RELEASES, running))

    assert result.exit_code == 1
    assert said in result.stderr


def test_a_file_of_what_runs_that_is_not_there_is_told() -> None:
    result = _run("--in-use", "nowhere.txt", "team/app")

    assert result.exit_code == 1
    assert "nowhere.txt: expected references of images as text" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--policy", "x"],
        ["--images", "x"],
        ["--policy", "x", "--images", "y", "team/*"],
        ["--policy", "x", "--images", "y", "--stage", "dev"],
    ],
)
def test_the_form_without_an_account_needs_both_files_and_nothing_else(arguments: list[str]) -> None:
    result = _run(*arguments)

    assert result.exit_code == 1
    assert "--policy FILE and --images FILE go together" in result.stderr


def test_a_time_that_is_none_is_told(files: Callable[..., list[str]]) -> None:
    result = _run(*files(KEEP_TWO, RELEASES), "--now", "tomorrow")

    assert result.exit_code == 1
    assert "--now: expected a time such as 2026-11-23T12:00:00Z, got tomorrow" in result.stderr


def test_the_account_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    result = _run("team/*")

    assert result.exit_code == 1
    assert "no region is chosen; set AWS_REGION" in result.stderr


def test_an_image_may_have_no_tag_in_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    old = image(age=9)

    show([Linted("team/app", True, 1, remarks_on(UNTAGGED, [old]))])

    assert f"      1 image: {old.digest[:19]}" in capsys.readouterr().out
