"""A picture of messages, as Slack would show them: the chat's own page in a headless Chromium.

Chromium is a tool of whoever makes pictures (`apt-get install chromium fonts-lato fonts-noto-color-emoji`).
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local.chat.server import Chat

WIDTH = 700
_HEIGHT = re.compile(r'data-height="(\d+)"')


def draw(payloads: Iterable[dict[str, Any]], picture: Path, *, theme: str = "light") -> None:
    """Draw the payloads, one under the other, into a PNG file.

    Raises FileNotFoundError where there is no Chromium, and ValueError where the chat would refuse a payload.
    """
    with Chat() as chat:
        for payload in payloads:
            refusal = chat.show(payload)
            if refusal:
                raise ValueError(f"the chat answers {refusal.text}: {refusal.remark}")
        address = f"{chat.page}?picture&theme={theme}"
        page = _chromium(address, "--dump-dom", height=400)
        height = _HEIGHT.search(page)
        if height is None:
            raise ValueError("the page did not draw its messages")
        _chromium(address, f"--screenshot={picture.resolve()}", height=int(height[1]))


def _chromium(address: str, *options: str, height: int) -> str:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise FileNotFoundError("no Chromium: apt-get install chromium fonts-lato fonts-noto-color-emoji")
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        command = [
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--force-device-scale-factor=2",
            "--disable-background-networking",
            "--no-first-run",
            f"--user-data-dir={profile}",
            f"--window-size={WIDTH},{height}",
            "--virtual-time-budget=4000",
            *options,
            address,
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=90)  # noqa: S603 - our own words
        return done.stdout
