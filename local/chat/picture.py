"""A picture of messages, as Slack would show them: the chat's own page in a headless Chromium.

`python -m local.chat.picture` draws the one in the README: the message of the demo's vulnerable image, whose findings
the local scanner once gave, under the policy at the project's root. Chromium is a tool of whoever makes pictures.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import policy
from local.chat.page import ROOT
from local.chat.server import Chat
from warden.compiled_policy import from_compiled
from warden.rehearsal import payloads

SAMPLES = Path(__file__).with_name("samples")
PICTURE = ROOT / "docs" / "findings.png"
PACKAGES = ("chromium", "fonts-lato", "fonts-noto-color-emoji")
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
    program = shutil.which("chromium")
    if program is None:
        raise FileNotFoundError(f"no Chromium: apt-get install {' '.join(PACKAGES)}")
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


def sample() -> list[dict[str, Any]]:
    """The message that the sample makes, by the code that runs in Lambda."""
    event, findings = (json.loads((SAMPLES / name).read_text("utf-8")) for name in ("event.json", "findings.json"))
    standard = from_compiled(policy.load(ROOT / "warden.yaml").compiled)
    return payloads(event, findings, standard, "slack")


def main() -> None:
    """Draw the README's picture, with Debian's Chromium; it is installed where it is missing."""
    if shutil.which("chromium") is None:
        print(f"installing {', '.join(PACKAGES)}", file=sys.stderr)
        subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES], check=True)  # noqa: S603, S607
    draw(sample(), PICTURE)
    print(PICTURE)


if __name__ == "__main__":
    main()
