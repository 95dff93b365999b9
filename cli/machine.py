"""What this machine has: versions of what synth and deployment run in."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
_SECONDS = 20
_NODE_VERSION = re.compile(r"v\d+\.\d+\.\d+\S*")


class Machine:
    """What is installed here, as far as a deployment is concerned."""

    def __init__(self, project: Path = PROJECT, *, search: str | None = None) -> None:
        """`project` is where package.json stands; `search` is a PATH to look for Node in, instead of the usual one."""
        self._project = project
        self._search = search

    @property
    def python(self) -> tuple[int, int, int]:
        """The version of the Python that runs this."""
        return sys.version_info[:3]

    def node(self) -> str | None:
        """The version of Node that `npx cdk` would run in, or None where there is none."""
        beside = str(Path(sys.executable).parent)
        found = shutil.which("node", path=self._search or f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
        if found is None:
            return None
        try:
            answer = subprocess.run(  # noqa: S603 - the program was found on the PATH that a deployment uses
                [found, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return None
        version = answer.stdout.strip()
        return version if _NODE_VERSION.fullmatch(version) else None

    def cdk_installed(self) -> str | None:
        """The version of the CDK CLI in node_modules, or None where there is none."""
        package = self._cdk_package()
        return str(package["version"]) if "version" in package else None

    def cdk_pinned(self) -> str:
        """The version of the CDK CLI that package.json asks for."""
        return str(_json(self._project / "package.json").get("devDependencies", {}).get("aws-cdk", "none"))

    def node_needed(self) -> str:
        """Which Node the CDK CLI says that it needs."""
        return str(self._cdk_package().get("engines", {}).get("node", ">= 18"))

    def _cdk_package(self) -> dict[str, Any]:
        return _json(self._project / "node_modules" / "aws-cdk" / "package.json")


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
