"""What a cold start of each handler imports, and how long that takes: `python benchmarks/imports.py`.

Times are of this machine, best of several runs with `.pyc` files; what counts is their ratio to the import of boto3,
which every handler needs, and the list of modules that must not be there.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

FUNCTIONS = Path(__file__).parents[1] / "functions"
HANDLERS = ("image_pushed", "scan_finished", "repository_changed", "sweep", "notify")
BASELINE = "import boto3"
NEVER = (
    "pydantic",
    "yaml",
    "aws_cdk",
    "jsii",
    "click",
    "rich",
    "requests",
    "aws_xray_sdk",
    "aws_lambda_powertools.utilities.parser",
    "asyncio",
)
"""What no handler may import: it is for synth, for the command, or for other uses of the libraries."""


def imported(code: str) -> list[str]:
    """The names of all modules that the code imports, by `python -X importtime`."""
    command = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=True)  # noqa: S603
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return [line.rpartition("|")[2].strip() for line in lines][1:]


def seconds(code: str, runs: int) -> float:
    """The best time of a fresh interpreter that runs the code, without the interpreter's own."""

    def once(text: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", text], env=_environment(), check=True)  # noqa: S603
        return time.perf_counter() - start

    return min(once(code) for _ in range(runs)) - min(once("pass") for _ in range(runs))


def forbidden(modules: list[str]) -> list[str]:
    """Which of the modules must not be there."""
    return sorted({never for never in NEVER for module in modules if f"{module}.".startswith(f"{never}.")})


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(FUNCTIONS)}


def main() -> int:
    """Print the table; exit code 1 if a handler imports what it must not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs: int = parser.parse_args().runs
    baseline = seconds(BASELINE, runs)
    print(f"{'handler':<20} {'ms':>6} {'modules':>8} {'× boto3':>8}  must not be there")
    print(f"{BASELINE:<20} {baseline * 1000:6.0f} {len(imported(BASELINE)):8d} {1:8.2f}")
    wrong = 0
    for handler in HANDLERS:
        modules = imported(f"import {handler}")
        took = seconds(f"import {handler}", runs)
        found = forbidden(modules)
        wrong += len(found)
        print(f"{handler:<20} {took * 1000:6.0f} {len(modules):8d} {took / baseline:8.2f}  {', '.join(found) or '-'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
