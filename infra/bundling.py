"""The Lambda asset, made without Docker: our code, its pinned dependencies, and bytecode of the runtime's Python."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling, Stack
from aws_cdk import aws_lambda as lambda_

PROJECT = Path(__file__).parents[1]
FUNCTIONS = PROJECT / "functions"
BYTECODE = Path(__file__).with_name("bytecode.mjs")
CACHE = PROJECT / "build" / "asset"
PYTHON = "3.14"
PLATFORM = "aarch64-manylinux2014"

SERVICES = frozenset(
    {
        "ecr",
        "dynamodb",
        "sqs",
        "secretsmanager",
        "sns",
        "inspector2",
        "sts",
        "ecs",
        "lambda",
        "eks",
        "batch",
        "apprunner",
    }
)
"""What the functions call; the models of botocore's other services, some 400, go."""
KEPT_DATA = frozenset({"endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json"})
"""What botocore reads for every service."""
UNUSED = (
    "aws_lambda_powertools/event_handler",
    "boto3/data",
    "boto3/examples",
    "bin",
    "*.dist-info/RECORD",
    ".lock",
)
"""What no function reads: of Powertools we use Logger and Metrics, of boto3 no resources; the rest is installers' own.

Licences stay. `python -m pytest tests/infra/test_asset.py` imports every handler from what is left.
"""


class BundlingError(Exception):
    """The asset could not be made; the text says why and what to do."""


def lambda_code(stack: Stack, compiled: Mapping[str, Any]) -> lambda_.Code:
    """The code of every function, with the compiled policy in it. The asset's hash is that of its content.

    Raises BundlingError.
    """
    if stack.bundling_required:  # not for `cdk destroy`, for example
        _prepared()  # here, since CDK makes another error of what is raised while it bundles
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
    """Make the asset in an empty directory: the same bytes for the same inputs, whatever the day and the machine.

    Raises BundlingError.
    """
    shutil.copytree(_prepared(), target, dirs_exist_ok=True)
    (target / "policy.json").write_text(json.dumps(compiled, sort_keys=True, separators=(",", ":")), "utf-8")
    for path in (target, *target.rglob("*")):
        os.utime(path, (0, 0))


def prepare(target: Path) -> None:
    """Make all of the asset but the policy, in a directory that is not there yet. Raises BundlingError."""
    work = target.with_name(f"{target.name}.{os.getpid()}")  # what is interrupted is never taken for done
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    _install(work)
    for path in _unused(work):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for source in _sources():
        destination = work / source.relative_to(FUNCTIONS)
        destination.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, destination)
    _run(Path(sys.executable).with_name("node"), BYTECODE, work)
    try:
        work.rename(target)
    except OSError:  # somebody else was faster, with the same result
        shutil.rmtree(work)


def _prepared() -> Path:
    """The prepared asset, from the cache where its inputs are the same."""
    prepared = CACHE / _fingerprint()
    if not prepared.exists():
        prepare(prepared)
        files = [path for path in prepared.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        print(f"Lambda asset: {len(files)} files, {size / 1e6:.1f} MB before compression", file=sys.stderr)
    return prepared


def _fingerprint() -> str:
    """Of all that the prepared asset is made from; the lock files stand for the tools that make it."""
    locks = [FUNCTIONS / "requirements.txt", PROJECT / "requirements.txt", PROJECT / "package-lock.json"]
    digest = hashlib.sha256()
    for path in (*_sources(), *locks, BYTECODE, Path(__file__)):
        digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _sources() -> list[Path]:
    return sorted(path for path in FUNCTIONS.rglob("*.py") if "__pycache__" not in path.parts)


def _install(work: Path) -> None:
    for_lambda = ("--target", work, "--python-version", PYTHON, "--python-platform", PLATFORM)
    as_pinned = ("--only-binary", ":all:", "--no-deps", "--require-hashes")
    alike = ("--link-mode", "copy", "--no-installer-metadata")
    uv = Path(sys.executable).with_name("uv")
    _run(uv, "pip", "install", "--quiet", *for_lambda, *as_pinned, *alike, "-r", FUNCTIONS / "requirements.txt")


def _unused(work: Path) -> Iterator[Path]:
    for path in (work / "botocore" / "data").iterdir():
        if path.name not in SERVICES | KEPT_DATA:
            yield path
    for pattern in UNUSED:
        yield from work.glob(pattern)


def _run(*command: str | Path) -> None:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    except FileNotFoundError as missing:
        raise BundlingError(f"{missing.filename} is missing: `make setup` installs it") from None
    if done.returncode:
        raise BundlingError(f"{' '.join(words)} failed; `make setup` installs what it needs:\n{done.stderr[-2000:]}")
