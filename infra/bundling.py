"""The Lambda asset, made without Docker: our code, its pinned dependencies for the runtime, and bytecode of its Python."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

PROJECT = Path(__file__).parents[1]
FUNCTIONS = PROJECT / "functions"
CACHE = PROJECT / "build" / "asset"
PYTHON = "3.14"
PLATFORM = "aarch64-manylinux2014"

SERVICES = frozenset({"ecr", "dynamodb", "sqs", "secretsmanager"})
"""What the functions call: of botocore's models of 400 services the others go."""
KEPT_DATA = frozenset({"endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json"})


class BundlingError(Exception):
    """The asset could not be made; the text says why and what to do."""


def lambda_code(compiled: Mapping[str, Any]) -> lambda_.Code:
    """The code of every function, with the compiled policy in it. The asset's hash is that of its content."""
    return lambda_.Code.from_asset(
        str(FUNCTIONS),
        asset_hash_type=AssetHashType.OUTPUT,
        bundling=BundlingOptions(image=DockerImage.from_registry("no-docker-is-needed"), local=LocalBundling(compiled)),
    )


@jsii.implements(ILocalBundling)
class LocalBundling:
    """Bundles on this machine; never by Docker."""

    def __init__(self, compiled: Mapping[str, Any]) -> None:
        """`compiled` is the compiled policy."""
        self._compiled = compiled

    def try_bundle(self, output_dir: str, *_: Any, **__: Any) -> bool:
        """Fill the directory. Raises BundlingError rather than let CDK ask for Docker."""
        bundle(Path(output_dir), self._compiled)
        return True


def bundle(target: Path, compiled: Mapping[str, Any]) -> None:
    """Make the asset in an empty directory: the same bytes for the same inputs, whatever the day and the machine."""
    prepared = CACHE / _fingerprint()
    if not prepared.exists():
        _prepare(prepared)
    shutil.copytree(prepared, target, dirs_exist_ok=True)
    (target / "policy.json").write_text(json.dumps(compiled, sort_keys=True, separators=(",", ":")))
    for path in [target, *target.rglob("*")]:
        os.utime(path, (0, 0))


def _fingerprint() -> str:
    """Of all that the prepared asset is made from."""
    inputs = [*_sources(), FUNCTIONS / "requirements.txt", Path(__file__), PROJECT / "package-lock.json"]
    digest = hashlib.sha256()
    for path in inputs:
        digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _sources() -> list[Path]:
    return sorted(path for path in FUNCTIONS.rglob("*.py") if "__pycache__" not in path.parts)


def _prepare(prepared: Path) -> None:
    """In a directory of its own first: what is interrupted is never taken for done."""
    work = prepared.with_suffix(f".{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    _install(work)
    _prune(work)
    for source in _sources():
        destination = work / source.relative_to(FUNCTIONS)
        destination.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, destination)
    _compile(work)
    try:
        work.rename(prepared)
    except OSError:  # somebody else was faster, with the same result
        shutil.rmtree(work)


def _install(work: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    options = ["--target", str(work), "--python-version", PYTHON, "--python-platform", PLATFORM]
    options += [
        "--only-binary",
        ":all:",
        "--no-deps",
        "--require-hashes",
        "--link-mode",
        "copy",
        "--no-installer-metadata",
    ]
    _run([str(uv), "pip", "install", "--quiet", *options, "-r", str(FUNCTIONS / "requirements.txt")])


def _prune(work: Path) -> None:
    """What no function reads: other services' models, and what belongs to installers."""
    data = work / "botocore" / "data"
    for path in data.iterdir():
        if path.is_dir() and path.name not in SERVICES:
            shutil.rmtree(path)
        elif path.is_file() and path.name not in KEPT_DATA:
            path.unlink()
    for path in (*work.glob("bin"), *work.glob("boto3/examples"), *work.rglob("__pycache__")):
        shutil.rmtree(path)
    for path in (*work.glob("*.dist-info/RECORD"), *work.glob(".lock")):
        path.unlink()


def _compile(work: Path) -> None:
    node = Path(sys.executable).with_name("node")
    _run([str(node), str(Path(__file__).with_name("bytecode.mjs")), str(work)])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise BundlingError(f"{' '.join(command)} failed; `make setup` installs what it needs:\n{done.stderr[-2000:]}")
