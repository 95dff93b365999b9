"""Pictures of messages, as each product would show them: the chat's own page in a headless Chromium.

`python -m local.chat.picture` draws those of the documentation: every kind of notice in Slack and in Teams, and for the
README the message of the demo's vulnerable image, whose findings the local scanner once gave, under the policy at the
project's root. Chromium is a tool of whoever makes pictures.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import policy
from local.chat.notices import KINDS
from local.chat.page import ROOT
from local.chat.server import Chat
from warden.channels import slack, teams
from warden.compiled_policy import from_compiled
from warden.notices import Notice
from warden.rehearsal import payloads

SAMPLES = Path(__file__).with_name("samples")
DOCS = ROOT / "docs"
PICTURE = DOCS / "findings.png"
PICTURES = DOCS / "pictures"
TOOLS = ("chromium", "pngquant")
PACKAGES = (*TOOLS, "fonts-lato", "fonts-open-sans", "fonts-dejavu-core", "fonts-noto-color-emoji")
WIDTH = 700
THEN = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)
"""When a message came of which nobody says when: the same notice makes the same picture, whenever it is drawn."""
COLOURS = 160
RENDERERS: Mapping[str, Callable[[Notice], dict[str, Any]]] = {"slack": slack.render, "teams": teams.render}
_HEIGHT = re.compile(r'data-height="(\d+)"')


def draw(
    payloads: Iterable[dict[str, Any]],
    picture: Path,
    *,
    product: str = "slack",
    theme: str = "light",
    at: datetime = THEN,
) -> None:
    """Draw the payloads, one under the other, into a PNG file.

    Raises FileNotFoundError where there is no Chromium, and ValueError where the chat would refuse a payload.
    """
    with Chat() as chat:
        for payload in payloads:
            refusal = chat.show(payload, product, at=at)
            if refusal:
                raise ValueError(f"the chat answers {refusal.status} {refusal.text}: {refusal.remark}")
        height = _HEIGHT.search(drawn(chat, theme=theme))
        if height is None:
            raise ValueError("the page did not draw its messages")
        _chromium(_address(chat, theme), f"--screenshot={picture.resolve()}", height=int(height[1]))


def drawn(chat: Chat, *, theme: str = "light") -> str:
    """The HTML of the page when it has drawn what the chat took."""
    return _chromium(_address(chat, theme), "--dump-dom", height=400)


def _address(chat: Chat, theme: str) -> str:
    return f"{chat.page}?picture&theme={theme}"


def draw_kind(kind: str, picture: Path, *, product: str, theme: str = "light") -> None:
    """Draw the sample notice of a kind, as it comes in a product."""
    notice = KINDS[kind]
    at = datetime.fromisoformat(notice.at) if notice.at else THEN
    draw([RENDERERS[product](notice)], picture, product=product, theme=theme, at=at)


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
        environment = os.environ | {"TZ": "UTC"}
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=90, env=environment)  # noqa: S603 - our own words
        return done.stdout


def shrink(picture: Path) -> None:
    """Leave a PNG file as many colours as the eye needs: a third of its size, and it is in the repository for good."""
    command = ["pngquant", "--force", "--strip", "--speed=1", f"--output={picture}", str(COLOURS), str(picture)]
    subprocess.run(command, check=True)  # noqa: S603 - our own words


def sample() -> list[dict[str, Any]]:
    """The message that the sample makes, by the code that runs in Lambda."""
    event, findings = (json.loads((SAMPLES / name).read_text("utf-8")) for name in ("event.json", "findings.json"))
    standard = from_compiled(policy.load(ROOT / "warden.yaml").compiled)
    return payloads(event, findings, standard, "slack")


def main() -> None:
    """Draw the pictures, with Debian's Chromium; what is missing is installed."""
    if not all(map(shutil.which, TOOLS)):
        print(f"installing {', '.join(PACKAGES)}", file=sys.stderr)
        subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES], check=True)  # noqa: S603, S607
    PICTURES.mkdir(exist_ok=True)
    draw(sample(), PICTURE)
    pictures = [PICTURE]
    for kind in KINDS:
        for product in RENDERERS:
            picture = PICTURES / f"{kind}.{product}.png"
            draw_kind(kind, picture, product=product)
            pictures.append(picture)
    for picture in pictures:
        shrink(picture)
        print(picture.relative_to(ROOT))


if __name__ == "__main__":
    main()
