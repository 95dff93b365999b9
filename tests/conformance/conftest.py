"""The registry that the conformance tests meet: a local cloud of their own, or an account's real one."""

import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mypy_boto3_ecr import ECRClient

from tests.conformance.cloud import Cloud

ROOT = Path(__file__).parents[2]
ON_AWS = os.environ.get("ECR_CONFORMANCE") == "aws"


def pytest_configure(config: pytest.Config) -> None:
    """Make our mark known."""
    config.addinivalue_line("markers", "local_only: can be asked of a local cloud only")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, on AWS, what only a local cloud can be asked."""
    if ON_AWS:
        local_only = pytest.mark.skip(reason="asks the local cloud itself, or would change settings of the account")
        for item in items:
            if item.get_closest_marker("local_only"):
                item.add_marker(local_only)


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The local cloud, started for these tests; or AWS, with the credentials of whoever runs them."""
    if ON_AWS:
        yield Cloud.on_aws()
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "local.cloud", "--port", str(port), "--quiet"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
    assert process.stdout is not None
    assert process.stdout.readline().startswith("local cloud ready: ")
    yield Cloud.local(port)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0


@pytest.fixture(scope="session")
def ecr(cloud: Cloud) -> ECRClient:
    """A client that tries once, so that every answer is seen."""
    return cloud.ecr


@pytest.fixture
def create(ecr: ECRClient) -> Iterator[Callable[..., str]]:
    """Makes repositories with made-up names, and removes them at the end."""
    made: list[str] = []

    def one(**settings: object) -> str:
        name = f"conformance/{uuid.uuid4().hex[:12]}"
        ecr.create_repository(repositoryName=name, **settings)  # type: ignore[arg-type]
        made.append(name)
        return name

    yield one
    for name in made:
        ecr.delete_repository(repositoryName=name, force=True)


@pytest.fixture
def repository(create: Callable[..., str]) -> str:
    """The name of an empty repository with ECR's defaults."""
    return create()
