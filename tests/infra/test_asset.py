"""What reaches Lambda: everything that a function imports, ready for its Python, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import policy
from infra import bundling
from infra.application import synthesise
from infra.functions import FUNCTIONS
from infra.specs import FunctionSpec

from .conftest import HERE, Synthesised

MAGIC_OF_CPYTHON_3_14 = (3627).to_bytes(2, "little") + b"\r\n"
"""https://github.com/python/cpython/blob/3.14/Include/internal/pycore_magic_number.h"""
UNCHECKED_HASH = b"\x01\x00\x00\x00"
"""PEP 552: by the hash of the source, which is not looked at again."""


@pytest.fixture(scope="session")
def asset(dev: Synthesised) -> Path:
    (staged,) = (path for path in dev.assembly.glob("asset.*") if path.is_dir())
    return staged


def run(code: str, asset: Path) -> str:
    """What a bare Python prints that has the asset and nothing of ours on its path, as on the local cloud."""
    bare = str(getattr(sys, "_base_executable", sys.executable))
    environment = {"AWS_DEFAULT_REGION": HERE["region"], "PATH": os.environ["PATH"]}
    done = subprocess.run(  # noqa: S603 - our own
        [bare, "-I", "-B", "-c", f"import sys; sys.path.insert(0, {str(asset)!r}); {code}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_syntheses_give_the_same_asset(dev: Synthesised, asset: Path, tmp_path: Path) -> None:
    again = synthesise(tmp_path, **HERE).directory
    assert [path.name for path in Path(again).glob("asset.*")] == [asset.name]


def test_made_from_nothing_it_is_the_same_to_the_byte(asset: Path, tmp_path: Path) -> None:
    bundling.prepare(tmp_path / "anew")
    anew = {path.relative_to(tmp_path / "anew"): path.read_bytes() for path in _files(tmp_path / "anew")}
    staged = {path.relative_to(asset): path.read_bytes() for path in _files(asset)}
    assert json.loads(staged.pop(Path("policy.json"))) == policy.load(Path("warden.yaml")).compiled
    assert staged.keys() == anew.keys()
    assert [path for path, content in staged.items() if anew[path] != content] == []


def test_another_policy_is_another_asset_and_nothing_else_is(asset: Path, tmp_path: Path) -> None:
    compiled = policy.load(Path("warden.yaml")).compiled
    bundling.bundle(tmp_path, {**compiled, "mode": "enforce"})
    differing = [
        path for path in _files(tmp_path) if path.read_bytes() != (asset / path.relative_to(tmp_path)).read_bytes()
    ]
    assert differing == [tmp_path / "policy.json"]


def test_its_files_carry_no_time(asset: Path, tmp_path: Path) -> None:
    bundling.bundle(tmp_path, {})
    assert {path.stat().st_mtime for path in tmp_path.rglob("*")} == {0.0}


def test_every_module_is_compiled_for_the_runtime_and_never_checked_against_its_source(asset: Path) -> None:
    compiled = {path.relative_to(asset): path.read_bytes()[:8] for path in asset.rglob("*.pyc")}
    sources = {path.relative_to(asset) for path in asset.rglob("*.py")}
    assert compiled.keys() == {path.parent / "__pycache__" / f"{path.stem}.cpython-314.pyc" for path in sources}
    assert set(compiled.values()) == {MAGIC_OF_CPYTHON_3_14 + UNCHECKED_HASH}


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_a_handler_is_imported_from_the_asset_alone(asset: Path, spec: FunctionSpec) -> None:
    name = spec.name
    printed = run(f"import {name}, boto3; print(callable({name}.handler), boto3.__file__)", asset)
    assert printed.split() == ["True", str(asset / "boto3" / "__init__.py")]


def test_each_service_that_functions_call_has_its_client_and_others_have_none(asset: Path) -> None:
    code = "import boto3; print(*boto3.Session().get_available_services())"
    running = {"ecs", "lambda", "eks", "batch", "apprunner", "inspector2", "sts"}
    assert set(run(code, asset).split()) == {"ecr", "dynamodb", "sqs", "secretsmanager", "sns"} | running
    for service in bundling.SERVICES:
        assert run(f"import boto3; print(boto3.client({service!r}).meta.region_name)", asset).split() == [
            HERE["region"]
        ]


def test_what_is_for_synth_and_for_the_command_is_not_in_it(asset: Path) -> None:
    for module in ("aws_cdk", "pydantic", "yaml", "click", "rich", "policy", "cli", "infra", "local"):
        assert not list(asset.glob(f"{module}*/")), module
    assert not list(asset.rglob("warden.yaml"))


def test_licences_stay_beside_what_they_license(asset: Path) -> None:
    packages = list(asset.glob("*.dist-info"))
    assert len(packages) == 9
    for package in packages:
        assert any("licen" in path.name.lower() for path in package.rglob("*")), package.name


def test_it_has_nothing_of_another_platform(asset: Path) -> None:
    assert not [*asset.rglob("*.so"), *asset.rglob("*.dylib"), *asset.rglob("*.pyd")]


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())
