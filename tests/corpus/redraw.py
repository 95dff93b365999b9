"""Writes the agreed messages anew, after a change that is meant.

`PYTHONPATH=.:functions python -m tests.corpus.redraw`
"""

import json
from pathlib import Path

from tests.corpus.notices import KINDS
from warden.channels.slack import render

if __name__ == "__main__":
    for kind, notice in KINDS.items():
        text = json.dumps(render(notice), ensure_ascii=False, indent=1)
        Path(__file__).with_name("slack").joinpath(f"{kind}.json").write_text(text + "\n", encoding="utf-8")
