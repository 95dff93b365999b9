"""The application, synthesised once a session for all tests that read its templates."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.application import synthesise
from infra.iam_table import WITHOUT_ASSET

ACCOUNT, REGION = "111122223333", "eu-central-1"
HERE = {"account": ACCOUNT, "region": REGION}


@dataclass(frozen=True)
class Synthesised:
    """A stack's template, asked by construct path, and what lies beside it."""

    template: dict[str, Any]
    template_file: Path
    assembly: Path
    termination_protection: bool

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of one type, by the path of their construct within the stack."""
        found = ((path, r) for path, r in self._by_path() if r["Type"] == kind)
        return dict(found)

    def properties(self, path: str) -> dict[str, Any]:
        """The properties of the one resource at that path."""
        return dict(self._by_path())[path]["Properties"]

    def path_of(self, reference: dict[str, Any]) -> str:
        """The path of what a Ref or Fn::GetAtt points at."""
        name = reference.get("Ref") or reference["Fn::GetAtt"][0]
        return _path(self.template["Resources"][name])

    def _by_path(self) -> list[tuple[str, dict[str, Any]]]:
        return [(_path(resource), resource) for resource in self.template["Resources"].values()]


def _path(resource: dict[str, Any]) -> str:
    return resource["Metadata"]["aws:cdk:path"].partition("/")[2].removesuffix("/Resource")


def synthesised(directory: Path, **context: Any) -> Synthesised:
    assembly = synthesise(directory, **HERE, **context)
    (stack,) = assembly.stacks
    file = directory / stack.template_file
    return Synthesised(stack.template, file, directory, bool(stack.termination_protection))


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The default stage, with its asset."""
    return synthesised(tmp_path_factory.mktemp("dev"))


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The stage that is kept, with alarms that go to a topic."""
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:oncall"
    return synthesised(tmp_path_factory.mktemp("prod"), stage="prod", alarm_topic_arn=topic, **WITHOUT_ASSET)
