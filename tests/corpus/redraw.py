"""Writes the agreed messages of every product anew, after a change that is meant.

`PYTHONPATH=.:functions python -m tests.corpus.redraw`, or with the names of products to leave the others as they are.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.corpus.notices import KINDS
from warden.channels import discord, google_chat, slack, sns, standard_webhook, teams
from warden.notices import Notice

RENDERERS: Mapping[str, Callable[[Notice], dict[str, Any]]] = {
    "slack": slack.render,
    "teams": teams.render,
    "discord": discord.render,
    "google_chat": google_chat.render,
    "sns": sns.render,
    "webhook": standard_webhook.render,
}

if __name__ == "__main__":
    for product in sys.argv[1:] or RENDERERS:
        folder = Path(__file__).with_name(product)
        folder.mkdir(exist_ok=True)
        for kind, notice in KINDS.items():
            text = json.dumps(RENDERERS[product](notice), ensure_ascii=False, indent=1)
            (folder / f"{kind}.json").write_text(text + "\n", encoding="utf-8")
