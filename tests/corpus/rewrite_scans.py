"""Writes what is expected of every scan anew, after a change that is meant: then read what git says, line by line.

`PYTHONPATH=.:functions python -m tests.corpus.rewrite_scans`, or with the names of cases to leave the others as they
are.
"""

import sys

import yaml

from tests.corpus.scan_cases import FOLDER, Case, actual

_EXPECTED = "expected:"


def rewritten(text: str, case: Case) -> str:
    """The file's text with what came of the case in the place of what is expected, which stands last."""
    kept = text.partition(f"\n{_EXPECTED}")[0].rstrip("\n")
    came = yaml.safe_dump({"expected": actual(case)}, sort_keys=False, allow_unicode=True, width=10_000)
    return f"{kept}\n{came}"


if __name__ == "__main__":
    for path in sorted(FOLDER.glob("*.yaml")):
        if sys.argv[1:] and path.stem not in sys.argv[1:]:
            continue
        text = path.read_text("utf-8")
        path.write_text(rewritten(text, Case(path.stem, yaml.safe_load(text))), encoding="utf-8")
